"""The venue's side of the market: stored events in the order of the venue's time, annotated, some at a time.

Times of the venue's that are missing are taken from what is known: a book message without one (a REST snapshot) from
the message after it, a trade without one from when it was received. Book messages never overtake each other. Where the
venue's clock is ahead of ours, so that something would be received before it happened, the venue's times are moved back
from there on, until it took :data:`~bloor.backtesting.gather.SHORTEST_NS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bloor.backtesting import annotate as job
from bloor.backtesting import gather as queues
from bloor.backtesting import layout as at
from bloor.backtesting.kernels import annotating
from bloor.backtesting.rows import StoredRows
from bloor.market.events import NO_PRICE
from bloor.native.memory import Cells
from bloor.storage.cells import Records

__all__ = ["Levels", "VenueWindows"]

#: How far out of the venue's order events may be received.
SLACK_NS = 5_000_000_000
#: Rows of one window.
ROOM = 1 << 17


class VenueWindows:
    """Windows of annotated rows; the memory of one is used again for the next.

    Attributes:
        out: The rows of the present window, ``(n, 8)`` int64 (:mod:`bloor.backtesting.layout`).
        marks: The times of some of them.
        changes: Those of their levels, ``(n, 2)`` int64.
        count: How many they are.
        table: The levels of the present window.
        by_order: Whether rows say whose order they are of.
        orders: Whose, ``(n + 1, 2)`` int64, a pair before the first row; empty where rows do not say it.
        ended: Whether there are no more.
    """

    def __init__(
        self,
        rows: StoredRows,
        offset: int | None,
        *,
        until_ns: int = at.NEVER,
        book_shift_ns: int = 0,
        room: int = ROOM,
        by_order: bool = False,
    ) -> None:
        """Begins before the first row.

        Args:
            rows: The stored events.
            offset: What is taken off the venue's times, ns; None to learn it on the way, from what was received so far.
            until_ns: What happened later is left out.
            book_shift_ns: How much earlier than it says a message of the book happened: what a venue gathers for
                100 ms bears the time of the end.
            room: Rows of one window.
            by_order: Whether rows say whose order they are of, and executions count in place of trades.
        """
        self.count = 0
        self.by_order = by_order
        self.ended = False
        self._waiting = _Waiting(rows, offset, until_ns, book_shift_ns)
        self._kernels = annotating().call
        self._job = np.zeros(job.JOB_CELLS, np.int64)
        _put(self._job, job.QUEUES, _address(self._waiting.cells))
        _put(self._job, job.LIMIT, at.LONG_AGO)
        _put(self._job, job.EMITTED, at.LONG_AGO)
        _put(self._job, job.BID, NO_PRICE)
        _put(self._job, job.ASK, NO_PRICE)
        self.table, self._other = Levels(1 << 13), Levels(1 << 13)
        self._take_room(room)

    @property
    def late(self) -> int:
        """Events that came so much too late that their place was taken; they are put where they came."""
        return int(self._job[job.LATE // 8])

    def advance(self) -> bool:
        """Makes the next window; False when there are no more rows."""
        cells = self._job
        self._begin_window()
        while True:
            answer = self._kernels["annotate"](_address(cells), 0, 0, 0)
            if answer == job.WINDOW_FULL:
                if int(cells[job.OUT_COUNT // 8]):
                    break
                self._make_room(self._waiting.largest() * (2 if self.by_order else 1))
            elif int(cells[job.OUT_COUNT // 8]) * 4 >= len(self.out) * 3:
                break
            elif not self._waiting.more():
                self.ended = True
                break
            _put(cells, job.LIMIT, self._waiting.limit_ns)
        self.count = int(cells[job.OUT_COUNT // 8])
        self._kernels["list_changes"](_address(cells), 0, 0, 0)
        self.table.rank(int(cells[job.LEVEL_COUNT // 8]))
        return self.count > 0 or not self.ended

    def _make_room(self, message: int) -> None:
        """A message is too large for a window: it gets a larger one, which is still empty."""
        live = self.table.live
        self._take_room(max(2 * len(self.out), 2 * (live + 2 * message)))
        self._carry(self.table, Levels(4 * (live + message)))

    def _take_room(self, room: int) -> None:
        self.out = np.zeros((room, at.ROW_BYTES // 8), np.int64)
        self.marks = np.zeros((room >> at.MARK_BITS) + 1, np.int64)
        self._owners = np.zeros(room, np.int64)
        self.orders = np.zeros((room + 1 if self.by_order else 0, at.ORDER_BYTES // 8), np.int64)
        self.changes = np.zeros((room, at.CHANGE_BYTES // 8), np.int64)

    def _begin_window(self) -> None:
        old, new = self.table, self._other
        old.count_live(int(self._job[job.LEVEL_COUNT // 8]))
        if new.room < 4 * old.live:
            new = Levels(4 * old.live)
        else:
            new.slots[:] = 0
        self._carry(old, new)
        self._other = old

    def _carry(self, old: Levels, new: Levels) -> None:
        cells = self._job
        self.table = new
        for cell, array in (
            (job.OUT, self.out), (job.MARKS, self.marks), (job.CHANGES, self.changes), (job.OWNERS, self._owners),
            (job.TABLE, new.slots), (job.LEVELS, new.levels),
        ):  # fmt: skip
            _put(cells, cell, _address(array))
        if self.by_order:
            _put(cells, job.ORDERS, _address(self.orders))
            self.orders[0, at.ORDER_NEWEST // 8] = cells[job.NEWEST_ORDER // 8]
        _put(cells, job.MASK, len(new.slots) - 1)
        _put(cells, job.OUT_COUNT, 0)
        _put(cells, job.OUT_ROOM, len(self.out))
        _put(cells, job.LEVEL_ROOM, new.room)
        self._kernels["carry_over"](_address(cells), _address(old.levels), old.count, 0)
        new.count_live(int(cells[job.LEVEL_COUNT // 8]))


class Levels:
    """The levels of a window, found by key.

    Attributes:
        room: How many it has room for.
        slots: The table they are found by, twice as many.
        levels: ``(room, 8)`` int64, columns ``LEVEL_`` of :mod:`bloor.backtesting.layout`.
        ordered: Their ids by key.
        count: How many there are.
        live: How many of them are not empty.
    """

    def __init__(self, room: int) -> None:
        """Makes room for at least so many levels."""
        self.room = 1 << max(13, (room - 1).bit_length())
        self.slots = np.zeros(2 * self.room, np.int64)
        self.levels = np.zeros((self.room, at.LEVEL_BYTES // 8), np.int64)
        self.ordered = np.zeros(self.room, np.int64)
        self.count = self.live = 0

    def count_live(self, count: int) -> None:
        """Notes how many there are."""
        self.count = count
        self.live = int(np.count_nonzero(self.levels[:count, at.LEVEL_UNITS // 8]))

    def rank(self, count: int) -> None:
        """Puts the levels in order, once a window is made."""
        self.count = count
        order = np.argsort(self.levels[:count, 0], kind="stable")
        self.ordered[:count] = order
        self.levels[order, at.LEVEL_RANK // 8] = np.arange(count)


class _Waiting:
    """Events that wait until nothing earlier can come any more."""

    def __init__(self, rows: StoredRows, offset: int | None, until_ns: int, book_shift_ns: int) -> None:
        self._rows = rows  # keeps alive what entries point to
        self._windows: Iterator[Records] = rows.windows()
        self._until_ns = until_ns
        self._gather = annotating().call["gather"]
        self.limit_ns = at.LONG_AGO
        self.cells = np.zeros(queues.JOB_CELLS, np.int64)
        _put(self.cells, queues.OFFSET, offset or 0)
        _put(self.cells, queues.BOOK_OFFSET, (offset or 0) + book_shift_ns)
        _put(self.cells, queues.LEARNS, int(offset is None))
        _put(self.cells, queues.NEWEST, at.LONG_AGO)
        _put(self.cells, queues.NEWEST_BOOK, at.LONG_AGO)
        self._entries: dict[int, Cells] = {}
        for queue in (queues.BOOKS, queues.TRADES):
            self._entries[queue] = np.zeros((0, queues.ENTRY_BYTES // 8), np.int64)

    def more(self) -> bool:
        """Reads on; False at the end, when everything has been taken."""
        if self.limit_ns >= self._until_ns:
            return False
        window = next(self._windows, None)
        if window is None:
            self.limit_ns = self._until_ns
            return True
        for queue in self._entries:
            self._make_room(queue, len(window))
        _put(self.cells, queues.ROWS, _address(window))
        _put(self.cells, queues.ROW_COUNT, len(window))
        self._gather(_address(self.cells), 0, 0, 0)
        self.limit_ns = min(int(self.cells[queues.NEWEST // 8]) - SLACK_NS, self._until_ns)
        return True

    def largest(self) -> int:
        """Records of the largest message that waits."""
        entries = self._entries[queues.BOOKS][self._head(queues.BOOKS) : self._tail(queues.BOOKS)]
        if not len(entries):
            return 0
        sizes = entries[:, queues.ENTRY_LAST // 8] - entries[:, queues.ENTRY_RECORD // 8]
        return int(sizes.max()) // at.EVENT_BYTES + 1

    def _head(self, queue: int) -> int:
        return int(self.cells[queue // 8 + 1])

    def _tail(self, queue: int) -> int:
        return int(self.cells[queue // 8 + 2])

    def _make_room(self, queue: int, rows: int) -> None:
        """Moves what waits to the beginning of a queue with room for so many more."""
        head, tail = self._head(queue), self._tail(queue)
        entries = self._entries[queue]
        waiting = entries[head:tail].copy()
        if len(entries) < len(waiting) + rows:
            entries = self._entries[queue] = np.empty((len(waiting) + rows, queues.ENTRY_BYTES // 8), np.int64)
        entries[: len(waiting)] = waiting
        _put(self.cells, queue, _address(entries))
        self.cells[queue // 8 + 1], self.cells[queue // 8 + 2] = 0, len(waiting)


def _address(array: np.ndarray[Any, Any]) -> int:
    return int(array.ctypes.data)


def _put(cells: Cells, offset: int, value: int) -> None:
    cells[offset // 8] = value
