"""Lists that are read around their ids behave as the querysets that they stand for."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenancy.lists import ReadList
from tenancy.models import Tenant
from tenancy.questions import Question, ask
from tenancy.scope import platform_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db

_SLUGS = "SELECT t.slug FROM unnest(ARRAY({})) WITH ORDINALITY AS a (id, n) JOIN tenancy_tenant t USING (id) ORDER BY n"


def slugs(statement: str, values: Sequence[Any]) -> Iterable[str]:
    (rows,) = ask(Question(_SLUGS.format(statement), values))
    return [slug for (slug,) in rows]


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def test_it_filters_orders_and_slices_as_its_queryset_does() -> None:
    made = [domain.make_tenant().slug for _ in range(5)]
    rows = Tenant.objects.filter(slug__in=made)
    listed = ReadList(rows, slugs)
    for order in ("id", "-id", "slug", "-slug"):
        expected = list(rows.order_by(order).values_list("slug", flat=True))
        assert list(listed.order_by(order)) == expected
        assert list(listed.order_by(order)[1:3]) == expected[1:3]
        assert list(listed.order_by(order).filter(slug__gt=min(made))[:2]) == [s for s in expected if s > min(made)][:2]
    assert list(listed.order_by("id")[:0]) == []


def test_it_asks_nothing_before_it_is_read_and_one_statement_then() -> None:
    domain.make_tenant()
    with CaptureQueriesContext(connection) as captured:
        listed = ReadList(Tenant.objects.all(), slugs).filter(slug__gt="").order_by("id")[:3]
        assert len(captured) == 0
        assert list(listed)
        assert len(captured) == 1
        assert list(ReadList(Tenant.objects.none(), slugs)) == []
        assert list(ReadList(Tenant.objects.filter(slug__in=[]), slugs)) == []
        assert len(captured) == 1
