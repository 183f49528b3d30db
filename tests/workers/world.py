"""The tiny recipe as rows and files: tenants with budgets, streams, a foundation model, sealed partitions."""

import dataclasses
import functools
import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from django.utils import timezone

from budgets.services import open_account
from catalog.models import Partition, Stream
from exfm_core import recipes
from exfm_core.data.partitions import write_partition
from exfm_core.recipes import Recipe, synthetic
from registry import services as registry
from registry.models import FoundationModel, VerticalModel
from runs.dispatch import dispatch
from runs.models import Run, WorkerNode
from runs.planner import plan
from tenancy.models import Tenant
from tenancy.scope import platform_scope
from tests.kit.patience import PATIENCE
from tests.workers.waiting import wait_for
from workers.supervisor import supervise


@dataclass
class World:
    """What the tests act on; `root` is the storage folder."""

    recipe: Recipe
    root: Path
    foundation: FoundationModel
    tenants: dict[str, Tenant] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    models: dict[str, VerticalModel] = field(default_factory=dict)

    def seal(self, periods: Iterable[int]) -> None:
        """Store and seal every tenant's partition of these periods."""
        for period in periods:
            for slug, (start, end, table) in self.recipe.partitions(period).items():
                if slug not in self.streams:
                    continue
                stream = self.streams[slug]
                schema = next(t.schema for t in self.recipe.tenants if t.slug == slug)
                uri = f"tenants/{stream.tenant_id}/{period}.parquet"
                path = self.root / uri
                path.parent.mkdir(parents=True, exist_ok=True)
                write_partition(path, table, schema)
                data = path.read_bytes()
                Partition.objects.create(
                    tenant_id=stream.tenant_id,
                    stream=stream,
                    start=start,
                    end=end,
                    uri=uri,
                    sha256=hashlib.sha256(data).hexdigest(),
                    bytes=len(data),
                    state=Partition.State.SEALED,
                    rows=table.num_rows,
                    sealed_at=timezone.now(),
                )

    def work_off(self, seconds: float = 2 * PATIENCE) -> None:
        """Plan, dispatch, and supervise every run in a thread of its own, as a worker does, until nothing is left."""
        threads: list[threading.Thread] = []

        def idle() -> bool:
            with platform_scope("test"):
                report_capacity()
                plan()
                Run.objects.filter(state="queued").update(idle_seconds=4)
                admitted = dispatch()
            for run in admitted:
                threads.append(threading.Thread(target=supervise, args=(run.id,), kwargs={"worker": "test"}))
                threads[-1].start()
            return not any(thread.is_alive() for thread in threads) and not admitted

        wait_for("all work done", idle, seconds, every=0.2)


@functools.cache
def long_recipe(*, periods: int) -> Recipe:
    """Return a recipe whose first tenant's partitions take a child a second or more; made once for all tests."""
    whole = synthetic.recipe(name="long", periods=periods, warm_up=1, scale=2.5)
    return dataclasses.replace(whole, tenants=whole.tenants[:1], source=functools.cache(whole.source))


def make_world(storage: str, *, recipe: Recipe | None = None, tenants: int = 3, suffix: str = "") -> World:
    """Store the recipe's tenants, streams and models, bound to its foundation model; no data yet.

    `suffix` keeps the names of two worlds in one database apart.
    """
    recipe = recipe or recipes.load("tiny")
    foundation = registry.register_foundation_model(
        name=recipe.foundation_name + suffix, spec=recipe.foundation.to_json(), period_seconds=recipe.period_seconds
    )
    world = World(recipe, Path(storage.removeprefix("file://")), foundation)
    for part in recipe.tenants[:tenants]:
        tenant = Tenant.objects.create(slug=part.slug + suffix, name=part.name)
        open_account(tenant=tenant, amount=Decimal(100))
        stream = Stream.objects.create(tenant=tenant, name=part.stream_name, schema=part.schema.to_json(), feed_fm=True)
        world.tenants[part.slug], world.streams[part.slug] = tenant, stream
        world.models[part.slug] = registry.register_vertical_model(
            tenant=tenant,
            name=part.model_name,
            stream_id=stream.id,
            spec=part.vertical.to_json(),
            teaching=registry.Teaching(foundation_model_id=foundation.id, train_from=recipe.launch),
        )
    return world


def report_capacity() -> None:
    """Say that a worker with many slots has just reported, for tests that supervise in their own threads."""
    WorkerNode.objects.update_or_create(name="test", defaults={"slots": 16, "seen_at": timezone.now()})
