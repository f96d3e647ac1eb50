"""The best bid and offer, channel ``ticker``.

.. code-block:: json

    {"channel":"ticker","timestamp":"2026-04-07T14:30:03.000000Z","sequence_num":12,"events":[{"type":"snapshot","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"68900.50","volume_24_h":"15328.12345678","best_bid":"68900.00","best_bid_quantity":"1.50000000","best_ask":"68901.00","best_ask_quantity":"0.50000000"}]}]}

It has no time of its own but the frame's. A side that is empty is an empty text or zero. Those of ``ticker_batch``,
every five seconds, say no best prices and are skipped.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels", "Ticker Channel", "Ticker Batch Channel".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BboMessage
from bloor_coinbase.frames.fields import objects, plain, product

__all__ = ["ticker"]

KIND = "ticker"


def ticker(events: list[dict[str, Any]], sent_ns: int) -> list[BboMessage]:
    """The best bids and offers in a frame.

    Args:
        events: The events of the frame.
        sent_ns: Its time.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    return [
        BboMessage(
            product(KIND, one),
            -1,
            plain(KIND, one, "best_bid"),
            plain(KIND, one, "best_bid_quantity"),
            plain(KIND, one, "best_ask"),
            plain(KIND, one, "best_ask_quantity"),
            sent_ns,
        )
        for event in events
        for one in objects(KIND, event, "tickers")
        if "best_bid" in one or "best_ask" in one
    ]
