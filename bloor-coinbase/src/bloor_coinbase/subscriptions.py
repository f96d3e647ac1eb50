"""Subscribing to channels of Advanced Trade: the messages, and what an acknowledgement says.

One channel to a message. Market data needs no token; where one is given, it is signed anew for every message and the
stream goes on after it has expired. Every acknowledgement has the whole set of subscriptions of the connection.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Overview".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Any

import orjson

__all__ = ["Channel", "acknowledged", "subscribe", "unsubscribe"]


class Channel(Enum):
    """A channel by its name in subscriptions."""

    LEVEL2 = "level2"
    MARKET_TRADES = "market_trades"
    TICKER = "ticker"
    #: The account's orders; of no product, so of all.
    USER = "user"
    #: One frame a second, whatever the market does; of no product.
    HEARTBEATS = "heartbeats"


def subscribe(channel: Channel, products: Collection[str] = (), token: str = "") -> bytes:
    """The message that subscribes to a channel.

    Args:
        channel: The channel.
        products: Of which products; none for channels that have none.
        token: A token without ``uri`` (:meth:`bloor_coinbase.signing.CoinbaseCredentials.token`); empty for none.
    """
    return _message("subscribe", channel, products, token)


def unsubscribe(channel: Channel, products: Collection[str] = ()) -> bytes:
    """The message that ends the subscription to a channel for some products."""
    return _message("unsubscribe", channel, products, "")


def _message(kind: str, channel: Channel, products: Collection[str], token: str) -> bytes:
    message: dict[str, Any] = {"type": kind, "channel": channel.value}
    if products:
        message["product_ids"] = list(products)
    if token:
        message["jwt"] = token
    return orjson.dumps(message)


def acknowledged(events: Iterable[Any]) -> dict[str, set[str]]:
    """The subscriptions that an acknowledgement lists: products by the name of their channel.

    Args:
        events: The events of a frame of the channel ``subscriptions``; what is none is passed over.
    """
    found: dict[str, set[str]] = {}
    for event in events:
        listed = event.get("subscriptions") if isinstance(event, dict) else None
        for name, products in listed.items() if isinstance(listed, dict) else ():
            if isinstance(products, list):
                found.setdefault(name, set()).update(one for one in products if isinstance(one, str))
    return found
