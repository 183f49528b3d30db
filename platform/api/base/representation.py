"""How rows become JSON: worked out once per serializer class, not once per row.

REST framework copies a serializer's fields for every instance and asks each field, row by row, how to reach and write
its value. On a page of 200 rows that is most of the request. Here a class's fields are looked at once; what they would
write is unchanged (a test compares the two over every serializer), and whatever is not plain goes REST framework's way.
"""

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models.manager import BaseManager
from rest_framework import serializers
from rest_framework.fields import SkipField
from rest_framework.relations import PKOnlyObject

Convert = Callable[[Any], Any]
Represent = Callable[[Any], dict[str, Any]]


@functools.cache
def representation_of(serializer: type[serializers.Serializer[Any]]) -> Represent:
    """Return what turns one object, or mapping, into the dictionary that the serializer class describes."""
    columns = [_column(field) for field in serializer()._readable_fields]

    def represent(instance: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, sources, convert, field in columns:
            try:
                value = _read(instance, sources) if sources else field.get_attribute(instance)
                if callable(value):
                    value = field.get_attribute(instance)
            except (AttributeError, KeyError):
                try:
                    value = field.get_attribute(instance)  # its default, or the error with all names
                except SkipField:
                    continue
            except SkipField:
                continue
            if value is None or (isinstance(value, PKOnlyObject) and value.pk is None):
                made[name] = None
            else:
                made[name] = convert(value)
        return made

    return represent


def _column(field: Any) -> tuple[str, list[str], Convert, Any]:
    """Return a field's name, the attributes that lead to it (none: it knows how), what writes its value, and it."""
    plain = type(field).get_attribute is serializers.Field.get_attribute
    return field.field_name, field.source_attrs if plain else [], _converter(field), field


def _read(value: Any, sources: list[str]) -> Any:
    for source in sources:
        value = value[source] if isinstance(value, (dict, Mapping)) else getattr(value, source)
    return value


def _converter(field: Any) -> Convert:
    writes = type(field).to_representation
    if isinstance(field, serializers.ListSerializer):
        if writes is serializers.ListSerializer.to_representation:
            return _each(_converter(field.child), none=False)
    elif isinstance(field, serializers.Serializer):
        if getattr(writes, "compiled", False):
            return _later(type(field))
    elif writes is serializers.UUIDField.to_representation:
        return str if field.uuid_format == "hex_verbose" else field.to_representation
    elif writes is serializers.CharField.to_representation:
        return str
    elif writes is serializers.IntegerField.to_representation:
        return int
    elif writes is serializers.FloatField.to_representation:
        return float
    elif writes is serializers.DateTimeField.to_representation:
        return functools.partial(_moment, otherwise=field.to_representation)
    elif writes is serializers.DecimalField.to_representation and not (field.normalize_output or field.localize):
        return functools.partial(_amount, places=field.decimal_places, otherwise=field.to_representation)
    elif writes is serializers.ListField.to_representation:
        return _each(_converter(field.child), none=True)
    return field.to_representation  # type: ignore[no-any-return]


_AS_IT_IS = (
    serializers.UUIDField, serializers.CharField, serializers.ChoiceField, serializers.IntegerField,
    serializers.FloatField, serializers.BooleanField, serializers.DateTimeField, serializers.JSONField,
)  # fmt: skip
"""Fields whose columns the renderer writes as the field would: `api.base.rendering` knows moments and UUIDs."""


def column_converter(field: Any) -> Convert | None:
    """Return what writes a field's column, None where it is written as it comes. TypeError for what is no column."""
    if isinstance(field, serializers.BaseSerializer) or (
        type(field).get_attribute is not serializers.Field.get_attribute or not field.source_attrs
    ):
        raise TypeError(f"{field.field_name} is not a column: say how it is made")
    kind = next((kind for kind in _AS_IT_IS if type(field).to_representation is kind.to_representation), None)
    if kind is not None and getattr(field, "uuid_format", "hex_verbose") == "hex_verbose":
        return None
    return _converter(field)


def _each(convert: Convert, *, none: bool) -> Convert:
    """Return what writes a list; `none`: an item may be null, and stays it."""

    def items(values: Any) -> list[Any]:
        rows = values.all() if isinstance(values, BaseManager) else values
        return [None if none and row is None else convert(row) for row in rows]

    return items


def _later(serializer: type[serializers.Serializer[Any]]) -> Convert:
    """Return the representation of a nested class, looked up when it is needed: a class may hold itself."""
    return lambda value: representation_of(serializer)(value)


def _moment(value: Any, *, otherwise: Convert) -> Any:
    """Write a moment in UTC as ISO 8601 with a Z."""
    if type(value) is datetime and value.tzinfo is UTC:
        return f"{value.replace(tzinfo=None).isoformat()}Z"
    return otherwise(value)


def _amount(value: Any, *, places: int, otherwise: Convert) -> Any:
    """Write an amount that has its places already, as the database gives it, without rounding it anew."""
    if type(value) is Decimal and value.as_tuple().exponent == -places:
        return f"{value:f}"
    return otherwise(value)
