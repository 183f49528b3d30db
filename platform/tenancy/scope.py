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


def owned(column: str) -> str:
    """Return the condition that a written-out statement puts on a column of tenants' ids: the tenant in scope's alone.

    In the platform's scope it asks nothing. The statement has the tenant as the placeholder `tenant`. PostgreSQL's own
    policies ask the same; it is this condition that leads it to the index.
    """
    return "true" if current_scope().tenant_id is None else f"{column} = %(tenant)s"


def announce(tenant_id: uuid.UUID | str | None, user_id: uuid.UUID | str | None) -> tuple[str | None, str | None]:
    """Tell PostgreSQL who is asking, for the length of the current transaction; return the tenant and user before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('app.tenant', true), current_setting('app.user', true),"
            " set_config('app.tenant', %s, true), set_config('app.user', %s, true)",
            [str(tenant_id or ""), str(user_id or "")],
        )
        before: tuple[str | None, str | None] = cursor.fetchone()[:2]
    return before


@contextmanager
def tenant_scope(tenant_id: uuid.UUID, user_id: uuid.UUID | None = None) -> Iterator[Scope]:
    """Restrict all tenant-owned queries to `tenant_id`, in Python and in PostgreSQL, inside one transaction.

    Inside a longer transaction the scope before is in force again afterwards; a rollback restores it by itself.
    """
    scope = Scope(tenant_id=tenant_id, user_id=user_id)
    token = _scope.set(scope)
    try:
        nested = connection.in_atomic_block
        with transaction.atomic():
            before = announce(tenant_id, user_id)
            yield scope
            if nested and not connection.needs_rollback:
                announce(*before)
    finally:
        _scope.reset(token)


@contextmanager
def request_scope(tenant_id: uuid.UUID, user_id: uuid.UUID) -> Iterator[Scope]:
    """Like `tenant_scope`, for all that is left of the transaction it stands in: what fails in it undoes all of it.

    PostgreSQL heard of the tenant when the membership was read (`selectors.enter`) and forgets it with the
    transaction: no savepoint, nothing to take back. Within a transaction around that one it is `tenant_scope`.
    """
    if not connection.in_atomic_block or connection.savepoint_ids:
        with tenant_scope(tenant_id, user_id) as scope:
            yield scope
        return
    scope = Scope(tenant_id=tenant_id, user_id=user_id)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


@contextmanager
def user_scope(user_id: uuid.UUID) -> Iterator[None]:
    """Show PostgreSQL who the person is before a tenant is known: their own account's rows, one transaction.

    Inside a longer transaction PostgreSQL knows afterwards whom it knew before, `selectors.enter`'s tenant among them.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        before = announce(None, user_id)
        yield
        if nested and not connection.needs_rollback:
            announce(*before)


@contextmanager
def platform_scope(reason: str) -> Iterator[Scope]:
    """Allow queries over all tenants; the platform's database role alone sees rows. `reason` is for readers."""
    scope = Scope(tenant_id=None, reason=reason)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)
