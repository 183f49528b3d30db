"""Numbers in sentences are the dashboard's: both sides answer the same cases."""

import json
from pathlib import Path

import pytest

from exfm_core.figures import share, signed

CASES = json.loads((Path(__file__).parents[2] / "frontend/src/format/figures.json").read_text())


@pytest.mark.parametrize(("part", "digits", "text"), CASES["share"])
def test_shares(part: float, digits: int, text: str) -> None:
    assert share(part, digits) == text


@pytest.mark.parametrize(("value", "digits", "text"), CASES["signed"])
def test_signed_numbers(value: float, digits: int, text: str) -> None:
    assert signed(value, digits) == text
