"""Model cards: figures from committed sums and settled money, against a brute-force computation."""

import base64
import random
import uuid
from decimal import Decimal
from itertools import chain

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.base.rendering import JSONRenderer
from budgets.money import largest_remainder
from budgets.selectors import ModelCost, cost_by_model
from exfm_core.metrics.histogram import LogitHistogram
from exfm_core.metrics.sums import BucketSums, lift, normalized_entropy
from insights.selectors.cards import Card, card_rows
from insights.selectors.foundation import NONE, foundation
from insights.selectors.shares import Group, split
from insights.serializers import FoundationSerializer, ModelCardSerializer
from insights.written import card_json, foundation_json
from registry.selectors import vertical_model, vertical_models
from runs.models import MetricSums
from tenancy.errors import NotFound
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.platform.insights import scene as scenes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def card(*, model_id: uuid.UUID) -> Card:
    """One model's card."""
    (found,) = card_rows(vertical_models().filter(id=vertical_model(model_id=model_id).id))
    return found


def brute(lineage, scope: str) -> BucketSums:
    """Sums of a lineage, row by row."""
    rows = MetricSums.objects.filter(lineage=lineage, scope=scope).values("n", "y", "loss", "p")
    return BucketSums.merge([BucketSums.from_json(row) for row in rows])


def test_figures_agree_with_the_sums() -> None:
    scene = scenes.make_scene(clipped=5)
    scenes.teach(scene.teacher)
    shown = card(model_id=scene.model.id)
    control, treatment = (brute(domain.lineage(scene.model, arm), "all") for arm in ("control", "treatment"))
    expected = lift(control, treatment)
    assert shown.lift.value == pytest.approx(expected.value)
    assert (shown.lift.low, shown.lift.high) == pytest.approx((expected.low, expected.high))
    assert (shown.lift.rows, shown.lift.covered.rows) == (4000, 3000)
    assert shown.ne.control == pytest.approx(normalized_entropy(control).value)
    assert shown.ne.treatment == pytest.approx(normalized_entropy(treatment).value)
    assert shown.coverage == pytest.approx(0.75)
    assert shown.teaching.clipped_share == pytest.approx(15 / 3000)
    assert shown.teaching.gate == "open"
    assert shown.freshness_seconds == 3 * 3600
    assert shown.lift.as_of == domain.hour(4)
    assert (shown.cost, shown.measurement_cost) == (Decimal("0.024"), Decimal("0.008"))
    assert shown.fm_share == Decimal("0.01")
    assert shown.cost_per_point == pytest.approx(Decimal("0.034") / Decimal(str(shown.lift.value)), abs=Decimal("1e-6"))
    assert [point.t for point in shown.spark] == [domain.hour(index) for index in range(1, 5)]
    assert shown.spark[0].lift == pytest.approx(100 * (1 - scenes.TREATMENT / scenes.CONTROL))


def test_an_arm_that_is_ahead_does_not_count() -> None:
    scene = scenes.make_scene(partitions=2)
    before = card(model_id=scene.model.id)
    ahead = domain.make_partition(scene.stream, 7)
    scenes.commit_arm(scene.model, "control", ahead, loss=9.0)
    after = card(model_id=scene.model.id)
    assert after.lift == before.lift


def test_a_harmful_teacher_has_no_cost_per_point() -> None:
    scene = scenes.make_scene(treatment=0.36)
    shown = card(model_id=scene.model.id)
    assert shown.lift.high is not None
    assert shown.lift.high < 0
    assert shown.cost_per_point is None


def test_a_new_model_says_why_it_has_no_figures() -> None:
    model = domain.make_model(domain.make_stream(domain.make_tenant()))
    shown = card(model_id=model.id)
    assert shown.lift.value is None
    assert shown.lift.reason == "no partition is committed yet"
    assert (shown.coverage, shown.ne.control, shown.cost, shown.spark) == (None, None, 0, [])


def test_a_model_with_one_arm_shows_its_ne_but_no_lift() -> None:
    stream = domain.make_stream(domain.make_tenant())
    model = domain.make_model(stream, shape=domain.vertical_spec("none"))
    scenes.commit_arm(model, "control", domain.make_partition(stream), loss=0.3)
    shown = card(model_id=model.id)
    assert shown.ne.control is not None
    assert shown.lift.value is None
    assert "one arm" in shown.lift.reason


def test_auc_over_partitions_comes_from_merged_histograms() -> None:
    stream = domain.make_stream(domain.make_tenant())
    model = domain.make_model(stream)
    slices = [([2.0, 0.0, -1.0], [1, 0, 0]), ([3.0, 1.0], [0, 1])]
    for index, (logits, labels) in enumerate(slices):
        partition = domain.make_partition(stream, index)
        packed = base64.b64decode(LogitHistogram.of(logits, labels).encode())
        for arm in ("control", "treatment"):
            scenes.commit_arm(model, arm, partition, loss=0.3, histogram=packed)
        shown = card(model_id=model.id)
        upto = [list(chain(*column)) for column in zip(*slices[: index + 1], strict=True)]
        assert shown.auc.control == pytest.approx(LogitHistogram.of(*upto).auc().value)
        assert shown.auc.treatment == shown.auc.control


def test_queries_do_not_grow_with_models_and_partitions() -> None:
    tenant, teacher = domain.make_tenant(), domain.make_foundation_model()
    scenes.make_scene(tenant, teacher, partitions=1)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert list(card_rows(vertical_models()).filter(tenant=tenant))
        return len(captured)

    few = queries()
    for _ in range(2):
        scenes.make_scene(tenant, teacher, partitions=3)
    assert queries() == few
    assert few <= 16


def test_a_tenant_s_page_computes_the_same_under_row_level_security(as_role) -> None:
    scene, other = scenes.make_scene(), scenes.make_scene()
    scenes.teach(scene.teacher)
    seen_by_platform = card(model_id=scene.model.id)
    with as_role("exfm_app"), tenant_scope(scene.tenant.id):
        shown = card(model_id=scene.model.id)
        assert [model.id for model in vertical_models()] == [scene.model.id]
        with pytest.raises(NotFound):
            card(model_id=other.model.id)
    assert (shown.lift, shown.cost, shown.fm_share) == (
        seen_by_platform.lift,
        seen_by_platform.cost,
        seen_by_platform.fm_share,
    )
    assert shown.fm_share == Decimal("0.01")


def test_models_of_one_tenant_split_its_share_to_the_last_digit() -> None:
    tenant, teacher = domain.make_tenant(), domain.make_foundation_model()
    first = scenes.make_scene(tenant, teacher, partitions=3)
    second = scenes.make_scene(tenant, teacher, partitions=2)
    twin = domain.make_model(first.stream, teacher)
    scenes.teach(teacher, 33.333)
    shares = {shown.id: shown.fm_share for shown in card_rows(vertical_models())}
    assert sum(shares.values()) == Decimal("0.003333")
    assert shares == dict.fromkeys(map(str, (first.model.id, twin.id, second.model.id)), Decimal("0.001111"))


def test_groups_are_split_as_single_models_are() -> None:
    rng = random.Random(0)
    for _ in range(300):
        groups = [
            Group(rng.choice([0, 1, 2, 3, 7, rng.randint(1, 99_999)]), [uuid.uuid4() for _ in range(rng.randint(1, 9))])
            for _ in range(rng.randint(0, 6))
        ]
        weights = {model: group.weight for group in groups for model in group.models}
        total = Decimal(rng.randint(0, 10 ** rng.randint(0, 9))).scaleb(-6)
        expected = largest_remainder(total, weights)
        assert split(total, groups) == expected
        wanted = set(rng.sample(sorted(weights), len(weights) // 2))
        assert split(total, groups, wanted) == {model: part for model, part in expected.items() if model in wanted}


def test_the_foundation_model_is_written_as_its_serializer_says() -> None:
    tenant, teacher = domain.make_tenant(), domain.make_foundation_model()
    scenes.make_scene(tenant, teacher)
    scenes.teach(teacher, 33.333)
    with tenant_scope(tenant.id):
        found = foundation(tenant_id=tenant.id)
    assert found.catalogue and found.id == teacher.id
    for each in (found, NONE, found):
        assert JSONRenderer().render(foundation_json(each)) == JSONRenderer().render(FoundationSerializer(each).data)


def test_a_card_is_written_anew_when_what_stands_beside_its_figures_changes() -> None:
    tenant, teacher = domain.make_tenant(), domain.make_foundation_model()
    scenes.make_scene(tenant, teacher)
    (card,) = card_rows(vertical_models()).filter(tenant=tenant)
    before = orjson.loads(orjson.dumps(card_json(card)))
    for changed, fields in (
        (card._replace(fm_share=Decimal("7.5")), {"fm_share", "cost_per_point"}),
        (card._replace(paid=ModelCost(Decimal(3), Decimal(4))), {"cost", "measurement_cost", "cost_per_point"}),
        (card._replace(model=card.model._replace(status="paused")), {"status"}),
        (card._replace(task="another"), {"task"}),
        (card, set()),
    ):
        after = orjson.loads(orjson.dumps(card_json(changed)))
        differing = {name for name in before if before[name] != after[name]}
        assert differing <= fields and differing | {"cost_per_point"} >= fields


def test_cards_are_written_as_their_serializer_says() -> None:
    tenant, teacher = domain.make_tenant(), domain.make_foundation_model()
    scenes.make_scene(tenant, teacher)
    scenes.make_scene(tenant, teacher, treatment=0.36)
    stream = domain.make_stream(tenant)
    one_armed, _ = domain.make_model(stream, shape=domain.vertical_spec("none")), domain.make_model(stream, teacher)
    scenes.commit_arm(one_armed, "control", domain.make_partition(stream), loss=0.3)
    scenes.teach(teacher, 33.333)
    models = {str(model.id): model for model in vertical_models().filter(tenant=tenant)}
    cards = list(card_rows(vertical_models()).filter(tenant=tenant).order_by("id"))
    assert [card.id for card in cards] == sorted(models)
    for card in cards:
        model = models[card.id]
        paid = cost_by_model(model_ids=[model.id]).get(model.id)
        assert card.paid == (paid or ModelCost())
        assert card.model[1:6] == (model.name, model.status, model.created_at, str(model.stream_id), model.stream.name)
    expected = ModelCardSerializer([card._replace(model=models[card.id]) for card in cards], many=True).data
    written = [card_json(card) for card in cards]
    assert JSONRenderer().render(written) == JSONRenderer().render(expected)
    assert len(written) == 4
