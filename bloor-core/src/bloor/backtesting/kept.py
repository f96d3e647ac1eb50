"""Stored events made ready once for several backtests over them, as with different parameters."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.venueside import Levels, VenueWindows
from bloor.native.memory import Cells
from bloor.storage.cells import Records

__all__ = ["AgainWindows", "KeptSights", "KeptWindow", "KeptWindows"]


@frozen(eq=False)
class KeptSights:
    """What concerns strategies of a window of local rows (:func:`bloor.backtesting.sight.collect`).

    Attributes:
        visits: Events that are handed on, ``(n, 4)`` int64, and some that are to spare.
        count: How many they are.
        books: Rows of the book, ``(n, 3)`` int64.
        records: What both point to, close together in the order in which it is looked at.
        seen_ns: When the last row is known.
        state: 1 when the book is in sync at the end.
    """

    visits: Cells
    count: int
    books: Cells
    records: tuple[Cells, Cells]
    seen_ns: int
    state: int

    @classmethod
    def of(cls, visits: Cells, books: Cells, rows: Records, seen_ns: int, state: int) -> KeptSights:
        """Copies what was found, and the records that it points to.

        Args:
            visits: ``(n, 4)`` int64, columns ``SIGHT_`` of :mod:`bloor.backtesting.layout`.
            books: ``(n, 3)`` int64, columns ``KNOWN_``.
            rows: The window.
            seen_ns: See the class.
            state: See the class.
        """
        base = int(rows.ctypes.data)
        given: Cells = np.ascontiguousarray(rows).view(np.int64).reshape(len(rows), at.EVENT_BYTES // 8)
        of_books: Cells = given[books[:, at.KNOWN_ROW // 8]]
        kept_books = books.copy()
        kept_books[:, at.KNOWN_TOP // 8] = _places(of_books, np.arange(len(books)))
        event, top = visits[:, at.SIGHT_EVENT // 8], visits[:, at.SIGHT_TOP // 8]
        new_top = np.diff(top, prepend=0) != 0
        new_event = (event != 0) & (event != top)
        # for each visit its new book, if there is one, then its event
        wanted = np.stack([new_top, new_event], 1).reshape(-1)
        addresses = np.stack([top, event], 1).reshape(-1)
        of_visits: Cells = given[(addresses[wanted] - base) // at.EVENT_BYTES]
        last = (np.cumsum(wanted) - 1).reshape(-1, 2)
        top_place = np.maximum.accumulate(np.where(new_top, last[:, 0], -1))
        kept_visits = np.zeros((len(visits) + at.SIGHT_SPARE, at.SIGHT_BYTES // 8), np.int64)
        kept = kept_visits[: len(visits)]
        kept[:] = visits
        kept[:, at.SIGHT_TOP // 8] = np.where(top != 0, _places(of_visits, top_place), 0)
        event_place = np.where(event == top, top_place, last[:, 1])
        kept[:, at.SIGHT_EVENT // 8] = np.where(event != 0, _places(of_visits, event_place), 0)
        return cls(kept_visits, len(visits), kept_books, (of_books, of_visits), seen_ns, state)


def _places(records: Cells, numbers: Cells) -> Cells:
    """Where records lie."""
    found: Cells = int(records.ctypes.data) + at.EVENT_BYTES * numbers
    return found


@frozen(eq=False)
class KeptWindow:
    """A window of annotated rows.

    Attributes:
        out: See :class:`VenueWindows`, as the others.
        marks: See there.
        changes: See there.
        orders: See there.
        count: How many rows.
        table: Its levels.
    """

    out: Cells
    marks: Cells
    changes: Cells
    orders: Cells
    count: int
    table: Levels


@frozen(eq=False)
class KeptWindows:
    """Annotated rows that are kept in memory, for several backtests over the same events, one at a time.

    A row takes 80 bytes. :meth:`again` begins anew. What the first backtest finds to concern its strategies serves
    those that want the same.

    Attributes:
        windows: The venue's side.
        late: See :class:`~bloor.backtesting.venueside.VenueWindows`.
        by_order: See there.
        sights: Kinds that are wanted, begin and end -> what each window of local rows has of them.
    """

    windows: tuple[KeptWindow, ...] = field(repr=False)
    late: int = 0
    by_order: bool = False
    sights: dict[tuple[int, int, int], list[KeptSights]] = field(factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        rows: StoredRows,
        offset: int,
        *,
        until_ns: int = at.NEVER,
        book_shift_ns: int = 0,
        by_order: bool = False,
    ) -> KeptWindows:
        """Annotates events, all of them.

        Args:
            rows: The stored events.
            offset: What is taken off the venue's times, ns.
            until_ns: What happened later is left out.
            book_shift_ns: See :class:`VenueWindows`.
            by_order: See there; for queue models that ask for it.
        """
        made = VenueWindows(rows, offset, until_ns=until_ns, book_shift_ns=book_shift_ns, by_order=by_order)
        kept = []
        while made.advance():
            out, marks, changes = made.out[: made.count].copy(), made.marks.copy(), made.changes[: made.count].copy()
            table = _copied(made.table)
            table.levels[:, at.LEVEL_CHANGES // 8] += int(changes.ctypes.data) - int(made.changes.ctypes.data)
            orders = made.orders[: made.count + 1].copy()
            kept.append(KeptWindow(out, marks, changes, orders, made.count, table))
        return cls(tuple(kept), made.late, by_order)

    def again(self) -> AgainWindows:
        """The windows from the first one on."""
        return AgainWindows(self.windows, self.sights, self.late, self.by_order)


def _copied(table: Levels) -> Levels:
    copy = Levels(table.room)
    copy.count, copy.live, copy.slots = table.count, table.live, table.slots.copy()
    copy.levels = table.levels[: table.count].copy()
    copy.ordered = table.ordered[: table.count].copy()
    return copy


class AgainWindows:
    """Windows that were kept, one by one, as :class:`VenueWindows` gives them."""

    def __init__(
        self,
        windows: tuple[KeptWindow, ...],
        sights: dict[tuple[int, int, int], list[KeptSights]],
        late: int,
        by_order: bool,
    ) -> None:
        """Begins before the first."""
        self.sights = sights
        self.late = late
        self.by_order = by_order
        self.orders: Cells = np.zeros((0, at.ORDER_BYTES // 8), np.int64)
        self._left = iter(windows)
        self._following = next(self._left, None)
        self.ended = self._following is None
        self.count = 0
        self.out: Cells = np.zeros((0, at.ROW_BYTES // 8), np.int64)
        self.marks: Cells = np.zeros(0, np.int64)
        self.table = Levels(0)

    def advance(self) -> bool:
        """Goes to the next window; False when there are no more."""
        window, self._following = self._following, next(self._left, None)
        self.ended = self._following is None
        if window is None:
            self.count = 0
            return False
        self.out, self.marks, self.count, self.table = window.out, window.marks, window.count, window.table
        self.orders = window.orders
        return True
