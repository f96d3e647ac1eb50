"""Changes of a book and its best levels, checked for gaps and applied (kernels; hot path).

Whatever is not the plain continuation of a synchronised book is the reference's: gaps, held changes, first snapshots.
"""

from __future__ import annotations

from bloor.market.compiled.answers import BOOK, CROSSED, DROPPED, SLOT_SHIFT, UNSURE
from bloor.market.compiled.context import BOOK as BOOK_CELL
from bloor.market.compiled.context import EVENT, INSTRUMENT, LEVELS, LEVELS_CAP, NUMBER, RULE, SETTINGS
from bloor.market.compiled.record import write_event
from bloor.market.compiled.sequence import AHEAD, OLD, change_relation
from bloor.market.ladder import CORE_CELLS, FAR_ADDRESS, FAR_SIZE, ROOM, apply, load
from bloor.native.memory import Cells, cell_at, cells_at, rows_at
from bloor_binance.compiled.fields import integer, time_ns
from bloor_binance.compiled.layout import (
    ASKS,
    BIDS,
    KEY_E,
    KEY_U,
    SEEN,
    SLOT,
    STREAM,
    STREAM_PARTIAL,
    USDM,
    KEY_a,
    KEY_asks,
    KEY_b,
    KEY_bids,
    KEY_lastUpdateId,
    KEY_pu,
    KEY_s,
    KEY_u,
)
from bloor_binance.compiled.scan import read_rest

__all__ = ["best_levels", "depth"]

#: The number of :class:`bloor.market.events.EventKind`, and the bit of :class:`bloor.market.events.Flag`.
KIND_BOOK, FLAG_SNAPSHOT = 4, 1
#: States of a book (:class:`bloor.market.view.BookState`), and the cell of a core that has it.
UNSYNCED, SPLICING, SYNCED = 0, 1, 2
SEQ_CELL, STATE_CELL = 4, 7

CHANGE_KEYS = 1 << KEY_E | 1 << KEY_U | 1 << KEY_u | 1 << KEY_b | 1 << KEY_a
BEST_KEYS = 1 << KEY_lastUpdateId | 1 << KEY_bids | 1 << KEY_asks
#: Keys of the other shape: with them, whose levels were read is in doubt.
NOT_CHANGE_KEYS = 1 << KEY_bids | 1 << KEY_asks
NOT_BEST_KEYS = 1 << KEY_b | 1 << KEY_a | 1 << KEY_s


def depth(context: Cells, end: int, recv_ns: int) -> int:
    """A ``depthUpdate``: changes, or on USD-M the best levels too."""
    seen = context[SEEN]
    if seen & CHANGE_KEYS != CHANGE_KEYS or seen & NOT_CHANGE_KEYS != 0:
        return UNSURE
    first, last, exch_ns = integer(context, KEY_U), integer(context, KEY_u), time_ns(context, KEY_E)
    if first < 0 or last < first or exch_ns < 0 or read_rest(context, KEY_b, KEY_a, end) == 0:
        return UNSURE
    before = -1
    if context[SETTINGS] == USDM:
        if context[STREAM] == STREAM_PARTIAL:
            return take_snapshot(context, last, exch_ns, recv_ns)
        if seen & (1 << KEY_pu) == 0:
            return UNSURE
        before = integer(context, KEY_pu)
        if before < 0:
            return UNSURE
    return take_change(context, first, last, before, exch_ns, recv_ns)


def best_levels(context: Cells, end: int, recv_ns: int) -> int:
    """The best levels of a book on spot, which say neither their kind nor their time nor whose they are."""
    seen = context[SEEN]
    if seen & BEST_KEYS != BEST_KEYS or seen & NOT_BEST_KEYS != 0:
        return UNSURE
    if context[STREAM] != STREAM_PARTIAL or context[SLOT] == 0:
        return UNSURE
    last = integer(context, KEY_lastUpdateId)
    if last < 0 or read_rest(context, KEY_bids, KEY_asks, end) == 0:
        return UNSURE
    return take_snapshot(context, last, 0, recv_ns)


def take_change(context: Cells, first: int, last: int, before: int, exch_ns: int, recv_ns: int) -> int:
    """Applies a change that continues the book."""
    slot = context[SLOT]
    address = cell_at(slot + 8 * BOOK_CELL)
    if address == 0:
        return UNSURE
    core = cells_at(address, CORE_CELLS)
    state = core[STATE_CELL]
    if state == UNSYNCED:
        return UNSURE
    how = change_relation(context[RULE], core[SEQ_CELL], first, last, before, 1 if state == SPLICING else 0)
    if how == OLD:
        return DROPPED + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)
    bids, asks = context[BIDS], context[ASKS]
    if how == AHEAD or bids + asks > core[ROOM]:
        return UNSURE
    far = cells_at(core[FAR_ADDRESS], core[FAR_SIZE])
    crossed = apply(core, far, rows_at(context[LEVELS], LEVELS_CAP), bids, asks, last, exch_ns, recv_ns)
    core[STATE_CELL] = SYNCED
    return answer(context, slot, core, crossed, 0)


def take_snapshot(context: Cells, last: int, exch_ns: int, recv_ns: int) -> int:
    """Replaces a book that is kept by snapshots of its best levels alone."""
    slot = context[SLOT]
    address = cell_at(slot + 8 * BOOK_CELL)
    if address == 0:
        return UNSURE
    core = cells_at(address, CORE_CELLS)
    state = core[STATE_CELL]
    if state == SYNCED or (state == SPLICING and last < core[SEQ_CELL]):
        return DROPPED + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)
    bids, asks = context[BIDS], context[ASKS]
    far = cells_at(core[FAR_ADDRESS], core[FAR_SIZE])
    if state == UNSYNCED or bids + asks > (far.size >> 2) // 4 * 3:
        return UNSURE
    crossed = load(core, far, rows_at(context[LEVELS], LEVELS_CAP), bids, asks, last, exch_ns, recv_ns)
    return answer(context, slot, core, crossed, FLAG_SNAPSHOT)


def answer(context: Cells, slot: int, core: Cells, crossed: int, flags: int) -> int:
    """The record of a book message that was applied."""
    number = cell_at(slot + 8 * NUMBER) << SLOT_SHIFT
    if crossed != 0:
        return CROSSED + number
    write_event(
        context[EVENT], KIND_BOOK, 0, flags, cell_at(slot + 8 * INSTRUMENT),
        core[4], core[5], core[6], core[0], core[1], core[2], core[3],
    )  # fmt: skip
    return BOOK + number
