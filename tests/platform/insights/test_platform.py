"""All tenants at once: pooled lift is never a mean of lifts, and shares sum to the foundation model's cost."""

from decimal import Decimal

import pytest

from exfm_core.metrics.sums import pooled_lift
from insights.selectors.foundation import foundation
from insights.selectors.platform import foundation_detail, platform_insights
from registry.services import bind_tenant
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.platform.insights import scene as scenes
from tests.platform.insights.test_cards import brute

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def test_pooled_lift_and_balance() -> None:
    teacher = domain.make_foundation_model()
    sizes = ((2, 0.30), (5, 0.35))
    made = [scenes.make_scene(None, teacher, partitions=count, treatment=loss) for count, loss in sizes]
    scenes.make_scene()
    scenes.teach(teacher, 77.777)
    shown = platform_insights(foundation_model=teacher)
    pairs = [
        (brute(domain.lineage(scene.model, "control"), "all"), brute(domain.lineage(scene.model, "treatment"), "all"))
        for scene in made
    ]
    assert shown.pooled.value == pytest.approx(pooled_lift(pairs).value)
    assert shown.pooled.rows == 7000
    assert {(tenant, card.id) for tenant, card in shown.cards} == {
        (scene.tenant.slug, str(scene.model.id)) for scene in made
    }
    assert shown.fm.training + shown.fm.scoring == shown.fm.allocated == sum(card.fm_share for _, card in shown.cards)
    assert shown.fm.allocated > 0
    assert shown.fm.unallocated == 0
    assert len(platform_insights().cards) == 3


def test_an_empty_platform_says_so() -> None:
    shown = platform_insights()
    assert shown.pooled.value is None
    assert shown.pooled.reason == "no rows"
    assert shown.fm.unallocated == Decimal(0)


def test_a_foundation_model_in_detail_and_as_a_tenant_sees_it(as_role) -> None:
    teacher = domain.make_foundation_model()
    first, second = domain.make_tenant(), domain.make_tenant()
    for tenant in (first, second):
        bind_tenant(foundation_model=teacher, tenant=tenant)
    figures = {"task": "click", "n": 50, "ne_candidate": 0.9, "ne_current": None, "calibration": 1.0}
    snapshot = domain.publish(teacher, domain.hour(0), heads=[{"tenant_slot": slot, **figures} for slot in (0, 1, 2)])
    detail = foundation_detail(foundation_model_id=teacher.id)
    assert detail["slots"] == {first.slug: 1, second.slug: 2}
    assert [head.tenant for head in detail["snapshots"][0].gate.heads] == [first.slug, second.slug]
    with as_role("exfm_app"), tenant_scope(first.id):
        shown = foundation(tenant_id=first.id)
    assert (shown.name, shown.bound) == (teacher.name, False)
    assert shown.snapshot is not None
    assert shown.snapshot.id == snapshot.id
    assert [head.tenant for head in shown.snapshots[0].gate.heads] == [first.slug]
