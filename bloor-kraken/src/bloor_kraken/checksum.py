"""Kraken's checksum of a book (docs.kraken.com, "Checksums" of WebSocket v1 and v2).

Of the ten best asks, then the ten best bids, best first: the digits of the price and the digits of the quantity, as
they are sent, without the point and without leading zeros. CRC-32 (IEEE) of that text, unsigned. A book with fewer
levels has a shorter text.

Digits "as they are sent" have a fixed number of decimals for each pair, which the levels themselves show; it is not in
every case that of the list of instruments (version 1 pads prices to five decimals and more). A text of ``78878.0`` with
one decimal is the number 788780, so no text is kept: ticks and units are scaled.
"""

from __future__ import annotations

from zlib import crc32

from bloor.market.book import OrderBook
from bloor.market.messages import BookMessage
from bloor.model.orders import Side

__all__ = ["LEVELS", "Precisions", "book_checksum"]

#: How many levels a side are in the checksum.
LEVELS = 10


class Precisions:
    """The decimals in which the levels of each book are sent: the most that were seen since the last snapshot."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def known(self, venue_symbol: str) -> tuple[int, int]:
        """Decimals of prices and of quantities; -1 when no level was seen."""
        return self._seen.get(venue_symbol, (-1, -1))

    def of(self, message: BookMessage) -> tuple[int, int]:
        """Decimals of prices and of quantities, this message included."""
        price, qty = (0, 0) if message.snapshot else self._seen.get(message.symbol, (0, 0))
        for levels in (message.bids, message.asks):
            for row in levels:
                price, qty = max(price, decimals(row[0])), max(qty, decimals(row[1]))
        self._seen[message.symbol] = (price, qty)
        return price, qty


def decimals(text: str) -> int:
    """How many digits stand after the point."""
    point = text.find(".")
    return len(text) - point - 1 if point >= 0 else 0


def book_checksum(book: OrderBook, price_decimals: int, qty_decimals: int) -> int:
    """The checksum of a book as it is.

    Args:
        book: The book.
        price_decimals: Decimals in which its prices are sent.
        qty_decimals: Decimals in which its quantities are sent.
    """
    unit = book.instrument
    scale = (unit.tick_units, price_decimals - unit.price_decimals), (1, qty_decimals - unit.qty_decimals)
    sides = (book.depth(side, LEVELS) for side in (Side.SELL, Side.BUY))
    text = "".join(scaled(ticks, *scale[0]) + scaled(units, *scale[1]) for rows in sides for ticks, units in rows)
    return crc32(text.encode())


def scaled(value: int, factor: int, shift: int) -> str:
    """The digits of ``value * factor`` with ``shift`` decimals more (or less)."""
    number = value * factor
    return str(number * 10**shift if shift >= 0 else number // 10**-shift)
