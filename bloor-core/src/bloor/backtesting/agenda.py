"""Timers and bars of a strategy (kernels; hot path)."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.sight import show_before_ns
from bloor.backtesting.telling import handle
from bloor.market.events import NO_PRICE
from bloor.native.memory import cell_at, copy_bytes, put_cell
from bloor.strategy.memory import Handler

__all__ = ["begin_schedule", "run_due"]

ON_START, ON_BAR, ON_TIMER = int(Handler.START), int(Handler.BAR), int(Handler.TIMER)
#: Empty bars that are told one after the other when time has jumped (bloor.market.bars).
CAUGHT_UP = 1_000


def close_bar(run: int, desk: int, now_ns: int) -> None:
    """The open bar of a desk ends (:meth:`bloor.market.bars.Bars.close`)."""
    bar, closed = cell_at(desk + at.DESK_BAR), cell_at(desk + at.DESK_CLOSED_BAR)
    close = cell_at(bar + at.BAR_CLOSE)
    if cell_at(bar + at.BAR_TRADES) == 0:
        put_cell(bar + at.BAR_OPEN, close)
        put_cell(bar + at.BAR_HIGH, close)
        put_cell(bar + at.BAR_LOW, close)
    copy_bytes(closed, bar, at.BAR_BYTES)
    period, end_ns = cell_at(desk + at.DESK_BAR_PERIOD), cell_at(bar + at.BAR_END)
    if now_ns - end_ns > CAUGHT_UP * period:
        end_ns = (now_ns + period - 1) // period * period
    open_bar(bar, end_ns, period)
    if close != NO_PRICE:
        handle(run, desk, ON_BAR, closed, now_ns)


def open_bar(bar: int, start_ns: int, period: int) -> None:
    """Begins a bar; its close, the last price, stays."""
    put_cell(bar + at.BAR_VOLUME, 0)
    put_cell(bar + at.BAR_TRADES, 0)
    put_cell(bar + at.BAR_VALUE, 0)
    put_cell(bar + at.BAR_START, start_ns)
    put_cell(bar + at.BAR_END, start_ns + period)


def due(lane: int) -> int:
    """When the next bar of a lane ends, a timer is due, or a desk starts whose time is set."""
    first, desks = at.NEVER, cell_at(lane + at.DESKS)
    for i in range(cell_at(lane + at.DESK_COUNT)):
        desk = cell_at(desks + 8 * i)
        if cell_at(desk + at.DESK_START) > 0 and cell_at(desk + at.DESK_STATE) == at.WAITING:
            first = min(first, cell_at(desk + at.DESK_START))
        if cell_at(desk + at.DESK_BAR_PERIOD) > 0:
            first = min(first, cell_at(cell_at(desk + at.DESK_BAR) + at.BAR_END))
        if cell_at(desk + at.DESK_PERIOD) > 0:
            first = min(first, cell_at(desk + at.DESK_TIMER))
    return first


def run_due(run: int, lane: int, ns: int) -> None:
    """Tells the bars and timers that are due at a time."""
    show_before_ns(lane, ns)
    desks, count = cell_at(lane + at.DESKS), cell_at(lane + at.DESK_COUNT)
    for i in range(count):
        desk = cell_at(desks + 8 * i)
        starts = cell_at(desk + at.DESK_START)
        if 0 < starts <= ns and cell_at(desk + at.DESK_STATE) == at.WAITING:
            put_cell(desk + at.DESK_STATE, at.RUNNING)
            handle(run, desk, ON_START, 0, ns)
    for i in range(count):
        desk = cell_at(desks + 8 * i)
        if cell_at(desk + at.DESK_BAR_PERIOD) > 0 and cell_at(cell_at(desk + at.DESK_BAR) + at.BAR_END) <= ns:
            close_bar(run, desk, ns)
    for i in range(count):
        desk = cell_at(desks + 8 * i)
        period = cell_at(desk + at.DESK_PERIOD)
        if period > 0 and cell_at(desk + at.DESK_TIMER) <= ns:
            put_cell(desk + at.DESK_TIMER, (ns // period + 1) * period)
            handle(run, desk, ON_TIMER, 0, ns)
    put_cell(lane + at.DUE, due(lane))


def begin_schedule(lane: int, ns: int) -> None:
    """The first input of a lane: bars and timers begin."""
    desks = cell_at(lane + at.DESKS)
    for i in range(cell_at(lane + at.DESK_COUNT)):
        desk = cell_at(desks + 8 * i)
        period = cell_at(desk + at.DESK_PERIOD)
        if period > 0:
            put_cell(desk + at.DESK_TIMER, (ns // period + 1) * period)
        period = cell_at(desk + at.DESK_BAR_PERIOD)
        if period > 0:
            open_bar(cell_at(desk + at.DESK_BAR), (ns + period - 1) // period * period, period)
    put_cell(lane + at.DUE, due(lane))
    put_cell(lane + at.HORIZON, min(cell_at(lane + at.DUE), cell_at(lane + at.HORIZON)))
