"""What a strategy asks of its desk in a backtest (kernels; hot path): :class:`bloor.strategy.api.Orders`.

The rules are those of a run (:mod:`bloor.engine`): every order passes the gate, its exposure is reserved when it is
sent and kept until the venue's answer is here, and a request about an order waits for the answer to the one before.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import ask, fault, make_room
from bloor.engine.decisions import DecisionKind
from bloor.execution.life import Status
from bloor.market.events import NO_PRICE
from bloor.native.memory import cell_at, put_cell
from bloor.risk.kernel import decide

__all__ = ["amend", "cancel", "cancel_all", "place", "replace", "share"]

PLACES, DENIES, CANCELS = int(DecisionKind.PLACE), int(DecisionKind.DENY), int(DecisionKind.CANCEL)
REPLACES, AMENDS = int(DecisionKind.REPLACE), int(DecisionKind.AMEND)
PENDING_NEW, NEW = int(Status.PENDING_NEW), int(Status.NEW)
#: Odd numbers without a pattern: the primes of xxHash's 64-bit form.
PRIME1, PRIME2, PRIME3 = -7046029288634856825, -4417276706812531889, 1609587929392839161
PRIME4, PRIME5 = -8796714831421723037, 2870177450012600261


def decision(run: int, desk: int, kind: int, slot: int, code: int, lots: int) -> None:
    """Counts a decision (:mod:`bloor.engine.decisions`) about an order, and writes it where it is kept.

    The client id is left out.

    Args:
        run: Address of the run.
        desk: Address of the desk.
        kind: A DecisionKind.
        slot: Address of the order; 0 of a denial, which is about the desk's intent.
        code: The gate's verdict, or the number of the order that is replaced.
        lots: Its quantity.
    """
    if slot != 0:
        side, form, number = cell_at(slot + at.SLOT_SIDE), cell_at(slot + at.SLOT_TYPE), cell_at(slot + at.SLOT_NUMBER)
        tif, price = cell_at(slot + at.SLOT_TIF), cell_at(slot + at.SLOT_PRICE)
    else:
        intent = cell_at(desk + at.DESK_INTENT)
        side, form, number = cell_at(intent + at.INTENT_SIDE), cell_at(intent + at.INTENT_TYPE), 0
        tif, price = cell_at(intent + at.INTENT_TIF), cell_at(intent + at.INTENT_PRICE)
    what = kind | (side & 255) << 8 | form << 16 | tif << 24 | cell_at(desk + at.DESK_INSTRUMENT) << 32
    who, now_ns = cell_at(desk + at.DESK_STRATEGY) | code << 32, cell_at(run + at.RUN_NOW)
    put_cell(run + at.RUN_DECIDED, cell_at(run + at.RUN_DECIDED) + 1)
    told = what * PRIME1 + who * PRIME2 + number * PRIME3 + price * PRIME4 + lots * PRIME5 + now_ns
    so_far = cell_at(run + at.RUN_SUM)
    put_cell(run + at.RUN_SUM, (so_far ^ (so_far >> 29) ^ told) * PRIME1)  # only the lowest 64 bits count
    if kind != DENIES and cell_at(run + at.RUN_KEEPS) == 0:
        return
    count = cell_at(run + at.RUN_DECISION_COUNT)
    if count >= cell_at(run + at.RUN_DECISION_ROOM) and not make_room(cell_at(desk + at.DESK_LANE), at.ROOM_DECISIONS):
        return
    to = cell_at(run + at.RUN_DECISIONS) + count * at.DECISION_BYTES
    put_cell(run + at.RUN_DECISION_COUNT, count + 1)
    put_cell(to, what)
    put_cell(to + 8, who)
    put_cell(to + 16, number)
    put_cell(to + 24, price)
    put_cell(to + 32, lots)
    put_cell(to + 40, now_ns)


def gate(run: int, desk: int, side: int, price: int, lots: int, kind: int, tif: int) -> int:
    """What the gate says of an order: 0 to go on, else its verdict, which is written down."""
    intent, lane = cell_at(desk + at.DESK_INTENT), cell_at(desk + at.DESK_LANE)
    put_cell(intent + at.INTENT_SIDE, side)
    put_cell(intent + at.INTENT_TYPE, kind)
    put_cell(intent + at.INTENT_TIF, tif)
    put_cell(intent + at.INTENT_PRICE, price)
    put_cell(intent + at.INTENT_LOTS, lots)
    put_cell(intent + at.INTENT_UNITS, lots * cell_at(desk + at.DESK_LOT_UNITS))
    gated, verdict = cell_at(run + at.RUN_GATE), 0
    if cell_at(desk + at.DESK_BARRED) != 0:
        verdict = at.STRATEGY_HALTED
    elif gated != 0:
        now_ns = cell_at(run + at.RUN_NOW)
        verdict = decide(gated, intent, cell_at(lane + at.VIEW), cell_at(desk + at.DESK_EXPOSURE), now_ns)
    if verdict != 0:
        put_cell(desk + at.DESK_DENIED, cell_at(desk + at.DESK_DENIED) + 1)
        decision(run, desk, DENIES, 0, verdict, lots)
    return verdict


def new_order(run: int, desk: int, side: int, price: int, lots: int, kind: int, tif: int) -> int:
    """Address of a new order, its exposure reserved; 0 when there is no memory for one."""
    lane = cell_at(desk + at.DESK_LANE)
    if cell_at(lane + at.FREE_COUNT) == 0 and not make_room(lane, at.ROOM_ORDERS):
        return 0
    free = cell_at(lane + at.FREE_COUNT)
    put_cell(lane + at.FREE_COUNT, free - 1)
    slot = cell_at(cell_at(lane + at.FREE) + 8 * (free - 1))
    number = cell_at(run + at.RUN_NUMBER) + 1
    put_cell(run + at.RUN_NUMBER, number)
    units = lots * cell_at(desk + at.DESK_LOT_UNITS)
    put_cell(slot + at.SLOT_NUMBER, number)
    put_cell(slot + at.SLOT_DESK, desk)
    put_cell(slot + at.SLOT_SIDE, side)
    put_cell(slot + at.SLOT_PRICE, price)
    put_cell(slot + at.SLOT_UNITS, units)
    put_cell(slot + at.SLOT_LEFT, units)
    put_cell(slot + at.SLOT_TYPE, kind)
    put_cell(slot + at.SLOT_TIF, tif)
    put_cell(slot + at.SLOT_RESTS, 0)
    put_cell(slot + at.SLOT_STATUS, PENDING_NEW)
    put_cell(slot + at.SLOT_PENDING, 0)
    put_cell(slot + at.SLOT_FILLED, 0)
    put_cell(slot + at.SLOT_TRADED, 0)
    put_cell(slot + at.SLOT_LOTS, lots)
    put_cell(slot + at.SLOT_SENT, cell_at(run + at.RUN_NOW))
    put_cell(slot + at.SLOT_TELL, 0)
    put_cell(slot + at.SLOT_NEXT, 0)
    put_cell(slot + at.SLOT_SHARED, 0)
    view = cell_at(lane + at.VIEW)
    bid, ask_price = cell_at(view + at.VIEW_BID), cell_at(view + at.VIEW_ASK)
    put_cell(slot + at.SLOT_MID2, bid + ask_price if bid != NO_PRICE and ask_price != NO_PRICE else 0)
    exposure = cell_at(desk + at.DESK_EXPOSURE)
    reserved = exposure + (at.OPEN_BUY if side > 0 else at.OPEN_SELL)
    put_cell(reserved, cell_at(reserved) + units)
    put_cell(exposure + at.OPEN_ORDERS, cell_at(exposure + at.OPEN_ORDERS) + 1)
    count = cell_at(desk + at.DESK_OPEN_COUNT)
    put_cell(cell_at(desk + at.DESK_OPEN) + 8 * count, slot)
    put_cell(desk + at.DESK_OPEN_COUNT, count + 1)
    return slot


def sent(run: int, lane: int) -> None:
    """Something is on its way to the venue of a lane: the lane has to be looked at."""
    now_ns = cell_at(run + at.RUN_NOW)
    put_cell(lane + at.HORIZON, min(now_ns, cell_at(lane + at.HORIZON)))
    put_cell(run + at.RUN_UNTIL, min(now_ns, cell_at(run + at.RUN_UNTIL)))


def may_trade(run: int, desk: int) -> bool:
    """Whether a desk may send anything."""
    return cell_at(run + at.RUN_STOPPING) == 0 and cell_at(desk + at.DESK_STATE) != at.HALTED


def place(orders: int, side: int, price: int, lots: int, kind: int, tif: int) -> int:
    """Asks for an order.

    Args:
        orders: Address of the desk's OrdersRecord.
        side: +1 buy, -1 sell.
        price: Limit price in ticks.
        lots: Quantity in lots.
        kind: An :class:`~bloor.model.orders.OrderType`.
        tif: A :class:`~bloor.model.orders.TimeInForce`.

    Returns:
        Its number; 0 when it was denied.
    """
    desk = cell_at(orders + at.ORDERS_DESK)
    lane = cell_at(desk + at.DESK_LANE)
    run = cell_at(lane + at.RUN)
    most = cell_at(desk + at.DESK_MOST)
    if lots > most or lots < -most:
        fault(lane, at.FAULT_QUANTITY)
        return 0
    if not may_trade(run, desk) or gate(run, desk, side, price, lots, kind, tif) != 0:
        return 0
    slot = new_order(run, desk, side, price, lots, kind, tif)
    if slot == 0:
        return 0
    decision(run, desk, PLACES, slot, 0, lots)
    ask(lane, cell_at(run + at.RUN_NOW), at.PLACE, slot)
    sent(run, lane)
    return cell_at(slot + at.SLOT_NUMBER)


def slot_of(desk: int, number: int) -> int:
    """Address of an open order of a desk; 0 when it has none of that number."""
    opened = cell_at(desk + at.DESK_OPEN)
    for i in range(cell_at(desk + at.DESK_OPEN_COUNT)):
        slot = cell_at(opened + 8 * i)
        if cell_at(slot + at.SLOT_NUMBER) == number:
            return slot
    return 0


def cancel_slot(run: int, desk: int, slot: int) -> int:
    """Asks to cancel an order; 0 when that is on its way already."""
    pending = cell_at(slot + at.SLOT_PENDING)
    if pending in (at.CANCEL, at.REPLACE):
        return 0
    lane = cell_at(desk + at.DESK_LANE)
    put_cell(slot + at.SLOT_PENDING, at.CANCEL)
    put_cell(slot + at.SLOT_TELL, 1)
    put_cell(desk + at.DESK_TELLS, cell_at(desk + at.DESK_TELLS) + 1)
    put_cell(desk + at.DESK_CANCELS, cell_at(desk + at.DESK_CANCELS) + 1)
    decision(run, desk, CANCELS, slot, 0, cell_at(slot + at.SLOT_LOTS))
    ask(lane, cell_at(run + at.RUN_NOW), at.CANCEL, slot)
    sent(run, lane)
    return 1


def cancel(orders: int, number: int, _first: int, _second: int) -> int:
    """Asks to cancel an open order of the desk; 1, or 0 when there is none or a cancel is on its way."""
    desk = cell_at(orders + at.ORDERS_DESK)
    slot = slot_of(desk, number)
    return cancel_slot(cell_at(cell_at(desk + at.DESK_LANE) + at.RUN), desk, slot) if slot != 0 else 0


def cancel_all(orders: int, _first: int, _second: int, _third: int) -> int:
    """Asks to cancel every open order of the desk, the oldest first; how many cancels were sent."""
    desk = cell_at(orders + at.ORDERS_DESK)
    opened, run = cell_at(desk + at.DESK_OPEN), cell_at(cell_at(desk + at.DESK_LANE) + at.RUN)
    done = 0
    for i in range(cell_at(desk + at.DESK_OPEN_COUNT)):
        done += cancel_slot(run, desk, cell_at(opened + 8 * i))
    return done


def changeable(desk: int, number: int) -> int:
    """Address of an open order that is known to be at the venue and has no request under way; else 0."""
    slot = slot_of(desk, number)
    if slot == 0 or cell_at(slot + at.SLOT_PENDING) != 0 or cell_at(slot + at.SLOT_STATUS) == PENDING_NEW:
        return 0
    return slot


def without(desk: int, slot: int) -> int:
    """Takes an order out of its desk's exposure, and gives what has to be put back."""
    exposure = cell_at(desk + at.DESK_EXPOSURE)
    reserved = exposure + (at.OPEN_BUY if cell_at(slot + at.SLOT_SIDE) > 0 else at.OPEN_SELL)
    units = cell_at(slot + at.SLOT_UNITS) - cell_at(slot + at.SLOT_FILLED)
    put_cell(reserved, cell_at(reserved) - units)
    put_cell(exposure + at.OPEN_ORDERS, cell_at(exposure + at.OPEN_ORDERS) - 1)
    return units


def put_back(desk: int, slot: int, units: int) -> None:
    """The inverse of :func:`without`."""
    exposure = cell_at(desk + at.DESK_EXPOSURE)
    reserved = exposure + (at.OPEN_BUY if cell_at(slot + at.SLOT_SIDE) > 0 else at.OPEN_SELL)
    put_cell(reserved, cell_at(reserved) + units)
    put_cell(exposure + at.OPEN_ORDERS, cell_at(exposure + at.OPEN_ORDERS) + 1)


def share(desk: int, old: int) -> None:
    """What an order and the one that replaces it reserve together is the larger of the two."""
    new = cell_at(old + at.SLOT_NEXT)
    exposure = cell_at(desk + at.DESK_EXPOSURE)
    reserved = exposure + (at.OPEN_BUY if cell_at(old + at.SLOT_SIDE) > 0 else at.OPEN_SELL)
    left = cell_at(old + at.SLOT_UNITS) - cell_at(old + at.SLOT_FILLED)
    less = min(left, cell_at(new + at.SLOT_UNITS) - cell_at(new + at.SLOT_FILLED))
    put_cell(reserved, cell_at(reserved) + cell_at(new + at.SLOT_SHARED) - less)
    put_cell(new + at.SLOT_SHARED, less)


def replace(orders: int, number: int, price: int, lots: int) -> int:
    """Asks for another order in the stead of one; its number, or 0 when nothing was sent."""
    desk = cell_at(orders + at.ORDERS_DESK)
    lane = cell_at(desk + at.DESK_LANE)
    run = cell_at(lane + at.RUN)
    old = changeable(desk, number)
    if old == 0 or not may_trade(run, desk):
        return 0
    side, kind, tif = cell_at(old + at.SLOT_SIDE), cell_at(old + at.SLOT_TYPE), cell_at(old + at.SLOT_TIF)
    joint = cell_at(old + at.SLOT_FILLED) == 0
    gone = without(desk, old) if joint else 0
    verdict = gate(run, desk, side, price, lots, kind, tif)
    if joint:
        put_back(desk, old, gone)
    if verdict != 0:
        return 0
    slot = new_order(run, desk, side, price, lots, kind, tif)
    if slot == 0:
        return 0
    put_cell(old + at.SLOT_PENDING, at.REPLACE)
    if joint:  # both together fill no more than the larger of them
        put_cell(old + at.SLOT_NEXT, slot)
        share(desk, old)
    decision(run, desk, REPLACES, slot, cell_at(old + at.SLOT_NUMBER), lots)
    asked = ask(lane, cell_at(run + at.RUN_NOW), at.REPLACE, old)
    put_cell(asked + at.MESSAGE_PRICE, slot)
    put_cell(asked + at.MESSAGE_UNITS, 1 if joint else 0)
    sent(run, lane)
    return cell_at(slot + at.SLOT_NUMBER)


def amend(orders: int, number: int, lots: int, _unused: int) -> int:
    """Asks to reduce an order to ``lots``; 1, or 0 when nothing was sent."""
    desk = cell_at(orders + at.ORDERS_DESK)
    lane = cell_at(desk + at.DESK_LANE)
    run = cell_at(lane + at.RUN)
    slot = changeable(desk, number)
    if slot == 0 or not may_trade(run, desk):
        return 0
    units = lots * cell_at(desk + at.DESK_LOT_UNITS)
    if lots >= cell_at(slot + at.SLOT_LOTS) or units <= cell_at(slot + at.SLOT_FILLED):
        return 0
    side, kind, tif = cell_at(slot + at.SLOT_SIDE), cell_at(slot + at.SLOT_TYPE), cell_at(slot + at.SLOT_TIF)
    gone = without(desk, slot)
    verdict = gate(run, desk, side, cell_at(slot + at.SLOT_PRICE), lots, kind, tif)
    put_back(desk, slot, gone)
    if verdict != 0:
        return 0
    put_cell(slot + at.SLOT_PENDING, at.AMEND)
    decision(run, desk, AMENDS, slot, 0, lots)
    asked = ask(lane, cell_at(run + at.RUN_NOW), at.AMEND, slot)
    put_cell(asked + at.MESSAGE_UNITS, units)
    sent(run, lane)
    return 1
