"""JSON of bodies: what Python would take beyond the standard is refused with its place, the rest is what it says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.base.strict_json import MOST_DEPTH, JSONObject, read

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)  # fmt: skip


@given(VALUES, st.booleans())
def test_json_is_read_as_it_was_written(value: Any, escaped: bool) -> None:
    assert read(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=100) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_noise_is_read_or_refused_with_a_sentence(body: bytes) -> None:
    try:
        read(body)
    except ValueError as error:
        assert str(error)


PARTS = ("1e400", "-1e400", "1" * 301, "NaN", "-Infinity", "0", "1.5", '"a"', '{"a":', "[", "]", "}", ",", *"-.e+x_1 ")


@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join))
def test_what_follows_a_refused_number_does_not_matter(text: str) -> None:
    try:
        assert read(text.encode()) == json.loads(text)
    except ValueError as error:
        assert str(error)


def test_objects_know_that_they_come_from_json() -> None:
    found = read(b'{"a": {"b": [{"c": 1}]}}')
    assert [type(one) for one in (found, found["a"], found["a"]["b"][0])] == [JSONObject] * 3


@pytest.mark.parametrize("text", ["-0", "-0.0", "-0e5", "-1e-999"])
def test_minus_zero_is_zero(text: str) -> None:
    assert str(read(text.encode())) in ("0", "0.0")


@pytest.mark.parametrize(
    "half", ["\\ud800", "\\uDBFF", "\\udc00", "\\ud800\\ud800\\udc00", "\\udc00\\ud800", "\\ud83dx"]
)
def test_halves_of_pairs_are_refused_where_they_stand(half: str) -> None:
    for before in ("", "\\\\", '\\"', "\\\\ud800", "\\ud83d\\ude00", "é", "\\u00e9"):
        at = len('["' + before)
        with pytest.raises(ValueError, match=rf"lone surrogate\): line 1 column {at + 1} \(char {at}\)$"):
            read(f'["{before}{half}"]'.encode())


@pytest.mark.parametrize("text", ["\\\\ud800", "\\ud83d\\ude00", "\\uD83D\\uDE00", "\\\\\\ud83d\\ude00", "ud800"])
def test_whole_pairs_and_escaped_backslashes_are_no_halves(text: str) -> None:
    assert read(f'"{text}"'.encode()) == json.loads(f'"{text}"')


def test_the_deepest_that_is_taken() -> None:
    assert read(b"[" * MOST_DEPTH + b"]" * MOST_DEPTH) == json.loads("[" * MOST_DEPTH + "]" * MOST_DEPTH)
    for depth in (MOST_DEPTH + 1, 900, 100_000):
        with pytest.raises(
            ValueError, match=f"^more than {MOST_DEPTH} levels of nesting: line 1 column {MOST_DEPTH + 1} "
        ):
            read(b"[" * depth + b"]" * depth)
    assert read(json.dumps(["[[[{{{" * 100]).encode()) == ["[[[{{{" * 100]
    assert len(read(b"[" + b"[],{}," * 100 + b"1]")) == 201


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": {"x": 1, "y": [{"x": 1}]}, "x": 2, "a": 3}', 'names "a" twice: line 1 column 42'),
        ('[{"a": 1}, {"a": 1, "b": "a: NaN", "\\u0061": 2}]', 'names "a" twice: line 1 column 36'),
        ('{"NaN": "NaN 1e999", "b": NaN}', "NaN is no number of JSON: line 1 column 27"),
        ('{"a": "1e999", "b": [\n -1e999]}', "the number -1e999 is too large: line 2 column 2"),
        ('{"a": "\\"", "b": Infinity, "\\"\\"\\"', "Infinity is no number of JSON: line 1 column 18"),
        ("[1, 1e400e5]", "the number 1e400 is too large: line 1 column 5"),
        ("[1, 1e400.5]", "the number 1e400 is too large: line 1 column 5"),
        ("[1, -1e400-1]", "the number -1e400 is too large: line 1 column 5"),
        (f"[1, {'1' * 301}.x]", "is too large: line 1 column 5"),
        ("[1, NaNx]", "NaN is no number of JSON: line 1 column 5"),
        ("[1, -InfinityNaN]", "-Infinity is no number of JSON: line 1 column 5"),
    ],
)
def test_the_first_place_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(text.encode())
    assert said in str(caught.value)
