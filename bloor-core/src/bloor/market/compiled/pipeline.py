"""The pipeline with a venue's compiled normalizer in front of the reference.

Hot path: one call into compiled code per frame scans it, checks its place in the sequence, changes the book and writes
the event. What that is not sure of goes to :class:`~bloor.market.pipeline.MarketPipeline` unchanged, and nothing was
changed before it. Events, books and counts are the same both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from bloor.market.channel import Channel
from bloor.market.compiled.answers import (
    AGG_TRADE,
    BBO,
    BOOK,
    CROSSED,
    DROPPED,
    KIND_MASK,
    KLINE,
    MARK_PRICE,
    MISMATCH,
    NEEDS_ROOM,
    SLOT_SHIFT,
    TRADE,
)
from bloor.market.compiled.binding import Call, bind
from bloor.market.compiled.context import ROWS, ROWS_NEEDED, SLOT_NEEDED, Context
from bloor.market.counters import MarketCounters, Resync
from bloor.market.messages import (
    BboMessage,
    BookMessage,
    ConnectionMessage,
    KlineMessage,
    MarkPriceMessage,
    TradeMessage,
)
from bloor.market.normalizer import CompiledNormalizer, Normalizer
from bloor.market.pipeline import MarketPipeline, OnEvent
from bloor.market.view import BookState
from bloor.model.instrument import Instrument

if TYPE_CHECKING:
    from bloor.hookspecs import NormalizerSpec
    from bloor.market.book import OrderBook
    from bloor.market.instruments import InstrumentTable

__all__ = ["CompiledPipeline", "market_pipeline"]

# what the numbers in `_bind_frames` stand for: kinds up to 4 are an event and nothing else
assert (KIND_MASK, SLOT_SHIFT, sorted((BOOK, TRADE, AGG_TRADE, BBO))) == (15, 4, [1, 2, 3, 4])


def market_pipeline(
    spec: NormalizerSpec, table: InstrumentTable, on_event: OnEvent, *, compiled: bool = True, **options: Any
) -> MarketPipeline:
    """The pipeline of a venue.

    Args:
        spec: What the venue's plug-in offers.
        table: The run's instruments.
        on_event: Called for every event.
        compiled: Whether to use the compiled form of the normalizer where there is one; everything but the time it
            takes is the same.
        **options: As :class:`~bloor.market.pipeline.MarketPipeline`.
    """
    if compiled and spec.compiled is not None:
        return CompiledPipeline(spec.build(), spec.compiled(), table, on_event, **options)
    return MarketPipeline(spec.build(), table, on_event, **options)


class CompiledPipeline(MarketPipeline):
    """A :class:`~bloor.market.pipeline.MarketPipeline` whose frames are read by compiled code where that is sure.

    Attributes:
        context: The memory that compiled code works in.
        taken: Frames of compiled code by the kind of the answer, not yet counted in ``counters``; ``(16,)`` int64.
        step: The compiled code: takes ``(frame, recv_ns)``, or ``frame`` alone when it was received now, and answers
            as :mod:`bloor.market.compiled.answers` says.
        frame_now: :meth:`frame` without the time: the frame was received now, by the clock of :attr:`context`, which
            compiled code reads in a third of the time that Python takes. ``context.clock.last`` is when.
    """

    frame_now: Callable[[bytes], int]

    def __init__(
        self,
        normalizer: Normalizer,
        compiled: CompiledNormalizer,
        table: InstrumentTable,
        on_event: OnEvent,
        *,
        call: Call | None = None,
        **options: Any,
    ) -> None:
        """Binds a pipeline.

        Args:
            normalizer: The reference.
            compiled: The compiled form of the same.
            table: As :class:`~bloor.market.pipeline.MarketPipeline`.
            on_event: As there.
            call: How compiled code is called; the fastest way by default.
            **options: As there.
        """
        self.context = Context(compiled.rule, compiled.settings)
        self.taken = np.zeros(KIND_MASK + 1, np.int64)
        self._taken = memoryview(self.taken.data)
        self._of_compiled = False
        self._last_id = ""
        super().__init__(normalizer, table, on_event, **options)
        self.event = self.context.event
        self._connection = self.context.connection
        self._record = memoryview(self.event.array.view(np.uint8).data)
        self._second = memoryview(self.context.second.array.view(np.uint8).data)
        self.step = bind(compiled, self.context, call)
        self._slots: list[Channel] = []
        self._rereading: dict[type, Callable[[Any, int], bool]] = {
            TradeMessage: super()._trade,
            BboMessage: super()._bbo,
            BookMessage: super()._book,
            KlineMessage: super()._kline,
            MarkPriceMessage: super()._mark_price,
        }
        self._take |= dict.fromkeys(self._rereading, self._by_reference)
        self._bind_frames()

    @property
    def last_trade_id(self) -> str:
        """The text id of the newest trade."""
        _ = self.counters
        return str(self.context.last_trade) if self._of_compiled else self._last_id

    @last_trade_id.setter
    def last_trade_id(self, text: str) -> None:
        _ = self.counters  # what compiled code took before this trade is counted before it
        self._of_compiled = False
        self._last_id = text

    # ---- frames -----------------------------------------------------------------------------------------------------

    def listen(self, on_event: OnEvent) -> None:
        """As :meth:`MarketPipeline.listen`."""
        super().listen(on_event)
        self._bind_frames()

    def _bind_frames(self) -> None:
        """:meth:`MarketPipeline.frame`, everything it needs bound: half the cost of looking it up in every frame."""
        step, taken, slots, event, on_event = self.step, self._taken, self._slots, self.event, self._on_event
        by_reference, seldom, context, make_room = super().frame, self._seldom, self.context, self._make_room

        def frame(payload: bytes, recv_ns: int) -> int:
            answer = step(payload, recv_ns)
            if answer == NEEDS_ROOM:
                make_room()
                answer = step(payload, recv_ns)
            if answer < 0:
                return by_reference(payload, recv_ns)
            kind = answer & 15
            taken[kind] += 1
            if kind <= 4:
                on_event(event, slots[answer >> 4].book)
            else:
                seldom(kind, slots[answer >> 4], recv_ns)
            return 1

        def frame_now(payload: bytes) -> int:
            answer = step(payload)
            if answer == NEEDS_ROOM:
                make_room()
                answer = step(payload, context.clock.last)
            if answer < 0:
                return by_reference(payload, context.clock.last)
            kind = answer & 15
            taken[kind] += 1
            if kind <= 4:
                on_event(event, slots[answer >> 4].book)
            else:
                seldom(kind, slots[answer >> 4], context.clock.last)
            return 1

        self.frame, self.frame_now = frame, frame_now  # type: ignore[method-assign]

    def _make_room(self) -> None:
        """Makes room for a message that compiled code has met, in the scratch rows and in its book; once for many."""
        rows, slot = int(self.context.cells[ROWS_NEEDED]), int(self.context.cells[SLOT_NEEDED])
        if rows > self.context.cells[ROWS]:
            self.context.make_rows(rows + rows // 4)
        book = self._slots[slot].book
        if book is not None:
            book.reserve(rows)

    @property
    def counters(self) -> MarketCounters:
        """What was seen. Frames of compiled code are counted by kind, in one cell each, and summed when looked at."""
        taken, counters = self._taken, self._counters
        counters.checksums_ok += self.context.checked()
        if any(taken):
            trades = taken[TRADE] + taken[AGG_TRADE]
            counters.messages += sum(taken)
            counters.book_messages += taken[BOOK] + taken[DROPPED] + taken[CROSSED] + taken[MISMATCH]
            counters.trades += trades
            counters.bbos += taken[BBO]
            counters.dropped += taken[DROPPED]
            counters.crossed += taken[CROSSED]
            counters.checksums_bad += taken[MISMATCH]
            counters.other += taken[KLINE] + taken[MARK_PRICE]
            self._trade_count += trades
            self._of_compiled = self._of_compiled or trades > 0
            self.taken[:] = 0
        return counters

    @counters.setter
    def counters(self, counters: MarketCounters) -> None:
        self._counters = counters
        self.taken[:] = 0

    def _seldom(self, kind: int, channel: Channel, recv_ns: int) -> None:
        """What comes seldom: a change that was there already, a crossed or a wrong book, a candle, a mark price."""
        if kind == CROSSED:
            self._catch_up(channel)
            book = channel.book
            assert book is not None
            last = book.view.seq
            self._lose(channel, Resync.CROSSED, recv_ns)
            self._unreadable(f"{channel.instrument.symbol}: {Resync.CROSSED.value} after update {last}")
        elif kind == MISMATCH:
            self._catch_up(channel)
            self._on_event(self.event, channel.book)
            self._lose(channel, Resync.CHECKSUM, recv_ns)
        elif kind != DROPPED:
            self._on_event(self.event, channel.book)
            if kind == KLINE:
                self._record[:] = self._second
                self._on_event(self.event, channel.book)

    def complete(self, answer: int, recv_ns: int) -> None:
        """What is left to do when other compiled code has called the step, and it answered with a seldom kind."""
        kind = answer & KIND_MASK
        self._taken[kind] += 1
        self._seldom(kind, self._slots[answer >> SLOT_SHIFT], recv_ns)

    def answered(self, answer: int, recv_ns: int) -> None:
        """What is left to do when other compiled code has called the step: it answered ``CROSSED`` or ``MISMATCH``."""
        kind = answer & KIND_MASK
        self.counters.book_messages += 1
        if kind == CROSSED:
            self.counters.crossed += 1
        else:
            self.counters.checksums_bad += 1
        self._seldom(kind, self._slots[answer >> SLOT_SHIFT], recv_ns)

    # ---- what the reference does ------------------------------------------------------------------------------------

    def _by_reference(self, message: Any, recv_ns: int) -> bool:
        """Lets the reference take a message, then tells compiled code what has become of its instrument."""
        _ = self.counters  # trades that compiled code took are counted before this one
        for channel in self._about(message.symbol):
            self._catch_up(channel)
        try:
            return self._rereading[type(message)](message, recv_ns)
        finally:
            for channel in self._about(message.symbol):
                self._register(channel)

    def _about(self, venue_symbol: str) -> Iterable[Channel]:
        """The channel of a symbol, if there is one; without a symbol all of them, since a nameless answer is seldom."""
        if not venue_symbol:
            return self._channels
        channel = self._channels.get(venue_symbol)
        return () if channel is None else (channel,)

    def reset(self) -> None:
        """As :meth:`MarketPipeline.reset`."""
        self._catch_up_all()
        super().reset()

    def _numbered(self, message: ConnectionMessage, recv_ns: int) -> bool:
        """As :meth:`MarketPipeline._numbered`."""
        if message.seq != self._connection.expected:
            self._catch_up_all()
        return super()._numbered(message, recv_ns)

    def _doubt(self, recv_ns: int) -> None:
        """As :meth:`MarketPipeline._doubt`."""
        self._catch_up_all()
        super()._doubt(recv_ns)

    def _catch_up_all(self) -> None:
        for channel in self._channels:
            self._catch_up(channel)

    def track(self, instrument: Instrument) -> OrderBook:
        """As :meth:`MarketPipeline.track`."""
        book = super().track(instrument)
        channel = self._channels.get(instrument.venue_symbol)
        assert channel is not None
        self._register(channel)
        return book

    def _catch_up(self, channel: Channel) -> None:
        """Tells the synchronisation of a book how far compiled code has brought it."""
        sync, book = channel.sync, channel.book
        if book is not None and book.view.state != BookState.UNSYNCED:
            if book.view.state == BookState.SYNCED and sync.state is not BookState.SYNCED:
                sync.state, sync.gap_open = BookState.SYNCED, False
            sync.last = book.view.seq
        newest = self.context.newest_trade(channel.instrument.venue_symbol)
        channel.newest_trade = max(channel.newest_trade, newest)

    def _register(self, channel: Channel) -> None:
        """Tells compiled code of an instrument as it is now."""
        core = None if channel.book is None else channel.book.core
        sums, instrument = self._checksums, channel.instrument
        number = self.context.register(
            instrument, channel.index, core, depth=channel.depth,
            sent_decimals=(-1, -1) if sums is None else sums.decimals(instrument.venue_symbol),
        )  # fmt: skip
        if number == len(self._slots):
            self._slots.append(channel)
