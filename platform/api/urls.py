"""Addresses of the API and of the health checks. The admin process serves no tenants' addresses: it sees too much."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from api import health
from api.v1 import urls as v1

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", include(v1.common_urls)),
]

if settings.EXFM_PROCESS != "admin":
    urlpatterns += [
        path("api/v1/", include(v1.people_urls)),
        path("api/v1/tenants/<slug:tenant>/", include(v1.tenant_urls)),
    ]
