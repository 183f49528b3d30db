"""The curve of a model: by partition and cumulative, ending at the headline figure."""

import pytest

from insights.selectors.curve import curve
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.platform.insights import scene as scenes
from tests.platform.insights.test_cards import card

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def test_points_stand_in_event_time_and_end_at_the_headline() -> None:
    scene = scenes.make_scene(partitions=3)
    scenes.train(scene, 5, covered=True, treatment=0.335)
    points = curve(model_id=scene.model.id).partitions
    assert [point.start for point in points] == [domain.hour(index) for index in (0, 1, 2, 5)]
    assert [point.covered for point in points] == [0, 1000, 1000, 1000]
    assert [point.gate for point in points] == [None, "open", "open", "open"]
    assert [point.freshness_seconds for point in points] == [None, 3600, 7200, 5 * 3600]
    headline = card(model_id=scene.model.id)
    last = points[-1].cumulative
    assert (last.lift, last.low, last.high) == pytest.approx(
        (headline.lift.value, headline.lift.low, headline.lift.high)
    )
    assert (last.ne_control, last.ne_treatment) == pytest.approx((headline.ne.control, headline.ne.treatment))
    for point in points:
        assert point.low is not None
        assert point.high is not None
        assert point.low <= point.lift <= point.high
    assert points[0].cumulative.lift == pytest.approx(points[0].lift)


def test_a_model_without_partitions_has_no_points() -> None:
    assert curve(model_id=domain.make_model(domain.make_stream(domain.make_tenant())).id).partitions == []


def test_one_arm_gives_a_curve_without_lift() -> None:
    stream = domain.make_stream(domain.make_tenant())
    model = domain.make_model(stream, shape=domain.vertical_spec("none"))
    scenes.commit_arm(model, "control", domain.make_partition(stream), loss=0.3)
    (point,) = curve(model_id=model.id).partitions
    assert point.ne_control is not None
    assert (point.ne_treatment, point.lift, point.cumulative.lift) == (None, None, None)
