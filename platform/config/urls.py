"""Addresses. `api.urls` is the tenants' API and the health checks; the admin process adds the admin site and
`api.urls_admin`."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from config.views import dashboard, to_admin

urlpatterns: list[URLPattern | URLResolver] = [path("", include("api.urls"))]

if settings.EXFM_PROCESS in {"web", "stream"}:
    urlpatterns += [re_path(r"^admin(?:/(?P<path>.*))?$", to_admin)]
else:
    urlpatterns += [path("", include("api.urls_admin")), path("admin/", admin.site.urls)]

urlpatterns += [re_path(r"^(?!api/|static/|assets/|healthz|readyz)(?P<path>.*)$", dashboard, name="dashboard")]

handler400 = "api.base.errors.bad_request"
handler403 = "api.base.errors.permission_denied"
handler404 = "api.base.errors.page_not_found"
handler500 = "api.base.errors.server_error"
