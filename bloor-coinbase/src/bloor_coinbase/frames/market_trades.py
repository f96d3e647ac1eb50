"""Public trades, channel ``market_trades``; up to a quarter of a second of them in one frame.

.. code-block:: json

    {"channel":"market_trades","timestamp":"2026-04-07T14:30:02.9Z","sequence_num":5,"events":[{"type":"update","trades":[{"trade_id":"995098700","product_id":"BTC-USD","price":"68900.50","size":"0.00150000","side":"BUY","time":"2026-04-07T14:30:02.789012Z"}]}]}

``side`` is the maker's: where the maker bought, the taker sold. A ``snapshot`` repeats the newest trades from before
the subscription, newest first. Ids grow with time for each product; trades are handed on in their order.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels", "Market Trades Channel".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import TradeMessage
from bloor_coinbase.frames.fields import objects, positive, product, time_ns, wrong

__all__ = ["market_trades"]

KIND = "market_trades"
#: The maker's side, and what the taker did.
TAKER = {"BUY": -1, "SELL": 1}


def market_trades(events: list[dict[str, Any]]) -> list[TradeMessage]:
    """The trades in a frame, in the order of their ids where those are numbers.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    trades = [
        _trade(one, event.get("type") == "snapshot") for event in events for one in objects(KIND, event, "trades")
    ]
    if all(trade.trade_id.isdecimal() for trade in trades):
        trades.sort(key=lambda trade: int(trade.trade_id))
    return trades


def _trade(one: dict[str, Any], recent: bool) -> TradeMessage:
    number = one.get("trade_id")
    if type(number) is not str or not 0 < len(number) <= 64:
        raise wrong(KIND, "trade_id", "an id as text", number)
    side = one.get("side")
    taker_side = TAKER.get(side) if type(side) is str else None
    if taker_side is None:
        raise wrong(KIND, "side", "'BUY' or 'SELL'", side)
    return TradeMessage(
        product(KIND, one),
        number,
        positive(KIND, one, "price"),
        positive(KIND, one, "size"),
        taker_side,
        time_ns(KIND, one, "time"),
        recent=recent,
    )
