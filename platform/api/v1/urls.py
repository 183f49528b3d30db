"""All addresses of version 1, collected from the apps."""

import importlib
from collections.abc import Sequence

from django.urls import URLPattern, URLResolver, path

from api.v1 import admin, audit, docs, members, session, tokens

Patterns = list[URLPattern | URLResolver]
APPS = ("catalog", "registry", "runs", "budgets", "insights")


def _collect(name: str) -> Sequence[URLPattern | URLResolver]:
    found: Patterns = []
    for app in APPS:
        try:
            module = importlib.import_module(f"{app}.api")
        except ModuleNotFoundError as error:
            if error.name != f"{app}.api":
                raise
            continue
        found += getattr(module, name, [])
    return found


def _events() -> Patterns:
    try:
        from api.v1 import events
    except ImportError:
        return []
    return [*events.urls]


common_urls: Patterns = [path("session", session.SessionView.as_view(), name="session"), *docs.urls]
tenant_urls: Patterns = [*members.urls, *tokens.urls, *audit.urls, *_events(), *_collect("tenant_urls")]
admin_urls: Patterns = [*admin.urls, *_collect("admin_urls")]
