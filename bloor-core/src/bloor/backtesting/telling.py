"""Calling a strategy's handlers (kernels; hot path), and what follows when one raises."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.requests import cancel_slot
from bloor.execution.life import Status
from bloor.native.memory import call5, cell_at, put_cell
from bloor.strategy.memory import Handler

__all__ = ["cancel_desk", "cancel_legs", "fail", "handle", "say_order", "tell_requests"]

ON_ORDER, PENDING_CANCEL = int(Handler.ORDER), int(Status.PENDING_CANCEL)


def handle(run: int, desk: int, handler: int, event: int, now_ns: int) -> None:
    """Calls a handler of a desk, and tells it then of its own requests; one that raises ends the desk."""
    if cell_at(desk + at.DESK_HANDLERS) >> handler & 1 == 0 or cell_at(desk + at.DESK_STATE) != at.RUNNING:
        return
    put_cell(run + at.RUN_NOW, now_ns)
    call_handler(run, desk, handler, event, now_ns)
    while cell_at(desk + at.DESK_TELLS) > 0:
        tell_requests(run, desk, now_ns)


def call_handler(run: int, desk: int, handler: int, event: int, now_ns: int) -> None:
    """Calls a handler; one that raises ends the desk."""
    orders, view = cell_at(desk + at.DESK_ORDERS), cell_at(cell_at(desk + at.DESK_LANE) + at.VIEW)
    put_cell(orders + at.ORDERS_NOW, now_ns)
    put_cell(run + at.RUN_EVENTS, cell_at(run + at.RUN_EVENTS) + 1)
    raised = call5(cell_at(desk + at.DESK_INVOKE), handler, cell_at(desk + at.DESK_MEMORY), event, view, orders)
    if raised != 0:
        fail(run, desk, handler, now_ns)


def fail(run: int, desk: int, handler: int, now_ns: int) -> None:
    """A handler raised: that ends the desk."""
    put_cell(desk + at.DESK_FAULT_HANDLER, handler)
    put_cell(desk + at.DESK_FAULT_NS, now_ns)
    halt(run, desk)
    put_cell(cell_at(desk + at.DESK_LANE) + at.HORIZON, at.LONG_AGO)  # a fault ends the run at once


def cancel_legs(run: int, desk: int) -> None:
    """Cancels every open order of the strategy of a desk, in all its instruments."""
    desks, memory = cell_at(run + at.RUN_DESKS), cell_at(desk + at.DESK_MEMORY)
    for i in range(cell_at(run + at.RUN_DESK_COUNT)):
        other = cell_at(desks + 8 * i)
        if cell_at(other + at.DESK_MEMORY) == memory:
            cancel_desk(run, other)
            put_cell(other + at.DESK_TELLS, 0)


def halt(run: int, desk: int) -> None:
    """An instance of a strategy trades no more, and the gate denies what the strategy's other instances ask for."""
    desks, memory = cell_at(run + at.RUN_DESKS), cell_at(desk + at.DESK_MEMORY)
    for i in range(cell_at(run + at.RUN_DESK_COUNT)):
        other = cell_at(desks + 8 * i)
        if cell_at(other + at.DESK_MEMORY) == memory:
            put_cell(other + at.DESK_STATE, at.HALTED)
        elif cell_at(other + at.DESK_STRATEGY) == cell_at(desk + at.DESK_STRATEGY):
            put_cell(other + at.DESK_BARRED, 1)
    cancel_legs(run, desk)


def cancel_desk(run: int, desk: int) -> None:
    """Cancels every open order of a desk."""
    opened = cell_at(desk + at.DESK_OPEN)
    for i in range(cell_at(desk + at.DESK_OPEN_COUNT)):
        cancel_slot(run, desk, cell_at(opened + 8 * i))


def tell_requests(run: int, desk: int, now_ns: int) -> None:
    """Tells a desk of the cancels that it has asked for."""
    put_cell(desk + at.DESK_TELLS, 0)
    if cell_at(desk + at.DESK_HANDLERS) >> ON_ORDER & 1 == 0:
        return
    for i in range(cell_at(desk + at.DESK_OPEN_COUNT)):
        slot = cell_at(cell_at(desk + at.DESK_OPEN) + 8 * i)  # a handler may have made more room
        if cell_at(slot + at.SLOT_TELL) == 1:
            put_cell(slot + at.SLOT_TELL, 0)
            if cell_at(desk + at.DESK_STATE) == at.RUNNING:
                say_order(desk, slot, PENDING_CANCEL, 0)
                call_handler(run, desk, ON_ORDER, cell_at(desk + at.DESK_ORDER), now_ns)


def say_order(desk: int, slot: int, status: int, closed: int) -> None:
    """Fills in the desk's OrderRecord."""
    said = cell_at(desk + at.DESK_ORDER)
    put_cell(said + at.SAID_NUMBER, cell_at(slot + at.SLOT_NUMBER))
    put_cell(said + at.SAID_SIDE, cell_at(slot + at.SLOT_SIDE))
    put_cell(said + at.SAID_PRICE, cell_at(slot + at.SLOT_PRICE))
    put_cell(said + at.SAID_LOTS, cell_at(slot + at.SLOT_LOTS))
    put_cell(said + at.SAID_FILLED, cell_at(slot + at.SLOT_FILLED))
    put_cell(said + at.SAID_STATUS, status)
    put_cell(said + at.SAID_CLOSED, closed)
