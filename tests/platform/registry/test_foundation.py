"""Foundation models and their snapshots: publication, rejection, the no-leak choice."""

import pytest
from django.db import IntegrityError, transaction

from registry import selectors, services
from registry.models import GateResult, LabelSet, Lineage, Snapshot
from tenancy.errors import DomainError
from tenancy.models import AuditEntry
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.domain import hour

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def test_registration_makes_a_version_and_a_lineage() -> None:
    model = domain.make_foundation_model("shared")
    lineage = selectors.active_foundation_lineage(foundation_model_id=model.id)
    assert (lineage.arm, lineage.tenant_id) == ("fm", None)
    version = selectors.foundation_version(foundation_model_id=model.id)
    assert selectors.foundation_spec_of(version) == domain.foundation_spec()
    assert model.gate == {"tolerance": 0.02, "calibration": [0.8, 1.25]}
    with pytest.raises(DomainError, match="exists already"):
        domain.make_foundation_model("shared")


@pytest.mark.parametrize(
    "gate", [{"tolerance": -1}, {"calibration": [1.1, 1.2]}, {"calibration": 3}, {"tolerance": "x"}, {"speed": 1}]
)
def test_impossible_gates_are_refused(gate: dict) -> None:
    with pytest.raises(DomainError) as caught:
        services.register_foundation_model(
            name="fm", spec=domain.foundation_spec().to_json(), period_seconds=60, gate=gate
        )
    assert caught.value.code == "bad_gate"


def test_publication_moves_the_pointer_and_retires_the_one_before() -> None:
    model = domain.make_foundation_model()
    first = domain.publish(model, hour(1))
    second = domain.publish(model, hour(2))
    model.refresh_from_db()
    first.refresh_from_db()
    assert model.published_id == second.id
    assert (first.state, second.state) == ("retired", "published")
    assert first.published_at is not None


def test_an_older_watermark_is_not_published() -> None:
    model = domain.make_foundation_model()
    late = domain.make_candidate(model, hour(1))
    domain.publish(model, hour(2))
    with pytest.raises(DomainError, match="newer watermark"):
        services.publish_snapshot(snapshot=late, gate={})


def test_a_rejected_candidate_never_labels_and_its_lineage_goes_on() -> None:
    model = domain.make_foundation_model()
    candidate = services.reject_snapshot(snapshot=domain.make_candidate(model, hour(1)), gate={"reason": "worse"})
    assert (candidate.state, candidate.gate["reason"]) == ("rejected", "worse")
    assert selectors.newest_published(foundation_model_id=model.id, at_or_before=hour(9)) is None
    assert selectors.active_foundation_lineage(foundation_model_id=model.id).id == candidate.lineage_id
    with pytest.raises(DomainError, match="not a candidate"):
        services.publish_snapshot(snapshot=candidate, gate={})
    partition = domain.make_partition(domain.make_stream(domain.make_tenant()), 5)
    with pytest.raises(IntegrityError, match="never published"), transaction.atomic():
        domain.make_label_set(partition, candidate)


def test_a_rejection_tells_tenants_nothing_of_the_tenant_behind_it() -> None:
    model = domain.make_foundation_model()
    said = "Head 'click' on tenant slot 2: NE 0.9411 is worse than the published 0.8532."
    candidate = services.reject_snapshot(
        snapshot=domain.make_candidate(model, hour(1)), gate={"decision": "reject", "reason": said}
    )
    assert "slot" not in candidate.gate["reason"]
    assert not any(letter.isdigit() for letter in candidate.gate["reason"])
    entry = AuditEntry.objects.get(action="snapshot.reject")
    assert (entry.tenant_id, entry.after) == (None, {"reason": said})


def test_the_newest_snapshot_that_knows_nothing_of_the_partition() -> None:
    model = domain.make_foundation_model()
    snapshots = [domain.publish(model, hour(index)) for index in (1, 3, 5)]

    def choice(index: int) -> Snapshot | None:
        return selectors.newest_published(foundation_model_id=model.id, at_or_before=hour(index))

    assert [choice(index) for index in (0, 1, 2, 3, 4, 9)] == [None, *[snapshots[i] for i in (0, 0, 1, 1, 2)]]


def test_the_database_refuses_a_leak_and_a_false_watermark() -> None:
    model = domain.make_foundation_model()
    snapshot = domain.publish(model, hour(3))
    stream = domain.make_stream(domain.make_tenant())
    early, late = domain.make_partition(stream, 1), domain.make_partition(stream, 3)
    with pytest.raises(IntegrityError, match="label_set_no_leak"), transaction.atomic():
        domain.make_label_set(early, snapshot)
    with pytest.raises(IntegrityError, match="is not that of snapshot"), transaction.atomic():
        domain.make_label_set(early, snapshot, watermark=hour(1))
    with pytest.raises(IntegrityError, match="is not that of partition"), transaction.atomic():
        domain.make_label_set(early, snapshot, partition_start=hour(3))
    with pytest.raises(IntegrityError, match="not sealed with 7 rows"), transaction.atomic():
        domain.make_label_set(late, snapshot, rows=7)
    held = domain.make_label_set(late, snapshot)
    with pytest.raises(IntegrityError, match="label_set_partition_snapshot"), transaction.atomic():
        domain.make_label_set(late, snapshot)
    assert LabelSet.objects.get() == held


@pytest.mark.parametrize(
    ("change", "says"),
    [({"watermark": hour(9)}, "immutable"), ({"state": "candidate"}, "cannot go"), ({"published_at": None}, "fixed")],
)
def test_a_snapshot_keeps_weights_watermark_and_history(change: dict, says: str) -> None:
    snapshot = domain.publish(domain.make_foundation_model(), hour(1))
    with pytest.raises(IntegrityError, match=says), transaction.atomic():
        Snapshot.objects.filter(id=snapshot.id).update(**change)


def test_the_gate_s_figures_belong_to_the_tenant_they_describe(as_role) -> None:
    model = domain.make_foundation_model()
    first, *others = (domain.make_tenant() for _ in range(3))
    for tenant in (first, *others):
        services.bind_tenant(foundation_model=model, tenant=tenant)
    figures = {"task": "click", "n": 50, "ne_candidate": 0.9, "ne_current": None, "calibration": 1.0}
    rare = {**figures, "task": "conversion"}
    heads = [{"tenant_slot": slot, **figures} for slot in (0, 1, 2, 3)] + [{"tenant_slot": s, **rare} for s in (0, 2)]
    snapshot = domain.publish(model, hour(1), heads=heads)
    assert GateResult.objects.count() == 4
    assert [(head["tenant_slot"], head["task"]) for head in snapshot.gate["pooled"]] == [(0, "click")]
    with as_role("exfm_app"), tenant_scope(first.id):
        row = GateResult.objects.get(snapshot=snapshot)
        assert (row.tenant_id, row.rows, row.ne_candidate) == (first.id, 50, 0.9)


def test_a_corrupt_lineage_is_abandoned_for_a_new_one() -> None:
    model = domain.make_foundation_model()
    old = domain.foundation_lineage(model)
    fresh = services.abandon_lineage(lineage=old)
    old.refresh_from_db()
    assert (old.state, fresh.state) == ("abandoned", "active")
    assert fresh.foundation_version_id == old.foundation_version_id
    assert selectors.active_foundation_lineage(foundation_model_id=model.id) == fresh
    with pytest.raises(DomainError, match="abandoned"):
        services.abandon_lineage(lineage=old)
    assert Lineage.objects.count() == 2
