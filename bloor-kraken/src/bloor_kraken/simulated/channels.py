"""The public channels of one market, and who listens to them (docs.kraken.com, WebSocket v2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple

import orjson

from bloor.model.orders import Side
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.source import PublicView
from bloor.simulation.tape import Candle
from bloor_kraken.simulated.market_words import candle_row, ticker_row, trade_row
from bloor_kraken.simulated.order_windows import OrderId, OrderWindow, stamp_new
from bloor_kraken.simulated.windows import Window

__all__ = ["Channel", "Deliver", "MarketChannels", "Topic"]

#: Trades and candlesticks in a snapshot.
_SNAPSHOT_TRADES, _SNAPSHOT_CANDLES = 50, 720


class Channel(Enum):
    """Channels of market data that have a symbol. Values are Kraken's names."""

    BOOK = "book"
    TRADE = "trade"
    TICKER = "ticker"
    OHLC = "ohlc"
    #: The book by its orders, on an endpoint of its own.
    LEVEL3 = "level3"


#: Channels that show a part of a book, and what changes in it.
_WINDOWED = frozenset((Channel.BOOK, Channel.LEVEL3))


class Topic(NamedTuple):
    """What can be listened to of one market.

    Attributes:
        channel: The channel.
        option: The depth of a book, by order or not, the minutes of a candlestick, the event of a ticker; empty for
            trades.
    """

    channel: Channel
    option: str = ""


#: ``deliver(conn, frame, channel)`` sends a frame of a channel to a connection.
Deliver = Callable[[int, bytes, Channel], None]


class MarketChannels:
    """Channels of one market.

    Args:
        view: What the public sees of it.
        deliver: The way out.
        order_type: Tells the type of a taker's order, ``limit`` or ``market``.
        order_id: Tells the id of an order; None where the market has levels and no orders, as a recorded one.
    """

    def __init__(
        self, view: PublicView, deliver: Deliver, order_type: Callable[[int], str], order_id: OrderId | None = None
    ) -> None:
        self._view = view
        self._deliver = deliver
        self._order_type = order_type
        self._order_id = order_id
        self._listeners: dict[Topic, dict[int, None]] = {}
        self._windows: dict[Topic, Window | OrderWindow] = {}
        self._top = view.top()

    @property
    def listening(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def subscribe(self, conn: int, topic: Topic, now_ns: int, *, snapshot: bool) -> bytes | None:
        """Adds a listener.

        Returns:
            The snapshot, if one is wanted.
        """
        if topic not in self._windows and topic.channel in _WINDOWED:
            self._windows[topic] = self._window(topic.channel, int(topic.option), now_ns)
        self._listeners.setdefault(topic, {})[conn] = None
        return self._snapshot(topic, now_ns) if snapshot else None

    @property
    def has_orders(self) -> bool:
        """Whether the book is known by its orders."""
        return self._order_id is not None

    def _window(self, channel: Channel, depth: int, now_ns: int) -> Window | OrderWindow:
        market = self._view.market
        if channel is Channel.LEVEL3 and self._order_id is not None:
            stamp_new(market.book, [(side, price) for side in Side for price in market.book.side(side).levels], now_ns)
            return OrderWindow(market.instrument, depth, market.book, self._order_id)
        return Window(market.instrument, depth, self._view.levels)

    def unsubscribe(self, conn: int, topic: Topic) -> None:
        """Takes a listener away."""
        listeners = self._listeners.get(topic, {})
        listeners.pop(conn, None)
        if not listeners:
            self._listeners.pop(topic, None)
            self._windows.pop(topic, None)

    def changed(self, ns: int, trades: Sequence[PublicTrade]) -> None:
        """The book changed, or something was traded."""
        top = self._view.top()
        moved, self._top = top != self._top, top
        for topic in list(self._listeners):
            frame = self._update(topic, ns, trades, moved=moved)
            if frame is not None:
                for conn in list(self._listeners[topic]):
                    self._deliver(conn, frame, topic.channel)

    def _update(self, topic: Topic, ns: int, trades: Sequence[PublicTrade], *, moved: bool) -> bytes | None:
        if topic.channel in _WINDOWED:
            return self._windows[topic].change(ns)
        if topic.channel is Channel.TICKER:
            return self._ticker("update", ns) if (moved if topic.option == "bbo" else trades) else None
        if not trades:
            return None
        if topic.channel is Channel.TRADE:
            return self._trades("update", trades)
        now = self._view.clock(ns)
        current = self._view.tape.current(topic.option, now)
        return self._candles("update", topic.option, [current] if current is not None else [], now)

    def _snapshot(self, topic: Topic, ns: int) -> bytes:
        if topic.channel in _WINDOWED:
            return self._windows[topic].snapshot(ns)
        if topic.channel is Channel.TICKER:
            return self._ticker("snapshot", ns)
        if topic.channel is Channel.TRADE:
            return self._trades("snapshot", self._view.tape.recent(_SNAPSHOT_TRADES))
        now = self._view.clock(ns)
        candles = [candle for candle in self._view.tape.candles(topic.option, now) if candle.count]
        return self._candles("snapshot", topic.option, candles[-_SNAPSHOT_CANDLES:], now)

    def _ticker(self, kind: str, ns: int) -> bytes:
        return _message(Channel.TICKER, kind, [ticker_row(self._view, ns)])

    def _trades(self, kind: str, trades: Sequence[PublicTrade]) -> bytes:
        instrument = self._view.market.instrument
        rows = [trade_row(instrument, trade, self._order_type(trade.taker)) for trade in trades]
        return _message(Channel.TRADE, kind, rows)

    def _candles(self, kind: str, minutes: str, candles: Sequence[Candle], ns: int) -> bytes:
        """Candlesticks; there is none of an interval without a trade."""
        instrument = self._view.market.instrument
        return _message(Channel.OHLC, kind, [candle_row(instrument, candle, minutes, ns) for candle in candles])


def _message(channel: Channel, kind: str, rows: list[dict[str, Any]]) -> bytes:
    return orjson.dumps({"channel": channel.value, "type": kind, "data": rows})
