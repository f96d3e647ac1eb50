"""Kraken spot frames to messages: the reference form, in plain Python.

A frame of WebSocket v2 is an object: of a channel (``{"channel","type","data"}``), or the answer to a request
(``{"method",...}``). A frame of v1 is a list, or an object with an ``event``. Everything that is no trade, best bid and
offer, book or candle is an :class:`~bloor.market.messages.OtherMessage`: status, heartbeats, lists of instruments,
answers, and what private channels say.

How deep a book is says the answer to its subscription, not the book; it is remembered here, and where a recording
begins after it, the snapshot's own length is the least it can be. Names are those of v2 throughout: v1's ``XBT/USD`` is
read as ``BTC/USD``.

Source: docs.kraken.com, Spot WebSocket v2 and v1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bloor.errors import RemoteProtocolError
from bloor.market.book import OrderBook
from bloor.market.messages import BookMessage, Message, OtherMessage
from bloor.market.normalizer import SequenceRule
from bloor_kraken.checksum import Precisions, book_checksum
from bloor_kraken.exact import Number, parsed
from bloor_kraken.frames.book import book
from bloor_kraken.frames.fields import objects, wrong
from bloor_kraken.frames.level3 import level3
from bloor_kraken.frames.ohlc import Candles, ohlc
from bloor_kraken.frames.snapshot import depth_answer
from bloor_kraken.frames.ticker import ticker
from bloor_kraken.frames.trade import trades
from bloor_kraken.frames.version1 import book_depth, version1
from bloor_kraken.level3.book import BookByOrder
from bloor_kraken.symbols import split

__all__ = ["DEPTHS", "LEVEL3_DEPTHS", "KrakenNormalizer"]

#: The depths that a book can be subscribed to with, and one by order.
DEPTHS, LEVEL3_DEPTHS = (10, 25, 100, 500, 1000), (10, 100, 1000)


class KrakenNormalizer:
    """See :class:`bloor.market.normalizer.ChecksummedNormalizer`."""

    venue = "kraken"
    rule = SequenceRule.NONE

    def __init__(self) -> None:
        self._depths: dict[str, int] = {}
        self._candles = Candles()
        self._precisions = Precisions()
        self._by_order: dict[str, BookByOrder] = {}
        #: checksums of the books by order after each message of the newest frame
        self._sums: list[tuple[BookMessage, int]] = []

    def decode(self, frame: bytes) -> Sequence[Message]:
        """The messages of a frame.

        Raises:
            RemoteProtocolError: The frame is no JSON, or a field of it is missing or wrong; the message names it.
        """
        document = parsed(frame)
        if type(document) is dict:
            channel = document.get("channel")
            if type(channel) is str:
                return self._channel(channel, document)
            if document.get("method") == "subscribe":
                self._subscribed(document)
            return (OtherMessage(what(document)),)
        if type(document) is list:
            return self._version1(document)
        raise RemoteProtocolError(f"expected an object or a list, got {document!r:.60}")

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """The answer of ``GET /0/public/Depth``, under REST's name of the pair.

        It says no place in the stream and rounds quantities, so it never becomes the book of a stream.

        Raises:
            RemoteProtocolError: It is none; for an error answer, says Kraken's text.
        """
        return depth_answer(parsed(body), venue_symbol)

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """``("BTC", "USD")`` for ``BTC/USD``; see :func:`bloor_kraken.symbols.split`."""
        return split(venue_symbol)

    def depth(self, venue_symbol: str) -> int:
        """Levels a side of a book as far as is known by now; 0 when nothing is."""
        return self._depths.get(venue_symbol, 0)

    def decimals(self, venue_symbol: str) -> tuple[int, int]:
        """Decimals in which the levels of a book are sent, as far as is known by now; -1 when nothing is."""
        return self._precisions.known(venue_symbol)

    def checksum(self, message: BookMessage, book: OrderBook) -> int:
        """See :mod:`bloor_kraken.checksum`; of a book by order, :mod:`bloor_kraken.level3.book`."""
        for of, computed in self._sums if message.orders is not None else ():
            if of is message:
                return computed
        return book_checksum(book, *self._precisions.of(message))

    # ---- version 2 --------------------------------------------------------------------------------------------------

    def _channel(self, channel: str, event: dict[str, Any]) -> Sequence[Message]:
        if channel == "book":
            return [self._book(each, _is_snapshot(event)) for each in objects(channel, event)]
        if channel == "level3":
            return self._level3(event)
        if channel == "trade":
            return trades(event)
        if channel == "ticker":
            return [ticker(each) for each in objects(channel, event)]
        if channel == "ohlc":
            candles = [ohlc(each) for each in objects(channel, event)]
            return [message for candle in candles for message in self._candles.taken(candle)]
        return (OtherMessage(channel),)

    def _book(self, event: dict[str, Any], snapshot: bool) -> BookMessage:
        message = book(event, snapshot=snapshot)
        if snapshot:
            self._at_least(message)
        return message

    def _level3(self, event: dict[str, Any]) -> Sequence[Message]:
        """Books by order: what each message changes of the levels, and whose orders that are."""
        self._sums.clear()
        snapshot = _is_snapshot(event)
        for told in [level3(each, snapshot=snapshot) for each in objects("level3", event)]:
            book = self._by_order.setdefault(told.symbol, BookByOrder())
            if snapshot:
                prices = (len({e.price for e in told.events if e.side == side}) for side in (1, -1))
                self._as_deep(told.symbol, max(prices), LEVEL3_DEPTHS)
            self._sums.append((book.take(told, self.depth(told.symbol)), book.checksum))
        return [message for message, _ in self._sums]

    def _at_least(self, message: BookMessage) -> None:
        """A book is at least as deep as its snapshot."""
        self._as_deep(message.symbol, max(len(message.bids), len(message.asks)), DEPTHS)

    def _as_deep(self, symbol: str, levels: int, depths: Sequence[int]) -> None:
        known = self._depths.get(symbol, 0)
        if levels > known or not known:
            self._depths[symbol] = next((depth for depth in depths if depth >= levels), levels)

    def _subscribed(self, answer: dict[str, Any]) -> None:
        result = answer.get("result")
        if type(result) is not dict or answer.get("success") is not True:
            return
        channel, symbol, depth = result.get("channel"), result.get("symbol"), result.get("depth")
        if channel == "level3" and depth is None:
            depth = Number(LEVEL3_DEPTHS[0])  # what nobody asked for otherwise
        if channel in ("book", "level3") and type(symbol) is str and type(depth) is Number and depth in _DEPTH_TEXTS:
            self._depths[symbol] = int(depth)

    # ---- version 1 --------------------------------------------------------------------------------------------------

    def _version1(self, frame: Sequence[Any]) -> Sequence[Message]:
        messages = version1(frame)
        for message in _snapshots(messages):
            self._depths[message.symbol] = book_depth(frame)
            self._at_least(message)
        return messages


_DEPTH_TEXTS = frozenset(map(str, DEPTHS))


def _snapshots(messages: Iterable[Message]) -> Iterable[BookMessage]:
    return (message for message in messages if isinstance(message, BookMessage) and message.snapshot)


def _is_snapshot(event: dict[str, Any]) -> bool:
    kind = event.get("type")
    if kind not in ("snapshot", "update"):
        raise wrong("book", "type", "'snapshot' or 'update'", kind)
    return bool(kind == "snapshot")


def what(document: dict[str, Any]) -> str:
    """What an object is that belongs to no channel."""
    for name in ("method", "event"):
        value = document.get(name)
        if type(value) is str:
            return value if value.isascii() else name
    return "error" if "Error" in document or document.get("error") else "answer"
