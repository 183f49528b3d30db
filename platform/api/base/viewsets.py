"""Bases of all views on tenants' and administrators' data."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, ClassVar, TypeVar, cast, final

import structlog
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.authentication import again
from api.base.errors import request_id_of
from api.base.pagination import CursorPagination
from api.base.rows import Rows
from api.base.throttling import CredentialThrottle
from api.base.walls import WalledViewSet
from tenancy import proofs, selectors
from tenancy.context import Actor, acting
from tenancy.errors import Forbidden, NotFound
from tenancy.lists import ReadList
from tenancy.models import Membership, Tenant, User
from tenancy.roles import ADMIN_PERMISSIONS, PERMISSIONS, ROLES, allows
from tenancy.scope import platform_scope, request_scope
from tenancy.tokens import TokenGrant

T = TypeVar("T")


class ScopedViewSet(WalledViewSet):
    """Opens one transaction and one scope around each action, whatever the server (WSGI, ASGI) and the pool."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [CredentialThrottle]
    pagination_class = CursorPagination

    _slug: str | None = None
    _stack: ExitStack
    in_transaction = True

    @final
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run the action inside its transaction and scope; both end here, whatever happens."""
        self._slug = kwargs.pop("tenant", None)
        detached = self.action_map.get(request.method.lower()) in self.detached
        self.in_transaction = not detached
        with ExitStack() as self._stack:
            if self.in_transaction:
                self._stack.enter_context(transaction.atomic())
            answer = super().dispatch(request, *args, **kwargs)
        if answer.streaming:
            _back_to_the_pool()  # who reads slowly may take an hour
        return answer

    @final
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and throttle, then check the tenant, the role and the token's scopes, then open the scope."""
        super().initial(request, *args, **kwargs)
        if self.action in self.detached:
            with transaction.atomic():
                self._check(request)
            _back_to_the_pool()  # the body may take minutes
            return
        self._check(request)
        self._stack.enter_context(self._acting())
        self._stack.enter_context(self._open())

    def page_of(self, rows: ReadList[T]) -> list[T]:
        """Return the page that the request asks for of a list that is no queryset."""
        paginator: Any = self.paginator
        return list(paginator.paginate_queryset(rows, self.request, view=self))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """For detached actions: one transaction under the tenant, attributed to the caller.

        The body may have taken long: whoever was signed out, suspended, removed or demoted meanwhile is refused here.
        """
        self.request.user, self.request.auth = again(self.request._request)
        with transaction.atomic():
            self._hold()
            self._check(self.request)
            with self._acting(), self._open():
                yield
        _back_to_the_pool()

    def check_again(self) -> None:
        """Raise `DomainError` where the caller may not do this any more; for answers that take long to be sent."""
        with self.scope():
            pass

    @property
    def user(self) -> User:
        """The signed-in user, or the user of the token."""
        return cast(User, self.request.user)

    def page(self, rows: QuerySet[Any], written: Rows) -> Response:
        """Return a page of rows without making objects of them."""
        return self.get_paginated_response(written.write(self.paginate_queryset(written.read(rows)) or []))

    def _check(self, request: Request) -> None:
        raise NotImplementedError

    def _hold(self) -> None:
        """Keep what `_check` reads from changing before the transaction ends."""

    def _open(self) -> AbstractContextManager[Any]:
        raise NotImplementedError

    def _acting(self) -> AbstractContextManager[Actor]:
        grant = self.request.auth if isinstance(self.request.auth, TokenGrant) else None
        structlog.contextvars.bind_contextvars(user=str(self.user.pk))
        return acting(
            Actor(
                label=self.user.label,
                user_id=self.user.pk,
                token_prefix=grant.prefix if grant else "",
                request_id=request_id_of(self.request._request),
            )
        )

    def _permission(self, request: Request) -> str:
        permission = self.required.get(self.action or "")
        if permission is None:
            raise MethodNotAllowed(request.method or "")
        return permission

    def _check_scopes(self, permission: str) -> None:
        grant = self.request.auth
        if isinstance(grant, TokenGrant) and permission not in grant.scopes:
            raise Forbidden(
                "scope_missing",
                f"This token lacks the scope {permission}.",
                f"Make a token with the scope {permission}.",
            )


class TenantViewSet(ScopedViewSet):
    """Base of every view below `/api/v1/tenants/{tenant}/`.

    The tenant comes from the URL. Not signed in: 401; not a member, another tenant's token, no such tenant: 404, the
    same answer for all three; suspended tenant, role too low, scope missing: 403. Inside the action `self.tenant` and
    `self.membership` are set and the tenant's scope is open.
    """

    known_permissions: ClassVar[frozenset[str]] = PERMISSIONS

    membership: Membership

    @property
    def tenant(self) -> Tenant:
        """The tenant of the URL."""
        return self.membership.tenant

    def may(self, permission: str) -> bool:
        """Tell whether the caller's role and token include a further permission."""
        grant = self.request.auth
        return allows(self.membership.role, permission) and (
            not isinstance(grant, TokenGrant) or permission in grant.scopes
        )

    @final
    def _check(self, request: Request) -> None:
        self.membership = check_member(
            user=self.user, grant=request.auth, slug=self._slug or "", session=request._request.session
        )
        permission = self._permission(request)
        check_role(self.membership, permission)
        self._check_scopes(permission)

    @final
    def _hold(self) -> None:
        selectors.hold_tenant(tenant_id=self.tenant.id)

    @final
    def _open(self) -> AbstractContextManager[Any]:
        structlog.contextvars.bind_contextvars(tenant=self.tenant.slug)
        return request_scope(self.tenant.id, self.user.pk)


class PlatformAdminViewSet(ScopedViewSet):
    """Base of every view below `/api/v1/admin/`: platform administrators, in processes with the platform's role."""

    known_permissions: ClassVar[frozenset[str]] = ADMIN_PERMISSIONS

    @final
    def _check(self, request: Request) -> None:
        grant = request.auth
        if not self.user.is_staff or (isinstance(grant, TokenGrant) and grant.tenant_id is not None):
            raise Forbidden("administrators_only", "Only platform administrators may do this.", "Sign in as one.")
        if grant is None and not proofs.may_operate(request._request.session, self.user):
            raise proofs.refuse("The administrators' API")
        self._check_scopes(self._permission(request))

    @final
    def _open(self) -> AbstractContextManager[Any]:
        return platform_scope(f"administrator {self.user.email}")


def _back_to_the_pool() -> None:
    """Give the database connection back before the request's end: a few slow clients would hold all of them."""
    if not connection.in_atomic_block:
        connection.close()


def check_member(*, user: User, grant: Any, slug: str, session: SessionBase) -> Membership:
    """Return the caller's membership of the tenant; 404 where the caller may not know the tenant.

    403 where it is suspended, or asks the session for a second factor that was not shown. PostgreSQL knows the tenant
    from here on (`selectors.enter`), which whoever refuses, here or later, takes back with the transaction.
    """
    membership = selectors.enter(user_id=user.pk, slug=slug)
    foreign = isinstance(grant, TokenGrant) and (membership is None or grant.tenant_id != membership.tenant_id)
    if membership is None or foreign:
        raise NotFound("tenant_not_found", "There is no such tenant.", "GET /api/v1/session lists your tenants.")
    if membership.tenant.status != Tenant.Status.ACTIVE:
        raise Forbidden(
            "tenant_suspended", f"{membership.tenant.name} is suspended.", "Ask the platform's administrators."
        )
    if grant is None and proofs.lacks(session, user, membership.tenant):
        raise proofs.refuse(membership.tenant.name)
    return membership


def check_role(membership: Membership, permission: str) -> None:
    """Raise 403 unless the member's role includes the permission."""
    if not allows(membership.role, permission):
        able = ", ".join(role.value for role, permissions in ROLES.items() if permission in permissions)
        raise Forbidden(
            "role_too_low",
            f"Your role, {membership.role}, does not include {permission}.",
            f"Roles that do: {able}. Ask an owner.",
        )
