"""The stored events of one instrument, read as a backtest reads them: forward, some at a time, from mapped files."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from attrs import define, field

from bloor.market.events import EventKind
from bloor.storage.cells import Records, times

__all__ = ["WINDOW_ROWS", "RowCursor", "StoredRows"]

#: Records that are looked at together: 8 MB.
WINDOW_ROWS = 1 << 17
LEVEL = int(EventKind.LEVEL)


@define(eq=False)
class StoredRows:
    """The records of one instrument in the order they were received.

    Attributes:
        pieces: The records, one array after the other, all in the same units.
        window: Records that are read together.
    """

    pieces: Sequence[Records]
    window: int = WINDOW_ROWS

    @property
    def count(self) -> int:
        """How many records there are."""
        return sum(len(piece) for piece in self.pieces)

    def windows(self, until_ns: int | None = None) -> Iterator[Records]:
        """The records, some at a time; a book message is never divided. What was read before the last one is let go of.

        Args:
            until_ns: Records that were received later are left out; None for none.
        """
        read: list[tuple[Records, int]] = []
        for whole in self.pieces:
            piece = whole if until_ns is None or _last_ns(whole) <= until_ns else _until(whole, until_ns)
            begin = 0
            while begin < len(piece):
                end = _cut(piece, min(begin + self.window, len(piece)))
                if end <= begin:
                    end = _cut_after(piece, begin + self.window)
                yield piece[begin:end]
                read.append((piece, end))
                if len(read) > 1:
                    _let_go(*read.pop(0))
                begin = end


def _last_ns(piece: Records) -> int:
    return (int(piece[-1]["recv_ns"]) or int(piece[-1]["exch_ns"])) if len(piece) else 0


def _until(piece: Records, until_ns: int) -> Records:
    """The records that were received by then; a book message is never divided."""
    return piece[: _cut_after(piece, int(np.searchsorted(times(piece), until_ns, side="right")))]


def _cut(piece: Records, end: int) -> int:
    """The last place at or before ``end`` where no book message is divided."""
    while 0 < end < len(piece) and piece["kind"][end] == LEVEL:
        end -= 1
    return end


def _cut_after(piece: Records, end: int) -> int:
    """The first place at or after ``end`` where no book message is divided."""
    while end < len(piece) and piece["kind"][end] == LEVEL:
        end += 1
    return min(end, len(piece))


def _let_go(piece: Records, end: int) -> None:
    """Takes the pages of a mapped file up to a record out of memory; they stay in the system's cache.

    From the beginning on: what is read next maps some of the pages before it again, up to 2 MB of them.
    """
    mapped = getattr(piece, "_mmap", None)
    if mapped is None or not hasattr(mmap, "MADV_DONTNEED"):
        return
    size = piece.dtype.itemsize
    offset = int(piece.ctypes.data) - np.frombuffer(mapped, np.uint8).ctypes.data
    start = -(-offset // mmap.PAGESIZE) * mmap.PAGESIZE
    length = (offset + end * size) // mmap.PAGESIZE * mmap.PAGESIZE - start
    if length > 0:
        mapped.madvise(mmap.MADV_DONTNEED, start, length)


@define(eq=False)
class RowCursor:
    """Windows of rows, one by one.

    Attributes:
        rows: The present window; empty at the end.
        ended: Whether there are no more.
    """

    _windows: Iterator[Records]
    rows: Records = field(init=False)
    ended: bool = field(init=False, default=False)
    _following: Any = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.rows = np.zeros(0)
        self._following = next(self._windows, None)

    def advance(self) -> bool:
        """Goes to the next window; False when there is none."""
        if self._following is None:
            self.ended = True
            return False
        self.rows = self._following
        self._following = next(self._windows, None)
        self.ended = self._following is None
        return True
