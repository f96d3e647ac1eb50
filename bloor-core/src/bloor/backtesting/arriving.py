"""Requests as they arrive at the venue (kernels; hot path): it accepts, cancels and amends orders of ours.

An order that takes trades against the levels that are there, less what orders of ours took from them before: what was
taken stays taken until the venue says another quantity of that level. At the same price, orders of ours come last; what
happens where it would trade with one of them is the lane's ``SELF_TRADE``:

- ``STP_TAKER``, ``STP_MAKER``, ``STP_BOTH``: the order that takes ends, the one that rests, or both;
- ``STP_DECREMENT``: both lose what they would have traded with each other. The smaller ends, the larger goes on with
  what is left of it and keeps its place, and both end when they are equal (Binance Spot API, "Self Trade Prevention
  FAQ", DECREMENT; Coinbase Exchange, "Matching Engine", Decrement & cancel);
- ``STP_NONE``: they pass each other.

With ``PARTIAL`` 0 an order that takes trades at the best price whatever its size, as in other backtests.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.levels import find, key_of, level_units, next_level, units_at
from bloor.backtesting.resting import FAR_ABOVE, best_resting, bounds, fill, remove, remove_at, respond, rest
from bloor.backtesting.takes import note_take, taken_at
from bloor.backtesting.within import reaches_own, seen_at
from bloor.market.events import NO_PRICE
from bloor.model.orders import OrderType, TimeInForce
from bloor.native.memory import call4, cell_at, product_above, put_cell

__all__ = ["accept", "request"]

MARKET, POST_ONLY = int(OrderType.MARKET), int(OrderType.POST_ONLY)
GTC, FOK = int(TimeInForce.GTC), int(TimeInForce.FOK)


def filtered(lane: int, slot: int) -> bool:
    """Whether the venue's rules refuse an order."""
    units, price = cell_at(slot + at.SLOT_UNITS), cell_at(slot + at.SLOT_PRICE)
    if units <= 0 or units < cell_at(lane + at.MIN_UNITS) or price <= 0:
        return True
    most, least = cell_at(lane + at.MAX_UNITS), cell_at(lane + at.MIN_VALUE)
    if (most > 0 and units > most) or (least > 0 and not product_above(price, units, 1, 0, least - 1)):
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
    """How much an order could take, up to its limit, and before one of ours would end it or take some off it."""
    units = 0
    if cell_at(lane + at.SELF_TRADE) not in (at.STP_NONE, at.STP_MAKER):
        own = best_resting(lane, -side, limit)
        if own >= 0:
            limit = cell_at(cell_at(cell_at(lane + at.LIVE) + 8 * own) + at.SLOT_PRICE)
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
    if mode == at.STP_DECREMENT:
        other = cell_at(cell_at(lane + at.LIVE) + 8 * i)
        units = min(cell_at(other + at.SLOT_LEFT), cell_at(slot + at.SLOT_LEFT))
        if take_off(lane, ns, other, units) == 1:
            remove_at(lane, i)
            bounds(lane)
        return take_off(lane, ns, slot, units)
    if mode != at.STP_TAKER:
        other = cell_at(cell_at(lane + at.LIVE) + 8 * i)
        remove_at(lane, i)
        bounds(lane)
        respond(lane, ns, other, at.EXPIRED, 0, 0, 0, 1)
    if mode != at.STP_MAKER:
        respond(lane, ns, slot, at.EXPIRED, 0, 0, 0, 1)
        return 1
    return 0


def take_off(lane: int, ns: int, slot: int, units: int) -> int:
    """An order loses units without a trade; 1 when that was all that was left of it, and it ends."""
    left = cell_at(slot + at.SLOT_LEFT) - units
    put_cell(slot + at.SLOT_LEFT, left)
    if left > 0:
        respond(lane, ns, slot, at.REDUCED, 0, cell_at(slot + at.SLOT_TRADED) + left, 0, 0)
        return 0
    respond(lane, ns, slot, at.EXPIRED, 0, 0, 0, 1)
    return 1


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
        if rests and filled < units < filled + cell_at(slot + at.SLOT_LEFT):
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
