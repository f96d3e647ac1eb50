"""The market as a strategy sees it (kernels; hot path): which rows concern it, and when, and its book."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.deep import apply_message
from bloor.market.events import EventKind, Flag
from bloor.market.view import BookState
from bloor.native.memory import cell_at, prefetch, put_cell

__all__ = ["collect", "fetch_ahead", "show_before_ns", "show_to"]

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


def show_book(lane: int, seen: int, before: int) -> None:
    """The strategy sees the last of the book's rows that were seen.

    Args:
        lane: Address of the lane.
        seen: How many of them were, in this window.
        before: How many the view knows of.
    """
    if seen == before:
        return
    put_cell(lane + at.BOOK_AT, seen)
    row = cell_at(cell_at(lane + at.BOOKS) + at.SIGHT_BYTES * (seen - 1))
    if cell_at(lane + at.DEEP) != 0:
        apply_message(lane, row)
    else:
        show(lane, cell_at(lane + at.ROWS) + row * at.EVENT_BYTES)
        put_cell(lane + at.DEEP_ROW, row + 1)


def show_to(lane: int, sight: int) -> None:
    """The strategy sees the book as it was at a visit."""
    before = cell_at(lane + at.BOOK_AT)
    show_book(lane, max(before, cell_at(sight + at.SIGHT_BOOKS)), before)


def fetch_ahead(lane: int, sight: int) -> None:
    """Has the processor fetch what a visit in a while will look at."""
    rows, seen = cell_at(lane + at.ROWS), cell_at(sight + at.SIGHT_BOOKS)
    prefetch(rows + (cell_at(sight + at.SIGHT_ROW) & at.LOW32) * at.EVENT_BYTES)
    if seen > 0:
        book = cell_at(lane + at.BOOKS) + at.SIGHT_BYTES * (seen - 1)
        prefetch(rows + cell_at(book + at.SIGHT_ROW) * at.EVENT_BYTES)


def show_before_ns(lane: int, ns: int) -> None:
    """The strategy sees the book as it was before a time."""
    times, count = cell_at(lane + at.BOOKS) + at.SIGHT_NS, cell_at(lane + at.BOOK_COUNT)
    before = cell_at(lane + at.BOOK_AT)
    low, step = before, 1
    # the first row that is not before the time lies in (low - 1, high]
    while low + step <= count and cell_at(times + at.SIGHT_BYTES * (low + step - 1)) < ns:
        low += step
        step *= 2
    high = min(count, low + step)
    while low < high:
        middle = (low + high) >> 1
        if cell_at(times + at.SIGHT_BYTES * middle) < ns:
            low = middle + 1
        else:
            high = middle
    show_book(lane, low, before)


def put_sight(sights: int, number: int, row: int, ns: int, books: int) -> None:
    """Writes one of a list of rows and when they are known here."""
    sight = sights + at.SIGHT_BYTES * number
    put_cell(sight + at.SIGHT_ROW, row)
    put_cell(sight + at.SIGHT_NS, ns)
    put_cell(sight + at.SIGHT_BOOKS, books)


def collect(lane: int, wants: int, state: int, _unused: int) -> int:
    """Lists the rows of a window that concern the strategies, and those of the book.

    A row is known from its local time on, but not before the row ahead of it: what was held back until a snapshot came
    is known since then.

    Args:
        lane: Address of the lane; its arrays have room for every row, and one more.
        wants: Bits of kinds of events that are handed on.
        state: 1 when the book is in sync at the beginning.

    Returns:
        1 when it is at the end.
    """
    rows, visits, books = cell_at(lane + at.ROWS), cell_at(lane + at.VISITS), cell_at(lane + at.BOOKS)
    visited = seen = 0
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
        if kind == BOOK:
            seen += 1
            put_sight(books, seen - 1, row, ns, seen)
            if not early and head >> 16 & UNSEEN == 0 and (state == 0 or wants >> kind & 1 != 0):
                put_sight(visits, visited, row, ns, seen)
                visited += 1
                state = 1
        elif kind in (GAP, CHECKSUM, CLEARED):
            put_sight(visits, visited, row, ns, seen)
            visited += 1
            state = 0
        elif wants >> kind & 1 != 0:
            put_sight(visits, visited, row, ns, seen)
            visited += 1
    if count > 0:
        put_sight(visits, visited, (count - 1) | at.MARK, ns, seen)
        visited += 1
    put_cell(lane + at.SEEN_NS, ns)
    put_cell(lane + at.VISIT, 0)
    put_cell(lane + at.VISIT_COUNT, visited)
    put_cell(lane + at.BOOK_COUNT, seen)
    put_cell(lane + at.BOOK_AT, 0)
    put_cell(lane + at.DEEP_ROW, 0)
    return state
