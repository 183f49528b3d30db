"""The second wall: every query of tenant-owned rows happens inside a declared scope.

`tenant_scope` also tells PostgreSQL who is asking (`app.tenant`, `app.user`, both local to the transaction), which is
what the row-level security policies read.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import connection, transaction


class TenantScopeMissing(RuntimeError):
    """Tenant-owned rows were queried outside `tenant_scope` and `platform_scope`: a programming error."""


@dataclass(frozen=True)
class Scope:
    """Who is asking: one tenant, or the platform itself (`tenant_id` None)."""

    tenant_id: uuid.UUID | None
    user_id: uuid.UUID | None = None
    reason: str = ""


_scope: ContextVar[Scope | None] = ContextVar("exfm_scope", default=None)


def current_scope() -> Scope:
    """Return the scope in force, or raise `TenantScopeMissing`."""
    scope = _scope.get()
    if scope is None:
        raise TenantScopeMissing("no tenant scope: wrap the query in tenant_scope(…) or platform_scope(…)")
    return scope


def announce(tenant_id: uuid.UUID | None, user_id: uuid.UUID | None) -> None:
    """Tell PostgreSQL who is asking, for the length of the current transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.tenant', %s, true), set_config('app.user', %s, true)",
            [str(tenant_id or ""), str(user_id or "")],
        )


@contextmanager
def tenant_scope(tenant_id: uuid.UUID, user_id: uuid.UUID | None = None) -> Iterator[Scope]:
    """Restrict all tenant-owned queries to `tenant_id`, in Python and in PostgreSQL, inside one transaction.

    Inside a longer transaction the scope before is in force again afterwards; a rollback restores it by itself.
    """
    outer = _scope.get()
    scope = Scope(tenant_id=tenant_id, user_id=user_id)
    token = _scope.set(scope)
    try:
        nested = connection.in_atomic_block
        with transaction.atomic():
            announce(tenant_id, user_id)
            yield scope
            if nested and not connection.needs_rollback:
                announce(outer.tenant_id if outer else None, outer.user_id if outer else None)
    finally:
        _scope.reset(token)


@contextmanager
def user_scope(user_id: uuid.UUID) -> Iterator[None]:
    """Show PostgreSQL who the person is before a tenant is known: their own account's rows, one transaction."""
    outer = _scope.get()
    nested = connection.in_atomic_block
    with transaction.atomic():
        announce(None, user_id)
        yield
        if nested and not connection.needs_rollback:
            announce(outer.tenant_id if outer else None, outer.user_id if outer else None)


@contextmanager
def platform_scope(reason: str) -> Iterator[Scope]:
    """Allow queries over all tenants; the platform's database role alone sees rows. `reason` is for readers."""
    scope = Scope(tenant_id=None, reason=reason)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)
