"""Best bid and offer, channel ``ticker``.

.. code-block:: json

    {"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,"ask":105944.30,"ask_qty":3.2,"last":105899.40,"volume":163.28908096,"vwap":105904.39279,"low":104711.00,"high":106613.10,"change":250.00,"change_pct":0.24,"timestamp":"2025-12-25T09:30:59.123456Z"}]}

What it says of the last 24 hours is not kept. A side whose price is zero is empty. Older servers say no time. Source:
docs.kraken.com, WebSocket v2, "Ticker".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BboMessage
from bloor_kraken.frames.fields import amount, pair, time_ns

__all__ = ["ticker"]

KIND = "ticker"


def ticker(event: dict[str, Any]) -> BboMessage:
    """Reads one object of ``data``.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    return BboMessage(
        pair(KIND, event.get("symbol")),
        -1,
        amount(KIND, "bid", event.get("bid")),
        amount(KIND, "bid_qty", event.get("bid_qty")),
        amount(KIND, "ask", event.get("ask")),
        amount(KIND, "ask_qty", event.get("ask_qty")),
        time_ns(KIND, event, "timestamp", optional=True),
    )
