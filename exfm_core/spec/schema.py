"""JSON Schema (draft 2020-12) of a record, from its type hints, bounds, defaults and docstring: what a form needs."""

from __future__ import annotations

import dataclasses
import inspect
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from exfm_core.spec.record import Pattern, Range, Record, encode

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema(record: type[Record]) -> dict[str, Any]:
    """The record's schema with every record below it under ``$defs``."""
    defs: dict[str, Any] = {}
    body = _object(record, defs)
    return {"$schema": DIALECT, **body, **({"$defs": defs} if defs else {})}


def _object(record: type[Record], defs: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(record, include_extras=True)
    fields = dataclasses.fields(record)
    properties: dict[str, Any] = {}
    required = []
    for field in fields:
        told = {"title": field.name.replace("_", " ").capitalize(), **_of(hints[field.name], defs)}
        if field.default is not dataclasses.MISSING:
            told["default"] = encode(field.default)
        elif field.default_factory is not dataclasses.MISSING:
            told["default"] = encode(field.default_factory())
        else:
            required.append(field.name)
        properties[field.name] = told
    described = (inspect.getdoc(record) or "").split("\n\n")[0].replace("\n", " ")
    return {
        "title": record.__name__,
        "description": described.replace("``", ""),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _of(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *notes = get_args(hint)
        told = _of(inner, defs)
        for note in notes:
            told |= _note(note)
        return told
    if origin is Literal:
        choices = list(get_args(hint))
        return {"const": choices[0]} if len(choices) == 1 else {"enum": choices}
    if origin is tuple:
        return {"type": "array", "items": _of(get_args(hint)[0], defs)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of(option, defs) for option in get_args(hint)]}
    if hint is type(None):
        return {"type": "null"}
    if isinstance(hint, type) and issubclass(hint, Record):
        if hint.__name__ not in defs:
            defs[hint.__name__] = _object(hint, defs)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    return {"type": _TYPES[hint]}


def _note(note: object) -> dict[str, Any]:
    if isinstance(note, Range):
        return {"exclusiveMinimum" if note.open_low else "minimum": note.low, "maximum": note.high}
    if isinstance(note, Pattern):
        return {"pattern": note.regex}
    return {"description": str(note)}
