"""What is listed when no recording says it: pairs, their precision and minimums, and how their markets behave."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from bloor.model.decimals import parse_units
from bloor.model.instrument import Instrument
from bloor.model.symbols import split_symbol
from bloor.simulation.listing import ListedPair, check_listed, market_style
from bloor.simulation.market import MarketStyle
from bloor_kraken.symbols import to_venue

__all__ = ["COST_MINIMUMS", "DEFAULT_SYMBOLS", "QTY_DECIMALS", "listing", "styles"]

DEFAULT_SYMBOLS = ("BTC-USD", "ETH-USD")
#: Kraken prints every quantity with eight decimals (``lot_decimals``).
QTY_DECIMALS = 8
#: ``costmin`` by quote asset.
COST_MINIMUMS = {"USD": "0.5", "EUR": "0.45", "USDT": "0.5", "USDC": "0.5", "BTC": "0.00002"}
#: How late its participants hear of the value that is common to all venues.
_LAG_NS = 45_000_000


@frozen
class _Pair(ListedPair):
    """With its ``ordermin``."""

    smallest: str = "0"


#: Round prices, ``pair_decimals``, and the smallest orders of 2025.
_PAIRS = {
    "BTC-USD": _Pair(60_000.0, 1, QTY_DECIMALS, "0.00005"),
    "ETH-USD": _Pair(3_000.0, 2, QTY_DECIMALS, "0.001"),
    "SOL-USD": _Pair(150.0, 2, QTY_DECIMALS, "0.02"),
    "XRP-USD": _Pair(0.6, 5, QTY_DECIMALS, "1.65"),
    "ADA-USD": _Pair(0.45, 6, QTY_DECIMALS, "4.4"),
    "DOGE-USD": _Pair(0.12, 7, QTY_DECIMALS, "13"),
    "LTC-USD": _Pair(80.0, 2, QTY_DECIMALS, "0.04"),
    "BTC-USDT": _Pair(60_000.0, 1, QTY_DECIMALS, "0.00005"),
    "ETH-USDT": _Pair(3_000.0, 2, QTY_DECIMALS, "0.001"),
    "USDT-USD": _Pair(1.0, 5, QTY_DECIMALS, "5"),
    "BTC-EUR": _Pair(55_000.0, 1, QTY_DECIMALS, "0.00005"),
    "ETH-EUR": _Pair(2_750.0, 2, QTY_DECIMALS, "0.001"),
    "ETH-BTC": _Pair(0.05, 5, QTY_DECIMALS, "0.001"),
    "SOL-BTC": _Pair(0.0025, 7, QTY_DECIMALS, "0.02"),
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
    return Instrument(
        venue="kraken",
        symbol=symbol,
        venue_symbol=to_venue(symbol),
        base=base,
        quote=quote,
        price_decimals=pair.price_decimals,
        qty_decimals=QTY_DECIMALS,
        min_lots=max(1, parse_units(pair.smallest, QTY_DECIMALS)),
        min_notional=Decimal(COST_MINIMUMS[quote]),
    )
