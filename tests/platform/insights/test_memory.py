"""Figures are remembered between requests until a lineage grows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from insights.selectors import sums
from insights.selectors.comparisons import comparisons
from tenancy.scope import platform_scope
from tests.platform.insights import scene as scenes

pytestmark = pytest.mark.django_db


def test_unchanged_sums_are_not_read_again() -> None:
    with platform_scope("test"):
        first, second = scenes.make_scene(partitions=2), scenes.make_scene(partitions=2)
        ids = [first.model.id, second.model.id]

        def read() -> tuple[dict, int]:
            compared = comparisons(model_ids=ids).values()
            with CaptureQueriesContext(connection) as captured:
                found = sums.totals(comparisons=compared)
            return found, sum("unnest" in query["sql"] for query in captured.captured_queries)

        before, loads = read()
        assert loads == 1
        again, loads = read()
        assert loads == 0
        assert again == before
        scenes.train(second, 5, covered=True)
        after, loads = read()
        assert loads == 1
        assert after[first.model.id] is before[first.model.id]
        assert (before[second.model.id]["all"].partitions, after[second.model.id]["all"].partitions) == (2, 3)
