"""The schema and its pages, which work without the internet."""

from django.db import transaction
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

SCHEMA = transaction.non_atomic_requests(SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[]))
PAGE = transaction.non_atomic_requests(
    SpectacularSwaggerSplitView.as_view(url_name="schema", permission_classes=[], authentication_classes=[])
)

urls = [path("schema", SCHEMA, name="schema"), path("docs", PAGE, name="docs")]
