"""Annotating the venue's side of the market (kernels; hot path of preparing data).

The book of others does not depend on our orders. So what a simulated venue has to know at each change is written beside
it once: the level's quantity before, the best prices after, and the changes of each level. A simulation then needs no
book, and skips what cannot concern an order of ours.

The best prices are those that are stored with each message. Within a message a better price counts from its own row on,
everything else from the last row on; no time passes between them.

Where a queue model asks for it, every row says whose order it is of (:mod:`bloor.backtesting.byorder`). What was
executed of each order is then told in place of trades, and a snapshot empties each level before it tells it anew.
"""

from __future__ import annotations

from bloor.backtesting import gather as queues
from bloor.backtesting import layout as at
from bloor.backtesting.gather import gather
from bloor.backtesting.levels import find, insert, key_of
from bloor.market.events import NO_PRICE, EventKind, Flag
from bloor.native.memory import cell_at, put_cell

__all__ = ["annotate", "carry_over", "gather", "list_changes"]

# a job
QUEUES = 0  # address of the job of bloor.backtesting.gather
LIMIT = 8  # later entries wait
OUT = 16  # address of the rows
OUT_COUNT = 24
OUT_ROOM = 32
TABLE = 40
MASK = 48
LEVELS = 56
LEVEL_COUNT = 64
LEVEL_ROOM = 72
BID = 80  # best prices, as far as rows were written
ASK = 88
EMITTED = 96  # time of the last row
LATE = 104  # events that came too late for their place
MARKS = 112  # address of the times of some rows
CHANGES = 120  # address of the levels' changes
BID_UNITS = 128  # what is at the best prices
ASK_UNITS = 136
BEST_BID = 144  # address of a level that was the best one; 0 of none
BEST_ASK = 152
OWNERS = 160  # address of the level of each row, an address too, 0 of a trade
ORDERS = 168  # address of whose order each row is of, 0 where nobody asks
NEWEST_ORDER = 176
JOB_CELLS = 23

# what it answers
ALL_TAKEN = 0
WINDOW_FULL = 1

BOOK, LEVEL, SNAPSHOT = int(EventKind.BOOK), int(EventKind.LEVEL), int(Flag.SNAPSHOT)


def put_row(job: int, code: int, price: int, units: int, before: int, level: int) -> None:
    """Writes one row.

    Args:
        job: Address of the job.
        code: A row code.
        price: In ticks.
        units: The level's quantity after, or the trade's.
        before: The level's quantity before.
        level: Address of the level; 0 of a trade.
    """
    number, rows = cell_at(job + OUT_COUNT), cell_at(job + OUT)
    row, ns = rows + number * at.ROW_BYTES, cell_at(job + EMITTED)
    put_cell(job + OUT_COUNT, number + 1)
    if number & (1 << at.MARK_BITS) - 1 == 0:
        put_cell(cell_at(job + MARKS) + 8 * (number >> at.MARK_BITS), ns)
    put_cell(row + at.ROW_NS, ns)
    put_cell(row + at.ROW_WHAT, price << at.CODE_BITS | code)
    put_cell(row + at.ROW_QTY, units)
    put_cell(row + at.ROW_BEFORE, before)
    put_cell(row + at.ROW_BID, cell_at(job + BID))
    put_cell(row + at.ROW_ASK, cell_at(job + ASK))
    put_cell(row + at.ROW_BID_QTY, cell_at(job + BID_UNITS))
    put_cell(row + at.ROW_ASK_QTY, cell_at(job + ASK_UNITS))
    put_cell(cell_at(job + OWNERS) + 8 * number, level)
    if level != 0:
        put_cell(level + at.LEVEL_CHANGED, cell_at(level + at.LEVEL_CHANGED) + 1)


def note_order(job: int, order: int) -> None:
    """Writes whose order the last row is of, 0 of none, and the newest one so far."""
    pair = cell_at(job + ORDERS) + cell_at(job + OUT_COUNT) * at.ORDER_BYTES
    newest = max(order, cell_at(job + NEWEST_ORDER))
    put_cell(job + NEWEST_ORDER, newest)
    put_cell(pair + at.ORDER_OF, order)
    put_cell(pair + at.ORDER_NEWEST, newest)


def change(job: int, side: int, price: int, units: int, level: int) -> None:
    """A level has another quantity."""
    before = cell_at(level + at.LEVEL_UNITS)
    put_cell(level + at.LEVEL_UNITS, units)
    put_row(job, at.BID_LEVEL if side > 0 else at.ASK_LEVEL, price, units, before, level)


def level_at(job: int, key: int) -> int:
    """Address of a level, which is made if need be."""
    table, mask, levels = cell_at(job + TABLE), cell_at(job + MASK), cell_at(job + LEVELS)
    level = find(table, mask, levels, key)
    if level == 0:
        count = cell_at(job + LEVEL_COUNT)
        level = insert(table, mask, levels, count, key, 0)
        put_cell(job + LEVEL_COUNT, count + 1)
    return level


def remove_others(job: int, message: int) -> None:
    """Every level that a snapshot has not named is gone."""
    levels = cell_at(job + LEVELS)
    for i in range(cell_at(job + LEVEL_COUNT)):
        level = levels + i * at.LEVEL_BYTES
        if cell_at(level + at.LEVEL_NAMED) != message and cell_at(level + at.LEVEL_UNITS) != 0:
            key = cell_at(level + at.LEVEL_KEY)
            change(job, 1 if key & 1 == 1 else -1, key >> 1, 0, level)
            if cell_at(job + ORDERS) != 0:
                note_order(job, 0)


def take_message(job: int, entry: int) -> None:
    """One book message."""
    book, last = cell_at(entry + queues.ENTRY_RECORD), cell_at(entry + queues.ENTRY_LAST)
    message = cell_at(entry + queues.ENTRY_NUMBER) + 1
    bid, ask = cell_at(book + at.EVENT_PRICE), cell_at(book + at.EVENT_PRICE2)
    snapshot = cell_at(book) >> 16 & SNAPSHOT != 0
    record, first, by_order = book, cell_at(job + OUT_COUNT), cell_at(job + ORDERS) != 0
    while record < last:
        record += at.EVENT_BYTES
        head = cell_at(record)
        if head & 255 != LEVEL:
            continue
        price, units = cell_at(record + at.EVENT_PRICE), cell_at(record + at.EVENT_QTY)
        side = -1 if head >> 8 & 255 == 255 else 1
        if units > 0 and side > 0:
            put_cell(job + BID, max(price, cell_at(job + BID)))
        elif units > 0 and (price < cell_at(job + ASK) or cell_at(job + ASK) == NO_PRICE):
            put_cell(job + ASK, price)
        if record == last and not snapshot:
            put_cell(job + BID, bid)
            put_cell(job + ASK, ask)
        level, order = level_at(job, key_of(side, price)), 0
        if by_order:
            order = cell_at(record + at.EVENT_PRICE2)
            tell_order(job, record, side, level, 1 if snapshot else 0, message)
        put_cell(level + at.LEVEL_NAMED, message)
        if cell_at(level + at.LEVEL_UNITS) != units:
            change(job, side, price, units, level)
            if by_order:
                note_order(job, order)
    put_cell(job + BID, bid)
    put_cell(job + ASK, ask)
    if snapshot:
        remove_others(job, message)
    put_cell(job + BID_UNITS, best_units(job, BEST_BID, key_of(1, bid)))
    put_cell(job + ASK_UNITS, best_units(job, BEST_ASK, key_of(-1, ask)))
    if cell_at(job + OUT_COUNT) > first:  # the last level may be one that did not change
        row = cell_at(job + OUT) + (cell_at(job + OUT_COUNT) - 1) * at.ROW_BYTES
        put_cell(row + at.ROW_BID, bid)
        put_cell(row + at.ROW_ASK, ask)
        put_cell(row + at.ROW_BID_QTY, cell_at(job + BID_UNITS))
        put_cell(row + at.ROW_ASK_QTY, cell_at(job + ASK_UNITS))


def tell_order(job: int, record: int, side: int, level: int, snapshot: int, message: int) -> None:
    """What a level's record says of an order before the level's quantity counts."""
    price, units = cell_at(record + at.EVENT_PRICE), cell_at(level + at.LEVEL_UNITS)
    if cell_at(record + at.EVENT_QTY2) > 0:
        tell_executed(job, record)
    if snapshot == 1 and cell_at(level + at.LEVEL_NAMED) != message and units != 0:
        change(job, side, price, 0, level)
        note_order(job, 0)


def tell_executed(job: int, record: int) -> None:
    """What was executed of an order, by a level's record."""
    code = at.BOUGHT if cell_at(record) >> 8 & 255 == 255 else at.SOLD
    put_row(job, code, cell_at(record + at.EVENT_PRICE), cell_at(record + at.EVENT_QTY2), 0, 0)
    note_order(job, cell_at(record + at.EVENT_PRICE2))


def best_units(job: int, best: int, key: int) -> int:
    """The quantity at a best price; its level is looked for only where it is another one."""
    level = cell_at(job + best)
    if level == 0 or cell_at(level + at.LEVEL_KEY) != key:
        level = find(cell_at(job + TABLE), cell_at(job + MASK), cell_at(job + LEVELS), key)
        put_cell(job + best, level)
    return cell_at(level + at.LEVEL_UNITS) if level != 0 else 0


def room_for(job: int, entry: int) -> bool:
    """Whether a message has room in the window, and in its levels."""
    rows = (cell_at(entry + queues.ENTRY_LAST) - cell_at(entry + queues.ENTRY_RECORD)) // at.EVENT_BYTES
    levels = cell_at(job + LEVEL_COUNT)
    if cell_at(job + ORDERS) != 0:  # what was executed, or that a level is emptied, has a row of its own
        rows *= 2
    if cell_at(cell_at(entry + queues.ENTRY_RECORD)) >> 16 & SNAPSHOT == 0:
        return cell_at(job + OUT_COUNT) + rows <= cell_at(job + OUT_ROOM) and levels + rows <= cell_at(job + LEVEL_ROOM)
    return cell_at(job + OUT_COUNT) + levels + 2 * rows <= cell_at(job + OUT_ROOM) and levels + rows <= cell_at(
        job + LEVEL_ROOM
    )


def pass_time(job: int, entry: int) -> None:
    """It is the time of an entry; what came too late for its place happens now."""
    ns = cell_at(entry + queues.ENTRY_NS)
    if ns < cell_at(job + EMITTED):
        put_cell(job + LATE, cell_at(job + LATE) + 1)
    else:
        put_cell(job + EMITTED, ns)


def annotate(job: int, _first: int, _second: int, _third: int) -> int:
    """Annotates what waits, up to the limit, or until the window is full.

    Returns:
        ALL_TAKEN or WINDOW_FULL.
    """
    waiting, limit = cell_at(job + QUEUES), cell_at(job + LIMIT)
    books, trades = cell_at(waiting + queues.BOOKS), cell_at(waiting + queues.TRADES)
    book, trade = cell_at(waiting + queues.BOOK_HEAD), cell_at(waiting + queues.TRADE_HEAD)
    book_end, trade_end = cell_at(waiting + queues.BOOK_TAIL), cell_at(waiting + queues.TRADE_TAIL)
    answer = ALL_TAKEN
    while True:
        message, deal = books + book * queues.ENTRY_BYTES, trades + trade * queues.ENTRY_BYTES
        book_ns = cell_at(message + queues.ENTRY_NS) if book < book_end else at.NEVER
        trade_ns = cell_at(deal + queues.ENTRY_NS) if trade < trade_end else at.NEVER
        if min(book_ns, trade_ns) > limit or (book == book_end and trade == trade_end):
            break
        if book_ns < trade_ns:  # of one time, the trade comes first: the message tells what it left
            if not room_for(job, message):
                answer = WINDOW_FULL
                break
            pass_time(job, message)
            take_message(job, message)
            book += 1
        else:
            if cell_at(job + OUT_COUNT) >= cell_at(job + OUT_ROOM):
                answer = WINDOW_FULL
                break
            pass_time(job, deal)
            record = cell_at(deal + queues.ENTRY_RECORD)
            code = at.SOLD if cell_at(record) >> 8 & 255 == 255 else at.BOUGHT
            if cell_at(record) & 255 == BOOK:
                if cell_at(job + ORDERS) != 0:
                    tell_executed(job, record + at.EVENT_BYTES)
            elif cell_at(job + ORDERS) == 0:
                put_row(job, code, cell_at(record + at.EVENT_PRICE), cell_at(record + at.EVENT_QTY), 0, 0)
            trade += 1
    put_cell(waiting + queues.BOOK_HEAD, book)
    put_cell(waiting + queues.TRADE_HEAD, trade)
    return answer


def list_changes(job: int, _first: int, _second: int, _third: int) -> int:
    """Lists the changes of each level of a window that is made; how many they are."""
    levels, changes = cell_at(job + LEVELS), cell_at(job + CHANGES)
    rows, owners = cell_at(job + OUT), cell_at(job + OWNERS)
    listed = 0
    for i in range(cell_at(job + LEVEL_COUNT)):
        level = levels + i * at.LEVEL_BYTES
        put_cell(level + at.LEVEL_CHANGES, changes + listed * at.CHANGE_BYTES)
        listed += cell_at(level + at.LEVEL_CHANGED)
        put_cell(level + at.LEVEL_CHANGED, 0)
    for i in range(cell_at(job + OUT_COUNT)):
        level = cell_at(owners + 8 * i)
        if level != 0:
            count = cell_at(level + at.LEVEL_CHANGED)
            change_of = cell_at(level + at.LEVEL_CHANGES) + count * at.CHANGE_BYTES
            put_cell(change_of + at.CHANGE_ROW, i)
            put_cell(change_of + at.CHANGE_QTY, cell_at(rows + i * at.ROW_BYTES + at.ROW_QTY))
            put_cell(level + at.LEVEL_CHANGED, count + 1)
    return listed


def carry_over(job: int, old_levels: int, old_count: int, _unused: int) -> int:
    """Begins a window with the levels that are there at the end of the one before; how many."""
    table, mask, levels = cell_at(job + TABLE), cell_at(job + MASK), cell_at(job + LEVELS)
    count = 0
    for i in range(old_count):
        old = old_levels + i * at.LEVEL_BYTES
        units = cell_at(old + at.LEVEL_UNITS)
        if units != 0:
            insert(table, mask, levels, count, cell_at(old + at.LEVEL_KEY), units)
            count += 1
    put_cell(job + LEVEL_COUNT, count)
    put_cell(job + BEST_BID, 0)
    put_cell(job + BEST_ASK, 0)
    return count
