"""Filters, search and order of lists, and what the API says of parameters that cannot be."""

import pytest

from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.cast import cast as cast
from tests.kit.roles import PLATFORM, database_role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_app")]


@pytest.fixture
def path(cast: Cast) -> str:
    """A tenant with streams alpha, beta and gamma; one model on each of the first two; beta's is paused."""
    with database_role(PLATFORM), platform_scope("test"):
        for number, name in enumerate(("alpha", "beta", "gamma")):
            stream = domain.make_stream(cast.tenant, name=name, feed_fm=number > 0)
            for index in range(3):
                domain.make_partition(stream, index)
            if name == "gamma":
                continue
            model = domain.make_model(stream, name=f"{name}-ctr")
            if name == "beta":
                domain.registry.pause(model_id=model.id)
    return f"tenants/{cast.tenant.slug}"


@pytest.fixture
def owner(cast: Cast) -> Api:
    return Api(cast.owner)


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["gamma", "beta", "alpha"]),
        ("?order=name", ["alpha", "beta", "gamma"]),
        ("?order=-name", ["gamma", "beta", "alpha"]),
        ("?feed_fm=true", ["gamma", "beta"]),
        ("?feed_fm=false&order=name", ["alpha"]),
        ("?search=ETA", ["beta"]),
        ("?name=beta", ["beta"]),
        ("?search=nothing", []),
    ],
)
def test_streams(query: str, found: list[str], path: str, owner: Api) -> None:
    assert names(owner.get(f"{path}/streams{query}")) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=paused", ["beta-ctr"]),
        ("?status=paused,active&order=name", ["alpha-ctr", "beta-ctr"]),
        ("?status=paused&status=active&order=name", ["alpha-ctr", "beta-ctr"]),
        ("?search=alpha", ["alpha-ctr"]),
    ],
)
def test_models(query: str, found: list[str], path: str, owner: Api) -> None:
    assert names(owner.get(f"{path}/models{query}")) == found


def test_pages_keep_order_and_filters(path: str, owner: Api) -> None:
    first = owner.get(f"{path}/streams?order=name&limit=2")
    assert names(first) == ["alpha", "beta"]
    second = owner.get(first.json()["next"])
    assert names(second) == ["gamma"]
    assert names(owner.get(second.json()["previous"])) == ["alpha", "beta"]


def test_partitions_by_event_time(path: str, owner: Api) -> None:
    stream = owner.get(f"{path}/streams?name=alpha").json()["results"][0]["id"]
    query = f"?start_from={domain.hour(1).isoformat().replace('+00:00', 'Z')}&state=sealed"
    rows = owner.get(f"{path}/streams/{stream}/partitions{query}").json()["results"]
    assert len(rows) == 2
    assert owner.get(f"{path}/streams/{stream}/partitions?state=rejected").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("?colour=red", "unknown_parameter", "colour"),
        ("?order=rows", "bad_order", "order"),
        ("?feed_fm=true&search=%00", "bad_value", "search"),
        ("?search=" + "x" * 201, "bad_value", "search"),
        ("?name=" + ",".join("x" * 500), "too_many_values", "name"),
    ],
)
def test_what_cannot_be_is_refused_by_name(query: str, code: str, field: str, path: str, owner: Api) -> None:
    body = problem(owner.get(f"{path}/streams{query}"), 422, code)
    assert body["field"] == field


def test_a_bad_value_says_which(path: str, owner: Api) -> None:
    problem(owner.get(f"{path}/models?status=asleep"), 422, "bad_value")
    problem(owner.get(f"{path}/models?stream=7"), 422, "bad_value")
    problem(owner.get(f"{path}/runs?created_from=yesterday"), 422, "bad_value")


def test_two_editors_of_a_stream(path: str, owner: Api) -> None:
    stream = owner.get(f"{path}/streams?name=alpha").json()["results"][0]["id"]
    address = f"{path}/streams/{stream}"
    etag = owner.get(address).headers["ETag"]
    changed = owner.patch(address, {"feed_fm": True}, If_Match=etag)
    assert changed.status_code == 200
    problem(owner.patch(address, {"feed_shared": True}, If_Match=etag), 412, "changed_meanwhile")
    shown = owner.get(address).json()
    assert (shown["feed_fm"], shown["feed_shared"]) == (True, False)
    again = owner.patch(address, {"feed_shared": True}, If_Match=changed.headers["ETag"])
    assert again.json()["feed_shared"] is True


def test_the_etag_of_a_stream_does_not_move_as_partitions_come(path: str, owner: Api, cast: Cast) -> None:
    stream = owner.get(f"{path}/streams?name=alpha").json()["results"][0]["id"]
    etag = owner.get(f"{path}/streams/{stream}").headers["ETag"]
    with database_role(PLATFORM), platform_scope("test"):
        domain.make_partition(domain.Stream.objects.get(id=stream), 7)
    read = owner.get(f"{path}/streams/{stream}")
    assert read.json()["partitions"]["sealed"] == 4
    assert read.headers["ETag"] == etag


@pytest.mark.parametrize("query", ["created_before=0001-01-01T00:00:00%2B15:00", "created_from="])
def test_times_that_cannot_be_are_refused(query: str, cast: Cast) -> None:
    problem(Api(cast.owner).get(f"tenants/{cast.tenant.slug}/runs?{query}"), 422, "bad_value")


def test_offsets_that_postgresql_does_not_know_are_understood(cast: Cast) -> None:
    query = "created_from=2026-01-01T00:00:00%2B23:21&created_before=4415-02-20T18:38:13-17:00"
    assert Api(cast.owner).get(f"tenants/{cast.tenant.slug}/runs?{query}").status_code == 200


def test_a_flag_is_true_or_false(cast: Cast) -> None:
    problem(Api(cast.owner).get(f"tenants/{cast.tenant.slug}/streams?feed_shared=null"), 422, "bad_value")


def test_an_empty_order_is_none_of_the_list(cast: Cast) -> None:
    problem(Api(cast.owner).get(f"tenants/{cast.tenant.slug}/streams?order="), 422, "bad_order")
