"""What ends a download that is under way: the rest of it is for nobody who may not have it any more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from api.base import downloads
from catalog import storage as store
from tenancy import export_work, services
from tenancy.models import Membership, Role, Tenant, TenantExport
from tenancy.scope import platform_scope, tenant_scope
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_member, make_token
from tests.kit.roles import APP, PLATFORM, database_role

SIZE = 8 * downloads.PIECE
Download = Callable[[Api, Callable[[], object]], int]


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
def download(cast: Cast, row: TenantExport, monkeypatch: pytest.MonkeyPatch) -> Download:
    """Return a function that downloads it, does something else after the first piece, and says how much came."""
    monkeypatch.setattr(downloads, "LOOK_BYTES", 2 * downloads.PIECE)

    def fetch(api: Api, meanwhile: Callable[[], object]) -> int:
        with database_role(APP):
            answer = api.get(f"tenants/{cast.tenant.slug}/exports/{row.id}/download")
            assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))
            pieces = iter(answer.streaming_content)
            got = len(next(pieces))
            with database_role(PLATFORM), platform_scope("test"):
                meanwhile()
            return got + sum(len(piece) for piece in pieces)

    return fetch


def test_one_during_which_nothing_happens_is_whole(cast: Cast, download: Download) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, ["tenant:export"])
    assert download(Api(token=text), lambda: None) == download(Api(cast.owner), lambda: None) == SIZE


def test_a_token_that_is_revoked_or_expires_ends_it(cast: Cast, download: Download) -> None:
    for end in ({"revoked_at": timezone.now()}, {"expires_at": timezone.now()}):
        with database_role(PLATFORM):
            token, text = make_token(cast.owner, cast.tenant, ["tenant:export"])
        change: Any = type(token)._base_manager.filter(id=token.id).update
        assert download(Api(token=text), lambda change=change, end=end: change(**end)) == 2 * downloads.PIECE  # type: ignore[misc]


def test_the_end_of_the_session_ends_it(cast: Cast, download: Download) -> None:
    def change_password() -> None:
        with database_role(APP):
            body = {"current": PASSWORD, "password": "another good passphrase"}
            assert Api(cast.owner).post("account/password", body).status_code == 204

    api = Api(cast.owner)
    assert download(api, lambda: api.delete("session")) == 2 * downloads.PIECE
    assert download(Api(cast.owner), change_password) == 2 * downloads.PIECE


def test_the_end_of_the_right_ends_it(cast: Cast, download: Download, row: TenantExport) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        other = make_member(cast.tenant, Role.OWNER)
    member = Membership._base_manager.filter(user=other)
    tenants = Tenant.objects.filter(id=cast.tenant.id)
    exports = TenantExport._base_manager.filter(id=row.id)
    later = timezone.now() + timedelta(days=1)
    for end, mend in (
        (lambda: tenants.update(requires_second_factor=True), lambda: tenants.update(requires_second_factor=False)),
        (lambda: member.update(role=Role.ENGINEER), lambda: member.update(role=Role.OWNER)),
        (lambda: exports.update(expires_at=timezone.now()), lambda: exports.update(expires_at=later)),
        (exports.delete, lambda: None),
    ):
        assert download(Api(other), end) == 2 * downloads.PIECE
        with database_role(PLATFORM), platform_scope("test"):
            mend()


def test_the_end_of_the_member_ends_it(cast: Cast, download: Download) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        other = make_member(cast.tenant, Role.OWNER)

    def remove() -> None:
        with tenant_scope(cast.tenant.id, cast.owner.id):
            services.remove_member(membership=Membership.objects.get(user=other))

    assert download(Api(other), remove) == 2 * downloads.PIECE


def test_a_slow_reader_is_looked_at_by_the_clock(
    cast: Cast, download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "LOOK_BYTES", SIZE)
    monkeypatch.setattr(downloads, "LOOK_SECONDS", 0.0)
    with database_role(PLATFORM):
        token, text = make_token(cast.owner, cast.tenant, ["tenant:export"])
    assert download(Api(token=text), lambda: services.revoke_token(token=token)) == downloads.PIECE
