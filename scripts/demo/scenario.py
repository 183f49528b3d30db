"""The main job: tenants, streams, models, and data sealed period by period, all through the public API.

Every step first looks whether it has been done, so that a second run, or one after a crash, goes on where the last one
stopped. Time is compressed: the next period's data arrive when the foundation model has been trained on the last one.
"""

import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from exfm_core.recipes import Recipe, TenantRecipe
from scripts.demo.client import ApiProblem, Client
from scripts.demo.errors import DemoError
from scripts.demo.progress import Progress

POLL = 0.2
CHECK_SECONDS = 5
STALLED_SECONDS = 300


@dataclass(frozen=True)
class Seen:
    """How far the platform is: partitions sealed, ends of periods the FM has learned, partitions VMs have learned."""

    sealed: int
    taught: list[datetime]
    trained: int

    @property
    def units(self) -> int:
        """Finished units of work."""
        return self.sealed + len(self.taught) + self.trained


def taught_until(end: datetime) -> Callable[[Seen], bool]:
    """Return the condition that the foundation model has been trained on the period that ends at `end`."""
    return lambda seen: end in seen.taught


@dataclass
class Team:
    """One tenant of the demo as its owner's script sees it."""

    recipe: TenantRecipe
    client: Client
    stream: str = ""
    model: str = ""

    def path(self, rest: str) -> str:
        """Return a path below the tenant's part of the API."""
        return f"/api/v1/tenants/{self.recipe.slug}/{rest}"


class Credentials:
    """Passwords and tokens that the demo made for itself, kept in one file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def get(self, name: str) -> str | None:
        """Return a stored value, or None."""
        return self._values.get(name)

    def password(self, name: str) -> str:
        """Return the stored password of `name`, made on first use."""
        if name not in self._values:
            self.keep(name, secrets.token_urlsafe(12))
        return self._values[name]

    def keep(self, name: str, value: str) -> None:
        """Store a value durably."""
        self._values[name] = value
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(self._values, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._path)


class Scenario:
    """Drives one recipe through the API and reports its progress."""

    def __init__(self, recipe: Recipe, *, web: str, admin: Client, credentials: Credentials) -> None:
        self.recipe = recipe
        self.web = web
        self.admin = admin
        self.credentials = credentials
        self.teams: list[Team] = []
        self.foundation = ""

    def owner_email(self, tenant: TenantRecipe) -> str:
        """Return the address of a tenant's owner."""
        return f"owner@{tenant.slug}.example.com"

    def set_up(self) -> None:
        """Make sure that tenants, budgets, the foundation model, streams and vertical models exist."""
        self.foundation = self._foundation_model()
        for tenant in self.recipe.tenants:
            self._tenant(tenant)
            team = Team(recipe=tenant, client=self._owner_client(tenant))
            team.stream = self._stream(team)
            team.model = self._model(team)
            self.teams.append(team)

    def run(self) -> None:
        """Seal every period in time order and wait until all models have been trained on all of them."""
        units = self.recipe.periods * (len(self.teams) + 1) + self._vm_partitions()
        progress = Progress(units)
        before = self._look()
        progress.start_from(before.units)
        finished = min(len(before.taught), before.sealed // len(self.teams))
        for period in range(finished, self.recipe.periods):
            end = self._upload(period)
            self._wait(progress, taught_until(end), f"period {period + 1}/{self.recipe.periods}")
        wanted = self._vm_partitions()
        self._wait(progress, lambda seen: seen.trained >= wanted, "last vertical models")
        self._wait(progress, self._closed, "idle workers end, so that costs are final")
        self._check_failures()
        progress.end()

    def result(self) -> dict[str, Any]:
        """Return the platform's own figures: pooled lift, a row per model, the FM's cost."""
        answer: dict[str, Any] = self.admin.get("/api/v1/admin/insights", foundation_model=self.foundation)
        return answer

    def _foundation_model(self) -> str:
        name = self.recipe.foundation_name
        for found in self.admin.pages("/api/v1/admin/foundation-models"):
            if found["name"] == name:
                return str(found["id"])
        made = self.admin.post(
            "/api/v1/admin/foundation-models",
            {"name": name, "spec": self.recipe.foundation.to_json(), "period_seconds": self.recipe.period_seconds},
        )
        return str(made["id"])

    def _tenant(self, tenant: TenantRecipe) -> None:
        known = {found["slug"] for found in self.admin.pages("/api/v1/admin/tenants")}
        if tenant.slug not in known:
            self.admin.post(
                "/api/v1/admin/tenants",
                {
                    "slug": tenant.slug,
                    "name": tenant.name,
                    "domain": tenant.domain,
                    "owner": {
                        "email": self.owner_email(tenant),
                        "name": f"{tenant.name} owner",
                        "password": self.credentials.password(tenant.slug),
                    },
                    "budget": {"amount": "25.00", "reason": "demo allowance"},
                },
            )

    def _owner_client(self, tenant: TenantRecipe) -> Client:
        if token := self.credentials.get(f"{tenant.slug}:token"):
            client = Client(self.web, token)
            try:
                client.get(f"/api/v1/tenants/{tenant.slug}/overview")
            except ApiProblem as problem:
                if problem.status != 401:
                    raise
                client.close()
            else:
                return client
        session = Client(self.web)
        session.sign_in(self.owner_email(tenant), self.credentials.password(tenant.slug))
        scopes = ["streams:read", "streams:write", "models:read", "models:write", "runs:read", "insights:read"]
        made = session.post(f"/api/v1/tenants/{tenant.slug}/tokens", {"name": "demo", "scopes": scopes})
        session.close()
        self.credentials.keep(f"{tenant.slug}:token", made["token"])
        return Client(self.web, made["token"])

    def _stream(self, team: Team) -> str:
        for found in team.client.pages(team.path("streams")):
            if found["name"] == team.recipe.stream_name:
                return str(found["id"])
        made = team.client.post(
            team.path("streams"),
            {
                "name": team.recipe.stream_name,
                "schema": team.recipe.schema.to_json(),
                "label_deadline_seconds": 3600,
                "feed_fm": True,
                "feed_shared": False,
            },
        )
        return str(made["id"])

    def _model(self, team: Team) -> str:
        for found in team.client.pages(team.path("models")):
            if found["name"] == team.recipe.model_name:
                return str(found["id"])
        made = team.client.post(
            team.path("models"),
            {
                "name": team.recipe.model_name,
                "stream": team.stream,
                "spec": team.recipe.vertical.to_json(),
                "foundation_model": self.foundation,
                "train_from": self.recipe.launch.isoformat(),
            },
        )
        return str(made["id"])

    def _upload(self, period: int) -> datetime:
        tables = self.recipe.partitions(period)
        for team in self.teams:
            start, end, table = tables[team.recipe.slug]
            buffer = io.BytesIO()
            pq.write_table(table, buffer, compression="zstd", row_group_size=131072)
            content = buffer.getvalue()
            team.client.upload(
                team.path(f"streams/{team.stream}/partitions"),
                content,
                hashlib.sha256(content).hexdigest(),
                start=start.isoformat(),
                end=end.isoformat(),
            )
        return end

    def _sealed(self) -> int:
        sealed = 0
        for team in self.teams:
            found = team.client.get(team.path(f"streams/{team.stream}"))
            if found["partitions"]["rejected"]:
                raise DemoError(
                    f"{team.recipe.slug}: a partition was rejected", "open the tenant's Data page: it names the column"
                )
            sealed += found["partitions"]["sealed"]
        return sealed

    def _periods_taught(self) -> list[datetime]:
        found = self.admin.get(f"/api/v1/admin/foundation-models/{self.foundation}")
        return [datetime.fromisoformat(s["watermark"]) for s in found["snapshots"] if s["state"] != "candidate"]

    def _vm_partitions(self) -> int:
        return len(self.teams) * (self.recipe.periods - self.recipe.warm_up)

    def _trained(self) -> int:
        done = 0
        for team in self.teams:
            model = team.client.get(team.path(f"models/{team.model}"))
            done += min((line["partitions"] for line in model["lineages"]), default=0)
        return done

    def _all_trained(self) -> bool:
        return self._trained() >= self._vm_partitions()

    def _look(self) -> Seen:
        """Ask the platform how far it is."""
        return Seen(self._sealed(), self._periods_taught(), self._trained())

    def _closed(self, _seen: Seen) -> bool:
        """Whether no run of anybody holds a worker any more: a run that waits for data is charged while it waits."""
        return not self.admin.get("/api/v1/admin/runs", state="open")["results"]

    def _check_failures(self) -> None:
        failed = list(self.admin.pages("/api/v1/admin/runs", state="failed", foundation_model=self.foundation))
        for team in self.teams:
            failed += list(team.client.pages(team.path("runs"), state="failed"))
        if failed:
            reason = failed[0]["reason"]
            raise DemoError(f"run {failed[0]['id']} ({failed[0]['kind']}) failed: {reason['message']}", "see its log")

    def _wait(self, progress: Progress, finished: Callable[[Seen], bool], what: str) -> None:
        """Poll, ever more slowly up to a second, until `finished`; failures and standstill end the wait."""
        moved = checked = time.monotonic()
        last, pause = -1, POLL
        while True:
            seen = self._look()
            periods = len(seen.taught)
            progress.show(
                seen.units, f"{what}: {seen.sealed} sealed, FM {periods} periods, VM {seen.trained} partitions"
            )
            if finished(seen):
                return
            now = time.monotonic()
            if seen.units != last:
                moved, last = now, seen.units
            elif now - moved > STALLED_SECONDS:
                raise DemoError(f"nothing moved for {STALLED_SECONDS} s", "look at the Runs page and at var/logs")
            if now - checked > CHECK_SECONDS:
                self._check_failures()
                checked = now
            time.sleep(pause)
            pause = min(1.0, pause * 1.5)
