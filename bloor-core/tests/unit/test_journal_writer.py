"""The journal's writer and reader, in one process."""

from __future__ import annotations

import errno
import os
import threading
from itertools import count
from pathlib import Path

import pytest

from bloor.errors import JournalError
from bloor.journal import segment as segment_module
from bloor.journal.follower import Follower
from bloor.journal.reader import Reader, survey
from bloor.journal.record import HEADER_BYTES, RecordKind
from bloor.journal.segment import PREAMBLE_BYTES, segment_files, segment_path
from bloor.journal.writer import Writer

SMALL = 4096


def make(folder: Path, *, epoch: int = 1, size: int = SMALL, header: bytes = b"head") -> Writer:
    ticks = count(100)
    return Writer(folder, epoch=epoch, clock=lambda: next(ticks), header=header, wall_ns=5, segment_bytes=size)


def payloads(folder: Path) -> list[bytes]:
    return [record.payload for record in Reader(folder)]


def test_every_field_comes_back(tmp_path: Path) -> None:
    """A record is read as it was written, the header record first."""
    with make(tmp_path, epoch=7) as writer:
        assert writer.append(RecordKind.FRAME_IN, 65_535, 1_700_000_000_000_000_000, b"frame", 3) == 2
    head, frame = Reader(tmp_path)
    assert (head.kind, head.payload, head.wall_ns) == (RecordKind.HEADER, b"head", 5)
    assert frame == (2, 101, 1_700_000_000_000_000_000, 7, 65_535, RecordKind.FRAME_IN, 3, b"frame")


def test_payloads_of_every_length_come_back(tmp_path: Path) -> None:
    """Padding never leaks into a payload, and an empty payload is a record too."""
    with make(tmp_path) as writer:
        for length in range(40):
            writer.append(RecordKind.DECISION, 1, 0, b"\xff" * length)
    assert payloads(tmp_path)[1:] == [b"\xff" * length for length in range(40)]


def test_segments_roll_over(tmp_path: Path) -> None:
    """Records go on in the next segment, prepared ahead or not, and are read as one journal."""
    with make(tmp_path) as writer:
        for number in range(500):
            writer.append(RecordKind.FRAME_IN, 1, number, b"%d" % number * 20)
            if number % 7 == 0:
                writer.tend()
        writer.close(9)
    assert len(segment_files(tmp_path)) > 5
    records = list(Reader(tmp_path))
    assert [record.sequence for record in records] == list(range(1, 503))
    assert [record.wall_ns for record in records[1:-1]] == list(range(500))
    assert records[-1].kind == RecordKind.FOOTER
    assert not (tmp_path / "spare").exists()


def test_a_segment_can_be_filled_to_its_last_byte(tmp_path: Path) -> None:
    """A record that fits exactly stays in the segment; the next one opens a new segment."""
    with make(tmp_path) as writer:
        room = SMALL - PREAMBLE_BYTES - (HEADER_BYTES + 8) - HEADER_BYTES
        writer.append(RecordKind.FRAME_IN, 0, 0, b"x" * room)
        assert len(segment_files(tmp_path)) == 1
        writer.append(RecordKind.FRAME_IN, 0, 0, b"y")
        assert len(segment_files(tmp_path)) == 2
    assert [len(payload) for payload in payloads(tmp_path)] == [4, room, 1]


def test_a_record_larger_than_a_segment_is_refused(tmp_path: Path) -> None:
    """It says how large a record may be, and the journal goes on."""
    with make(tmp_path) as writer:
        with pytest.raises(JournalError, match=f"expected a record of at most {SMALL - 104} bytes, got {SMALL}"):
            writer.append(RecordKind.FRAME_IN, 0, 0, bytes(SMALL))
        writer.append(RecordKind.FRAME_IN, 0, 0, b"after")
    assert payloads(tmp_path) == [b"head", b"after"]


def test_reopening_goes_on(tmp_path: Path) -> None:
    """A second run continues the sequence in a new segment with its own epoch."""
    with make(tmp_path, epoch=1) as writer:
        writer.append(RecordKind.FRAME_IN, 0, 0, b"one")
    with make(tmp_path, epoch=2) as writer:
        assert writer.recovered == (2, 2, 1, 1, 0, None, 0)
        assert writer.append(RecordKind.FRAME_IN, 0, 0, b"two") == 4
    assert [(r.sequence, r.epoch) for r in Reader(tmp_path)] == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """The message names the process that has the journal; the first writer is not disturbed."""
    with make(tmp_path) as writer:
        with pytest.raises(JournalError, match=f"another writer has this journal \\(process {os.getpid()}\\)"):
            make(tmp_path)
        writer.append(RecordKind.FRAME_IN, 0, 0, b"still")
    assert payloads(tmp_path) == [b"head", b"still"]
    make(tmp_path).close()  # the lock is free again


def test_a_closed_writer_refuses(tmp_path: Path) -> None:
    """Appending after the end is an error, closing twice is not."""
    writer = make(tmp_path)
    writer.close(3)
    writer.close(3)
    with pytest.raises(JournalError, match="closed"):
        writer.append(RecordKind.FRAME_IN, 0, 0, b"")


def test_a_failed_append_leaves_no_trace(tmp_path: Path) -> None:
    """Arguments that do not fit raise, and what follows is read as if nothing had been."""
    with make(tmp_path) as writer:
        with pytest.raises(Exception, match="format requires"):
            writer.append(RecordKind.FRAME_IN, 65_536, 0, b"z" * 200)
        with pytest.raises(TypeError):
            writer.append(RecordKind.FRAME_IN, 0, 0, "text" * 50)  # type: ignore[arg-type]
        writer.append(RecordKind.FRAME_IN, 0, 0, b"good")
        assert [record.payload for record in Follower(tmp_path)] == [b"head", b"good"]
    assert payloads(tmp_path) == [b"head", b"good"]


def test_an_interrupt_within_an_append_leaves_no_trace(tmp_path: Path) -> None:
    """Ctrl-C between the bytes and the commit: nothing committed, and the rest of the journal is sound."""
    armed = False

    def clock() -> int:
        if armed:
            raise KeyboardInterrupt
        return 1

    with Writer(tmp_path, epoch=1, clock=clock, segment_bytes=SMALL) as writer:
        armed = True
        with pytest.raises(KeyboardInterrupt):
            writer.append(RecordKind.FRAME_OUT, 0, 0, b"\xff" * 300)
        armed = False
        writer.append(RecordKind.FRAME_OUT, 0, 0, b"short")
    assert payloads(tmp_path) == [b"", b"short"]


def test_a_full_disk_is_told_a_segment_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tending raises while there is still room for cancels; appending raises only when that is used up."""

    def full(descriptor: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = make(tmp_path)
    monkeypatch.setattr(segment_module, "preallocate", full)
    while len(segment_files(tmp_path)) == 1:
        writer.append(RecordKind.FRAME_IN, 0, 0, bytes(200))
    with pytest.raises(JournalError, match="No space left on device; make room"):
        writer.tend(wait=True)
    room = writer.free_bytes
    assert room > SMALL // 2
    written = writer.sequence
    for _ in range(room // 240):
        writer.append(RecordKind.FRAME_OUT, 0, 0, bytes(200))
    with pytest.raises(JournalError, match="expected 4096 bytes to preallocate"):
        writer.append(RecordKind.FRAME_OUT, 0, 0, bytes(200))
    assert writer.sequence == written + room // 240
    monkeypatch.undo()
    writer.append(RecordKind.FRAME_OUT, 0, 0, b"room again")
    writer.close()
    assert payloads(tmp_path)[-1] == b"room again"


def test_a_failed_sync_is_never_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the disk refused once, nothing more is accepted, even when the next sync would succeed."""

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with make(tmp_path) as writer:
        writer.sync()
        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(JournalError, match="Input/output error; stop trading"):
            writer.sync()
        monkeypatch.undo()
        for call in (writer.sync, lambda: writer.append(RecordKind.FRAME_OUT, 0, 0, b"")):
            with pytest.raises(JournalError, match="stop trading"):
                call()


def test_syncing_from_another_thread(tmp_path: Path) -> None:
    """A group commit runs beside appending, rolling over and putting segments away."""
    stop, errors = threading.Event(), []

    def commit() -> None:
        while not stop.is_set():
            try:
                writer.sync()
            except JournalError as error:
                errors.append(error)

    with make(tmp_path) as writer:
        thread = threading.Thread(target=commit)
        thread.start()
        for number in range(2_000):
            writer.append(RecordKind.FRAME_IN, 0, number, bytes(100))
            if number % 20 == 0:
                writer.tend()
        stop.set()
        thread.join()
    assert errors == []
    assert survey(tmp_path).records == 2_001


def test_segment_sizes_are_checked(tmp_path: Path) -> None:
    """A size that cannot hold the header record, or is no multiple of 8, is refused before anything is written."""
    for size in (0, 100, 4097):
        with pytest.raises(JournalError, match="expected a segment size"):
            make(tmp_path / "none", size=size)
    assert not (tmp_path / "none").exists()


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """Folder and files are private: frames hold account data."""
    with make(tmp_path / "journal") as writer:
        writer.append(RecordKind.FRAME_IN, 0, 0, b"")
    assert (tmp_path / "journal").stat().st_mode & 0o77 == 0
    assert segment_path(tmp_path / "journal", 1).stat().st_mode & 0o77 == 0


def test_an_empty_folder_is_an_empty_journal(tmp_path: Path) -> None:
    """Reading, surveying and following nothing give nothing."""
    assert payloads(tmp_path) == []
    assert survey(tmp_path / "missing") == (0, 0, 0, 0, 0, None, 0)
    assert list(Follower(tmp_path / "missing")) == []


def test_a_follower_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """It yields what is there, then nothing, then what has come since, over segments and writers."""
    follower = Follower(tmp_path)
    seen: list[bytes] = []
    for epoch in (1, 2):
        with make(tmp_path, epoch=epoch) as writer:
            for number in range(100):
                writer.append(RecordKind.FRAME_IN, 0, 0, b"%d" % number * 30)
                if number % 9 == 0:
                    seen += [record.payload for record in follower]
                    assert list(follower) == []
                    writer.tend()
        seen += [record.payload for record in follower]
    assert seen == payloads(tmp_path)
    follower.close()


def test_a_follower_waits_at_the_head_of_a_segment(tmp_path: Path) -> None:
    """A new segment without a record yet, looked at more than once: nothing, and then what comes."""
    with make(tmp_path) as writer:
        follower = Follower(tmp_path)
        number = 0
        while len(segment_files(tmp_path)) < 4:
            number += 1
            room = writer.free_bytes
            writer.append(RecordKind.FRAME_IN, 0, number, bytes(200))
            assert writer.free_bytes < room or len(segment_files(tmp_path)) > 1
        # the last segment as a reader sees it between its name and its first record
        files = segment_files(tmp_path)
        hidden = files[-1][1].read_bytes()
        files[-1][1].write_bytes(hidden[:PREAMBLE_BYTES] + bytes(len(hidden) - PREAMBLE_BYTES))
        before = len(list(follower))
        assert [list(follower), list(follower)] == [[], []]
        files[-1][1].write_bytes(hidden)
        assert before + len(list(follower)) == writer.sequence
        follower.close()


def test_a_follower_reports_lasting_damage(tmp_path: Path) -> None:
    """A committed record with a wrong checksum is looked at twice before it is called damaged."""
    with make(tmp_path) as writer:
        writer.append(RecordKind.FRAME_IN, 0, 0, b"x" * 50)
        path = segment_path(tmp_path, 1)
        damage(path, PREAMBLE_BYTES + HEADER_BYTES + 8 + HEADER_BYTES + 3)
        follower = Follower(tmp_path)
        assert [record.payload for record in follower] == [b"head"]
        with pytest.raises(JournalError, match="byte 112: the journal is corrupt: the record here is damaged"):
            list(follower)
        follower.close()


def damage(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))
