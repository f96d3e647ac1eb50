"""What others do at the venue, met by orders of ours that rest there (kernels; hot path).

Only one order of ours trades at a time against what others did; what it can trade is limited by that:

- a resting order trades when a trade reaches past everything that is ahead of it, by the queue model; several orders
  share what is left of the trade, the better price first, then the older;
- a resting order trades when the other side of the book offers more at a price that crosses its own, as far as it is
  more.

With ``PARTIAL`` 0 every trade fills an order whole: the rules of other backtests, kept for comparisons. Orders of ours
that take are in :mod:`bloor.backtesting.arriving`.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.resting import best_resting, bounds, fill, remove_at
from bloor.backtesting.takes import note_take
from bloor.backtesting.within import see_own, seen_at
from bloor.native.memory import call4, cell_at

__all__ = ["crossed", "level_changed", "traded"]


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
