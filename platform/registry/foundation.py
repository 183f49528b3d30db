"""Writes of foundation models: registration, tenant slots, and the snapshots that the gate publishes or rejects."""

import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from exfm_core.errors import ExfmError
from exfm_core.spec import FoundationSpec
from registry import errors, selectors
from registry.digest import digest
from registry.models import Arm, FoundationModel, FoundationVersion, GateResult, Lineage, Snapshot, TenantSlot
from tenancy import audit, outbox
from tenancy.errors import DomainError
from tenancy.models import Tenant

DEFAULT_GATE: dict[str, Any] = {"tolerance": 0.02, "calibration": [0.8, 1.25]}
"""NE of a candidate may be 2 % worse than the current snapshot's; Σp ÷ Σy must stay inside the limits."""

REJECTED = "On users that it was not trained on, the candidate is worse than the gate allows."
"""What tenants read of a rejection."""

POOL_OF = 3
"""Fewest tenants behind a figure that all tenants may read."""


@transaction.atomic
def register_foundation_model(
    *, name: str, spec: Mapping[str, Any], period_seconds: int, gate: Mapping[str, Any] | None = None
) -> FoundationModel:
    """Register a foundation model with version 1 and its lineage. DomainError: impossible spec or gate, taken name."""
    try:
        parsed = FoundationSpec.from_json(spec, path="spec")
    except ExfmError as error:
        raise errors.impossible_spec(error) from error
    model = FoundationModel(name=name, period_seconds=period_seconds, gate=_checked_gate(gate))
    try:
        with transaction.atomic():
            model.save(force_insert=True)
    except IntegrityError as error:
        raise errors.name_taken("foundation model", name) from error
    version = FoundationVersion.objects.create(
        model=model, number=1, spec=parsed.to_json(), sha256=digest(parsed.to_json())
    )
    Lineage.objects.create(foundation_version=version, arm=Arm.FOUNDATION, seed=parsed.seed)
    audit.record("foundation_model.register", model, after={"name": name, "spec": parsed.to_json(), "gate": model.gate})
    return model


def _checked_gate(gate: Mapping[str, Any] | None) -> dict[str, Any]:
    known = {**DEFAULT_GATE, **(gate or {})}
    if unknown := sorted(set(known) - set(DEFAULT_GATE)):
        raise errors.bad_gate(f"The gate has no limit {', '.join(map(repr, unknown))}.")
    try:
        tolerance = float(known["tolerance"])
        low, high = (float(limit) for limit in known["calibration"])
    except (TypeError, ValueError) as error:
        raise errors.bad_gate("The gate's tolerance must be a number and its calibration two numbers.") from error
    if not (0 <= tolerance < float("inf") and 0 < low < 1 < high < float("inf")):
        raise errors.bad_gate(f"The gate's limits {tolerance:g} and [{low:g}, {high:g}] make no sense.")
    return {"tolerance": tolerance, "calibration": [low, high]}


@transaction.atomic
def bind_tenant(*, foundation_model: FoundationModel, tenant: Tenant) -> TenantSlot:
    """Give the tenant the lowest free slot (≥ 1) of the foundation model; the slot it has already, if any."""
    held = TenantSlot.objects.filter(foundation_model=foundation_model, tenant=tenant).first()
    if held is not None:
        return held
    version = selectors.foundation_version(foundation_model_id=foundation_model.id)
    slots = selectors.foundation_spec_of(version).model.tenant_slots
    with connection.cursor() as cursor:
        cursor.execute("SELECT registry_next_slot(%s)", [foundation_model.id])
        (free,) = cursor.fetchone()
    held = TenantSlot.objects.filter(foundation_model=foundation_model, tenant=tenant).first()
    if held is not None:
        return held
    if free >= slots:
        raise errors.foundation_model_full(slots)
    slot = TenantSlot.objects.create(foundation_model=foundation_model, tenant=tenant, slot=free)
    audit.record("foundation_model.bind_tenant", slot, after={"foundation_model": foundation_model.name, "slot": free})
    return slot


@transaction.atomic
def publish_snapshot(*, snapshot: Snapshot, gate: Mapping[str, Any]) -> Snapshot:
    """Publish a candidate: the one before retires and the pointer moves, in one step under the FM's lock."""
    model, candidate = _locked(snapshot)
    before = model.published
    if before is not None:
        if before.watermark > candidate.watermark:
            raise errors.older_than_published()
        before.state = Snapshot.State.RETIRED
        before.save(update_fields=["state"])
    candidate.state = Snapshot.State.PUBLISHED
    candidate.published_at = timezone.now()
    candidate.gate = _kept_gate(gate)
    candidate.save(update_fields=["state", "published_at", "gate"])
    model.published = candidate
    model.save(update_fields=["published"])
    _keep_results(model, candidate, gate)
    audit.record(
        "snapshot.publish",
        candidate,
        before={"published": before.id if before else None},
        after={"published": candidate.id, "watermark": candidate.watermark},
    )
    _tell_published(model, candidate)
    return candidate


def _tell_published(model: FoundationModel, snapshot: Snapshot) -> None:
    """Tell every tenant that has a slot of the foundation model."""
    data = {
        "foundation_model": {"id": model.id, "name": model.name},
        "snapshot": {"id": snapshot.id, "watermark": snapshot.watermark, "published_at": snapshot.published_at},
    }
    for tenant_id in TenantSlot.objects.filter(foundation_model=model).values_list("tenant_id", flat=True):
        outbox.tell("snapshot.published", tenant_id=tenant_id, data=data)


@transaction.atomic
def reject_snapshot(*, snapshot: Snapshot, gate: Mapping[str, Any]) -> Snapshot:
    """Keep a candidate from ever labelling; its lineage goes on."""
    model, candidate = _locked(snapshot)
    candidate.state = Snapshot.State.REJECTED
    candidate.gate = _kept_gate(gate)
    candidate.save(update_fields=["state", "gate"])
    _keep_results(model, candidate, gate)
    audit.record("snapshot.reject", candidate, after={"reason": str(gate.get("reason", ""))})
    return candidate


@transaction.atomic
def roll_back(*, foundation_model: FoundationModel, reason: str, expected: uuid.UUID | None = None) -> Snapshot:
    """Withdraw the published snapshot; the newest one published before it labels again. Its lineage goes on training.

    Label sets it has made stay: they are read by lineages that once chose them. DomainError where there is no snapshot
    to go back to, or where another than the `expected` one is published by now.
    """
    model = (
        FoundationModel.objects.select_for_update(of=("self",)).select_related("published").get(id=foundation_model.id)
    )
    current = model.published
    if current is None:
        raise errors.nothing_to_roll_back()
    if expected is not None and current.id != expected:
        raise errors.published_meanwhile(current.id)
    before = selectors.snapshot_before(current=current)
    if before is None:
        raise errors.nothing_to_roll_back()
    current.state, current.withdrawn_at = Snapshot.State.RETIRED, timezone.now()
    current.save(update_fields=["state", "withdrawn_at"])
    before.state = Snapshot.State.PUBLISHED
    before.save(update_fields=["state"])
    model.published = before
    model.save(update_fields=["published"])
    audit.record(
        "foundation_model.roll_back",
        model,
        before={"published": current.id, "watermark": current.watermark},
        after={"published": before.id, "watermark": before.watermark},
        reason=reason,
    )
    return before


@transaction.atomic
def abandon_lineage(*, lineage: Lineage) -> Lineage:
    """Give up a corrupt lineage; return the new one, which goes on from its last committed checkpoint."""
    held = Lineage.objects.select_for_update().get(id=lineage.id)
    if held.state != Lineage.State.ACTIVE:
        raise DomainError("lineage_not_active", f"The lineage is {held.state}.", "Use the lineage that is active.")
    held.state = Lineage.State.ABANDONED
    held.save(update_fields=["state"])
    fresh = Lineage.objects.create(
        tenant_id=held.tenant_id,
        model_version_id=held.model_version_id,
        foundation_version_id=held.foundation_version_id,
        arm=held.arm,
        seed=held.seed,
        parent_checkpoint_id=held.head_id,
        head_id=None,
    )
    audit.record("lineage.abandon", held, after={"state": held.state, "continued_by": fresh.id})
    return fresh


def _locked(snapshot: Snapshot) -> tuple[FoundationModel, Snapshot]:
    model = (
        FoundationModel.objects.select_for_update(of=("self",))
        .select_related("published")
        .get(versions=snapshot.foundation_version_id)
    )
    candidate = Snapshot.objects.select_for_update().get(id=snapshot.id)
    if candidate.state != Snapshot.State.CANDIDATE:
        raise errors.stale_snapshot(candidate.state)
    return model, candidate


def _kept_gate(gate: Mapping[str, Any]) -> dict[str, Any]:
    """What every tenant may read of the gate: decision, reason, and figures of all tenants together (slot 0).

    A pooled figure of fewer than three tenants is left out: with its own, a tenant could work out another's. So is the
    reason of a rejection, which names one head with its figures; the audit log keeps it for operators.
    """
    heads = gate.get("heads", [])
    crowd = Counter(head["task"] for head in heads if head["tenant_slot"] > 0)
    return {
        "decision": str(gate.get("decision", "")),
        "reason": REJECTED if gate.get("decision") == "reject" else str(gate.get("reason", "")),
        "heads": len(heads),
        "pooled": [dict(head) for head in heads if head["tenant_slot"] == 0 and crowd[head["task"]] >= POOL_OF],
    }


def _keep_results(model: FoundationModel, snapshot: Snapshot, gate: Mapping[str, Any]) -> None:
    """Store each head's figures with the tenant whose held-back users they describe; slot 0 is nobody's."""
    tenants = dict(TenantSlot.objects.filter(foundation_model=model).values_list("slot", "tenant_id"))
    GateResult.objects.bulk_create(
        [
            GateResult(
                tenant_id=tenants[head["tenant_slot"]],
                snapshot=snapshot,
                task=head["task"],
                rows=int(head["n"]),
                ne_candidate=head.get("ne_candidate"),
                ne_current=head.get("ne_current"),
                calibration=head.get("calibration"),
                regressed=bool(head.get("regressed", False)),
            )
            for head in gate.get("heads", [])
            if head["tenant_slot"] in tenants
        ]
    )
