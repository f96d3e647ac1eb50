"""The levels of the book as a strategy sees it (kernels; hot path): only where a strategy asks for them.

The ladder is the same that a run keeps (:mod:`bloor.market.ladder`), brought forward message by message from the
stored levels.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import fault
from bloor.market.events import EventKind, Flag
from bloor.market.ladder import CORE_CELLS, ROOM, finish, reset, set_level
from bloor.market.view import BookState
from bloor.native.memory import cell_at, cells_at, put_cell

__all__ = ["apply_message", "apply_rows"]

BOOK, LEVEL = int(EventKind.BOOK), int(EventKind.LEVEL)
SNAPSHOT, LAST = int(Flag.SNAPSHOT), int(Flag.LAST)
SYNCED = int(BookState.SYNCED)
#: Levels that the ladder must have room for before a message is applied.
SPARE = 1 << 12


def apply_message(lane: int, book_row: int) -> None:
    """Applies every message up to the one that begins at a row of the book.

    Args:
        lane: Address of the lane.
        book_row: Number of the ``BOOK`` record.
    """
    core = cells_at(cell_at(lane + at.DEEP), CORE_CELLS)
    far = cells_at(cell_at(lane + at.DEEP_FAR), cell_at(lane + at.DEEP_FAR_CELLS))
    rows, count, row = cell_at(lane + at.ROWS), cell_at(lane + at.ROW_COUNT), cell_at(lane + at.DEEP_ROW)
    inside, head_record = False, 0
    while row < count and (row <= book_row or inside):
        record = rows + row * at.EVENT_BYTES
        head = cell_at(record)
        kind, flags = head & 255, head >> 16 & 65535
        if kind == BOOK:
            if core[ROOM] < SPARE:
                fault(lane, at.FAULT_FAR)
                return
            inside, head_record = True, record
            if flags & SNAPSHOT != 0:
                reset(core, far)
        elif kind == LEVEL:
            which = 1 if head >> 8 & 255 == 255 else 0
            set_level(core, far, which, cell_at(record + at.EVENT_PRICE), cell_at(record + at.EVENT_QTY))
        if kind in (BOOK, LEVEL) and flags & LAST != 0:
            inside = False
            seq, exch_ns = cell_at(head_record + at.EVENT_SEQ), cell_at(head_record + at.EVENT_EXCH)
            finish(core, far, seq, exch_ns, cell_at(head_record + at.EVENT_RECV))
            core[at.VIEW_STATE // 8] = SYNCED
        row += 1
    put_cell(lane + at.DEEP_ROW, row)


def apply_rows(lane: int, count: int) -> int:
    """Applies every message that begins in the first rows of the window; the row behind the last one that was used.

    Args:
        lane: Address of the lane.
        count: How many rows.
    """
    if count > 0:
        apply_message(lane, count - 1)
    return cell_at(lane + at.DEEP_ROW)
