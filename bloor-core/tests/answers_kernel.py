"""A kernel file of a risk check that answers what stands in its first cell."""

from __future__ import annotations

from bloor.native.memory import cell_at


def check(cells: int, _intent: int, _book: int, _exposure: int, _now_ns: int) -> int:
    """What stands there."""
    return cell_at(cells)
