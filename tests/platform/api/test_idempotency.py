"""A create that is sent twice at once happens once, and both callers get the same answer."""

import threading
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from tenancy.models import ApiToken
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast, make_cast
from tests.kit.roles import APP, PLATFORM, database_role


@pytest.fixture(autouse=True)
def _as_the_web_process() -> None:
    """The threads set the role themselves."""


@pytest.fixture
def cast(transactional_db: None) -> Any:
    """A committed cast."""
    cache.clear()
    with database_role(APP):
        yield make_cast()


def test_twins_at_the_same_moment(cast: Cast) -> None:
    callers = [Api(cast.owner) for _ in range(4)]
    answers: list[Any] = []
    start = threading.Barrier(len(callers))

    def send(api: Api) -> None:
        start.wait()
        try:
            answers.append(
                api.post(
                    f"tenants/{cast.tenant.slug}/tokens",
                    {"name": "x", "scopes": ["runs:read"]},
                    Idempotency_Key="same",
                )
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(api,)) for api in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * len(callers)
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum(answer.json()["token"] is not None for answer in answers) == 1
    with database_role(PLATFORM), platform_scope("test"):
        assert ApiToken.objects.count() == 1


def test_keys_are_each_users_own(cast: Cast) -> None:
    address, body = f"tenants/{cast.tenant.slug}/tokens", {"name": "x", "scopes": ["runs:read"]}
    first = Api(cast.owner).post(address, body, Idempotency_Key="k").json()
    second = Api(cast.engineer).post(address, body, Idempotency_Key="k").json()
    assert first["id"] != second["id"]


def test_a_refused_request_may_be_repeated_with_its_key(cast: Cast) -> None:
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/tokens"
    problem(api.post(address, {"name": "x", "scopes": ["cats:pet"]}, Idempotency_Key="k"), 422)
    assert api.post(address, {"name": "x", "scopes": ["runs:read"]}, Idempotency_Key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "with space", "ü", "x" * 201])
def test_keys_that_cannot_be_stored_are_refused(cast: Cast, key: str) -> None:
    answer = Api(cast.owner).post(
        f"tenants/{cast.tenant.slug}/tokens", {"name": "x", "scopes": ["runs:read"]}, Idempotency_Key=key
    )
    problem(answer, 400, "idempotency_key_invalid")
