"""The whole book, ``GET /api/v3/depth``, and its best levels, stream ``<symbol>@depth20``: one shape.

.. code-block:: json

    {"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}

Neither says whose book it is: the request or the name of the stream does. Sources: rest-api.md, "Order book";
web-socket-streams.md, "Partial Book Depth Streams".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BookMessage
from bloor_binance.frames.fields import integer, levels

__all__ = ["snapshot"]

KIND = "depth snapshot"


def snapshot(answer: dict[str, Any], venue_symbol: str, *, over_stream: bool) -> BookMessage:
    """Reads a whole book, or the best levels of one.

    Args:
        answer: The JSON object.
        venue_symbol: Whose book it is; empty when not known.
        over_stream: Whether it came as a frame.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    last = integer(KIND, answer, "lastUpdateId")
    bids = levels(KIND, answer, "bids")
    asks = levels(KIND, answer, "asks")
    return BookMessage(venue_symbol, True, last, last, -1, bids, asks, 0, over_stream)
