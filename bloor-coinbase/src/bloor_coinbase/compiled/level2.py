"""Books and their changes (kernels; hot path): 44,000 levels in one frame, or one.

The levels are read to the scratch rows, bids from the first on and asks from the last backwards, since they may come in
any order; once the frame is known to be whole they are put together, and applied.
"""

from __future__ import annotations

from bloor.market.compiled.answers import BOOK, CROSSED, NEEDS_ROOM, SLOT_SHIFT, UNSURE
from bloor.market.compiled.context import BOOK as BOOK_CELL
from bloor.market.compiled.context import (
    CONNECTION,
    EVENT,
    INSTRUMENT,
    LEVELS,
    NUMBER,
    PRICE_DECIMALS,
    PRICE_SCALE,
    QTY_DECIMALS,
    QTY_SCALE,
    ROWS,
    ROWS_NEEDED,
    SLOT_NEEDED,
    SLOTS,
    SYMBOL_MASK,
    SYMBOLS,
    TICK_UNITS,
    find_slot,
)
from bloor.market.compiled.record import write_event
from bloor.market.compiled.text import read_decimal, string_end
from bloor.market.ladder import CORE_CELLS, FAR_ADDRESS, FAR_SIZE, ROOM, apply, load
from bloor.native.memory import Cells, byte_at, cell_at, cells_at, rows_at
from bloor_coinbase.compiled.envelope import closed
from bloor_coinbase.compiled.layout import ASKS, BIDS, NEWEST, SENT, SEQ, SLOT, SNAPSHOT, TIME_AT, TIME_SIZE
from bloor_coinbase.compiled.times import read_time
from bloor_coinbase.compiled.words import cell

__all__ = ["level2"]

#: The number of :class:`bloor.market.events.EventKind`, and the bit of :class:`bloor.market.events.Flag`.
KIND_BOOK, FLAG_SNAPSHOT = 4, 1
#: A state of a book (:class:`bloor.market.view.BookState`), and the cell of a core that has it.
SYNCED, STATE_CELL = 2, 7
#: The fewest bytes of a level and of a side's level: an estimate of how many there are at most.
LEVEL_BYTES = 80

PRODUCT_0, PRODUCT_6 = cell(b'"product'), cell(b'ct_id":"')
UPDATES_0, UPDATES_4 = cell(b',"update'), cell(b'dates":[')
SIDE_0 = cell(b'{"side":')
BID_0, BID_8, BID_12 = cell(b'"bid","e'), cell(b"vent_tim"), cell(b'_time":"')
OFFER_0, OFFER_8, OFFER_14 = cell(b'"offer",'), cell(b'"event_t'), cell(b'_time":"')
PRICE_0, PRICE_8 = cell(b',"price_'), cell(b'level":"')
QTY_0, QTY_8 = cell(b'"new_qua'), cell(b'ntity":"')


def level2(context: Cells, p: int, end: int, recv_ns: int) -> int:
    """Takes ``"product_id":"BTC-USD","updates":[...]}]}``."""
    if p + 24 > end or cell_at(p) != PRODUCT_0 or cell_at(p + 6) != PRODUCT_6:
        return UNSURE
    p += 14
    close = string_end(p)
    if close == 0 or close + 16 > end:
        return UNSURE
    slot = find_slot(context[SYMBOLS], context[SYMBOL_MASK], context[SLOTS], p, close, 0)
    p = close + 1
    if slot == 0 or cell_at(p) != UPDATES_0 or cell_at(p + 4) != UPDATES_4:
        return UNSURE
    address = cell_at(slot + 8 * BOOK_CELL)
    if address == 0:
        return UNSURE
    core = cells_at(address, CORE_CELLS)
    if context[SNAPSHOT] == 0 and core[STATE_CELL] != SYNCED:
        return UNSURE
    context[SLOT] = slot
    rows = (end - p) // LEVEL_BYTES + 1
    if rows > context[ROWS]:
        return needs_room(context, rows)
    p = read_levels(context, p + 12, end)
    if p == 0 or not closed(p, end):
        return UNSURE
    return take(context, core, recv_ns)


def needs_room(context: Cells, rows: int) -> int:
    """The answer that asks for room for so many levels."""
    context[ROWS_NEEDED] = rows
    context[SLOT_NEEDED] = cell_at(context[SLOT] + 8 * NUMBER)
    return NEEDS_ROOM


def read_levels(context: Cells, p: int, end: int) -> int:
    """Reads levels to the scratch rows, the bids before the asks.

    Args:
        context: The context, its slot known.
        p: Behind the opening bracket.
        end: The end of the text.

    Returns:
        The address behind the closing bracket; 0 when not sure.
    """
    slot, last = context[SLOT], context[ROWS]
    rows = rows_at(context[LEVELS], last)
    price_decimals, price_scale = cell_at(slot + 8 * PRICE_DECIMALS), cell_at(slot + 8 * PRICE_SCALE)
    qty_decimals, qty_scale = cell_at(slot + 8 * QTY_DECIMALS), cell_at(slot + 8 * QTY_SCALE)
    tick_units = cell_at(slot + 8 * TICK_UNITS)
    context[NEWEST] = context[TIME_AT] = 0
    bids = asks = 0
    if byte_at(p) == 93:
        context[BIDS], context[ASKS] = 0, 0
        return p + 1
    while True:
        offer, p = read_side(p, end)
        if p == 0 or bids + asks >= last:
            return 0
        p = level_time(context, p, end)
        if p == 0 or p + 20 > end or cell_at(p) != PRICE_0 or cell_at(p + 8) != PRICE_8:
            return 0
        price, p = read_decimal(p + 16, end, price_decimals, price_scale)
        if price <= 0:
            return 0
        if tick_units != 1:
            if price % tick_units != 0:
                return 0
            price //= tick_units
        if p + 20 > end or byte_at(p) != 44 or cell_at(p + 1) != QTY_0 or cell_at(p + 9) != QTY_8:
            return 0
        qty, p = read_decimal(p + 17, end, qty_decimals, qty_scale)
        if qty < 0 or byte_at(p) != 125:
            return 0
        if offer == 1:
            asks += 1
            rows[last - asks, 0] = price
            rows[last - asks, 1] = qty
        else:
            rows[bids, 0] = price
            rows[bids, 1] = qty
            bids += 1
        c = byte_at(p + 1)
        p += 2
        if c == 93:
            break
        if c != 44:
            return 0
    put_together(rows, bids, asks)
    context[BIDS], context[ASKS] = bids, asks
    return p


def read_side(p: int, end: int) -> tuple[int, int]:
    """Reads ``{"side":"bid","event_time":"``: 1 for an offer, and the address behind it; 0 there when not sure."""
    if p + 32 > end or cell_at(p) != SIDE_0:
        return 0, 0
    p += 8
    if cell_at(p) == BID_0:
        return 0, p + 20 if cell_at(p + 8) == BID_8 and cell_at(p + 12) == BID_12 else 0
    if cell_at(p) == OFFER_0 and cell_at(p + 8) == OFFER_8 and cell_at(p + 14) == OFFER_14:
        return 1, p + 22
    return 0, 0


def level_time(context: Cells, p: int, end: int) -> int:
    """Passes over the time of a level, and keeps the newest one of a change; the address behind it, 0 when not sure.

    Levels of one change mostly have the same time.
    """
    if context[SNAPSHOT] == 1:
        close = string_end(p)
        return close + 1 if close != 0 else 0
    at, size = context[TIME_AT], context[TIME_SIZE]
    if at != 0 and p + size <= end and same(p, at, size):
        return p + size  # type: ignore[no-any-return]
    time_ns, behind = read_time(p, end)
    if time_ns < 0:
        return 0
    context[NEWEST] = max(context[NEWEST], time_ns)
    context[TIME_AT], context[TIME_SIZE] = p, behind - p
    return behind


def same(p: int, at: int, size: int) -> bool:
    """Whether ``size`` (21 to 31) bytes are those at another address."""
    if cell_at(p) != cell_at(at) or cell_at(p + 8) != cell_at(at + 8):
        return False
    middle = min(16, size - 8)
    return cell_at(p + middle) == cell_at(at + middle) and cell_at(p + size - 8) == cell_at(at + size - 8)


def put_together(rows: Cells, bids: int, asks: int) -> None:
    """Puts the asks, which stand backwards in the last rows, in their order behind the bids."""
    first, last = rows.shape[0] - asks, rows.shape[0] - 1
    while first < last:
        for column in range(2):
            kept = rows[first, column]
            rows[first, column] = rows[last, column]
            rows[last, column] = kept
        first += 1
        last -= 1
    first = rows.shape[0] - asks
    if first != bids:
        for i in range(asks):
            rows[bids + i, 0] = rows[first + i, 0]
            rows[bids + i, 1] = rows[first + i, 1]


def take(context: Cells, core: Cells, recv_ns: int) -> int:
    """Applies the levels to the book, which a snapshot replaces, and writes the event."""
    slot, bids, asks = context[SLOT], context[BIDS], context[ASKS]
    seq, sent_ns = context[SEQ], context[SENT]
    rows = rows_at(context[LEVELS], context[ROWS])
    far = cells_at(core[FAR_ADDRESS], core[FAR_SIZE])
    if context[SNAPSHOT] == 1:
        if bids + asks > (far.size >> 2) // 4 * 3:
            return needs_room(context, bids + asks)
        crossed = load(core, far, rows, bids, asks, seq, sent_ns, recv_ns)
        flags = FLAG_SNAPSHOT
    else:
        if bids + asks > core[ROOM]:
            return needs_room(context, bids + asks)
        exch_ns = context[NEWEST] if context[NEWEST] > 0 else sent_ns
        crossed = apply(core, far, rows, bids, asks, seq, exch_ns, recv_ns)
        flags = 0
    core[STATE_CELL] = SYNCED
    context[CONNECTION] = seq
    number = cell_at(slot + 8 * NUMBER) << SLOT_SHIFT
    if crossed != 0:
        return CROSSED + number
    write_event(
        context[EVENT], KIND_BOOK, 0, flags, cell_at(slot + 8 * INSTRUMENT),
        core[4], core[5], core[6], core[0], core[1], core[2], core[3],
    )  # fmt: skip
    return BOOK + number
