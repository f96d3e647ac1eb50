"""The market as a strategy sees it (kernels; hot path): which rows concern it, and when, and its book."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.deep import apply_message
from bloor.market.events import EventKind, Flag
from bloor.market.view import BookState
from bloor.native.memory import cell_at, prefetch, put_cell

__all__ = ["collect", "fetch_ahead", "show_before_ns", "show_book"]

BOOK, LEVEL = int(EventKind.BOOK), int(EventKind.LEVEL)
GAP, CHECKSUM, CLEARED = int(EventKind.GAP), int(EventKind.CHECKSUM), int(EventKind.CLEARED)
SYNCED, UNSEEN = int(BookState.SYNCED), int(Flag.UNSEEN)


def local_ns(record: int) -> int:
    """When a record was received; its venue's time where that is not known."""
    ns = cell_at(record + at.EVENT_RECV)
    return ns if ns != 0 else cell_at(record + at.EVENT_EXCH)


def show(lane: int, record: int) -> None:
    """The strategy sees the book as it is after a ``BOOK`` record."""
    view = cell_at(lane + at.VIEW)
    put_cell(view + at.VIEW_BID, cell_at(record + at.EVENT_PRICE))
    put_cell(view + at.VIEW_BID + 8, cell_at(record + at.EVENT_QTY))
    put_cell(view + at.VIEW_ASK, cell_at(record + at.EVENT_PRICE2))
    put_cell(view + at.VIEW_ASK + 8, cell_at(record + at.EVENT_QTY2))
    put_cell(view + at.VIEW_SEQ, cell_at(record + at.EVENT_SEQ))
    put_cell(view + at.VIEW_EXCH, cell_at(record + at.EVENT_EXCH))
    put_cell(view + at.VIEW_RECV, cell_at(record + at.EVENT_RECV))
    put_cell(view + at.VIEW_STATE, SYNCED)


def show_book(lane: int, seen: int, top: int) -> None:
    """The strategy sees the last of the book's rows that were seen, where it has not yet.

    Args:
        lane: Address of the lane.
        seen: How many of them were, in this window.
        top: Address of the last one's record.
    """
    if seen <= cell_at(lane + at.BOOK_AT):
        return
    put_cell(lane + at.BOOK_AT, seen)
    if cell_at(lane + at.DEEP) != 0:
        known = cell_at(lane + at.BOOKS) + at.KNOWN_BYTES * (seen - 1)
        apply_message(lane, cell_at(known + at.KNOWN_ROW))
    else:
        show(lane, top)


def fetch_ahead(sight: int) -> None:
    """Has the processor fetch what a visit in a while will look at."""
    ahead = sight + at.SIGHT_SPARE * at.SIGHT_BYTES
    prefetch(cell_at(ahead + at.SIGHT_EVENT))
    prefetch(cell_at(ahead + at.SIGHT_TOP))


def show_before_ns(lane: int, ns: int) -> None:
    """The strategy sees the book as it was before a time."""
    books, count = cell_at(lane + at.BOOKS), cell_at(lane + at.BOOK_COUNT)
    before = cell_at(lane + at.BOOK_AT)
    low, step = before, 1
    times = books + at.KNOWN_NS
    # the first row that is not before the time lies in (low - 1, high]
    while low + step <= count and cell_at(times + at.KNOWN_BYTES * (low + step - 1)) < ns:
        low += step
        step *= 2
    high = min(count, low + step)
    while low < high:
        middle = (low + high) >> 1
        if cell_at(times + at.KNOWN_BYTES * middle) < ns:
            low = middle + 1
        else:
            high = middle
    if low > before:
        show_book(lane, low, cell_at(books + at.KNOWN_BYTES * (low - 1) + at.KNOWN_TOP))


def put_sight(sight: int, ns: int, books: int, event: int, top: int) -> None:
    """Writes one of the events that are handed on."""
    put_cell(sight + at.SIGHT_NS, ns)
    put_cell(sight + at.SIGHT_BOOKS, books)
    put_cell(sight + at.SIGHT_EVENT, event)
    put_cell(sight + at.SIGHT_TOP, top)


def collect(lane: int, wants: int, state: int, _unused: int) -> int:
    """Lists the rows of a window that concern the strategies, and those of the book.

    A row is known from its local time on, but not before the row ahead of it: what was held back until a snapshot came
    is known since then.

    Args:
        lane: Address of the lane; its arrays have room for every row, one more, and those to spare.
        wants: Bits of kinds of events that are handed on.
        state: 1 when the book is in sync at the beginning.

    Returns:
        1 when it is at the end.
    """
    rows, visits, books = cell_at(lane + at.ROWS), cell_at(lane + at.VISITS), cell_at(lane + at.BOOKS)
    seen = top = 0
    sight = visits
    count, begin_ns = cell_at(lane + at.ROW_COUNT), cell_at(lane + at.BEGIN_NS)
    early = begin_ns > 0
    ns = cell_at(lane + at.SEEN_NS)
    for row in range(count):
        record = rows + row * at.EVENT_BYTES
        head = cell_at(record)
        kind = head & 255
        if kind == LEVEL:
            continue
        ns = max(ns, local_ns(record))
        early = early and ns < begin_ns
        if early and kind != BOOK:
            continue
        handed = wants >> kind & 1 != 0
        if kind == BOOK:
            known, top = books + at.KNOWN_BYTES * seen, record
            seen += 1
            put_cell(known + at.KNOWN_NS, ns)
            put_cell(known + at.KNOWN_TOP, top)
            put_cell(known + at.KNOWN_ROW, row)
            handed = not early and head >> 16 & UNSEEN == 0 and (state == 0 or handed)
            if handed:
                state = 1
        elif kind in (GAP, CHECKSUM, CLEARED):
            handed = True
            state = 0
        if handed:
            put_sight(sight, ns, seen, record, top)
            sight += at.SIGHT_BYTES
    if count > 0:
        put_sight(sight, ns, seen, 0, top)
        sight += at.SIGHT_BYTES
    put_cell(lane + at.SEEN_NS, ns)
    put_cell(lane + at.VISIT, 0)
    put_cell(lane + at.VISIT_COUNT, (sight - visits) // at.SIGHT_BYTES)
    put_cell(lane + at.BOOK_COUNT, seen)
    put_cell(lane + at.BOOK_AT, 0)
    put_cell(lane + at.DEEP_ROW, 0)
    return state
