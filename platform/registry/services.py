"""Writes of vertical models: registration against the serving budget, bindings, pause and resume."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog import limits, tasks_out
from catalog import selectors as catalog
from exfm_core import cost
from exfm_core.errors import ExfmError
from exfm_core.spec import StreamSchema, VerticalSpec
from registry import errors, selectors
from registry.digest import digest
from registry.foundation import (
    abandon_lineage,
    bind_tenant,
    publish_snapshot,
    register_foundation_model,
    reject_snapshot,
    roll_back,
)
from registry.latency import LatencyBudget, latency_budget, refuse_slow
from registry.models import Arm, Binding, FoundationModel, Lineage, ModelVersion, VerticalModel
from tenancy import audit
from tenancy.models import Tenant

__all__ = [
    "Teaching",
    "abandon_lineage",
    "bind_model",
    "bind_tenant",
    "pause",
    "publish_snapshot",
    "register_foundation_model",
    "register_vertical_model",
    "reject_snapshot",
    "resume",
    "roll_back",
]


MAX_BATCH_BYTES = 4 << 30
"""Memory of one training step: workers train models of many tenants side by side."""


@dataclass(frozen=True)
class Teaching:
    """Which foundation model teaches a new vertical model (None: none), and from which event time it trains."""

    foundation_model_id: uuid.UUID | None = None
    train_from: datetime | None = None


@transaction.atomic
def register_vertical_model(
    *, tenant: Tenant, name: str, stream_id: uuid.UUID, spec: Mapping[str, Any], teaching: Teaching
) -> VerticalModel:
    """Register a vertical model with version 1, its lineages and, if asked, its teacher.

    DomainError: a spec that the stream's schema does not allow (unknown or privileged feature, unknown task), more
    models, parameters or FLOPs than the tenant may have (with the numbers), a taken name.
    """
    stream = catalog.kept_stream(stream_id=stream_id)
    schema = catalog.schema_of(stream)
    parsed = parse_spec(spec, schema)
    limits.hold(tenant.id)
    allowed = limits.limits_of(tenant.id)
    used = VerticalModel.objects.filter(tenant=tenant).count()
    if used >= allowed.models:
        raise errors.model_quota(used, allowed.models)
    serving = serving_cost(tenant_id=tenant.id, spec=parsed, schema=schema)
    model = VerticalModel(tenant=tenant, name=name, stream=stream, train_from=teaching.train_from)
    try:
        with transaction.atomic():
            model.save(force_insert=True)
    except IntegrityError as error:
        raise errors.name_taken("model", name) from error
    version = ModelVersion.objects.create(
        tenant=tenant,
        model=model,
        number=1,
        spec=parsed.to_json(),
        sha256=digest(parsed.to_json()),
        serving_parameters=serving.parameters,
        serving_flops=serving.flops,
    )
    arms = [Arm.CONTROL, Arm.TREATMENT] if parsed.supervision.uses_teacher else [Arm.CONTROL]
    Lineage.objects.bulk_create(
        [Lineage(tenant=tenant, model_version=version, arm=arm, seed=parsed.seed) for arm in arms]
    )
    audit.record(
        "model.register",
        model,
        after={"name": name, "stream": stream.name, "spec": parsed.to_json(), "serving_parameters": serving.parameters},
    )
    if teaching.foundation_model_id is not None:
        teacher = selectors.foundation_model(foundation_model_id=teaching.foundation_model_id)
        bind_model(model=model, foundation_model=teacher)
    tasks_out.plan_on_commit()
    return model


@dataclass(frozen=True)
class ServingCost:
    """What one row costs to serve, beside what the tenant may spend on it: exact but for the latency, an estimate."""

    parameters: int
    flops: int
    limit_parameters: int
    limit_flops: int
    batch_bytes: int
    latency_budget: LatencyBudget


def serving_cost(*, tenant_id: uuid.UUID, spec: VerticalSpec, schema: StreamSchema) -> ServingCost:
    """Return the spec's serving cost. DomainError with the numbers where it is over the budget, or where one training
    step would not fit beside those of others.

    A limit of latency on a flavor that nobody has measured refuses nothing; the answer says that it was not checked.
    """
    allowed = limits.limits_of(tenant_id)
    parameters, flops = cost.serving_parameters(spec, schema), cost.serving_flops(spec, schema)
    if parameters > allowed.serving_parameters:
        raise errors.serving_budget("parameters", parameters, allowed.serving_parameters)
    if flops > allowed.serving_flops:
        raise errors.serving_budget("FLOPs per row", flops, allowed.serving_flops)
    if (batch := cost.batch_bytes(spec, schema)) > MAX_BATCH_BYTES:
        raise errors.batch_too_large(batch, MAX_BATCH_BYTES)
    fast = latency_budget(spec=spec, schema=schema, limit_us=allowed.serving_latency_us)
    refuse_slow(fast)
    return ServingCost(parameters, flops, allowed.serving_parameters, allowed.serving_flops, batch, fast)


def parse_spec(spec: Mapping[str, Any], schema: StreamSchema) -> VerticalSpec:
    """Return the spec if the stream's schema allows it; DomainError with the core's own sentence if not."""
    try:
        parsed = VerticalSpec.from_json(spec, path="spec")
        parsed.model.resolve(schema)
    except ExfmError as error:
        raise errors.impossible_spec(error) from error
    return parsed


@transaction.atomic
def bind_model(*, model: VerticalModel, foundation_model: FoundationModel) -> Binding:
    """Let a foundation model teach a vertical model from now on; the binding before ends. Idempotent.

    DomainError where the stream maps nothing onto the catalogue, or the FM has no head for the model's task.
    """
    VerticalModel.objects.select_for_update().get(id=model.id)
    current = selectors.open_binding(model_id=model.id)
    if current is not None and current.foundation_model_id == foundation_model.id:
        return current
    version = selectors.current_versions(model_ids=[model.id])[model.id]
    schema = catalog.schema_of(model.stream)
    teacher = selectors.foundation_spec_of(selectors.foundation_version(foundation_model_id=foundation_model.id))
    try:
        teacher.model.bind(schema)
        kind = schema.task(selectors.spec_of(version).model.task).kind
    except ExfmError as error:
        raise errors.impossible_spec(error, "foundation_model") from error
    if kind not in teacher.model.task_kinds:
        raise errors.no_head(kind, list(teacher.model.task_kinds))
    bind_tenant(foundation_model=foundation_model, tenant=model.tenant)
    if current is not None:
        current.ended_at = timezone.now()
        current.save(update_fields=["ended_at"])
    binding = Binding.objects.create(
        tenant_id=model.tenant_id,
        model=model,
        foundation_model=foundation_model,
        number=Binding.objects.filter(model=model).count() + 1,
    )
    audit.record("model.bind", model, after={"foundation_model": foundation_model.name, "number": binding.number})
    return binding


def pause(*, model_id: uuid.UUID) -> VerticalModel:
    """Stop training the model: its open run ends at the next checkpoint. Idempotent."""
    return _set_status(model_id, VerticalModel.Status.PAUSED, "model.pause")


def resume(*, model_id: uuid.UUID) -> VerticalModel:
    """Train the model again, from the partition after the last one it consumed. Idempotent."""
    model = _set_status(model_id, VerticalModel.Status.ACTIVE, "model.resume")
    tasks_out.plan_on_commit()
    return model


@transaction.atomic
def _set_status(model_id: uuid.UUID, status: VerticalModel.Status, action: str) -> VerticalModel:
    model = VerticalModel.objects.select_for_update(of=("self",)).select_related("stream").filter(id=model_id).first()
    if model is None:
        raise errors.model_not_found()
    if model.status != status:
        before, model.status = model.status, status
        model.save(update_fields=["status"])
        audit.record(action, model, before={"status": before}, after={"status": model.status})
    return model
