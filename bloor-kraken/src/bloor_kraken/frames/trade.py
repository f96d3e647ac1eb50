"""Trades, channel ``trade``.

.. code-block:: json

    {"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,"qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2025-11-10T17:23:53.971744Z"}]}

``side`` is the taker's. A snapshot is the last fifty trades, which may have been said before the connection was lost;
``trade_id`` is a number that rises by one in each book. Source: docs.kraken.com, WebSocket v2, "Trade".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import TradeMessage
from bloor_kraken.frames.fields import integer, objects, pair, positive, side, time_ns

__all__ = ["trades"]

KIND = "trade"


def trades(frame: dict[str, Any]) -> list[TradeMessage]:
    """Reads a frame; the trades of a snapshot are put in the order of their ids.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    recent = frame.get("type") == "snapshot"
    found = [_trade(event, recent) for event in objects(KIND, frame)]
    return sorted(found, key=_number) if recent else found


def _number(trade: TradeMessage) -> int:
    return int(trade.trade_id)


def _trade(event: dict[str, Any], recent: bool) -> TradeMessage:
    return TradeMessage(
        pair(KIND, event.get("symbol")),
        str(integer(KIND, event, "trade_id")),
        positive(KIND, "price", event.get("price")),
        positive(KIND, "qty", event.get("qty")),
        side(KIND, "side", event.get("side"), "buy", "sell"),
        time_ns(KIND, event, "timestamp"),
        recent=recent,
    )
