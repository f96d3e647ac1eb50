"""Round trips: from flat to flat, as :class:`~bloor.execution.position.PositionAccount` counts them.

A trip begins with the fill that opens a position and ends with the one that closes it. A fill through zero ends one
trip and begins another; its fee belongs to the one that ends. Flat is also what cannot be closed any further: less than
a lot once fees taken in the base asset are off; what is left then counts at the price of the last fill and begins the
next trip. So the trips of a desk and its open position add up to its profit, exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, fields, frozen
from numpy.typing import DTypeLike, NDArray

from bloor.observe.exact import exactly, prefixed
from bloor.observe.ledger import Fills, Ledger, LedgerDesk

__all__ = ["TripStatistics", "Trips", "trip_statistics", "trips_of"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@frozen(kw_only=True, eq=False)
class Trips:
    """Ended round trips, one row each, desk after desk, in the order of their ends. Columns of one length.

    Attributes:
        desk: Index into :attr:`Ledger.desks`; int32.
        begin_ns: When the first fill was known; int64.
        end_ns: When the last one was; int64.
        side: 1 for a long one, -1 for a short one; int8.
        fills: How many fills had a part in it; int64.
        net_units: Profit after fees in value units of the desk's instrument, exact; int64, or Python integers where
            that does not hold it.
        profit: The same in the reporting currency; float64.
        value: Value of what was opened, in the reporting currency; float64.
    """

    desk: NDArray[np.int32] = field(eq=False)
    begin_ns: Ints = field(eq=False)
    end_ns: Ints = field(eq=False)
    side: NDArray[np.int8] = field(eq=False)
    fills: Ints = field(eq=False)
    net_units: NDArray[Any] = field(eq=False)
    profit: Floats = field(eq=False)
    value: Floats = field(eq=False)

    def __len__(self) -> int:
        return len(self.desk)

    def of(self, rows: Any) -> Trips:
        """Some rows, by a mask or by their indices."""
        return Trips(**{a.name: getattr(self, a.name)[rows] for a in fields(Trips)})


@frozen(kw_only=True)
class TripStatistics:
    """Round trips in numbers; money after fees in the reporting currency. None where there is nothing to tell.

    Attributes:
        count: How many ended.
        wins: Those that earned money.
        win_rate: ``wins / count``.
        win_mean: Mean profit of those that earned.
        loss_mean: Mean loss of those that did not, positive.
        profit_factor: Sum of profits by sum of losses; None without losses.
        expectancy: Mean profit of all: ``win_rate * win_mean - (1 - win_rate) * loss_mean``.
        best: The largest profit.
        worst: The largest loss, or the smallest profit, signed.
        holding_s_mean: Mean time from the first fill to the last.
        holding_s_median: Its median.
    """

    count: int
    wins: int
    win_rate: float | None = None
    win_mean: float | None = None
    loss_mean: float | None = None
    profit_factor: float | None = None
    expectancy: float | None = None
    best: float | None = None
    worst: float | None = None
    holding_s_mean: float | None = None
    holding_s_median: float | None = None


def _ends(desk: LedgerDesk, fills: Fills, before: Ints, closing: Ints) -> Ints:
    """Rows of the fills that end a trip."""
    left = before + fills.side * closing  # once the closing part is off
    stuck = np.abs(left - np.cumsum(fills.fee_base)) < desk.instrument.lot_units
    return np.flatnonzero((closing > 0) & ((left == 0) | stuck))


def _desk_trips(number: int, desk: LedgerDesk, fills: Fills) -> Trips:
    """The trips of one desk; a running sum up to each end, less the one before, is what the trip brought."""
    side, tick = fills.side, desk.instrument.tick_units
    before = prefixed(side.astype(np.int64) * fills.units)[:-1]
    closing = np.where(before * np.sign(side) < 0, np.minimum(fills.units, np.abs(before)), 0)
    opening = fills.units - closing
    ends = _ends(desk, fills, before, closing)
    left = (before + side * closing)[ends]

    def net(kind: DTypeLike) -> NDArray[Any]:
        price = fills.price.astype(kind) * tick
        flows = np.cumsum(-side.astype(kind) * price * fills.units.astype(kind) - fills.fee.astype(kind))
        opened = side[ends].astype(kind) * price[ends] * opening[ends].astype(kind)  # belongs to the next trip
        return np.asarray(np.diff(flows[ends] + opened + left.astype(kind) * price[ends], prepend=np.zeros(1, kind)))

    openers = np.append(np.flatnonzero(opening), len(fills))
    previous = np.concatenate((np.zeros(min(len(ends), 1), np.int64), ends[:-1]))
    first = openers[np.searchsorted(openers, previous)]
    first = np.where(first > ends, previous, first)  # of a trip that only sold what was left, or bought it
    scale = float(desk.rate) / 10**desk.instrument.value_decimals
    opened = prefixed(fills.price * (opening * (tick * scale)))
    units = exactly(net)
    return Trips(
        desk=np.full(len(ends), number, np.int32),
        begin_ns=fills.recv_ns[first],
        end_ns=fills.recv_ns[ends],
        side=-side[ends],
        fills=ends - first + 1,
        net_units=units,
        profit=units.astype(np.float64) * scale,
        value=opened[ends] - opened[first],
    )


def trips_of(ledger: Ledger) -> Trips:
    """The ended round trips of every desk."""
    parts = [_desk_trips(n, desk, ledger.fills.of(ledger.fills.desk == n)) for n, desk in enumerate(ledger.desks)]
    return Trips(**{a.name: np.concatenate([getattr(part, a.name) for part in parts]) for a in fields(Trips)})


def trip_statistics(trips: Trips) -> TripStatistics:
    """Round trips in numbers (:class:`TripStatistics`)."""
    if not len(trips):
        return TripStatistics(count=0, wins=0)
    won = trips.net_units > 0
    wins = int(won.sum())
    gains, losses = trips.profit[won], -trips.profit[~won]
    lost = float(losses.sum())
    held_s = (trips.end_ns - trips.begin_ns) / 1e9
    return TripStatistics(
        count=len(trips),
        wins=wins,
        win_rate=wins / len(trips),
        win_mean=float(gains.mean()) if wins else None,
        loss_mean=float(losses.mean()) if wins < len(trips) else None,
        profit_factor=float(gains.sum()) / lost if lost > 0 else None,
        expectancy=float(trips.profit.mean()),
        best=float(trips.profit.max()),
        worst=float(trips.profit.min()),
        holding_s_mean=float(held_s.mean()),
        holding_s_median=float(np.median(held_s)),
    )
