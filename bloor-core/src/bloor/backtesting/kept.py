"""Stored events made ready once for several backtests over them, as with different parameters."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.venueside import Levels, VenueWindows
from bloor.native.memory import Cells

__all__ = ["AgainWindows", "KeptSights", "KeptWindow", "KeptWindows"]


@frozen(eq=False)
class KeptSights:
    """What concerns strategies of a window of local rows (:func:`bloor.backtesting.sight.collect`).

    Attributes:
        visits: Rows that are handed on, ``(n, 2)`` int64.
        books: Rows of the book, ``(n, 2)`` int64.
        seen_ns: When the last row is known.
        state: 1 when the book is in sync at the end.
    """

    visits: Cells
    books: Cells
    seen_ns: int
    state: int


@frozen(eq=False)
class KeptWindow:
    """A window of annotated rows.

    Attributes:
        out: See :class:`VenueWindows`, as the others.
        count: How many rows.
        table: Its levels.
    """

    out: Cells
    count: int
    table: Levels


@frozen(eq=False)
class KeptWindows:
    """Annotated rows that are kept in memory, for several backtests over the same events, one at a time.

    A row takes 64 bytes. :meth:`again` begins anew. What the first backtest finds to concern its strategies serves
    those that want the same.

    Attributes:
        windows: The venue's side.
        late: See :class:`~bloor.backtesting.venueside.VenueWindows`.
        sights: Kinds that are wanted, begin and end -> what each window of local rows has of them.
    """

    windows: tuple[KeptWindow, ...] = field(repr=False)
    late: int = 0
    sights: dict[tuple[int, int, int], list[KeptSights]] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, rows: StoredRows, offset: int, *, until_ns: int = at.NEVER, book_shift_ns: int = 0) -> KeptWindows:
        """Annotates events, all of them.

        Args:
            rows: The stored events.
            offset: What is taken off the venue's times, ns.
            until_ns: What happened later is left out.
            book_shift_ns: See :class:`VenueWindows`.
        """
        made = VenueWindows(rows, offset, until_ns=until_ns, book_shift_ns=book_shift_ns)
        kept = []
        while made.advance():
            kept.append(KeptWindow(made.out[: made.count].copy(), made.count, _copied(made.table)))
        return cls(tuple(kept), made.late)

    def again(self) -> AgainWindows:
        """The windows from the first one on."""
        return AgainWindows(self.windows, self.sights, self.late)


def _copied(table: Levels) -> Levels:
    copy = Levels(table.room)
    copy.count, copy.live, copy.slots = table.count, table.live, table.slots.copy()
    copy.levels = table.levels[: table.count].copy()
    copy.ordered = table.ordered[: table.count].copy()
    return copy


class AgainWindows:
    """Windows that were kept, one by one, as :class:`VenueWindows` gives them."""

    def __init__(
        self, windows: tuple[KeptWindow, ...], sights: dict[tuple[int, int, int], list[KeptSights]], late: int
    ) -> None:
        """Begins before the first."""
        self.sights = sights
        self.late = late
        self._left = iter(windows)
        self._following = next(self._left, None)
        self.ended = self._following is None
        self.count = 0
        self.out: Cells = np.zeros((0, at.ROW_BYTES // 8), np.int64)
        self.table = Levels(0)

    def advance(self) -> bool:
        """Goes to the next window; False when there are no more."""
        window, self._following = self._following, next(self._left, None)
        self.ended = self._following is None
        if window is None:
            self.count = 0
            return False
        self.out, self.count, self.table = window.out, window.count, window.table
        self.table.levels[:, at.LEVEL_AT // 8] = -1
        return True
