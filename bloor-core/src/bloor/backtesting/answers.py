"""Answers of the venue as they are received (kernels; hot path): orders change and end, fills enter the position."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import message_at, used
from bloor.backtesting.requests import share
from bloor.backtesting.sight import show_before_ns
from bloor.backtesting.telling import handle, say_order
from bloor.execution.life import Status
from bloor.model.orders import Liquidity
from bloor.native.memory import cell_at, put_cell
from bloor.strategy.memory import Handler

__all__ = ["deliver"]

ON_FILL, ON_ORDER = int(Handler.FILL), int(Handler.ORDER)
NEW, PARTLY, FILLED = int(Status.NEW), int(Status.PARTIALLY_FILLED), int(Status.FILLED)
CANCELLED, EXPIRED, REJECTED = int(Status.CANCELLED), int(Status.EXPIRED), int(Status.REJECTED)
PENDING_CANCEL = int(Status.PENDING_CANCEL)
MAKER, TAKER = int(Liquidity.MAKER), int(Liquidity.TAKER)


def release(desk: int, side: int, units: int) -> None:
    """Units may not fill any more."""
    reserved = cell_at(desk + at.DESK_EXPOSURE) + (at.OPEN_BUY if side > 0 else at.OPEN_SELL)
    put_cell(reserved, cell_at(reserved) - units)


def share_no_more(desk: int, slot: int) -> None:
    """An order is over: it, or the one that replaces it, reserves all of its own."""
    new = cell_at(slot + at.SLOT_NEXT)
    if new != 0:
        release(desk, cell_at(slot + at.SLOT_SIDE), -cell_at(new + at.SLOT_SHARED))
        put_cell(new + at.SLOT_SHARED, 0)
    elif cell_at(slot + at.SLOT_SHARED) != 0:
        release(desk, cell_at(slot + at.SLOT_SIDE), -cell_at(slot + at.SLOT_SHARED))
        opened = cell_at(desk + at.DESK_OPEN)
        for i in range(cell_at(desk + at.DESK_OPEN_COUNT)):
            old = cell_at(opened + 8 * i)
            if cell_at(old + at.SLOT_NEXT) == slot:
                put_cell(old + at.SLOT_NEXT, 0)


def end_order(run: int, desk: int, slot: int, status: int) -> None:
    """An order is over: what it reserved is free, and it is written down."""
    exposure, side = cell_at(desk + at.DESK_EXPOSURE), cell_at(slot + at.SLOT_SIDE)
    share_no_more(desk, slot)
    release(desk, side, cell_at(slot + at.SLOT_UNITS) - cell_at(slot + at.SLOT_FILLED))
    put_cell(exposure + at.OPEN_ORDERS, cell_at(exposure + at.OPEN_ORDERS) - 1)
    opened, count = cell_at(desk + at.DESK_OPEN), cell_at(desk + at.DESK_OPEN_COUNT)
    i = 0
    while cell_at(opened + 8 * i) != slot:
        i += 1
    for k in range(i, count - 1):
        put_cell(opened + 8 * k, cell_at(opened + 8 * (k + 1)))
    put_cell(desk + at.DESK_OPEN_COUNT, count - 1)
    write_ended(run, desk, slot, status)


def write_ended(run: int, desk: int, slot: int, status: int) -> None:
    """Writes an order into the log of orders."""
    count = cell_at(run + at.RUN_ENDED_COUNT)
    to = cell_at(run + at.RUN_ENDED) + count * at.ENDED_BYTES
    put_cell(run + at.RUN_ENDED_COUNT, count + 1)
    side = cell_at(slot + at.SLOT_SIDE) & 255
    put_cell(to + at.ENDED_NUMBER, cell_at(slot + at.SLOT_NUMBER))
    put_cell(to + at.ENDED_WHAT, cell_at(desk + at.DESK_NUMBER) | status << 32 | side << 40)
    put_cell(to + at.ENDED_PRICE, cell_at(slot + at.SLOT_PRICE))
    put_cell(to + at.ENDED_LOTS, cell_at(slot + at.SLOT_LOTS))
    put_cell(to + at.ENDED_SENT, cell_at(slot + at.SLOT_SENT))
    put_cell(to + at.ENDED_FILLED, cell_at(slot + at.SLOT_FILLED))
    put_cell(to + at.ENDED_MID2, cell_at(slot + at.SLOT_MID2))


def receive_fill(run: int, desk: int, slot: int, told: int, ns: int) -> None:
    """A fill is received: it enters the position."""
    side, units = cell_at(slot + at.SLOT_SIDE), cell_at(told + at.MESSAGE_UNITS)
    price, maker = cell_at(told + at.MESSAGE_PRICE), cell_at(told + at.MESSAGE_MAKER)
    exch_ns = cell_at(told + at.MESSAGE_EXCH)
    exposure = cell_at(desk + at.DESK_EXPOSURE)
    put_cell(slot + at.SLOT_FILLED, cell_at(slot + at.SLOT_FILLED) + units)
    put_cell(exposure + at.POSITION, cell_at(exposure + at.POSITION) + side * units)
    release(desk, side, units)
    if cell_at(slot + at.SLOT_NEXT) != 0:
        share(desk, slot)
    kept = cell_at(told + at.MESSAGE_KEPT)
    put_cell(exposure + at.INVENTORY, cell_at(exposure + at.INVENTORY) - kept)
    count = cell_at(run + at.RUN_FILL_COUNT)
    to = cell_at(run + at.RUN_FILLS) + count * at.FILL_BYTES
    put_cell(run + at.RUN_FILL_COUNT, count + 1)
    put_cell(to + at.FILL_EXCH, exch_ns)
    put_cell(to + at.FILL_RECV, ns)
    put_cell(to + at.FILL_DESK, cell_at(desk + at.DESK_NUMBER))
    put_cell(to + at.FILL_SIDE, side)
    put_cell(to + at.FILL_PRICE, price)
    put_cell(to + at.FILL_UNITS, units)
    put_cell(to + at.FILL_MAKER, maker)
    put_cell(to + at.FILL_ORDER, cell_at(slot + at.SLOT_NUMBER))
    put_cell(to + at.FILL_FEE, cell_at(told + at.MESSAGE_FEE))
    put_cell(to + at.FILL_KEPT, kept)
    put_cell(to + at.FILL_LEFT, cell_at(slot + at.SLOT_UNITS) - cell_at(slot + at.SLOT_FILLED))
    if cell_at(desk + at.DESK_HANDLERS) >> ON_FILL & 1 == 1:
        paid = cell_at(desk + at.DESK_FILL)
        put_cell(paid + at.PAID_SIDE, side)
        put_cell(paid + at.PAID_PRICE, price)
        put_cell(paid + at.PAID_UNITS, units)
        put_cell(paid + at.PAID_LIQUIDITY, MAKER if maker == 1 else TAKER)
        put_cell(paid + at.PAID_EXCH, exch_ns)
        put_cell(paid + at.PAID_RECV, ns)


def receive_quantity(desk: int, slot: int, units: int) -> None:
    """An order has a smaller quantity now: the difference may not fill any more."""
    release(desk, cell_at(slot + at.SLOT_SIDE), cell_at(slot + at.SLOT_UNITS) - units)
    put_cell(slot + at.SLOT_UNITS, units)
    put_cell(slot + at.SLOT_LOTS, units // cell_at(desk + at.DESK_LOT_UNITS))
    if cell_at(slot + at.SLOT_NEXT) != 0:
        share(desk, slot)


def deliver(run: int, lane: int) -> None:
    """The next answer of the venue is received."""
    told = message_at(lane, at.TOLD, cell_at(lane + at.TOLD_HEAD))
    used(lane, at.TOLD_HEAD, at.TOLD_TAIL)
    slot, kind, ns = cell_at(told + at.MESSAGE_SLOT), cell_at(told + at.MESSAGE_KIND), cell_at(told + at.MESSAGE_NS)
    if cell_at(slot + at.SLOT_NUMBER) != cell_at(told + at.MESSAGE_NUMBER) or cell_at(slot + at.SLOT_STATUS) == 0:
        return
    desk, last = cell_at(slot + at.SLOT_DESK), cell_at(told + at.MESSAGE_LAST)
    status = cell_at(slot + at.SLOT_STATUS)
    put_cell(run + at.RUN_NOW, ns)
    if cell_at(lane + at.REACTS) != 0:
        show_before_ns(lane, ns + 1)
    if kind == at.ACKED:
        status = NEW
    elif kind == at.FILLED:
        receive_fill(run, desk, slot, told, ns)
        status = FILLED if last == 1 else PARTLY
    elif kind == at.CANCELLED:
        status = CANCELLED
    elif kind == at.EXPIRED:
        status = EXPIRED
    elif kind == at.REJECTED:
        status = REJECTED
    elif kind == at.AMENDED:
        receive_quantity(desk, slot, cell_at(told + at.MESSAGE_UNITS))
        put_cell(slot + at.SLOT_PENDING, 0)
    elif kind == at.REDUCED:
        receive_quantity(desk, slot, cell_at(told + at.MESSAGE_UNITS))
    else:
        put_cell(slot + at.SLOT_PENDING, 0)
        return
    put_cell(slot + at.SLOT_STATUS, status)
    if last == 1:
        end_order(run, desk, slot, status)
    if kind == at.FILLED:
        handle(run, desk, ON_FILL, cell_at(desk + at.DESK_FILL), ns)
    if cell_at(desk + at.DESK_HANDLERS) >> ON_ORDER & 1 == 1:
        pending = cell_at(slot + at.SLOT_PENDING) == at.CANCEL and last == 0
        say_order(desk, slot, PENDING_CANCEL if pending else status, last)
        handle(run, desk, ON_ORDER, cell_at(desk + at.DESK_ORDER), ns)
    if last == 1:
        put_cell(slot + at.SLOT_STATUS, 0)
        free = cell_at(lane + at.FREE_COUNT)
        put_cell(cell_at(lane + at.FREE) + 8 * free, slot)
        put_cell(lane + at.FREE_COUNT, free + 1)
