"""Addresses of the administrators' API, in the admin process only."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
