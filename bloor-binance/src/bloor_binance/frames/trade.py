"""A public trade, stream ``<symbol>@trade``.

.. code-block:: json

    {"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true,"M":true}

``m`` says that the buyer was the maker, so the taker sold. Payloads of before 2024 also carry the order ids ``a`` and
``b``. Source: web-socket-streams.md, "Trade Streams".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import TradeMessage
from bloor_binance.frames.fields import flag, positive, symbol, time_ns, trade_id

__all__ = ["trade"]

KIND = "trade"


def trade(event: dict[str, Any]) -> TradeMessage:
    """Reads a trade.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    return TradeMessage(
        symbol(KIND, event),
        trade_id(KIND, event, "t"),
        positive(KIND, event, "p"),
        positive(KIND, event, "q"),
        -1 if flag(KIND, event, "m") else 1,
        time_ns(KIND, event, "T"),
    )
