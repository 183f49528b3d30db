"""All addresses of version 1, collected from the apps."""

from django.urls import URLPattern, URLResolver, path

import alerts.api
import budgets.api
import catalog.api
import insights.api
import registry.api
import runs.api
from api.v1 import admin, audit, docs, events, members, session, tokens

Patterns = list[URLPattern | URLResolver]
APPS = (catalog.api, registry.api, runs.api, budgets.api, alerts.api, insights.api)

common_urls: Patterns = [path("session", session.SessionView.as_view(), name="session"), *docs.urls]

tenant_urls: Patterns = [*members.urls, *tokens.urls, *audit.urls, *events.urls]
"""Below `/api/v1/tenants/<slug:tenant>/`."""

admin_urls: Patterns = [*admin.urls]
"""Below `/api/v1/admin/`, in processes with the platform's database role."""

for app in APPS:
    tenant_urls += app.tenant_urls
    admin_urls += app.admin_urls
