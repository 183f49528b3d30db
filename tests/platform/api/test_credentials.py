"""What may send a long body: a real credential, not something that looks like one."""

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from api.base.credentials import tenant_of
from tenancy import services
from tenancy.models import Membership
from tenancy.scope import platform_scope
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.roles import PLATFORM, database_role


def sender(slug: str, **headers: str) -> str | None:
    """Ask about a request to a tenant's address."""
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return async_to_sync(tenant_of)({"headers": pairs, "path": f"/api/v1/tenants/{slug}/streams/infer"})


def test_sessions_and_tokens_are_known(cast: Cast) -> None:
    api = Api()
    api.post("session", {"email": cast.engineer.email, "password": PASSWORD})
    key = api.client.cookies["exfm_session"].value
    slug, own = cast.tenant.slug, str(cast.tenant.id)
    assert sender(slug, cookie=f"a=b; exfm_session={key}") == own
    assert sender(cast.elsewhere.slug, cookie=f"a=b; exfm_session={key}") is None
    for nobody in ("nobody", "a\0b", "\udc80", "é", "%(user)s"):
        assert sender(nobody, cookie=f"a=b; exfm_session={key}") is None
    with database_role(PLATFORM):
        row, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
        assert sender(slug, authorization=f"Bearer {text}") == own
        assert sender(cast.elsewhere.slug, authorization=f"Bearer {text}") is None
        with platform_scope("test"):
            Membership.objects.create(tenant=cast.elsewhere, user=cast.engineer, role="engineer")
        assert sender(cast.elsewhere.slug, authorization=f"Bearer {text}") is None, "a token opens one tenant"
        assert sender(cast.elsewhere.slug, cookie=f"exfm_session={key}") == str(cast.elsewhere.id)
        type(row)._base_manager.filter(id=row.id).update(revoked_at=timezone.now())
    assert sender(slug, authorization=f"Bearer {text}") is None
    api.delete("session")
    assert sender(slug, cookie=f"exfm_session={key}") is None


def test_what_ended_opens_nothing(cast: Cast) -> None:
    """A session from before a change of the password, and whatever belongs to somebody who was deactivated."""
    keys = []
    for _ in range(2):
        api = Api()
        api.post("session", {"email": cast.engineer.email, "password": PASSWORD})
        keys.append(api.client.cookies["exfm_session"].value)
    slug, own = cast.tenant.slug, str(cast.tenant.id)
    assert [sender(slug, cookie=f"exfm_session={key}") for key in keys] == [own, own]
    assert api.post("account/password", {"current": PASSWORD, "password": "another passphrase"}).status_code == 204
    present = api.client.cookies["exfm_session"].value
    assert [sender(slug, cookie=f"exfm_session={key}") for key in (keys[0], present)] == [None, own]
    with database_role(PLATFORM):
        _, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
        assert sender(slug, authorization=f"Bearer {text}") == own
        services.set_user_active(user=cast.engineer, is_active=False, reason="left")
    assert sender(slug, authorization=f"Bearer {text}") is None
    assert sender(slug, cookie=f"exfm_session={present}") is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cookie": "exfm_session=" + "x" * 32},
        {"cookie": "csrftoken=abc"},
        {"cookie": "\x01;;;=;"},
        {"authorization": "Bearer exfm_aaaaaaaaaa_" + "x" * 43},
        {"authorization": "Basic abc"},
    ],
    ids=str,
)
def test_made_up_ones_are_not(headers: dict[str, str], db: None, as_app: None) -> None:
    assert sender("shop", **headers) is None
