"""The best bid and offer with each trade, channels ``ticker`` and ``ticker_batch`` of the Exchange feed.

.. code-block:: json

    {"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.79","volume_24h":"245532.79","low_24h":"1280.52","high_24h":"1313.8","volume_30d":"9788783.60","best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040","side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4396987"}

The sizes came in 2022; before, they are not said, and are zero here. The first one of a subscription may have no time.

Source: docs.cdp.coinbase.com, "Exchange WebSocket Channels", "Ticker Channel".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BboMessage
from bloor_coinbase.frames.fields import integer, plain, product, time_ns

__all__ = ["ticker"]

KIND = "ticker"


def ticker(event: dict[str, Any]) -> BboMessage:
    """Reads a best bid and offer.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    return BboMessage(
        product(KIND, event),
        integer(KIND, event, "sequence") if "sequence" in event else -1,
        plain(KIND, event, "best_bid"),
        plain(KIND, event, "best_bid_size"),
        plain(KIND, event, "best_ask"),
        plain(KIND, event, "best_ask_size"),
        time_ns(KIND, event, "time"),
    )
