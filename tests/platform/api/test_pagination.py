"""Pages follow a cursor: nothing twice, nothing missed, while rows are added."""

import pytest
from django.core.cache import cache

from tests.kit.api import Api
from tests.kit.cast import Cast


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def test_pages_walk_through_all_rows_and_back(cast: Cast) -> None:
    api = Api(cast.owner)
    address = f"tenants/{cast.tenant.slug}/tokens"
    names = [f"t{number}" for number in range(7)]
    for name in names:
        assert api.post(address, {"name": name, "scopes": ["runs:read"]}).status_code == 201
    seen: list[str] = []
    page = api.get(f"{address}?limit=3").json()
    assert page["previous"] is None
    while True:
        seen += [row["name"] for row in page["results"]]
        if page["next"] is None:
            break
        assert page["next"].startswith(f"/api/v1/{address}?")
        api.post(address, {"name": "late", "scopes": ["runs:read"]})
        page = api.get(page["next"]).json()
    assert seen == names[::-1]
    back = api.get(page["previous"]).json()
    assert [row["name"] for row in back["results"]] == ["t3", "t2", "t1"]


def test_a_cursor_nobody_made_is_refused(cast: Cast) -> None:
    answer = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/tokens?cursor=%00nonsense")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
