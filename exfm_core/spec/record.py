"""JSON form of the frozen specs: one generic encoder and decoder that names what it refuses."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import types
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, Union, cast, get_args, get_origin, get_type_hints

from exfm_core.errors import SpecError

NAME_PATTERN = r"[a-z][a-z0-9_]{0,62}"
_NAME = re.compile(NAME_PATTERN + r"\Z")


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number: metadata of an ``Annotated`` field, checked by ``check_ranges`` and told by the schema."""

    low: float
    high: float
    open_low: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Pattern:
    """What a text must match, told by the schema; ``check_name`` checks it."""

    regex: str


Name = Annotated[str, Pattern(f"^{NAME_PATTERN}$")]


class Record:
    """Mixin for frozen dataclasses: JSON out and in with unknown fields refused by name, and their JSON Schema."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready object; nested records become objects, tuples become lists."""
        return {field.name: encode(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, path: str = "") -> Self:
        """Build the record from a JSON object.

        ``path`` is where the object stands in a larger document; it appears in error messages.
        A document of an older schema version is migrated first.
        Raises SpecError for a wrong type, an unknown or a missing field.
        """
        where = path or cls.__name__
        if not isinstance(data, Mapping):
            raise SpecError("spec.not_an_object", f"{where} must be a JSON object, not {_said(data)}.", "Write {…}.")
        data = cls._of_today(data, where)
        fields = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(str(name) for name in data if name not in fields)
        if unknown:
            raise SpecError(
                "spec.unknown_field",
                f"{where} has no field {', '.join(map(repr, unknown))}.",
                f"Known fields: {', '.join(fields)}.",
            )
        hints = _hints(cast(Hashable, cls))
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name in data:
                values[name] = _decode(hints[name], data[name], f"{where}.{name}")
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise SpecError("spec.missing_field", f"{where} needs the field {name!r}.", f"Add {name!r}.")
        return cls(**values)

    @classmethod
    def _of_today(cls, data: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """The document in today's form; records with versions migrate here."""
        return data

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the record's JSON Schema (draft 2020-12): what ``from_json`` takes, as a form can show it.

        Bounds that depend on other fields are not in it: ``from_json`` has the last word.
        """
        from exfm_core.spec.schema import json_schema  # imported here: no run needs it

        return json_schema(cls)

    def check_ranges(self) -> None:
        """Refuse a value outside the ``Range`` of its field. Raises SpecError."""
        for name, bounds, whole in _ranges(cast(Hashable, type(self))):
            path = f"{type(self).__name__}.{name}"
            if whole:
                check_int(getattr(self, name), path, int(bounds.low), int(bounds.high))
            else:
                check_float(getattr(self, name), path, bounds.low, bounds.high, open_low=bounds.open_low)


@functools.cache
def _ranges(record: Hashable) -> tuple[tuple[str, Range, bool], ...]:
    hints = get_type_hints(record, include_extras=True)
    found = ((name, get_args(hint)) for name, hint in hints.items())
    return tuple((name, item, args[0] is int) for name, args in found for item in args[1:] if isinstance(item, Range))


@functools.cache
def _hints(record: Hashable) -> dict[str, Any]:
    return get_type_hints(record)


def encode(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def _decode(hint: Any, value: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin is Literal:
        return check_choice(value, get_args(hint), path)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise SpecError("spec.wrong_type", f"{path} must be a list, not {_said(value)}.", "Write […].")
        item_hint = get_args(hint)[0]
        return tuple(_decode(item_hint, item, f"{path}[{i}]") for i, item in enumerate(value))
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return None if value is None else _decode(options[0], value, path)
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json(value, path=path)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise SpecError("spec.wrong_type", f"{path} must be {hint.__name__}, not {_said(value)}.", "Mend the value.")
    return value


def _said(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '…'}"


def check_choice(value: Any, choices: tuple[Any, ...], path: str) -> Any:
    """Return ``value`` if it is one of ``choices``, else raise SpecError."""
    if value not in choices or isinstance(value, bool):
        raise SpecError(
            "spec.not_a_choice",
            f"{path} is {value!r}.",
            f"Choose one of {', '.join(repr(choice) for choice in choices)}.",
        )
    return value


def check_name(value: Any, path: str) -> None:
    """Refuse anything that is not a lower-case column name such as ``item_id``."""
    if not isinstance(value, str) or not _NAME.match(value):
        raise SpecError(
            "spec.bad_name",
            f"{path} is {value!r}.",
            "Use a lower-case letter, then letters, digits or underscores (63 at most).",
        )


def check_int(value: Any, path: str, low: int, high: int) -> None:
    """Refuse anything that is not an integer in ``[low, high]``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError("spec.out_of_range", f"{path} is {value!r}.", f"Use a whole number from {low} to {high}.")


def check_float(value: Any, path: str, low: float, high: float, *, open_low: bool = False) -> None:
    """Refuse anything that is not a finite number in ``[low, high]`` (``(low, high]`` with ``open_low``)."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not low <= value <= high or (open_low and value == low):
        more = "above" if open_low else "from"
        raise SpecError("spec.out_of_range", f"{path} is {value!r}.", f"Use a number {more} {low:g} up to {high:g}.")


def check_count(values: tuple[Any, ...], path: str, most: int) -> None:
    """Refuse a list that is longer than ``most``: what reads it may take the square of its length."""
    if len(values) > most:
        raise SpecError("spec.too_many", f"{path} has {len(values)} entries.", f"Use at most {most}.")


def check_unique(values: tuple[str, ...], path: str) -> None:
    """Refuse a name that stands twice."""
    twice = sorted(value for value, count in Counter(values).items() if count > 1)
    if twice:
        raise SpecError("spec.duplicate", f"{path} names {', '.join(map(repr, twice))} twice.", "Keep one of them.")
