"""Reading bodies: JSON without the extensions that Python allows."""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from tenancy.errors import TooLarge

MOST_DIGITS = 300
"""Of a whole number: the largest float has 309."""
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"the number {text[:20]}… is too large")
    return int(text)


def _refuse_half_characters(body: bytes, found: Any) -> None:
    """Refuse texts with half of an escaped pair: no UTF-8 can hold them, hence neither database nor answer."""
    if _ESCAPED_SURROGATE.search(body):
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("a text holds half of an escaped pair (a lone surrogate)") from error


class JSONObject(dict[str, Any]):
    """An object of a JSON body, whose values have types of their own; in a query everything is text."""


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> JSONObject:
    found = JSONObject(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a field twice")
    return found


class StrictJSONParser(BaseParser):
    """UTF-8 JSON; NaN, infinite numbers, repeated names, halves of characters and bottomless nesting are refused."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded body."""
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge("body_too_large", "The body is too large.", f"Send at most {limit} bytes of JSON.")
        try:
            found = json.loads(
                body.decode("utf-8"),
                parse_constant=_refuse_constant,
                parse_float=_finite,
                parse_int=_whole,
                object_pairs_hook=_refuse_duplicates,
            )
            _refuse_half_characters(body, found)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error
        return found
