"""The whole book, ``GET /fapi/v1/depth``.

.. code-block:: json

    {"lastUpdateId":1027024,"E":1589436922972,"T":1589436922959,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}

As on spot, with both times; answers of before 2020 have none. Source: USD-M documentation, "Order Book".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BookMessage
from bloor_binance.frames.fields import time_ns
from bloor_binance.frames.snapshot import KIND
from bloor_binance.frames.snapshot import snapshot as spot_snapshot

__all__ = ["snapshot"]


def snapshot(answer: dict[str, Any], venue_symbol: str) -> BookMessage:
    """Reads a whole book.

    Args:
        answer: The JSON object.
        venue_symbol: Whose book it is; empty when not known.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    message = spot_snapshot(answer, venue_symbol, over_stream=False)
    return message._replace(exch_ns=time_ns(KIND, answer, "E")) if "E" in answer else message
