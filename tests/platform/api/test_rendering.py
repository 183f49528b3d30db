"""Answers that orjson does not write are written all the same, and are JSON for strict readers."""

import json
import math
from typing import Any
from uuid import UUID

import orjson
import pytest

from api.base.rendering import JSONRenderer
from api.base.strict_json import read

HUGE = 10**250


def deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": math.nan, "b": [math.inf, -math.inf, 1.5]}, {"a": None, "b": [None, None, 1.5]}),
        ({"a": math.nan, "b": HUGE, "c": True, "d": "é"}, {"a": None, "b": HUGE, "c": True, "d": "é"}),
        ({"a": (math.inf, HUGE)}, {"a": [None, HUGE]}),
        ({"a": 10**5000, "b": -(10**5000)}, {"a": None, "b": None}),
        ({"a": orjson.Fragment(b'{"b": [1, ' + b"1" * 5000 + b"]}"), "c": HUGE}, {"a": {"b": [1, None]}, "c": HUGE}),
        ({"a": "half \ud800.", "b": math.nan}, {"a": "half ?.", "b": None}),
        ({"a": UUID(int=7), "b": HUGE}, {"a": str(UUID(int=7)), "b": HUGE}),
        ({1: {2.5: HUGE}}, {"1": {"2.5": HUGE}}),
    ],
)
def test_what_no_float_holds_is_null(data: Any, expected: Any) -> None:
    assert read(JSONRenderer().render(data)) == expected


def test_deep_answers_are_written() -> None:
    assert json.loads(JSONRenderer().render({"a": deep(300), "b": math.nan})) == {"a": deep(300), "b": None}
