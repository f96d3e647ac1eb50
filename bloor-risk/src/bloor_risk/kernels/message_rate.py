"""The compiled form of :class:`~bloor_risk.message_rate.MessageRate` (kernel; hot path)."""

from __future__ import annotations

from bloor.native.memory import cell_at, put_cell, sum_above
from bloor.risk.layout import INSTRUMENT, STRATEGY

__all__ = ["DUE_NS", "INSTRUMENTS", "INTERVAL_NS", "STRATEGIES", "TOLERANCE_NS", "check"]

# the cells: the rate, then for each strategy and in it for each instrument when the next order is due
INTERVAL_NS = 0
TOLERANCE_NS = 1
STRATEGIES = 2
INSTRUMENTS = 3
DUE_NS = 4

MESSAGE_RATE_ABOVE_MAX = 1
STRATEGY_UNKNOWN = 2

LATEST_NS = (1 << 63) - 1


def check(cells: int, intent: int, _book: int, _exposure: int, now_ns: int) -> int:
    """Takes one share, or denies and takes none."""
    strategy, instrument = cell_at(intent + 8 * STRATEGY), cell_at(intent + 8 * INSTRUMENT)
    if strategy < 0 or strategy >= cell_at(cells + 8 * STRATEGIES):
        return STRATEGY_UNKNOWN
    at = cells + 8 * (DUE_NS + strategy * cell_at(cells + 8 * INSTRUMENTS) + instrument)
    due_ns = cell_at(at)
    if sum_above(due_ns, 1, cell_at(cells + 8 * TOLERANCE_NS), -1, 0, 0, now_ns):
        return MESSAGE_RATE_ABOVE_MAX
    interval_ns, latest = cell_at(cells + 8 * INTERVAL_NS), max(due_ns, now_ns)
    put_cell(at, latest + interval_ns if latest <= LATEST_NS - interval_ns else LATEST_NS)
    return 0
