"""What concerns the venue's side of stored events, in two queues by the venue's time (kernels; hot path of preparing).

Book messages never overtake each other, so theirs is in order as it is; trades are put in order as they come, which
costs a step or two where they are nearly so. What was executed of an order and is told by itself goes with the trades.

How far the venue's clock is ahead is learned on the way (``LEARNS``): by the fastest message so far, never by a later
one, so that data which end earlier have the same times.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.market.events import EventKind, Flag
from bloor.native.memory import cell_at, put_cell

__all__ = ["SHORTEST_NS", "gather"]

#: The shortest time that is believed between something at the venue and its news here.
SHORTEST_NS = 1_000_000

# a job
ROWS = 0  # address of the records
ROW_COUNT = 8
OFFSET = 16  # what is taken off the venue's times, ns
NUMBER = 24  # of the first record, counted over all windows
BOOKS = 32  # the queue of book messages: address, the first entry, the one after the last
BOOK_HEAD = 40
BOOK_TAIL = 48
TRADES = 56  # that of trades
TRADE_HEAD = 64
TRADE_TAIL = 72
SYNCED = 80  # 1 when the book is known: since a snapshot
NEWEST_BOOK = 88  # time of the newest book message
NEWEST = 96  # of anything
TRADE_KIND = 104  # the kind of trades that are counted, 0 before the first
BOOK_OFFSET = 112  # what is taken off the times of book messages, ns
LEARNS = 120  # 1 when more is taken off as soon as something was received sooner
JOB_CELLS = 16

# an entry of a queue
ENTRY_BYTES = 32
ENTRY_RECORD = 0  # address of a BOOK record or a trade
ENTRY_NS = 8
ENTRY_NUMBER = 16
ENTRY_LAST = 24  # address of the last record of the book message

TRADE, AGG_TRADE, BOOK, LEVEL, GAP, CHECKSUM, CLEARED = (
    int(EventKind.TRADE), int(EventKind.AGG_TRADE), int(EventKind.BOOK), int(EventKind.LEVEL), int(EventKind.GAP),
    int(EventKind.CHECKSUM), int(EventKind.CLEARED),
)  # fmt: skip
SNAPSHOT, REPEATED = int(Flag.SNAPSHOT), int(Flag.UNSEEN | Flag.SNAPSHOT)
EXECUTED = int(Flag.UNSEEN)  # of these two: what was executed of an order, told after its change (bloor.storage.tap)
UNTIMED = int(Flag.UNSEEN | Flag.BUFFERED | Flag.SNAPSHOT)  # received much later than it was sent, or without a time


def put_entry(entry: int, record: int, ns: int, number: int) -> None:
    """Writes an entry."""
    put_cell(entry + ENTRY_RECORD, record)
    put_cell(entry + ENTRY_NS, ns)
    put_cell(entry + ENTRY_NUMBER, number)
    put_cell(entry + ENTRY_LAST, record)


def learn(job: int, record: int, flags: int) -> None:
    """Something that was received before it happened moves the venue's times back from here on."""
    exch_ns, recv_ns = cell_at(record + at.EVENT_EXCH), cell_at(record + at.EVENT_RECV)
    if exch_ns <= recv_ns or recv_ns <= 0 or flags & UNTIMED != 0:
        return
    more = exch_ns - recv_ns + SHORTEST_NS - cell_at(job + OFFSET)
    if more > 0:
        put_cell(job + OFFSET, cell_at(job + OFFSET) + more)
        put_cell(job + BOOK_OFFSET, cell_at(job + BOOK_OFFSET) + more)


def add_trade(job: int, record: int, number: int) -> None:
    """Puts a trade where it belongs; one without a time of the venue happened when it was received."""
    said = cell_at(record + at.EVENT_EXCH)
    ns = said - cell_at(job + OFFSET) if said != 0 else cell_at(record + at.EVENT_RECV)
    queue, head, tail = cell_at(job + TRADES), cell_at(job + TRADE_HEAD), cell_at(job + TRADE_TAIL)
    put_cell(job + TRADE_TAIL, tail + 1)
    entry = queue + tail * ENTRY_BYTES
    while tail > head and cell_at(entry - ENTRY_BYTES + ENTRY_NS) > ns:
        for cell in range(0, ENTRY_BYTES, 8):
            put_cell(entry + cell, cell_at(entry - ENTRY_BYTES + cell))
        entry -= ENTRY_BYTES
        tail -= 1
    put_entry(entry, record, ns, number)
    put_cell(job + NEWEST, max(ns, cell_at(job + NEWEST)))


def settle_missing(job: int, first: int, ns: int) -> None:
    """Gives messages without a time of the venue's, from ``first`` on, that of the one after them."""
    queue, tail = cell_at(job + BOOKS), cell_at(job + BOOK_TAIL)
    ns = max(ns, cell_at(job + NEWEST_BOOK))
    for i in range(first, tail):
        put_cell(queue + i * ENTRY_BYTES + ENTRY_NS, ns)
    put_cell(job + NEWEST_BOOK, ns)
    put_cell(job + NEWEST, max(ns, cell_at(job + NEWEST)))


def gather(job: int, _first: int, _second: int, _third: int) -> int:
    """Adds the records of a window to the queues, which have room for them.

    A book that is repeated where a stored day begins is left out, and so are trades of the kind that came second: the
    same trades, told otherwise.

    Returns:
        How many of the book's messages wait.
    """
    record, count, number = cell_at(job + ROWS), cell_at(job + ROW_COUNT), cell_at(job + NUMBER)
    queue, learns = cell_at(job + BOOKS), cell_at(job + LEARNS) != 0
    entry, missing = 0, -1
    end = record + count * at.EVENT_BYTES
    while record < end:
        head = cell_at(record)
        kind = head & 255
        if kind == LEVEL:
            if entry != 0:
                put_cell(entry + ENTRY_LAST, record)
        elif kind == BOOK:
            entry = 0
            if learns:
                learn(job, record, head >> 16)
            if head >> 16 & REPEATED == EXECUTED:
                add_trade(job, record, number)
            elif head >> 16 & REPEATED != REPEATED or cell_at(job + SYNCED) == 0:
                tail, ns = cell_at(job + BOOK_TAIL), cell_at(record + at.EVENT_EXCH)
                entry = queue + tail * ENTRY_BYTES
                put_entry(entry, record, 0, number)
                put_cell(job + BOOK_TAIL, tail + 1)
                if missing < 0:
                    missing = tail
                if ns != 0:
                    settle_missing(job, missing, ns - cell_at(job + BOOK_OFFSET))
                    missing = -1
            if head >> 16 & SNAPSHOT != 0:
                put_cell(job + SYNCED, 1)
        elif kind in (TRADE, AGG_TRADE):
            if learns:
                learn(job, record, head >> 16)
            counted = cell_at(job + TRADE_KIND)
            if counted == 0:
                put_cell(job + TRADE_KIND, kind)
            if counted in (0, kind):
                add_trade(job, record, number)
        elif kind in (GAP, CHECKSUM, CLEARED):
            put_cell(job + SYNCED, 0)
        number += 1
        record += at.EVENT_BYTES
    if missing >= 0:
        last = cell_at(queue + (cell_at(job + BOOK_TAIL) - 1) * ENTRY_BYTES + ENTRY_RECORD)
        settle_missing(job, missing, cell_at(last + at.EVENT_RECV))
    put_cell(job + NUMBER, number)
    return cell_at(job + BOOK_TAIL) - cell_at(job + BOOK_HEAD)
