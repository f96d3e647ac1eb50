"""What the simulated Acme lists, and how its markets behave."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bloor.errors import UsageError, nearest
from bloor.model.instrument import Instrument
from bloor.model.symbols import split_symbol
from bloor.simulation.market import MarketStyle

from bloor_acme.instruments import venue_symbol

__all__ = ["listed", "row", "style"]

#: Canonical symbol -> opening price and decimals of price and quantity. TODO: what your venue lists.
_PAIRS = {
    "BTC-USDT": (60_000.0, 2, 5),
    "ETH-USDT": (3_000.0, 2, 4),
    "SOL-USDT": (150.0, 2, 3),
}
_MIN_VALUE = Decimal(5)


def listed(symbols: Sequence[str]) -> list[Instrument]:
    """The instruments of these symbols, or all. Raises UsageError for one that has no market here."""
    for symbol in symbols:
        if symbol not in _PAIRS:
            known = ", ".join(_PAIRS)
            raise UsageError(f"the simulated acme lists {known}, not {symbol}{nearest(symbol, _PAIRS)}")
    return [_instrument(symbol) for symbol in symbols or _PAIRS]


def style(symbol: str) -> MarketStyle:
    """How the market of a canonical symbol behaves."""
    return MarketStyle(price=_PAIRS[symbol][0])


def row(instrument: Instrument) -> dict[str, Any]:
    """An instrument as ``GET /instruments`` shows it."""
    return {
        "symbol": instrument.venue_symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "price_step": str(instrument.tick_size),
        "qty_step": str(instrument.lot_size),
        "min_qty": instrument.format_lots(instrument.min_lots),
        "min_value": str(instrument.min_notional),
        "trading": instrument.trading,
    }


def _instrument(symbol: str) -> Instrument:
    base, quote = split_symbol(symbol)
    _, price_decimals, qty_decimals = _PAIRS[symbol]
    return Instrument(
        venue="acme",
        symbol=symbol,
        venue_symbol=venue_symbol(symbol),
        base=base,
        quote=quote,
        price_decimals=price_decimals,
        qty_decimals=qty_decimals,
        min_notional=_MIN_VALUE,
    )
