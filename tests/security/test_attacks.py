"""What somebody with bad intentions did here once; each attack must stay without effect."""

import hashlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from catalog import services as catalog
from catalog.models import Partition
from tenancy import deletion
from tenancy.context import SYSTEM, acting
from tenancy.errors import Conflict
from tenancy.models import Membership, Role, Tenant, TenantDeletion, User
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_member, make_tenant, make_token
from tests.kit.roles import APP, PLATFORM, database_role
from workers import erasure

BODY = b"a partition, or not"
LONG_AGO = timedelta(days=1)


def role_of(user: User) -> str:
    """Return the only role of a user."""
    with database_role(PLATFORM), platform_scope("test"):
        return str(Membership.objects.get(user=user).role)


def test_a_token_for_members_makes_no_owner(cast: Cast, as_app: None) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        _, text = make_token(cast.owner, cast.tenant, ["members:write", "members:read"])
        friend = Membership.objects.get(user=cast.viewer)
        engineer = Membership.objects.get(user=cast.engineer)
    path, api = f"tenants/{cast.tenant.slug}/members", Api(token=text)
    problem(api.patch(f"{path}/{friend.id}", {"role": "owner"}), 403, "scope_beyond_token")
    problem(api.patch(f"{path}/{friend.id}", {"role": "engineer"}), 403, "scope_beyond_token")
    assert role_of(cast.viewer) == Role.VIEWER
    assert api.patch(f"{path}/{engineer.id}", {"role": "viewer"}).status_code == 200
    assert Api(cast.owner).patch(f"{path}/{friend.id}", {"role": "owner"}).status_code == 200


def test_an_open_session_is_no_place_to_guess_its_password(cast: Cast, as_app: None) -> None:
    cache.clear()
    api = Api(cast.viewer)
    for number in range(10):
        problem(api.post("account/password", {"current": f"guess {number}", "password": "x" * 8 + "yz-19"}), 403)
    right = {"current": PASSWORD, "password": "another good passphrase"}
    problem(api.post("account/password", right), 429, "sign_in_locked")
    assert Api(cast.owner).post("account/password", right).status_code == 204


def swap(user: User) -> bool:
    """Change a password as somebody who runs SQL with the process's role does; tell whether it worked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, password FROM exfm_login(%s)", [user.email])
        found, known = cursor.fetchone()
        cursor.execute("SELECT exfm_change_password(%s, %s, %s)", [found, known, "md5$x$y"])
        return bool(cursor.fetchone()[0])


def test_sql_in_a_tenants_process_takes_over_no_administrator(cast: Cast) -> None:
    with database_role(APP):
        assert not swap(cast.admin)
        body = {"current": PASSWORD, "password": "another good passphrase"}
        problem(Api(cast.admin).post("account/password", body), 403, "administrators_elsewhere")
    with database_role(PLATFORM):
        assert User.objects.get(id=cast.admin.id).check_password(PASSWORD)
        assert Api(cast.admin).post("account/password", body).status_code == 204


@pytest.mark.parametrize(("role", "works"), [(APP, False), (PLATFORM, True)])
def test_a_connection_of_its_own_is_told_by_its_sign_in(cast: Cast, role: str, works: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"RESET ROLE; SET SESSION AUTHORIZATION {role}")
        for other in {APP, PLATFORM, "exfm_owner"} - {role}:
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                cursor.execute(f"SET ROLE {other}")
        assert swap(cast.admin) is works
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_a_wish_taken_back_in_the_last_moment_erases_nothing(cast: Cast, storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        wish = TenantDeletion.objects.create(
            tenant=cast.tenant, requested_by=cast.owner, erase_after=timezone.now() - LONG_AGO
        )
        held = list(deletion.due())  # a worker begins, and has others to erase before
    with database_role(APP):
        assert Api(cast.owner).delete(f"tenants/{cast.tenant.slug}/deletion").status_code == 204
    with platform_scope("test"), acting(SYSTEM):
        assert [erasure.erase(row) for row in held] == [False]
        assert Tenant.objects.get(id=cast.tenant.id).status == Tenant.Status.ACTIVE
        TenantDeletion.objects.filter(id=wish.id).update(cancelled_at=None)
        assert deletion.begin(wish)
    with database_role(APP), tenant_scope(cast.tenant.id), pytest.raises(Conflict, match="begun"):
        deletion.cancel()


def test_an_upload_that_ends_after_the_tenant_did_stores_nothing(
    cast: Cast, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
    receive = catalog.storage.receive

    def slow(*args: Any, **kwargs: Any) -> Any:
        with database_role(PLATFORM), platform_scope("test"):
            Tenant.objects.filter(id=cast.tenant.id).update(status=Tenant.Status.SUSPENDED)
        return receive(*args, **kwargs)

    monkeypatch.setattr(catalog.storage, "receive", slow)
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    end = start + timedelta(hours=1)
    path = f"/api/v1/tenants/{cast.tenant.slug}/streams/{stream.id}/partitions"
    with database_role(APP):
        api = Api(cast.engineer)
        answer = api.client.post(
            path,
            data=BODY,
            content_type="application/vnd.apache.parquet",
            query_params={"start": start.isoformat(), "end": end.isoformat()},
            headers={"X-Content-SHA256": hashlib.sha256(BODY).hexdigest()},
        )
    problem(answer, 403, "tenant_suspended")
    with platform_scope("test"):
        assert not Partition.objects.filter(tenant=cast.tenant).exists()


@pytest.mark.django_db
def test_a_file_that_comes_after_the_erasure_does_not_stay(storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        tenant = make_tenant()
        owner = make_member(tenant, Role.OWNER)
        TenantDeletion.objects.create(tenant=tenant, requested_by=owner, erase_after=timezone.now() - LONG_AGO)
        assert erasure.erase_due() == 1
        late = Path(storage.removeprefix("file://")) / f"tenants/{tenant.id}/streams/x/late.parquet"
        late.parent.mkdir(parents=True)
        late.write_bytes(b"x")
        assert erasure.erase_due() == 0
        assert not late.exists()


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/sso/code", "/"])
def test_a_forged_form_with_a_file_is_not_read(db: None, path: str) -> None:
    """A browser's check against forgery looks into forms, and Django would store their files before it."""
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = BytesIO(head + bytes(16 << 20) + b"\r\n--x--\r\n")
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    form: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(len(body.getbuffer()))}
    answer = client.generic("POST", path, CONTENT_TYPE="multipart/form-data; boundary=x", **form)
    assert answer.status_code == 403
    assert body.tell() < 1 << 20
