"""Base of views that belong to no tenant: sessions, the caller's own account, one-time links, single sign-on."""

from collections.abc import Mapping
from contextlib import ExitStack
from enum import StrEnum
from typing import Any, ClassVar, cast, final

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api.base.errors import request_id_of
from api.base.throttling import AnonymousThrottle, CredentialThrottle
from tenancy.context import Actor, acting
from tenancy.errors import Forbidden, Unauthenticated
from tenancy.models import User


class Access(StrEnum):
    """Who may call a method of an open view; the role matrix publishes it."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    SESSION = "signed in by session"


METHODS = ("get", "post", "put", "patch", "delete")


@method_decorator(transaction.non_atomic_requests, name="dispatch")
@method_decorator(sensitive_post_parameters(), name="dispatch")
@method_decorator(csrf_protect, name="dispatch")
class OpenView(APIView):
    """A view whose every method names who may call it. Not atomic: what is refused must still be counted.

    Attributes:
        access: method -> who; a session's owner may do what a token must not, such as changing the password.
    """

    access: ClassVar[Mapping[str, Access]] = {}
    permission_classes = []
    in_transaction = False
    _stack: ExitStack

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        offered = {method for method in METHODS if hasattr(cls, method)}
        if offered != set(cls.access):
            raise ImproperlyConfigured(f"{cls.__name__}.access must name who may call {', '.join(sorted(offered))}.")

    @property
    def user(self) -> User:
        """The signed-in user."""
        return cast(User, self.request.user)

    def get_throttles(self) -> list[BaseThrottle]:
        """What anybody may call is limited per network address, and more tightly."""
        anybody = self.access.get((self.request.method or "").lower()) == Access.ANYBODY
        return [AnonymousThrottle() if anybody and self.request.method != "GET" else CredentialThrottle()]

    @final
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Attribute what happens inside to the caller."""
        with ExitStack() as self._stack:
            return super().dispatch(request, *args, **kwargs)

    @final
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and throttle, then check that the caller may call this method."""
        super().initial(request, *args, **kwargs)
        access = self.access.get((request.method or "").lower(), Access.ANYBODY)
        known = request.user is not None and request.user.is_authenticated
        if access != Access.ANYBODY and not known:
            raise Unauthenticated()
        if access == Access.SESSION and request.auth is not None:
            raise Forbidden("session_only", "A token may not do this.", "Sign in with your password and do it there.")
        label, user_id = (self.user.email, self.user.pk) if known else ("anonymous", None)
        actor = Actor(label=label, user_id=user_id, request_id=request_id_of(request._request))
        self._stack.enter_context(acting(actor))
