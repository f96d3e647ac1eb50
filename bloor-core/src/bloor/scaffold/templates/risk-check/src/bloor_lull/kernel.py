"""The compiled form of the check: functions of integers, which bloor compiles once and keeps.

The arguments are addresses, and the time; :mod:`bloor.risk.layout` says where each field of a record is. Both forms
answer the same for every order.
"""

from __future__ import annotations

from bloor.market.events import NO_PRICE
from bloor.native.memory import cell_at, sum_above
from bloor.risk.layout import BEST_ASK, BEST_BID

__all__ = ["BOOK_ONE_SIDED", "ONE", "SPREAD_ABOVE_MAX", "check"]

#: One as a part of a price; a basis point is 10,000 of it.
ONE = 100_000_000

BOOK_ONE_SIDED = 1
SPREAD_ABOVE_MAX = 2


def check(cells: int, _intent: int, book: int, _exposure: int, _now_ns: int) -> int:
    """Whether twice the spread is more than the limit's part of bid and ask; the sum is exact whatever the size."""
    bid, ask = cell_at(book + 8 * BEST_BID), cell_at(book + 8 * BEST_ASK)
    if bid == NO_PRICE or ask == NO_PRICE:
        return BOOK_ONE_SIDED
    parts = cell_at(cells)
    return SPREAD_ABOVE_MAX if sum_above(ask, 2 * ONE - parts, bid, -2 * ONE - parts, 0, 0, 0) else 0
