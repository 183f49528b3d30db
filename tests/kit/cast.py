"""The cast of every test on rights: four roles in one tenant, a stranger in another, and a platform administrator."""

from dataclasses import dataclass

import pytest

from tenancy.models import Role, Tenant, User
from tenancy.scope import platform_scope
from tests.kit.factories import make_member, make_tenant, make_user
from tests.kit.roles import PLATFORM, database_role


@dataclass(frozen=True)
class Cast:
    """`tenant` has owner, engineer, viewer and billing; `stranger` owns `elsewhere`; `admin` runs the platform."""

    tenant: Tenant
    elsewhere: Tenant
    owner: User
    engineer: User
    viewer: User
    billing: User
    stranger: User
    admin: User

    def member(self, role: Role) -> User:
        """Return the member with that role."""
        member: User = getattr(self, role.value)
        return member


def make_cast() -> Cast:
    """Store the cast, whatever role the test runs under."""
    with database_role(PLATFORM), platform_scope("cast"):
        tenant, elsewhere = make_tenant(), make_tenant()
        return Cast(
            tenant=tenant,
            elsewhere=elsewhere,
            owner=make_member(tenant, Role.OWNER),
            engineer=make_member(tenant, Role.ENGINEER),
            viewer=make_member(tenant, Role.VIEWER),
            billing=make_member(tenant, Role.BILLING),
            stranger=make_member(elsewhere, Role.OWNER),
            admin=make_user(is_staff=True, is_superuser=True),
        )


@pytest.fixture
def cast(db: None) -> Cast:
    """Return a fresh cast."""
    return make_cast()
