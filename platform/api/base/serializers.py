"""Bases of all serializers: unknown fields are refused by name, never ignored."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from api.base.representation import representation_of
from api.base.strict_json import JSONObject

TYPES: tuple[tuple[type[serializers.Field], tuple[type, ...], str], ...] = (
    (serializers.CharField, (str,), "Not a valid string."),
    (serializers.BooleanField, (bool,), "Must be true or false."),
    (serializers.IntegerField, (int, float), "A valid integer is required."),
    (serializers.FloatField, (int, float), "A valid number is required."),
    (serializers.DecimalField, (str,), "Money is sent as text, so that no digit is lost."),
)
"""Field -> the JSON types it takes; REST framework would make text of numbers, and truth of text."""


NOT_BLANK = r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""What a text has that REST framework does not strip down to nothing, as strip() knows white space.

Written out: in a description \\s is JavaScript's, which lacks five of these characters and has one that strip() leaves.
"""


class Strict(serializers.BaseSerializer):
    """Refuses unknown fields, and in a JSON body values of another JSON type than the description's."""

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
        wrong = self._of_other_types(data) if isinstance(data, JSONObject) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if wrong and isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **wrong}) from error
            raise
        if wrong:
            raise serializers.ValidationError(wrong)
        return value

    def to_representation(self, instance: Any) -> Any:
        """Return what the class describes of the object; the same for all instances of the class."""
        return representation_of(type(self))(instance)  # type: ignore[arg-type]

    to_representation.compiled = True  # type: ignore[attr-defined]

    def _of_other_types(self, data: JSONObject) -> dict[str, Any]:
        wrong: dict[str, Any] = {}
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            value = data.get(name)
            if value is None or field.read_only:
                continue
            if isinstance(field, serializers.ListField) and isinstance(value, list) and field.child is not None:
                found = [_type_error(field.child, item) for item in value]
                if any(found):
                    wrong[name] = {index: [error] for index, error in enumerate(found) if error}
            elif error := _type_error(field, value):
                wrong[name] = [error]
        return wrong


class StrictSerializer(Strict, serializers.Serializer[Any]):
    """Base of serializers of plain data."""


def refuse_body(request: Request) -> None:
    """Refuse by name what is sent to an action that takes nothing."""
    StrictSerializer(data=request.data).is_valid(raise_exception=True)


class StrictModelSerializer(Strict, serializers.ModelSerializer[Any]):
    """Base of serializers of a model's fields."""


def _type_error(field: Any, value: Any) -> serializers.ErrorDetail | None:
    """Say what is wrong with the JSON type of a field's value; null is the field's own business."""
    for kind, types, message in TYPES:
        if isinstance(field, kind) and value is not None:
            fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            return None if fits else serializers.ErrorDetail(message, "invalid")
    return None
