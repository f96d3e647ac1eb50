"""A public trade, channels ``matches`` and ``full`` of the Exchange feed.

.. code-block:: json

    {"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8","taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}

``side`` is the maker's: where the maker sold, the taker bought. ``last_match`` is the newest trade from before the
subscription.

Source: docs.cdp.coinbase.com, "Exchange WebSocket Channels", "Match".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import TradeMessage
from bloor_coinbase.frames.fields import integer, positive, product, time_ns, wrong

__all__ = ["match"]

KIND = "match"
#: The maker's side, and what the taker did.
TAKER = {"buy": -1, "sell": 1}


def match(event: dict[str, Any]) -> TradeMessage:
    """Reads a trade.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    side = event.get("side")
    taker_side = TAKER.get(side) if type(side) is str else None
    if taker_side is None:
        raise wrong(KIND, "side", "'buy' or 'sell'", side)
    return TradeMessage(
        product(KIND, event),
        str(integer(KIND, event, "trade_id")),
        positive(KIND, event, "price"),
        positive(KIND, event, "size"),
        taker_side,
        time_ns(KIND, event, "time"),
        recent=event.get("type") == "last_match",
    )
