"""Appending to the journal from compiled code: when it may, and room made for it before."""

from __future__ import annotations

import ctypes
import errno
import os
import time
from itertools import count
from pathlib import Path

import pytest

from bloor.errors import JournalError
from bloor.journal import kernel
from bloor.journal.clock import CellClock
from bloor.journal.reader import Reader
from bloor.journal.record import HEADER_BYTES
from bloor.journal.segment import PREAMBLE_BYTES, segment_files
from bloor.journal.writer import Writer
from bloor.native.entries import compiled_entries

SMALL = 4096


def append(writer: Writer, payload: bytes) -> int:
    """Appends a frame through the compiled kernel; the plain one is asked before where it changes nothing."""
    entries = compiled_entries("journal", (kernel,), (("append", 6), ("room", 1)))
    at, text = writer.cells.ctypes.data, ctypes.cast(payload, ctypes.c_void_p).value or 0
    if kernel.room(at) == 0:
        assert kernel.append(at, 2, 1, 7, text, len(payload)) == -1
    assert entries.call["room"](at) == kernel.room(at)
    return int(entries.call["append"](at, 2, 1, 7, text, len(payload)))


def test_the_monotonic_clock_is_read(tmp_path: Path) -> None:
    """A record of compiled code carries the time of the clock that Python reads."""
    with Writer(tmp_path, epoch=1, clock=time.monotonic_ns, segment_bytes=SMALL) as writer:
        before = time.monotonic_ns()
        assert append(writer, b"frame") == 2
        after = time.monotonic_ns()
        at, text = writer.cells.ctypes.data, ctypes.cast(b"plain", ctypes.c_void_p).value or 0
        assert kernel.append(at, 2, 1, 7, text, 5) == 3
    _, compiled, plain = Reader(tmp_path)
    assert before <= compiled.mono_ns <= after <= plain.mono_ns <= time.monotonic_ns()


def test_cells_stay_where_they_are(tmp_path: Path) -> None:
    """The address holds through new segments, and a reopened journal goes on in new cells."""
    clock = CellClock(3)
    with Writer(tmp_path, epoch=1, clock=clock, segment_bytes=SMALL) as writer:
        at = writer.cells.ctypes.data
        for number in range(200):
            clock.ns = number
            assert writer.make_room(HEADER_BYTES + 104)
            assert append(writer, b"%3d" % number * 30) == number + 2
            if number % 9 == 0:
                writer.tend()
        assert writer.cells.ctypes.data == at
    assert len(segment_files(tmp_path)) > 5
    with Writer(tmp_path, epoch=2, clock=clock, segment_bytes=SMALL) as writer:
        assert append(writer, b"again") == 203
        writer.close(9)
    found = list(Reader(tmp_path))
    assert [record.payload for record in found[1:201]] == [b"%3d" % number * 30 for number in range(200)]
    assert [record.mono_ns for record in found[1:201]] == list(range(200))
    assert [(record.epoch, record.payload) for record in found[201:]] == [(2, b""), (2, b"again"), (2, b"")]


def test_room_is_made_only_where_it_is_missing(tmp_path: Path) -> None:
    """A segment is left when fewer bytes than asked for are in it, not when there are just as many."""
    with Writer(tmp_path, epoch=1, clock=CellClock(), segment_bytes=SMALL) as writer:
        left = SMALL - PREAMBLE_BYTES - HEADER_BYTES
        assert writer.make_room(left)
        assert len(segment_files(tmp_path)) == 1
        assert writer.make_room(left + 1)
        assert len(segment_files(tmp_path)) == 2
        assert kernel.room(writer.cells.ctypes.data) == SMALL - PREAMBLE_BYTES
        assert append(writer, b"x" * (left - HEADER_BYTES)) == 2
        assert not writer.make_room(SMALL - PREAMBLE_BYTES + 1)
        assert len(segment_files(tmp_path)) == 2
        writer.append(2, 0, 0, b"goes on")
    assert [record.payload for record in Reader(tmp_path)][1:] == [b"x" * (left - HEADER_BYTES), b"goes on"]


def test_a_clock_that_compiled_code_cannot_read(tmp_path: Path) -> None:
    """Then only Python writes: compiled code finds no room, and none is made for it."""
    ticks = count(1)
    with Writer(tmp_path, epoch=1, clock=lambda: next(ticks), segment_bytes=SMALL) as writer:
        assert append(writer, b"") == -1
        assert not writer.make_room(8)
        assert writer.append(2, 0, 0, b"python") == 2
        assert append(writer, b"") == -1
    assert [record.payload for record in Reader(tmp_path)] == [b"", b"python"]


def test_a_closed_writer_takes_nothing(tmp_path: Path) -> None:
    """Its memory is gone: the kernel touches none of it."""
    writer = Writer(tmp_path, epoch=1, clock=CellClock(), segment_bytes=SMALL)
    writer.close()
    assert (writer.cells[kernel.LIMIT], writer.cells[kernel.MAP]) == (0, 0)
    assert append(writer, b"late") == -1
    with pytest.raises(JournalError, match="closed"):
        writer.make_room(8)


def test_a_failed_writer_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the disk refused, compiled code cannot go on either."""

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with Writer(tmp_path, epoch=1, clock=CellClock(), segment_bytes=SMALL) as writer:
        assert append(writer, b"good") == 2
        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(JournalError, match="stop trading"):
            writer.sync()
        assert append(writer, b"bad") == -1
        with pytest.raises(JournalError, match="stop trading"):
            writer.make_room(8)
    assert [record.payload for record in Reader(tmp_path)] == [b"", b"good"]


def test_a_full_disk_leaves_the_rest_of_the_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room that cannot be made is told, and what is left can be used."""
    from bloor.journal import segment as segment_module

    def full(descriptor: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Writer(tmp_path, epoch=1, clock=CellClock(), segment_bytes=SMALL) as writer:
        assert writer.make_room(SMALL - PREAMBLE_BYTES)  # the spare is used
        monkeypatch.setattr(segment_module, "preallocate", full)
        assert append(writer, bytes(1000)) == 2
        with pytest.raises(JournalError, match="make room on this disk"):
            writer.make_room(SMALL - PREAMBLE_BYTES)
        assert append(writer, b"cancel") == 3
