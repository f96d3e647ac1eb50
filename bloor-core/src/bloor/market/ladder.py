"""The kernels of the order book: an array ladder in integer ticks, as plain functions over numpy memory.

Hot path. Nothing here imports numba: :mod:`bloor.market.kernels` compiles these functions, and they run as they stand,
with the same results, under a debugger or a coverage tool.

Memory
======

``core`` is an int64 array of :data:`CORE_CELLS` cells whose address never changes; its first eight cells are the book's
:class:`~bloor.market.view.BookView`. Each side (0 bid, 1 ask) has a header, a bitmap and a window of :data:`WINDOW`
ticks that begins at ``BASE``; the quantity at tick ``t`` lies at ``t mod WINDOW``, so that moving the window moves no
level that stays in it. Bitmap words carry 32 bits, so that they are never negative as int64.

``far`` is an int64 array of four equal parts (bid keys, bid quantities, ask keys, ask quantities), a power of two each:
open addressing for levels outside the window. Key 0 is free, -1 was used; prices are at least 1 tick. The caller sees
to it, before each call, that ``core[ROOM]`` is at least the number of levels given; then no probe can fail to end.

Between calls the best level of a side lies inside its window, so ``far`` holds only levels that are worse than the
window.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bloor.market.events import NO_PRICE
from bloor.native.memory import high_bit

__all__ = [
    "CORE_CELLS",
    "FAR_ADDRESS",
    "FAR_MIN",
    "FAR_SIZE",
    "MAX_TICKS",
    "ROOM",
    "SIDE",
    "TICK_UNITS",
    "WINDOW",
]

Cells = np.ndarray[Any, np.dtype[np.int64]]

#: Ticks in the window of a side.
WINDOW = 1 << 14
SLOT_MASK = WINDOW - 1
WORDS = WINDOW // 32
WORD_MASK = WORDS - 1
#: How near the best may come to the worse end and to the better end of the window before the window is moved.
BEHIND_MIN = WINDOW // 4
AHEAD_MIN = WINDOW // 16
AHEAD_NEW = WINDOW // 4

#: Largest price in ticks: sums with a window never overflow.
MAX_TICKS = 1 << 61

# core: 8 cells of view, then
ROOM = 8  # how many levels may be given before `far` must be made anew
FAR_ADDRESS, FAR_SIZE = 9, 10  # where `far` is and how many cells it has: compiled code finds a whole book by its core
TICK_UNITS = 11  # of the instrument
SIDE = 16  # header of side s: SIDE + 8 * s
BASE, BEST, LOST, NEAR, FAR_LIVE, FAR_USED, WORST = 0, 1, 2, 3, 4, 5, 6
BITS = 32
QTY = BITS + 2 * WORDS
CORE_CELLS = QTY + 2 * WINDOW

FREE = 0
USED = -1
#: Smallest part of ``far``.
FAR_MIN = 1 << 10


# ---- far levels -----------------------------------------------------------------------------------------------------


def far_slot(key: int, mask: int) -> int:
    """Where the probe for a key begins; multiplication by a 32-bit golden ratio that stays below 2**63."""
    return ((((key & 0x7FFFFFFF) * 2654435761) >> 15) ^ (key >> 31)) & mask


def far_put(core: Cells, far: Cells, side: int, key: int, qty: int) -> None:
    """Sets or (``qty`` 0) removes a far level."""
    head = SIDE + 8 * side
    cap = far.size >> 2
    keys = 2 * side * cap
    i = far_slot(key, cap - 1)
    hole = -1
    while True:
        found = far[keys + i]
        if found == key:
            if qty != 0:
                far[keys + cap + i] = qty
            else:
                far[keys + i] = USED
                core[head + FAR_LIVE] -= 1
            return
        if found == FREE:
            break
        if found == USED and hole < 0:
            hole = i
        i = (i + 1) & (cap - 1)
    if qty == 0:
        return
    if hole < 0:
        hole = i
        core[head + FAR_USED] += 1
    far[keys + hole] = key
    far[keys + cap + hole] = qty
    core[head + FAR_LIVE] += 1


def far_get(far: Cells, side: int, key: int) -> int:
    """Quantity of a far level, 0 when there is none."""
    cap = far.size >> 2
    keys = 2 * side * cap
    i = far_slot(key, cap - 1)
    while True:
        found = far[keys + i]
        if found == key:
            return far[keys + cap + i]  # type: ignore[no-any-return]
        if found == FREE:
            return 0
        i = (i + 1) & (cap - 1)


def far_extreme(far: Cells, side: int, highest: bool) -> int:
    """Highest or lowest far key, NO_PRICE when there is none."""
    cap = far.size >> 2
    keys = 2 * side * cap
    extreme = NO_PRICE
    for i in range(cap):
        key = far[keys + i]
        if key > 0 and (extreme == NO_PRICE or (key > extreme) == highest):
            extreme = key
    return extreme


# ---- the window -----------------------------------------------------------------------------------------------------


def scan_down(core: Cells, side: int, tick: int) -> int:
    """Highest occupied tick of the window at or below ``tick``, which lies in it; NO_PRICE when there is none."""
    bits = BITS + side * WORDS
    word = tick >> 5
    low = core[SIDE + 8 * side + BASE] >> 5
    x = core[bits + (word & WORD_MASK)] & ((2 << (tick & 31)) - 1)
    while x == 0:
        word -= 1
        if word < low:
            return NO_PRICE
        x = core[bits + (word & WORD_MASK)]
    return (word << 5) + high_bit(x)


def scan_up(core: Cells, side: int, tick: int) -> int:
    """Lowest occupied tick of the window at or above ``tick``, which lies in it; NO_PRICE when there is none."""
    bits = BITS + side * WORDS
    word = tick >> 5
    end = (core[SIDE + 8 * side + BASE] >> 5) + WORDS
    x = (core[bits + (word & WORD_MASK)] >> (tick & 31)) << (tick & 31)
    while x == 0:
        word += 1
        if word >= end:
            return NO_PRICE
        x = core[bits + (word & WORD_MASK)]
    return (word << 5) + high_bit(x & -x)


def put(core: Cells, far: Cells, side: int, tick: int, qty: int) -> None:
    """Sets or removes a level wherever it belongs, the best left as it is."""
    head = SIDE + 8 * side
    offset = tick - core[head + BASE]
    if offset < 0 or offset >= WINDOW:
        far_put(core, far, side, tick, qty)
        return
    slot = tick & SLOT_MASK
    cell = QTY + side * WINDOW + slot
    word = BITS + side * WORDS + (slot >> 5)
    bit = 1 << (slot & 31)
    if qty != 0:
        if core[cell] == 0:
            core[head + NEAR] += 1
            core[word] |= bit
            worst = core[head + WORST]
            if worst == 0 or (tick < worst if side == 0 else tick > worst):
                core[head + WORST] = tick
    elif core[cell] != 0:
        core[head + NEAR] -= 1
        core[word] ^= bit
    core[cell] = qty


def get(core: Cells, far: Cells, side: int, tick: int) -> int:
    """Quantity at a tick, 0 when there is none."""
    head = SIDE + 8 * side
    offset = tick - core[head + BASE]
    if 0 <= offset < WINDOW:
        return core[QTY + side * WINDOW + (tick & SLOT_MASK)]  # type: ignore[no-any-return]
    if core[head + FAR_LIVE] == 0:
        return 0
    return far_get(far, side, tick)


def set_level(core: Cells, far: Cells, side: int, tick: int, qty: int) -> None:
    """Sets or removes a level; while ``LOST`` is set, ``BEST`` is a bound that no level is better than."""
    put(core, far, side, tick, qty)
    head = SIDE + 8 * side
    best = core[head + BEST]
    if qty != 0:
        if best == NO_PRICE or (tick >= best if side == 0 else tick <= best):
            core[head + BEST] = tick
            core[head + LOST] = 0
    elif tick == best:
        core[head + LOST] = 1


def find_best(core: Cells, far: Cells, side: int) -> None:
    """Finds the best level anew below the bound that ``BEST`` has become."""
    head = SIDE + 8 * side
    base = core[head + BASE]
    bound = core[head + BEST]
    best = NO_PRICE
    if side == 0:
        outside = bound >= base + WINDOW
        if bound >= base:
            best = scan_down(core, side, base + WINDOW - 1 if outside else bound)
    else:
        outside = bound < base
        if bound < base + WINDOW:
            best = scan_up(core, side, base if outside else bound)
    if core[head + FAR_LIVE] > 0 and (outside or best == NO_PRICE):
        other = far_extreme(far, side, side == 0)
        if best == NO_PRICE or (other != NO_PRICE and (other > best if side == 0 else other < best)):
            best = other
    core[head + BEST] = best
    core[head + LOST] = 0


# ---- moving the window ----------------------------------------------------------------------------------------------


def base_for(side: int, best: int) -> int:
    """Where the window begins when it is laid around a best price: most of it behind the best."""
    base = best - (WINDOW - AHEAD_NEW if side == 0 else AHEAD_NEW)
    return max(base, 0) & ~31


def move(core: Cells, far: Cells, side: int, new: int) -> None:
    """Moves the window of a side: levels that leave it go to ``far``, far levels inside it come in."""
    head = SIDE + 8 * side
    old = core[head + BASE]
    bits = BITS + side * WORDS
    for word in range(old >> 5, (old + WINDOW) >> 5):
        if new <= (word << 5) < new + WINDOW:
            continue
        x = core[bits + (word & WORD_MASK)]
        core[bits + (word & WORD_MASK)] = 0
        while x != 0:
            n = high_bit(x)
            x ^= 1 << n
            tick = (word << 5) + n
            cell = QTY + side * WINDOW + (tick & SLOT_MASK)
            far_put(core, far, side, tick, core[cell])
            core[cell] = 0
            core[head + NEAR] -= 1
    core[head + BASE] = new
    if core[head + FAR_LIVE] == 0:
        return
    cap = far.size >> 2
    keys = 2 * side * cap
    for i in range(cap):
        tick = far[keys + i]
        if tick > 0 and new <= tick < new + WINDOW:
            put(core, far, side, tick, far[keys + cap + i])
            far[keys + i] = USED
            core[head + FAR_LIVE] -= 1


def settle(core: Cells, far: Cells, side: int) -> None:
    """After changes to a side: its best, and its window around it."""
    head = SIDE + 8 * side
    if core[head + LOST] != 0:
        find_best(core, far, side)
    best = core[head + BEST]
    if best == NO_PRICE:
        return
    offset = best - core[head + BASE]
    behind = offset if side == 0 else WINDOW - 1 - offset
    if behind < BEHIND_MIN or WINDOW - 1 - behind < AHEAD_MIN:
        new = base_for(side, best)
        if new != core[head + BASE]:
            move(core, far, side, new)


def finish(core: Cells, far: Cells, seq: int, exch_ns: int, recv_ns: int) -> int:
    """Settles both sides and writes the view and the room; 1 when the book is crossed, else 0."""
    limit = (far.size >> 2) // 4 * 3
    room = limit
    for side in range(2):
        settle(core, far, side)
        head = SIDE + 8 * side
        best = core[head + BEST]
        core[2 * side] = best
        core[2 * side + 1] = get(core, far, side, best) if best != NO_PRICE else 0
        room = min(room, limit - core[head + FAR_USED] - core[head + NEAR])
    core[ROOM] = room
    core[4] = seq
    core[5] = exch_ns
    core[6] = recv_ns
    return 1 if core[0] != NO_PRICE and core[2] != NO_PRICE and core[0] >= core[2] else 0


# ---- entries --------------------------------------------------------------------------------------------------------


def reset(core: Cells, far: Cells) -> None:
    """Empties the book; sequence, times and state of the view are left."""
    core[SIDE:] = 0
    far[:] = 0
    core[SIDE + BEST] = NO_PRICE
    core[SIDE + 8 + BEST] = NO_PRICE
    core[0] = NO_PRICE
    core[1] = 0
    core[2] = NO_PRICE
    core[3] = 0
    core[ROOM] = (far.size >> 2) // 4 * 3


def apply(core: Cells, far: Cells, levels: Cells, bids: int, asks: int, seq: int, exch_ns: int, recv_ns: int) -> int:
    """Changes the book by rows ``(ticks, units)``, first ``bids`` then ``asks`` of them; 1 when crossed, else 0."""
    for i in range(bids):
        set_level(core, far, 0, levels[i, 0], levels[i, 1])
    for i in range(bids, bids + asks):
        set_level(core, far, 1, levels[i, 0], levels[i, 1])
    return finish(core, far, seq, exch_ns, recv_ns)


def load(core: Cells, far: Cells, levels: Cells, bids: int, asks: int, seq: int, exch_ns: int, recv_ns: int) -> int:
    """Replaces the book; as :func:`apply` otherwise."""
    reset(core, far)
    for side in range(2):
        best = NO_PRICE
        for i in range(bids if side else 0, bids + asks if side else bids):
            tick = levels[i, 0]
            if levels[i, 1] != 0 and (best == NO_PRICE or (tick > best if side == 0 else tick < best)):
                best = tick
        if best != NO_PRICE:
            core[SIDE + 8 * side + BASE] = base_for(side, best)
    return apply(core, far, levels, bids, asks, seq, exch_ns, recv_ns)


def read_number(text: bytes, i: int, decimals: int) -> tuple[int, int]:
    """Units of the number that begins at ``i`` and the index after its ``|``; units -1 for anything unexpected."""
    n = len(text)
    value = 0
    start = i
    while i < n and 48 <= text[i] <= 57:
        value = value * 10 + (text[i] - 48)
        i += 1
        if value > 100_000_000_000_000_000:
            return -1, i
    if i == start:
        return -1, i
    left = decimals
    if i < n and text[i] == 46:
        i += 1
        start = i
        while i < n and 48 <= text[i] <= 57:
            if left > 0:
                value = value * 10 + (text[i] - 48)
                left -= 1
                if value > 100_000_000_000_000_000:
                    return -1, i
            elif text[i] != 48:
                return -1, i
            i += 1
        if i == start:
            return -1, i
    for _ in range(left):
        value *= 10
        if value > 100_000_000_000_000_000:
            return -1, i
    if i >= n or text[i] != 124:
        return -1, i
    return value, i + 1


def parse(text: bytes, levels: Cells, rows: int, price_decimals: int, tick_units: int, qty_decimals: int) -> int:
    """Reads ``price|qty|`` ``rows`` times into ``levels``.

    Returns:
        1 when every number is plain, exact, a whole number of ticks, not above 1e17 and no price is zero, and the text
        ends there; 0 otherwise: then the exact conversion of :mod:`bloor.model` decides and says why.
    """
    i = 0
    for row in range(rows):
        price, i = read_number(text, i, price_decimals)
        if price <= 0:
            return 0
        if tick_units != 1:
            if price % tick_units != 0:
                return 0
            price //= tick_units
        qty, i = read_number(text, i, qty_decimals)
        if qty < 0:
            return 0
        levels[row, 0] = price
        levels[row, 1] = qty
    return 1 if i == len(text) else 0


def change(
    core: Cells,
    far: Cells,
    text: bytes,
    levels: Cells,
    bids: int,
    asks: int,
    price_decimals: int,
    tick_units: int,
    qty_decimals: int,
    seq: int,
    exch_ns: int,
    recv_ns: int,
) -> int:
    """:func:`parse` and :func:`apply` in one call; -1 when the text was not read, and then nothing has changed."""
    if parse(text, levels, bids + asks, price_decimals, tick_units, qty_decimals) == 0:
        return -1
    return apply(core, far, levels, bids, asks, seq, exch_ns, recv_ns)


def rehash(core: Cells, old: Cells, new: Cells) -> None:
    """Moves every far level from ``old`` to the zeroed array ``new``, which has room."""
    cap = old.size >> 2
    limit = (new.size >> 2) // 4 * 3
    room = limit
    for side in range(2):
        head = SIDE + 8 * side
        core[head + FAR_LIVE] = 0
        core[head + FAR_USED] = 0
        keys = 2 * side * cap
        for i in range(cap):
            if old[keys + i] > 0:
                far_put(core, new, side, old[keys + i], old[keys + cap + i])
        room = min(room, limit - core[head + FAR_USED] - core[head + NEAR])
    core[ROOM] = room


def walk(core: Cells, side: int, levels: Cells, limit: int) -> int:
    """Writes up to ``limit`` levels of the window, best first, as ``(ticks, units)``; returns how many."""
    head, bits, quantities = SIDE + 8 * side, BITS + side * WORDS, QTY + side * WINDOW
    best, low = core[head + BEST], core[head + BASE] >> 5
    count, wanted = 0, min(limit, core[head + NEAR]) if best != NO_PRICE else 0
    word = best >> 5
    while count < wanted and low <= word < low + WORDS:
        left = core[bits + (word & WORD_MASK)]
        while left != 0 and count < wanted:
            bit = high_bit(left if side == 0 else left & -left)
            left ^= 1 << bit
            tick = (word << 5) + bit
            levels[count, 0] = tick
            levels[count, 1] = core[quantities + (tick & SLOT_MASK)]
            count += 1
        word += 1 if side == 1 else -1
    return count


def worst_level(core: Cells, far: Cells, side: int) -> int:
    """The worst level of a side that has one; ``WORST`` is a bound that no level of the window is worse than."""
    head = SIDE + 8 * side
    if core[head + FAR_LIVE] > 0:
        return far_extreme(far, side, side == 1)
    base = core[head + BASE]
    if side == 0:
        worst = scan_up(core, side, max(core[head + WORST], base))
    else:
        worst = scan_down(core, side, min(core[head + WORST], base + WINDOW - 1))
    core[head + WORST] = worst
    return worst


def truncate(core: Cells, far: Cells, depth: int) -> int:
    """Removes the worst levels of each side until ``depth`` are left; returns how many were removed."""
    removed = 0
    for side in range(2):
        head = SIDE + 8 * side
        while core[head + NEAR] + core[head + FAR_LIVE] > depth:
            set_level(core, far, side, worst_level(core, far, side), 0)
            removed += 1
    return removed
