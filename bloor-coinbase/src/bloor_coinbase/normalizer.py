"""Coinbase's frames to messages: the reference form, in plain Python.

Two feeds are read. A frame of *Advanced Trade* has a ``channel``, its ``events`` and a ``sequence_num``, which counts
every frame of the connection, acknowledgements and heartbeats among them: it is the first message of each frame, and a
hole in it is a hole in every book. A frame of the older *Exchange* feed (formerly Pro), as recordings have it, is told
by its ``type`` and numbers no book. Orders one by one (``received``, ``open``, ``done``, ``change``, ``activate``) are
not kept as a book, nor are acknowledgements, heartbeats, ``status`` and ``user``: those are an
:class:`~bloor.market.messages.OtherMessage`; whoever keeps the connection looks into it.

What cannot be read of a trade, a quote or a candle is a :class:`~bloor.market.messages.FaultMessage` and leaves the
books alone; what cannot be read of a book is an error, and makes a hole in the numbers.

Sources: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels" and "Exchange WebSocket Channels", of 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BookMessage, ConnectionMessage, FaultMessage, Message, OtherMessage
from bloor.market.normalizer import SequenceRule
from bloor_coinbase.exchange import book as exchange_book
from bloor_coinbase.exchange.match import match
from bloor_coinbase.exchange.ticker import ticker as exchange_ticker
from bloor_coinbase.frames.candles import candles
from bloor_coinbase.frames.fields import integer, objects, time_ns, wrong
from bloor_coinbase.frames.level2 import level2
from bloor_coinbase.frames.market_trades import market_trades
from bloor_coinbase.frames.product_book import product_book
from bloor_coinbase.frames.ticker import ticker
from bloor_coinbase.symbols import split

__all__ = ["CoinbaseNormalizer"]

#: Channels that are normalized: events, number and time of a frame to its messages.
CHANNELS: dict[str, Callable[[list[dict[str, Any]], int, int], Sequence[Message]]] = {
    "l2_data": level2,
    "market_trades": lambda events, _, __: market_trades(events),
    "ticker": lambda events, _, sent_ns: ticker(events, sent_ns),
    "ticker_batch": lambda events, _, sent_ns: ticker(events, sent_ns),
    "candles": lambda events, _, sent_ns: candles(events, sent_ns),
}
#: Kinds of message of the Exchange feed that are normalized.
KINDS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "snapshot": exchange_book.snapshot,
    "l2update": exchange_book.l2update,
    "match": match,
    "last_match": match,
    "ticker": exchange_ticker,
}
#: Those of both that a book depends on.
OF_BOOKS = {"l2_data", "snapshot", "l2update"}


class CoinbaseNormalizer:
    """See :class:`bloor.market.normalizer.Normalizer`."""

    venue = "coinbase"
    rule = SequenceRule.NONE

    def decode(self, frame: bytes) -> Sequence[Message]:
        """The messages of a frame, its number on the connection first.

        Raises:
            RemoteProtocolError: The frame is no JSON, or a field that a book may depend on is missing or wrong; the
                message names it.
        """
        document = parsed(frame)
        if type(document) is not dict:
            return (OtherMessage("list" if type(document) is list else type(document).__name__),)
        if "channel" in document:
            return _advanced(document)
        kind = document.get("type")
        if type(kind) is not str:
            return (OtherMessage("unknown object"),)
        reader = KINDS.get(kind)
        return (OtherMessage(kind),) if reader is None else _careful(kind, lambda: (reader(document),))

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """The answer of ``GET /api/v3/brokerage/market/product_book``, or of the Exchange's ``/products/{id}/book``.

        Raises:
            RemoteProtocolError: It is none; for an error answer, says Coinbase's text.
        """
        return product_book(parsed(body), venue_symbol)

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """``("BTC", "USD")`` for ``BTC-USD``."""
        return split(venue_symbol)


def parsed(text: bytes) -> Any:
    """A JSON document.

    Raises:
        RemoteProtocolError: It is none.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RemoteProtocolError(f"expected JSON, got {bytes(text[:60])!r}: {error}") from None


def _advanced(document: dict[str, Any]) -> Sequence[Message]:
    """The messages of a frame of Advanced Trade.

    Raises:
        RemoteProtocolError: Its number is wrong, or what a book depends on is.
    """
    channel = document["channel"]
    if type(channel) is not str:
        raise wrong("frame", "channel", "the name of a channel", channel)
    seq = integer(channel, document, "sequence_num") if "sequence_num" in document else -1
    reader = CHANNELS.get(channel)
    if reader is None:
        messages: Sequence[Message] = (OtherMessage(channel),)
    else:
        messages = _careful(
            channel,
            lambda: reader(objects(channel, document, "events"), seq, time_ns(channel, document, "timestamp")),
        ) or (OtherMessage(channel),)  # fmt: skip
    return messages if seq < 0 else (ConnectionMessage(seq), *messages)


def _careful(kind: str, read: Callable[[], Sequence[Message]]) -> Sequence[Message]:
    """What is read, or what is wrong about it where no book depends on it.

    Raises:
        RemoteProtocolError: Something is wrong, and a book depends on it.
    """
    try:
        return read()
    except RemoteProtocolError as error:
        if kind in OF_BOOKS:
            raise
        return (FaultMessage(str(error)),)
