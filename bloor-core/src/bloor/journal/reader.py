"""Reading a journal that nobody writes any more: all of it, with a judgement of how it ends.

A journal ends in one of three ways. After its last record there are only zeros: a clean end. There is something that
is no record, and nothing valid after it: a torn tail, left by a writer that died; it is ignored and told. There is a
valid record after something that is none: corruption, and nothing after the damage may be believed.

To follow a journal that is being written, use :class:`bloor.journal.follower.Follower`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bloor.errors import JournalError
from bloor.journal.record import ALIGN, HEADER_BYTES, Record, aligned, decode
from bloor.journal.segment import PREAMBLE_BYTES, read_preamble, segment_files

__all__ = ["Reader", "Survey", "survey"]


class Survey(NamedTuple):
    """What a journal holds.

    Attributes:
        records: How many valid records.
        last_sequence: Sequence number of the last one, 0 for none.
        last_epoch: Epoch of the last one, 0 for none.
        last_segment: Number of the last segment, 0 for none.
        torn_bytes: Length of what stands after the last record and is none; 0 for a clean end.
        torn_path: The file it is in.
        torn_at: Where in the file it begins; 0 when the whole file is of no use.
    """

    records: int
    last_sequence: int
    last_epoch: int
    last_segment: int
    torn_bytes: int = 0
    torn_path: Path | None = None
    torn_at: int = 0

    @property
    def is_useless(self) -> bool:
        """Whether the last segment has not even a head: it will be made anew."""
        return self.torn_path is not None and self.torn_at == 0


class Reader:
    """Iterates once over all records of a journal, in order.

    ::

        reader = Reader(folder)
        for record in reader:
            ...
        if reader.torn_bytes:
            ...  # the writer died; tell

    Attributes:
        folder: The journal's folder.
        sequence: Sequence number of the last record given out, 0 before the first.
        segment: Number of the segment being read.
        torn_bytes: After the iteration: length of what stands after the last record and is none.
        torn_path: The file it is in, or None.
        torn_at: Where in the file it begins.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sequence = 0
        self.segment = 0
        self.torn_bytes = 0
        self.torn_path: Path | None = None
        self.torn_at = 0

    def __iter__(self) -> Iterator[Record]:
        """Yields every record.

        Raises:
            JournalError: The journal is corrupt, or a segment is missing; names the file and the place.
        """
        files = segment_files(self.folder)
        for index, (number, path) in enumerate(files):
            if self.segment and number != self.segment + 1:
                raise self._corrupt(path, 0, f"expected segment {self.segment + 1} here, got {number}")
            self.segment = number
            yield from self._records(path, is_last=index == len(files) - 1)

    def _records(self, path: Path, *, is_last: bool) -> Iterator[Record]:
        data = path.read_bytes()
        preamble = read_preamble(data)
        if preamble is None:
            self._end(path, data, 0, is_last)
            return
        expected = self.sequence + 1 if self.sequence else preamble.first_sequence
        if (preamble.number, preamble.first_sequence) != (self.segment, expected):
            raise self._corrupt(
                path, 0, f"expected segment {self.segment} that begins with record {expected}, got {preamble}"
            )
        self.sequence = expected - 1
        offset = PREAMBLE_BYTES
        while (record := decode(data, offset)) is not None:
            if record.sequence != self.sequence + 1:
                raise self._corrupt(path, offset, f"expected record {self.sequence + 1}, got {record.sequence}")
            self.sequence = record.sequence
            yield record
            offset += aligned(HEADER_BYTES + len(record.payload))
        self._end(path, data, offset, is_last)

    def _end(self, path: Path, data: bytes, offset: int, is_last: bool) -> None:
        """Judges what stands after the last record of a segment."""
        rest = np.frombuffer(data, np.uint8, offset=min(offset, len(data)))
        used = np.flatnonzero(rest)
        if len(used) == 0 and offset:
            return
        found = valid_record_after(data, offset, self.sequence)
        if found or not is_last:
            what = f"a valid record at {found}" if found else "another segment"
            raise self._corrupt(path, offset, f"expected a record or zeros, got neither, and {what} after it")
        self.torn_bytes = int(used[-1]) + 1 if len(used) else len(data)
        self.torn_path, self.torn_at = path, offset

    def _corrupt(self, path: Path, offset: int, what: str) -> JournalError:
        return JournalError(
            f"{path}: byte {offset}: the journal is corrupt: {what}. Records up to {self.sequence} are good. "
            "Put the folder aside as it is, and start in a new one after checking positions at the venue"
        )


def survey(folder: Path) -> Survey:
    """Reads a whole journal and says what it holds; changes nothing.

    Raises:
        JournalError: The journal is corrupt.
    """
    reader = Reader(folder)
    records = epoch = 0
    for record in reader:
        records += 1
        epoch = record.epoch
    return Survey(records, reader.sequence, epoch, reader.segment, reader.torn_bytes, reader.torn_path, reader.torn_at)


def valid_record_after(data: bytes, offset: int, sequence: int) -> int:
    """Where the first valid record after ``offset`` is, or 0.

    Args:
        data: A whole segment.
        offset: Where something that is no record begins, a multiple of 8.
        sequence: The last good sequence number: only greater ones count.
    """
    usable = len(data) // ALIGN * ALIGN
    begin = offset + ALIGN
    if begin >= usable:
        return 0
    words = np.frombuffer(data, np.uint64, count=(usable - begin) // ALIGN, offset=begin)
    lengths, sequences = words[:-1] >> np.uint64(32), words[1:]
    remaining = np.arange(len(words), 1, -1, dtype=np.uint64) * np.uint64(ALIGN)
    plausible = (lengths >= HEADER_BYTES) & (lengths <= remaining)
    plausible &= (sequences > np.uint64(sequence)) & (sequences <= np.uint64(sequence + len(data) // HEADER_BYTES + 1))
    for index in np.flatnonzero(plausible):
        place = begin + int(index) * ALIGN
        if decode(data, place) is not None:
            return place
    return 0
