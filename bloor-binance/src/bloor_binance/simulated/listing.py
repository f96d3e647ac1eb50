"""What is listed when no recording says it: pairs, their tick and lot, and how their markets behave."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bloor.model.instrument import Instrument
from bloor.model.symbols import split_symbol
from bloor.simulation.listing import ListedPair, check_listed, market_style
from bloor.simulation.market import MarketStyle

__all__ = ["DEFAULT_SYMBOLS", "QTY_DECIMALS", "listing", "styles"]

DEFAULT_SYMBOLS = ("BTC-USDT", "ETH-USDT")
#: Binance prints every price and quantity with eight decimals.
QTY_DECIMALS = 8
#: The largest order, in units, and the smallest value of an order.
_MAX_UNITS = 9_000 * 10**QTY_DECIMALS
_MIN_NOTIONAL = Decimal(5)
#: How late its participants hear of the value that is common to all venues: prices are found here.
_LAG_NS = 2_000_000

#: Round prices and the precision of each pair.
_PAIRS = {
    "BTC-USDT": ListedPair(60_000.0, 2, 5),
    "ETH-USDT": ListedPair(3_000.0, 2, 4),
    "BNB-USDT": ListedPair(600.0, 2, 3),
    "SOL-USDT": ListedPair(150.0, 2, 3),
    "XRP-USDT": ListedPair(0.6, 4, 1),
    "ADA-USDT": ListedPair(0.45, 4, 1),
    "DOGE-USDT": ListedPair(0.12, 5, 0),
    "LTC-USDT": ListedPair(80.0, 2, 3),
    "ETH-BTC": ListedPair(0.05, 5, 4),
    "SOL-BTC": ListedPair(0.0025, 7, 3),
    "BTC-USDC": ListedPair(60_000.0, 2, 5),
    "ETH-USDC": ListedPair(3_000.0, 2, 4),
    "BTC-EUR": ListedPair(55_000.0, 2, 5),
}


def listing(symbols: Sequence[str]) -> list[Instrument]:
    """Instruments of canonical symbols.

    Raises:
        UsageError: A symbol has no seeded market.
    """
    check_listed(symbols, _PAIRS)
    return [_instrument(symbol) for symbol in symbols]


def styles(symbol: str) -> MarketStyle:
    """How the market of a canonical symbol behaves."""
    return market_style(symbol, _PAIRS[symbol], _LAG_NS)


def _instrument(symbol: str) -> Instrument:
    base, quote = split_symbol(symbol)
    pair = _PAIRS[symbol]
    lot_units = 10 ** (QTY_DECIMALS - pair.lot_decimals)
    return Instrument(
        venue="binance",
        symbol=symbol,
        venue_symbol=base + quote,
        base=base,
        quote=quote,
        price_decimals=pair.price_decimals,
        qty_decimals=QTY_DECIMALS,
        lot_units=lot_units,
        max_lots=_MAX_UNITS // lot_units,
        min_notional=_MIN_NOTIONAL if quote != "BTC" else Decimal("0.0001"),
        max_notional=Decimal(9_000_000),
    )
