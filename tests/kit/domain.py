"""Rows of catalog, registry and runs for tests: plain functions with sensible defaults, under the platform's role."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from catalog.models import Partition, Stream
from exfm_core import spec
from exfm_core.spec import Feature, FoundationSpec, StreamSchema, Supervision, Task, VerticalSpec
from registry import courses
from registry import services as registry
from registry.models import Checkpoint, FoundationModel, LabelSet, Lineage, Snapshot, VerticalModel
from runs.models import Attempt, Consumption, Kind, MetricSums, Run, State, WorkClaim
from tenancy.ids import new_id
from tenancy.models import Tenant

_count = itertools.count(1_000_001)
"""All of one length, so that names stand in the order they were made, whatever tests ran before."""

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hour(index: int) -> datetime:
    """Return the start of the test streams' partition number `index`."""
    return EPOCH + index * HOUR


def schema(**changes: Any) -> StreamSchema:
    """Return a small schema: two ids and a click; `item_id` and `user_id` feed the catalogue."""
    values: dict[str, Any] = {
        "features": (
            Feature("user_id", buckets=1000, catalogue="user_id"),
            Feature("item_id", buckets=500, catalogue="item_id"),
            Feature("score", kind="dense"),
            Feature("secret_id", buckets=100, catalogue="secret_id", privileged=True),
        ),
        "tasks": (Task("click", "click", "clicked"),),
    }
    return StreamSchema(**{**values, **changes})


def vertical_spec(preset: str = "safe", **shape: Any) -> VerticalSpec:
    """Return a small vertical model's spec on `schema()`."""
    values: dict[str, Any] = {"features": ("user_id", "item_id", "score"), "tasks": ("click",)}
    return VerticalSpec(
        model=spec.VerticalModel(**{**values, **shape}),
        supervision=Supervision(preset=preset),  # type: ignore[arg-type]
    )


def foundation_spec(**shape: Any) -> FoundationSpec:
    """Return a small foundation model's spec with the catalogue of `schema()`."""
    values: dict[str, Any] = {
        "features": tuple(Feature(name, buckets=1000) for name in ("user_id", "item_id", "secret_id")),
        "tenant_slots": 8,
    }
    return FoundationSpec(model=spec.FoundationModel(**{**values, **shape}))


def device_profile() -> dict[str, Any]:
    """Return a profile as `python -m exfm_core calibrate` writes it."""
    matrix = [{"rows": rows, "flops": 1e6, "gflops": 20.0} for rows in (1, 64)]
    training = {"weights": [1.0] * 5, "error": 1.5, "held_out": 3}
    serving = {"weights": [50.0, 1.0, 1.0, 1.0, 1.0, 1.0], "error": 1.25, "held_out": 3, "tail": 2.0, "tail_error": 1.6}
    measured = {"device": "a test's CPU", "threads": 1, "measured_at": "2026-11-21T00:00:00Z", "load": 0.1}
    rates = {"matrix": matrix, "gather_gbs": 2.0, "update_gbs": 1.0}
    return {**measured, **rates, "training": training, "serving": serving, "format": 1}


def make_tenant(**fields: Any) -> Tenant:
    """Store a tenant."""
    number = next(_count)
    return Tenant.objects.create(**{"slug": f"team-{number}", "name": f"Team {number}", **fields})


def make_stream(tenant: Tenant, **fields: Any) -> Stream:
    """Store a stream."""
    values = {"name": f"stream-{next(_count)}", "schema": schema().to_json(), "feed_fm": True}
    return Stream.objects.create(tenant=tenant, **{**values, **fields})


def make_partition(stream: Stream, index: int = 0, **fields: Any) -> Partition:
    """Store a sealed partition `[hour(index), hour(index + 1))` of 1,000 rows."""
    values: dict[str, Any] = {
        "start": hour(index),
        "end": hour(index + 1),
        "uri": f"tenants/x/{next(_count)}.parquet",
        "sha256": hashlib.sha256(str(next(_count)).encode()).hexdigest(),
        "bytes": 1000,
        "state": Partition.State.SEALED,
        "rows": 1000,
        "positives": {"click": 100},
        "sealed_at": timezone.now(),
    }
    return Partition.objects.create(tenant_id=stream.tenant_id, stream=stream, **{**values, **fields})


def make_foundation_model(name: str = "", **shape: Any) -> FoundationModel:
    """Register a foundation model."""
    return registry.register_foundation_model(
        name=name or f"fm-{next(_count)}", spec=foundation_spec(**shape).to_json(), period_seconds=3600
    )


def make_model(
    stream: Stream, foundation_model: FoundationModel | None = None, shape: VerticalSpec | None = None, name: str = ""
) -> VerticalModel:
    """Register a vertical model on the stream."""
    return registry.register_vertical_model(
        tenant=stream.tenant,
        name=name or f"model-{next(_count)}",
        stream_id=stream.id,
        spec=(shape or vertical_spec()).to_json(),
        teaching=registry.Teaching(foundation_model_id=foundation_model.id if foundation_model else None),
    )


def make_checkpoint(held: Lineage, index: int) -> Checkpoint:
    """Store a checkpoint of the lineage after partition `index`."""
    return Checkpoint.objects.create(
        tenant_id=held.tenant_id,
        lineage=held,
        position=hour(index + 1),
        uri=f"runs/{next(_count)}",
        sha256=hashlib.sha256(str(next(_count)).encode()).hexdigest(),
        bytes=10,
    )


def make_paused_model(tenant: Tenant) -> tuple[VerticalModel, list[Checkpoint]]:
    """Register a paused model with two checkpoints of its treatment arm; `serving` has pointed at both in turn."""
    model = make_model(make_stream(tenant))
    registry.pause(model_id=model.id)
    checkpoints = [make_checkpoint(lineage(model, "treatment"), index) for index in (0, 1)]
    for checkpoint in checkpoints:
        courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=checkpoint.id)
    return model, checkpoints


def lineage(model: VerticalModel, arm: str) -> Lineage:
    """Return the model's lineage of that arm."""
    return Lineage.objects.get(model_version__model=model, arm=arm)


def foundation_lineage(model: FoundationModel) -> Lineage:
    """Return the foundation model's lineage."""
    return Lineage.objects.get(foundation_version__model=model)


def make_candidate(model: FoundationModel, watermark: datetime) -> Snapshot:
    """Store a candidate snapshot."""
    held = foundation_lineage(model)
    return Snapshot.objects.create(
        foundation_version_id=held.foundation_version_id,
        lineage=held,
        watermark=watermark,
        uri=f"runs/{next(_count)}",
        sha256="0" * 64,
        bytes=10,
    )


def publish(model: FoundationModel, watermark: datetime, heads: list[dict[str, Any]] | None = None) -> Snapshot:
    """Store and publish a snapshot."""
    gate = {"decision": "publish", "reason": "no current snapshot", "heads": heads or []}
    return registry.publish_snapshot(snapshot=make_candidate(model, watermark), gate=gate)


def make_label_set(partition: Partition, snapshot: Snapshot, **fields: Any) -> LabelSet:
    """Store the label set of a sealed partition."""
    values: dict[str, Any] = {
        "partition_start": partition.start,
        "watermark": snapshot.watermark,
        "tasks": ["click"],
        "uri": f"runs/{next(_count)}",
        "sha256": "1" * 64,
        "bytes": 10,
        "rows": partition.rows,
    }
    return LabelSet.objects.create(
        tenant_id=partition.tenant_id, partition=partition, snapshot=snapshot, **{**values, **fields}
    )


def make_run(
    tenant: Tenant | None,
    model: VerticalModel | None = None,
    foundation_model: FoundationModel | None = None,
    kind: str = Kind.VM_TRAIN,
    **fields: Any,
) -> Run:
    """Store a run, running unless told otherwise."""
    values = {"state": State.RUNNING, "kind": kind, **fields}
    return Run.objects.create(tenant=tenant, model=model, foundation_model=foundation_model, **values)


def make_attempt(run: Run, number: int = 1) -> Attempt:
    """Store an attempt."""
    return Attempt.objects.create(tenant=run.tenant, run=run, number=number, lease_token=new_id(), worker="test")


def make_claim(run: Run, lineage: Lineage, partition: Partition, **fields: Any) -> WorkClaim:
    """Store a committed claim of vertical training."""
    values: dict[str, Any] = {"kind": Kind.VM_TRAIN, "committed_at": timezone.now(), **fields}
    return WorkClaim.objects.create(tenant=run.tenant, run=run, lineage=lineage, partition=partition, **values)


def make_consumption(lineage: Lineage, partition: Partition, claim: WorkClaim, checkpoint: Checkpoint) -> Consumption:
    """Store that the lineage consumed the partition and stands at the checkpoint."""
    Lineage.objects.filter(id=lineage.id).update(head=checkpoint)
    return Consumption.objects.create(
        tenant_id=partition.tenant_id, lineage=lineage, partition=partition, claim=claim, checkpoint=checkpoint
    )


def make_sums(
    lineage: Lineage,
    partition: Partition,
    *,
    loss: float,
    seed: int = 0,
    scope: str = "all",
    share: float = 1.0,
    **fields: Any,
) -> MetricSums:
    """Store sums over `share` of the partition's rows, spread over 256 buckets; `loss` is the mean log loss."""
    random = np.random.default_rng(seed)
    n = np.full(256, (partition.rows or 0) * share / 256)
    y = n * 0.1
    noise = random.normal(1.0, 0.05, 256)
    return MetricSums.objects.create(
        tenant_id=partition.tenant_id,
        lineage=lineage,
        partition=partition,
        scope=scope,
        n=n.tolist(),
        y=y.tolist(),
        loss=(n * loss * noise).tolist(),
        p=(y * 1.05).tolist(),
        **{"auc": 0.7, **fields},
    )
