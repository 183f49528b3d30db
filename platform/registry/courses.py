"""What a team does with a vertical model after its registration: versions, restarts, aliases, the end of a binding.

A course of training changes only while nothing trains the model; `open_run` says so, since runs live above this app.
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog import selectors as catalog
from registry import errors, selectors
from registry.digest import digest
from registry.models import AliasMove, Arm, Binding, Checkpoint, Lineage, ModelVersion, VerticalModel
from registry.services import ServingCost, parse_spec, serving_cost
from tenancy import audit
from tenancy.context import current_actor

OpenRun = Callable[[uuid.UUID], bool]
"""Whether a run of the model is open."""


@transaction.atomic
def add_version(
    *, model_id: uuid.UUID, spec: Mapping[str, Any], train_from: datetime | None, open_run: OpenRun
) -> ModelVersion:
    """Register the model's next version with lineages of its own; those before end, their checkpoints stay.

    The new lineages start untrained, at `train_from` or at the stream's beginning. DomainError: as at registration; the
    model is in training; the newest version has this spec.
    """
    model = _resting(model_id, open_run)
    schema = catalog.schema_of(model.stream)
    parsed = parse_spec(spec, schema)
    cost = serving_cost(tenant_id=model.tenant_id, spec=parsed, schema=schema)
    newest = selectors.current_versions(model_ids=[model.id])[model.id]
    sha256 = digest(parsed.to_json())
    if sha256 == newest.sha256:
        raise errors.same_spec(newest.number)
    version = ModelVersion.objects.create(
        tenant_id=model.tenant_id,
        model=model,
        number=newest.number + 1,
        spec=parsed.to_json(),
        sha256=sha256,
        serving_parameters=cost.parameters,
        serving_flops=cost.flops,
    )
    _end_lineages(model)
    arms = [Arm.CONTROL, Arm.TREATMENT] if parsed.supervision.uses_teacher else [Arm.CONTROL]
    Lineage.objects.bulk_create(
        [Lineage(tenant_id=model.tenant_id, model_version=version, arm=arm, seed=parsed.seed) for arm in arms]
    )
    before = model.train_from
    model.train_from = train_from
    model.save(update_fields=["train_from"])
    audit.record(
        "model.add_version",
        model,
        before={"version": newest.number, "train_from": before},
        after={"version": version.number, "spec": version.spec, "train_from": train_from},
    )
    return version


@transaction.atomic
def restart(*, model_id: uuid.UUID, checkpoint_id: uuid.UUID, open_run: OpenRun) -> list[Lineage]:
    """Go back to a checkpoint: new lineages of its version start where it stands, for every arm that stood there.

    What the lineages before consumed after that moment is consumed again by the new ones. DomainError: not a checkpoint
    of the model's newest version; the model is in training.
    """
    model = _resting(model_id, open_run)
    named = selectors.checkpoint_of(model_id=model.id, checkpoint_id=checkpoint_id)
    version = named.lineage.model_version
    newest = selectors.current_versions(model_ids=[model.id])[model.id]
    if version is None or version.id != newest.id:
        raise errors.other_version(newest.number)
    beside = Checkpoint.objects.filter(lineage__model_version=version, position=named.position).select_related(
        "lineage"
    )
    start: dict[str, Checkpoint] = {row.lineage.arm: row for row in beside.order_by("created_at")}
    start[named.lineage.arm] = named
    _end_lineages(model)
    fresh = [
        Lineage.objects.create(
            tenant_id=model.tenant_id,
            model_version=version,
            arm=arm,
            seed=checkpoint.lineage.seed,
            parent_checkpoint=checkpoint,
        )
        for arm, checkpoint in sorted(start.items())
    ]
    audit.record(
        "model.restart",
        model,
        after={"checkpoint": named.id, "position": named.position, "arms": sorted(start)},
    )
    return fresh


@transaction.atomic
def move_alias(*, model_id: uuid.UUID, alias: str, checkpoint_id: uuid.UUID | None, note: str = "") -> AliasMove | None:
    """Point the alias at a checkpoint of the model, or nowhere (None). Idempotent; the moves before stay readable."""
    model = _locked(model_id)
    target = None if checkpoint_id is None else selectors.checkpoint_of(model_id=model.id, checkpoint_id=checkpoint_id)
    current = _newest_move(model, alias)
    if (current.checkpoint_id if current else None) == (target.id if target else None):
        return current
    return _append(model, alias, current, target, note=note)


@transaction.atomic
def roll_back_alias(*, model_id: uuid.UUID, alias: str, note: str = "") -> AliasMove:
    """Point the alias at what it pointed at before; again and again goes further back. DomainError: nothing before."""
    model = _locked(model_id)
    current = _newest_move(model, alias)
    if current is None:
        raise errors.alias_unset(alias)
    # A move that went back stands for the move it repeats, so that going back twice does not come forward again.
    standing = current.back_to or current.number
    moves = AliasMove.objects.select_related("checkpoint").filter(model=model, alias=alias)
    before = moves.filter(number=standing - 1).first()
    if before is None or before.checkpoint is None:
        raise errors.alias_unset(alias)
    return _append(model, alias, current, before.checkpoint, note=note, back_to=before.back_to or before.number)


@transaction.atomic
def end_binding(*, model_id: uuid.UUID) -> Binding:
    """Let no foundation model teach the model from the next partition on. DomainError: none does."""
    model = _locked(model_id)
    binding = selectors.open_binding(model_id=model.id)
    if binding is None:
        raise errors.not_bound()
    binding.ended_at = timezone.now()
    binding.save(update_fields=["ended_at"])
    audit.record("model.unbind", model, before={"foundation_model": binding.foundation_model.name})
    return binding


def check(*, tenant_id: uuid.UUID, stream_id: uuid.UUID, spec: Mapping[str, Any]) -> ServingCost:
    """Return what a spec would cost to serve, with the budget; DomainError as at registration. Changes nothing."""
    schema = catalog.schema_of(catalog.stream(stream_id=stream_id))
    return serving_cost(tenant_id=tenant_id, spec=parse_spec(spec, schema), schema=schema)


def _locked(model_id: uuid.UUID) -> VerticalModel:
    model = VerticalModel.objects.select_for_update(of=("self",)).select_related("stream").filter(id=model_id).first()
    if model is None:
        raise errors.model_not_found()
    return model


def _resting(model_id: uuid.UUID, open_run: OpenRun) -> VerticalModel:
    model = _locked(model_id)
    if model.status != VerticalModel.Status.PAUSED or open_run(model.id):
        raise errors.still_training()
    return model


def _end_lineages(model: VerticalModel) -> None:
    active = Lineage.objects.filter(model_version__model=model, state=Lineage.State.ACTIVE)
    active.update(state=Lineage.State.ENDED)


def _newest_move(model: VerticalModel, alias: str) -> AliasMove | None:
    return AliasMove.objects.filter(model=model, alias=alias).order_by("-number").first()


def _append(
    model: VerticalModel,
    alias: str,
    current: AliasMove | None,
    target: Checkpoint | None,
    note: str = "",
    back_to: int | None = None,
) -> AliasMove:
    move = AliasMove.objects.create(
        tenant_id=model.tenant_id,
        model=model,
        alias=alias,
        number=(current.number if current else 0) + 1,
        checkpoint=target,
        back_to=back_to,
        moved_by=current_actor().label,
        note=note,
    )
    audit.record(
        "alias.roll_back" if back_to else "alias.move",
        model,
        before={"alias": alias, "checkpoint": current.checkpoint_id if current else None},
        after={"alias": alias, "checkpoint": target.id if target else None, "note": note},
    )
    return move
