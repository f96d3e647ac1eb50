"""How far two runs decided the same."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from bloor.engine.decisions import DecisionKind
from bloor.model.instrument import Instrument
from bloor.native.memory import Cells

__all__ = ["Agreement", "agreement", "compared", "spread"]

#: Decisions that are compared: those that a strategy asks for.
KINDS = tuple(int(k) for k in (DecisionKind.PLACE, DecisionKind.DENY, DecisionKind.CANCEL, DecisionKind.REPLACE,
                               DecisionKind.AMEND))  # fmt: skip
_NAMES = {number: kind.name.lower() for kind in DecisionKind if (number := int(kind)) in KINDS}
_PLACED = (int(DecisionKind.PLACE), int(DecisionKind.REPLACE))


@frozen(kw_only=True)
class Agreement:
    """How far two runs decided the same.

    Attributes:
        orders: Orders of the session.
        matched: How many of them the backtest placed too: by the same strategy, of the same instrument, side, price,
            quantity and kind, at the same time to the nanosecond.
        alike: The same at whatever time, one order for one order: a fill that is heard of a little earlier or later
            moves the orders that it leads to.
        apart_ns: How far apart in time the latter are: the median, the 90th percentile and the most.
        decisions: Decisions of the session.
        same: How many of them are the same, from the first on.
        first: The first that differs, in words; empty when none does.
        fills: Fills of the session and of the backtest.
    """

    orders: int
    matched: int
    alike: int
    apart_ns: tuple[int, int, int]
    decisions: int
    same: int
    first: str
    fills: tuple[int, int]

    @property
    def share(self) -> float:
        """Matched orders by orders; 1 without any."""
        return self.matched / self.orders if self.orders else 1.0

    @property
    def share_alike(self) -> float:
        """Orders that are alike by orders; 1 without any."""
        return self.alike / self.orders if self.orders else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "orders": self.orders, "matched": self.matched, "share": round(self.share, 4),
            "alike": self.alike, "share_alike": round(self.share_alike, 4),
            "apart_ns": dict(zip(("p50", "p90", "max"), self.apart_ns, strict=True)),
            "decisions": self.decisions, "same": self.same, "first_difference": self.first,
            "fills": list(self.fills),
        }  # fmt: skip


def compared(decisions: Cells) -> Cells:
    """The decisions that are compared, without codes and client ids.

    Args:
        decisions: ``(n, 8)``, records of :mod:`bloor.engine.decisions`.
    """
    rows = decisions[np.isin(decisions[:, 0] & 255, KINDS)][:, :6].copy()
    rows[:, 1] &= (1 << 32) - 1
    return rows


def agreement(
    theirs: Cells, ours: Cells, fills: tuple[int, int], until: int, instruments: Sequence[Instrument]
) -> Agreement:
    """Compares the decisions of a session with those of a backtest.

    Args:
        theirs: Those of the session, as :func:`compared` gives them.
        ours: Those of the backtest.
        fills: How many fills both had.
        until: Later decisions are left out, ns.
        instruments: The instruments of both.
    """
    theirs, ours = theirs[theirs[:, 5] <= until], ours[ours[:, 5] <= until]
    count = min(len(theirs), len(ours))
    other = np.flatnonzero((theirs[:count] != ours[:count]).any(axis=1))
    same = int(other[0]) if len(other) else count
    first = ""
    if same < max(len(theirs), len(ours)):
        first = (
            f"decision {same}: {_said(theirs, same, instruments)} in the session, {_said(ours, same, instruments)} here"
        )
    placed, here = _orders(theirs), _orders(ours)
    exactly = Counter(placed) & Counter(here)
    apart = _apart(placed, here)
    return Agreement(
        orders=len(placed),
        matched=exactly.total(),
        alike=len(apart),
        apart_ns=spread(apart),
        decisions=len(theirs),
        same=same,
        first=first,
        fills=fills,
    )


def _orders(rows: Cells) -> list[tuple[int, ...]]:
    """Orders, each as everything that was asked for, and when; their numbers are left out."""
    return [tuple(int(x) for x in (r[0], r[1], r[3], r[4], r[5])) for r in rows[np.isin(rows[:, 0] & 255, _PLACED)]]


def _apart(theirs: Sequence[tuple[int, ...]], ours: Sequence[tuple[int, ...]]) -> list[int]:
    """For each order that has a counterpart, how far apart in time both are; the first goes with the first."""
    waiting: dict[tuple[int, ...], deque[int]] = {}
    for *asked, ns in ours:
        waiting.setdefault(tuple(asked), deque()).append(ns)
    found = []
    for *asked, ns in theirs:
        times = waiting.get(tuple(asked))
        if times:
            found.append(abs(times.popleft() - ns))
    return found


def spread(apart: Sequence[int]) -> tuple[int, int, int]:
    """The median, the 90th percentile and the most; zeros of nothing."""
    ordered = sorted(apart)
    if not ordered:
        return 0, 0, 0
    return ordered[len(ordered) // 2], ordered[len(ordered) * 9 // 10], ordered[-1]


def _said(rows: Cells, number: int, instruments: Sequence[Instrument]) -> str:
    if number >= len(rows):
        return "none"
    row = rows[number]
    head = int(row[0])
    instrument = instruments[head >> 32]
    side = "buy" if head >> 8 & 255 == 1 else "sell"
    return (
        f"{_NAMES[head & 255]} {side} {instrument.format_lots(int(row[4]))} {instrument.symbol} at "
        f"{instrument.format_price(int(row[3]))} at {int(row[5])} ns"
    )
