"""Durations: a number is nothing without its unit."""

from __future__ import annotations

import pytest

from bloor.config import Duration, parse_duration
from bloor.errors import UsageError


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("250ms", 250_000_000),
        ("30s", 30 * 10**9),
        ("5m", 300 * 10**9),
        ("1h", 3_600 * 10**9),
        ("1h30m", 5_400 * 10**9),
        ("1.5h", 5_400 * 10**9),
        ("0s", 0),
        ("7us", 7_000),
        ("1ns", 1),
        ("2d", 172_800 * 10**9),
        (" 30s ", 30 * 10**9),
    ],
)
def test_units_are_exact(text, ns):
    """Each unit is a whole number of nanoseconds."""
    assert parse_duration(text).ns == ns


@pytest.mark.parametrize(
    "text", ["30", "", "s", "-5s", "5 s", "5S", "1e3s", "5sec", "٣s", "0.5ns", "1000000d", "9" * 400]
)
def test_anything_else_is_refused(text):
    """A bare number, a sign, an unknown unit and part of a nanosecond are refused."""
    with pytest.raises(UsageError, match="expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["30s", "5m", "90s", "1500ms", "0s", "3h", "1d", "7us", "1ns"])
def test_what_is_shown_reads_back(text):
    """str() gives a text that means the same."""
    assert parse_duration(str(parse_duration(text))) == parse_duration(text)


def test_seconds_and_order():
    """Durations compare by length."""
    assert Duration(1_500_000_000).seconds == 1.5
    assert parse_duration("59s") < parse_duration("1m")
