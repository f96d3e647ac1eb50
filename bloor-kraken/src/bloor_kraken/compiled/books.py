"""Changes of a book: read, applied, cut to the venue's depth, checked (kernels; hot path).

Whatever is not a change of a synchronised book, written as Kraken writes them (keys in their order, no white space,
every number with the decimals of the levels before), is the reference's.
"""

from __future__ import annotations

from bloor.market.compiled.answers import BOOK, CROSSED, MISMATCH, SLOT_SHIFT, UNSURE
from bloor.market.compiled.books import far_after
from bloor.market.compiled.context import BOOK as BOOK_CELL
from bloor.market.compiled.context import (
    CHECKED,
    DEPTH,
    EVENT,
    INSTRUMENT,
    LEVEL_ASKS,
    LEVEL_BIDS,
    LEVELS,
    LEVELS_CAP,
    MEMORY,
    NUMBER,
    PRICE_DECIMALS,
    QTY_DECIMALS,
    SENT_PRICE_DECIMALS,
    SENT_QTY_DECIMALS,
    SLOTS,
    SYMBOL_MASK,
    SYMBOLS,
    TICK_UNITS,
    find_slot,
)
from bloor.market.compiled.record import write_event
from bloor.market.compiled.text import string_end
from bloor.market.ladder import (
    CORE_CELLS,
    FAR_ADDRESS,
    FAR_LIVE,
    FAR_SIZE,
    NEAR,
    ROOM,
    SIDE,
    apply,
    far_get,
    set_level,
    walk,
    worst_level,
)
from bloor.native.memory import Cells, byte_at, cell_at, cells_at, put_cell, rows_at
from bloor_kraken.compiled.crc import crc32_of, make_tables
from bloor_kraken.compiled.layout import (
    ASKS_0,
    ASKS_SIZE,
    BIDS_0,
    BIDS_LAST,
    BIDS_SIZE,
    CHECKSUM_0,
    CHECKSUM_LAST,
    CHECKSUM_SIZE,
    CRC_TABLES,
    DIGITS,
    PRICE_0,
    PRICE_LAST,
    PRICE_SIZE,
    QTY_0,
    QTY_SIZE,
    READY,
    SEVEN_BYTES,
    TIME_0,
    TIME_LAST,
    TIME_SIZE,
)
from bloor_kraken.compiled.numbers import in_units, put_digits, read_bare
from bloor_kraken.compiled.times import TIME_TEXT, time_at

__all__ = ["change"]

#: The numbers of :class:`bloor.market.events.EventKind`.
KIND_BOOK, KIND_CHECKSUM = 4, 6
#: The state of a book that may be changed (:class:`bloor.market.view.BookState`), and the cell of a core that has it.
SYNCED, STATE_CELL = 2, 7
MAX_CHECKSUM = 0xFFFFFFFF
#: Levels a side in a checksum.
IN_CHECKSUM = 10
#: Levels a side of the deepest book, and levels of the longest message, that are taken here.
DEEPEST, LONGEST_MESSAGE = 1000, 2048
#: Up to this depth a book may have levels outside its window, which are slow to find.
FAR_DEPTH = 100
#: Scratch rows from which on the best levels of each side are listed, and room for how many.
BID_ROWS, ASK_ROWS, LISTED = 8192, 8208, 16
#: Bytes behind a level's list: the checksum and the time, at the shortest.
REST_SIZE = 9 + CHECKSUM_SIZE + TIME_SIZE + TIME_TEXT


def change(context: Cells, p: int, end: int, recv_ns: int) -> int:
    """Takes a change of a book, from behind the quote before its symbol."""
    close = string_end(p)
    if close == 0 or end - close < REST_SIZE or cell_at(close) != BIDS_0 or cell_at(close + 1) != BIDS_LAST:
        return UNSURE
    slot = find_slot(context[SYMBOLS], context[SYMBOL_MASK], context[SLOTS], p, close, 0)
    if slot == 0:
        return UNSURE
    address = cell_at(slot + 8 * BOOK_CELL)
    if address == 0:
        return UNSURE
    core = cells_at(address, CORE_CELLS)
    if core[STATE_CELL] != SYNCED or cell_at(slot + 8 * SENT_PRICE_DECIMALS) < 0:
        return UNSURE
    rows = rows_at(context[LEVELS], LEVELS_CAP)
    bids, p = read_levels(rows, 0, close + BIDS_SIZE, end, slot)
    if p == 0 or end - p < REST_SIZE or cell_at(p) != ASKS_0:
        return UNSURE
    both, p = read_levels(rows, bids, p + ASKS_SIZE, end, slot)
    if p == 0 or end - p < CHECKSUM_SIZE + TIME_SIZE + TIME_TEXT:
        return UNSURE
    if cell_at(p) != CHECKSUM_0 or cell_at(p + 4) != CHECKSUM_LAST:
        return UNSURE
    expected, decimals, p = read_bare(p + CHECKSUM_SIZE)
    if expected < 0 or expected > MAX_CHECKSUM or decimals != 0 or end - p != TIME_SIZE + TIME_TEXT + 4:
        return UNSURE
    if cell_at(p) != TIME_0 or cell_at(p + 6) != TIME_LAST:
        return UNSURE
    exch_ns = time_at(p + TIME_SIZE)
    p = end - 4
    if exch_ns < 0 or byte_at(p) != 34 or byte_at(p + 1) != 125 or byte_at(p + 2) != 93 or byte_at(p + 3) != 125:
        return UNSURE
    depth = cell_at(slot + 8 * DEPTH)
    if both > core[ROOM] or depth > DEEPEST:
        return UNSURE
    if depth > FAR_DEPTH and core[SIDE + FAR_LIVE] + core[SIDE + 8 + FAR_LIVE] > 0:
        return UNSURE
    context[LEVEL_BIDS], context[LEVEL_ASKS] = bids, both - bids
    return applied(context, slot, core, rows, expected, exch_ns, recv_ns)


def applied(context: Cells, slot: int, core: Cells, rows: Cells, expected: int, exch_ns: int, recv_ns: int) -> int:
    """Changes the book by the levels that were read, and compares the checksum."""
    bids, asks = context[LEVEL_BIDS], context[LEVEL_ASKS]
    far = cells_at(core[FAR_ADDRESS], core[FAR_SIZE])
    crossed = apply(core, far, rows, bids, asks, -1, exch_ns, recv_ns)
    depth = cell_at(slot + 8 * DEPTH)
    best_bids = rows_at(context[LEVELS] + 16 * BID_ROWS, LISTED)
    best_asks = rows_at(context[LEVELS] + 16 * ASK_ROWS, LISTED)
    if depth > 0:
        cut(context, core, far, rows, depth)
    bids, asks = listed(core, far, 0, best_bids), listed(core, far, 1, best_asks)
    computed = checksum(context, slot, best_bids, bids, best_asks, asks)
    number = cell_at(slot + 8 * NUMBER) << SLOT_SHIFT
    instrument = cell_at(slot + 8 * INSTRUMENT)
    if computed != expected:
        write_event(context[EVENT], KIND_CHECKSUM, 0, 0, instrument, computed, 0, recv_ns, expected, 0, 0, 0)
        return MISMATCH + number
    context[CHECKED] += 1
    if crossed != 0:
        return CROSSED + number
    write_event(
        context[EVENT], KIND_BOOK, 0, 0, instrument, core[4], core[5], core[6], core[0], core[1], core[2], core[3]
    )
    return BOOK + number


def listed(core: Cells, far: Cells, side: int, rows: Cells) -> int:
    """Lists the levels of a side that are in the checksum, best first. Returns how many."""
    wanted = min(held(core, side), IN_CHECKSUM)
    count = walk(core, side, rows, wanted)
    while 0 < count < wanted:
        tick = far_after(far, side, rows[count - 1, 0])
        rows[count, 0] = tick
        rows[count, 1] = far_get(far, side, tick)
        count += 1
    return count


def cut(context: Cells, core: Cells, far: Cells, rows: Cells, depth: int) -> None:
    """Removes what lies deeper than the venue's book, and adds the removals to the levels of the message."""
    said_bids, said_asks = context[LEVEL_BIDS], context[LEVEL_ASKS]
    of_bids, of_asks = max(held(core, 0) - depth, 0), max(held(core, 1) - depth, 0)
    if of_bids > 0:
        for n in range(said_asks - 1, -1, -1):
            rows[said_bids + of_bids + n, 0] = rows[said_bids + n, 0]
            rows[said_bids + of_bids + n, 1] = rows[said_bids + n, 1]
        remove(core, far, 0, rows, said_bids, of_bids)
    if of_asks > 0:
        remove(core, far, 1, rows, said_bids + of_bids + said_asks, of_asks)
    context[LEVEL_BIDS] = said_bids + of_bids
    context[LEVEL_ASKS] = said_asks + of_asks


def held(core: Cells, side: int) -> int:
    """How many levels a side has."""
    return core[SIDE + 8 * side + NEAR] + core[SIDE + 8 * side + FAR_LIVE]  # type: ignore[no-any-return]


def remove(core: Cells, far: Cells, side: int, rows: Cells, row: int, count: int) -> None:
    """Removes the worst levels, and writes them from ``row`` on, the best of them first, without quantity."""
    for n in range(count - 1, -1, -1):
        tick = worst_level(core, far, side)
        set_level(core, far, side, tick, 0)
        rows[row + n, 0] = tick
        rows[row + n, 1] = 0


# ---- levels ---------------------------------------------------------------------------------------------------------


def read_levels(rows: Cells, row: int, p: int, end: int, slot: int) -> tuple[int, int]:
    """Reads ``[{"price":1.5,"qty":0.00000000},...]``.

    Args:
        rows: Gets price and quantity of each level, in ticks and units.
        row: Where the first goes.
        p: At the opening bracket.
        end: The end of the text, some bytes behind the closing bracket.
        slot: Of the instrument.

    Returns:
        The row behind the last, and the address behind the closing bracket; address 0 when not sure.
    """
    sent_price, sent_qty = cell_at(slot + 8 * SENT_PRICE_DECIMALS), cell_at(slot + 8 * SENT_QTY_DECIMALS)
    price_decimals, qty_decimals = cell_at(slot + 8 * PRICE_DECIMALS), cell_at(slot + 8 * QTY_DECIMALS)
    tick_units = cell_at(slot + 8 * TICK_UNITS)
    if byte_at(p) != 91:
        return row, 0
    p += 1
    if byte_at(p) == 93:
        return row, p + 1
    while True:
        if end - p < REST_SIZE or cell_at(p) != PRICE_0 or cell_at(p + 1) != PRICE_LAST:
            return row, 0
        price, decimals, p = read_bare(p + PRICE_SIZE)
        if price <= 0 or decimals != sent_price or end - p < REST_SIZE or cell_at(p) & SEVEN_BYTES != QTY_0:
            return row, 0
        qty, decimals, p = read_bare(p + QTY_SIZE)
        if qty < 0 or decimals != sent_qty or row >= LONGEST_MESSAGE:
            return row, 0
        price, qty = in_units(price, sent_price, price_decimals), in_units(qty, sent_qty, qty_decimals)
        if price < 0 or qty < 0 or byte_at(p) != 125:
            return row, 0
        if tick_units != 1:
            if price % tick_units != 0:
                return row, 0
            price //= tick_units
        rows[row, 0] = price
        rows[row, 1] = qty
        row += 1
        c = byte_at(p + 1)
        p += 2
        if c == 93:
            return row, p
        if c != 44:
            return row, 0


# ---- checksum -------------------------------------------------------------------------------------------------------


def checksum(context: Cells, slot: int, best_bids: Cells, bids: int, best_asks: Cells, asks: int) -> int:
    """The checksum of the best levels of both sides; see :mod:`bloor_kraken.checksum`."""
    memory = context[MEMORY]
    if cell_at(memory + 8 * READY) == 0:
        make_tables(memory + 8 * CRC_TABLES)
        put_cell(memory + 8 * READY, 1)
    begin = memory + 8 * DIGITS
    p = put_levels(begin, best_asks, min(asks, IN_CHECKSUM), slot)
    p = put_levels(p, best_bids, min(bids, IN_CHECKSUM), slot)
    return crc32_of(memory + 8 * CRC_TABLES, begin, p)


def put_levels(p: int, rows: Cells, count: int, slot: int) -> int:
    """Writes the digits of levels; the address behind them."""
    price_shift = cell_at(slot + 8 * SENT_PRICE_DECIMALS) - cell_at(slot + 8 * PRICE_DECIMALS)
    qty_shift = cell_at(slot + 8 * SENT_QTY_DECIMALS) - cell_at(slot + 8 * QTY_DECIMALS)
    tick_units = cell_at(slot + 8 * TICK_UNITS)
    for n in range(count):
        p = put_digits(p, scaled(rows[n, 0] * tick_units, price_shift))
        p = put_digits(p, scaled(rows[n, 1], qty_shift))
    return p


def scaled(value: int, shift: int) -> int:
    """A number with ``shift`` decimals more, or less."""
    while shift > 0:
        value *= 10
        shift -= 1
    while shift < 0:
        value //= 10
        shift += 1
    return value
