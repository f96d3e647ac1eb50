"""Text recordings a block of lines at a time, merged by receive time, through the compiled loop where that is sure.

The lines, their order and what becomes of them are those of :func:`bloor.market.recording.read_recording`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bloor.market.compiled.answers import AGG_TRADE, BBO, BOOK, DROPPED, KLINE, MARK_PRICE, TRADE
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.counters import MarketCounters
from bloor.market.instruments import InstrumentTable
from bloor.market.recording import Line, read_blocks, recorded_line
from bloor.storage import kernel
from bloor.storage.sink import EventSink
from bloor.storage.tap import BookTap

__all__ = ["Loop", "Nowhere", "merged"]

INT64_MAX = (1 << 63) - 1
#: Bytes that a kernel may read behind the last line.
PADDING = 64
NEWLINE = 10


class _File:
    """A recording, and how far it is read.

    Attributes:
        name: Its path, as given.
        order: The time that orders the line before the next one.
        begin: The next line of the block.
        ends: Where the lines of the block end.
    """

    def __init__(self, path: Path, lines: int = 0, order: int = 0) -> None:
        """Opens a file.

        Args:
            path: The file.
            lines: How many of its lines were taken before.
            order: The time that orders the last of them.
        """
        self.name = str(path)
        self.order = order
        self.begin = 0
        self.ends = np.zeros(0, np.int64)
        self._text = np.zeros(PADDING, np.uint8)
        self._before = 0
        self._taken = lines
        self._blocks: Iterator[bytes] = read_blocks(path)
        self.more()

    @property
    def position(self) -> tuple[int, int]:
        """``(lines taken, the time that orders the last of them)``."""
        return self._before + self.begin, self.order

    @property
    def address(self) -> int:
        """Where the block's text is."""
        return int(self._text.ctypes.data)

    def more(self) -> bool:
        """Whether there is a next line; reads the next block if need be."""
        while self.begin == len(self.ends):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._before += len(self.ends)
            self.ends, self.begin = self.ends[:0], 0
            if self._taken and (lines := block.count(b"\n")) <= self._taken:
                self._taken -= lines
                self._before += lines
                continue
            if len(block) + PADDING > len(self._text):
                self._text = np.zeros(len(block) + len(block) // 4 + PADDING, np.uint8)
            text = self._text[: len(block)]
            text[:] = np.frombuffer(block, np.uint8)
            self._text[len(block) : len(block) + PADDING] = 0
            self.ends = np.flatnonzero(text == NEWLINE)
            text[self.ends] = 0
            self.begin, self._taken = self._taken, 0
        return True

    def head(self) -> Line | None:
        """The next line that is not skipped, which is not taken by this; None at the end."""
        while self.more():
            start = self.ends[self.begin - 1] + 1 if self.begin else 0
            text = self._text[start : self.ends[self.begin]].tobytes()
            line = recorded_line(self.name, self._before + self.begin + 1, text)
            if line is not None:
                return line
            self.begin += 1
        return None

    def order_of(self, line: Line) -> int:
        """The time that orders a line."""
        return max(self.order, getattr(line, "recv_ns", None) or 0)


class Nowhere:
    """A sink and a tap at once that keep nothing, for a look at what is in recordings."""

    def __init__(self) -> None:
        self._chunk = np.zeros((2 * kernel.ROOM, 8), np.int64)

    def look(self) -> None:
        """Nothing is counted in units here."""

    def memory(self) -> tuple[int, int, int]:
        """The same memory again and again."""
        return int(self._chunk.ctypes.data), len(self._chunk), 0

    def advance(self, used: int) -> None:
        """The records are forgotten."""

    def flush(self) -> None:
        """There is nothing to write."""

    def day_end(self, index: int) -> int:
        """No day ends."""
        return INT64_MAX

    def first_of_day(self, index: int, pipeline: CompiledPipeline) -> None:
        """No day begins."""


class Loop:
    """The compiled loop of one pipeline, writing into a sink."""

    def __init__(
        self,
        pipeline: CompiledPipeline,
        run: Callable[..., int],
        sink: EventSink | Nowhere,
        tap: BookTap | Nowhere,
        table: InstrumentTable,
    ) -> None:
        self._pipeline = pipeline
        self._run = run
        self._sink = sink
        self._tap = tap
        self._table = table
        self._state = np.zeros(kernel.STATE_CELLS, np.int64)

    def take(self, file: _File, limit: int) -> int:
        """Takes lines of a file's block up to one that is not for it; returns how many."""
        sink, state, table = self._sink, self._state, self._table
        sink.look()
        before = file.begin
        while file.begin < len(file.ends):
            days = np.array([self._tap.day_end(index) for index in range(len(table))], np.int64)
            address, rows, state[kernel.USED] = sink.memory()
            state[kernel.ORDER] = file.order
            file.begin = self._run(
                self._pipeline.context.address, file.address, file.ends, file.begin, limit, state, address, rows, days
            )
            sink.advance(int(state[kernel.USED]))
            file.order = int(state[kernel.ORDER])
            why = state[kernel.WHY]
            if why == kernel.FULL:
                sink.flush()
            elif why == kernel.DAY:
                self._tap.first_of_day(int(state[kernel.INDEX]), self._pipeline)
            elif why == kernel.CROSS:
                self._pipeline.answered(int(state[kernel.ANSWER]), int(state[kernel.RECV]))
            else:
                break
        self._count(self._pipeline.counters)
        return file.begin - before

    def _count(self, counters: MarketCounters) -> None:
        """Adds what was taken to the pipeline's counts; crossed messages but for their frame are counted already."""
        counts: list[int] = self._state[kernel.COUNTS :].tolist()
        self._state[kernel.COUNTS :] = 0
        counters.messages += sum(counts)
        counters.book_messages += counts[BOOK] + counts[DROPPED]
        counters.dropped += counts[DROPPED]
        counters.trades += counts[TRADE] + counts[AGG_TRADE]
        counters.bbos += counts[BBO]
        counters.other += counts[KLINE] + counts[MARK_PRICE]


def merged(
    paths: list[Path],
    take: Callable[[Line], Any],
    loop: Callable[[str], Loop | None],
    counted: Callable[[int], None],
    *,
    begin: Sequence[Sequence[int]] | None = None,
    between: Callable[[Callable[[], Any]], None] | None = None,
) -> None:
    """Reads text recordings, merged by receive time.

    Args:
        paths: The files.
        take: Takes a line that the loop leaves.
        loop: Gives the loop for lines of a file; None when all of them are for ``take``.
        counted: Told how many lines the loop took.
        begin: Where to continue: what ``between`` was given once.
        between: Called between lines, with a way to learn how far each file is read.
    """
    between = between or (lambda _: None)
    files = [_File(path, *at) for path, at in zip(paths, begin or [()] * len(paths), strict=True)]

    def positions() -> list[tuple[int, int]]:
        return [file.position for file in files]

    heads = [(file.order_of(line), n) if (line := file.head()) is not None else None for n, file in enumerate(files)]
    while any(head is not None for head in heads):
        _, n = min(head for head in heads if head is not None)
        file = files[n]
        limit = min((head[0] - (head[1] < n) for head in heads if head is not None and head[1] != n), default=INT64_MAX)
        fast = loop(file.name)
        taken = 0
        while file.more():
            taken = 0 if fast is None else fast.take(file, limit)
            counted(taken)
            between(positions)
            if taken == 0 or file.begin < len(file.ends):
                break
        line = file.head()
        if line is not None and file.order_of(line) <= limit:
            file.order = file.order_of(line)
            file.begin += 1
            take(line)
            between(positions)
            line = file.head()
        heads[n] = None if line is None else (file.order_of(line), n)
