"""Canonical symbols."""

from __future__ import annotations

import pytest

from bloor.errors import UsageError
from bloor.model.symbols import canonical, parse_symbol, split_symbol


def test_symbols_are_read_with_and_without_a_venue() -> None:
    """A venue before the colon, the pair behind it, in upper case."""
    assert parse_symbol("btc-usdt") == (None, "BTC-USDT")
    assert parse_symbol("binance:ETH-BTC") == ("binance", "ETH-BTC")
    assert split_symbol("这是测试币456-USDT") == ("这是测试币456", "USDT")
    assert canonical("btc", "usd") == "BTC-USD"


@pytest.mark.parametrize("text", ["", "BTCUSDT", "BTC-", "-USDT", "BTC-US DT", "a-b-c", ":BTC-USDT", "x:"])
def test_what_is_no_symbol_is_refused(text: str) -> None:
    """The error shows the form that was expected and what came."""
    with pytest.raises(UsageError, match="expected"):
        parse_symbol(text)
