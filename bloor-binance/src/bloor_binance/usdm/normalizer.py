"""Binance USD-M frames to messages: the reference form, in plain Python.

Frames have the two shapes of spot, bare and combined (:mod:`bloor_binance.normalizer`), and every market-data event has
a kind ``e``. Source: USD-M documentation, "WebSocket Market Streams".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bloor.market.messages import BookMessage, Message, OtherMessage
from bloor.market.normalizer import SequenceRule
from bloor_binance.frames.agg_trade import agg_trade
from bloor_binance.frames.fields import wrong
from bloor_binance.frames.kline import kline
from bloor_binance.normalizer import depth_answer, opened, what
from bloor_binance.usdm.frames.book_ticker import book_ticker
from bloor_binance.usdm.frames.depth import depth
from bloor_binance.usdm.frames.mark_price import mark_price
from bloor_binance.usdm.frames.snapshot import snapshot
from bloor_binance.usdm.frames.trade import trade
from bloor_binance.usdm.symbols import split

__all__ = ["BinanceUsdmNormalizer"]

#: Event kinds that are normalized, beside ``depthUpdate``.
READERS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "trade": trade,
    "aggTrade": agg_trade,
    "bookTicker": book_ticker,
    "kline": kline,
    "markPriceUpdate": mark_price,
}


class BinanceUsdmNormalizer:
    """See :class:`bloor.market.normalizer.Normalizer`."""

    venue = "binance-usdm"
    rule = SequenceRule.PREVIOUS

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
        """The answer of ``GET /fapi/v1/depth``.

        Raises:
            RemoteProtocolError: It is none; for an error answer, says Binance's code and text.
        """
        return snapshot(depth_answer(body), venue_symbol)

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """``("BTC", "USDT")`` for ``BTCUSDT``; see :func:`bloor_binance.usdm.symbols.split`."""
        return split(venue_symbol)


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
        if kind == "depthUpdate":
            return depth(event, stream)
        reader = READERS.get(kind)
        return reader(event) if reader else OtherMessage(kind)
    if "lastUpdateId" in event:
        return snapshot(event, stream.partition("@")[0].upper())
    if stream or "s" in event or "u" in event:
        raise wrong(f"event of stream {stream!r}", "e", "the kind of event", None)
    return OtherMessage(what(event))
