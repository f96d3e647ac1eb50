"""Exact conversion between text and integers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.errors import MoneyError
from bloor.model.decimals import INT64_MAX, decimals_of, format_units, parse_units, units_of


@given(st.integers(0, INT64_MAX), st.integers(0, 18))
def test_text_and_units_round_trip(units: int, decimals: int) -> None:
    """What is formatted reads back as the same integer."""
    assert parse_units(format_units(units, decimals), decimals) == units


@given(st.integers(-INT64_MAX, INT64_MAX), st.integers(0, 18))
def test_formatting_is_exact(units: int, decimals: int) -> None:
    """Formatted text is the exact decimal, without an exponent, with all its decimals."""
    text = format_units(units, decimals)
    assert Decimal(text) * 10**decimals == units
    assert "e" not in text.lower()
    assert len(text.partition(".")[2]) == decimals


@given(st.integers(0, 10**12), st.integers(0, 8), st.integers(0, 6))
def test_trailing_zeros_are_free(units: int, decimals: int, zeros: int) -> None:
    """Zeros beyond the unit's decimals change nothing, and are not counted as needed."""
    text = format_units(units, decimals)
    padded = (text if "." in text else text + ".") + "0" * zeros if decimals or zeros else text
    assert parse_units(padded, decimals) == units
    assert decimals_of(padded) <= decimals


@given(st.text(max_size=20))
def test_anything_else_is_refused_by_name(text: str) -> None:
    """Any text is either an exact plain number or a MoneyError; nothing else comes out."""
    try:
        value = parse_units(text, 8)
    except MoneyError:
        return
    assert Decimal(text) * 10**8 == value


@given(st.decimals(allow_nan=True, allow_infinity=True), st.integers(0, 18))
def test_decimals_convert_exactly_or_not_at_all(value: Decimal, decimals: int) -> None:
    """A Decimal becomes the exact integer or raises, NaN and infinity included."""
    try:
        units = units_of(value, decimals)
    except MoneyError:
        return
    numerator, denominator = value.as_integer_ratio()
    assert numerator * 10**decimals == units * denominator


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e5",
        "1E400",
        "NaN",
        "Infinity",
        " 1",
        "1 ",
        "1_000",
        "1,5",
        "0x10",
        "١",
        "9" * 65,
    ],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    """Signs, exponents, white space, other digits and overlong text are refused."""
    with pytest.raises(MoneyError, match="expected a plain decimal number"):
        parse_units(text, 8)


def test_more_precision_than_the_unit_is_refused() -> None:
    """A digit below the unit is an error, never rounded away."""
    with pytest.raises(MoneyError, match="at most 2 decimals"):
        parse_units("61837.641", 2)


def test_overflow_is_refused() -> None:
    """The largest integer passes and the next one does not."""
    assert parse_units("92233720368.54775807", 8) == INT64_MAX
    with pytest.raises(MoneyError, match="63 bits"):
        parse_units("92233720368.54775808", 8)


def test_a_remainder_beyond_the_decimal_context_is_seen() -> None:
    """A remainder of 1e-29, which Decimal arithmetic would round away, is refused."""
    with pytest.raises(MoneyError):
        units_of(Decimal("1.00000000000000000000000000001"), 8)


def test_a_huge_exponent_costs_nothing() -> None:
    """An exponent that would take seconds to expand is refused at once."""
    with pytest.raises(MoneyError):
        units_of(Decimal("1e983000"), 8)
    with pytest.raises(MoneyError):
        units_of(Decimal("1e-983000"), 8)
