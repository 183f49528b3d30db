"""A tenant with something of everything, for requests that are made up to meet."""

import hashlib
import io
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.demo.client import Client
from tests.kit.patience import PATIENCE

SLUG, OTHER = "fuzzed", "fuzzed-by-admins"
EMAIL, PASSWORD = "owner@fuzzed.example.com", "a sentence nobody guesses"
START = datetime(2026, 1, 1, tzinfo=UTC)

SCHEMA: dict[str, Any] = {
    "features": [
        {"name": "user_id", "kind": "categorical", "buckets": 64, "catalogue": "user_id", "privileged": True},
        {"name": "ad", "kind": "categorical", "buckets": 64, "catalogue": "ad_id"},
        {"name": "price", "kind": "dense"},
    ],
    "tasks": [{"name": "click", "kind": "click", "label": "clicked"}],
    "event_time": "event_time",
    "user_key": "user_id",
}
MODEL: dict[str, Any] = {
    "schema_version": 1,
    "model": {"backbone": "dcnv2", "features": ["ad", "price"], "task": "click"},
    "supervision": {"preset": "safe"},
}


@dataclass(frozen=True)
class World:
    """Tokens, and ids by the name that parameters of the API have."""

    token: str
    admin_token: str
    tenant_ids: dict[str, str]
    admin_ids: dict[str, str]


def parquet() -> bytes:
    """Return an hour of a few rows."""
    rows = 8
    table = pa.table(
        {
            "event_time": pa.array([START + timedelta(minutes=n) for n in range(rows)], pa.timestamp("us", tz="UTC")),
            "user_id": pa.array(range(rows), pa.int64()),
            "ad": pa.array(range(rows), pa.int64()),
            "price": pa.array([0.5] * rows, pa.float32()),
            "clicked": pa.array([n % 2 for n in range(rows)], pa.int8()),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def furnish(*, web: str, admin_url: str, admin_token: str) -> World:
    """Make the tenant and its things through the API; a second time they are there."""
    admin = Client(admin_url, admin_token)
    known = {row["slug"] for row in admin.pages("/api/v1/admin/tenants")}
    for slug, email in ((SLUG, EMAIL), (OTHER, "owner@other.example.com")):
        if slug not in known:
            boss = {"email": email, "name": "Owner", "password": PASSWORD}
            body: dict[str, Any] = {"slug": slug, "name": slug, "owner": boss}
            body |= {"budget": {"amount": "0"}, "quota": {"models_limit": 10_000}}
            admin.post("/api/v1/admin/tenants", body)
    names = {row["name"]: row for row in admin.pages("/api/v1/admin/foundation-models")}
    if "fuzzed" not in names:
        features = [{"name": name, "buckets": 64} for name in ("user_id", "ad_id")]
        spec = {"schema_version": 1, "model": {"features": features, "tenant_slots": 8}}
        body = {"name": "fuzzed", "spec": spec, "period_seconds": 3600}
        names["fuzzed"] = admin.post("/api/v1/admin/foundation-models", body)
    foundation = names["fuzzed"]["id"]
    admin.post(f"/api/v1/admin/foundation-models/{foundation}/bindings", {"tenant": SLUG})
    owner = Client(web)
    owner.sign_in(EMAIL, PASSWORD)
    team = f"/api/v1/tenants/{SLUG}"
    membership = next(m for m in owner.get("/api/v1/session")["memberships"] if m["tenant"]["slug"] == SLUG)
    scopes = sorted(set(membership["permissions"]) - {"tokens:write", "members:write"})
    made = owner.post(f"{team}/tokens", {"name": "fuzz", "scopes": scopes})
    stream = _one(owner, f"{team}/streams", {"name": "fuzzed", "schema": SCHEMA})
    content = parquet()
    partition = owner.upload(
        f"{team}/streams/{stream}/partitions",
        content,
        hashlib.sha256(content).hexdigest(),
        start=START.isoformat(),
        end=(START + timedelta(hours=1)).isoformat(),
    )
    model = _one(owner, f"{team}/models", {"name": "fuzzed", "stream": stream, "spec": MODEL})
    hook = {"url": "https://hooks.invalid/", "event_types": ["run.failed"]}
    known_hooks = owner.get(f"{team}/webhooks")["results"]
    webhook = (known_hooks or [owner.post(f"{team}/webhooks", hook)])[0]["id"]
    owner.call("PATCH", f"{team}/webhooks/{webhook}", json={"enabled": True})
    delivery = owner.post(f"{team}/webhooks/{webhook}/test")["id"]
    run = _first_run(owner, team)
    member = next(owner.pages(f"{team}/members"))["id"]
    return World(
        token=made["token"],
        admin_token=admin_token,
        tenant_ids={
            "tenant": SLUG, "stream_id": stream, "partition_id": partition["id"], "model_id": model,
            "webhook_id": webhook, "delivery_id": delivery, "run_id": run, "alias": "champion",
        },
        admin_ids={"slug": OTHER, "foundation_model_id": foundation, "run_id": run, "member": member},
    )  # fmt: skip


def _one(caller: Client, path: str, body: dict[str, Any]) -> str:
    """Return the id of the thing of that name, made if it is not there."""
    for row in caller.pages(path):
        if row["name"] == body["name"]:
            return str(row["id"])
    return str(caller.post(path, body)["id"])


def _first_run(caller: Client, team: str) -> str:
    """Wait for the run that the sealed partition brings; without a budget it stays in the queue."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for run in caller.get(f"{team}/runs")["results"]:
            return str(run["id"])
        time.sleep(0.1)
    raise AssertionError("no run was planned")
