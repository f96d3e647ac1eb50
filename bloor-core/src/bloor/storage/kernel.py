"""Lines of a recording to stored records in one compiled loop: kernel, hot path of an import.

For each line: the receive time, the venue's step over the JSON behind it, then the event and the levels that the step
has left in its context. The step is called by its address, so that this is compiled once for all venues. The loop
stops, with nothing done of that line, at one that it is not sure of; the reference takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from bloor.market.compiled.answers import BOOK, CROSSED, DROPPED, KIND_MASK, KLINE, MISMATCH
from bloor.market.compiled.context import CONTEXT_CELLS, EVENT, LEVEL_ASKS, LEVEL_BIDS, LEVELS, LEVELS_CAP, ROWS
from bloor.native.memory import Cells, byte_at, call4, cell_at, cells_at, put_cell

__all__ = ["ROOM", "compiled_store", "store"]

#: Records that one line may make, at most, unless room was made for more.
ROOM = LEVELS_CAP + 2

# cells of the state
USED, ORDER, WHY, RECV, ANSWER, INDEX, COUNTS = 0, 1, 2, 3, 4, 5, 8
STATE_CELLS = COUNTS + KIND_MASK + 1

# why the loop stopped
DONE = 0  # no more lines
FULL = 1  # the chunk has no room for another line
LINE = 2  # the next line is the reference's
LIMIT = 3  # the next line is later than asked for
DAY = 4  # the newest event is the first of its instrument on its day
CROSS = 5  # the newest message crossed the book, or its checksum is another; its event is not written

LEVEL_KIND, LAST_FLAG = 16, 8 << 16
BID, ASK = 1 << 8, 255 << 8


def copied(source: int, target: int) -> None:
    """Copies one record."""
    for k in range(8):
        put_cell(target + 8 * k, cell_at(source + 8 * k))


def write_levels(context: Cells, event: int, at: int) -> int:
    """Writes a record for each level of the newest book message behind its own; returns how many.

    Args:
        context: The context.
        event: Address of the message's record.
        at: Address of its copy.
    """
    bids = context[LEVEL_BIDS]
    count = bids + context[LEVEL_ASKS]
    head = cell_at(event)
    if count == 0:
        put_cell(at, head + LAST_FLAG)
        return 0
    rows = context[LEVELS]
    head = (head & -65536) + LEVEL_KIND
    for row in range(count):
        at += 64
        put_cell(at, head + (BID if row < bids else ASK) + (LAST_FLAG if row == count - 1 else 0))
        put_cell(at + 8, cell_at(event + 8))
        put_cell(at + 16, cell_at(event + 16))
        put_cell(at + 24, cell_at(event + 24))
        put_cell(at + 32, cell_at(rows + 16 * row))
        put_cell(at + 40, cell_at(rows + 16 * row + 8))
        put_cell(at + 48, 0)
        put_cell(at + 56, 0)
    return count  # type: ignore[no-any-return]


def store(
    step: int, context: int, text: int, ends: Cells, begin: int, limit: int, state: Cells, chunk: int, rows: int,
    days: Cells,
) -> int:  # fmt: skip
    """Takes line after line.

    Args:
        step: Address of the venue's step.
        context: Address of the context.
        text: Address of the lines, a NUL behind each.
        ends: For each line, the offset of its NUL.
        begin: The first line to take.
        limit: Stops before a line whose time, or that of a line before it, is greater.
        state: What goes in and out, see the names above.
        chunk: Address of the memory for records.
        rows: How many it holds.
        days: For each instrument, when the day of its newest event ends, ns.

    Returns:
        The first line that was not taken.
    """
    cells = cells_at(context, CONTEXT_CELLS)
    event = cells[EVENT]
    used, order = state[USED], state[ORDER]
    start = ends[begin - 1] + 1 if begin > 0 else 0
    state[WHY] = DONE
    i = begin
    while i < ends.size:
        if used + cells[ROWS] + 2 > rows:
            state[WHY] = FULL if used > 0 else LINE
            break
        p = text + start
        first = c = byte_at(p)
        value = digits = 0
        while 48 <= c <= 57 and digits < 19:
            value = value * 10 + (c - 48)
            digits += 1
            c = byte_at(p + digits)
        unit = 0
        if digits == 19 and first < 57:
            unit = 1
        elif digits == 16:
            unit = 1_000
        elif digits == 13:
            unit = 1_000_000
        elif digits == 10:
            unit = 1_000_000_000
        if unit == 0 or first == 48 or c != 32 or byte_at(p + digits + 1) != 123:
            state[WHY] = LINE
            break
        recv_ns = value * unit
        later = max(order, recv_ns)
        if later > limit:
            state[WHY] = LIMIT
            break
        answer = call4(step, context, p + digits + 1, ends[i] - start - digits - 1, recv_ns)
        if answer < 0:
            state[WHY] = LINE
            break
        order = later
        start = ends[i] + 1
        i += 1
        kind = answer & KIND_MASK
        state[COUNTS + kind] += 1
        state[ANSWER], state[RECV] = answer, recv_ns
        if kind in (CROSSED, MISMATCH):
            state[WHY] = CROSS
            break
        if kind == DROPPED:
            continue
        at = chunk + 64 * used
        copied(event, at)
        used += 1
        if kind == BOOK:
            used += write_levels(cells, event, at)
        elif kind == KLINE:
            copied(event + 64, at + 64)
            used += 1
        index = cell_at(event) >> 32
        if index >= days.size or recv_ns >= days[index]:
            state[WHY], state[INDEX] = DAY, index
            break
    state[USED], state[ORDER] = used, order
    return i


@cache
def compiled_store() -> Callable[..., int]:
    """:func:`store`, compiled or read from disk."""
    import sys

    import numba
    from numba import types

    from bloor.market.compiled.linking import SOURCES
    from bloor.native.caching import cache_folder, cache_in, rebound
    from bloor.native.twins import twins

    config: Any = numba.config
    own = sys.modules[__name__]
    folder = cache_folder(name="store", modules=(*SOURCES, own))
    cell, cells = types.int64, types.Array(types.int64, 1, "C")
    words = {word.__name__: twin for word, twin in twins().items()}
    names = {**vars(own), **words}
    with cache_in(config, folder) as caching:
        njit: Any = numba.njit  # its published types know neither these options nor signatures
        jit = njit(error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
        for function in (copied, write_levels):
            names[function.__name__] = jit(rebound(function, names))
        signature = cell(cell, cell, cell, cells, cell, cell, cells, cell, cell, cells)
        options = {"cache": caching, "error_model": "numpy", "_nrt": False}
        made: Callable[..., int] = njit(signature, **options)(rebound(store, names))
    return made
