"""USD-M symbols: ``BTCUSDT`` is the perpetual ``BTC-USDT``, ``BTCUSDT_260327`` the contract ``BTC_260327-USDT``.

A delivery contract is named with its day, as the venue does it; the day goes to the base asset, so that one canonical
symbol means one contract.
"""

from __future__ import annotations

from collections.abc import Sequence

from bloor.model.symbols import split_symbol
from bloor_binance.symbols import split as split_pair

__all__ = ["split", "venue_symbol", "venue_symbols"]


def split(symbol: str) -> tuple[str, str]:
    """Base and quote of a venue symbol; see :func:`bloor_binance.symbols.split`."""
    pair, _, day = symbol.partition("_")
    base, quote = split_pair(pair or symbol)
    return (f"{base}_{day}" if day else base), quote


def venue_symbol(symbol: str) -> str:
    """``BTCUSDT`` for ``BTC-USDT``, ``BTCUSDT_260327`` for ``BTC_260327-USDT``.

    Raises:
        UsageError: The text is not a canonical symbol.
    """
    base, quote = split_symbol(symbol)
    name, _, day = base.partition("_")
    return f"{name}{quote}_{day}" if day else f"{base}{quote}"


def venue_symbols(symbols: Sequence[str]) -> list[str]:
    """:func:`venue_symbol` of each."""
    return [venue_symbol(symbol) for symbol in symbols]
