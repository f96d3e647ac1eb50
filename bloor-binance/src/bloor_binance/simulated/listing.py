"""What is listed when no recording says it: pairs, their tick and lot, and how their markets behave."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from bloor.errors import UsageError, nearest
from bloor.model.instrument import Instrument
from bloor.model.symbols import split_symbol
from bloor.simulation.market import MarketStyle

__all__ = ["DEFAULT_SYMBOLS", "QTY_DECIMALS", "listing", "styles"]

DEFAULT_SYMBOLS = ("BTC-USDT", "ETH-USDT")
#: Binance prints every price and quantity with eight decimals.
QTY_DECIMALS = 8
#: The largest order, in units, and the smallest value of an order.
_MAX_UNITS = 9_000 * 10**QTY_DECIMALS
_MIN_NOTIONAL = Decimal(5)


@frozen
class _Pair:
    price: float
    price_decimals: int
    lot_decimals: int


#: Round prices and the precision of each pair.
_PAIRS = {
    "BTC-USDT": _Pair(60_000.0, 2, 5),
    "ETH-USDT": _Pair(3_000.0, 2, 4),
    "BNB-USDT": _Pair(600.0, 2, 3),
    "SOL-USDT": _Pair(150.0, 2, 3),
    "XRP-USDT": _Pair(0.6, 4, 1),
    "ADA-USDT": _Pair(0.45, 4, 1),
    "DOGE-USDT": _Pair(0.12, 5, 0),
    "LTC-USDT": _Pair(80.0, 2, 3),
    "ETH-BTC": _Pair(0.05, 5, 4),
    "BTC-EUR": _Pair(55_000.0, 2, 5),
}


def listing(symbols: Sequence[str]) -> list[Instrument]:
    """Instruments of canonical symbols.

    Raises:
        UsageError: A symbol has no seeded market.
    """
    for symbol in symbols:
        if symbol not in _PAIRS:
            raise UsageError(
                f"--symbol {symbol}: the simulated market has {', '.join(_PAIRS)}{nearest(symbol, _PAIRS)}; "
                "for another one, give a recording of it with --data"
            )
    return [_instrument(symbol) for symbol in symbols]


def styles(symbol: str) -> MarketStyle:
    """How the market of a canonical symbol behaves."""
    pair = _PAIRS[symbol]
    _, quote = split_symbol(symbol)
    dollar = 1.0 if quote != "BTC" else 1.5e-5
    return MarketStyle(price=pair.price, order_value=5_000.0 * dollar, taker_value=200.0 * dollar)


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
