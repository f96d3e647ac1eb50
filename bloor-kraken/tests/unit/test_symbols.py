"""Kraken's names against ours."""

from __future__ import annotations

import pytest

from bloor.errors import RemoteProtocolError, UsageError
from bloor_kraken.symbols import balance_asset, from_venue, to_venue


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("BTC/USD", "BTC-USD"), ("XBT/USD", "BTC-USD"), ("XDG/EUR", "DOGE-EUR"), ("ETH/XBT", "ETH-BTC")],
)
def test_both_generations_of_names_are_understood(name, symbol):
    """Version 1 says XBT and XDG where version 2 says BTC and DOGE."""
    assert from_venue(name) == symbol


@pytest.mark.parametrize("name", ["XBTUSD", "XXBTZUSD", "/USD", "BTC/", "A/B/C"])
def test_a_joined_name_is_not_guessed(name):
    """XBTUSDT could be cut in two places, so joined names are refused."""
    with pytest.raises(RemoteProtocolError, match="BASE/QUOTE"):
        from_venue(name)


def test_a_canonical_symbol_becomes_the_name_of_version_2():
    """Subscriptions and orders use WebSocket v2 names."""
    assert to_venue("btc-usd") == "BTC/USD"
    with pytest.raises(UsageError):
        to_venue("BTCUSD")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("XXBT", ("BTC", "")),
        ("ZUSD", ("USD", "")),
        ("XXDG", ("DOGE", "")),
        ("ETH.F", ("ETH", "F")),
        ("XTZ", ("XTZ", "")),
        ("SOL", ("SOL", "")),
    ],
)
def test_balance_keys_lose_their_class_letter(key, expected):
    """Only assets of the first years have a class letter; XTZ is a name, not a class and TZ."""
    assert balance_asset(key) == expected
