"""A candle as it is now, stream ``<symbol>@kline_<interval>``.

.. code-block:: json

    {"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"t":1672515780000,"T":1672515839999,"s":"BNBBTC","i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":false,"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}

``v`` and ``V`` are traded quantities of the base asset, all and by takers who bought; ``x`` says that the candle is
closed. One that lacks any of what is read here is another message, not an error: nothing is kept of it.

Source: web-socket-streams.md, "Kline/Candlestick Streams for UTC"; USD-M has the same fields.
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import KlineMessage, OtherMessage
from bloor_binance.frames.fields import flag, integer, positive, quantity, symbol, time_ns

__all__ = ["kline"]

KIND = "kline"


#: What is read of the event and of its candle.
EVENT_KEYS, CANDLE_KEYS = {"s", "E"}, set("tTohlcvVnx")


def kline(event: dict[str, Any]) -> KlineMessage | OtherMessage:
    """Reads a candle; one that is not complete is another message.

    Raises:
        RemoteProtocolError: Names the field that is wrong.
    """
    candle = event.get("k")
    if type(candle) is not dict or not event.keys() >= EVENT_KEYS or not candle.keys() >= CANDLE_KEYS:
        return OtherMessage(KIND)
    return KlineMessage(
        symbol(KIND, event),
        time_ns(KIND, event, "E"),
        time_ns(KIND, candle, "t"),
        time_ns(KIND, candle, "T"),
        positive(KIND, candle, "o"),
        positive(KIND, candle, "h"),
        positive(KIND, candle, "l"),
        positive(KIND, candle, "c"),
        quantity(KIND, candle, "v"),
        quantity(KIND, candle, "V"),
        integer(KIND, candle, "n"),
        flag(KIND, candle, "x"),
    )
