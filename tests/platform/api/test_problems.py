"""Errors: always problem+json with a next step, never a stack trace, never anything changed."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client, RequestFactory

from api.base.errors import server_error
from tenancy import selectors
from tests.kit.api import Api, problem
from tests.kit.cast import Cast


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def send(cast: Cast, body: bytes, content_type: str = "application/json") -> Any:
    """POST raw bytes to the tokens."""
    client = Client()
    client.force_login(cast.owner)
    return client.post(f"/api/v1/tenants/{cast.tenant.slug}/tokens", body, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "parse_error"),
        (b"\xff\xfe", "parse_error"),
        (b'{"name": NaN}', "parse_error"),
        (b'{"name": "a", "name": "b"}', "parse_error"),
        (b"[" * 100_000, "parse_error"),
        (b"[]", "validation_failed"),
        (b'"text"', "validation_failed"),
        (b'{"name": "a\\u0000b", "scopes": ["runs:read"]}', "validation_failed"),
        (b'{"name": {"x": 1}, "scopes": "runs:read"}', "validation_failed"),
        (b'{"name": "", "scopes": []}', "validation_failed"),
    ],
)
def test_bodies_that_cannot_be_read_are_400(cast: Cast, body: bytes, code: str) -> None:
    problem(send(cast, body), 400, code)


def test_an_oversized_body_is_413(cast: Cast) -> None:
    problem(send(cast, b'{"name": "' + b"x" * 3_000_000 + b'"}'), 413, "body_too_large")


def test_another_content_type_is_415(cast: Cast) -> None:
    problem(send(cast, b"<a/>", "application/xml"), 415, "unsupported_media_type")


def test_every_refused_field_is_named(cast: Cast) -> None:
    body = problem(send(cast, b'{"name": "", "colour": 1, "scopes": ["runs:read"]}'), 400)
    assert body["field"] == "colour"
    body = problem(send(cast, b'{"scopes": [1, {"a": 2}]}'), 400, "validation_failed")
    assert {error["field"] for error in body["errors"]} == {"name", "scopes[0]", "scopes[1]"}


def test_an_unknown_address_below_the_api_is_a_problem_too() -> None:
    problem(Client().get("/api/v1/nothing"), 404, "not_found")
    problem(Client().get("/api/v2/session"), 404, "not_found")


def test_an_unforeseen_error_tells_nothing_but_the_request_id(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(selectors, "members", broken)
    api = Api(cast.owner)
    api.client.raise_request_exception = False
    answer = api.get(f"tenants/{cast.tenant.slug}/members")
    problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content


def test_a_database_that_does_not_answer_is_503_with_retry_after(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(selectors, "members", away)
    api = Api(cast.owner)
    api.client.raise_request_exception = False
    answer = api.get(f"tenants/{cast.tenant.slug}/members")
    problem(answer, 503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_a_database_that_is_away_before_the_view_begins_is_the_same() -> None:
    request = RequestFactory().get("/api/v1/session")
    try:
        raise OperationalError("connection refused")
    except OperationalError:
        answer = server_error(request)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(answer.content)["code"] == "database_unavailable"
    assert server_error(request).status_code == 500


def test_too_many_requests_are_429_with_retry_after(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.base.throttling import CredentialThrottle

    monkeypatch.setattr(CredentialThrottle, "rate", "2/min", raising=False)
    api = Api(cast.owner)
    address = f"tenants/{cast.tenant.slug}/members"
    assert [api.get(address).status_code for _ in range(2)] == [200, 200]
    answer = api.get(address)
    problem(answer, 429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert Api(cast.viewer).get(address).status_code == 200


def test_html_is_not_on_offer(cast: Cast) -> None:
    answer = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/members", Accept="text/html")
    problem(answer, 406, "not_acceptable")
