"""The compiled form of :class:`~bloor_risk.stale_book.StaleBook` (kernel; hot path)."""

from __future__ import annotations

from bloor.native.memory import cell_at, sum_above
from bloor.risk.layout import RECV_NS, STATE, SYNCED

__all__ = ["MAX_AGE_NS", "check"]

# the cells
MAX_AGE_NS = 0

BOOK_UNSYNCHRONISED = 1
BOOK_STALE = 2
BOOK_FROM_FUTURE = 3


def check(cells: int, _intent: int, book: int, _exposure: int, now_ns: int) -> int:
    """Looks at the state first: the age of an unsynchronised book means nothing."""
    if cell_at(book + 8 * STATE) != SYNCED:
        return BOOK_UNSYNCHRONISED
    received = cell_at(book + 8 * RECV_NS)
    if now_ns < received:
        return BOOK_FROM_FUTURE
    return BOOK_STALE if sum_above(now_ns, 1, received, -1, 0, 0, cell_at(cells + 8 * MAX_AGE_NS)) else 0
