"""Levels of the venue's book in one window of its rows (kernels; hot path).

Each level of the window has an id, found by its key in an open-addressing table, and its changes lie side by side: the
quantity at a moment is that of the last of them before it. A level remembers where it was looked at last, and moments
only advance, so a question costs a few steps.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.market.ladder import far_slot
from bloor.native.memory import cell_at, put_cell

__all__ = ["find", "insert", "key_of", "level_units", "next_level", "units_at"]


def key_of(side: int, price: int) -> int:
    """What a level is found by; side +1 bids, -1 asks."""
    return price * 2 + (1 if side > 0 else 0)


def find(table: int, mask: int, levels: int, key: int) -> int:
    """Address of a level; 0 when there is none.

    Args:
        table: Address of the slots, each 0 or a level's id + 1.
        mask: How many slots there are, less one.
        levels: Address of the levels.
        key: See :func:`key_of`.
    """
    i = far_slot(key, mask)
    while True:
        found = cell_at(table + 8 * i)
        if found == 0:
            return 0
        level = levels + (found - 1) * at.LEVEL_BYTES
        if cell_at(level + at.LEVEL_KEY) == key:
            return level
        i = (i + 1) & mask


def insert(table: int, mask: int, levels: int, count: int, key: int, units: int) -> int:
    """Adds a level that is not there yet; its address.

    Args:
        table: As in :func:`find`; less than full.
        mask: See there.
        levels: See there.
        count: How many levels there are: the id of the new one.
        key: Its key.
        units: Its quantity when the window begins.
    """
    i = far_slot(key, mask)
    while cell_at(table + 8 * i) != 0:
        i = (i + 1) & mask
    put_cell(table + 8 * i, count + 1)
    level = levels + count * at.LEVEL_BYTES
    put_cell(level + at.LEVEL_KEY, key)
    put_cell(level + at.LEVEL_CHANGES, 0)
    put_cell(level + at.LEVEL_AT, -1)
    put_cell(level + at.LEVEL_START, units)
    put_cell(level + at.LEVEL_RANK, -1)
    put_cell(level + at.LEVEL_UNITS, units)
    put_cell(level + at.LEVEL_CHANGED, 0)
    put_cell(level + at.LEVEL_NAMED, 0)
    return level


def level_units(lane: int, level: int) -> int:
    """The venue's quantity at a level now, in units."""
    now, changes = cell_at(lane + at.XI), cell_at(level + at.LEVEL_CHANGES)
    count, last = cell_at(level + at.LEVEL_CHANGED), cell_at(level + at.LEVEL_AT)
    if last >= 0 and changed_row(changes, last) >= now:  # a backtest before this one looked at it
        last = -1
    step = 1
    while last + step < count and changed_row(changes, last + step) < now:
        last += step
        step *= 2
    # the change in force is ``last``, or lies between it and the one that was too late
    high = min(count, last + step)
    while high - last > 1:
        middle = (last + high) >> 1
        if changed_row(changes, middle) < now:
            last = middle
        else:
            high = middle
    put_cell(level + at.LEVEL_AT, last)
    if last < 0:
        return cell_at(level + at.LEVEL_START)
    return cell_at(changes + last * at.CHANGE_BYTES + at.CHANGE_QTY)


def changed_row(changes: int, i: int) -> int:
    """The row of a change."""
    return cell_at(changes + i * at.CHANGE_BYTES + at.CHANGE_ROW)


def units_at(lane: int, side: int, price: int) -> int:
    """The venue's quantity at a price now, in units; 0 when there is no level."""
    if price == cell_at(lane + (at.XBID if side > 0 else at.XASK)):
        return cell_at(lane + (at.XBID_QTY if side > 0 else at.XASK_QTY))
    key, found = key_of(side, price), lane + (at.FOUND_BID if side > 0 else at.FOUND_ASK)
    if cell_at(found) == key:
        return level_units(lane, cell_at(found + 8))
    level = find(cell_at(lane + at.HASH), cell_at(lane + at.HASH_MASK), cell_at(lane + at.LEVELS), key)
    if level == 0:
        return 0
    put_cell(found, key)
    put_cell(found + 8, level)
    return level_units(lane, level)


def next_level(lane: int, level: int) -> int:
    """Address of the level behind another, of the same side and worse, empty ones included; 0 when there is none."""
    key = cell_at(level + at.LEVEL_KEY)
    bid = key & 1
    step = -1 if bid == 1 else 1
    rank = cell_at(level + at.LEVEL_RANK) + step
    ordered, levels, count = cell_at(lane + at.ORDERED), cell_at(lane + at.LEVELS), cell_at(lane + at.LEVEL_COUNT)
    while 0 <= rank < count:
        other = levels + cell_at(ordered + 8 * rank) * at.LEVEL_BYTES
        if cell_at(other + at.LEVEL_KEY) & 1 == bid:
            return other
        rank += step
    return 0
