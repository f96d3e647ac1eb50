"""Recordings of frames: text files, folders of ``bloor record``, session folders of runs.

They are read as :mod:`bloor.market.recording` reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bloor.errors import RemoteProtocolError
from bloor.market.normalize import is_depth, symbol_in
from bloor.market.recording import Line, RecordedLine, read_recording
from bloor.storage.formats.blocks import Loop, merged

if TYPE_CHECKING:
    from bloor.storage.reading import Reading

__all__ = ["read"]


def read(reading: Reading, paths: Sequence[Path]) -> None:
    """Reads recordings, merged by receive time."""
    reasons: list[str] = []
    owner = _Owner(reading, paths)
    pipeline = reading.pipeline(on_error=reasons.append, resolve=owner.of_nameless)
    settle = reading.tap.finish

    def take(line: Line) -> None:
        reading.read()
        if not isinstance(line, RecordedLine):
            reading.error(line.file, line.line_no, line.reason)
            return
        reading.begin(line.file)
        recv_ns = line.recv_ns or 0
        if line.url is not None and is_depth(line.url):
            pipeline.snapshot(line.payload, symbol_in(line.url), recv_ns)
        else:
            pipeline.frame(line.payload, recv_ns)
        settle()
        if reasons:
            reading.error(line.file, line.line_no, reasons[0])
            reasons.clear()

    loop = None if any(path.is_dir() for path in paths) else reading.loop(pipeline)
    if loop is None:
        for line in islice(read_recording(paths, venue=reading.normalizer.venue), reading.position or 0, None):
            take(line)
            reading.between(lambda: reading.messages)
        return

    def loop_of(file: str) -> Loop | None:
        reading.begin(file)
        return loop if reading.tap.keeps is None and not reading.tap.by_order else None

    merged(list(paths), take, loop_of, reading.read, begin=reading.position, between=reading.between)


class _Owner:
    """Finds the instrument of a depth snapshot that does not say whose it is: the only book in the input."""

    def __init__(self, reading: Reading, paths: Sequence[Path]) -> None:
        self._reading = reading
        self._paths = paths
        self._books: list[str] | None = None

    def of_nameless(self) -> str:
        """Its venue symbol; empty when there is none.

        Raises:
            RemoteProtocolError: It could belong to several.
        """
        if self._books is None:
            self._books = self._look()
        if len(self._books) > 1:
            raise RemoteProtocolError(
                f"a depth snapshot that does not say whose it is, where the input has the books "
                f"{', '.join(self._books[:5])}: name one with --symbol"
            )
        return self._books[0] if self._books else ""

    def _look(self) -> list[str]:
        """Venue symbols of wanted books; of any wanted instruments when there is no book."""
        pipeline, loop = self._reading.looking()

        def take(line: Line) -> None:
            if isinstance(line, RecordedLine) and not line.url:
                pipeline.frame(line.payload, line.recv_ns or 0)

        if loop is None or any(path.is_dir() for path in self._paths):
            for line in read_recording(self._paths, venue=self._reading.normalizer.venue):
                take(line)
        else:
            merged(list(self._paths), take, lambda _: loop, lambda _: None)
        books = [book.instrument.venue_symbol for book in pipeline.books]
        return books or [instrument.venue_symbol for instrument in pipeline.named]
