"""What clients say over a WebSocket: one subscription, or the end of one, to a message.

``{"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD"], "jwt": "..."}``

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Overview".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

__all__ = ["CHANNELS", "RefusedError", "Wish", "read_object", "read_wish", "shown"]

#: Channels by their name in subscriptions, with that in their frames.
CHANNELS = {
    "heartbeats": "heartbeats",
    "level2": "l2_data",
    "market_trades": "market_trades",
    "ticker": "ticker",
    "ticker_batch": "ticker_batch",
    "candles": "candles",
    "status": "status",
    "user": "user",
}
#: Those that need no products.
_OF_NOTHING = ("heartbeats", "user", "status")
#: What is said back of something that cannot be.
_SHOWN = 40


class RefusedError(Exception):
    """A message that is answered with an error; its text is what is said."""


class Wish(NamedTuple):
    """What a message asks for.

    Attributes:
        subscribe: Whether a subscription begins; else it ends.
        channel: The channel, one of :data:`CHANNELS`.
        products: Of which products; none where the channel is of no product, or of all.
    """

    subscribe: bool
    channel: str
    products: list[str]


def read_object(payload: bytes) -> dict[str, Any]:
    """A frame as an object. Raises RefusedError."""
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise RefusedError("failed to read the message: it is no JSON") from None
    if not isinstance(message, dict):
        raise RefusedError("failed to read the message: it is no object")
    return message


def read_wish(message: dict[str, Any]) -> Wish:
    """What an object asks for. Raises RefusedError."""
    kind, channel, names = message.get("type"), message.get("channel"), message.get("product_ids")
    if kind not in ("subscribe", "unsubscribe"):
        raise RefusedError(f"type must be subscribe or unsubscribe, got {shown(kind)}")
    if not isinstance(channel, str) or channel not in CHANNELS:
        raise RefusedError(f"failure to subscribe: no channel {shown(channel)}")
    names = [] if names is None or channel == "heartbeats" else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RefusedError("failure to subscribe: product_ids must be a list of products")
    if not names and channel not in _OF_NOTHING:
        raise RefusedError(f"failure to subscribe: channel {channel} needs product_ids")
    return Wish(kind == "subscribe", channel, names)


def shown(value: object) -> str:
    """The beginning of something, to be said back."""
    return f"{value!r:.{_SHOWN}}"
