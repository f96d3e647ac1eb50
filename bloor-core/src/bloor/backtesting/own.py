"""Order-level data of a session without the orders of the session: the book of others, exactly.

An order of ours is known in the public data by the number that it has there. Its quantity is taken off its level, and a
best price that only it made is the next one. What was executed of it stays: somebody took so much at that price, and an
order that is simulated in its place has it.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from bloor.backtesting.atvenue import LOST, TRADES, trade_ids
from bloor.market.events import NO_PRICE, EventKind, Flag
from bloor.storage.cells import Records
from bloor.storage.joining import WINDOW_NS

__all__ = ["as_trades", "without_own"]

BOOK, LEVEL, SNAPSHOT = int(EventKind.BOOK), int(EventKind.LEVEL), int(Flag.SNAPSHOT)
BID, ASK = 1, -1
MS = 1_000_000


def as_trades(rows: Records) -> Records:
    """The same, the book's times cut as those of trades are, so that a trade and what it executed have one time."""
    found: Records = rows.copy()
    said = found["exch_ns"][np.isin(found["kind"], TRADES)]
    grain = math.gcd(MS, int(np.gcd.reduce(said))) if said.any() else 1
    of_book = np.isin(found["kind"], (BOOK, LEVEL))
    found["exch_ns"][of_book] -= found["exch_ns"][of_book] % grain
    return found


def without_own(rows: Records, numbers: Collection[int], taken: Collection[int]) -> Records:
    """The same without some orders.

    Args:
        rows: The records of one instrument, in the order in which they were received.
        numbers: The numbers of the orders.
        taken: Ids of the trades in which orders of ours took: what they executed of others was executed by nobody.

    Returns:
        A copy.
    """
    found: Records = rows.copy()
    _Others(numbers).leave(found)
    trades = found[np.isin(found["kind"], TRADES)]
    for trade in trades[np.isin(trade_ids(trades), list(taken))]:
        same = (found["kind"] == LEVEL) & (found["price"] == trade["price"]) & (found["qty2"] == trade["qty"])
        near = np.flatnonzero(same & (np.abs(found["exch_ns"] - trade["exch_ns"]) <= WINDOW_NS))
        found["qty2"][near[:1]] = 0
    return found


class _Others:
    """The book of others, and what of the book that was told is ours."""

    def __init__(self, numbers: Collection[int]) -> None:
        self._numbers = frozenset(numbers)
        self._told: dict[tuple[int, int], int] = {}
        self._own: dict[tuple[int, int], dict[int, int]] = {}

    def leave(self, rows: Records) -> None:
        """Changes the records to those of others."""
        kinds, flags = rows["kind"].tolist(), rows["flags"].tolist()
        columns = [rows[name].tolist() for name in ("side", "price", "qty", "price2")]
        head = -1
        for row, kind in enumerate(kinds):
            if kind == LEVEL:
                side, price, units, number = (column[row] for column in columns)
                rows["qty"][row] = self._level((side, price), units, number)
                continue
            if head >= 0 and self._own:
                self._top(rows, head)
            head = row if kind == BOOK else -1
            if kind in LOST or (kind == BOOK and flags[row] & SNAPSHOT):
                self._told.clear()
                self._own.clear()
        if head >= 0 and self._own:
            self._top(rows, head)

    def _level(self, level: tuple[int, int], units: int, number: int) -> int:
        """A level has another quantity, by a change of an order; what of it is that of others."""
        own = self._own.get(level)
        if number in self._numbers:
            own = self._own.setdefault(level, {})
            own[number] = own.get(number, 0) + units - self._told.get(level, 0)
            if not own[number]:
                del own[number]
        if not units and own:
            own.clear()
        if own is not None and not own:
            self._own.pop(level, None)
        self._told[level] = units
        if not units:
            del self._told[level]
        return units - sum(own.values()) if own else units

    def _top(self, rows: Records, head: int) -> None:
        """The best prices of others, after a message."""
        for side, of_price, of_units in ((BID, "price", "qty"), (ASK, "price2", "qty2")):
            others = (
                (price * side, units - sum(self._own.get((of, price), {}).values()))
                for (of, price), units in self._told.items() if of == side
            )  # fmt: skip
            best, units = max((each for each in others if each[1]), default=(NO_PRICE * side, 0))
            rows[of_price][head], rows[of_units][head] = best * side, units
