"""A pipeline's books, tapped: every change of a level becomes a record, so that the book can be rebuilt.

A run hands on an event for each applied message, with the top after it, and nothing of the levels. A
:class:`TappedBook` shows them as they are applied, and :class:`BookTap` puts both together: the ``BOOK`` record, then a
``LEVEL`` record for each level. A REST snapshot has no event in a run; it is stored with the flag ``UNSEEN``.
Where a venue's book is cut to a depth, the levels that are cut off follow the others as removals, so that nobody who
reads the store needs to know that rule. After the first record of a day the whole book is repeated (``UNSEEN`` too), so
that each day can be read by itself.

Where a venue tells orders, each level's record says whose order it is of, and what was executed of it then. A trade
that is told after the change that it made is joined to it afterwards (:mod:`bloor.storage.joining`): then what was
executed has a message of its own, which changes nothing and is ``UNSEEN``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from bloor.market.book import OrderBook
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.market.kernels import Kernels
from bloor.market.messages import Levels, Orders
from bloor.market.orders import OrderQueues
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.storage.joining import Executions
from bloor.storage.layout import DAY_NS
from bloor.storage.sink import EventSink

if TYPE_CHECKING:
    from bloor.market.compiled.pipeline import CompiledPipeline
    from bloor.market.instruments import InstrumentTable

__all__ = ["BookTap", "TappedBook"]

Rows = np.ndarray[Any, np.dtype[np.int64]]

#: What may follow the levels of a book message before its own event does.
_OF_MESSAGE = (int(EventKind.CHECKSUM),)
_LOST = (int(EventKind.CLEARED), int(EventKind.GAP))
_TRADES = (int(EventKind.TRADE), int(EventKind.AGG_TRADE))


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
        queues: For an instrument, by its index, what waits at each level, where that is known.
    """

    def __init__(self, sink: EventSink, table: InstrumentTable) -> None:
        self.keeps: Callable[[int], bool] | None = None
        self.changed: Callable[[], tuple[Rows, int]] | None = None
        self.queues: dict[int, OrderQueues] = {}
        self._sink = sink
        self._table = table
        self._pending: _Pending | None = None
        self._raw: memoryview | None = None
        self._day_ends: dict[int, int] = {}
        self._executions = Executions()
        #: instruments whose trades say what was executed
        self._joined: set[int] = set()

    @property
    def by_order(self) -> bool:
        """Whether a book is told by its orders: then trades must come by here."""
        return bool(self.queues)

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
            if kind in _TRADES and index in self._joined and book is not None:
                self._executed(event, book)

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
        orders = book.told()
        if orders is not None:
            index = self._table.index_of(book.instrument.venue, book.instrument.venue_symbol)
            self.queues[index] = orders.queues
            if not orders.tells_executions:
                self._joined.add(index)
            pending.orders = self._whose(index, orders, pending)

    def _whose(self, index: int, orders: Orders, pending: _Pending) -> Rows:
        """``(n, 3)``: number, units executed and place of the order of each level of a message."""
        parse, bids, ns = pending.book.instrument.parse_qty, pending.bids, pending.top[5] or pending.top[6]
        rows = np.zeros((len(orders.rows), 3), np.int64)
        for n, row in enumerate(orders.rows):
            done = 0 if row.executed == "0" else parse(row.executed)
            if row.gone != "0" and not orders.tells_executions:
                price = int(pending.levels[n, 0])
                done += self._executions.gone(index, 1 if n < bids else -1, price, row.number, parse(row.gone), ns)
            rows[n] = row.number, done, row.place
        return rows

    def _executed(self, trade: EventView, book: OrderBook) -> None:
        """A trade: what it has executed of orders that were told to be smaller already."""
        index, side, price = trade.instrument, -trade.side, trade.price
        ns, total = trade.exch_ns or trade.recv_ns, book.size_at(Side(side), price)
        for number, units in self._executions.traded(index, side, price, trade.qty, ns):
            self._say_executed(index, book, side, (price, total), (number, units), (ns, trade.recv_ns))

    def _unshown(self, index: int, pending: _Pending) -> None:
        """A message of the book was told: what was executed before it of orders that are not shown."""
        ns, recv_ns = pending.top[5] or pending.top[6], pending.top[6]
        for at_ns, side, price, units in self._executions.unshown(index, ns):
            total = pending.book.size_at(Side(side), price)
            self._say_executed(index, pending.book, side, (price, total), (0, units), (at_ns, recv_ns))

    def _say_executed(
        self, index: int, book: OrderBook, side: int, level: tuple[int, int], order: tuple[int, int],
        ns: tuple[int, int],
    ) -> None:  # fmt: skip
        """A message of its own: ``order``, number and units, was executed at a ``level``, price and units it has."""
        top = book.top.tolist()
        levels, orders = np.array([level], np.int64), np.array([(*order, 0)], np.int64)
        self._sink.book(index, Flag.UNSEEN, (top[4], *ns), (top[0], top[1], top[2], top[3]), levels, side > 0, orders)

    def cut(self, book: TappedBook, bids: Rows, asks: Rows) -> None:
        """Levels were cut off a book after they were applied."""
        pending = self._pending
        if pending is not None and pending.book is book:
            pending.cut, pending.cut_bids = np.concatenate([bids, asks]), len(bids)

    def rescaled(self, book: TappedBook, old: Instrument, new: Instrument) -> None:
        """A book counts now in the finer units of ``new``."""
        price, qty = 10 ** (new.price_decimals - old.price_decimals), 10 ** (new.qty_decimals - old.qty_decimals)
        if self.by_order:
            self._executions.rescaled(self._table.index_of(new.venue, new.venue_symbol), price, qty)
        pending = self._pending
        if pending is not None and pending.book is book:
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
        if index in self._joined:
            self._unshown(index, pending)

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

    __slots__ = ("_orders", "_tap")

    def __init__(self, instrument: Instrument, kernels: Kernels | None, tap: BookTap) -> None:
        super().__init__(instrument, kernels)
        self._tap = tap
        self._orders: Orders | None = None

    def whose(self, orders: Orders) -> None:
        """Whose orders the levels of the next change or snapshot are of."""
        self._orders = orders

    def told(self) -> Orders | None:
        """What was said of the newest one; once."""
        orders, self._orders = self._orders, None
        return orders

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
