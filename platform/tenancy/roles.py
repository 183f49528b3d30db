"""Who may do what: permissions are `resource:action`, and the same names are the scopes of API tokens."""

from collections.abc import Mapping

from tenancy.models import Role

READ = frozenset({"insights:read", "streams:read", "models:read", "runs:read", "costs:read", "members:read"})
WRITE = frozenset({"streams:write", "models:write", "runs:write"})
TOKENS = frozenset({"tokens:read", "tokens:write"})
WEBHOOKS = frozenset({"webhooks:read", "webhooks:write"})
OWNERS = frozenset({"members:write", "audit:read", "tenant:export", "tenant:delete"})

ROLES: Mapping[Role, frozenset[str]] = {
    Role.OWNER: READ | WRITE | TOKENS | WEBHOOKS | OWNERS,
    Role.ENGINEER: READ | WRITE | TOKENS | WEBHOOKS,
    Role.VIEWER: READ,
    Role.BILLING: frozenset({"insights:read", "models:read", "costs:read"}),
}
"""Role × permission: the one place that decides. Every role's permissions are a subset of the owner's."""

PERMISSIONS = ROLES[Role.OWNER]
"""All permissions inside a tenant; also all scopes a tenant's token may have."""

ADMIN_PERMISSIONS = frozenset(
    {
        "tenants:read",
        "tenants:write",
        "users:read",
        "users:write",
        "identity:read",
        "identity:write",
        "budgets:read",
        "budgets:write",
        "foundation:read",
        "foundation:write",
        "platform:read",
        "platform:write",
    }
)
"""Permissions of platform administrators (`is_staff`), which no tenant role includes."""


def allows(role: str, permission: str) -> bool:
    """Tell whether a tenant role includes a permission."""
    return permission in ROLES[Role(role)]
