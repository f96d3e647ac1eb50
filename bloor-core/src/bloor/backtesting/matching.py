"""What the venue does with our orders (kernels; hot path): it accepts, cancels and amends them, and trades them.

Only one order of ours trades at a time against what others did; what it can trade is limited by that:

- a resting order trades when a trade reaches past everything that is ahead of it, by the queue model; several orders
  share what is left of the trade, the better price first, then the older;
- a resting order trades when the other side of the book offers more at a price that crosses its own, as far as it is
  more;
- an order that takes trades against the levels that are there, less what orders of ours took from them before: what was
  taken stays taken until the venue says another quantity of that level.

With ``PARTIAL`` 0 every trade fills an order whole, and an order that takes trades at the best price whatever its size:
the rules of other backtests, kept for comparisons.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.levels import find, key_of, level_units, next_level, units_at
from bloor.backtesting.messages import latency, message
from bloor.backtesting.models.fee_kernel import RECEIVED, fee
from bloor.backtesting.takes import note_take, taken_at
from bloor.backtesting.within import reaches_own, see_own, seen_at
from bloor.execution.life import Status
from bloor.market.events import NO_PRICE
from bloor.model.orders import OrderType, TimeInForce
from bloor.native.memory import call4, cell_at, put_cell

__all__ = ["accept", "crossed", "level_changed", "request", "traded"]

MARKET, POST_ONLY = int(OrderType.MARKET), int(OrderType.POST_ONLY)
GTC, FOK = int(TimeInForce.GTC), int(TimeInForce.FOK)
FREE_SLOT = 0
#: A price no level has.
FAR_ABOVE = 1 << 61

assert int(Status.PENDING_NEW) != FREE_SLOT


# ---- answers


def respond(lane: int, ns: int, slot: int, kind: int, price: int, units: int, maker: int, last: int) -> int:
    """Sends an answer of the venue, or a fill; address of the message."""
    received = ns + latency(lane, at.RESPONSE, at.RESPONSE_COUNT, at.RESPONSE_NEXT, at.RESPONSE_MOMENTS, ns)
    made = message(lane, at.TOLD, at.TOLD_HEAD, at.TOLD_TAIL, received)
    put_cell(made + at.MESSAGE_EXCH, ns)
    put_cell(made + at.MESSAGE_KIND, kind)
    put_cell(made + at.MESSAGE_SLOT, slot)
    put_cell(made + at.MESSAGE_NUMBER, cell_at(slot + at.SLOT_NUMBER))
    put_cell(made + at.MESSAGE_PRICE, price)
    put_cell(made + at.MESSAGE_UNITS, units)
    put_cell(made + at.MESSAGE_MAKER, maker)
    put_cell(made + at.MESSAGE_LAST, last)
    return made


# ---- what rests


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


# ---- what others do


def level_changed(lane: int, side: int, price: int, before: int, after: int) -> None:
    """The quantity at a price changed: orders of ours there may have moved up."""
    live = cell_at(lane + at.LIVE)
    if cell_at(lane + at.WITHIN) != 0:
        before = max(0, before - seen_at(lane, side, price))
        after = max(0, after - see_own(lane, side, price))
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        if cell_at(slot + at.SLOT_PRICE) == price and cell_at(slot + at.SLOT_SIDE) == side:
            call4(cell_at(lane + at.CHANGED), cell_at(lane + at.QUEUE), slot + at.SLOT_QUEUE, before, after)


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


def crossed(lane: int, ns: int, side: int, price: int, units: int) -> None:
    """Others offer more at a price that crosses orders of ours: these trade, as far as it is new.

    Args:
        lane: Address of the lane.
        ns: The venue's time.
        side: The side of the book that has more, +1 the bids.
        price: The price of the level.
        units: How much more is there.
    """
    if cell_at(lane + at.PARTIAL) == 0:
        crossed_whole(lane, ns, side, price)
        return
    left = units
    while left > 0:
        i = best_resting(lane, -side, price)
        if i < 0:
            break
        slot = cell_at(cell_at(lane + at.LIVE) + 8 * i)
        take = min(left, cell_at(slot + at.SLOT_LEFT))
        left -= take
        if fill(lane, ns, slot, cell_at(slot + at.SLOT_PRICE), take, 1) == 1:
            remove_at(lane, i)
    if left < units:  # what filled them is not there for an order of ours that takes
        note_take(lane, side, price, units - left)
    bounds(lane)


def crossed_whole(lane: int, ns: int, side: int, best: int) -> None:
    """As :func:`crossed`; every order fills whole."""
    live = cell_at(lane + at.LIVE)
    i = 0
    while i < cell_at(lane + at.LIVE_COUNT):
        slot = cell_at(live + 8 * i)
        price = cell_at(slot + at.SLOT_PRICE)
        if cell_at(slot + at.SLOT_SIDE) == -side and (best - price) * side >= 0:
            fill(lane, ns, slot, price, cell_at(slot + at.SLOT_LEFT), 1)
            remove_at(lane, i)
        else:
            i += 1
    bounds(lane)


def traded(lane: int, ns: int, side: int, price: int, units: int) -> None:
    """Others traded at a price; orders of ours may have been part of it.

    Args:
        lane: Address of the lane.
        ns: The venue's time.
        side: The taker's, +1 bought.
        price: In ticks.
        units: How much.
    """
    if cell_at(lane + at.PARTIAL) == 0:
        traded_whole(lane, ns, side, price, units)
        return
    left = units
    while left > 0:  # prices that the taker passed: everything there would have traded first
        i = best_resting(lane, -side, price - side)
        if i < 0:
            break
        slot = cell_at(cell_at(lane + at.LIVE) + 8 * i)
        take = min(left, cell_at(slot + at.SLOT_LEFT))
        left -= take
        if fill(lane, ns, slot, cell_at(slot + at.SLOT_PRICE), take, 1) == 1:
            remove_at(lane, i)
    live = cell_at(lane + at.LIVE)
    used = units - left
    i = 0
    while i < cell_at(lane + at.LIVE_COUNT):
        slot = cell_at(live + 8 * i)
        done = 0
        if cell_at(slot + at.SLOT_SIDE) == -side and cell_at(slot + at.SLOT_PRICE) == price:
            order = cell_at(lane + at.ORDER)
            past = call4(cell_at(lane + at.TRADED), cell_at(lane + at.QUEUE), slot + at.SLOT_QUEUE, units, order)
            take = min(past - used, cell_at(slot + at.SLOT_LEFT))
            if take > 0:
                used += take
                done = fill(lane, ns, slot, price, take, 1)
        if done == 1:
            remove_at(lane, i)
        else:
            i += 1
    bounds(lane)


def traded_whole(lane: int, ns: int, side: int, price: int, units: int) -> None:
    """As :func:`traded`; an order that is reached fills whole, and orders do not share."""
    live = cell_at(lane + at.LIVE)
    i = 0
    while i < cell_at(lane + at.LIVE_COUNT):
        slot = cell_at(live + 8 * i)
        own = cell_at(slot + at.SLOT_PRICE)
        reached = False
        if cell_at(slot + at.SLOT_SIDE) == -side:
            if (price - own) * side > 0:
                reached = True
            elif own == price:
                queue, order = slot + at.SLOT_QUEUE, cell_at(lane + at.ORDER)
                reached = call4(cell_at(lane + at.TRADED), cell_at(lane + at.QUEUE), queue, units, order) > 0
        if reached:
            fill(lane, ns, slot, own, cell_at(slot + at.SLOT_LEFT), 1)
            remove_at(lane, i)
        else:
            i += 1
    bounds(lane)


# ---- requests


def filtered(lane: int, slot: int) -> bool:
    """Whether the venue's rules refuse an order."""
    units, price = cell_at(slot + at.SLOT_UNITS), cell_at(slot + at.SLOT_PRICE)
    if units <= 0 or units < cell_at(lane + at.MIN_UNITS) or price <= 0:
        return True
    most, least = cell_at(lane + at.MAX_UNITS), cell_at(lane + at.MIN_VALUE)
    if (most > 0 and units > most) or (least > 0 and price * units < least):
        return True
    sells = cell_at(slot + at.SLOT_SIDE) < 0
    return sells and cell_at(lane + at.OVERSELL) == 0 and units > sellable(lane)


def sellable(lane: int) -> int:
    """What the account holds, less what its resting orders sell."""
    units, live = cell_at(lane + at.HELD), cell_at(lane + at.LIVE)
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        if cell_at(slot + at.SLOT_SIDE) < 0:
            units -= cell_at(slot + at.SLOT_LEFT)
    return units


def accept(lane: int, ns: int, slot: int) -> None:
    """An order has arrived."""
    side, price = cell_at(slot + at.SLOT_SIDE), cell_at(slot + at.SLOT_PRICE)
    best = cell_at(lane + at.XASK) if side > 0 else cell_at(lane + at.XBID)
    kind, tif = cell_at(slot + at.SLOT_TYPE), cell_at(slot + at.SLOT_TIF)
    if filtered(lane, slot):
        respond(lane, ns, slot, at.REJECTED, 0, 0, 0, 1)
        return
    if kind == MARKET:
        price = FAR_ABOVE if side > 0 else 0
    crosses = best != NO_PRICE and (price - best) * side >= 0
    if cell_at(lane + at.PARTIAL) == 0:
        accept_whole(lane, ns, slot, crosses, best)
        return
    if kind == POST_ONLY and (crosses or best_resting(lane, -side, price) >= 0):
        respond(lane, ns, slot, at.REJECTED, 0, 0, 0, 1)
        return
    if tif == FOK and reachable(lane, side, price, best if crosses else NO_PRICE) < cell_at(slot + at.SLOT_LEFT):
        respond(lane, ns, slot, at.EXPIRED, 0, 0, 0, 1)
        return
    respond(lane, ns, slot, at.ACKED, 0, 0, 0, 0)
    if take_levels(lane, ns, slot, side, price, best if crosses else NO_PRICE) == 1:
        return
    if tif != GTC or kind == MARKET:
        respond(lane, ns, slot, at.EXPIRED, 0, 0, 0, 1)
        return
    join(lane, slot)


def join(lane: int, slot: int) -> None:
    """An order begins to rest."""
    side, price = cell_at(slot + at.SLOT_SIDE), cell_at(slot + at.SLOT_PRICE)
    units = units_at(lane, side, price)
    put_cell(slot + at.SLOT_SEEN, 0)
    if cell_at(lane + at.WITHIN) != 0:
        units = max(0, units - seen_at(lane, side, price))
    for cell in range(0, 32, 8):
        put_cell(slot + at.SLOT_QUEUE + cell, 0)
    newest = cell_at(lane + at.NEWEST_ORDER)
    call4(cell_at(lane + at.PLACED), cell_at(lane + at.QUEUE), slot + at.SLOT_QUEUE, units, newest)
    rest(lane, slot)


def accept_whole(lane: int, ns: int, slot: int, crosses: bool, best: int) -> None:
    """As :func:`accept`; an order that takes fills whole at the best price."""
    if crosses and cell_at(slot + at.SLOT_TYPE) == POST_ONLY:
        respond(lane, ns, slot, at.REJECTED, 0, 0, 0, 1)
        return
    respond(lane, ns, slot, at.ACKED, 0, 0, 0, 0)
    if crosses:
        fill(lane, ns, slot, best, cell_at(slot + at.SLOT_LEFT), 0)
    elif cell_at(slot + at.SLOT_TIF) != GTC or cell_at(slot + at.SLOT_TYPE) == MARKET:
        respond(lane, ns, slot, at.EXPIRED, 0, 0, 0, 1)
    else:
        join(lane, slot)


def level_of(lane: int, side: int, price: int) -> int:
    """Address of a level; 0 when there is none."""
    return find(cell_at(lane + at.HASH), cell_at(lane + at.HASH_MASK), cell_at(lane + at.LEVELS), key_of(side, price))


def reachable(lane: int, side: int, limit: int, best: int) -> int:
    """How much an order could take, up to its limit."""
    units = 0
    level = level_of(lane, -side, best) if best != NO_PRICE else 0
    while level != 0:
        price = cell_at(level + at.LEVEL_KEY) >> 1
        if (limit - price) * side < 0:
            break
        units += max(0, level_units(lane, level) - taken_at(lane, -side, price))
        level = next_level(lane, level)
    return units


def take_levels(lane: int, ns: int, slot: int, side: int, limit: int, best: int) -> int:
    """Trades an order against the book; 1 when it is over.

    Args:
        lane: Address of the lane.
        ns: The venue's time.
        slot: Address of the order.
        side: Its side.
        limit: Its limit in ticks.
        best: The other side's best price where it crosses, else NO_PRICE.
    """
    level = level_of(lane, -side, best) if best != NO_PRICE else 0
    while True:
        price = cell_at(level + at.LEVEL_KEY) >> 1 if level != 0 else limit
        in_reach = level != 0 and (limit - price) * side >= 0
        met = price - side if in_reach else limit  # at the same price, orders of ours trade last
        if (
            in_reach
            and cell_at(lane + at.WITHIN) != 0
            and reaches_own(lane, -side, price, cell_at(slot + at.SLOT_LEFT))
        ):
            met = price
        own = best_resting(lane, -side, met)
        while own >= 0 and cell_at(lane + at.SELF_TRADE) != at.STP_NONE:
            if meet_own(lane, ns, slot, own) == 1:
                return 1
            own = best_resting(lane, -side, met)
        if not in_reach:
            return 0
        units = level_units(lane, level) - taken_at(lane, -side, price)
        if cell_at(lane + at.WITHIN) != 0:
            units -= seen_at(lane, -side, price)
        take = min(units, cell_at(slot + at.SLOT_LEFT))
        if take > 0:
            note_take(lane, -side, price, take)
            if fill(lane, ns, slot, price, take, 0) == 1:
                return 1
        level = next_level(lane, level)


def meet_own(lane: int, ns: int, slot: int, i: int) -> int:
    """An order would trade with one of ours, the i-th that rests: one of them, or both, end; 1 when the taker does."""
    mode = cell_at(lane + at.SELF_TRADE)
    if mode != at.STP_TAKER:
        other = cell_at(cell_at(lane + at.LIVE) + 8 * i)
        remove_at(lane, i)
        bounds(lane)
        respond(lane, ns, other, at.EXPIRED, 0, 0, 0, 1)
    if mode != at.STP_MAKER:
        respond(lane, ns, slot, at.EXPIRED, 0, 0, 0, 1)
        return 1
    return 0


def request(lane: int, asked: int) -> None:
    """Does what a message asks for."""
    ns, slot, kind = cell_at(asked + at.MESSAGE_NS), cell_at(asked + at.MESSAGE_SLOT), cell_at(asked + at.MESSAGE_KIND)
    if kind == at.PLACE:
        accept(lane, ns, slot)
        return
    known = cell_at(slot + at.SLOT_NUMBER) == cell_at(asked + at.MESSAGE_NUMBER)
    rests = known and cell_at(slot + at.SLOT_RESTS) == 1
    if kind == at.CANCEL:
        if rests:
            remove(lane, slot)
            respond(lane, ns, slot, at.CANCELLED, 0, 0, 0, 1)
        elif known:
            respond(lane, ns, slot, at.REFUSED, 0, 0, 0, 0)
    elif kind == at.AMEND:
        units = cell_at(asked + at.MESSAGE_UNITS)
        filled = cell_at(slot + at.SLOT_TRADED)
        if rests and units > filled:
            put_cell(slot + at.SLOT_LEFT, units - filled)
            respond(lane, ns, slot, at.AMENDED, 0, units, 0, 0)
        elif known:
            respond(lane, ns, slot, at.REFUSED, 0, 0, 0, 0)
    else:
        replaced(lane, ns, slot, rests, known, asked)


def replaced(lane: int, ns: int, slot: int, rests: bool, known: bool, asked: int) -> None:
    """One order for another: the new one is placed only if the old one is cancelled, and has not traded if so asked."""
    new, only_unfilled = cell_at(asked + at.MESSAGE_PRICE), cell_at(asked + at.MESSAGE_UNITS)
    untouched = cell_at(slot + at.SLOT_TRADED) == 0
    if rests and (only_unfilled == 0 or untouched):
        remove(lane, slot)
        respond(lane, ns, slot, at.CANCELLED, 0, 0, 0, 1)
        accept(lane, ns, new)
        return
    if known:
        respond(lane, ns, slot, at.REFUSED, 0, 0, 0, 0)
    respond(lane, ns, new, at.REJECTED, 0, 0, 0, 1)
