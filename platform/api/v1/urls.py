"""All addresses of version 1, collected from the apps."""

from django.urls import URLPattern, URLResolver, path

import alerts.api
import budgets.api
import catalog.api
import insights.api
import registry.api
import runs.api
from api.v1 import (
    account,
    admin,
    admin_identity,
    admin_users,
    audit,
    docs,
    events,
    exports,
    invitations,
    members,
    service_accounts,
    session,
    settings,
    sso,
    tenant,
    tokens,
)

Patterns = list[URLPattern | URLResolver]
APPS = (catalog.api, registry.api, runs.api, budgets.api, alerts.api, insights.api)

common_urls: Patterns = [
    path("session", session.SessionView.as_view(), name="session"),
    *account.urls,
    *docs.urls,
]

people_urls: Patterns = [*invitations.common_urls, *sso.urls]
"""Ways in for tenants' people, which the admin process does not offer."""

tenant_urls: Patterns = [
    *members.urls,
    *invitations.urls,
    *service_accounts.urls,
    *tokens.urls,
    *audit.urls,
    *tenant.urls,
    *exports.urls,
    *settings.urls,
    *events.urls,
]
"""Below `/api/v1/tenants/<slug:tenant>/`."""

admin_urls: Patterns = [*admin.urls, *admin_users.urls, *admin_identity.urls, *audit.admin_urls]
"""Below `/api/v1/admin/`, in processes with the platform's database role."""

for app in APPS:
    tenant_urls += app.tenant_urls
    admin_urls += app.admin_urls
