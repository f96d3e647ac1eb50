"""Changes of a book, and the whole book, channel ``level2``.

.. code-block:: json

    {"channel":"l2_data","timestamp":"2026-08-24T22:34:13.813365299Z","sequence_num":2,"events":[{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2026-08-24T22:34:13.592233Z","price_level":"78856.05","new_quantity":"0.04868907"},{"side":"offer","event_time":"2026-08-24T22:34:13.592233Z","price_level":"78856.06","new_quantity":"0"}]}]}

Quantities are absolute, zero removes the level; levels that were never there are removed, too. The time of an update is
that of its newest level; levels of a snapshot are as old as they are, so that its time is the frame's. A book has no
number of its own: it gets the frame's, which counts all frames of the connection.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels", "Level2 Channel".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BookMessage
from bloor_coinbase.frames.fields import levels, objects, product, time_ns, wrong

__all__ = ["level2"]

KIND = "l2_data"


def level2(events: list[dict[str, Any]], seq: int, sent_ns: int) -> list[BookMessage]:
    """The changes in a frame, one message for each product.

    Args:
        events: The events of the frame.
        seq: Its number; -1 without.
        sent_ns: Its time.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    if len(events) == 1:
        return [_event(events[0], seq, sent_ns)]
    found: dict[str, BookMessage] = {}
    for event in events:
        message = _event(event, seq, sent_ns)
        before = found.get(message.symbol)
        found[message.symbol] = message if before is None or message.snapshot else _both(before, message)
    return list(found.values())


def _event(event: dict[str, Any], seq: int, sent_ns: int) -> BookMessage:
    kind = event.get("type")
    if kind not in ("snapshot", "update"):
        raise wrong(KIND, "type", "'snapshot' or 'update'", kind)
    symbol = product(KIND, event)
    updates = objects(KIND, event, "updates")
    bids, asks = _side(updates, "bid"), _side(updates, "offer")
    if len(bids) + len(asks) != len(updates):
        bad = next(one.get("side") for one in updates if one.get("side") not in ("bid", "offer"))
        raise wrong(KIND, "side", "'bid' or 'offer'", bad)
    snapshot = kind == "snapshot"
    exch_ns = sent_ns if snapshot else _newest(updates) or sent_ns
    return BookMessage(symbol, snapshot, seq, seq, -1, bids, asks, exch_ns)


def _side(updates: list[dict[str, Any]], side: str) -> list[tuple[str, str]]:
    rows = [(one.get("price_level"), one.get("new_quantity")) for one in updates if one.get("side") == side]
    return levels(KIND, side, rows)  # type: ignore[arg-type]


def _newest(updates: list[dict[str, Any]]) -> int:
    """The newest time of some updates; those of one message share few of them."""
    texts = {text: one for one in updates if type(text := one.get("event_time")) is str}
    return max((time_ns(KIND, one, "event_time") for one in texts.values()), default=0)


def _both(first: BookMessage, then: BookMessage) -> BookMessage:
    """Two messages for one book as one; a later row for the same price wins."""
    return first._replace(
        bids=[*first.bids, *then.bids], asks=[*first.asks, *then.asks], exch_ns=max(first.exch_ns, then.exch_ns)
    )
