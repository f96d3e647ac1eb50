"""Orders of ours that are part of the data: what a session's venue published contains them (kernels; hot path)."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.native.memory import cell_at, put_cell

__all__ = ["reaches_own", "see_own", "seen_at"]


def seen_at(lane: int, side: int, price: int) -> int:
    """How much of the quantity of a level, as the data have it, is that of orders of ours."""
    live, units = cell_at(lane + at.LIVE), 0
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        if cell_at(slot + at.SLOT_PRICE) == price and cell_at(slot + at.SLOT_SIDE) == side:
            units += cell_at(slot + at.SLOT_SEEN)
    return units


def see_own(lane: int, side: int, price: int) -> int:
    """The data tell the quantity of a level: what rests there of ours is in it; how much that is."""
    live, units = cell_at(lane + at.LIVE), 0
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        if cell_at(slot + at.SLOT_PRICE) == price and cell_at(slot + at.SLOT_SIDE) == side:
            put_cell(slot + at.SLOT_SEEN, cell_at(slot + at.SLOT_LEFT))
            units += cell_at(slot + at.SLOT_LEFT)
    return units


def reaches_own(lane: int, side: int, price: int, units: int) -> bool:
    """Whether so much, taken from a level, comes to an order of ours; what is ahead is the first of a queue's cells."""
    live = cell_at(lane + at.LIVE)
    for i in range(cell_at(lane + at.LIVE_COUNT)):
        slot = cell_at(live + 8 * i)
        if cell_at(slot + at.SLOT_PRICE) == price and cell_at(slot + at.SLOT_SIDE) == side:
            return cell_at(slot + at.SLOT_QUEUE) < units
    return False
