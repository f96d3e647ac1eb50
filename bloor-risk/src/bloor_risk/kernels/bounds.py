"""The row that a check keeps for each instrument: the cells of :class:`bloor_risk.units.Bounds`."""

from __future__ import annotations

__all__ = ["MAX_UNITS", "MAX_VALUE", "ROW_CELLS", "TICK_UNITS"]

MAX_UNITS = 0
TICK_UNITS = 1
MAX_VALUE = 2  # two cells
ROW_CELLS = 4
