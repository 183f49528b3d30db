"""Every address of the API, found by walking the URL patterns: what the tests on rights go through."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from api.base.viewsets import PlatformAdminViewSet, TenantViewSet
from api.base.walls import WalledViewSet
from tenancy.ids import new_id

_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """One method of one address. `view` is None for a view outside the protected viewsets."""

    method: str
    pattern: str
    action: str = ""
    view: type[WalledViewSet] | None = None

    @property
    def permission(self) -> str:
        """The permission it declares."""
        return self.view.required[self.action] if self.view else ""

    @property
    def is_tenants(self) -> bool:
        """Whether it belongs to a tenant."""
        return self.view is not None and issubclass(self.view, TenantViewSet)

    @property
    def is_admins(self) -> bool:
        """Whether it belongs to the administrators."""
        return self.view is not None and issubclass(self.view, PlatformAdminViewSet)

    def path(self, tenant: str = "", **values: Any) -> str:
        """Return the address; ids not given are ids of nothing."""

        def fill(match: re.Match[str]) -> str:
            kind, name = match.groups()
            if name == "tenant":
                return tenant
            return str(values.get(name, new_id() if kind == "uuid" else "nothing-of-that-name"))

        return "/" + _PARAMETER.sub(fill, self.pattern)

    def __str__(self) -> str:
        return f"{self.method.upper()} /{self.pattern}"


def _leaves(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _leaves(entry.url_patterns, here)
        else:
            yield here, entry


def all_routes() -> list[Route]:
    """Return every method of every address below /api/ and the health checks."""
    found = []
    for pattern, entry in _leaves(get_resolver().url_patterns):
        if not pattern.startswith(("api/", "healthz", "readyz")):
            continue
        actions = getattr(entry.callback, "actions", None)
        view = getattr(entry.callback, "cls", None)
        if actions and isinstance(view, type) and issubclass(view, WalledViewSet):
            found += [Route(method, pattern, action, view) for method, action in actions.items() if method != "head"]
        else:
            found.append(Route("get", pattern))
    return sorted(set(found), key=str)
