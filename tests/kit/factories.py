"""Rows of tenancy for tests, made under the platform's role. `tests/kit/domain.py` makes the rest."""

import itertools
from typing import Any

from tenancy.models import ApiToken, Membership, Role, Tenant, User
from tenancy.scope import platform_scope
from tenancy.tokens import Secret, fresh

_count = itertools.count(1_000_001)
"""All of one length, so that names stand in the order they were made, whatever tests ran before."""

PASSWORD = "correct horse battery"


def make_user(**fields: Any) -> User:
    """Store a user whose password is `PASSWORD`."""
    number = next(_count)
    values = {"email": f"person-{number}@example.com", "name": f"Person {number}", "password": PASSWORD, **fields}
    return User.objects.create_user(**values)


def make_tenant(**fields: Any) -> Tenant:
    """Store a tenant."""
    number = next(_count)
    return Tenant.objects.create(**{"slug": f"tenant-{number}", "name": f"Tenant {number}", **fields})


def make_member(tenant: Tenant, role: Role, **fields: Any) -> User:
    """Store a user with a role in the tenant."""
    user = make_user(**fields)
    with platform_scope("factory"):
        Membership.objects.create(tenant=tenant, user=user, role=role)
    return user


def make_token(user: User, tenant: Tenant | None, scopes: list[str], **fields: Any) -> tuple[ApiToken, str]:
    """Store a token; return it with its text."""
    secret: Secret = fresh()
    values = {"name": "test", "prefix": secret.prefix, "digest": secret.digest, "scopes": scopes, **fields}
    with platform_scope("factory"):
        row = ApiToken.objects.create(tenant=tenant, user=user, **values)
    return row, secret.text
