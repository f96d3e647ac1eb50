"""Canonical symbols: ``BTC-USDT``, and venue-qualified ``binance:BTC-USDT``.

A canonical symbol is ``BASE-QUOTE`` in upper case. Assets may hold any letters a venue lists (Binance lists non-ASCII
ones since 2025-12), digits, ``.`` and ``_``; never white space, ``-`` or ``:``.
"""

from __future__ import annotations

import re

from bloor.errors import UsageError

__all__ = ["canonical", "parse_symbol", "split_symbol"]

_ASSET = re.compile(r"[\w.]+\Z")


def canonical(base: str, quote: str) -> str:
    """The canonical symbol of a pair of assets."""
    return f"{base.upper()}-{quote.upper()}"


def split_symbol(symbol: str) -> tuple[str, str]:
    """``("BTC", "USDT")`` for ``BTC-USDT``.

    Raises:
        UsageError: The text is not a canonical symbol.
    """
    base, dash, quote = symbol.partition("-")
    if not dash or not _ASSET.match(base) or not _ASSET.match(quote):
        raise UsageError(f"symbol: expected BASE-QUOTE such as BTC-USDT, got {symbol!r}")
    return base.upper(), quote.upper()


def parse_symbol(text: str) -> tuple[str | None, str]:
    """``(venue or None, canonical symbol)`` of what a user typed.

    Raises:
        UsageError: The text is neither ``BASE-QUOTE`` nor ``venue:BASE-QUOTE``.
    """
    venue, colon, symbol = text.rpartition(":")
    if colon and not venue:
        raise UsageError(f"symbol: expected venue:BASE-QUOTE such as binance:BTC-USDT, got {text!r}")
    return (venue or None), canonical(*split_symbol(symbol))
