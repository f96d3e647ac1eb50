"""Wall time that never goes back, for Python and for compiled code: both go on from the same cell."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from bloor.native.memory import cell_at, put_cell
from bloor.native.python_api import wall_ns

__all__ = ["WallClock", "arriving", "wall_now"]

# cells of a clock
LAST = 0  # the time that was given last, ns since the epoch
SCRATCH = 1  # two cells for clock_gettime
CELLS = 3


def wall_now(clock: int) -> int:
    """Now, as :class:`WallClock` gives it (kernel; hot path).

    Args:
        clock: :attr:`WallClock.address`.
    """
    now_ns = max(wall_ns(clock + 8 * SCRATCH), cell_at(clock + 8 * LAST))
    put_cell(clock + 8 * LAST, now_ns)
    return now_ns


class WallClock:
    """Wall time in ns since the epoch that never goes back, whatever is done to the system's clock."""

    __slots__ = ("_array", "_cells")

    def __init__(self) -> None:
        self._array = np.zeros(CELLS, np.int64)
        self._cells = memoryview(self._array.data)

    def __call__(self) -> int:
        """Now."""
        now = time.time_ns()
        cells = self._cells
        if now > cells[LAST]:
            cells[LAST] = now
            return now
        return cells[LAST]

    @property
    def last(self) -> int:
        """The time that was given last, to Python or to compiled code; 0 before the first."""
        return self._cells[LAST]

    @property
    def address(self) -> int:
        """Where compiled code finds it; valid while this clock lives."""
        return int(self._array.ctypes.data)


def arriving(receive: Callable[[bytes, int], None], clock: WallClock) -> Callable[[bytes], None]:
    """What takes frames that are received now, of what takes frames and their times."""

    def arrive(payload: bytes) -> None:
        receive(payload, clock())

    return arrive
