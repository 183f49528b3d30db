"""Addresses of the administrators' API, mounted where the process has the platform's database role."""

from django.urls import URLPattern, URLResolver, include, path

from api.v1 import urls as v1

urlpatterns: list[URLPattern | URLResolver] = [path("api/v1/admin/", include(v1.admin_urls))]
