"""Bases of all serializers: unknown fields are refused by name, never ignored."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class _Strict(serializers.BaseSerializer):
    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields, then validate as usual."""
        if isinstance(data, Mapping):
            fields = {name for name, field in self.fields.items() if not field.read_only}  # type: ignore[attr-defined]
            unknown = [str(name) for name in data if name not in fields]
            if unknown:
                known = ", ".join(sorted(fields)) or "none"
                raise serializers.ValidationError(
                    {
                        name: [serializers.ErrorDetail(f"This field is unknown; known are: {known}.", "unknown_field")]
                        for name in unknown
                    }
                )
        return super().to_internal_value(data)


class StrictSerializer(_Strict, serializers.Serializer[Any]):
    """Base of serializers of plain data."""


class StrictModelSerializer(_Strict, serializers.ModelSerializer[Any]):
    """Base of serializers of a model's fields."""
