"""The compiled form of :class:`~bloor_risk.price_collar.PriceCollar` (kernel; hot path).

A price ``p`` of a buy is more than ``x`` parts of ``ONE`` above the mid ``m / 2`` when ``2 * p * ONE > (ONE + x) * m``,
and more than ``x`` below it when ``(ONE - x) * m > 2 * p * ONE``; of a sell, the other way round. As sums of products
these are exact whatever the numbers.
"""

from __future__ import annotations

from bloor.market.events import NO_PRICE
from bloor.native.memory import cell_at, sum_above
from bloor.risk.layout import BEST_ASK, BEST_BID, PRICE, RECV_NS, SIDE, STATE, SYNCED

__all__ = ["AWAY", "MAX_AGE_NS", "ONE", "THROUGH", "check"]

# the cells
THROUGH = 0
AWAY = 1
MAX_AGE_NS = 2

#: One as a part of a price: a basis point is 1e-4, and a limit may have 1e-4 of it.
ONE = 100_000_000

REFERENCE_UNSYNCHRONISED = 1
REFERENCE_ONE_SIDED = 2
REFERENCE_CROSSED = 3
REFERENCE_STALE = 4
PRICE_THROUGH_COLLAR = 5
PRICE_AWAY_FROM_COLLAR = 6


def check(cells: int, intent: int, book: int, _exposure: int, now_ns: int) -> int:
    """Compares the price with the mid, exactly, in twice ticks."""
    if cell_at(book + 8 * STATE) != SYNCED:
        return REFERENCE_UNSYNCHRONISED
    bid, ask = cell_at(book + 8 * BEST_BID), cell_at(book + 8 * BEST_ASK)
    if bid == NO_PRICE or ask == NO_PRICE:
        return REFERENCE_ONE_SIDED
    if bid >= ask:
        return REFERENCE_CROSSED
    received = cell_at(book + 8 * RECV_NS)
    if now_ns < received or sum_above(now_ns, 1, received, -1, 0, 0, cell_at(cells + 8 * MAX_AGE_NS)):
        return REFERENCE_STALE
    price = cell_at(intent + 8 * PRICE)
    through, away = cell_at(cells + 8 * THROUGH), cell_at(cells + 8 * AWAY)
    if cell_at(intent + 8 * SIDE) > 0:
        if sum_above(price, 2, bid, -1, ask, -1, 0):
            return PRICE_THROUGH_COLLAR if far_above(price, bid, ask, through) else 0
        return PRICE_AWAY_FROM_COLLAR if far_below(price, bid, ask, away) else 0
    if sum_above(price, -2, bid, 1, ask, 1, 0):
        return PRICE_THROUGH_COLLAR if far_below(price, bid, ask, through) else 0
    return PRICE_AWAY_FROM_COLLAR if far_above(price, bid, ask, away) else 0


def far_above(price: int, bid: int, ask: int, most: int) -> bool:
    """Whether a price is more than ``most`` parts of :data:`ONE` above the mid."""
    return sum_above(price, 2 * ONE, bid, -ONE - most, ask, -ONE - most, 0)


def far_below(price: int, bid: int, ask: int, most: int) -> bool:
    """Whether a price is more than ``most`` parts of :data:`ONE` below the mid."""
    return sum_above(price, -2 * ONE, bid, ONE - most, ask, ONE - most, 0)
