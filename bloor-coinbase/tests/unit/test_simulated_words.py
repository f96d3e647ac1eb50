"""Numbers and times in the exchange's own words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor_coinbase.simulated.words import amount_text, decimal_text, go_time, parse_time, plain, stamp

NS = 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    ("decimals", "text"),
    [(6, "2023-11-14T22:13:20.123456Z"), (9, "2023-11-14T22:13:20.123456789Z"), (0, "2023-11-14T22:13:20Z")],
)
def test_times_are_cut(decimals, text):
    """To as many decimals as a message has."""
    assert stamp(NS, decimals) == text


def test_trailing_zeros_are_not_printed():
    """Of times as of numbers."""
    assert stamp(1_700_000_000_500_000_000) == "2023-11-14T22:13:20.5Z"
    assert stamp(1_700_000_000_000_000_000) == "2023-11-14T22:13:20Z"
    assert [plain(text) for text in ("68923.00", "0.50", "100", "0")] == ["68923", "0.5", "100", "0"]
    assert amount_text(1_500_000_000_000_000_000) == "1.5"
    assert decimal_text(Decimal("1E+3")) == "1000"


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_a_time_is_read_as_it_was_printed(ns):
    """To the nanosecond."""
    assert parse_time(stamp(ns, 9)) == ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2023-11-14T22:13:20+00:00", 1_700_000_000_000_000_000),
        ("2023-11-15T00:13:20.5+02:00", 1_700_000_000_500_000_000),
        ("2023-11-14 22:13:20", 1_700_000_000_000_000_000),
        ("2023-13-14T22:13:20Z", None),
        ("soon", None),
        ("", None),
        ("2023-11-14", None),
    ],
)
def test_times_of_clients(text, ns):
    """With any offset; what is none is told."""
    assert parse_time(text) == ns


def test_heartbeats_print_their_time_as_the_real_ones_do():
    """Nobody should read it; the counter is what counts."""
    assert go_time(NS).startswith("2023-11-14 22:13:20.123456789 +0000 UTC m=+")
