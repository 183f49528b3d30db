"""What ends an upload whose body is still on its way: nothing of it is stored by who may not store any more."""

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from catalog import services as catalog
from catalog.models import Partition
from tenancy import selectors, services
from tenancy.models import Membership, Role, Tenant
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.patience import PATIENCE
from tests.kit.roles import APP, PLATFORM, database_role

BODY = b"a partition, or not"
ANOTHER = "another good passphrase"
Meanwhile = Callable[[], object]


@pytest.fixture
def upload(cast: Cast, storage: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Api, Meanwhile], Any]:
    """Return a function that uploads, and does something else when the upload is admitted and the body not yet read."""
    cache.clear()
    with database_role(PLATFORM), platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
    receive = catalog.storage.receive
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)

    def send(api: Api, meanwhile: Meanwhile) -> Any:
        def slow(*args: Any, **kwargs: Any) -> Any:
            with database_role(PLATFORM), platform_scope("test"):
                meanwhile()
            return receive(*args, **kwargs)

        monkeypatch.setattr(catalog.storage, "receive", slow)
        with database_role(APP):
            return api.client.post(
                f"/api/v1/tenants/{cast.tenant.slug}/streams/{stream.id}/partitions",
                data=BODY,
                content_type="application/vnd.apache.parquet",
                query_params={"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()},
                headers={"X-Content-SHA256": hashlib.sha256(BODY).hexdigest(), **api.headers},
            )

    return send


def partitions(cast: Cast) -> int:
    """Return how many partitions the cast's tenant has."""
    with database_role(PLATFORM), platform_scope("test"):
        return Partition.objects.filter(tenant=cast.tenant).count()


def test_a_token_revoked_meanwhile_stores_nothing(cast: Cast, upload: Any) -> None:
    with database_role(PLATFORM):
        row, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
    problem(upload(Api(token=text), lambda: services.revoke_token(token=row)), 401, "token_revoked")
    assert partitions(cast) == 0


def test_a_token_that_expires_meanwhile_stores_nothing(cast: Cast, upload: Any) -> None:
    with database_role(PLATFORM):
        row, text = make_token(cast.engineer, cast.tenant, ["streams:write"])

    def expire() -> None:
        type(row)._base_manager.filter(id=row.id).update(expires_at=timezone.now())

    problem(upload(Api(token=text), expire), 401, "token_expired")
    assert partitions(cast) == 0


@pytest.mark.parametrize("by_token", [True, False])
def test_a_user_deactivated_meanwhile_stores_nothing(cast: Cast, upload: Any, by_token: bool) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
    api = Api(token=text) if by_token else Api(cast.engineer)
    code = "user_inactive" if by_token else "signed_out"
    answer = upload(api, lambda: services.set_user_active(user=cast.engineer, is_active=False, reason="left"))
    problem(answer, 401, code)
    assert partitions(cast) == 0


def test_a_session_that_ended_meanwhile_stores_nothing(cast: Cast, upload: Any) -> None:
    api = Api(cast.engineer)

    def change() -> None:
        body = {"current": PASSWORD, "password": ANOTHER}
        assert Api(cast.engineer).post("account/password", body).status_code == 204

    problem(upload(api, change), 401, "signed_out")
    signed_out = Api(cast.viewer)
    with database_role(PLATFORM), platform_scope("test"):
        Membership.objects.filter(user=cast.viewer).update(role=Role.ENGINEER)
    problem(upload(signed_out, lambda: signed_out.delete("session")), 401, "signed_out")
    assert partitions(cast) == 0


def test_a_member_removed_meanwhile_stores_nothing(cast: Cast, upload: Any) -> None:
    def remove() -> None:
        with tenant_scope(cast.tenant.id, cast.owner.id):
            services.remove_member(membership=Membership.objects.get(user=cast.engineer))

    problem(upload(Api(cast.engineer), remove), 404, "tenant_not_found")
    assert partitions(cast) == 0


def test_a_second_factor_required_meanwhile_is_asked_of_sessions_alone(cast: Cast, upload: Any) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.engineer, cast.tenant, ["streams:write"])

    def require() -> None:
        Tenant.objects.filter(id=cast.tenant.id).update(requires_second_factor=True)

    problem(upload(Api(cast.engineer), require), 403, "second_factor_required")
    assert partitions(cast) == 0
    assert upload(Api(token=text), require).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_who_suspends_a_tenant_waits_for_what_is_being_stored(
    cast: Cast, upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look at the tenant and the end of the transaction lies the move of the file."""
    moving, move, keep, answers = threading.Event(), threading.Event(), catalog.storage.keep, []
    with database_role(PLATFORM):
        _, text = make_token(cast.engineer, cast.tenant, ["streams:write"])

    def slowly(*args: Any, **kwargs: Any) -> None:
        moving.set()
        assert move.wait(PATIENCE)
        keep(*args, **kwargs)

    def run() -> None:
        try:
            answers.append(upload(Api(token=text), lambda: None))
        finally:
            connection.close()

    def suspend(patience: str) -> None:
        with platform_scope("test"), transaction.atomic():
            connection.cursor().execute(f"SET LOCAL lock_timeout = '{patience}'")
            services.set_tenant_status(tenant=cast.tenant, status=Tenant.Status.SUSPENDED, reason="r")

    monkeypatch.setattr(catalog.storage, "keep", slowly)
    thread = threading.Thread(target=run)
    thread.start()
    assert moving.wait(PATIENCE)
    with pytest.raises(OperationalError, match="lock timeout"):
        suspend("200ms")
    cast.tenant.refresh_from_db()
    move.set()
    suspend(f"{PATIENCE:.0f}s")
    thread.join(PATIENCE)
    assert answers[0].status_code == 202
    assert partitions(cast) == 1
    problem(upload(Api(token=text), lambda: None), 403, "tenant_suspended")


def test_an_upload_during_which_nothing_happens_is_stored(cast: Cast, upload: Any) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
    assert upload(Api(token=text), lambda: None).status_code == 202
    assert partitions(cast) == 1


@pytest.mark.django_db(transaction=True)
def test_a_slow_body_leaves_the_database_to_others(cast: Cast, upload: Any) -> None:
    with database_role(PLATFORM):
        _, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
    held: list[Any] = []
    assert upload(Api(token=text), lambda: held.append(connection.connection)).status_code == 202
    assert held == [None]


@pytest.mark.django_db(transaction=True)
def test_who_suspends_a_tenant_comes_before_uploads_that_begin_later(cast: Cast) -> None:
    """Two that take turns, one always at it, must not keep an operator out."""
    over, held = threading.Event(), threading.Semaphore(0)

    def store(turn: float) -> None:
        while not over.is_set():
            with transaction.atomic():
                selectors.hold_tenant(tenant_id=cast.tenant.id)
                held.release()
                over.wait(turn)
        connection.close()

    threads = [threading.Thread(target=store, args=(turn,)) for turn in (0.4, 0.7)]
    try:
        for thread in threads:
            thread.start()
            assert held.acquire(timeout=PATIENCE)
        with platform_scope("test"), transaction.atomic():
            connection.cursor().execute(f"SET LOCAL lock_timeout = '{PATIENCE / 4:.0f}s'")
            services.set_tenant_status(tenant=cast.tenant, status=Tenant.Status.SUSPENDED, reason="r")
        assert all(thread.is_alive() for thread in threads), "both still want their turn"
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
    cast.tenant.refresh_from_db()
    assert cast.tenant.status == Tenant.Status.SUSPENDED
