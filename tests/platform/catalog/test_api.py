"""Streams and partitions over HTTP, under row-level security."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog import services
from catalog.models import Partition
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.cast import cast as cast
from tests.kit.factories import make_token
from tests.kit.roles import PLATFORM, database_role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_app", "storage")]

PARQUET = "application/vnd.apache.parquet"
BODY = b"PAR1 something"


def span(start: int) -> str:
    """The query of one hour."""
    return f"start={domain.hour(start):%Y-%m-%dT%H:%M:%SZ}&end={domain.hour(start + 1):%Y-%m-%dT%H:%M:%SZ}"


def upload(api: Api, tenant: str, stream: str, body: bytes = BODY, start: int = 0, **headers: str) -> Any:
    """POST a body as a partition of one hour."""
    kind = headers.pop("content_type", PARQUET)
    sent = {**api.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    address = f"/api/v1/tenants/{tenant}/streams/{stream}/partitions?{span(start)}"
    return api.client.post(address, data=body, content_type=kind, headers=sent)


@pytest.fixture
def engineer(cast: Cast) -> Api:
    return Api(cast.engineer)


@pytest.fixture
def stream(cast: Cast, engineer: Api) -> dict[str, Any]:
    answer = engineer.post(
        f"tenants/{cast.tenant.slug}/streams", {"name": "ads", "schema": domain.schema().to_json(), "feed_fm": True}
    )
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_a_stream_is_registered_listed_and_shown(cast: Cast, engineer: Api, stream: dict[str, Any]) -> None:
    assert stream["partitions"] == {"sealed": 0, "rejected": 0, "rows": 0}
    assert (stream["feed_fm"], stream["feed_shared"], stream["label_deadline_seconds"]) == (True, False, 3600)
    base = f"tenants/{cast.tenant.slug}/streams"
    assert engineer.get(base).json() == {"results": [stream], "next": None, "previous": None}
    assert engineer.get(f"{base}/{stream['id']}").json() == stream
    changed = engineer.patch(f"{base}/{stream['id']}", {"feed_shared": True}).json()
    assert (changed["feed_fm"], changed["feed_shared"]) == (True, True)


def test_a_broken_schema_names_the_field(cast: Cast, engineer: Api) -> None:
    answer = engineer.post(f"tenants/{cast.tenant.slug}/streams", {"name": "ads", "schema": {"features": []}})
    body = problem(answer, 400, "spec.missing_field")
    assert body["field"] == "schema"
    assert "'tasks'" in body["detail"]


def test_the_dashboard_uploads_with_its_csrf_token_in_the_header(cast: Cast, stream: dict[str, Any]) -> None:
    api = Api()
    api.client = Client(enforce_csrf_checks=True)
    api.client.force_login(cast.engineer)
    problem(upload(api, cast.tenant.slug, stream["id"]), 403, "csrf_failed")
    api.get("session")
    api.headers["X-CSRFToken"] = api.client.cookies["csrftoken"].value
    assert upload(api, cast.tenant.slug, stream["id"]).status_code == 202


def test_an_upload_is_accepted_then_known(cast: Cast, engineer: Api, stream: dict[str, Any]) -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    first = upload(engineer, cast.tenant.slug, stream["id"], X_Content_SHA256=digest)
    assert first.status_code == 202, first.content
    partition = first.json()
    assert (partition["state"], partition["sha256"], partition["bytes"]) == ("uploaded", digest, len(BODY))
    for headers in ({"X_Content_SHA256": digest}, {}):
        again = upload(engineer, cast.tenant.slug, stream["id"], **headers)
        assert (again.status_code, again.json()["id"]) == (200, partition["id"])
    address = f"tenants/{cast.tenant.slug}/streams/{stream['id']}/partitions"
    assert engineer.get(address).json()["results"] == [partition]
    assert engineer.get(f"{address}/{partition['id']}").json() == partition


def test_an_idempotency_key_replays_the_first_answer(cast: Cast, engineer: Api, stream: dict[str, Any]) -> None:
    headers = {"Idempotency_Key": "k1", "X_Content_SHA256": hashlib.sha256(BODY).hexdigest()}
    answers = [upload(engineer, cast.tenant.slug, stream["id"], **headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].json() == answers[1].json()


def test_an_idempotency_key_holds_for_the_body_that_was_sent(
    cast: Cast, engineer: Api, stream: dict[str, Any], tmp_path: Path
) -> None:
    """Whether its hash was declared or not: else whoever sends another file is told that it is there."""
    for hour, declares in enumerate((True, False)):

        def send(body: bytes, hour: int = hour, declares: bool = declares) -> Any:
            declared = {"X_Content_SHA256": hashlib.sha256(body).hexdigest()} if declares else {}
            key = f"hour-{hour}"
            return upload(engineer, cast.tenant.slug, stream["id"], body, hour, Idempotency_Key=key, **declared)

        first, other, again = send(BODY), send(b"PAR1 another"), send(BODY)
        assert first.status_code == 202, first.content
        problem(other, 409, "idempotency_key_reused")
        assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
        assert again.json() == first.json()
    assert not list(tmp_path.rglob("incoming/*"))
    address = f"tenants/{cast.tenant.slug}/streams/{stream['id']}/partitions"
    assert len(engineer.get(address).json()["results"]) == 2


def test_bad_uploads_say_what_to_do(
    cast: Cast, engineer: Api, stream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"tenants/{cast.tenant.slug}/streams/{stream['id']}/partitions"

    def send(body: bytes = BODY, start: int = 0, **headers: str) -> Any:
        return upload(engineer, cast.tenant.slug, stream["id"], body, start, **headers)

    problem(send(X_Content_SHA256="0" * 64), 400, "wrong_hash")
    problem(send(X_Content_SHA256="abc"), 400, "malformed_hash")
    empty = engineer.client.generic("POST", f"/api/v1/{address}?{span(0)}", b"", headers={"Content-Type": PARQUET})
    problem(empty, 400, "empty_body")
    problem(send(content_type="text/plain"), 415, "unsupported_media_type")
    assert send().status_code == 202
    body = problem(send(b"other"), 409, "partition_overlap")
    assert "2026-03-01T00:00:00+00:00" in body["detail"]
    monkeypatch.setenv("EXFM_UPLOAD_MAX_BYTES", "5")
    problem(send(b"123456", 3), 413, "partition_too_large")
    answer = engineer.client.post(f"/api/v1/{address}?start=yesterday", data=b"x", content_type=PARQUET)
    assert {error["field"] for error in problem(answer, 400)["errors"]} == {"start", "end"}


def test_a_rejected_partition_shows_its_problems(cast: Cast, engineer: Api, stream: dict[str, Any]) -> None:
    partition = upload(engineer, cast.tenant.slug, stream["id"]).json()
    found = {"column": "item_id", "row": 7, "expected": "int64", "found": "string", "message": "Cast the column."}
    with database_role(PLATFORM), platform_scope("worker"):
        services.reject(partition_id=partition["id"], problems=[found])
    address = f"tenants/{cast.tenant.slug}/streams/{stream['id']}/partitions/{partition['id']}"
    shown = engineer.get(address).json()
    assert (shown["state"], shown["problems"]) == ("rejected", [found])


def test_rights(cast: Cast, stream: dict[str, Any]) -> None:
    base = f"tenants/{cast.tenant.slug}/streams"
    assert Api(cast.viewer).get(base).status_code == 200
    problem(Api(cast.viewer).post(base, {"name": "x", "schema": {}}), 403, "role_too_low")
    problem(upload(Api(cast.viewer), cast.tenant.slug, stream["id"]), 403, "role_too_low")
    problem(Api(cast.billing).get(base), 403)
    problem(Api().get(base), 401)
    problem(upload(Api(), cast.tenant.slug, stream["id"]), 401)
    problem(Api(cast.stranger).get(base), 404)
    elsewhere = f"tenants/{cast.elsewhere.slug}/streams"
    assert Api(cast.stranger).get(elsewhere).json()["results"] == []
    problem(Api(cast.stranger).get(f"{elsewhere}/{stream['id']}"), 404, "stream_not_found")
    problem(upload(Api(cast.stranger), cast.elsewhere.slug, stream["id"]), 404, "stream_not_found")
    with database_role(PLATFORM), platform_scope("test"):
        assert not Partition.objects.exists()


def test_a_token_uploads_with_its_scope_only(cast: Cast, stream: dict[str, Any]) -> None:
    with database_role(PLATFORM):
        _, writer = make_token(cast.engineer, cast.tenant, ["streams:write"])
        _, reader = make_token(cast.engineer, cast.tenant, ["streams:read"])
    assert upload(Api(token=writer), cast.tenant.slug, stream["id"]).status_code == 202
    problem(upload(Api(token=reader), cast.tenant.slug, stream["id"], start=2), 403, "scope_missing")


def test_the_roots_of_imports_are_the_tenants_own(cast: Cast, engineer: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"tenants/{cast.tenant.slug}/streams/import-roots"
    assert engineer.get(address).json() == {"roots": []}
    monkeypatch.setenv("EXFM_IMPORT_ROOTS", "s3://drop/{tenant}/in")
    assert engineer.get(address).json() == {"roots": [f"s3://drop/{cast.tenant.slug}/in/"]}
