"""Candles of five minutes, channel ``candles``: a second's changes in one frame.

.. code-block:: json

    {"channel":"candles","timestamp":"2026-04-07T14:30:05.000000Z","sequence_num":3,"events":[{"type":"update","candles":[{"start":"1775521800","high":"68950.00","low":"68850.00","open":"68900.00","close":"68920.50","volume":"42.15000000","product_id":"BTC-USD"}]}]}

``start`` is in seconds. Nothing says that a candle is closed: it is when the same frame has a later one of its product.
How many trades there were and what takers bought is not said either.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels", "Candles Channel".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import KlineMessage
from bloor.model.decimals import INT64_MAX
from bloor_coinbase.frames.fields import SECOND, objects, positive, product, quantity, wrong

__all__ = ["candles"]

KIND = "candles"
LENGTH_NS = 300 * SECOND


def candles(events: list[dict[str, Any]], sent_ns: int) -> list[KlineMessage]:
    """The candles in a frame, oldest first.

    Args:
        events: The events of the frame.
        sent_ns: Its time.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    rows = [(product(KIND, one), _start_ns(one), one) for event in events for one in objects(KIND, event, "candles")]
    rows.sort(key=lambda row: row[1])
    newest = {symbol: start for symbol, start, _ in rows}
    return [
        KlineMessage(
            symbol,
            sent_ns,
            start,
            start + LENGTH_NS - 1,
            positive(KIND, one, "open"),
            positive(KIND, one, "high"),
            positive(KIND, one, "low"),
            positive(KIND, one, "close"),
            quantity(KIND, one, "volume"),
            "",
            0,
            start < newest[symbol],
        )
        for symbol, start, one in rows
    ]


def _start_ns(one: dict[str, Any]) -> int:
    text = one.get("start")
    if type(text) is not str or not (text.isascii() and text.isdecimal()) or int(text[:20]) * SECOND > INT64_MAX // 2:
        raise wrong(KIND, "start", "a time in seconds as text", text)
    return int(text) * SECOND
