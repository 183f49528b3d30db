"""The first wall's own rules: what a subclass of a protected viewset must declare and may not touch."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from rest_framework.viewsets import GenericViewSet

PROTECTED = (
    "_acting",
    "_check",
    "_check_scopes",
    "_hold",
    "_open",
    "_permission",
    "as_view",
    "authentication_classes",
    "check_permissions",
    "check_throttles",
    "dispatch",
    "get_authenticators",
    "get_exception_handler",
    "get_permissions",
    "get_throttles",
    "handle_exception",
    "initial",
    "initialize_request",
    "perform_authentication",
    "permission_classes",
)
"""What decides who gets in. Overriding one of these in a subclass or mixin is an error at import."""

TRUSTED = ("api.base.viewsets", "api.base.walls", "rest_framework", "django")


class WalledViewSet(GenericViewSet[Any]):
    """A viewset whose every action names the permission it needs, and whose gate no subclass can change.

    Attributes:
        required: action -> permission, e.g. `{"list": "models:read", "pause": "models:write"}`.
        detached: actions outside the request's transaction (long uploads); they open `self.scope()` themselves.
    """

    required: ClassVar[Mapping[str, str]] = {}
    detached: ClassVar[frozenset[str]] = frozenset()
    known_permissions: ClassVar[frozenset[str]] = frozenset()
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__ == "api.base.viewsets":
            return
        touched = [name for name in PROTECTED if not _owner_of(cls, name).startswith(TRUSTED)]
        if touched:
            raise ImproperlyConfigured(
                f"{cls.__name__} overrides {', '.join(touched)}, which guard the tenant. Remove them."
            )
        for action, permission in cls.required.items():
            if permission not in cls.known_permissions:
                raise ImproperlyConfigured(
                    f"{cls.__name__}.required[{action!r}]: {permission!r} is no known permission."
                )
            if not callable(getattr(cls, action, None)):
                raise ImproperlyConfigured(f"{cls.__name__}.required names {action!r}, which is no method.")
        undeclared = sorted(_actions_of(cls) - set(cls.required))
        if undeclared:
            raise ImproperlyConfigured(
                f"{cls.__name__} does not say what {', '.join(undeclared)} requires. Add to `required`."
            )

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        """Refuse undeclared actions; leave the transaction to `dispatch`, which knows which actions are detached."""
        for action in (actions or {}).values():
            if action not in cls.required:
                raise ImproperlyConfigured(
                    f"{cls.__name__} does not say what {action!r} requires. Add it to `required`."
                )
        return transaction.non_atomic_requests(super().as_view(actions, **initkwargs))


def _owner_of(cls: type, name: str) -> str:
    """Return the module of the class that gives `cls` the attribute."""
    return next((base.__module__ for base in cls.__mro__ if name in base.__dict__), TRUSTED[0])


def _actions_of(cls: type) -> set[str]:
    standard = {"list", "create", "retrieve", "update", "partial_update", "destroy"}
    found = {name for name in standard if callable(getattr(cls, name, None))}
    return found | {name for name in dir(cls) if hasattr(getattr(cls, name, None), "mapping")}
