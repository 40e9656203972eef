"""Prices: exact, and whole credits."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentest.specs.behaviour.prices import Moment, Price
from screentest.specs.errors import ContractError


def _price(amount: str) -> Price:
    return Price(amount, Moment.ACCEPTANCE, "A1")


@pytest.mark.parametrize(
    ("formula", "facts", "credits"),
    [
        ("1", {}, 1),
        ("0", {}, 0),
        ("floor(scenes / 2)", {"scenes": 6}, 3),
        ("floor(scenes / 2)", {"scenes": 5}, 2),
        ("floor(scenes / 2)", {"scenes": 1}, 0),
        ("optin ? 70 : 80", {"optin": True}, 70),
        ("optin ? 70 : 80", {"optin": False}, 80),
        ("ceil(base * duration / baseline)", {"base": 25, "duration": 8, "baseline": 6.4}, 32),
        ("ceil(base * duration / baseline)", {"base": 18, "duration": 5, "baseline": 8}, 12),
        ("max(1, min(a, b))", {"a": 3, "b": 2}, 2),
    ],
)
def test_formula_gives_whole_credits(formula: str, facts: dict[str, float], credits: int) -> None:
    assert _price(formula).amount(facts) == credits


@given(seconds=st.integers(1, 400), base=st.integers(1, 200))
def test_tenths_do_not_lose_a_credit(seconds: int, base: int) -> None:
    """6.4 is not a number of binary floating point; the price still is exact."""
    exact = math.ceil(Fraction(base * seconds * 10, 64))

    price = _price("ceil(base * seconds / 6.4)")

    assert price.amount({"base": base, "seconds": seconds}) == exact


@pytest.mark.parametrize(
    ("formula", "facts", "detail"),
    [
        ("a / 2", {"a": 3}, "not a whole number"),
        ("a - 2", {"a": 1}, "not a whole number >= 0"),
        ("a + b", {"a": 1}, "no fact 'b'"),
    ],
)
def test_invalid_price_is_reported(formula: str, facts: dict[str, float], detail: str) -> None:
    with pytest.raises(ContractError, match=detail):
        _price(formula).amount(facts)
