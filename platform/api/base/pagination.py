"""Cursor pagination: stable under inserts, the same work on every page."""

from typing import Any
from urllib.parse import urlsplit

from rest_framework import pagination
from rest_framework.response import Response


class CursorPagination(pagination.CursorPagination):
    """`{"results", "next", "previous"}`; the links are relative to the origin, so that no proxy can make them wrong.

    A view changes the order with `pagination_order`; its first field must be unique. Ids are UUIDv7: newest first.
    """

    ordering = ("-id",)
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        """Return the order that the request asks for, where the list has several, else the view's."""
        order = tuple(getattr(view, "pagination_order", self.ordering))
        filters = getattr(view, "list_filter", None)
        return order if filters is None else tuple(filters.order(request, order))

    def get_next_link(self) -> str | None:
        """Return path and query of the next page."""
        return _relative(super().get_next_link())

    def get_previous_link(self) -> str | None:
        """Return path and query of the previous page."""
        return _relative(super().get_previous_link())

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page."""
        return Response({"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the page for OpenAPI."""
        link = {"type": ["string", "null"], "description": "path and query of that page"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }


def _relative(link: str | None) -> str | None:
    if link is None:
        return None
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"
