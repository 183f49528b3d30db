"""Whether a long body is wanted is known before it is read: by rights, limits and the request's own headers."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from api.base import admission, throttling
from api.base.admission import refusal, refusal_of
from api.models import IdempotencyRecord
from budgets.models import Quota
from catalog.models import Partition, Stream
from config.body_limit import SAMPLE_BYTES, Refusal
from tenancy import services
from tenancy.models import AuditEntry, Membership, Tenant
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import PROBLEM, Api
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.roles import APP, PLATFORM, database_role

LONG = 64 << 20
PARQUET = "application/vnd.apache.parquet"
Sent = dict[str, Any]


@pytest.fixture
def stream(cast: Cast, storage: str) -> Stream:
    """Return a stream of the cast's tenant."""
    cache.clear()
    with database_role(PLATFORM), platform_scope("test"):
        return domain.make_stream(cast.tenant)


def scope_of(path: str, *, query: str = "", **headers: str) -> Sent:
    """Return the ASGI scope of a POST below the tenants' addresses, whose body is said to be long."""
    told = {"host": "testserver", "content_type": PARQUET, "content_length": str(LONG), **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in told.items()]
    address = f"/api/v1/tenants/{path}"
    return {"type": "http", "method": "POST", "path": address, "query_string": query.encode(), "headers": pairs}


def upload(stream: Stream, slug: str = "", **headers: str) -> Sent:
    """Return the scope of an upload of an hour that is over."""
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    query = urlencode({"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()})
    return scope_of(f"{slug or stream.tenant.slug}/streams/{stream.id}/partitions", query=query, **headers)


def sample(slug: str, **headers: str) -> Sent:
    """Return the scope of a sample of rows."""
    return scope_of(f"{slug}/streams/infer", **{"content_length": str(SAMPLE_BYTES), **headers})


def asked(scope: Sent) -> Refusal | None:
    """Ask as the process of the tenants does."""
    with database_role(APP):
        return refusal_of(scope)


def told(found: Refusal | None, status: int, code: str) -> dict[str, Any]:
    """Check that the request is refused with that problem; return it."""
    assert found is not None, "its body would be read"
    headers = dict(found.headers)
    body: dict[str, Any] = json.loads(found.body)
    assert (found.status, body["code"]) == (status, code)
    assert headers[b"content-type"] == b"application/problem+json"
    assert set(body) >= PROBLEM
    assert body["request_id"].encode() == headers[b"x-request-id"]
    assert not {b"content-length", b"connection"} & set(headers), "the server's"
    return body


def bearer(cast: Cast, user: Any = None, scopes: list[str] | None = None, tenant: Any = None) -> dict[str, str]:
    """Return the headers of a token."""
    with database_role(PLATFORM):
        _, text = make_token(user or cast.engineer, tenant or cast.tenant, scopes or ["streams:write"])
    return {"authorization": f"Bearer {text}"}


def cookies(api: Api) -> dict[str, str]:
    """Return the headers of a session that may write."""
    jar = {name: morsel.value for name, morsel in api.client.cookies.items()}
    jar.setdefault("csrftoken", "x" * 32)
    return {"cookie": "; ".join(f"{k}={v}" for k, v in jar.items()), "x_csrftoken": jar["csrftoken"]}


def test_who_may_send_is_let_in_and_leaves_nothing_behind(cast: Cast, stream: Stream, tmp_path: Any) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        before = AuditEntry.objects.count()
    for headers in (bearer(cast), cookies(Api(cast.engineer))):
        assert asked(upload(stream, idempotency_key="k" * 20, **headers)) is None
        assert asked(sample(cast.tenant.slug, **headers)) is None
    with database_role(PLATFORM), platform_scope("test"):
        assert (Partition.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)
        assert AuditEntry.objects.count() == before
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("role", ["viewer", "billing"])
def test_too_low_a_role(cast: Cast, stream: Stream, role: str) -> None:
    user = getattr(cast, role)
    for headers in (bearer(cast, user), cookies(Api(user))):
        told(asked(upload(stream, **headers)), 403, "role_too_low")
        told(asked(sample(cast.tenant.slug, **headers)), 403, "role_too_low")


def test_a_token_without_the_scope(cast: Cast, stream: Stream) -> None:
    headers = bearer(cast, scopes=["streams:read"])
    told(asked(upload(stream, **headers)), 403, "scope_missing")
    told(asked(sample(cast.tenant.slug, **headers)), 403, "scope_missing")


@pytest.mark.parametrize("status", [Tenant.Status.SUSPENDED, Tenant.Status.ERASED])
def test_a_tenant_that_is_suspended_or_gone(cast: Cast, stream: Stream, status: Tenant.Status) -> None:
    senders = [bearer(cast), cookies(Api(cast.engineer))]
    with database_role(PLATFORM), platform_scope("test"):
        Tenant.objects.filter(id=cast.tenant.id).update(status=status)
    for headers in senders:
        told(asked(upload(stream, **headers)), 403, "tenant_suspended")


def test_a_session_without_the_second_factor_that_the_tenant_requires(cast: Cast, stream: Stream) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        Tenant.objects.filter(id=cast.tenant.id).update(requires_second_factor=True)
    told(asked(upload(stream, **cookies(Api(cast.engineer)))), 403, "second_factor_required")
    assert asked(upload(stream, **bearer(cast))) is None


def test_a_session_of_which_another_site_makes_use(cast: Cast, stream: Stream) -> None:
    headers = cookies(Api(cast.engineer)) | {"x_csrftoken": "y" * 32}
    told(asked(upload(stream, **headers)), 403, "csrf_failed")


def test_the_storage_quota(cast: Cast, stream: Stream) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        Quota.objects.update_or_create(tenant=cast.tenant, defaults={"storage_bytes": LONG - 1})
    told(asked(upload(stream, **bearer(cast))), 403, "storage_quota")
    assert asked(upload(stream, **{**bearer(cast), "content_length": str(LONG - 1)})) is None


def test_more_than_anybody_may_send(cast: Cast, stream: Stream) -> None:
    told(asked(upload(stream, **{**bearer(cast), "content_length": str(1 << 40)})), 413, "partition_too_large")
    headers = {**bearer(cast), "content_length": str(SAMPLE_BYTES + 1)}
    told(asked(sample(cast.tenant.slug, **headers)), 413, "sample_too_large")


def test_who_is_sent_elsewhere_sends_nothing_here(cast: Cast, stream: Stream, settings: Any) -> None:
    """A redirect is an answer, and comes before anybody asked who it is for."""
    settings.SECURE_SSL_REDIRECT = True
    admission._handler.cache_clear()
    try:
        for headers in ({}, bearer(cast)):
            found = asked(upload(stream, **headers))
            assert found is not None and found.status == 301
            assert dict(found.headers)[b"location"].startswith(b"https://testserver/api/v1/tenants/")
    finally:
        admission._handler.cache_clear()


def test_what_the_request_says_of_itself(cast: Cast, stream: Stream) -> None:
    headers = bearer(cast)
    told(asked(upload(stream, **{**headers, "content_type": "image/png"})), 415, "unsupported_media_type")
    told(asked(upload(stream, x_content_sha256="z", **headers)), 400, "malformed_hash")
    told(asked({**upload(stream, **headers), "query_string": b"start=now"}), 400, "validation_failed")
    bad = asked({**upload(stream, **headers), "query_string": b"\xff"})
    assert bad is not None and bad.status == 400


def test_an_interval_that_is_taken_and_content_that_is_known(cast: Cast, stream: Stream) -> None:
    """What is known is no refusal: its 200 comes when all is sent."""
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    with database_role(PLATFORM), platform_scope("test"):
        known = domain.make_partition(stream, start=start, end=start + timedelta(hours=1))
    headers = bearer(cast)
    told(asked(upload(stream, x_content_sha256="0" * 64, **headers)), 409, "partition_overlap")
    assert asked(upload(stream, x_content_sha256=known.sha256, **headers)) is None


def test_what_is_anothers_and_what_is_not_there_look_alike(cast: Cast, stream: Stream) -> None:
    """Tenant and stream: the same answer for both, whoever asks and however."""
    with database_role(PLATFORM), platform_scope("test"):
        foreign = domain.make_stream(cast.elsewhere)
    gone = Stream(id=uuid.uuid4(), tenant=cast.tenant)
    for headers in (bearer(cast), bearer(cast, cast.viewer), cookies(Api(cast.engineer))):
        answers = [
            told(asked(upload(stream, slug=slug, **headers)), 404, "tenant_not_found")
            for slug in (cast.elsewhere.slug, "nobody-here")
        ]
        answers += [told(asked(sample(cast.elsewhere.slug, **headers)), 404, "tenant_not_found")]
        assert len({json.dumps({**answer, "request_id": ""}) for answer in answers}) == 1
    headers = bearer(cast)
    answers = [
        told(asked(upload(other, slug=cast.tenant.slug, **headers)), 404, "stream_not_found")
        for other in (foreign, gone)
    ]
    assert len({json.dumps({**answer, "request_id": ""}) for answer in answers}) == 1
    with database_role(PLATFORM), platform_scope("test"):
        Membership.objects.create(tenant=cast.elsewhere, user=cast.engineer, role="engineer")
    told(asked(upload(foreign, slug=cast.elsewhere.slug, **headers)), 404, "tenant_not_found")
    assert asked(upload(foreign, slug=cast.elsewhere.slug, **cookies(Api(cast.engineer)))) is None


@pytest.mark.parametrize("slug", ["a\0b", "é", "%(user)s", "\udc80"])
def test_an_address_of_no_tenant(cast: Cast, stream: Stream, slug: str) -> None:
    told(asked(upload(stream, slug=slug, **bearer(cast))), 404, "not_found")


def test_tokens_that_ended(cast: Cast, stream: Stream) -> None:
    for column, code in (("revoked_at", "token_revoked"), ("expires_at", "token_expired")):
        with database_role(PLATFORM):
            row, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
            type(row)._base_manager.filter(id=row.id).update(**{column: timezone.now()})
        told(asked(upload(stream, authorization=f"Bearer {text}")), 401, code)


def test_sessions_that_ended(cast: Cast, stream: Stream) -> None:
    def signed_in() -> Api:
        api = Api()
        with database_role(APP):
            api.post("session", {"email": cast.engineer.email, "password": PASSWORD})
        return api

    first, second = signed_in(), signed_in()
    before, left = cookies(first), cookies(second)
    assert asked(upload(stream, **before)) is asked(upload(stream, **left)) is None
    with database_role(APP):
        second.delete("session")
        body = {"current": PASSWORD, "password": "another passphrase"}
        assert first.post("account/password", body).status_code == 204
    for ended in (before, left):
        told(asked(upload(stream, **ended)), 401, "signed_out")
    token, present = bearer(cast), cookies(first)
    assert asked(upload(stream, **present)) is asked(upload(stream, **token)) is None
    with database_role(PLATFORM):
        services.set_user_active(user=cast.engineer, is_active=False, reason="left")
    told(asked(upload(stream, **present)), 401, "signed_out")
    told(asked(upload(stream, **token)), 401, "user_inactive")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "signed_out"),
        ({"cookie": "exfm_session=" + "x" * 32}, "signed_out"),
        ({"cookie": "csrftoken=abc"}, "signed_out"),
        ({"cookie": "\x01;;;=;"}, "signed_out"),
        ({"authorization": "Bearer exfm_aaaaaaaaaa_" + "x" * 43}, "token_unknown"),
        ({"authorization": "Basic abc"}, "signed_out"),
    ],
    ids=str,
)
def test_credentials_that_were_made_up(cast: Cast, stream: Stream, headers: dict[str, str], code: str) -> None:
    found = asked(upload(stream, **headers))
    told(found, 401, code)
    assert found is not None and dict(found.headers)[b"www-authenticate"] == b'Bearer realm="exfm"'


def test_a_request_counts_once_against_the_rate_limit(
    cast: Cast, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    def count(key: str, *, seconds: int) -> int:
        counted.append(key)
        return 1

    monkeypatch.setattr(throttling, "counted", count)
    monkeypatch.setattr(throttling.CredentialThrottle, "get_rate", lambda self: "2/min")
    scope = upload(stream, **bearer(cast))
    assert asked(scope) is None
    assert len(counted) == 1
    assert asked(scope) is None, "as Django serves it with its body"
    assert len(counted) == 1
    monkeypatch.setattr(throttling, "counted", lambda key, *, seconds: 3)
    late = asked(upload(stream, **bearer(cast)))
    told(late, 429, "throttled")
    assert late is not None and int(dict(late.headers)[b"retry-after"]) >= 1


@pytest.mark.django_db(transaction=True)
def test_asking_gives_the_database_back(cast: Cast, stream: Stream, as_app: None, ask: Callable[[Sent], Any]) -> None:
    """In a thread of its own, whose connection returns to the pool whatever the answer is."""
    assert ask(upload(stream, **bearer(cast))) is None
    told(ask(upload(stream, **bearer(cast, cast.viewer))), 403, "role_too_low")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sent], Any]:
    """Ask as the server does, and check that no connection is kept."""
    seen: list[bool] = []
    honest = refusal_of

    def noted(scope: Sent) -> Refusal | None:
        found = honest(scope)
        seen.append(connection.connection is None)
        return found

    monkeypatch.setattr(admission, "refusal_of", noted)

    def once(scope: Sent) -> Any:
        found = async_to_sync(refusal)(scope)
        assert seen.pop() is True
        return found

    return once
