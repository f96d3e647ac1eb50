"""Looking into a book from compiled code: kernels over the cells of :attr:`bloor.market.book.OrderBook.core`.

Hot path. Sides are 0 for bids and 1 for asks; prices are ticks, quantities units. Results are those of the methods of
the same names, with one difference: integers here have 63 bits, so a sum that passes them is -1. Compiled code gets
these functions from :func:`compiled_books`; uncompiled they run as they stand. A core's far levels are found through
the core, so the address of a core is a whole book.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from attrs import frozen

from bloor.market.events import NO_PRICE
from bloor.market.ladder import (
    BASE,
    BEST,
    FAR_ADDRESS,
    FAR_LIVE,
    FAR_SIZE,
    QTY,
    SIDE,
    SLOT_MASK,
    TICK_UNITS,
    WINDOW,
    get,
    scan_down,
    scan_up,
)
from bloor.native.caching import jit_is_off
from bloor.native.memory import Cells, cells_at

__all__ = [
    "Books",
    "average_price",
    "compiled_books",
    "depth",
    "far_after",
    "level",
    "level_after",
    "size_at",
    "size_to",
    "top",
]

INT64_MAX = (1 << 63) - 1


def top(core: Cells) -> tuple[int, int, int, int]:
    """Best bid, its quantity, best ask, its quantity; an empty side is (NO_PRICE, 0)."""
    return core[0], core[1], core[2], core[3]


def size_at(core: Cells, side: int, tick: int) -> int:
    """Units at a price, 0 when there is no level."""
    return get(core, cells_at(core[FAR_ADDRESS], core[FAR_SIZE]), side, tick)


def level_after(core: Cells, side: int, tick: int) -> int:
    """The price of the next worse level than ``tick``, the best one for NO_PRICE; NO_PRICE when there is none."""
    head = SIDE + 8 * side
    if tick == NO_PRICE:
        return core[head + BEST]  # type: ignore[no-any-return]
    base = core[head + BASE]
    if side == 0 and base < tick <= base + WINDOW:
        found = scan_down(core, side, tick - 1)
        if found != NO_PRICE:
            return found
    if side == 1 and base - 1 <= tick < base + WINDOW - 1:
        found = scan_up(core, side, tick + 1)
        if found != NO_PRICE:
            return found
    if core[head + FAR_LIVE] == 0:
        return NO_PRICE
    return far_after(cells_at(core[FAR_ADDRESS], core[FAR_SIZE]), side, tick)


def far_after(far: Cells, side: int, tick: int) -> int:
    """The best far price that is worse than ``tick``; NO_PRICE when there is none. Looks at every far cell."""
    cap = far.size >> 2
    keys = 2 * side * cap
    best = NO_PRICE
    for i in range(cap):
        key = far[keys + i]
        if key <= 0:
            continue
        if side == 0:
            if key < tick and (best == NO_PRICE or key > best):
                best = key
        elif key > tick and (best == NO_PRICE or key < best):
            best = key
    return best


def depth(core: Cells, side: int, rows: Cells, limit: int) -> int:
    """Writes up to ``limit`` levels, best first, as rows ``(ticks, units)``; returns how many."""
    count = 0
    tick = level_after(core, side, NO_PRICE)
    while count < limit and tick != NO_PRICE:
        rows[count, 0] = tick
        rows[count, 1] = size_at(core, side, tick)
        count += 1
        tick = level_after(core, side, tick)
    return count


def level(core: Cells, side: int, n: int) -> tuple[int, int]:
    """Price and units of the ``n``-th level, the best one being 0; (NO_PRICE, 0) when there are fewer."""
    if n < 0:
        return NO_PRICE, 0
    tick = level_after(core, side, NO_PRICE)
    while n > 0 and tick != NO_PRICE:
        tick = level_after(core, side, tick)
        n -= 1
    if tick == NO_PRICE:
        return NO_PRICE, 0
    return tick, size_at(core, side, tick)


def size_to(core: Cells, side: int, price: int) -> int:
    """Units of all levels from the best to ``price``, that one included; -1 when they pass 63 bits."""
    head = SIDE + 8 * side
    base = core[head + BASE]
    total = 0
    tick = core[head + BEST]
    while tick != NO_PRICE and (tick >= price if side == 0 else tick <= price):
        size = core[QTY + side * WINDOW + (tick & SLOT_MASK)]
        if size > INT64_MAX - total:
            return -1
        total += size
        if side == 0:
            tick = scan_down(core, side, tick - 1) if tick > base else NO_PRICE
        else:
            tick = scan_up(core, side, tick + 1) if tick < base + WINDOW - 1 else NO_PRICE
    if core[head + FAR_LIVE] == 0 or (base <= price if side == 0 else price < base + WINDOW):
        return total
    far = cells_at(core[FAR_ADDRESS], core[FAR_SIZE])
    cap = far.size >> 2
    keys = 2 * side * cap
    for i in range(cap):
        key = far[keys + i]
        if key > 0 and (key >= price if side == 0 else key <= price):
            size = far[keys + cap + i]
            if size > INT64_MAX - total:
                return -1
            total += size
    return total


def average_price(core: Cells, side: int, units: int) -> tuple[int, int]:
    """What an order of ``units`` that takes from a side would trade: ``(value, filled)``.

    The value is in the units of :meth:`bloor.model.instrument.Instrument.value_units` and exact, or -1 when it passes
    63 bits; the average price is ``value / filled``.
    """
    tick_units = core[TICK_UNITS]
    value = filled = 0
    tick = level_after(core, side, NO_PRICE)
    while tick != NO_PRICE and filled < units:
        take = min(size_at(core, side, tick), units - filled)
        if value >= 0:
            if tick > INT64_MAX // tick_units or take > (INT64_MAX - value) // (tick * tick_units):
                value = -1
            else:
                value += tick * tick_units * take
        filled += take
        tick = level_after(core, side, tick)
    return value, filled


@frozen
class Books:
    """The compiled functions of this file, for use in other functions that numba compiles; also callable as they are.

    Attributes:
        top: :func:`top`.
        size_at: :func:`size_at`.
        level_after: :func:`level_after`.
        depth: :func:`depth`.
        level: :func:`level`.
        size_to: :func:`size_to`.
        average_price: :func:`average_price`.
    """

    top: Any
    size_at: Any
    level_after: Any
    depth: Any
    level: Any
    size_to: Any
    average_price: Any


@cache
def compiled_books() -> Books:
    """The compiled functions; each compiles when it is first called. Not compiled with ``NUMBA_DISABLE_JIT``."""
    import sys

    import numba

    from bloor.market import ladder
    from bloor.native.linking import linked
    from bloor.native.twins import twins

    if jit_is_off():
        return Books(top, size_at, level_after, depth, level, size_to, average_price)
    made = linked((ladder, sys.modules[__name__]), numba.njit(error_model="numpy"), twins())
    return Books(*(made[function] for function in (top, size_at, level_after, depth, level, size_to, average_price)))
