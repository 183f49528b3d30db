"""Every address of the API, found by walking the URL patterns: the role matrix and its tests go through it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from api.base.open_views import METHODS, Access, OpenView
from api.base.viewsets import PlatformAdminViewSet, TenantViewSet
from api.base.walls import WalledViewSet

PLAIN = {
    "healthz": Access.ANYBODY,
    "readyz": Access.ANYBODY,
    "api/v1/schema": Access.ANYBODY,
    "api/v1/docs": Access.ANYBODY,
    "api/v1/redoc": Access.ANYBODY,
}
"""Views that are functions, or another package's, and who may call them."""

STREAMS = {"api/v1/tenants/<slug:tenant>/events": "runs:read"}
"""Asynchronous views of a tenant, which check member, role and scope with the viewsets' own functions."""

PREFIXES = ("api/", *(name for name in PLAIN if "/" not in name))


@dataclass(frozen=True)
class Route:
    """One method of one address; `view` is None for a plain view."""

    method: str
    pattern: str
    action: str = ""
    view: type[WalledViewSet] | None = None
    access: Access | None = None

    @property
    def permission(self) -> str:
        """The permission it declares; "" where it is no tenant's and no administrator's."""
        return self.view.required[self.action] if self.view else STREAMS.get(self.pattern, "")

    @property
    def is_tenants(self) -> bool:
        """Whether it is a viewset's of a tenant."""
        return self.view is not None and issubclass(self.view, TenantViewSet)

    @property
    def is_admins(self) -> bool:
        """Whether it belongs to the administrators."""
        return self.view is not None and issubclass(self.view, PlatformAdminViewSet)

    def __str__(self) -> str:
        return f"{self.method.upper()} /{self.pattern}"


def all_routes() -> list[Route]:
    """Return every method of every address below /api/ and the health checks; raise where nobody says who may call."""
    found = []
    for pattern, entry in _leaves(get_resolver().url_patterns):
        if pattern.startswith(PREFIXES):
            found += list(_methods(pattern, entry))
    return sorted(set(found), key=str)


def _methods(pattern: str, entry: URLPattern) -> Iterator[Route]:
    actions = getattr(entry.callback, "actions", None)
    view = getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None)
    if actions and isinstance(view, type) and issubclass(view, WalledViewSet):
        for method, action in actions.items():
            if method != "head":
                yield Route(method, pattern, action, view)
    elif isinstance(view, type) and issubclass(view, OpenView):
        for method in METHODS:
            if method in view.access:
                yield Route(method, pattern, access=view.access[method])
    elif pattern in PLAIN:
        yield Route("get", pattern, access=PLAIN[pattern])
    elif pattern in STREAMS:
        yield Route("get", pattern)
    else:
        raise LookupError(f"/{pattern} does not say who may call it: make it a viewset or an OpenView, or name it here")


_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


def parameters(pattern: str) -> list[tuple[str, str]]:
    """Return kind and name of each value in the address."""
    return [(kind, name) for kind, name in _PARAMETER.findall(pattern)]


def fill(pattern: str, values: dict[str, Any]) -> str:
    """Return the address with its values in place."""
    return "/" + _PARAMETER.sub(lambda match: str(values[match.group(2)]), pattern)


def _leaves(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _leaves(entry.url_patterns, here)
        else:
            yield here, entry
