"""The book and its changes, channel ``book``.

.. code-block:: json

    {"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":78858.8,"qty":0.00000000},{"price":78857.0,"qty":0.34775324}],"asks":[],"checksum":2416540570,"timestamp":"2026-08-24T22:21:58.343688Z"}]}

Levels are in no order, the same price may come twice (the later one counts), and a quantity of zero removes a level.
Nothing is numbered: the checksum, over the ten best levels a side after the message, is all that says whether anything
is missing. Snapshots of 2023 had no time. Source: docs.kraken.com, WebSocket v2, "Book".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BookMessage, Levels
from bloor_kraken.exact import Number
from bloor_kraken.frames.fields import checked_levels, integer, pair, time_ns, wrong

__all__ = ["book"]

KIND = "book"
MAX_CHECKSUM = (1 << 32) - 1


def book(event: dict[str, Any], *, snapshot: bool) -> BookMessage:
    """Reads one object of ``data``.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    checksum = integer(KIND, event, "checksum")
    if checksum > MAX_CHECKSUM:
        raise wrong(KIND, "checksum", "an integer below 2**32", checksum)
    return BookMessage(
        pair(KIND, event.get("symbol")),
        snapshot,
        -1,
        -1,
        -1,
        _levels(event, "bids"),
        _levels(event, "asks"),
        time_ns(KIND, event, "timestamp", optional=True),
        True,
        checksum,
    )


def _levels(event: dict[str, Any], name: str) -> Levels:
    levels = event.get(name)
    if type(levels) is not list:
        raise wrong(KIND, name, "a list of levels", levels)
    try:
        rows = [(level["price"], level["qty"]) for level in levels]
    except (KeyError, TypeError):
        raise wrong(KIND, name, "objects with price and qty", levels) from None
    return checked_levels(KIND, name, rows, Number)
