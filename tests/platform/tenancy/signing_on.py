"""The way through single sign-on, for the tests of it: a real provider, people there, and the way there and back."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.cache import cache

from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.identity_provider import authorize, identity_provider, set_claims
from tests.kit.roles import PLATFORM, database_role


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider."""
    with identity_provider() as address:
        yield address


@pytest.fixture
def trusted(issuer: str, cast: Cast, as_app: None, settings: Any) -> None:
    """Trust the provider for corp.example, whose people join the cast's tenant, and for guests.example."""
    cache.clear()
    settings.EXFM_WEB_ORIGIN = "http://testserver"
    body = {
        "slug": "corp",
        "name": "Corp",
        "issuer": issuer,
        "client_id": "exfm",
        "client_secret": "hush",
        "reason": "r",
    }
    with database_role(PLATFORM):
        admin = Api(cast.admin)
        made = admin.post("admin/identity-providers", body)
        assert made.status_code == 201, made.content
        assert made.json()["redirect_uri"] == "http://testserver/api/v1/sso/corp/callback"
        assert "hush" not in made.content.decode()
        for domain, tenant in (("corp.example", cast.tenant.slug), ("guests.example", None)):
            values = {"domain": domain, "tenant": tenant, "reason": "r"}
            assert admin.post("admin/identity-providers/corp/domains", values).status_code == 201


def person(issuer: str, subject: str, email: str, **claims: Any) -> None:
    """Tell the provider about somebody."""
    set_claims(issuer, subject, **{"email": email, "email_verified": True, "name": subject.title(), **claims})


def sign_in(api: Api, subject: str, page: str = "") -> Any:
    """Go there and come back; returns the answer of the way back."""
    there = api.get(f"sso/corp/start?{urlencode({'next': page})}")
    assert there.status_code == 302, there.content
    back = urlsplit(authorize(there.headers["Location"], subject))
    assert back.netloc == "testserver"
    return api.get(f"{back.path}?{back.query}")


def refusal(answer: Any) -> str:
    """Return why a sign-in ended at the sign-in page."""
    assert answer.status_code == 302
    where = urlsplit(answer.headers["Location"])
    assert where.path == "/sign-in", where
    return parse_qs(where.query)["problem"][0]
