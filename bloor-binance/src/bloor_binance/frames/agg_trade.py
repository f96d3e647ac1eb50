"""The trades of one taker order at one price as one, stream ``<symbol>@aggTrade``.

.. code-block:: json

    {"e":"aggTrade","E":1672515782136,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}

``f`` and ``l`` are the ids of the first and the last trade in it. Source: web-socket-streams.md, "Aggregate Trade Streams".
"""  # noqa: E501 (a payload as it came)

from __future__ import annotations

from typing import Any

from bloor.market.messages import TradeMessage
from bloor_binance.frames.fields import flag, integer, positive, symbol, time_ns, trade_id

__all__ = ["agg_trade"]

KIND = "aggTrade"


def agg_trade(event: dict[str, Any]) -> TradeMessage:
    """Reads an aggregated trade.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    return TradeMessage(
        symbol(KIND, event),
        trade_id(KIND, event, "a"),
        positive(KIND, event, "p"),
        positive(KIND, event, "q"),
        -1 if flag(KIND, event, "m") else 1,
        time_ns(KIND, event, "T"),
        True,
        integer(KIND, event, "f"),
        integer(KIND, event, "l"),
    )
