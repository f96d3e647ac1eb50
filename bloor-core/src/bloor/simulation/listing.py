"""What a seeded venue lists: pairs, their prices and precision, and how their markets behave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from bloor.errors import UsageError, nearest
from bloor.model.symbols import split_symbol
from bloor.simulation.market import MarketStyle

__all__ = ["ListedPair", "check_listed", "market_style"]

#: What a dollar is worth in quote assets that are none.
_DOLLARS = {"BTC": 1.5e-5, "ETH": 3.3e-4}


@frozen
class ListedPair:
    """One pair.

    Attributes:
        price: Opening price, in the quote asset.
        price_decimals: Decimals of a price; the tick is one of the last.
        lot_decimals: Decimals of the order lot.
    """

    price: float
    price_decimals: int
    lot_decimals: int


def check_listed(symbols: Sequence[str], pairs: Mapping[str, ListedPair]) -> None:
    """Refuses a canonical symbol that has no seeded market.

    Raises:
        UsageError: It names the symbol and what there is.
    """
    for symbol in symbols:
        if symbol not in pairs:
            raise UsageError(
                f"--symbol {symbol}: the simulated market has {', '.join(pairs)}{nearest(symbol, pairs)}; "
                "for another one, give a recording of it with --data"
            )


def market_style(symbol: str, pair: ListedPair, lag_ns: int) -> MarketStyle:
    """How the market of a canonical symbol behaves: orders are worth about the same in every quote asset.

    Args:
        symbol: Of the market.
        pair: Its price and precision.
        lag_ns: How late its venue hears of the common value.
    """
    dollar = _DOLLARS.get(split_symbol(symbol)[1], 1.0)
    return MarketStyle(price=pair.price, order_value=5_000.0 * dollar, taker_value=200.0 * dollar, lag_ns=lag_ns)
