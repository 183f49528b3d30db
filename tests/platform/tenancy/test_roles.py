"""The table of roles."""

import pytest

from tenancy.models import Role
from tenancy.roles import ADMIN_PERMISSIONS, PERMISSIONS, ROLES, allows


def test_the_owner_may_do_everything_a_member_may() -> None:
    assert set(ROLES) == set(Role)
    assert all(permissions <= ROLES[Role.OWNER] for permissions in ROLES.values())


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BILLING])
def test_readers_change_nothing(role: Role) -> None:
    assert all(permission.endswith(":read") for permission in ROLES[role])


def test_no_role_of_a_tenant_reaches_the_administrators_permissions() -> None:
    assert PERMISSIONS.isdisjoint(ADMIN_PERMISSIONS)


@pytest.mark.parametrize(
    ("role", "permission", "may"),
    [
        ("owner", "members:write", True),
        ("engineer", "models:write", True),
        ("engineer", "members:write", False),
        ("engineer", "audit:read", False),
        ("viewer", "costs:read", True),
        ("viewer", "tokens:read", False),
        ("billing", "costs:read", True),
        ("billing", "streams:read", False),
    ],
)
def test_some_cells_by_hand(role: str, permission: str, may: bool) -> None:
    assert allows(role, permission) is may
