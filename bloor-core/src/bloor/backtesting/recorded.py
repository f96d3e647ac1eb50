"""Answers that a venue really gave, in place of simulated ones (kernels).

With them the same strategy, fed the same market, has to decide the same: that shows how a backtest handles orders,
apart from what it assumes of a venue.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import make_room, message
from bloor.native.memory import cell_at, put_cell

__all__ = ["recorded"]


def slot_of(lane: int, number: int) -> int:
    """Address of the open order of a number; 0 when there is none."""
    desks = cell_at(lane + at.DESKS)
    for i in range(cell_at(lane + at.DESK_COUNT)):
        desk = cell_at(desks + 8 * i)
        opened = cell_at(desk + at.DESK_OPEN)
        for k in range(cell_at(desk + at.DESK_OPEN_COUNT)):
            slot = cell_at(opened + 8 * k)
            if cell_at(slot + at.SLOT_NUMBER) == number:
                return slot
    return 0


def recorded(lane: int, limit: int, _reacts: int, _unused: int) -> int:
    """Hands on the answers that were received before a time; requests go nowhere. As ``advance``; DONE.

    What is decided on one may be what the next is about: those of one moment are handed on at a time. An answer about
    an order that was never placed is left out.
    """
    put_cell(lane + at.ASKED_HEAD, 0)
    put_cell(lane + at.ASKED_TAIL, 0)
    rows, count = cell_at(lane + at.RECORDED), cell_at(lane + at.RECORDED_COUNT)
    i = cell_at(lane + at.RECORDED_NEXT)
    while i < count:
        row = rows + i * at.RECORDED_BYTES
        ns = cell_at(row + at.RECORDED_NS)
        if ns >= limit:
            break
        i += 1
        slot = slot_of(lane, cell_at(row + at.RECORDED_NUMBER))
        if slot != 0:
            limit = ns + 1
            if cell_at(lane + at.TOLD_TAIL) >= cell_at(lane + at.TOLD_ROOM) and not make_room(lane, at.ROOM_TOLD):
                return at.FAILED
            told = message(lane, at.TOLD, at.TOLD_HEAD, at.TOLD_TAIL, ns)
            put_cell(told + at.MESSAGE_SLOT, slot)
            put_cell(told + at.MESSAGE_NUMBER, cell_at(row + at.RECORDED_NUMBER))
            put_cell(told + at.MESSAGE_KIND, cell_at(row + at.RECORDED_KIND))
            put_cell(told + at.MESSAGE_PRICE, cell_at(row + at.RECORDED_PRICE))
            put_cell(told + at.MESSAGE_UNITS, cell_at(row + at.RECORDED_UNITS))
            put_cell(told + at.MESSAGE_MAKER, cell_at(row + at.RECORDED_MAKER))
            put_cell(told + at.MESSAGE_LAST, cell_at(row + at.RECORDED_LAST))
            put_cell(told + at.MESSAGE_EXCH, cell_at(row + at.RECORDED_EXCH))
            put_cell(told + at.MESSAGE_FEE, 0)
            put_cell(told + at.MESSAGE_KEPT, cell_at(row + at.RECORDED_KEPT))
    put_cell(lane + at.RECORDED_NEXT, i)
    put_cell(lane + at.XNOW, max(limit, cell_at(lane + at.XNOW)))
    return at.DONE
