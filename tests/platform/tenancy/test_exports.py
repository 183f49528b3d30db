"""Exports over HTTP: who may ask, one at a time, bounded, downloadable only when whole, gone with their time."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from budgets.services import set_quota
from catalog import selectors as catalog_selectors
from catalog import services as catalog
from catalog import storage as store
from tenancy import export_requests
from tenancy.errors import DomainError
from tenancy.models import AuditEntry, TenantExport
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.roles import PLATFORM, database_role
from workers import exporting


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None, storage: str) -> None:
    cache.clear()


def work() -> bool:
    """Do what a worker does when it is nudged."""
    with database_role(PLATFORM):
        return exporting.export_next()


def path(cast: Cast, row: dict[str, Any] | None = None, tail: str = "") -> str:
    return f"tenants/{cast.tenant.slug}/exports" + (f"/{row['id']}{tail}" if row else "")


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def finished(cast: Cast, **asked: Any) -> dict[str, Any]:
    """Ask for an export and have it written."""
    assert Api(cast.owner).post(path(cast), asked).status_code == 202
    assert work()
    row: dict[str, Any] = Api(cast.owner).get(path(cast)).json()["results"][0]
    assert row["state"] == "done", row
    return row


def change(row: dict[str, Any], **values: Any) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        TenantExport.objects.filter(id=row["id"]).update(**values)


def test_an_export_is_asked_for_written_and_downloaded(cast: Cast) -> None:
    api = Api(cast.owner)
    answer = api.post(path(cast), {"include": ["models", "rows"]}, Idempotency_Key="once")
    assert answer.status_code == 202
    row = answer.json()
    assert (row["state"], row["include"], row["requested_by"]) == ("queued", ["rows", "models"], cast.owner.email)
    assert api.post(path(cast), {"include": ["models", "rows"]}, Idempotency_Key="once").json() == row
    problem(api.get(path(cast, row, "/download")), 409, "export_not_done")
    assert work()
    assert not work()
    done = api.get(path(cast, row)).json()
    assert (done["state"], done["error"], done["missing"]) == ("done", None, 0)
    file = api.get(path(cast, row, "/download"))
    content = body(file)
    assert file.headers["Content-Length"] == str(len(content)) == str(done["bytes"])
    assert file.headers["Content-Disposition"].startswith(f'attachment; filename="{cast.tenant.slug}-')
    assert file.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"' == f'"{done["sha256"]}"'
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert len(archive.namelist()) == done["files"]
    actions = AuditEntry._base_manager.filter(tenant=cast.tenant).order_by("id").values_list("action", "actor_label")
    with tenant_scope(cast.tenant.id, cast.owner.id):
        assert list(actions) == [
            ("export.request", cast.owner.email),
            ("export.finish", "system:export"),
            ("export.download", cast.owner.email),
        ]


def test_owners_alone_and_only_of_their_own_tenant(cast: Cast) -> None:
    row = finished(cast)
    for user, status, code in ((cast.engineer, 403, "role_too_low"), (cast.stranger, 404, "tenant_not_found")):
        for call in (
            Api(user).get(path(cast)),
            Api(user).post(path(cast)),
            Api(user).get(path(cast, row, "/download")),
        ):
            problem(call, status, code)
    elsewhere = f"tenants/{cast.elsewhere.slug}/exports/{row['id']}"
    for call in (
        Api(cast.stranger).get(elsewhere),
        Api(cast.stranger).get(f"{elsewhere}/download"),
        Api(cast.stranger).delete(elsewhere),
    ):
        problem(call, 404, "export_not_found")


def test_one_at_a_time_and_a_few_kept(cast: Cast) -> None:
    api = Api(cast.owner)
    row = api.post(path(cast)).json()
    refused = problem(api.post(path(cast)), 409, "export_open")
    assert refused["mend"] == "Wait until it is done, or delete it."
    assert api.delete(path(cast, row)).status_code == 204
    for _ in range(export_requests.MOST_KEPT):
        finished(cast)
    problem(api.post(path(cast)), 409, "exports_kept")
    with database_role(PLATFORM), platform_scope("test"):
        held = {"tenant": cast.tenant, "include": ["rows"]}
        TenantExport.objects.create(**held)
        with pytest.raises(IntegrityError), transaction.atomic():
            TenantExport.objects.create(**held, state="running")


def test_what_is_too_large_or_has_no_room_is_refused_before_it_starts(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        domain.make_partition(domain.make_stream(cast.tenant), bytes=5 << 30)
    api = Api(cast.owner)
    monkeypatch.setenv("EXFM_EXPORT_MAX_BYTES", str(4 << 30))
    refused = problem(api.post(path(cast), {"include": ["partitions"]}), 422, "export_too_large")
    assert refused["detail"] == "The export would hold 5.00 GiB or more; the limit is 4.00 GiB."
    monkeypatch.setenv("EXFM_EXPORT_MAX_BYTES", str(6 << 30))
    monkeypatch.setattr(store, "free_bytes", lambda: 5 << 30)
    refused = problem(api.post(path(cast), {"include": ["partitions"]}), 409, "export_no_room")
    assert refused["detail"] == "The export needs 5.25 GiB; the storage has 5.00 GiB left."
    problem(api.post(path(cast), {"include": ["everything"]}), 400)
    assert api.get(path(cast)).json()["results"] == []
    assert api.post(path(cast), {"include": ["models"]}).status_code == 202


def test_exports_count_against_the_storage_quota_and_the_first_is_never_refused_for_it(cast: Cast) -> None:
    api, full = Api(cast.owner), domain.HOUR
    with database_role(PLATFORM), platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
        partition = domain.make_partition(stream, bytes=1000)
        set_quota(tenant=cast.tenant, quota={"storage_bytes": 1500}, reason="test")
    row = finished(cast)
    used = api.get(f"tenants/{cast.tenant.slug}/overview").json()["quota"]["storage_bytes"]
    assert used == {"used": 1000 + row["bytes"], "limit": 1500}
    refused = problem(api.post(path(cast)), 409, "export_over_quota")
    assert "0.00 GiB left" in refused["detail"]
    more: dict[str, Any] = {
        "stream_id": stream.id,
        "start": partition.end,
        "end": partition.end + full,
        "sha256": "",
        "bytes": 100,
    }
    with tenant_scope(cast.tenant.id, cast.owner.id), pytest.raises(DomainError, match="are used") as caught:
        catalog.admit_upload(**more)
    assert "exports" in caught.value.mend
    change(row, state="running", uri="", bytes=None, written_bytes=350)
    with tenant_scope(cast.tenant.id, cast.owner.id):
        assert catalog_selectors.storage_used(tenant_id=cast.tenant.id) == 1350
    assert api.delete(path(cast, row)).status_code == 204
    with tenant_scope(cast.tenant.id, cast.owner.id):
        assert catalog.admit_upload(**more) is None
    with database_role(PLATFORM), platform_scope("test"):
        set_quota(tenant=cast.tenant, quota={"storage_bytes": 1}, reason="test")
    assert api.post(path(cast), {"include": ["partitions"]}).status_code == 202


def test_room_that_went_meanwhile_and_a_limit_that_the_rows_pass_end_in_a_sentence(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    api = Api(cast.owner)
    row = api.post(path(cast)).json()
    monkeypatch.setenv("EXFM_EXPORT_MAX_BYTES", "1000")
    assert work()
    failed = api.get(path(cast, row)).json()
    assert failed["state"] == "failed"
    assert failed["error"]["message"].startswith("The export would hold")
    assert "EXFM_EXPORT_MAX_BYTES" in failed["error"]["mend"]
    problem(api.get(path(cast, row, "/download")), 409, "export_failed")
    monkeypatch.delenv("EXFM_EXPORT_MAX_BYTES")
    row = api.post(path(cast)).json()
    monkeypatch.setattr(store, "free_bytes", lambda: 1 << 20)
    assert work()
    assert api.get(path(cast, row)).json()["error"]["message"].startswith("The export needs 0.25 GiB")
    assert files(storage) == []


def files(storage: str) -> list[Path]:
    """Return what lies in the exports' folders."""
    return list(Path(storage.removeprefix("file://")).glob("tenants/*/exports/*"))


def test_a_broken_download_goes_on(cast: Cast) -> None:
    api, row = Api(cast.owner), finished(cast)
    address = path(cast, row, "/download")
    whole = api.get(address)
    etag, content = whole.headers["ETag"], body(whole)
    for asked, part in {
        "bytes=10-19": content[10:20],
        "bytes=100-": content[100:],
        "bytes=-7": content[-7:],
        f"bytes=5-{len(content) + 5}": content[5:],
    }.items():
        answer = api.get(address, Range=asked, If_Range=etag)
        assert answer.status_code == 206, asked
        assert body(answer) == part
        assert answer.headers["Content-Length"] == str(len(part))
        start = content.index(part)
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(content)}"
    for headers in ({"Range": "bytes=1-2,4-5"}, {"Range": "bytes=10-", "If_Range": '"another"'}, {"Range": "rows=1-2"}):
        answer = api.get(address, **headers)
        assert (answer.status_code, body(answer)) == (200, content)
    refused = problem(api.get(address, Range=f"bytes={len(content)}-"), 416, "range_outside")
    assert str(len(content)) in refused["detail"]
    problem(api.get(address, Range="bytes=-0"), 416, "range_outside")


def test_files_go_with_their_time_and_with_their_row(
    cast: Cast, storage: str, django_capture_on_commit_callbacks: Any
) -> None:
    api = Api(cast.owner)
    kept, late = finished(cast), finished(cast)
    assert len(files(storage)) == 2
    change(late, expires_at=timezone.now() - timedelta(hours=1))
    problem(api.get(path(cast, late, "/download")), 410, "export_expired")
    with database_role(PLATFORM), platform_scope("test"):
        assert exporting.remove_old() == 1
    assert api.get(path(cast, late)).json()["state"] == "expired"
    assert [kept["id"] in str(file) for file in files(storage)] == [True]
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(path(cast, kept)).status_code == 204
    assert files(storage) == []
    problem(api.get(path(cast, kept)), 404, "export_not_found")


@pytest.mark.django_db(transaction=True)
def test_a_download_leaves_the_database_to_others_while_it_lasts(cast: Cast) -> None:
    row = finished(cast)
    api = Api(cast.owner)
    for address in (path(cast, row, "/download"), f"tenants/{cast.tenant.slug}/audit/export"):
        connection.ensure_connection()
        answer = api.get(address)
        assert answer.status_code == 200
        assert connection.connection is None, address
        assert body(answer)


def test_a_file_that_is_gone_is_said_to_be(cast: Cast, storage: str) -> None:
    row = finished(cast)
    files(storage)[0].unlink()
    problem(Api(cast.owner).get(path(cast, row, "/download")), 410, "export_gone")


def test_the_tenants_process_may_not_say_that_an_export_is_done(cast: Cast) -> None:
    row = finished(cast)
    refused = pytest.raises(DatabaseError, match="permission denied")
    with tenant_scope(cast.tenant.id, cast.owner.id), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE tenancy_tenantexport SET uri = 'tenants/other' WHERE id = %s", [row["id"]])


def test_a_webhook_is_told(cast: Cast) -> None:
    from alerts.models import Webhook, WebhookEvent

    with database_role(PLATFORM), platform_scope("test"):
        Webhook.objects.create(
            tenant=cast.tenant, url="https://example.org/", event_types=["export.finished"], salt="x" * 32
        )
    row = finished(cast)
    with database_role(PLATFORM), platform_scope("test"):
        told = WebhookEvent.objects.get(tenant=cast.tenant, type="export.finished")
        assert told.data["export"] == {
            "id": row["id"], "state": "done", "bytes": row["bytes"], "sha256": row["sha256"], "error": "",
        }  # fmt: skip
        assert json.dumps(told.data)
