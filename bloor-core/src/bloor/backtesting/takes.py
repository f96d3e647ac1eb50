"""What orders of ours took from the levels of others (kernels; hot path).

What was taken stays taken until the venue says another quantity of that level. Takes are found by their level's key, in
a table of open addressing that is half empty at least; one without a quantity is none.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.levels import key_of
from bloor.backtesting.messages import make_room
from bloor.market.ladder import far_slot
from bloor.native.memory import cell_at, put_cell

__all__ = ["note_take", "take_changed", "taken_at"]


def take_of(lane: int, key: int) -> int:
    """Address of the take from a level, or of where it belongs when there is none."""
    takes, mask = cell_at(lane + at.TAKEN), cell_at(lane + at.TAKEN_MASK)
    i = far_slot(key, mask)
    while True:
        take = takes + i * at.TAKE_BYTES
        if cell_at(take + at.TAKE_KEY) == key or cell_at(take + at.TAKE_QTY) == 0:
            return take
        i = (i + 1) & mask


def taken_at(lane: int, side: int, price: int) -> int:
    """How much of a level orders of ours have taken."""
    if cell_at(lane + at.TAKEN_COUNT) == 0:
        return 0
    return cell_at(take_of(lane, key_of(side, price)) + at.TAKE_QTY)


def note_take(lane: int, side: int, price: int, units: int) -> None:
    """An order of ours took from a level."""
    key = key_of(side, price)
    take = take_of(lane, key)
    before = cell_at(take + at.TAKE_QTY)
    if before == 0:
        count = cell_at(lane + at.TAKEN_COUNT) + 1
        if 2 * count > cell_at(lane + at.TAKEN_MASK):
            if not make_room(lane, at.ROOM_TAKES):
                return
            take = take_of(lane, key)
        put_cell(lane + at.TAKEN_COUNT, count)
        put_cell(take + at.TAKE_KEY, key)
    put_cell(take + at.TAKE_QTY, before + units)


def take_changed(lane: int, side: int, price: int) -> None:
    """The venue says another quantity of a level: what was taken is in it."""
    take = take_of(lane, key_of(side, price))
    if cell_at(take + at.TAKE_QTY) == 0:
        return
    put_cell(lane + at.TAKEN_COUNT, cell_at(lane + at.TAKEN_COUNT) - 1)
    takes, mask = cell_at(lane + at.TAKEN), cell_at(lane + at.TAKEN_MASK)
    gap = (take - takes) // at.TAKE_BYTES
    i = (gap + 1) & mask
    while cell_at(takes + i * at.TAKE_BYTES + at.TAKE_QTY) != 0:
        behind = takes + i * at.TAKE_BYTES
        key = cell_at(behind + at.TAKE_KEY)
        if (i - far_slot(key, mask)) & mask >= (i - gap) & mask:  # it was put off to here: the gap is nearer
            put_cell(takes + gap * at.TAKE_BYTES + at.TAKE_KEY, key)
            put_cell(takes + gap * at.TAKE_BYTES + at.TAKE_QTY, cell_at(behind + at.TAKE_QTY))
            gap = i
        i = (i + 1) & mask
    put_cell(takes + gap * at.TAKE_BYTES + at.TAKE_QTY, 0)
