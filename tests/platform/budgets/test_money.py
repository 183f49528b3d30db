"""Splitting money: the parts sum to the whole, whatever the weights."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.money import UNIT, cap, charge, exactly, largest_remainder, seconds, written

# FBGEMM, which other tests load, makes the processor round subnormal numbers to zero.
durations = st.floats(0, 1e6, allow_subnormal=False)
totals = st.integers(0, 10**12).map(lambda units: units * UNIT)
weights = st.dictionaries(st.integers(0, 50), st.integers(0, 10**9), max_size=20)


@given(totals, weights)
def test_parts_sum_to_the_total_and_none_is_a_unit_off(total: Decimal, weights: dict[int, int]) -> None:
    parts = largest_remainder(total, weights)
    whole = sum(weights.values())
    if not whole:
        assert parts == {}
        return
    assert sum(parts.values()) == total
    for key, part in parts.items():
        assert abs(part - total * weights[key] / whole) < UNIT
        assert part >= 0
    assert set(parts) == {key for key, weight in weights.items() if weight}


@given(st.lists(durations, min_size=1, max_size=6), st.decimals("0.000000001", "10", places=9))
def test_a_cap_covers_every_way_of_settling_it_in_lines(lines: list[float], rate: Decimal) -> None:
    whole = sum((seconds(line) for line in lines), Decimal(0))
    assert sum(charge(seconds(line), rate) for line in lines) <= cap(whole, rate)


@pytest.mark.parametrize(
    ("amount", "short", "whole"),
    [
        ("0", "0.00 USD", "0.00 USD"),
        ("1234.500000", "1,234.50 USD", "1,234.50 USD"),
        ("0.123456", "0.12 USD", "0.123456 USD"),
        ("-0.012300", "-0.0123 USD", "-0.0123 USD"),
        ("0.000012", "0.000012 USD", "0.000012 USD"),
        ("100", "100.00 USD", "100.00 USD"),
    ],
)
def test_amounts_are_written_for_people(amount: str, short: str, whole: str) -> None:
    assert (written(Decimal(amount)), exactly(Decimal(amount))) == (short, whole)
