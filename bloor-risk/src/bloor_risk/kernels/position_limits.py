"""The compiled form of :class:`~bloor_risk.position_limits.PositionLimits` (kernel; hot path)."""

from __future__ import annotations

from bloor.native.memory import cell_at, product_above, sum_above
from bloor.risk.layout import (
    INSTRUMENT,
    INVENTORY,
    OPEN_BUY,
    OPEN_ORDERS,
    OPEN_SELL,
    POSITION,
    PRICE,
    SIDE,
    UNITS,
)
from bloor_risk.kernels.bounds import MAX_UNITS, MAX_VALUE, ROW_CELLS, TICK_UNITS

__all__ = ["MAX_OPEN_ORDERS", "ROWS", "check"]

# the cells: how many orders may be open, then a row for each instrument
MAX_OPEN_ORDERS = 0
ROWS = 1

POSITION_ABOVE_MAX = 1
POSITION_VALUE_ABOVE_MAX = 2
POSITION_SHORT = 3
OPEN_ORDERS_ABOVE_MAX = 4


def check(cells: int, intent: int, _book: int, exposure: int, _now_ns: int) -> int:
    """Compares the worst case after this order."""
    if cell_at(exposure + 8 * OPEN_ORDERS) >= cell_at(cells + 8 * MAX_OPEN_ORDERS):
        return OPEN_ORDERS_ABOVE_MAX
    units, position = cell_at(intent + 8 * UNITS), cell_at(exposure + 8 * POSITION)
    if cell_at(intent + 8 * SIDE) > 0:
        held, others, sign = position, cell_at(exposure + 8 * OPEN_BUY), 1
    else:
        held, others, sign = position, cell_at(exposure + 8 * OPEN_SELL), -1
        if sum_above(held, sign, others, 1, units, 1, cell_at(exposure + 8 * INVENTORY)):
            return POSITION_SHORT
    if not sum_above(held, sign, others, 1, units, 1, 0):
        return 0
    row = cells + 8 * (ROWS + ROW_CELLS * cell_at(intent + 8 * INSTRUMENT))
    if sum_above(held, sign, others, 1, units, 1, cell_at(row + 8 * MAX_UNITS)):
        return POSITION_ABOVE_MAX
    worst = sign * held + others + units  # now known to fit 63 bits, so that it is right even if a part did not
    price, tick, limit = cell_at(intent + 8 * PRICE), cell_at(row + 8 * TICK_UNITS), row + 8 * MAX_VALUE
    return POSITION_VALUE_ABOVE_MAX if product_above(worst, price, tick, cell_at(limit), cell_at(limit + 8)) else 0
