"""Memory for the orders of a backtest that are over, which the next backtest of the process uses again.

What is written about orders is handed out, not copied. New memory for it would cost a tenth of the time of an
order-heavy backtest, which counts where one follows another, as in a search for parameters.
"""

from __future__ import annotations

import sys
from threading import Lock

import numpy as np

from bloor.backtesting import layout as at
from bloor.native.memory import Cells

__all__ = ["ended_block"]

#: Orders of a block; from 4 MB on numpy asks for large pages, which are there sooner.
ROWS = 1 << 17
#: Blocks that are kept: 118 MB, as far as they were needed before.
KEPT = 16

_kept: list[Cells] = []
_lock = Lock()


def _references(blocks: list[Cells]) -> list[int]:
    """How often each block is referred to; a view of it counts."""
    return [sys.getrefcount(block) for block in blocks]


#: What it is for a block that only the list knows.
_UNUSED = _references([np.zeros(1, np.int64)])[0]


def ended_block() -> Cells:
    """A block that no backtest and no result refers to any more, or a new one; ``(n, 7)`` int64, not cleared."""
    with _lock:
        free = [number for number, count in enumerate(_references(_kept)) if count == _UNUSED]
        if free:
            return _kept[free[0]]
        made: Cells = np.empty((ROWS + at.LOG_RESERVE, at.ENDED_BYTES // 8), np.int64)
        if len(_kept) < KEPT:
            _kept.append(made)
        return made
