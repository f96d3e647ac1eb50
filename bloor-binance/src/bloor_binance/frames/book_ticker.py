"""The best bid and offer, stream ``<symbol>@bookTicker``.

.. code-block:: json

    {"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}

It has neither ``e`` nor a time. A side whose price and quantity are both zero is empty. Source: web-socket-streams.md,
"Individual Symbol Book Ticker Streams".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BboMessage
from bloor_binance.frames.fields import integer, positive, quantity, symbol

__all__ = ["book_ticker", "is_book_ticker"]

KIND = "bookTicker"


def is_book_ticker(event: dict[str, Any]) -> bool:
    """Whether an object without ``e`` was meant as one, complete or not."""
    return "B" in event or "A" in event or ("u" in event and "U" not in event)


def book_ticker(event: dict[str, Any]) -> BboMessage:
    """Reads a best bid and offer.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    return BboMessage(symbol(KIND, event), integer(KIND, event, "u"), *_side(event, "b", "B"), *_side(event, "a", "A"))


def _side(event: dict[str, Any], price: str, qty: str) -> tuple[str, str]:
    size = quantity(KIND, event, qty)
    if not size.strip("0."):  # zero
        offered = quantity(KIND, event, price)
        if not offered.strip("0."):
            return offered, size
    return positive(KIND, event, price), size
