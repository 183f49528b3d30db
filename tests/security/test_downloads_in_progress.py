"""What ends a download that is under way: the rest of it is for nobody who may not have it any more."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from django.core.cache import cache
from django.utils import timezone

from api.base import downloads
from catalog import storage as store
from tenancy import export_work, services
from tenancy.models import AuditEntry, Membership, Role, Tenant, TenantExport, User
from tenancy.scope import platform_scope, tenant_scope
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_member, make_token
from tests.kit.roles import APP, PLATFORM, database_role

ROOT = Path(__file__).resolve().parents[2]
SIZE = 8 * downloads.PIECE
WHOLE = -1
CUT = 2 * downloads.PIECE
SCOPES = ["tenant:export", "audit:read"]
Download = Callable[[Api, Callable[[], object]], int]
Kind = Literal["export", "audit", "admin audit"]


@pytest.fixture
def row(cast: Cast, storage: str) -> TenantExport:
    """Return a finished export of eight pieces."""
    cache.clear()
    uri = f"{export_work.folder(cast.tenant.id)}/one.zip"
    with store.writing(uri) as file:
        file.write(bytes(SIZE))
    day = timezone.now() + timedelta(days=1)
    with database_role(PLATFORM), platform_scope("test"):
        return TenantExport.objects.create(
            tenant=cast.tenant, include=["rows"], state="done", uri=uri, bytes=SIZE, sha256="0" * 64, expires_at=day
        )


@pytest.fixture
def logged(cast: Cast) -> None:
    """Fill the tenant's audit log: more than eight pieces of it."""
    cache.clear()
    with database_role(PLATFORM), platform_scope("test"):
        kept = {"note": "x" * (downloads.PIECE // 4)}
        AuditEntry.objects.bulk_create(
            AuditEntry(tenant=cast.tenant, action="stream.change_terms", after=kept) for _ in range(32)
        )


@pytest.fixture(params=["export", "audit"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Both of what tenants download."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def download(cast: Cast, row: TenantExport, logged: None, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> Download:
    """Return a function that downloads it, does something else after the first piece, and says how much came: `WHOLE`,
    or so many bytes."""
    monkeypatch.setattr(downloads, "LOOK_BYTES", CUT)
    slug = cast.tenant.slug
    address = {
        "export": f"tenants/{slug}/exports/{row.id}/download",
        "audit": f"tenants/{slug}/audit/export",
        "admin audit": "admin/audit/export",
    }[kind]

    def fetch(api: Api, meanwhile: Callable[[], object]) -> int:
        with database_role(PLATFORM if kind == "admin audit" else APP):
            answer = api.get(address)
            announced = int(answer.headers["Content-Length"])
            assert (answer.status_code, announced >= SIZE) == (200, True)
            pieces = iter(answer.streaming_content)
            got = len(next(pieces))
            with database_role(PLATFORM), platform_scope("test"):
                meanwhile()
            got += sum(len(piece) for piece in pieces)
            return WHOLE if got == announced else got

    return fetch


def test_one_during_which_nothing_happens_is_whole(cast: Cast, download: Download) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, SCOPES)
    assert download(Api(token=text), lambda: None) == download(Api(cast.owner), lambda: None) == WHOLE


def test_a_token_that_is_revoked_or_expires_ends_it(cast: Cast, download: Download) -> None:
    for end in ({"revoked_at": timezone.now()}, {"expires_at": timezone.now()}):
        with database_role(PLATFORM):
            token, text = make_token(cast.owner, cast.tenant, SCOPES)
        change: Any = type(token)._base_manager.filter(id=token.id).update
        assert download(Api(token=text), lambda change=change, end=end: change(**end)) == CUT  # type: ignore[misc]


def test_the_end_of_the_session_ends_it(cast: Cast, download: Download) -> None:
    def change_password() -> None:
        with database_role(APP):
            body = {"current": PASSWORD, "password": "another good passphrase"}
            assert Api(cast.owner).post("account/password", body).status_code == 204

    api = Api(cast.owner)
    assert download(api, lambda: api.delete("session")) == CUT
    assert download(Api(cast.owner), change_password) == CUT


def test_the_end_of_the_right_ends_it(cast: Cast, download: Download) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        other = make_member(cast.tenant, Role.OWNER)
    member = Membership._base_manager.filter(user=other)
    tenants = Tenant.objects.filter(id=cast.tenant.id)
    for end, mend in (
        (lambda: tenants.update(requires_second_factor=True), lambda: tenants.update(requires_second_factor=False)),
        (lambda: member.update(role=Role.ENGINEER), lambda: member.update(role=Role.OWNER)),
        (lambda: tenants.update(status="suspended"), lambda: tenants.update(status="active")),
    ):
        assert download(Api(other), end) == CUT
        with database_role(PLATFORM), platform_scope("test"):
            mend()


@pytest.mark.parametrize("kind", ["export"])
def test_the_end_of_the_export_ends_it(cast: Cast, download: Download, row: TenantExport) -> None:
    exports = TenantExport._base_manager.filter(id=row.id)
    later = timezone.now() + timedelta(days=1)
    assert download(Api(cast.owner), lambda: exports.update(expires_at=timezone.now())) == CUT
    with database_role(PLATFORM), platform_scope("test"):
        exports.update(expires_at=later)
    assert download(Api(cast.owner), exports.delete) == CUT


@pytest.mark.parametrize("kind", ["admin audit"])
def test_the_end_of_an_administrator_ends_it(cast: Cast, download: Download, settings: Any) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        token, text = make_token(cast.admin, None, ["platform:read"])
    assert download(Api(token=text), lambda: None) == download(Api(cast.admin), lambda: None) == WHOLE
    assert download(Api(token=text), lambda: services.revoke_token(token=token)) == CUT

    def require() -> None:
        settings.EXFM_ADMIN_SECOND_FACTOR = True

    assert download(Api(cast.admin), require) == CUT
    settings.EXFM_ADMIN_SECOND_FACTOR = False
    users = User.objects.filter(id=cast.admin.id)
    assert download(Api(cast.admin), lambda: users.update(is_staff=False)) == CUT


def test_the_end_of_the_member_ends_it(cast: Cast, download: Download) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        other = make_member(cast.tenant, Role.OWNER)

    def remove() -> None:
        with tenant_scope(cast.tenant.id, cast.owner.id):
            services.remove_member(membership=Membership.objects.get(user=other))

    assert download(Api(other), remove) == CUT


def test_a_slow_reader_is_looked_at_by_the_clock(
    cast: Cast, download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "LOOK_BYTES", 2 * SIZE)
    monkeypatch.setattr(downloads, "LOOK_SECONDS", 0.0)
    with database_role(PLATFORM):
        token, text = make_token(cast.owner, cast.tenant, SCOPES)
    assert download(Api(token=text), lambda: services.revoke_token(token=token)) == downloads.PIECE


def test_whatever_is_sent_in_pieces_is_looked_at_again() -> None:
    """Answers that last are made in two places, which look; a third must look as well, and say so here."""
    makers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "platform").rglob("*.py")
        if re.search(r"\b(StreamingHttpResponse|FileResponse)\(", path.read_text())
    }
    assert makers == {"platform/api/base/downloads.py", "platform/api/v1/events.py"}
