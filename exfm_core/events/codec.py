"""Dataclass ⇄ one line of JSON, driven by the type hints; every refusal names the field and what was expected."""

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, cast

from exfm_core.errors import ProtocolError

T = TypeVar("T")
MEND = "Send one JSON object per line as `exfm_core.events` encodes it; supervisor and child must be of one release."


def refuse(sentence: str) -> ProtocolError:
    """The error for a malformed line."""
    return ProtocolError("protocol.malformed", sentence, MEND)


def read_line(line: str | bytes) -> dict[str, Any]:
    """Parses one line into a JSON object with a string `type`. Raises ProtocolError."""
    try:
        value = json.loads(line)
    except (ValueError, UnicodeDecodeError) as error:
        raise refuse(f"A line is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise refuse(f"A line must be a JSON object, found {name_of(value)}.")
    if not isinstance(value.get("type"), str):
        raise refuse("A line has no `type`.")
    return value


def write_line(kind: str, message: Any) -> str:
    """`message` (a dataclass) as one line without its line end. NaN and infinities are refused: JSON has none."""
    body = {"type": kind, **to_plain(message)}
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    except ValueError as error:
        raise refuse(f"`{kind}` holds a number that JSON cannot carry: {error}.") from error


def to_plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings to plain JSON values (faster than `dataclasses.asdict`, which copies lists)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        if value and isinstance(value[0], (float, int)):
            return list(value)
        return [to_plain(item) for item in value]
    return value


def from_plain(cls: type[T], value: Any, path: str) -> T:
    """`value` as a `cls`. Unknown fields are refused by name, missing ones too unless they have a default."""
    if not isinstance(value, dict):
        raise refuse(f"`{path}` must be an object, found {name_of(value)}.")
    hints = _hints(cast(Any, cls))
    fields = {field.name: field for field in dataclasses.fields(cast(Any, cls))}
    unknown = sorted(set(value) - set(fields))
    if unknown:
        raise refuse(f"`{path}` has an unknown field `{unknown[0]}`; known are {', '.join(fields)}.")
    arguments = {}
    for name, field in fields.items():
        if name in value:
            arguments[name] = _convert(hints[name], value[name], f"{path}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise refuse(f"`{path}` lacks the field `{name}`.")
    return cls(**arguments)


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _convert(hint: Any, value: Any, path: str) -> Any:
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if value is None and len(options) < len(typing.get_args(hint)):
            return None
        return _convert(options[0], value, path)
    if origin is Literal:
        if value not in typing.get_args(hint):
            raise refuse(f"`{path}` must be one of {', '.join(map(str, typing.get_args(hint)))}, found {value!r}.")
        return value
    if origin is tuple:
        return _sequence(typing.get_args(hint)[0], value, path)
    if origin is dict:
        if not isinstance(value, dict):
            raise refuse(f"`{path}` must be an object, found {name_of(value)}.")
        item = typing.get_args(hint)[1]
        return {key: _convert(item, entry, f"{path}.{key}") for key, entry in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_plain(cast(type[Any], hint), value, path)
    return _scalar(hint, value, path)


def _sequence(item: Any, value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise refuse(f"`{path}` must be a list, found {name_of(value)}.")
    if item is float:
        if not all(type(entry) in (float, int) for entry in value):
            raise refuse(f"`{path}` must hold numbers only.")
        return tuple(map(float, value))
    return tuple(_convert(item, entry, f"{path}[{index}]") for index, entry in enumerate(value))


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is float and type(value) in (int, float):
        if not math.isfinite(value):
            raise refuse(f"`{path}` must be a finite number, found {value}.")
        return float(value)
    if type(value) is not hint:
        raise refuse(f"`{path}` must be {hint.__name__}, found {name_of(value)}.")
    return value


def name_of(value: Any) -> str:
    """How a message names a JSON value's type."""
    return "null" if value is None else type(value).__name__
