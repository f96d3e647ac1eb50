"""The entry: what a frame is (kernel; hot path).

Changes of books are most of what Kraken sends, and the only frames that are taken here.
"""

from __future__ import annotations

from bloor.market.compiled.answers import UNSURE
from bloor.native.memory import Cells, cell_at
from bloor_kraken.compiled.books import change
from bloor_kraken.compiled.layout import (
    UPDATE_0,
    UPDATE_1,
    UPDATE_2,
    UPDATE_3,
    UPDATE_4,
    UPDATE_5,
    UPDATE_LAST,
    UPDATE_SIZE,
)

__all__ = ["step"]


def step(context: Cells, text: int, size: int, recv_ns: int) -> int:
    """Takes one frame; see :class:`bloor.market.normalizer.CompiledNormalizer`."""
    if size < 2 * UPDATE_SIZE or cell_at(text) != UPDATE_0 or cell_at(text + 8) != UPDATE_1:
        return UNSURE
    if cell_at(text + 16) != UPDATE_2 or cell_at(text + 24) != UPDATE_3 or cell_at(text + 32) != UPDATE_4:
        return UNSURE
    if cell_at(text + 40) != UPDATE_5 or cell_at(text + UPDATE_SIZE - 8) != UPDATE_LAST:
        return UNSURE
    return change(context, text + UPDATE_SIZE, text + size, recv_ns)
