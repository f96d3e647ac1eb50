"""Orders of ours that rest at the venue, what they trade, and the answers about them (kernels; hot path)."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import latency, message, overtaking
from bloor.backtesting.models.fee_kernel import RECEIVED, fee
from bloor.execution.life import Status
from bloor.native.memory import cell_at, put_cell

__all__ = ["FAR_ABOVE", "best_resting", "bounds", "fill", "remove", "remove_at", "respond", "rest"]

FREE_SLOT = 0
#: A price no level has.
FAR_ABOVE = 1 << 61

assert int(Status.PENDING_NEW) != FREE_SLOT


def respond(lane: int, ns: int, slot: int, kind: int, price: int, units: int, maker: int, last: int) -> int:
    """Sends an answer of the venue, or a fill; address of the message."""
    received = ns + latency(lane, at.RESPONSE, at.RESPONSE_COUNT, at.RESPONSE_NEXT, at.RESPONSE_MOMENTS, ns)
    made = message(lane, at.TOLD, at.TOLD_HEAD, at.TOLD_TAIL, received)
    if cell_at(made + at.MESSAGE_NS) != received and cell_at(lane + at.RESPONSE_MOMENTS) != 0:
        made = overtaking(lane, at.TOLD, at.TOLD_HEAD, at.TOLD_TAIL, received, cell_at(slot + at.SLOT_NUMBER))
    put_cell(made + at.MESSAGE_EXCH, ns)
    put_cell(made + at.MESSAGE_KIND, kind)
    put_cell(made + at.MESSAGE_SLOT, slot)
    put_cell(made + at.MESSAGE_NUMBER, cell_at(slot + at.SLOT_NUMBER))
    put_cell(made + at.MESSAGE_PRICE, price)
    put_cell(made + at.MESSAGE_UNITS, units)
    put_cell(made + at.MESSAGE_MAKER, maker)
    put_cell(made + at.MESSAGE_LAST, last)
    return made


def bounds(lane: int) -> None:
    """Notes between which prices orders of ours rest."""
    low_bid = low_ask = FAR_ABOVE
    high_bid = high_ask = -FAR_ABOVE
    live = cell_at(lane + at.LIVE)
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        price = cell_at(slot + at.SLOT_PRICE)
        if cell_at(slot + at.SLOT_SIDE) > 0:
            low_bid, high_bid = min(low_bid, price), max(high_bid, price)
        else:
            low_ask, high_ask = min(low_ask, price), max(high_ask, price)
    put_cell(lane + at.LOW_BID, low_bid)
    put_cell(lane + at.HIGH_BID, high_bid)
    put_cell(lane + at.LOW_ASK, low_ask)
    put_cell(lane + at.HIGH_ASK, high_ask)


def rest(lane: int, slot: int) -> None:
    """An order joins the queue at its price."""
    count = cell_at(lane + at.LIVE_COUNT)
    put_cell(cell_at(lane + at.LIVE) + 8 * count, slot)
    put_cell(lane + at.LIVE_COUNT, count + 1)
    put_cell(slot + at.SLOT_RESTS, 1)
    price = cell_at(slot + at.SLOT_PRICE)
    if cell_at(slot + at.SLOT_SIDE) > 0:
        put_cell(lane + at.LOW_BID, min(price, cell_at(lane + at.LOW_BID)))
        put_cell(lane + at.HIGH_BID, max(price, cell_at(lane + at.HIGH_BID)))
    else:
        put_cell(lane + at.LOW_ASK, min(price, cell_at(lane + at.LOW_ASK)))
        put_cell(lane + at.HIGH_ASK, max(price, cell_at(lane + at.HIGH_ASK)))


def remove_at(lane: int, i: int) -> None:
    """The i-th resting order rests no more."""
    live, count = cell_at(lane + at.LIVE), cell_at(lane + at.LIVE_COUNT) - 1
    put_cell(cell_at(live + 8 * i) + at.SLOT_RESTS, 0)
    for k in range(i, count):
        put_cell(live + 8 * k, cell_at(live + 8 * (k + 1)))
    put_cell(lane + at.LIVE_COUNT, count)


def remove(lane: int, slot: int) -> None:
    """An order rests no more."""
    live = cell_at(lane + at.LIVE)
    i = 0
    while cell_at(live + 8 * i) != slot:
        i += 1
    remove_at(lane, i)
    bounds(lane)


def fill(lane: int, ns: int, slot: int, price: int, units: int, maker: int) -> int:
    """An order trades; 1 when it is done."""
    left = cell_at(slot + at.SLOT_LEFT) - units
    put_cell(slot + at.SLOT_LEFT, left)
    put_cell(slot + at.SLOT_TRADED, cell_at(slot + at.SLOT_TRADED) + units)
    side = cell_at(slot + at.SLOT_SIDE)
    charged = kept = 0
    fees = cell_at(lane + at.FEES)
    if fees != 0:
        charged = fee(fees, side, price, units, maker)
        if side > 0 and charged > 0 and cell_at(fees + 8 * RECEIVED) != 0:
            atoms = cell_at(lane + at.ATOMS)
            kept = (charged + atoms - 1) // atoms
    put_cell(lane + at.HELD, cell_at(lane + at.HELD) + side * units - kept)
    done = 1 if left <= 0 else 0
    told = respond(lane, ns, slot, at.FILLED, price, units, maker, done)
    put_cell(told + at.MESSAGE_FEE, charged)
    put_cell(told + at.MESSAGE_KEPT, kept)
    return done


def best_resting(lane: int, side: int, limit: int) -> int:
    """Index of the order of ours on a side that trades first at ``limit`` or better; -1 of none."""
    live, best, found = cell_at(lane + at.LIVE), 0, -1
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        if cell_at(slot + at.SLOT_SIDE) == side:
            price = cell_at(slot + at.SLOT_PRICE)
            if (price - limit) * side >= 0 and (found < 0 or (price - best) * side > 0):
                best, found = price, i
    return found
