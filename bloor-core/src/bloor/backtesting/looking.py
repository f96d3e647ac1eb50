"""A look over one window of stored events (kernel): what :mod:`bloor.backtesting.survey` puts together."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.market.events import NO_PRICE, EventKind, Flag
from bloor.native.memory import cell_at, put_cell

__all__ = ["look"]

ROWS = 0  # address of the records
ROW_COUNT = 8
END_NS = 16  # local time of the newest
BEGIN_NS = 24  # of the first that has one
BOOKS = 32
TRADES = 40
CROSSED = 48
UNSORTED = 56  # the first record that is too early, -1 of none
BAD = 64  # the first with a price or a quantity that is none
LOST_NS = 72  # since when the book cannot be believed; 0 while it can
GRID = 80  # how far apart marks are, ns
TOOK = 88  # address of times from the venue to here, how many
TOOK_COUNT = 96
GAPS = 104  # address of pairs: from when to when there was no book
GAP_COUNT = 112
MARKS = 120  # address of pairs: time, twice the mid
MARK_COUNT = 128
KNOWN_NS = 136  # when the newest record was received that keeps no earlier one's time
LOOK_CELLS = 18

TRADE, AGG_TRADE, BOOK, LEVEL, GAP, CHECKSUM, CLEARED = (
    int(EventKind.TRADE), int(EventKind.AGG_TRADE), int(EventKind.BOOK), int(EventKind.LEVEL), int(EventKind.GAP),
    int(EventKind.CHECKSUM), int(EventKind.CLEARED),
)  # fmt: skip
#: Such a record keeps the time of an earlier one: a repeated book, changes that were held back for a snapshot.
LATE = int(Flag.UNSEEN | Flag.BUFFERED)
#: The time of such a record says nothing of the way from the venue.
UNTIMED = int(Flag.UNSEEN | Flag.BUFFERED | Flag.SNAPSHOT)


def note_pair(job: int, where: int, count: int, first: int, second: int) -> None:
    """Adds a pair to a list."""
    n = cell_at(job + count)
    pair = cell_at(job + where) + 16 * n
    put_cell(pair, first)
    put_cell(pair + 8, second)
    put_cell(job + count, n + 1)


def note_state(job: int, kind: int, ns: int) -> None:
    """Keeps since when the book is lost; what loses it, or a book message, has come."""
    lost_ns = cell_at(job + LOST_NS)
    if kind != BOOK:
        if lost_ns == 0:
            put_cell(job + LOST_NS, ns)
    elif lost_ns != 0:
        note_pair(job, GAPS, GAP_COUNT, lost_ns, ns)
        put_cell(job + LOST_NS, 0)


def look(job: int, _first: int, _second: int, _third: int) -> int:
    """Looks at every record of a window; DONE."""
    record, count, grid = cell_at(job + ROWS), cell_at(job + ROW_COUNT), cell_at(job + GRID)
    local = cell_at(job + END_NS)
    known = cell_at(job + KNOWN_NS)
    mark_ns = mark_mid2 = 0
    for i in range(count):
        head = cell_at(record)
        kind, flags = head & 255, head >> 16
        exch_ns, recv_ns = cell_at(record + at.EVENT_EXCH), cell_at(record + at.EVENT_RECV)
        price = cell_at(record + at.EVENT_PRICE)
        local = max(local, recv_ns if recv_ns > 0 else exch_ns)
        if cell_at(job + BEGIN_NS) == 0 and local > 0:
            put_cell(job + BEGIN_NS, local)
        if recv_ns > 0 and flags & LATE == 0:
            if recv_ns < known and cell_at(job + UNSORTED) < 0:
                put_cell(job + UNSORTED, i)
            known = recv_ns
        is_trade = kind in (TRADE, AGG_TRADE)
        is_bad = price <= 0 or cell_at(record + at.EVENT_QTY) < 0
        if is_bad and (is_trade or kind == LEVEL) and cell_at(job + BAD) < 0:
            put_cell(job + BAD, i)
        if (is_trade or kind == BOOK) and exch_ns > 0 and recv_ns > 0 and flags & UNTIMED == 0:
            n = cell_at(job + TOOK_COUNT)
            put_cell(cell_at(job + TOOK) + 8 * n, recv_ns - exch_ns)
            put_cell(job + TOOK_COUNT, n + 1)
        if is_trade:
            put_cell(job + TRADES, cell_at(job + TRADES) + 1)
        elif kind == BOOK:
            put_cell(job + BOOKS, cell_at(job + BOOKS) + 1)
            note_state(job, kind, local)
            ask = cell_at(record + at.EVENT_PRICE2)
            if price != NO_PRICE and ask != NO_PRICE:
                if price >= ask:
                    put_cell(job + CROSSED, cell_at(job + CROSSED) + 1)
                if mark_mid2 != 0 and local // grid != mark_ns // grid:
                    note_pair(job, MARKS, MARK_COUNT, mark_ns, mark_mid2)
                mark_ns, mark_mid2 = local, price + ask
        elif kind in (GAP, CHECKSUM, CLEARED):
            note_state(job, kind, local)
        record += at.EVENT_BYTES
    if mark_mid2 != 0:
        note_pair(job, MARKS, MARK_COUNT, mark_ns, mark_mid2)
    put_cell(job + END_NS, local)
    put_cell(job + KNOWN_NS, known)
    return at.DONE
