"""How well orders were executed: fill ratio, slippage, mark-outs, spreads.

Prices are compared in basis points (bps, 1/10,000) and averaged by the value of the fills. A mark-out and a spread are
positive when they are good for us; slippage is a cost, positive when it is bad for us.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from bloor.execution.life import Status
from bloor.observe.ledger import Ledger, Marks

__all__ = ["FillsSeen", "MarkOut", "Mean", "OrderStatistics", "Slippage", "Spread", "order_statistics"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Seconds after a fill at which the mid is looked at.
HORIZONS_S = (0.0, 0.1, 1.0, 5.0, 30.0, 60.0)
#: The horizon of the realised spread, in seconds.
REALISED_S = 5.0


@frozen(kw_only=True)
class Mean:
    """A mean over fills, weighed by their value.

    Attributes:
        count: How many fills.
        bps: The mean; None without fills.
        error_bps: Its standard error for independent fills: ``sqrt(sum(w**2 * (x - mean)**2)) / sum(w)``, times
            ``sqrt(n / (n - 1))`` (W. Cochran, *Sampling Techniques*, 1977); None for fewer than two. Fills that come
            in clusters are less sure than this.
    """

    count: int
    bps: float | None
    error_bps: float | None


@frozen(kw_only=True)
class MarkOut:
    """What the mid was some time after own fills: ``side * (mid - price) / price``; positive is good for us.

    Attributes:
        seconds: After the fill; 0 is the mid just before it.
        maker: Of fills of resting orders.
        taker: Of the others.
        left_out: Fills of which it is not known: the run ends before, or the data has a gap there.
    """

    seconds: float
    maker: Mean
    taker: Mean
    left_out: int


@frozen(kw_only=True)
class Spread:
    """The spread that was earned (positive) or paid (negative), both ways, in bps of the mid at the fill.

    ``effective = realised + impact`` for the same fills (R. Huang and H. Stoll, 1996; SEC rule 605).

    Attributes:
        seconds: When the realised spread is taken.
        effective_bps: ``2 * side * (mid - price) / mid``; None without fills.
        realised_bps: The same with the mid of some seconds later: what is left once the market has moved.
        impact_bps: How far the market moved against us meanwhile: ``2 * side * (mid - later mid) / mid``.
        count: How many fills, those left out as in :class:`MarkOut`.
    """

    seconds: float
    effective_bps: float | None
    realised_bps: float | None
    impact_bps: float | None
    count: int


@frozen(kw_only=True)
class Slippage:
    """Fills that took, against the mid when it was decided: ``side * (price - mid) / mid``; positive is a cost.

    Half the spread is in it, and what the market moved until the order was there (implementation shortfall of what was
    filled; A. Perold, 1988).

    Attributes:
        count: How many fills.
        cost: The sum, in the reporting currency.
        mean_bps: Mean, weighed by value; None without fills.
        quantiles_bps: The value-weighted quantiles 0.05, 0.25, 0.5, 0.75 and 0.95, by name; empty without fills.
    """

    count: int
    cost: float
    mean_bps: float | None
    quantiles_bps: Mapping[str, float]


@frozen(kw_only=True)
class OrderStatistics:
    """Orders in numbers.

    Attributes:
        sent: How many.
        with_fill: How many of them had a fill.
        fill_ratio: ``with_fill / sent``; None without orders.
        quantity_ratio: Filled by ordered quantity, each order weighed by its price (a market order's by the mid at its
            decision); None without orders.
        by_status: How many ended how, by :class:`~bloor.execution.life.Status` in small letters.
    """

    sent: int
    with_fill: int
    fill_ratio: float | None
    quantity_ratio: float | None
    by_status: Mapping[str, int]


def weighted_mean(values: Floats, weights: Floats) -> Mean:
    """A mean with its error (:class:`Mean`)."""
    count, whole = len(values), float(weights.sum())
    if not whole > 0:
        return Mean(count=count, bps=None, error_bps=None)
    mean = float((weights * values).sum()) / whole
    if count < 2:
        return Mean(count=count, bps=mean, error_bps=None)
    squares = float(((weights * (values - mean)) ** 2).sum())
    return Mean(count=count, bps=mean, error_bps=math.sqrt(squares * count / (count - 1)) / whole)


def weighted_quantiles(values: Floats, weights: Floats, levels: tuple[float, ...]) -> list[float]:
    """The smallest value at which the weight up to it reaches each share of the whole; ``values`` must not be empty."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    rows = np.searchsorted(reached, np.array(levels) * reached[-1])
    return [float(values[order[min(int(row), len(order) - 1)]]) for row in rows]


def _unbroken(marks: Marks, begin: Ints, end: Ints) -> NDArray[np.bool_]:
    """Whether no gap of the data touches the time between."""
    if not marks.gaps:
        return np.ones(len(begin), bool)
    begins = np.array(sorted(g[0] for g in marks.gaps), np.int64)
    ends = np.array(sorted(g[1] for g in marks.gaps), np.int64)
    begun = np.searchsorted(begins, end, side="right")
    over = np.searchsorted(ends, begin, side="left")
    return np.asarray(begun == over)


class FillsSeen:
    """All fills of a run, looked at in money and against the mid.

    Attributes:
        side: 1 or -1; float64.
        price: In ticks; float64.
        value: In the reporting currency; float64.
        mid: The mid at the fill, in ticks; float64.
        maker: Whether the order was resting; bool.
    """

    def __init__(self, ledger: Ledger) -> None:
        fills = ledger.fills
        self._ledger = ledger
        self._rows = [np.flatnonzero(fills.desk == n) for n in range(len(ledger.desks))]
        self.side = fills.side.astype(np.float64)
        self.price = fills.price.astype(np.float64)
        scales = [float(d.rate) * d.instrument.tick_units / 10**d.instrument.value_decimals for d in ledger.desks]
        self.value = self.price * fills.units * np.array(scales)[fills.desk]
        mid2 = np.zeros(len(fills), np.int64)
        for desk, rows in zip(ledger.desks, self._rows, strict=True):
            mid2[rows] = desk.mid2(fills.of(rows))
        self.mid = mid2 / 2
        self.maker = fills.maker

    def _marks(self, times: Ints) -> Ints:
        """Twice the mid of each fill's own book at a time."""
        mid2 = np.zeros(len(times), np.int64)
        for desk, rows in zip(self._ledger.desks, self._rows, strict=True):
            if len(rows):
                mid2[rows] = desk.marks.at(times[rows])
        return mid2

    def later(self, seconds: float) -> tuple[Floats, NDArray[np.bool_]]:
        """The mid in ticks some seconds after each fill, and whether it is known."""
        return self._realised if seconds == REALISED_S else self._look(seconds)

    @cached_property
    def _realised(self) -> tuple[Floats, NDArray[np.bool_]]:
        return self._look(REALISED_S)

    def _look(self, seconds: float) -> tuple[Floats, NDArray[np.bool_]]:
        begin = self._ledger.fills.recv_ns
        if not seconds:
            return self.mid, np.ones(len(begin), bool)
        end = begin + round(seconds * 1e9)
        known = end <= self._ledger.end_ns
        for desk, rows in zip(self._ledger.desks, self._rows, strict=True):
            known[rows] &= _unbroken(desk.marks, begin[rows], end[rows])
        return self._marks(end) / 2, known

    def maker_ratio_of(self, of: NDArray[np.bool_]) -> float | None:
        """Share of the value of some fills that was filled resting; None without fills.

        Args:
            of: Which, one a fill; bool.
        """
        whole = float(self.value[of].sum())
        return float(self.value[of & self.maker].sum()) / whole if whole > 0 else None

    def mark_out(self, seconds: float) -> MarkOut:
        """The mark-out after some seconds."""
        mid, known = self.later(seconds)
        bps = self.side * (mid - self.price) / self.price * 1e4
        maker, taker = known & self.maker, known & ~self.maker
        return MarkOut(
            seconds=seconds,
            maker=weighted_mean(bps[maker], self.value[maker]),
            taker=weighted_mean(bps[taker], self.value[taker]),
            left_out=len(bps) - int(known.sum()),
        )

    def spread(self, of: NDArray[np.bool_], seconds: float = REALISED_S) -> Spread:
        """Effective and realised spread of some fills.

        Args:
            of: Which, one a fill; bool.
            seconds: When the realised one is taken.
        """
        later, known = self.later(seconds)
        rows = known & of
        scale, weights = 2e4 * self.side[rows] / self.mid[rows], self.value[rows]
        effective = weighted_mean(scale * (self.mid[rows] - self.price[rows]), weights).bps
        realised = weighted_mean(scale * (later[rows] - self.price[rows]), weights).bps
        impact = None if effective is None or realised is None else effective - realised
        return Spread(
            seconds=seconds,
            effective_bps=effective,
            realised_bps=realised,
            impact_bps=impact,
            count=int(rows.sum()),
        )

    @cached_property
    def taken(self) -> tuple[Floats, Floats]:
        """Slippage in bps of every fill that took and whose mid at the decision is known, and its value at that mid."""
        fills, orders = self._ledger.fills, self._ledger.orders
        if not len(orders) or not len(fills):
            return np.empty(0), np.empty(0)
        by_number = np.argsort(orders.number, kind="stable")
        numbers = orders.number[by_number]
        at = np.minimum(np.searchsorted(numbers, fills.order), len(numbers) - 1)
        mid = np.where(numbers[at] == fills.order, orders.mid2[by_number[at]], 0) / 2
        rows = ~self.maker & (mid > 0)
        worth = (
            self.value[rows] * mid[rows] / self.price[rows]
        )  # at the mid of the decision, so that bps of it are money
        return self.side[rows] * (self.price[rows] - mid[rows]) / mid[rows] * 1e4, worth

    @property
    def slippage(self) -> Slippage:
        """Slippage of fills that took."""
        bps, value = self.taken
        levels = (0.05, 0.25, 0.5, 0.75, 0.95)
        quantiles = weighted_quantiles(bps, value, levels) if len(bps) else []
        return Slippage(
            count=len(bps),
            cost=float((bps * value).sum()) / 1e4,
            mean_bps=weighted_mean(bps, value).bps,
            quantiles_bps=dict(zip(map(str, levels), quantiles, strict=bool(quantiles))),
        )


def order_statistics(ledger: Ledger) -> OrderStatistics:
    """Orders in numbers (:class:`OrderStatistics`)."""
    orders = ledger.orders
    sent, with_fill = len(orders), int((orders.filled > 0).sum())
    lots = np.array([float(d.instrument.lot_units) for d in ledger.desks])
    scales = [float(d.rate) * d.instrument.tick_units / 10**d.instrument.value_decimals for d in ledger.desks]
    price = np.where(orders.price > 0, orders.price, orders.mid2 / 2) * np.array(scales)[orders.desk]
    ordered = float((price * orders.lots * lots[orders.desk]).sum())
    counts = np.bincount(orders.status.astype(np.int64), minlength=1)
    return OrderStatistics(
        sent=sent,
        with_fill=with_fill,
        fill_ratio=with_fill / sent if sent else None,
        quantity_ratio=float((price * orders.filled).sum()) / ordered if ordered > 0 else None,
        by_status={Status(n).name.lower(): int(count) for n, count in enumerate(counts) if count},
    )
