"""A journal between processes: a reader behind a living writer, a writer that is killed, a forked child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bloor.errors import JournalError
from bloor.journal import kernel
from bloor.journal.follower import Follower
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.native.entries import compiled_entries

WRITE = """
import sys, time
from pathlib import Path
from bloor.journal.writer import Writer
folder, total, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
writer = Writer(folder, epoch=1, clock=time.monotonic_ns, segment_bytes=1 << 16)
for number in range(total):
    writer.append(2, number % 100, number, (b"%d," % number) * (number % 150))
    if number % 50 == 0:
        writer.tend()
        time.sleep(pause)
writer.close(0)
"""

#: Appends inside compiled code for as long as it lives; after each record its number goes into a file.
WRITE_COMPILED = """
import ctypes, mmap, sys, time
from pathlib import Path
import numba
from bloor.journal import kernel
from bloor.journal.writer import Writer
from bloor.native import memory
from bloor.native.linking import linked
from bloor.native.twins import twins
words = twins()
append = linked((kernel,), numba.njit(error_model="numpy", _nrt=False), words)[kernel.append]
put_cell = words[memory.put_cell]
@numba.njit
def fill(journal, told, text, number):
    while True:
        sequence = append(journal, 2, number % 100, number, text, number * 37 % 900)
        if sequence < 0:
            return number
        put_cell(told, sequence)
        number += 1
folder = Path(sys.argv[1])
with (folder / "told").open("r+b") as file:
    memory = mmap.mmap(file.fileno(), 8)
told = ctypes.addressof(ctypes.c_int64.from_buffer(memory))
text = bytes(range(250)) * 4
at = ctypes.cast(text, ctypes.c_void_p).value
writer = Writer(folder / "journal", epoch=1, clock=time.monotonic_ns, segment_bytes=1 << 16)
number = 0
while True:
    number = fill(writer.cells.ctypes.data, told, at, number)
    writer.make_room(1000)
    writer.tend()
"""


def start(folder: Path, total: int, pause: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITE, str(folder), str(total), str(pause)])


def payload(number: int) -> bytes:
    return (b"%d," % number) * (number % 150)


def test_a_follower_sees_every_record_of_a_living_writer(tmp_path: Path) -> None:
    """Across many segments, while they are made, cut and closed: each record once, whole and in order."""
    total = 20_000
    writer = start(tmp_path, total, 0.0005)
    numbers = 0
    with Follower(tmp_path) as follower:
        finished = False
        while not finished:
            for record in follower:
                if record.kind == RecordKind.FRAME_IN:
                    assert record.payload == payload(numbers)
                    numbers += 1
                finished = record.kind == RecordKind.FOOTER
        assert follower.segment > 10
    assert numbers == total
    assert writer.wait() == 0


def test_a_killed_writer_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    """After SIGKILL at any moment: what a follower had seen is there, all of it is whole, and writing goes on."""
    for round_ in range(5):
        folder = tmp_path / str(round_)
        writer = start(folder, 10_000_000, 0)
        try:
            with Follower(folder) as follower:
                while follower.sequence < 2_000 * (round_ + 1):
                    for _ in follower:
                        if follower.sequence >= 2_000 * (round_ + 1):
                            break
                seen = follower.sequence
        finally:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        reader = Reader(folder)
        last = 0
        for last, record in enumerate(reader, start=1):
            assert record.sequence == last
            assert last == 1 or record.payload == payload(last - 2)
        assert last >= seen
        with Writer(folder, epoch=2, clock=lambda: 0, segment_bytes=1 << 16) as again:
            assert again.sequence == last + 1


def test_a_writer_killed_in_compiled_code_loses_nothing_it_committed(tmp_path: Path, wait_for: Any) -> None:
    """After SIGKILL in the midst of compiled appends: every record whose number was told is there and whole."""
    for round_ in range(3):
        folder = tmp_path / str(round_)
        folder.mkdir()
        told = folder / "told"
        told.write_bytes(bytes(8))
        writer = subprocess.Popen([sys.executable, "-c", WRITE_COMPILED, str(folder)])
        try:
            enough = 5_000 * (round_ + 1)
            wait_for(lambda: int.from_bytes(told.read_bytes(), "little") >= enough, writer)  # noqa: B023 (called here)
        finally:
            writer.kill()
            writer.wait()
        last = 0
        for last, record in enumerate(Reader(folder / "journal"), start=1):
            number = last - 2
            assert record.sequence == last
            assert number < 0 or record.payload == (bytes(range(250)) * 4)[: number * 37 % 900]
        assert int.from_bytes(told.read_bytes(), "little") <= last
        with Writer(folder / "journal", epoch=2, clock=lambda: 0, segment_bytes=1 << 16) as again:
            assert again.sequence == last + 1


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """The lock holds between processes, and is free as soon as its holder is dead."""
    writer = start(tmp_path, 10_000_000, 0.01)
    try:
        while not (tmp_path / "00000001.journal").exists():
            time.sleep(0.01)
        with pytest.raises(JournalError, match=f"another writer has this journal \\(process {writer.pid}\\)"):
            Writer(tmp_path, epoch=2, clock=lambda: 0)
    finally:
        writer.kill()
        writer.wait()
    Writer(tmp_path, epoch=2, clock=lambda: 0, segment_bytes=1 << 16).close()


def test_a_forked_child_cannot_write(tmp_path: Path) -> None:
    """A child shares its parent's memory: it is refused, and the parent's journal stays whole."""
    append = compiled_entries("journal", (kernel,), (("append", 6), ("room", 1))).call["append"]
    with Writer(tmp_path, epoch=1, clock=time.monotonic_ns, segment_bytes=1 << 16) as writer:
        at = writer.cells.ctypes.data
        child = os.fork()
        if child == 0:
            if append(at, RecordKind.FRAME_IN, 0, 0, at, 8) != -1:
                os._exit(3)
            try:
                writer.append(RecordKind.FRAME_IN, 0, 0, b"child")
            except JournalError as error:
                os._exit(0 if "spawn" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        writer.append(RecordKind.FRAME_IN, 0, 0, b"parent")
        assert append(at, RecordKind.FRAME_IN, 0, 0, at + 8 * kernel.EPOCH, 8) == 3
    assert [record.payload for record in Reader(tmp_path)] == [b"", b"parent", bytes([1, 0, 0, 0, 0, 0, 0, 0])]
