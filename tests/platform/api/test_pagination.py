"""Pages follow a cursor: nothing twice, nothing missed, while rows are added."""

from base64 import b64encode
from urllib.parse import quote

import pytest
from django.core.cache import cache

from tests.kit.api import Api, problem
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
    body = problem(Api(cast.owner).get(f"tenants/{cast.tenant.slug}/tokens?cursor=%00nonsense"), 404, "cursor_invalid")
    assert "without cursor" in body["mend"]


@pytest.mark.parametrize("place", ["p=abc", "p=%00", "p=%ff", "r=1&p=", "o=99999999999999999999&p=1"])
@pytest.mark.parametrize("address", ["tokens?", "audit?", "streams?order=name", "costs/models?"])
def test_a_place_that_cannot_be_is_no_error_of_ours(cast: Cast, address: str, place: str) -> None:
    cursor = quote(b64encode(place.encode()))
    answer = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/{address}&cursor={cursor}")
    any_text = address in ("streams?order=name", "costs/models?") and place != "p=%00"
    assert answer.status_code == (200 if any_text else 404)
