"""Only trades take from what is ahead of an order (kernel; hot path).

What leaves the level without a trade left behind the order, as far as there was anything behind it. All in integers:
exact, whatever the size.
"""

from __future__ import annotations

from bloor.native.memory import cell_at, put_cell

__all__ = ["changed", "placed", "traded"]

# the first of an order's cells: units ahead of it


def placed(_params: int, queue: int, level: int, _unused: int) -> int:
    """Everything at the level is ahead."""
    put_cell(queue, level)
    return 0


def traded(_params: int, queue: int, units: int, _unused: int) -> int:
    """A trade takes from the front."""
    ahead = cell_at(queue) - units
    put_cell(queue, max(ahead, 0))
    return max(-ahead, 0)


def changed(_params: int, queue: int, _before: int, after: int) -> int:
    """No more can be ahead than the level holds."""
    if after < cell_at(queue):
        put_cell(queue, after)
    return 0
