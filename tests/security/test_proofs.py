"""A second factor that was shown counts as long as what it was shown to: the factor here, the trust in a provider."""

from typing import Any

import pytest
from django.core.cache import cache

from tenancy.models import IdentityProvider, Tenant
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.proof import vouched
from tests.kit.roles import PLATFORM, database_role
from tests.platform.tenancy.authenticator import turn_on

OTHER_TERMS: list[dict[str, Any]] = [
    {"is_active": False},
    {"trusts_second_factor": False},
    {"second_factor_acr": "stronger"},
    {"client_id": "other"},
]


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


@pytest.fixture
def page(cast: Cast) -> str:
    """Return an address of the cast's tenant, which requires a second factor."""
    with database_role(PLATFORM):
        Tenant.objects.filter(id=cast.tenant.id).update(requires_second_factor=True)
    return f"tenants/{cast.tenant.slug}/overview"


def change(cast: Cast, **values: Any) -> None:
    """Change the provider as an administrator does."""
    with database_role(PLATFORM):
        answer = Api(cast.admin).patch("admin/identity-providers/vouching", {**values, "reason": "test"})
        assert answer.status_code == 200, answer.content


@pytest.mark.parametrize("terms", OTHER_TERMS, ids=str)
def test_the_end_of_trust_ends_what_the_provider_vouched_for_at_once_and_for_good(
    cast: Cast, page: str, terms: dict[str, Any]
) -> None:
    with database_role(PLATFORM):
        vouched()
        before = IdentityProvider.objects.values(*terms).get(slug="vouching")
    api = Api(cast.engineer, proof=vouched())
    assert api.get(page).status_code == 200
    assert api.get("account").json()["second_factor_shown"] is True
    change(cast, **terms)
    problem(api.get(page), 403, "second_factor_required")
    assert api.get("account").json()["second_factor_shown"] is False
    change(cast, **before)
    problem(api.get(page), 403, "second_factor_required")
    assert Api(cast.engineer, proof=vouched()).get(page).status_code == 200


def test_a_new_name_or_secret_of_the_provider_ends_nothing(cast: Cast, page: str) -> None:
    api = Api(cast.engineer, proof=vouched())
    change(cast, name="Another name", client_secret="another secret")
    assert api.get(page).status_code == 200


def test_one_providers_trust_is_not_anothers(cast: Cast, page: str) -> None:
    api = Api(cast.engineer, proof=vouched())
    with database_role(PLATFORM):
        IdentityProvider.objects.create(
            slug="other", name="Other", issuer="https://o.example", client_id="x", trusts_second_factor=True
        )
        IdentityProvider.objects.filter(slug="vouching").update(trusts_second_factor=False)
    problem(api.get(page), 403, "second_factor_required")


def test_a_factor_set_up_anew_does_not_revive_what_was_shown_to_the_one_before(cast: Cast, page: str) -> None:
    left_open, here = Api(cast.engineer), Api(cast.engineer)
    _, codes = turn_on(left_open)
    assert left_open.get(page).status_code == 200
    assert here.post("account/second-factor/off", {"code": codes[0]}).status_code == 204
    problem(left_open.get(page), 403, "second_factor_required")
    turn_on(here)
    assert here.get(page).status_code == 200
    problem(left_open.get(page), 403, "second_factor_required")


@pytest.mark.parametrize("kept", ["provider", "code", "provider:", "code:"])
def test_a_session_that_names_no_ground_has_shown_nothing(cast: Cast, page: str, kept: str) -> None:
    turn_on(Api(cast.engineer))
    vouched()
    problem(Api(cast.engineer, proof=kept).get(page), 403, "second_factor_required")
