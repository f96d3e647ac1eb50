"""Coinbase's products against our symbols."""

from __future__ import annotations

import pytest

from bloor.errors import UsageError
from bloor_coinbase.symbols import book_product, from_venue, to_venue


def test_products_and_symbols_are_the_same_text():
    """Both sides write BASE-QUOTE with plain tickers."""
    assert to_venue("btc-usd") == "BTC-USD" == from_venue("BTC-USD")
    with pytest.raises(UsageError):
        to_venue("BTC/USD")


@pytest.mark.parametrize(
    ("symbol", "product"),
    [("BTC-USDC", "BTC-USD"), ("BTC-USD", "BTC-USD"), ("USDT-USDC", "USDT-USDC"), ("EURC-USDC", "EURC-USDC")],
)
def test_a_usdc_product_shares_the_book_of_its_dollar_product(symbol, product):
    """Market data of BTC-USDC arrives under the name BTC-USD; two products keep a book of their own."""
    assert book_product(symbol) == product
