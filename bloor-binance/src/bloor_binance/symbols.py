"""Symbols of Binance spot from their text alone: ``BTCUSDT`` is ``BTC`` and ``USDT``."""

from __future__ import annotations

from collections.abc import Sequence

from bloor.model.symbols import split_symbol

__all__ = ["QUOTES", "split", "venue_symbol"]

#: Quote assets of Binance spot, past ones among them, since recordings outlive listings (exchangeInfo, 2021 to 2026).
QUOTES = (
    "AEUR", "ARS", "AUD", "BIDR", "BKRW", "BNB", "BRL", "BTC", "BUSD", "BVND", "COP", "CZK", "DAI", "DOGE",
    "DOT", "ETH", "EUR", "EURI", "FDUSD", "GBP", "GYEN", "IDR", "IDRT", "JPY", "KZT", "MXN", "NGN", "PAX",
    "PLN", "RON", "RUB", "SOL", "TRX", "TRY", "TUSD", "UAH", "USD", "USD1", "USDC", "USDP", "USDS", "USDT",
    "UST", "VAI", "XRP", "ZAR",
)  # fmt: skip
_LONGEST_FIRST = sorted(QUOTES, key=len, reverse=True)


def split(symbol: str) -> tuple[str, str]:
    """Base and quote of a venue symbol: the longest known quote asset that it ends with.

    A symbol that ends with none is cut before its last four letters, or in the middle when it is that short: the pair
    is then a guess, and the instrument that is inferred from it never carries orders.
    """
    for quote in _LONGEST_FIRST:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    cut = max(1, len(symbol) - 4, (len(symbol) + 1) // 2)
    return symbol[:cut], symbol[cut:] or symbol


def venue_symbol(symbol: str) -> str:
    """``BTCUSDT`` for ``BTC-USDT``.

    Raises:
        UsageError: The text is not a canonical symbol.
    """
    return "".join(split_symbol(symbol))


def venue_symbols(symbols: Sequence[str]) -> list[str]:
    """:func:`venue_symbol` of each."""
    return [venue_symbol(symbol) for symbol in symbols]
