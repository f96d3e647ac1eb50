"""The compiled form of :class:`~bloor_risk.order_limits.OrderLimits` (kernel; hot path)."""

from __future__ import annotations

from bloor.native.memory import cell_at, product_above
from bloor.risk.layout import INSTRUMENT, PRICE, UNITS
from bloor_risk.kernels.bounds import MAX_UNITS, MAX_VALUE, ROW_CELLS, TICK_UNITS

__all__ = ["check"]

QUANTITY_ABOVE_MAX = 1
VALUE_ABOVE_MAX = 2


def check(cells: int, intent: int, _book: int, _exposure: int, _now_ns: int) -> int:
    """Compares quantity and value; the cells are a row for each instrument."""
    row = cells + 8 * ROW_CELLS * cell_at(intent + 8 * INSTRUMENT)
    units = cell_at(intent + 8 * UNITS)
    if units > cell_at(row + 8 * MAX_UNITS):
        return QUANTITY_ABOVE_MAX
    price, tick, limit = cell_at(intent + 8 * PRICE), cell_at(row + 8 * TICK_UNITS), row + 8 * MAX_VALUE
    return VALUE_ABOVE_MAX if product_above(price, tick, units, cell_at(limit), cell_at(limit + 8)) else 0
