"""A look over stored events before a backtest: whether they can be used, and the mids that results are valued at."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen

from bloor.backtesting.rows import StoredRows
from bloor.errors import InputFileError
from bloor.market.events import NO_PRICE, EventKind, Flag
from bloor.native.memory import Cells
from bloor.storage.cells import Records, times

__all__ = ["GRID_NS", "SHORTEST_NS", "Survey", "survey"]

#: The shortest time that is believed between something at the venue and its news here.
SHORTEST_NS = 1_000_000
#: Marks are this far apart.
GRID_NS = 100_000_000
#: Marks that are kept of one instrument; a longer run has them further apart.
MOST_MARKS = 1 << 20

TRADE, AGG_TRADE, BOOK, LEVEL = (
    int(EventKind.TRADE), int(EventKind.AGG_TRADE), int(EventKind.BOOK), int(EventKind.LEVEL),
)  # fmt: skip
LOST = (int(EventKind.GAP), int(EventKind.CHECKSUM), int(EventKind.CLEARED))


@frozen(kw_only=True, eq=False)
class Survey:
    """What there is of one instrument.

    Attributes:
        rows: How many records.
        books: How many book messages.
        trades: How many trades.
        begin_ns: When the first was received.
        end_ns: When the last was.
        clock_offset_ns: How far the venue's clock is ahead; its times are moved back by so much. 0 when nothing was
            received before it happened.
        feed_ns: Median time from the venue to here, with that offset; None when it is not known.
        crossed: Book messages after which the best bid was not below the best ask.
        gaps: ``(begin_ns, end_ns)`` without a book that can be believed.
        mark_ns: Times of marks.
        mark_mid2: Twice the mid at each, in ticks.
    """

    rows: int
    books: int
    trades: int
    begin_ns: int
    end_ns: int
    clock_offset_ns: int
    feed_ns: int | None
    crossed: int
    gaps: tuple[tuple[int, int], ...]
    mark_ns: Cells = field(repr=False)
    mark_mid2: Cells = field(repr=False)


def survey(name: str, rows: StoredRows) -> Survey:
    """Looks over the events of an instrument, once.

    Args:
        name: What the data are called in messages.
        rows: The stored events.

    Raises:
        InputFileError: There are none, they are out of order, or a price or a quantity is none.
    """
    looked = _Look(name)
    for window in rows.windows():
        looked.take(window)
    return looked.found()


class _Look:
    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = self.books = self.trades = self.crossed = 0
        self.begin_ns = self.end_ns = 0
        self.fastest: int | None = None
        self.medians: list[float] = []
        self.gaps: list[tuple[int, int]] = []
        self.lost_ns = 0
        self.grid = GRID_NS
        self.marks: list[tuple[Cells, Cells]] = []
        self.kept = 0

    def take(self, window: Records) -> None:
        """Looks at one window."""
        kind = np.asarray(window["kind"])
        local = times(window, self.end_ns)
        received = np.asarray(window["recv_ns"])
        self._check(window, kind, received)
        self.begin_ns = self.begin_ns or int(local[local > 0][0] if (local > 0).any() else 0)
        self.end_ns = int(local[-1])
        is_book = kind == BOOK
        is_trade = (kind == TRADE) | (kind == AGG_TRADE)
        self._latency(window, is_book | is_trade, received)
        self._states(kind, is_book, local)
        self._marks(window, is_book, local)
        self.rows += len(window)
        self.books += int(is_book.sum())
        self.trades += int(is_trade.sum())

    def _check(self, window: Records, kind: np.ndarray[Any, Any], received: Cells) -> None:
        # a repeated book keeps its time, and so do changes that were held back until a snapshot came
        seen = np.flatnonzero((received > 0) & (window["flags"] & (Flag.UNSEEN | Flag.BUFFERED) == 0))
        known = received[seen]
        if len(known) and (int(known[0]) < self.end_ns or bool((known[1:] < known[:-1]).any())):
            place = int(seen[np.flatnonzero(np.diff(known, prepend=self.end_ns) < 0)[0]])
            raise InputFileError(
                self.name,
                f"expected records in the order in which they were received, record {self.rows + place} is earlier "
                "than the one before it: import the source again",
            )
        priced = np.isin(kind, (TRADE, AGG_TRADE, LEVEL))
        bad = priced & ((window["price"] <= 0) | (window["qty"] < 0))
        if bad.any():
            row = window[int(np.flatnonzero(bad)[0])]
            raise InputFileError(
                self.name,
                f"expected a price above 0 and a quantity of at least 0, record "
                f"{self.rows + int(np.flatnonzero(bad)[0])} has {int(row['price'])} ticks and {int(row['qty'])} units",
            )

    def _latency(self, window: Records, chosen: np.ndarray[Any, Any], received: Cells) -> None:
        flags = window["flags"]
        known = chosen & (window["exch_ns"] > 0) & (received > 0)
        known &= flags & (Flag.UNSEEN | Flag.BUFFERED | Flag.SNAPSHOT) == 0
        if known.any():
            took = received[known] - window["exch_ns"][known]
            least = int(took.min())
            self.fastest = least if self.fastest is None else min(self.fastest, least)
            self.medians.append(float(np.median(took)))

    def _states(self, kind: np.ndarray[Any, Any], is_book: np.ndarray[Any, Any], local: Cells) -> None:
        lost = np.isin(kind, LOST)
        if not lost.any() and not self.lost_ns:
            return
        for row in np.flatnonzero(lost | is_book).tolist():
            if lost[row]:
                self.lost_ns = self.lost_ns or int(local[row])
            elif self.lost_ns:
                self.gaps.append((self.lost_ns, int(local[row])))
                self.lost_ns = 0

    def _marks(self, window: Records, is_book: np.ndarray[Any, Any], local: Cells) -> None:
        bid, ask = window["price"][is_book], window["price2"][is_book]
        both = (bid != NO_PRICE) & (ask != NO_PRICE)
        self.crossed += int((bid[both] >= ask[both]).sum())
        at, mid2 = local[is_book][both], (bid + ask)[both]
        if not len(at):
            return
        last = np.append(np.diff(at // self.grid) != 0, True)
        self.marks.append((at[last], mid2[last]))
        self.kept += int(last.sum())
        if self.kept > MOST_MARKS:
            self.grid *= 2
            at, mid2 = self._joined()
            last = np.append(np.diff(at // self.grid) != 0, True)
            self.marks, self.kept = [(at[last], mid2[last])], int(last.sum())

    def _joined(self) -> tuple[Cells, Cells]:
        if not self.marks:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        return np.concatenate([at for at, _ in self.marks]), np.concatenate([mid2 for _, mid2 in self.marks])

    def found(self) -> Survey:
        """Everything that was seen."""
        if not self.rows:
            raise InputFileError(self.name, "expected market data, got no record: choose another time or symbol")
        if self.lost_ns:
            self.gaps.append((self.lost_ns, self.end_ns))
        offset = SHORTEST_NS - self.fastest if self.fastest is not None and self.fastest < 0 else 0
        at, mid2 = self._joined()
        return Survey(
            rows=self.rows, books=self.books, trades=self.trades, begin_ns=self.begin_ns, end_ns=self.end_ns,
            clock_offset_ns=offset, feed_ns=round(np.median(self.medians)) + offset if self.medians else None,
            crossed=self.crossed, gaps=tuple(self.gaps), mark_ns=at, mark_mid2=mid2,
        )  # fmt: skip
