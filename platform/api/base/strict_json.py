"""JSON without the extensions that Python allows; what is refused is named with its place."""

import codecs
import json
import math
import re
from typing import Any, NoReturn

MOST_DIGITS = 300
"""Of a whole number: the largest float has 309."""
MOST_DEPTH = 64
"""Of objects and lists in one another: what the API takes has a tenth of it."""

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|NaN|-?Infinity|[\[\]{}:]',
    re.DOTALL,
)
"""What stands in a text that a decoder has accepted so far, cut as decoders cut it: 1e400e5 begins with the number
1e400. Blanks and commas are left out."""
_WHOLE_CHARACTERS = re.compile(
    r"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)
"""Ends before the first half of an escaped pair, which no UTF-8 can hold, else with the text."""
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class JSONObject(dict[str, Any]):
    """An object of a JSON body, whose values have types of their own; in a query everything is text."""


class _RefusedToken(ValueError):
    """A token that is no JSON here; the first one of its text."""

    def __init__(self, token: str, reason: str) -> None:
        super().__init__(reason)
        self.token = token


class _RefusedObject(ValueError):
    """An object that names a field twice."""


def read(body: bytes) -> Any:
    """Return what the UTF-8 text says: objects as `JSONObject`.

    Raises ValueError with a sentence (line, column and character counted as Python's decoder does) for what is no JSON,
    NaN and infinite numbers, whole numbers of more than 300 digits, repeated names, halves of characters, and more than
    64 levels of nesting.
    """
    text = _text(body)
    try:
        found = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_refuse_duplicates,
        )
    except _RefusedToken as error:
        at = next(one.start() for one in _TOKEN.finditer(text) if one.group() == error.token)
        raise ValueError(f"{error}: {_place(text, at)}") from error
    except _RefusedObject as error:
        raise ValueError(_repeated(text)) from error
    except RecursionError as error:
        raise ValueError(_too_deep(text)) from error
    if (half := _half(text)) < len(text):
        raise ValueError(f"a text holds half of an escaped pair (a lone surrogate): {_place(text, half)}")
    if text.count("[") + text.count("{") > MOST_DEPTH and _is_deep(found):
        raise ValueError(_too_deep(text))
    return found


def _text(body: bytes) -> str:
    if body.startswith(_MARKS):
        raise ValueError("it begins with a byte order mark; send UTF-8 without one")
    if b"\0" in body[:4]:
        raise ValueError("it is UTF-16 or UTF-32; send UTF-8")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} (0x{body[error.start]:02x}) is not UTF-8") from error


def _half(text: str) -> int:
    """Return where the first half of an escaped pair stands, else the length."""
    whole = _WHOLE_CHARACTERS.match(text)
    return whole.end() if whole else 0


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedToken(name, f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _RefusedToken(text, f"the number {_short(text)} is too large")
    return number + 0.0  # minus zero is zero


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise _RefusedToken(text, f"the number {_short(text)} is too large")
    return int(text)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> JSONObject:
    found = JSONObject(pairs)
    if len(found) != len(pairs):
        raise _RefusedObject
    return found


def _is_deep(found: Any) -> bool:
    """Tell whether it is nested deeper than is taken, one level after the other."""
    level, depth = [found], 0
    while level and depth <= MOST_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
    return depth > MOST_DEPTH


def _too_deep(text: str) -> str:
    depth = 0
    for one in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(one.group(), 0)
        if depth > MOST_DEPTH:
            return f"more than {MOST_DEPTH} levels of nesting: {_place(text, one.start())}"
    return f"more than {MOST_DEPTH} levels of nesting"


def _repeated(text: str) -> str:
    """Say which name comes twice in one object, and where the second time."""
    opened: list[set[str]] = []
    before: re.Match[str] | None = None
    for one in _TOKEN.finditer(text):
        match one.group():
            case "{" | "[":
                opened.append(set())
            case "}" | "]":
                opened.pop()
            case ":" if before is not None:
                name = json.loads(before.group())
                if name in opened[-1]:
                    return f"an object names {_short(json.dumps(name))} twice: {_place(text, before.start())}"
                opened[-1].add(name)
        before = one
    return "an object names a field twice"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


def _place(text: str, at: int) -> str:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return f"line {line} column {column} (char {at})"
