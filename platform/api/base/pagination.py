"""Cursor pagination: stable under inserts, the same work on every page."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework import exceptions, pagination
from rest_framework.response import Response

from tenancy.errors import Invalid, NotFound


class CursorPagination(pagination.CursorPagination):
    """`{"results", "next", "previous"}`; the links are relative to the origin, so that no proxy can make them wrong.

    A view changes the order with `pagination_order`; its first field must be unique. Ids are UUIDv7: newest first.
    """

    ordering = ("-id",)
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any] | None:
        """Return the page's rows; a cursor whose place can be no value of the order's field is nobody's."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, DataError, exceptions.NotFound) as error:
            if not request.query_params.get(self.cursor_query_param):
                raise
            raise NotFound(
                "cursor_invalid", "This cursor is none of this list.", "Begin without cursor, then follow `next`."
            ) from error

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        """Return the order that the request asks for, where the list has several, else the view's."""
        order = tuple(getattr(view, "pagination_order", self.ordering))
        filters = getattr(view, "list_filter", None)
        return order if filters is None else tuple(filters.order(request, order))

    def get_page_size(self, request: Any) -> int:
        """Return `limit`, at most 200; what is no positive number is refused, never ignored."""
        asked = request.query_params.getlist(self.page_size_query_param)
        if not asked:
            return self.page_size
        if len(asked) > 1 or not re.fullmatch(r"0*[1-9][0-9]{0,30}", asked[0], re.ASCII):
            raise Invalid("bad_value", "limit is not a positive number.", "Give 1 to 200.", field="limit")
        return min(int(asked[0]), self.max_page_size)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters for OpenAPI."""
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in found:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = {"type": "integer", "minimum": 1}
                parameter["description"] = (
                    f"results per page, {self.page_size} unless given, {self.max_page_size} at most"
                )
        return found

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
