"""The schema and its pages, which work without the internet: Swagger to try things out, Redoc to read."""

from typing import Any

from django.db import transaction
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

OPEN: dict[str, Any] = {"permission_classes": [], "authentication_classes": []}
SCHEMA = transaction.non_atomic_requests(SpectacularAPIView.as_view(**OPEN))
PAGE = transaction.non_atomic_requests(SpectacularSwaggerSplitView.as_view(url_name="schema", **OPEN))
REDOC = transaction.non_atomic_requests(
    SpectacularRedocView.as_view(url_name="schema", template_name="api/redoc.html", **OPEN)
)

urls = [path("schema", SCHEMA, name="schema"), path("docs", PAGE, name="docs"), path("redoc", REDOC, name="redoc")]
