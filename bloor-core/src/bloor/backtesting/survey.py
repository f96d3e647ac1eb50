"""A look over stored events before a backtest: whether they can be used, and the mids that results are valued at."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from attrs import field, frozen

from bloor.backtesting import looking
from bloor.backtesting.gather import SHORTEST_NS
from bloor.backtesting.kernels import surveying
from bloor.backtesting.memory import address
from bloor.backtesting.rows import StoredRows
from bloor.errors import InputFileError
from bloor.native.memory import Cells
from bloor.storage.cells import Records

__all__ = ["GRID_NS", "SHORTEST_NS", "Survey", "survey"]

#: Marks are this far apart.
GRID_NS = 100_000_000
#: Marks that are kept of one instrument; a longer run has them further apart.
MOST_MARKS = 1 << 20


@frozen(kw_only=True, eq=False)
class Survey:
    """What there is of one instrument.

    Attributes:
        rows: How many records.
        books: How many book messages.
        trades: How many trades.
        begin_ns: When the first was received.
        end_ns: When the last was.
        clock_offset_ns: How far the venue's clock is ahead at most; its times are moved back by so much in the end. 0
            when nothing was received before it happened.
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
        self.rows = 0
        self.fastest: int | None = None
        self.medians: list[float] = []
        self.gaps: list[tuple[int, int]] = []
        self.marks: list[tuple[Cells, Cells]] = []
        self.kept = 0
        self._look = surveying().call["look"]
        self._job = np.zeros(looking.LOOK_CELLS, np.int64)
        self._put(looking.GRID, GRID_NS)

    def at(self, place: int) -> int:
        """A cell of the job."""
        return int(self._job[place // 8])

    def _put(self, place: int, value: int) -> None:
        self._job[place // 8] = value

    def take(self, window: Records) -> None:
        """Looks at one window."""
        count = len(window)
        took = np.empty(count, np.int64)
        gaps, marks = np.empty((count, 2), np.int64), np.empty((count, 2), np.int64)
        for place, value in (
            (looking.ROWS, address(window)), (looking.ROW_COUNT, count), (looking.UNSORTED, -1), (looking.BAD, -1),
            (looking.TOOK, address(took)), (looking.TOOK_COUNT, 0), (looking.GAPS, address(gaps)),
            (looking.GAP_COUNT, 0), (looking.MARKS, address(marks)), (looking.MARK_COUNT, 0),
        ):  # fmt: skip
            self._put(place, value)
        self._look(address(self._job), 0, 0, 0)
        self._check(window)
        self._latency(took[: self.at(looking.TOOK_COUNT)])
        self.gaps += [(int(begin), int(end)) for begin, end in gaps[: self.at(looking.GAP_COUNT)]]
        self._marks(marks[: self.at(looking.MARK_COUNT)])
        self.rows += count

    def _check(self, window: Records) -> None:
        unsorted, bad = self.at(looking.UNSORTED), self.at(looking.BAD)
        if unsorted >= 0:
            when = datetime.fromtimestamp(int(window["recv_ns"][unsorted]) / 1e9, UTC).isoformat(" ", "milliseconds")
            raise InputFileError(
                self.name,
                f"expected records in the order in which they were received, record {self.rows + unsorted} is earlier "
                f"than the one before it ({when}): sort the source by the time of receipt, and import it again",
            )
        if bad >= 0:
            row = window[bad]
            raise InputFileError(
                self.name,
                f"expected a price above 0 and a quantity of at least 0, record {self.rows + bad} has "
                f"{int(row['price'])} ticks and {int(row['qty'])} units",
            )

    def _latency(self, took: Cells) -> None:
        if len(took):
            least = int(took.min())
            self.fastest = least if self.fastest is None else min(self.fastest, least)
            self.medians.append(float(np.median(took)))

    def _marks(self, found: Cells) -> None:
        if not len(found):
            return
        self.marks.append((found[:, 0].copy(), found[:, 1].copy()))
        self.kept += len(found)
        if self.kept > MOST_MARKS:
            grid = 2 * self.at(looking.GRID)
            self._put(looking.GRID, grid)
            at, mid2 = self._joined()
            last = np.append(np.diff(at // grid) != 0, True)
            self.marks, self.kept = [(at[last], mid2[last])], int(last.sum())

    def _joined(self) -> tuple[Cells, Cells]:
        if not self.marks:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        return np.concatenate([at for at, _ in self.marks]), np.concatenate([mid2 for _, mid2 in self.marks])

    def found(self) -> Survey:
        """Everything that was seen."""
        if not self.rows:
            raise InputFileError(self.name, "expected market data, got no record: choose another time or symbol")
        if self.at(looking.LOST_NS):
            self.gaps.append((self.at(looking.LOST_NS), self.at(looking.END_NS)))
        offset = SHORTEST_NS - self.fastest if self.fastest is not None and self.fastest < 0 else 0
        at, mid2 = self._joined()
        return Survey(
            rows=self.rows, books=self.at(looking.BOOKS), trades=self.at(looking.TRADES),
            begin_ns=self.at(looking.BEGIN_NS), end_ns=self.at(looking.END_NS),
            clock_offset_ns=offset, feed_ns=round(np.median(self.medians)) + offset if self.medians else None,
            crossed=self.at(looking.CROSSED), gaps=tuple(self.gaps), mark_ns=at, mark_mid2=mid2,
        )  # fmt: skip
