"""Following a journal live, from another process, behind a writer that knows nothing of it.

Files are read, never mapped: a writer that cuts a finished segment would kill a reader that had mapped it. One look at
a journal with nothing new costs one 8-byte read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from bloor.errors import JournalError
from bloor.journal.record import COMMIT, HEADER_BYTES, Record, aligned, decode
from bloor.journal.segment import PREAMBLE_BYTES, read_preamble, segment_files, segment_path

__all__ = ["Follower"]

_CHUNK = 1 << 18


class Follower:
    """Yields the records of a journal that is being written.

    Each iteration goes on where the last one stopped and ends where the journal ends now; it never waits::

        follower = Follower(folder)
        while watching:
            for record in follower:
                ...
            wait_a_little()

    Attributes:
        folder: The journal's folder; it may not exist yet.
        sequence: Sequence number of the last record given out, 0 before the first.
        segment: Number of the segment being read, 0 before the first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sequence = 0
        self.segment = 0
        self._descriptor = -1
        self._offset = 0
        self._buffer = b""
        self._buffer_at = 0
        self._doubt: tuple[int, bytes] | None = None

    def __iter__(self) -> Iterator[Record]:
        """Yields what there is now.

        Raises:
            JournalError: A committed record stays damaged, a segment is missing, or the journal went backwards.
        """
        if self._descriptor < 0 and not self._open_first():
            return
        while (record := self._take()) is not None:
            if record.sequence != self.sequence + 1:
                raise self._corrupt(f"expected record {self.sequence + 1}, got {record.sequence}")
            self.sequence = record.sequence
            self._offset += aligned(HEADER_BYTES + len(record.payload))
            yield record

    def close(self) -> None:
        """Closes the file; the follower cannot go on after it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> Record | None:
        """The next record, from this segment or the next; None when there is none yet."""
        record = decode(self._buffer, self._offset - self._buffer_at)
        while record is None:
            # in this order: a writer starts a segment only after it has finished the one before
            has_next = segment_path(self.folder, self.segment + 1).exists()
            commit = os.pread(self._descriptor, COMMIT.size, self._offset)
            if any(commit):
                record = self._read(commit)
                if record is None:
                    self._doubtful(commit)
                    return None
            elif not has_next:
                return None
            else:
                self._open(self.segment + 1)
        return record

    def _read(self, commit: bytes) -> Record | None:
        length = int.from_bytes(commit[4:], "little")
        want = min(max(_CHUNK, aligned(length)), os.fstat(self._descriptor).st_size - self._offset)
        self._buffer = os.pread(self._descriptor, want, self._offset)
        self._buffer_at = self._offset
        return decode(self._buffer, 0)

    def _doubtful(self, commit: bytes) -> None:
        """A commit word without its record: on a weakly ordered machine for a moment, otherwise damage."""
        if self._doubt == (self._offset, commit):
            raise self._corrupt("the record here is damaged")
        self._doubt = (self._offset, commit)

    def _open_first(self) -> bool:
        files = segment_files(self.folder)
        if files:
            self._open(files[0][0])
        return bool(files)

    def _open(self, number: int) -> None:
        self.close()
        path = segment_path(self.folder, number)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise JournalError(f"{path}: cannot be read: {error.strerror}") from error
        self.segment = number
        self._offset = self._buffer_at = PREAMBLE_BYTES
        self._buffer = b""
        preamble = read_preamble(os.pread(self._descriptor, PREAMBLE_BYTES, 0))
        if preamble is None or preamble.number != number:
            raise self._corrupt(f"expected the head of segment {number}, got {preamble}")
        if self.sequence and preamble.first_sequence != self.sequence + 1:
            raise self._corrupt(f"expected a segment from record {self.sequence + 1} on, got {preamble.first_sequence}")
        self.sequence = preamble.first_sequence - 1

    def _corrupt(self, what: str) -> JournalError:
        return JournalError(
            f"{segment_path(self.folder, self.segment)}: byte {self._offset}: the journal is corrupt: {what}. "
            f"Records up to {self.sequence} are good"
        )
