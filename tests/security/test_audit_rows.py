"""Every mutation of the API leaves its audit row, attributed to the caller. A new mutating route must be added here."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.cache import cache
from django.utils import timezone

from alerts import services as alerts
from alerts.models import Delivery, Webhook
from alerts.services import Terms
from catalog.models import Stream
from registry.models import Checkpoint, FoundationModel, VerticalModel
from runs.models import Run
from tenancy import services
from tenancy.models import (
    AuditEntry,
    IdentityDomain,
    IdentityProvider,
    Invitation,
    Membership,
    Role,
    SecondFactor,
    Tenant,
    TenantDeletion,
    TenantExport,
    User,
)
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.proof import vouched
from tests.kit.roles import APP, PLATFORM, database_role
from tests.security.routes import all_routes


@dataclass
class World:
    """What the requests refer to."""

    cast: Cast
    model: VerticalModel
    foundation: FoundationModel
    run: Run
    failed: Run
    token: Any
    member: Membership
    invitation: Invitation
    service: Membership
    provider: IdentityProvider
    paused: VerticalModel
    checkpoints: list[Checkpoint]
    taught: VerticalModel
    published: FoundationModel
    webhook: Webhook
    delivery: Delivery


Request = tuple[dict[str, Any], Any]
"""Ids of the path, and the body."""


def make_provider() -> IdentityProvider:
    """Return a provider that speaks for corp.example."""
    provider = IdentityProvider.objects.create(
        slug="corp", name="Corp", issuer="https://id.corp.example", client_id="exfm"
    )
    IdentityDomain.objects.create(provider=provider, domain="corp.example")
    return provider


def begin_deletion(world: "World") -> dict[str, Any]:
    """Ask for the tenant's deletion, as an audit row of its own that the test has not counted yet."""
    with tenant_scope(world.cast.tenant.id, world.cast.owner.id):
        TenantDeletion.objects.create(tenant=world.cast.tenant, erase_after=timezone.now() + timedelta(days=1))
    return {}


def make_export(cast: Cast) -> TenantExport:
    """Return an export that waits for a worker."""
    with platform_scope("test"), database_role(PLATFORM):
        return TenantExport.objects.create(tenant=cast.tenant, requested_by=cast.owner, include=["rows"])


def with_second_factor(user: User) -> Any:
    """Turn the user's second factor on."""
    with platform_scope("test"):
        SecondFactor.objects.create(user=user, secret="x", confirmed_at=timezone.now())
    return user.id


def with_requirement(tenant: Tenant) -> dict[str, Any]:
    """Let the tenant require a second factor, before the test counts audit rows."""
    with platform_scope("test"):
        Tenant.objects.filter(id=tenant.id).update(requires_second_factor=True)
    return {}


def parquet() -> bytes:
    """Return a small file."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": [1]}), buffer)
    return buffer.getvalue()


def an_import(world: World) -> dict[str, Any]:
    """Return a file to import."""
    return {
        "uri": f"memory://drop/{world.cast.tenant.slug}/1.parquet",
        "start": domain.hour(50).isoformat(),
        "end": domain.hour(51).isoformat(),
        "sha256": "a" * 64,
        "bytes": 10,
    }


def a_stream(world: World) -> Stream:
    """Return a stream that nothing refers to."""
    with platform_scope("test"), database_role(PLATFORM):
        return domain.make_stream(world.cast.tenant)


def a_partition(world: World) -> dict[str, Any]:
    """Return the ids of a sealed partition that nothing has used."""
    with platform_scope("test"), database_role(PLATFORM):
        partition = domain.make_partition(domain.make_stream(world.cast.tenant))
    return {"stream_id": partition.stream_id, "partition_id": partition.id}


TENANT_OF_ITS_OWN = {"slug": "acme", "name": "Acme", "owner": {"email": "boss@acme.example", "password": PASSWORD}}

MUTATIONS: dict[str, tuple[Callable[[World], Request], list[str]]] = {
    "PATCH members/<uuid:id>": (lambda w: ({"id": w.member.id}, {"role": "billing"}), ["member.role"]),
    "DELETE members/<uuid:id>": (lambda w: ({"id": w.member.id}, None), ["member.remove"]),
    "POST invitations": (lambda w: ({}, {"email": "new@example.com", "role": "viewer"}), ["invitation.create"]),
    "DELETE invitations/<uuid:id>": (lambda w: ({"id": w.invitation.id}, None), ["invitation.revoke"]),
    "POST service-accounts": (lambda w: ({}, {"name": "loader", "role": "engineer"}), ["service_account.create"]),
    "DELETE service-accounts/<uuid:id>": (lambda w: ({"id": w.service.id}, None), ["member.remove"]),
    "POST service-accounts/<uuid:id>/tokens": (
        lambda w: ({"id": w.service.id}, {"name": "x", "scopes": ["runs:read"]}),
        ["token.create"],
    ),
    "PATCH settings": (
        lambda w: (with_requirement(w.cast.tenant), {"second_factor_required": False}),
        ["tenant.second_factor"],
    ),
    "POST deletion": (lambda w: ({}, {"confirm": w.cast.tenant.slug}), ["tenant.request_deletion"]),
    "DELETE deletion": (lambda w: (begin_deletion(w), None), ["tenant.cancel_deletion"]),
    "POST exports": (lambda w: ({}, {"include": ["models"]}), ["export.request"]),
    "DELETE exports/<uuid:export_id>": (lambda w: ({"export_id": make_export(w.cast).id}, None), ["export.delete"]),
    "POST admin/users/<uuid:id>/password-reset": (
        lambda w: ({"id": w.cast.viewer.id}, {"reason": "r"}),
        ["user.issue_password_reset"],
    ),
    "POST admin/users/<uuid:id>/remove-second-factor": (
        lambda w: ({"id": with_second_factor(w.cast.viewer)}, {"reason": "r"}),
        ["user.remove_second_factor"],
    ),
    "POST admin/identity-providers": (
        lambda w: (
            {},
            {"slug": "x", "name": "X", "issuer": "https://id.example.com", "client_id": "exfm", "reason": "r"},
        ),
        ["identity_provider.create"],
    ),
    "PATCH admin/identity-providers/<slug:slug>": (
        lambda w: ({"slug": w.provider.slug}, {"is_active": False, "reason": "r"}),
        ["identity_provider.change"],
    ),
    "POST admin/identity-providers/<slug:slug>/domains": (
        lambda w: ({"slug": w.provider.slug}, {"domain": "new.example", "reason": "r"}),
        ["identity_domain.create"],
    ),
    "DELETE admin/identity-providers/<slug:slug>/domains/<str:domain>": (
        lambda w: ({"slug": w.provider.slug, "domain": "corp.example"}, None),
        ["identity_domain.remove"],
    ),
    "POST tokens": (lambda w: ({}, {"name": "x", "scopes": ["runs:read"]}), ["token.create"]),
    "DELETE tokens/<uuid:id>": (lambda w: ({"id": w.token.id}, None), ["token.revoke"]),
    "POST streams": (lambda w: ({}, {"name": "new", "schema": domain.schema().to_json()}), ["stream.create"]),
    "POST streams/infer": (lambda w: ({}, parquet()), []),
    "PATCH streams/<uuid:stream_id>": (
        lambda w: ({"stream_id": w.model.stream_id}, {"feed_fm": False}),
        ["stream.change_terms"],
    ),
    "DELETE streams/<uuid:stream_id>": (lambda w: ({"stream_id": a_stream(w).id}, None), ["stream.delete"]),
    "DELETE streams/<uuid:stream_id>/partitions/<uuid:partition_id>": (
        lambda w: (a_partition(w), None),
        ["partition.delete"],
    ),
    "POST streams/<uuid:stream_id>/partitions": (
        lambda w: ({"stream_id": w.model.stream_id}, parquet()),
        ["partition.upload"],
    ),
    "POST models": (
        lambda w: ({}, {"name": "new", "stream": str(w.model.stream_id), "spec": domain.vertical_spec().to_json()}),
        ["model.register"],
    ),
    "POST models/<uuid:model_id>/pause": (lambda w: ({"model_id": w.model.id}, {}), ["model.pause"]),
    "POST models/<uuid:model_id>/resume": (lambda w: ({"model_id": w.model.id}, {}), []),
    "POST streams/<uuid:stream_id>/imports": (
        lambda w: ({"stream_id": w.model.stream_id}, {"partitions": [an_import(w)]}),
        ["partition.import"],
    ),
    "POST models/check": (
        lambda w: ({}, {"stream": str(w.model.stream_id), "spec": domain.vertical_spec().to_json()}),
        [],
    ),
    "POST models/<uuid:model_id>/versions": (
        lambda w: ({"model_id": w.paused.id}, {"spec": domain.vertical_spec("none").to_json()}),
        ["model.add_version"],
    ),
    "POST models/<uuid:model_id>/restart": (
        lambda w: ({"model_id": w.paused.id}, {"checkpoint": str(w.checkpoints[0].id)}),
        ["model.restart"],
    ),
    "PUT models/<uuid:model_id>/aliases/<slug:alias>": (
        lambda w: ({"model_id": w.paused.id, "alias": "candidate"}, {"checkpoint": str(w.checkpoints[0].id)}),
        ["alias.move"],
    ),
    "DELETE models/<uuid:model_id>/aliases/<slug:alias>": (
        lambda w: ({"model_id": w.paused.id, "alias": "serving"}, None),
        ["alias.move"],
    ),
    "POST models/<uuid:model_id>/aliases/<slug:alias>/rollback": (
        lambda w: ({"model_id": w.paused.id, "alias": "serving"}, {}),
        ["alias.roll_back"],
    ),
    "POST models/<uuid:model_id>/bindings": (
        lambda w: ({"model_id": w.model.id}, {"foundation_model": str(w.foundation.id)}),
        ["foundation_model.bind_tenant", "model.bind"],
    ),
    "DELETE models/<uuid:model_id>/bindings": (lambda w: ({"model_id": w.taught.id}, None), ["model.unbind"]),
    "POST admin/foundation-models/<uuid:foundation_model_id>/rollback": (
        lambda w: ({"foundation_model_id": w.published.id}, {"reason": "r"}),
        ["foundation_model.roll_back"],
    ),
    "PUT admin/device-profiles/<slug:flavor>": (
        lambda w: ({"flavor": "cpu"}, {"profile": domain.device_profile(), "reason": "r"}),
        ["device_profile.register"],
    ),
    "POST runs/<uuid:run_id>/stop": (lambda w: ({"run_id": w.run.id}, {}), ["run.stop"]),
    "POST runs/<uuid:run_id>/retry": (lambda w: ({"run_id": w.failed.id}, {}), ["run.submit"]),
    "POST webhooks": (
        lambda w: ({}, {"url": "https://hooks.example.com/", "event_types": ["run.failed"]}),
        ["webhook.create"],
    ),
    "PATCH webhooks/<uuid:webhook_id>": (
        lambda w: ({"webhook_id": w.webhook.id}, {"description": "new"}),
        ["webhook.change"],
    ),
    "DELETE webhooks/<uuid:webhook_id>": (lambda w: ({"webhook_id": w.webhook.id}, None), ["webhook.remove"]),
    "POST webhooks/<uuid:webhook_id>/rotate": (
        lambda w: ({"webhook_id": w.webhook.id}, {}),
        ["webhook.rotate_secret"],
    ),
    "POST webhooks/<uuid:webhook_id>/test": (lambda w: ({"webhook_id": w.webhook.id}, {}), ["webhook.test"]),
    "POST webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay": (
        lambda w: ({"webhook_id": w.webhook.id, "delivery_id": w.delivery.id}, {}),
        ["webhook.replay"],
    ),
    "POST admin/tenants": (
        lambda w: ({}, TENANT_OF_ITS_OWN),
        ["budget.open", "member.add", "quota.set", "tenant.create", "user.create"],
    ),
    "POST admin/tenants/<slug:slug>/suspend": (
        lambda w: ({"slug": w.cast.tenant.slug}, {"reason": "r"}),
        ["tenant.status"],
    ),
    "POST admin/tenants/<slug:slug>/resume": (lambda w: ({"slug": w.cast.tenant.slug}, {"reason": "r"}), []),
    "PUT admin/tenants/<slug:slug>/budget": (
        lambda w: ({"slug": w.cast.tenant.slug}, {"amount": "5", "reason": "r"}),
        ["budget.open"],
    ),
    "PATCH admin/tenants/<slug:slug>/quota": (
        lambda w: ({"slug": w.cast.tenant.slug}, {"models_limit": 7, "reason": "r"}),
        ["quota.set"],
    ),
    "POST admin/foundation-models": (
        lambda w: ({}, {"name": "new", "spec": domain.foundation_spec().to_json(), "period_seconds": 3600}),
        ["foundation_model.register"],
    ),
    "POST admin/foundation-models/<uuid:foundation_model_id>/bindings": (
        lambda w: ({"foundation_model_id": w.foundation.id}, {"tenant": w.cast.tenant.slug}),
        ["foundation_model.bind_tenant"],
    ),
    "POST admin/runs/<uuid:run_id>/stop": (lambda w: ({"run_id": w.run.id}, {}), ["run.stop"]),
    "POST admin/runs/<uuid:run_id>/retry": (lambda w: ({"run_id": w.failed.id}, {}), ["run.submit"]),
}
"""Route -> how to call it, and the audit actions it leaves. None where the call changes nothing."""

PREFIXES = ("api/v1/tenants/<slug:tenant>/", "api/v1/")


def short(pattern: str) -> str:
    """Return a route's pattern without what all share."""
    return next(pattern.removeprefix(prefix) for prefix in PREFIXES if pattern.startswith(prefix))


ROUTES = {
    f"{route.method.upper()} {short(route.pattern)}": route
    for route in all_routes()
    if route.view is not None and route.method != "get"
}


@pytest.fixture
def world(cast: Cast, storage: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """Rows of every kind in the cast's tenant."""
    monkeypatch.setenv("EXFM_IMPORT_ROOTS", "memory://drop/{tenant}/")
    cache.clear()
    with platform_scope("test"):
        stream, other = domain.make_stream(cast.tenant), domain.make_stream(cast.tenant)
        foundation = domain.make_foundation_model()
        model, second = domain.make_model(stream), domain.make_model(other)
        token, _ = make_token(cast.owner, cast.tenant, ["runs:read"])
        paused, checkpoints = domain.make_paused_model(cast.tenant)
        published = domain.make_foundation_model()
        for number in (1, 2):
            domain.publish(published, domain.hour(number))
        terms = Terms("https://hooks.example.com/in", ("run.failed",))
        webhook, _ = alerts.create_webhook(tenant=cast.tenant, terms=terms)
        delivery = alerts.send_test(webhook_id=webhook.id)
        Delivery.objects.filter(id=delivery.id).update(state=Delivery.State.DELIVERED)
        return World(
            cast=cast,
            model=model,
            foundation=foundation,
            run=domain.make_run(cast.tenant, model),
            failed=domain.make_run(cast.tenant, second, state="failed"),
            token=token,
            member=Membership.objects.get(tenant=cast.tenant, role=Role.VIEWER),
            invitation=Invitation.objects.create(
                tenant=cast.tenant,
                email="guest@example.com",
                role=Role.VIEWER,
                digest="0" * 64,
                invited_by=cast.owner,
                expires_at=timezone.now() + timedelta(days=1),
            ),
            service=services.create_service_account(tenant=cast.tenant, name="nightly", role=Role.VIEWER),
            provider=make_provider(),
            paused=paused,
            checkpoints=checkpoints,
            taught=domain.make_model(domain.make_stream(cast.tenant), published),
            published=published,
            webhook=webhook,
            delivery=delivery,
        )


OPEN = {
    "POST account/password": "account.change_password",
    "POST account/recovery-codes": "account.recovery_codes",
    "POST account/second-factor": "account.second_factor_begin",
    "POST account/second-factor/confirm": "account.second_factor_on",
    "POST account/second-factor/proof": "",
    "POST account/second-factor/off": "account.second_factor_off",
    "POST invitation": "",
    "POST invitation/accept": "member.add",
    "POST password-reset": "account.reset_password",
    "POST session": "",
    "DELETE session": "",
    "POST sso/code": "",
}
"""Mutating routes outside tenants and the rows they leave, none where nothing but a session changes; tests in
tests/platform/tenancy (invitations, accounts) call them."""


def test_every_mutating_route_is_here() -> None:
    assert set(ROUTES) == set(MUTATIONS)
    unwalled = [route for route in all_routes() if route.view is None and route.method != "get"]
    assert {f"{route.method.upper()} {short(route.pattern)}" for route in unwalled} == set(OPEN)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_leaves_its_audit_row(name: str, world: World) -> None:
    route, (request, actions) = ROUTES[name], MUTATIONS[name]
    user = world.cast.admin if route.is_admins else world.cast.owner
    ids, body = request(world)
    with platform_scope("test"):
        before = set(AuditEntry.objects.values_list("id", flat=True))
    with database_role(PLATFORM if route.is_admins else APP):
        path, api = route.path(world.cast.tenant.slug, **ids), Api(user, proof=vouched())
        answer = upload(user, path, body) if isinstance(body, bytes) else api.call(route.method, path, body)
    assert answer.status_code < 300, answer.content
    with platform_scope("test"):
        entries = list(AuditEntry.objects.exclude(id__in=before))
    assert sorted(entry.action for entry in entries) == actions
    for entry in entries:
        assert (entry.actor_id, entry.actor_label) == (user.id, user.email)
        assert entry.request_id == answer.headers["X-Request-ID"]
        assert entry.target_id
        assert PASSWORD not in str(entry.after)


def upload(user: Any, path: str, content: bytes) -> Any:
    """Upload a partition."""
    api = Api(user)
    return api.client.post(
        f"{path}?start=2026-03-01T00:00:00Z&end=2026-03-01T01:00:00Z",
        content,
        content_type="application/vnd.apache.parquet",
        headers={"X-Content-SHA256": hashlib.sha256(content).hexdigest()},
    )
