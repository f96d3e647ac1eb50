"""The journal's kernel beside its Python writer: the same bytes, in whatever order the two take turns."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.journal import kernel
from bloor.journal.clock import CellClock
from bloor.journal.follower import Follower
from bloor.journal.reader import Reader
from bloor.journal.record import HEADER_BYTES, aligned
from bloor.journal.segment import PREAMBLE_BYTES, segment_files
from bloor.journal.writer import Writer
from bloor.native import carryless
from bloor.native.entries import compiled_entries
from bloor.native.twins import twins

SEGMENT = 4096
INT64 = st.integers(-(2**63), 2**63 - 1)

Append = Callable[[int, int, int, int, int, int], int]


class Wanted(NamedTuple):
    """A record to append, by which form, and whether room is made for it before."""

    native: bool
    make_room: bool
    mono_ns: int
    kind: int
    conn: int
    wall_ns: int
    payload: bytes


@cache
def compiled() -> Append:
    """The compiled kernel, called by its address."""
    entries = compiled_entries("journal", (kernel,), (("append", 6), ("room", 1)))
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)(entries.address["append"])


def form(name: str) -> Append:
    return compiled() if name == "compiled" else kernel.append


def native(append: Append, writer: Writer, kind: int, conn: int, wall_ns: int, payload: bytes) -> int:
    """Appends through a form of the kernel."""
    at = ctypes.cast(payload, ctypes.c_void_p).value or 0
    return append(writer.cells.ctypes.data, kind, conn, wall_ns, at, len(payload))


records = st.builds(
    Wanted,
    native=st.booleans(),
    make_room=st.booleans(),
    mono_ns=INT64,
    kind=st.integers(0, 255),
    conn=st.integers(0, 65_535),
    wall_ns=INT64,
    payload=st.one_of(
        st.binary(max_size=40), st.integers(0, SEGMENT - PREAMBLE_BYTES - HEADER_BYTES).map(lambda n: b"\xa5" * n)
    ),
)


@pytest.mark.parametrize("which", ["compiled", "plain"])
@given(st.lists(records, max_size=30), st.integers(0, 2**32 - 1))
def test_any_order_of_the_two_forms_writes_the_same_bytes(which: str, wanted: list[Wanted], epoch: int) -> None:
    """Over several segments, files are those of an all-Python writer, and a follower has seen every record at once."""
    append, clock = form(which), CellClock(5)
    with tempfile.TemporaryDirectory() as folder:
        mixed, ordinary = Path(folder, "mixed"), Path(folder, "ordinary")
        with (
            Writer(mixed, epoch=epoch, clock=clock, segment_bytes=SEGMENT) as writer,
            Writer(ordinary, epoch=epoch, clock=clock, segment_bytes=SEGMENT) as reference,
            Follower(mixed) as follower,
        ):
            for number, want in enumerate(wanted, start=2):
                clock.ns = want.mono_ns
                if want.make_room:
                    for each in (writer, reference):
                        assert each.make_room(aligned(HEADER_BYTES + len(want.payload)))
                assert reference.append(want.kind, want.conn, want.wall_ns, want.payload) == number
                written = native(append, writer, *want[3:]) if want.native else -1
                if written < 0:
                    assert not (want.native and want.make_room)
                    written = writer.append(want.kind, want.conn, want.wall_ns, want.payload)
                assert written == writer.sequence == number
                *_, last = follower
                assert last == (number, want.mono_ns, want.wall_ns, epoch, want.conn, want.kind, 1, want.payload)
        assert [record.payload for record in Reader(mixed)][1:] == [want.payload for want in wanted]
        assert [path.read_bytes() for _, path in segment_files(mixed)] == [
            path.read_bytes() for _, path in segment_files(ordinary)
        ]


@pytest.mark.parametrize("which", ["compiled", "plain"])
@given(st.integers(0, SEGMENT), st.integers(0, SEGMENT + 100))
def test_what_does_not_fit_changes_nothing(which: str, used: int, size: int) -> None:
    """The kernel writes exactly when the record fits to the last byte; refused, cells and segment stay as they are."""
    room = compiled_entries("journal", (kernel,), (("append", 6), ("room", 1))).call["room"]
    with (
        tempfile.TemporaryDirectory() as folder,
        Writer(Path(folder), epoch=1, clock=CellClock(), segment_bytes=SEGMENT) as writer,
    ):
        writer.append(2, 0, 0, bytes(min(used, SEGMENT - PREAMBLE_BYTES - 2 * HEADER_BYTES)))
        at = writer.cells.ctypes.data
        left = SEGMENT - int(writer.cells[kernel.OFFSET])
        assert kernel.room(at) == room(at) == left
        [(_, path)] = segment_files(Path(folder))
        before = (writer.cells.tolist(), path.read_bytes())
        written = native(form(which), writer, 2, 0, 0, b"\xff" * size)
        assert (written == 3) is (aligned(HEADER_BYTES + size) <= left)
        assert (written == -1) is ((writer.cells.tolist(), path.read_bytes()) == before)


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_checksum_is_that_of_zlib(data: bytes, seed: int) -> None:
    """For every seed and every whole number of words."""
    data = data[: len(data) & -8]
    at, tables = ctypes.cast(data, ctypes.c_void_p).value or 0, kernel.checksum_tables().ctypes.data
    found = compiled_entries("checksum", (kernel,), (("checksum", 4),)).call["checksum"](tables, at, len(data), seed)
    assert found == kernel.checksum(tables, at, len(data), seed) == crc32(data, seed)


def test_long_checksum() -> None:
    """A frame of tens of kilobytes."""
    data: Any = np.random.default_rng(1).integers(0, 256, 1 << 16, np.uint8)
    entry = compiled_entries("checksum", (kernel,), (("checksum", 4),)).call["checksum"]
    tables = kernel.checksum_tables().ctypes.data
    for size in range(0, 2000, 8):
        assert entry(tables, data.ctypes.data, size, size) == crc32(data[:size], size)
    assert entry(tables, data.ctypes.data, data.size, 7) == crc32(data, 7)


@given(st.binary(min_size=16, max_size=400), st.integers(0, 2**32 - 1))
def test_folding_gives_the_checksum_of_zlib(data: bytes, seed: int) -> None:
    """For every whole number of words, in Python and in compiled code."""
    data = data[: len(data) & -8]
    at = ctypes.cast(data, ctypes.c_void_p).value or 0
    assert carryless.folded_crc(at, len(data), seed ^ 0xFFFFFFFF) ^ 0xFFFFFFFF == crc32(data, seed)
    if can_fold():
        assert compiled_crc()(at, len(data), seed ^ 0xFFFFFFFF) ^ 0xFFFFFFFF == crc32(data, seed)


@cache
def can_fold() -> bool:
    """Whether this processor has what folding takes."""
    word = twins()[carryless.can_fold]

    @numba.njit  # type: ignore[untyped-decorator]
    def ask() -> int:
        return int(word())

    return ask() == 1


@cache
def compiled_crc() -> Any:
    """The compiled form of the word."""
    word = twins()[carryless.folded_crc]

    @numba.njit  # type: ignore[untyped-decorator]
    def folded(at: int, size: int, code: int) -> int:
        return int(word(at, size, code))

    return folded
