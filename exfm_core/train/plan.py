"""The order of a run's units of work: METHOD §3, period after period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from exfm_core.data.stream import Stream, StreamPartition
from exfm_core.spec.run import ModelRun, RunSpec, TenantRun


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work, committed as one.

    score: a partition by the newest snapshot that is old enough. vertical: a model's arms on a partition, one seed.
    foundation: the period's partitions of all tenants that feed it.
    """

    kind: Literal["score", "vertical", "foundation"]
    key: str
    tenant: TenantRun | None = None
    partition: StreamPartition | None = None
    model: ModelRun | None = None
    seed: int = 0
    period: tuple[tuple[TenantRun, StreamPartition], ...] = ()


def plan(spec: RunSpec, streams: Mapping[str, Stream]) -> list[Unit]:
    """All units in order: each period is scored, then taught to the vertical models, then learnt by the foundation
    model, so that no label comes from a snapshot that has seen the period."""
    periods: dict[datetime, list[tuple[TenantRun, StreamPartition]]] = {}
    for tenant in spec.tenants:
        for partition in streams[tenant.name]:
            periods.setdefault(_period(partition.end, spec.period_seconds), []).append((tenant, partition))
    units: list[Unit] = []
    for end in sorted(periods):
        parts = sorted(periods[end], key=lambda pair: pair[1].start)
        units += [Unit("score", f"score {t.name} {p.sha256}", t, p) for t, p in parts]
        units += [
            Unit("vertical", f"{component(t, model, seed)} {p.sha256}", t, p, model, seed)
            for t, p in parts
            for model in t.models
            if model.launch_at is None or p.start >= model.launch_at
            for seed in spec.seeds
        ]
        if feeding := tuple((t, p) for t, p in parts if t.feeds):
            units.append(Unit("foundation", f"foundation {end.isoformat()}", period=feeding))
    return units


def component(tenant: TenantRun, model: ModelRun, seed: int) -> str:
    """Name of a vertical model's course of training."""
    return f"vertical {tenant.name}/{model.name} seed {seed}"


def _period(end: datetime, seconds: int) -> datetime:
    if not seconds:
        return end
    stamp = end.timestamp()
    return datetime.fromtimestamp(-(-stamp // seconds) * seconds, UTC)
