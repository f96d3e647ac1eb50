"""The equity of a run over time, its drawdowns, and what was held."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from attrs import field, frozen
from numpy.typing import DTypeLike, NDArray

from bloor.execution.position import EXACT
from bloor.observe.exact import exactly, prefixed, total, valued
from bloor.observe.ledger import Fills, Ledger, LedgerDesk

__all__ = ["Curve", "Drawdown", "Exposure", "Profit", "curve_of", "drawdown_of", "exposure_of", "profit_of"]

#: Rows of a curve that are computed at a time, so that only what comes of them takes memory in proportion to a run.
BLOCK = 1 << 16

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@frozen(kw_only=True, eq=False)
class Curve:
    """A run over time: every mark, every fill, its begin and its end. Columns of one length.

    A row holds from its time until the next one. Each desk is exact until it is converted to the reporting currency.

    Attributes:
        time_ns: In rising order, each once; int64.
        equity: Profit since the begin after fees, positions at their marks, in the reporting currency; float64.
        gross: Sum of the absolute worth of all that is held (positions less fees that were taken in the base asset), in
            the reporting currency; float64.
        net: Sum of the signed worth; float64.
        held: Whether some desk holds a lot or more; bool.
    """

    time_ns: Ints = field(eq=False)
    equity: Floats = field(eq=False)
    gross: Floats = field(eq=False)
    net: Floats = field(eq=False)
    held: NDArray[np.bool_] = field(eq=False)

    def __len__(self) -> int:
        return len(self.time_ns)

    def at(self, times: Ints) -> Floats:
        """The equity at each time."""
        return self.equity[np.maximum(np.searchsorted(self.time_ns, times, side="right") - 1, 0)]


@frozen(kw_only=True)
class Profit:
    """Profit and loss in the reporting currency, exact. ``net = trading - fees`` and ``trading = edge + inventory``.

    Attributes:
        net: Cash of all fills less fees, plus positions at their last marks.
        trading: The same before fees.
        fees: Fees less rebates.
        edge: What fills were better than the mid at their moment: ``sum(side * (mid - price) * quantity)``. A maker
            earns it, a taker pays it.
        inventory: What the mid did while positions were held: ``trading - edge``.
        volume: Traded value: ``sum(price * quantity)``.
    """

    net: Decimal
    trading: Decimal
    fees: Decimal
    edge: Decimal
    inventory: Decimal
    volume: Decimal


@frozen(kw_only=True)
class Drawdown:
    """The deepest fall of the equity below an earlier peak.

    Attributes:
        depth: From peak to bottom, in the reporting currency, positive.
        relative: The largest share of ``capital + peak`` that was ever lost, 0 to 1 (above 1 when more was lost than
            there was); None without a capital. It may be at another time than ``depth``.
        begin_ns: The last moment at the peak.
        bottom_ns: The first moment at the bottom.
        recovery_ns: The first moment at or above the peak again; None when the run ended before.
        longest_ns: The longest time below an earlier peak, whatever its depth.
    """

    depth: float
    relative: float | None
    begin_ns: int
    bottom_ns: int
    recovery_ns: int | None
    longest_ns: int


@frozen(kw_only=True)
class Exposure:
    """What was held, weighed by time: positions less fees that were taken in the base asset, at their marks.

    Attributes:
        in_market: Share of the time with a position of a lot or more, 0 to 1.
        gross_mean: Mean of the sum of all positions' absolute worth.
        gross_max: Its maximum.
        net_mean: Mean of the sum of their signed worth.
        long_max: Largest net long worth; 0 when never long.
        short_max: Largest net short worth, positive; 0 when never short.
    """

    in_market: float
    gross_mean: float
    gross_max: float
    net_mean: float
    long_max: float
    short_max: float


def _held(fills: Fills) -> Ints:
    """The position in units before the first fill and after each, int64."""
    return prefixed(fills.side.astype(np.int64) * fills.units)


def _amounts(kind: DTypeLike, desk: LedgerDesk, fills: Fills) -> NDArray[np.int64]:
    """Signed value of each fill in value units."""
    ticks = fills.price.astype(kind) * desk.instrument.tick_units
    return np.asarray(fills.side.astype(kind) * ticks * fills.units.astype(kind))


def _cash(desk: LedgerDesk, fills: Fills) -> NDArray[np.int64]:
    """What a desk has taken in less what it has spent, fees too, before the first fill and after each; value units."""
    return exactly(lambda kind: prefixed(-_amounts(kind, desk, fills) - fills.fee.astype(kind)))


def _equity2(desk: LedgerDesk, cash: Ints, held: Ints, mid2: Ints) -> NDArray[np.int64]:
    """Twice the equity of a desk at each time, in value units, exact.

    Args:
        desk: The desk.
        cash: What it had taken in by then, in value units.
        held: Its position, in units.
        mid2: Twice the mark.
    """
    return exactly(
        lambda kind: np.asarray(
            2 * cash.astype(kind) + held.astype(kind) * mid2.astype(kind) * desk.instrument.tick_units
        )
    )


def curve_of(ledger: Ledger) -> Curve:
    """The equity curve of a run: cash of all fills less fees, plus positions at their marks (see :class:`Curve`)."""
    times = _times(ledger)
    equity, gross, net = (np.zeros(len(times)) for _ in range(3))
    held = np.zeros(len(times), bool)
    for number, desk in enumerate(ledger.desks):
        fills = ledger.fills.of(ledger.fills.desk == number)
        if not len(fills):
            continue
        cash, position, kept = _cash(desk, fills), _held(fills), prefixed(fills.fee_base)
        scale = float(desk.rate) / 2 / 10**desk.instrument.value_decimals
        for begin in range(0, len(times), BLOCK):
            block = slice(begin, begin + BLOCK)
            done = np.searchsorted(fills.recv_ns, times[block], side="right")
            mid2, has = desk.marks.at(times[block]), position[done]
            equity[block] += _equity2(desk, cash[done], has, mid2).astype(np.float64) * scale
            has = has - kept[done]
            worth = has * mid2.astype(np.float64) * (desk.instrument.tick_units * scale)
            gross[block] += np.abs(worth)
            net[block] += worth
            held[block] |= np.abs(has) >= desk.instrument.lot_units
    return Curve(time_ns=times, equity=equity, gross=gross, net=net, held=held)


def _times(ledger: Ledger) -> Ints:
    """When a run began, its marks, its fills and its end, in rising order, each once."""
    ends = np.array([ledger.begin_ns, ledger.end_ns], np.int64)
    seen = {id(d.marks): d.marks.time_ns for d in ledger.desks}
    inside = [t[np.searchsorted(t, ends[0]) : np.searchsorted(t, ends[1], "right")] for t in seen.values()]
    times = np.concatenate([ends[:1], *inside, ends[1:], ledger.fills.recv_ns])
    times.sort(kind="stable")  # merges what is sorted in pieces; np.unique takes twenty times longer
    merged: Ints = times[np.append(True, times[1:] != times[:-1])]
    return merged


def profit_of(ledger: Ledger, number: int) -> Profit:
    """Profit and loss of one desk, exact; against the mids of :meth:`LedgerDesk.mid2`."""
    desk, fills = ledger.desks[number], ledger.fills.of(ledger.fills.desk == number)
    i = desk.instrument
    if not len(fills):
        return Profit(**dict.fromkeys(("net", "trading", "fees", "edge", "inventory", "volume"), Decimal(0)))
    mid2 = desk.mid2(fills)

    def edge2(kind: DTypeLike) -> NDArray[np.int64]:
        better = mid2.astype(kind) - 2 * fills.price.astype(kind)
        return np.asarray(fills.side.astype(kind) * better * fills.units.astype(kind) * i.tick_units)

    position = total(fills.side.astype(np.int64) * fills.units)
    spent = total(exactly(lambda kind: _amounts(kind, desk, fills)))
    volume = total(exactly(lambda kind: np.abs(_amounts(kind, desk, fills))))
    mark2 = int(desk.marks.at(np.array([ledger.end_ns]))[0])
    trading2 = i.value_units(mark2, position) - 2 * spent
    edges2, fees = total(exactly(edge2)), total(fills.fee)

    def told(doubled: int) -> Decimal:
        return valued(5 * doubled, i.value_decimals + 1, desk.rate)

    return Profit(
        net=told(trading2 - 2 * fees),
        trading=told(trading2),
        fees=told(2 * fees),
        edge=told(edges2),
        inventory=told(trading2 - edges2),
        volume=told(2 * volume),
    )


def summed(profits: list[Profit]) -> Profit:
    """Profits of several desks together, exact."""
    sums = {}
    for name in ("net", "trading", "fees", "edge", "inventory", "volume"):
        whole = Decimal(0)
        for profit in profits:
            whole = EXACT.add(whole, getattr(profit, name))
        sums[name] = whole
    return Profit(**sums)


def drawdown_of(curve: Curve, capital: Decimal | None = None) -> Drawdown | None:
    """The maximum drawdown: ``max(peak - equity)`` over the whole curve, its peak being the running maximum.

    Args:
        curve: The curve; its first row is the begin of the run.
        capital: What the run began with, in the reporting currency, for the relative one.

    Returns:
        None when the equity never fell.
    """
    peak = np.maximum.accumulate(curve.equity)
    fall = peak - curve.equity
    bottom = int(np.argmax(fall))
    if not fall[bottom] > 0:
        return None
    at_peak = np.flatnonzero(fall[:bottom] == 0)
    back = np.flatnonzero(curve.equity[bottom:] >= peak[bottom])
    relative = None
    if capital is not None and float(capital) + float(peak.min()) > 0:
        relative = float((fall / (float(capital) + peak)).max())
    tops = np.flatnonzero(fall == 0)
    ends = np.append(curve.time_ns[tops], curve.time_ns[-1])
    return Drawdown(
        depth=float(fall[bottom]),
        relative=relative,
        begin_ns=int(curve.time_ns[at_peak[-1]]),
        bottom_ns=int(curve.time_ns[bottom]),
        recovery_ns=int(curve.time_ns[bottom + back[0]]) if len(back) else None,
        longest_ns=int(np.diff(ends)[np.diff(np.append(tops, len(curve))) > 1].max()),
    )


def exposure_of(curve: Curve) -> Exposure:
    """Positions weighed by how long they were held."""
    spans = np.diff(curve.time_ns).astype(np.float64)
    whole = float(spans.sum()) or 1.0
    return Exposure(
        in_market=float(spans[curve.held[:-1]].sum()) / whole,
        gross_mean=float(spans @ curve.gross[:-1]) / whole,
        gross_max=float(curve.gross.max()),
        net_mean=float(spans @ curve.net[:-1]) / whole,
        long_max=max(0.0, float(curve.net.max())),
        short_max=max(0.0, -float(curve.net.min())),
    )
