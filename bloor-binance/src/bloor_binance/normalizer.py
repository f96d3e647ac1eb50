"""Binance spot frames to messages: the reference form, in plain Python.

A frame is an object (``/ws`` connections) or an object in the envelope ``{"stream": name, "data": object}``
(``/stream`` connections). Market data has an event kind ``e``, except best bid and offer, which is told by its fields,
and partial depth, which only the name of its stream tells. Everything else that Binance may send (acknowledgements,
errors, tickers, ``serverShutdown``) is an :class:`~bloor.market.messages.OtherMessage`; whoever keeps the
connection looks into it.

Source: binance-spot-api-docs, web-socket-streams.md of 2026-07.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BookMessage, Message, OtherMessage
from bloor.market.normalizer import SequenceRule
from bloor_binance.frames.agg_trade import agg_trade
from bloor_binance.frames.book_ticker import book_ticker, is_book_ticker
from bloor_binance.frames.depth import depth
from bloor_binance.frames.fields import wrong
from bloor_binance.frames.kline import kline
from bloor_binance.frames.snapshot import snapshot
from bloor_binance.frames.trade import trade
from bloor_binance.symbols import split

__all__ = ["BinanceSpotNormalizer"]

#: Event kinds that are normalized.
READERS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "trade": trade,
    "aggTrade": agg_trade,
    "bookTicker": book_ticker,
    "depthUpdate": depth,
    "kline": kline,
}


class BinanceSpotNormalizer:
    """See :class:`bloor.market.normalizer.Normalizer`."""

    venue = "binance"
    rule = SequenceRule.CONTIGUOUS

    def decode(self, frame: bytes) -> Sequence[Message]:
        """The one message of a frame.

        Raises:
            RemoteProtocolError: The frame is no JSON, or a field of it is missing or wrong; the message names it.
        """
        event, stream = opened(frame)
        if type(event) is not dict:
            return (OtherMessage(stream or what(event)),)
        return (decode_event(event, stream),)

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """The answer of ``GET /api/v3/depth``.

        Raises:
            RemoteProtocolError: It is none; for an error answer, says Binance's code and text.
        """
        return snapshot(depth_answer(body), venue_symbol, over_stream=False)

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """``("BTC", "USDT")`` for ``BTCUSDT``; see :func:`bloor_binance.symbols.split`."""
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


def opened(frame: bytes) -> tuple[Any, str]:
    """What a frame holds, out of its envelope, and the name of its stream (empty without an envelope).

    What is no object is a list: of an envelope whose stream ends in ``@arr``, or bare and of no meaning.

    Raises:
        RemoteProtocolError: The frame is no JSON, or its envelope is wrong.
    """
    document = parsed(frame)
    if type(document) is not dict or "stream" not in document:
        return document, ""
    stream, event = document["stream"], document.get("data")
    if type(stream) is not str:
        raise wrong("combined frame", "stream", "the name of a stream", stream)
    if type(event) is not dict and not (type(event) is list and stream.endswith("@arr")):
        raise wrong("combined frame", "data", "an object", event)
    return event, stream


def depth_answer(body: bytes) -> dict[str, Any]:
    """The object that answers a depth request.

    Raises:
        RemoteProtocolError: It is none; for an error answer, says Binance's code and text.
    """
    document = parsed(body)
    if type(document) is not dict:
        raise RemoteProtocolError(f"depth snapshot: expected an object, got {what(document)}")
    if "lastUpdateId" not in document and "code" in document:
        raise RemoteProtocolError(
            f"depth snapshot: Binance answered {document['code']!r:.20}: {document.get('msg')!r:.200}"
        )
    return document


def decode_event(event: dict[str, Any], stream: str) -> Message:
    """The message of one object.

    Args:
        event: The object without its envelope.
        stream: Name of its stream, empty without an envelope.

    Raises:
        RemoteProtocolError: A field is missing or wrong.
    """
    if "e" in event:
        kind = event["e"]
        if type(kind) is not str:
            raise wrong("event", "e", "the kind of event", kind)
        reader = READERS.get(kind)
        return reader(event) if reader else OtherMessage(kind)
    if "lastUpdateId" in event or "@depth" in stream:
        return snapshot(event, stream.partition("@")[0].upper(), over_stream=stream != "")
    if is_book_ticker(event):
        return book_ticker(event)
    if stream or "s" in event or "E" in event:
        raise RemoteProtocolError(f"event of stream {stream!r}: field 'e': expected the kind of event, got nothing")
    return OtherMessage(what(event))


def what(document: Any) -> str:
    """What a frame is that holds no event: a control message, or no object at all."""
    if type(document) is not dict:
        return "list" if type(document) is list else type(document).__name__
    if "error" in document or "code" in document:
        return "error"
    if "result" in document:
        return "answer"
    if "event" in document:
        return "event of another connection"
    return "unknown object"
