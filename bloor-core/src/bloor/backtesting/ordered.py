"""The venue's rows where each says whose order it is of: for queue models that ask for it (kernels; hot path).

These stand in for :mod:`bloor.backtesting.visiting` in lanes of such models, so that no other lane pays for it.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import crowded, message_at
from bloor.backtesting.visiting import note_best, visit_rows
from bloor.native.memory import call4, cell_at, put_cell

__all__ = ["note_newest", "visit_orders"]


def note_newest(lane: int) -> None:
    """As :func:`~bloor.backtesting.visiting.note_best`, and which order joined last."""
    note_best(lane)
    orders = cell_at(lane + at.ORDERS)
    if orders != 0:  # the first rows are there
        pair = orders + cell_at(lane + at.XI) * at.ORDER_BYTES
        put_cell(lane + at.NEWEST_ORDER, cell_at(pair + at.ORDER_NEWEST))


def visit_orders(lane: int, xi: int, count: int, limit: int, reacts: int) -> int:
    """As :func:`~bloor.backtesting.visiting.visit_rows`."""
    orders, rows = cell_at(lane + at.ORDERS), cell_at(lane + at.VENUE_ROWS)
    told = cell_at(lane + at.TOLD_TAIL)
    while xi < count and cell_at(rows + xi * at.ROW_BYTES + at.ROW_NS) <= limit:
        order, before = cell_at(orders + (xi + 1) * at.ORDER_BYTES + at.ORDER_OF), cell_at(lane + at.TOLD_TAIL)
        put_cell(lane + at.ORDER, order)
        order_visited(lane, rows + xi * at.ROW_BYTES, order)
        visit_rows(lane, xi, xi + 1, limit, reacts)
        xi += 1
        if cell_at(lane + at.TOLD_TAIL) != before:
            join_fills(lane, before)
            if reacts != 0 and cell_at(lane + at.TOLD_TAIL) != told:
                break
            if cell_at(lane + at.LIVE_COUNT) == 0 or crowded(lane):
                break
    return xi


def order_visited(lane: int, row: int, order: int) -> None:
    """Tells the queue model of a level's change."""
    what = cell_at(row + at.ROW_WHAT)
    price, code = what >> at.CODE_BITS, what & at.CODE_MASK
    if code > at.ASK_LEVEL:
        return
    side = 1 if code == at.BID_LEVEL else -1
    live, units = cell_at(lane + at.LIVE), cell_at(row + at.ROW_QTY) - cell_at(row + at.ROW_BEFORE)
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        if cell_at(slot + at.SLOT_PRICE) == price and cell_at(slot + at.SLOT_SIDE) == side:
            call4(cell_at(lane + at.ORDER_CHANGED), cell_at(lane + at.QUEUE), slot + at.SLOT_QUEUE, units, order)


def join_fills(lane: int, before: int) -> None:
    """Makes one of the newest fills of each order and an earlier one of its at the same time: it was one taker.

    Args:
        lane: Address of the lane.
        before: The place behind the answers that were there before the newest.
    """
    kept = before
    for place in range(before, cell_at(lane + at.TOLD_TAIL)):
        made, first = told_at(lane, place), cell_at(lane + at.TOLD_HEAD)
        earlier = kept - 1
        while earlier >= first and not same_fill(told_at(lane, earlier), made):
            earlier -= 1
        if earlier >= first:
            into = told_at(lane, earlier)
            for cell in (at.MESSAGE_UNITS, at.MESSAGE_FEE, at.MESSAGE_KEPT):
                put_cell(into + cell, cell_at(into + cell) + cell_at(made + cell))
            put_cell(into + at.MESSAGE_LAST, cell_at(made + at.MESSAGE_LAST))
        else:
            into = told_at(lane, kept)
            for cell in range(0, at.MESSAGE_BYTES, 8):
                put_cell(into + cell, cell_at(made + cell))
            kept += 1
    put_cell(lane + at.TOLD_TAIL, kept)


def told_at(lane: int, place: int) -> int:
    """Address of an answer."""
    return message_at(lane, at.TOLD, place)


def same_fill(one: int, other: int) -> bool:
    """Whether two answers are fills of one resting order at one time."""
    if cell_at(one + at.MESSAGE_KIND) != at.FILLED or cell_at(other + at.MESSAGE_KIND) != at.FILLED:
        return False
    same = cell_at(one + at.MESSAGE_SLOT) == cell_at(other + at.MESSAGE_SLOT)
    same = same and cell_at(one + at.MESSAGE_NUMBER) == cell_at(other + at.MESSAGE_NUMBER)
    same = same and cell_at(one + at.MESSAGE_EXCH) == cell_at(other + at.MESSAGE_EXCH)
    return same and cell_at(one + at.MESSAGE_MAKER) == 1 and cell_at(other + at.MESSAGE_MAKER) == 1
