"""The best bid and offer, stream ``<symbol>@bookTicker`` or ``!bookTicker``.

.. code-block:: json

    {"e":"bookTicker","u":400900217,"E":1568014460893,"T":1568014460891,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}

As on spot, with a kind and two times: ``E`` of the event, ``T`` of the matching engine. Source: USD-M documentation,
"Individual Symbol Book Ticker Streams".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BboMessage
from bloor_binance.frames.book_ticker import KIND
from bloor_binance.frames.book_ticker import book_ticker as spot_book_ticker
from bloor_binance.frames.fields import time_ns

__all__ = ["book_ticker"]


def book_ticker(event: dict[str, Any]) -> BboMessage:
    """Reads a best bid and offer.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    return spot_book_ticker(event)._replace(exch_ns=time_ns(KIND, event, "E"))
