"""A pipeline's books, tapped: every change of a level becomes a record, so that the book can be rebuilt.

A run hands on an event for each applied message, with the top after it, and nothing of the levels. A
:class:`TappedBook` shows them as they are applied, and :class:`BookTap` puts both together: the ``BOOK`` record, then a
``LEVEL`` record for each level. A REST snapshot has no event in a run; it is stored with the flag ``UNSEEN``.
Where a venue's book is cut to a depth, the levels that are cut off follow the others as removals, so that nobody who
reads the store needs to know that rule. After the first record of a day the whole book is repeated (``UNSEEN`` too), so
that each day can be read by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from bloor.market.book import OrderBook
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.market.kernels import Kernels
from bloor.market.messages import Levels
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.storage.layout import DAY_NS
from bloor.storage.orders import OrderQueues
from bloor.storage.sink import EventSink

if TYPE_CHECKING:
    from bloor.market.compiled.pipeline import CompiledPipeline
    from bloor.market.instruments import InstrumentTable

__all__ = ["BookTap", "TappedBook"]

Rows = np.ndarray[Any, np.dtype[np.int64]]

#: What may follow the levels of a book message before its own event does.
_OF_MESSAGE = (int(EventKind.CHECKSUM),)
_LOST = (int(EventKind.CLEARED), int(EventKind.GAP))


@define(eq=False)
class _Pending:
    """Levels that were applied and whose record is not written yet."""

    book: OrderBook
    bids: int
    levels: Rows
    snapshot: bool
    top: list[int]
    cut: Rows | None = None
    cut_bids: int = 0
    orders: Rows | None = None


class BookTap:
    """Turns what books and the pipeline say into records of a sink.

    Attributes:
        keeps: Whether the records of an instrument, by its index, are stored now; None for those of all.
        changed: Gives the levels of a book message that compiled code has applied.
        orders: Whose order each level of the next book message is of: its number, what was executed of it, as text,
            and its place in the sequence of changes; None where that is not known.
        queues: For an instrument, by its index, what waits at each level, where that is known.
    """

    def __init__(self, sink: EventSink, table: InstrumentTable) -> None:
        self.keeps: Callable[[int], bool] | None = None
        self.changed: Callable[[], tuple[Rows, int]] | None = None
        self.orders: Sequence[tuple[int, str, int]] | None = None
        self.queues: dict[int, OrderQueues] = {}
        self._sink = sink
        self._table = table
        self._pending: _Pending | None = None
        self._raw: memoryview | None = None
        self._day_ends: dict[int, int] = {}

    def make_book(self, instrument: Instrument, kernels: Kernels | None = None) -> OrderBook:
        """What the pipeline makes its books with."""
        return TappedBook(instrument, kernels, self)

    def event(self, event: EventView, book: OrderBook | None) -> None:
        """Takes an event of the pipeline."""
        kind, index = event.kind, event.instrument
        pending = self._pending
        if pending is not None and kind not in _OF_MESSAGE:
            self._pending = None
            if kind == EventKind.BOOK and pending.book is book:
                self._message(index, event.flags, pending)
                return
            if kind not in _LOST or pending.book is not book:
                self._rest(pending)
        elif kind == EventKind.BOOK and self.changed is not None and book is not None:
            levels, bids = self.changed()
            self._message(index, event.flags, _Pending(book, bids, levels, False, book.top.tolist()))
            return
        if self.keeps is None or self.keeps(index):
            raw = self._raw
            if raw is None:
                raw = self._raw = memoryview(event.array.view(np.uint8).data)
            self._sink.put(raw, index)
            time = event.recv_ns or event.exch_ns
            if time >= self._day_ends.get(index, 0):
                self._new_day(index, time, book)

    def standing(self) -> dict[str, int]:
        """What is known between two frames, as JSON."""
        return {str(index): end for index, end in self._day_ends.items()}

    def restore(self, saved: Mapping[str, int]) -> None:
        """Continues where another tap stood."""
        self._day_ends = {int(index): end for index, end in saved.items()}

    def day_end(self, index: int) -> int:
        """When the day of the newest record of an instrument ends; 0 before its first."""
        return self._day_ends.get(index, 0)

    def first_of_day(self, index: int, pipeline: CompiledPipeline) -> None:
        """Compiled code has written the first record of an instrument on a day: the pipeline's newest event."""
        event = pipeline.event
        of_snapshot = event.kind == EventKind.BOOK and event.flags & Flag.SNAPSHOT
        book = None if of_snapshot else pipeline.book(self._table[index].venue_symbol)
        self._new_day(index, event.recv_ns or event.exch_ns, book)

    def applied(self, book: TappedBook, bids: int, rows: int, snapshot: bool) -> None:
        """Levels were applied to a book."""
        if self._pending is not None:
            self._rest(self._pending)
        pending = self._pending = _Pending(book, bids, book.applied(rows).copy(), snapshot, book.top.tolist())
        if self.orders is not None:
            parse = book.instrument.parse_qty
            pending.orders = np.array([(number, parse(done), place) for number, done, place in self.orders], np.int64)
            self.orders = None

    def cut(self, book: TappedBook, bids: Rows, asks: Rows) -> None:
        """Levels were cut off a book after they were applied."""
        pending = self._pending
        if pending is not None and pending.book is book:
            pending.cut, pending.cut_bids = np.concatenate([bids, asks]), len(bids)

    def rescaled(self, book: TappedBook, old: Instrument, new: Instrument) -> None:
        """A book counts now in the finer units of ``new``."""
        pending = self._pending
        if pending is not None and pending.book is book:
            price, qty = 10 ** (new.price_decimals - old.price_decimals), 10 ** (new.qty_decimals - old.qty_decimals)
            pending.levels *= (price, qty)
            if pending.orders is not None:
                pending.orders *= (1, qty, 1)
            for cell, factor in enumerate((price, qty, price, qty)):
                pending.top[cell] *= factor if pending.top[cell] != NO_PRICE else 1

    def finish(self) -> None:
        """A frame is over: a snapshot that had no event is written."""
        if self._pending is not None:
            self._rest(self._pending)
            self._pending = None

    def _rest(self, pending: _Pending) -> None:
        """A snapshot of which the run saw no event."""
        if pending.snapshot:
            instrument = pending.book.instrument
            index = self._table.index_of(instrument.venue, instrument.venue_symbol)
            self._message(index, Flag.SNAPSHOT | Flag.UNSEEN, pending)

    def _message(self, index: int, flags: int, pending: _Pending) -> None:
        if self.keeps is not None and not self.keeps(index):
            return
        levels, bids, top, orders = pending.levels, pending.bids, pending.top, pending.orders
        if pending.cut is not None:
            rest, cut, of_bids = levels[bids:], pending.cut, pending.cut_bids
            levels = np.concatenate([levels[:bids], cut[:of_bids], rest, cut[of_bids:]])
            if orders is not None:
                none = np.full((len(cut), 3), (0, 0, len(orders)), np.int64)
                orders = np.concatenate([orders[:bids], none[:of_bids], orders[bids:], none[of_bids:]])
            bids += of_bids
        self._sink.book(index, flags, (top[4], top[5], top[6]), (top[0], top[1], top[2], top[3]), levels, bids, orders)
        time = top[6] or top[5]
        if time >= self._day_ends.get(index, 0):
            self._new_day(index, time, None if flags & Flag.SNAPSHOT else pending.book)

    def _new_day(self, index: int, time: int, book: OrderBook | None) -> None:
        """The first record of a day was written: the whole book follows it, if it can be believed."""
        self._day_ends[index] = (time // DAY_NS + 1) * DAY_NS
        if book is None or book.view.state == BookState.UNSYNCED:
            return
        orders = None
        if index in self.queues:
            levels, orders, bids = self.queues[index].standing(book.instrument)
        else:
            of_bids = book.rows(Side.BUY)
            levels, bids = np.concatenate([of_bids, book.rows(Side.SELL)]), len(of_bids)
        top = book.top.tolist()
        self._sink.book(
            index,
            Flag.SNAPSHOT | Flag.UNSEEN,
            (top[4], top[5], top[6]),
            (top[0], top[1], top[2], top[3]),
            levels,
            bids,
            orders,
        )


class TappedBook(OrderBook):
    """An order book that shows what is done to it."""

    __slots__ = ("_tap",)

    def __init__(self, instrument: Instrument, kernels: Kernels | None, tap: BookTap) -> None:
        super().__init__(instrument, kernels)
        self._tap = tap

    def change_text(self, bids: Levels, asks: Levels, *, seq: int, exch_ns: int, recv_ns: int) -> bool:
        """Changes levels, and shows them."""
        crossed = super().change_text(bids, asks, seq=seq, exch_ns=exch_ns, recv_ns=recv_ns)
        self._tap.applied(self, len(bids), len(bids) + len(asks), snapshot=False)
        return crossed

    def load_text(self, bids: Levels, asks: Levels, *, seq: int, exch_ns: int, recv_ns: int) -> bool:
        """Replaces every level, and shows them."""
        crossed = super().load_text(bids, asks, seq=seq, exch_ns=exch_ns, recv_ns=recv_ns)
        self._tap.applied(self, len(bids), len(bids) + len(asks), snapshot=True)
        return crossed

    def truncate(self, depth: int) -> int:
        """Cuts the book, and shows the levels that go as removals."""
        if max(self.levels) <= depth:
            return 0
        cut = [self.rows(side)[depth:] * (1, 0) for side in (Side.BUY, Side.SELL)]
        removed = super().truncate(depth)
        self._tap.cut(self, *cut)
        return removed

    def rescale(self, instrument: Instrument) -> None:
        """Counts in finer units, and so do levels that are not written yet."""
        old = self.instrument
        super().rescale(instrument)
        self._tap.rescaled(self, old, instrument)
