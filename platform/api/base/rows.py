"""Lists without objects: the columns that a serializer class shows are read, and written as they come.

A page of fifty models or tokens is fifty to a hundred objects of which nothing is used but a few attributes; making
them takes longer than all the rest of the request. `Rows` works out once which columns a serializer class needs.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from api.base.representation import column_converter

Row = Mapping[str, Any]


class Rows:
    """How a serializer class's fields are read from columns: `queryset.values(*columns)`, then `write`.

    Arguments:
        serializer: what is shown; every field must be a plain column of the model or of what it refers to
            (`source="user.email"` is the column `user__email`), unless it is in `made`.
        also: further columns, for `made` and for the order of the pages.
        made: fields that are no column, with what makes them of the row.

    TypeError names a field that is no column.
    """

    def __init__(
        self,
        serializer: type[serializers.BaseSerializer[Any]],
        *,
        also: Iterable[str] = (),
        **made: Callable[[Row], Any],
    ) -> None:
        self._paths: dict[str, str | None] = {}
        self._convert: dict[str, Callable[[Any], Any]] = {}
        self._made = made
        for field in serializer()._readable_fields:  # type: ignore[attr-defined]
            name = field.field_name
            if name in made:
                self._paths[name] = None
                continue
            self._paths[name] = "__".join(field.source_attrs)
            convert = column_converter(field)
            if convert is not None:
                self._convert[name] = convert
        self.columns = tuple(dict.fromkeys([*filter(None, self._paths.values()), *also]))

    def read(self, rows: QuerySet[Any]) -> QuerySet[Any, dict[str, Any]]:
        """Return the same rows as columns."""
        return rows.values(*self.columns)

    def write(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Return what the serializer would have written of the objects, for the renderer."""
        paths, converted, made = self._paths.items(), self._convert.items(), self._made.items()
        written = []
        for row in rows:
            item = {name: row[path] if path else None for name, path in paths}
            for name, convert in converted:
                if item[name] is not None:
                    item[name] = convert(item[name])
            for name, make in made:
                item[name] = make(row)
            written.append(item)
        return written
