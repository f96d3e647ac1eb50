"""What orders of ours took from the levels of others (kernels; hot path).

What was taken stays taken until the venue says another quantity of that level.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import fault
from bloor.native.memory import cell_at, put_cell

__all__ = ["note_take", "take_changed", "taken_at"]


def taken_at(lane: int, side: int, price: int) -> int:
    """How much of a level orders of ours have taken."""
    takes = cell_at(lane + at.TAKEN)
    for i in range(cell_at(lane + at.TAKEN_COUNT)):
        take = takes + i * at.TAKE_BYTES
        if cell_at(take + at.TAKE_PRICE) == price and cell_at(take + at.TAKE_SIDE) == side:
            return cell_at(take + at.TAKE_QTY)
    return 0


def note_take(lane: int, side: int, price: int, units: int) -> None:
    """An order of ours took from a level."""
    takes, count = cell_at(lane + at.TAKEN), cell_at(lane + at.TAKEN_COUNT)
    for i in range(count):
        take = takes + i * at.TAKE_BYTES
        if cell_at(take + at.TAKE_PRICE) == price and cell_at(take + at.TAKE_SIDE) == side:
            put_cell(take + at.TAKE_QTY, cell_at(take + at.TAKE_QTY) + units)
            return
    if count >= at.TAKES:
        fault(lane, at.FAULT_TAKES)
        return
    take = takes + count * at.TAKE_BYTES
    put_cell(take + at.TAKE_PRICE, price)
    put_cell(take + at.TAKE_SIDE, side)
    put_cell(take + at.TAKE_QTY, units)
    put_cell(lane + at.TAKEN_COUNT, count + 1)


def take_changed(lane: int, side: int, price: int) -> None:
    """The venue says another quantity of a level: what was taken is in it."""
    takes = cell_at(lane + at.TAKEN)
    for i in range(cell_at(lane + at.TAKEN_COUNT)):
        take = takes + i * at.TAKE_BYTES
        if cell_at(take + at.TAKE_PRICE) == price and cell_at(take + at.TAKE_SIDE) == side:
            last = cell_at(lane + at.TAKEN_COUNT) - 1
            put_cell(lane + at.TAKEN_COUNT, last)
            for cell in range(0, at.TAKE_BYTES, 8):
                put_cell(take + cell, cell_at(takes + last * at.TAKE_BYTES + cell))
            return
