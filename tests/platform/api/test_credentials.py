"""What may send a long body: a real credential, not something that looks like one."""

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from api.base.credentials import is_known
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.factories import PASSWORD, make_token
from tests.kit.roles import PLATFORM, database_role


def known(**headers: str) -> bool:
    """Ask about a request."""
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return async_to_sync(is_known)({"headers": pairs})


def test_sessions_and_tokens_are_known(cast: Cast) -> None:
    api = Api()
    api.post("session", {"email": cast.engineer.email, "password": PASSWORD})
    key = api.client.cookies["exfm_session"].value
    assert known(cookie=f"a=b; exfm_session={key}")
    with database_role(PLATFORM):
        row, text = make_token(cast.engineer, cast.tenant, ["streams:write"])
        assert known(authorization=f"Bearer {text}")
        type(row)._base_manager.filter(id=row.id).update(revoked_at=timezone.now())
    assert not known(authorization=f"Bearer {text}")
    api.delete("session")
    assert not known(cookie=f"exfm_session={key}")


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
    assert not known(**headers)
