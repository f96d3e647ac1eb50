"""The single writer of a journal. Hot path: :meth:`Writer.append` costs about 1 us for 300 bytes, 2 to 3 us at p99.

What :meth:`Writer.append` promises when it returns (J1): the record is in the page cache, so it survives the death of
this process in any way, though not a power cut. Append an order's frame first, write it to the socket afterwards.
:meth:`Writer.sync` makes everything appended so far durable; off the hot path.

The caller must call :meth:`Writer.tend` now and then, off the hot path: it has the next segment made ahead and finished
ones put away, in a thread of its own. When ``tend`` raises because the disk is full, the rest of the present segment is
left: stop new orders, and let cancels go on.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self
from zlib import crc32

import numpy as np

from bloor.errors import JournalError
from bloor.journal.clock import CellClock
from bloor.journal.kernel import CELLS, CLOCK, CRC, EPOCH, LIMIT, MAP, OFFSET, SEQUENCE, checksum_tables
from bloor.journal.reader import Survey, survey
from bloor.journal.record import ALIGN, BODY, COMMIT, HEADER_BYTES, RecordKind, aligned
from bloor.journal.segment import PREAMBLE_BYTES, SEGMENT_BYTES, Preamble, Segment
from bloor.native.memory import Cells

__all__ = ["Writer"]

_pack_body = BODY.pack_into
_BODY_AT = COMMIT.size


class Writer:
    """Appends records to the journal in a folder. One writer at a time; a second one is refused.

    Opening recovers: a torn tail left by a writer that died is cut off, and writing goes on in a new segment.

    Attributes:
        folder: The journal's folder.
        epoch: Fencing token that stands in every record.
        cells: Where it writes next, as :mod:`bloor.journal.kernel` says; compiled code appends through their address,
            which never changes.
        recovered: What was found in the folder at the start; ``recovered.torn_bytes`` were cut off.
    """

    __slots__ = (
        "__weakref__",
        "_cells",
        "_clock",
        "_closing",
        "_failed",
        "_finished",
        "_limit",
        "_lock",
        "_map",
        "_number",
        "_segment",
        "_segment_bytes",
        "_spare",
        "_tending",
        "_thread",
        "_view",
        "_words",
        "cells",
        "epoch",
        "folder",
        "recovered",
    )

    def __init__(
        self,
        folder: Path,
        *,
        epoch: int,
        clock: Callable[[], int],
        header: bytes = b"",
        wall_ns: int = 0,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Locks the folder, recovers what is in it and writes a ``HEADER`` record.

        Args:
            folder: Where the journal is or will be.
            epoch: Fencing token, 0 to 2**32 - 1.
            clock: The monotonic clock, ns. Compiled code can read :func:`time.monotonic_ns` and a
                :class:`~bloor.journal.clock.CellClock`; with another one only :meth:`append` writes.
            header: Payload of the ``HEADER`` record: build, configuration and plug-in hashes.
            wall_ns: Wall time of the ``HEADER`` record.
            segment_bytes: Size of a segment, a multiple of 8.

        Raises:
            JournalError: Another writer has the folder, what is in it is corrupt, or the disk has no room.
        """
        if sys.byteorder != "little":
            raise JournalError(f"journal: expected a little-endian machine, this one is {sys.byteorder}-endian")
        if segment_bytes % ALIGN or segment_bytes < PREAMBLE_BYTES + aligned(HEADER_BYTES + len(header)):
            raise JournalError(
                f"journal: expected a segment size that is a multiple of {ALIGN} and holds the header record, "
                f"got {segment_bytes}"
            )
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.epoch = epoch
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._failed = ""
        self._closing = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._tending: Future[None] | None = None
        self._finished: list[tuple[Segment, int]] = []
        self._lock = take_lock(folder)
        try:
            self.recovered = self._recover()
            self.cells: Cells = np.zeros(CELLS, np.int64)
            self.cells[[SEQUENCE, EPOCH, CRC]] = self.recovered.last_sequence, epoch, checksum_tables().ctypes.data
            self.cells[CLOCK] = clock.address if isinstance(clock, CellClock) else 0
            self._cells = memoryview(self.cells.data)
            self._number = self.recovered.last_segment - self.recovered.is_useless
            self._spare: Segment | None = None
            self._segment: Segment | None = None
            self._limit = 0
            self._start_segment()
            self.append(RecordKind.HEADER, 0, wall_ns, header)
            self.tend(wait=True)
        except BaseException:
            os.close(self._lock)
            raise
        _writers.add(self)

    def append(self, kind: int, conn: int, wall_ns: int, payload: bytes, schema: int = 1) -> int:
        """Appends one record; when it returns, the record survives the death of this process.

        Args:
            kind: A :class:`~bloor.journal.record.RecordKind`.
            conn: Number of the connection, 0 for none; at most 65535.
            wall_ns: Wall time of the event, ns since the epoch.
            payload: The bytes.
            schema: Version of the payload's form.

        Returns:
            The record's sequence number.

        Raises:
            JournalError: The record cannot be written; nothing of it counts, and its order must not be sent.
        """
        size = HEADER_BYTES + len(payload)
        cells = self._cells
        start = cells[OFFSET]
        end = start + size
        if end > self._limit:
            self._roll(size)
            start = cells[OFFSET]
            end = start + size
        next_start = (end + 7) & -8
        sequence = cells[SEQUENCE] + 1
        view = self._view
        try:
            _pack_body(self._map, start + 8, sequence, self._clock(), wall_ns, self.epoch, conn, kind, schema)
            view[start + HEADER_BYTES : end] = payload
            # one aligned 8-byte store commits: checksum and length together
            self._words[start >> 3] = crc32(view[start + 8 : next_start], size) | size << 32
        except BaseException:  # an interrupt, or an argument that does not fit: leave zeros, not half a record
            view[start:next_start] = bytes(next_start - start)
            raise
        cells[OFFSET] = next_start
        cells[SEQUENCE] = sequence
        return sequence

    def make_room(self, size: int) -> bool:
        """Goes on in the next segment when fewer bytes are left in the present one: before compiled code appends.

        Args:
            size: Bytes, those of the records' heads and padding included: :func:`~bloor.journal.record.aligned` of
                ``HEADER_BYTES`` and the payload, for each record.

        Returns:
            Whether compiled code may write so much now: no for more than a segment holds, and with a clock that it
            cannot read.

        Raises:
            JournalError: The writer is closed or has failed, or the disk has no room for a segment.
        """
        cells = self._cells
        if cells[OFFSET] + size <= cells[LIMIT]:
            return True
        self._check_open()
        if not self._is_native or size > self._segment_bytes - PREAMBLE_BYTES:
            return False
        self._roll(size)
        return True

    @property
    def _is_native(self) -> bool:
        """Whether compiled code can read the clock."""
        return self._clock is time.monotonic_ns or isinstance(self._clock, CellClock)

    @property
    def sequence(self) -> int:
        """Sequence number of the last record."""
        return self._cells[SEQUENCE]

    @property
    def free_bytes(self) -> int:
        """Bytes left in the present segment and the spare one: what can still be written on a full disk."""
        return max(self._limit - self._cells[OFFSET], 0) + (self._spare.size - PREAMBLE_BYTES if self._spare else 0)

    def tend(self, *, wait: bool = False) -> None:
        """Has the next segment made ahead and finished ones put away; returns at once and costs microseconds.

        Args:
            wait: Whether to return only when it is done: tens of milliseconds.

        Raises:
            JournalError: The disk is full, as this or an earlier call found out. What is left of the present segment
                can still be written.
        """
        if self._segment is None:
            return
        if self._tending is None and (self._spare is None or self._finished):
            self._tending = self._thread.submit(self._tend)
        if self._tending is not None and (wait or self._tending.done()):
            self._collect()

    def _tend(self) -> None:
        """What :meth:`tend` has done, in its thread."""
        self._put_away()
        if self._spare is None:
            self._spare = Segment(self.folder, self._segment_bytes)

    def _put_away(self) -> None:
        with self._closing:
            while self._finished:
                segment, used = self._finished.pop(0)
                segment.close(used)

    def _collect(self) -> None:
        """Waits for the thread; raises what it raised."""
        tending, self._tending = self._tending, None
        if tending is not None:
            tending.result()

    def sync(self) -> None:
        """Makes every record so far durable against a power cut. Blocks for 0.1 ms to many ms.

        May be called from another thread than the one that appends (a group commit a few ms behind).

        Raises:
            JournalError: The disk failed. The writer is dead from now on: after a failed sync nobody knows what is on
                the disk, so it is never tried again.
        """
        self._check_open()
        with self._closing:  # the present segment first: one that is finished meanwhile is in the list then
            present = [self._segment] if self._segment is not None else []
            descriptors = [os.dup(s.descriptor) for s in (*present, *(s for s, _ in self._finished))]
        try:
            for descriptor in descriptors:
                os.fsync(descriptor)
        except OSError as error:
            self._fail(f"{self.folder}: the disk did not take the journal: {error.strerror}; stop trading")
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def close(self, wall_ns: int | None = None) -> None:
        """Ends the journal; with ``wall_ns`` a ``FOOTER`` record says that it was on purpose. Closing twice is fine."""
        if self._segment is None:
            return
        if wall_ns is not None and not self._failed:
            self.append(RecordKind.FOOTER, 0, wall_ns, b"")
        self._thread.shutdown()
        self._tending = None
        self._finished.append((self._segment, self._cells[OFFSET]))
        if self._spare is not None:
            self._finished.append((self._spare, 0))
        self._release()
        self._put_away()
        os.close(self._lock)
        _writers.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _recover(self) -> Survey:
        found = survey(self.folder)
        if found.torn_path is not None:
            if found.is_useless:
                found.torn_path.unlink()
            else:
                os.truncate(found.torn_path, found.torn_at)
        return found

    def _start_segment(self) -> None:
        self._collect()  # only a writer that was hardly tended waits here
        segment = self._spare or Segment(self.folder, self._segment_bytes)
        self._spare = None
        segment.activate(Preamble(self._number + 1, self.sequence + 1, self.epoch))
        self._number += 1
        self._segment, self._map, self._view, self._words = segment, segment.map, segment.view, segment.words
        self._cells[MAP] = ctypes.addressof(ctypes.c_char.from_buffer(segment.map))
        self._cells[OFFSET] = PREAMBLE_BYTES
        self._set_limit(segment.size)

    def _roll(self, size: int) -> None:
        """The record does not fit: goes on in the next segment."""
        self._check_open()
        if size > self._segment_bytes - PREAMBLE_BYTES:
            raise JournalError(
                f"{self.folder}: expected a record of at most {self._segment_bytes - PREAMBLE_BYTES - HEADER_BYTES} "
                f"bytes, got {size - HEADER_BYTES}"
            )
        finished, used = self._segment, self._cells[OFFSET]
        self._start_segment()
        if finished is not None:
            self._finished.append((finished, used))

    def _check_open(self) -> None:
        if self._failed:
            raise JournalError(self._failed)
        if self._segment is None:
            raise JournalError(f"{self.folder}: the journal is closed; nothing more can be written to it")

    def _fail(self, reason: str) -> None:
        self._failed = reason
        self._set_limit(0)  # every later append comes to _check_open
        raise JournalError(reason)

    def _release(self) -> None:
        self._segment = self._spare = None
        self._set_limit(0)
        self._cells[MAP] = 0
        del self._map, self._view, self._words

    def _forked(self) -> None:
        self._failed = f"{self.folder}: the journal belongs to the parent process; start children with spawn"
        self._set_limit(0)
        self._segment = None

    def _set_limit(self, limit: int) -> None:
        """Says where the present segment ends; 0 when nothing may be written."""
        self._limit = limit
        self._cells[LIMIT] = limit if self._is_native else 0


#: Every open writer of this process: a forked child must not write into its parent's memory.
_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def _forget_writers() -> None:
    for writer in _writers:
        writer._forked()  # the one caller outside the class


os.register_at_fork(after_in_child=_forget_writers)


def take_lock(folder: Path) -> int:
    """Locks a journal's folder for this process; the descriptor returned holds the lock until it is closed.

    Raises:
        JournalError: Another writer holds it.
    """
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise JournalError(
            f"{folder}: another writer has this journal (process {holder}); one journal has one writer: "
            "stop it, or write to another folder"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
