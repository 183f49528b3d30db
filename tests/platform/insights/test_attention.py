"""Models that need a hand are found by two columns of their kept figures, and by all their sums where none are kept."""

import uuid
from typing import Any

import pytest
from django.utils import timezone

from insights.keeping import catch_up
from insights.models import ModelFigures
from insights.selectors import overview as first_page
from insights.selectors.attention import Watched
from insights.selectors.facts import facts, facts_question
from insights.selectors.figures import Figures
from insights.selectors.overview import overview
from registry.models import VerticalModel
from tenancy.models import Tenant
from tenancy.questions import ask
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.roles import APP, database_role
from tests.platform.insights import scene as scenes

pytestmark = pytest.mark.django_db

HARMED: dict[str, Any] = {"treatment": 0.36, "clipped": 30}


@pytest.fixture
def tenant() -> Tenant:
    with platform_scope("test"):
        return domain.make_tenant()


def make(tenant: Tenant, **scene: Any) -> VerticalModel:
    with platform_scope("test"):
        return scenes.make_scene(tenant, partitions=3, **scene).model


def keep() -> None:
    with platform_scope("test"):
        assert catch_up() > 0


def codes(tenant: Tenant) -> list[tuple[str, str]]:
    """What the overview says of models: code and the last part of the link."""
    with database_role(APP), tenant_scope(tenant.id):
        return [(item.code, item.link.rpartition("/")[2]) for item in overview(tenant=tenant).attention]


def watched(tenant: Tenant) -> dict[str, str]:
    now = timezone.now()
    (answer,) = ask(facts_question(tenant_id=tenant.id, now=now))
    return facts(answer, now=now).watched


def told(model: VerticalModel) -> list[tuple[str, str]]:
    return [("lift_negative", str(model.id)), ("labels_clipped", str(model.id))]


def test_with_and_without_kept_figures_the_same_models_need_a_hand(tenant: Tenant) -> None:
    fine, harmed = make(tenant), make(tenant, **HARMED)
    with platform_scope("test"):
        elsewhere = domain.make_tenant()
    make(elsewhere, **HARMED)
    assert codes(tenant) == told(harmed)
    keep()
    assert codes(tenant) == told(harmed)
    with database_role(APP), tenant_scope(tenant.id):
        assert watched(tenant) == {str(harmed.id): harmed.name}
        assert str(fine.id) not in watched(tenant)
    assert len(codes(elsewhere)) == 2


@pytest.mark.parametrize("kept", [False, True])
def test_models_without_a_card_on_the_page_are_told_of_too(
    tenant: Tenant, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmed = sorted((make(tenant, **HARMED) for _ in range(3)), key=lambda model: model.name)
    if kept:
        keep()
    monkeypatch.setattr(first_page, "MODELS_SHOWN", 1)
    with database_role(APP), tenant_scope(tenant.id):
        assert [card.id for card in overview(tenant=tenant).models] == [str(harmed[0].id)]
    assert sorted(codes(tenant)) == sorted(item for model in harmed for item in told(model))


def test_a_stale_row_is_not_believed(tenant: Tenant) -> None:
    model, harmed = make(tenant), make(tenant, **HARMED)
    keep()
    with platform_scope("test"):
        bad = ModelFigures.objects.get(model=harmed)
        ModelFigures.objects.filter(model=model).update(figures=bad.figures, source=[uuid.uuid4()] * 4)
        ModelFigures.objects.filter(model=harmed).update(source=[uuid.uuid4()] * 4)
    assert codes(tenant) == told(harmed)


def test_a_model_without_a_commit_is_not_watched(tenant: Tenant) -> None:
    with platform_scope("test"):
        domain.make_model(domain.make_stream(tenant))
    with database_role(APP), tenant_scope(tenant.id):
        assert watched(tenant) == {}
    assert codes(tenant) == []


@pytest.mark.parametrize("high", [None, -1.0, -1e-12, 0.0, 2.5])
@pytest.mark.parametrize("clipped", [None, 0.0, 0.01, 0.010001, 1.0])
def test_the_columns_ask_what_the_items_ask(tenant: Tenant, high: float | None, clipped: float | None) -> None:
    model = make(tenant)
    keep()
    with platform_scope("test"):
        row = ModelFigures.objects.get(model=model)
        row.figures["lift"]["high"], row.figures["teaching"]["clipped_share"] = high, clipped
        row.save(update_fields=["figures"])
        row.refresh_from_db()
    assert (row.lift_high, row.clipped_share) == (high, clipped)
    held = Figures.from_json(row.figures)
    needs = Watched(model.id, model.name, held.lift, held.teaching).needs_a_hand
    with database_role(APP), tenant_scope(tenant.id):
        assert watched(tenant) == ({str(model.id): model.name} if needs else {})
