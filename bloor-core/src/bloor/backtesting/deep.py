"""The levels of the book as a strategy sees it (kernels; hot path): only where a strategy asks for them.

The ladder is the same that a run keeps (:mod:`bloor.market.ladder`), brought forward message by message from the
stored levels.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.messages import make_room
from bloor.market.events import EventKind, Flag
from bloor.market.ladder import CORE_CELLS, FAR_ADDRESS, FAR_SIZE, ROOM, finish, rehash, reset, set_level
from bloor.market.view import BookState
from bloor.native.memory import cell_at, cells_at, put_cell

__all__ = ["apply_message", "apply_rows", "move_far"]

BOOK, LEVEL = int(EventKind.BOOK), int(EventKind.LEVEL)
SNAPSHOT, LAST = int(Flag.SNAPSHOT), int(Flag.LAST)
SYNCED = int(BookState.SYNCED)


def apply_message(lane: int, book_row: int) -> None:
    """Applies every message up to the one that begins at a row of the book.

    Args:
        lane: Address of the lane.
        book_row: Number of the ``BOOK`` record.
    """
    core = cells_at(cell_at(lane + at.DEEP), CORE_CELLS)
    far = cells_at(core[FAR_ADDRESS], core[FAR_SIZE])
    rows, count, row = cell_at(lane + at.ROWS), cell_at(lane + at.ROW_COUNT), cell_at(lane + at.DEEP_ROW)
    inside, head_record, room = False, 0, 0
    while row < count and (row <= book_row or inside):
        record = rows + row * at.EVENT_BYTES
        head = cell_at(record)
        kind, flags = head & 255, head >> 16 & 65535
        if kind == BOOK:
            inside, head_record = True, record
            if flags & SNAPSHOT != 0:
                reset(core, far)
            room = core[ROOM]
        elif kind == LEVEL:
            if room == 0:
                core[ROOM] = 0
                if not make_room(lane, at.ROOM_LEVELS):
                    return
                far = cells_at(core[FAR_ADDRESS], core[FAR_SIZE])
                room = core[ROOM]
            room -= 1
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


def move_far(core_cells: int, far: int, size: int, _unused: int) -> int:
    """Moves the far levels of a ladder to where there is more room; 0.

    Args:
        core_cells: Address of its core.
        far: Address of zeroed cells.
        size: How many they are.
    """
    core = cells_at(core_cells, CORE_CELLS)
    rehash(core, cells_at(core[FAR_ADDRESS], core[FAR_SIZE]), cells_at(far, size))
    core[FAR_ADDRESS], core[FAR_SIZE] = far, size
    return 0
