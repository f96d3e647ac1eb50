"""What is left of a journal after a crash or damage."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from bloor.errors import JournalError
from bloor.journal.reader import Reader, survey
from bloor.journal.record import HEADER_BYTES, RecordKind, aligned
from bloor.journal.segment import PREAMBLE_BYTES, segment_path
from bloor.journal.writer import Writer

SIZES = [0, 1, 7, 8, 9, 40, 100]


def write(folder: Path, sizes: list[int], *, segment_bytes: int = 8192, epoch: int = 1) -> list[int]:
    """Writes records and returns where each ends."""
    rng = random.Random(3)
    with Writer(folder, epoch=epoch, clock=lambda: 1, segment_bytes=segment_bytes) as writer:
        for size in sizes:
            writer.append(RecordKind.FRAME_IN, 1, 2, rng.randbytes(size))
    ends, offset = [], PREAMBLE_BYTES
    for size in [0, *sizes]:
        offset += aligned(HEADER_BYTES + size)
        ends.append(offset)
    return ends


def test_a_tail_cut_at_every_byte_is_recovered(tmp_path: Path) -> None:
    """Every whole record before the cut is kept, the rest is told and cut off, and writing goes on."""
    ends = write(tmp_path / "whole", SIZES)
    path = segment_path(tmp_path / "whole", 1)
    data = path.read_bytes()
    assert len(data) == ends[-1]
    for cut in range(len(data)):
        folder = tmp_path / "cut"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        segment_path(folder, 1).write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)
        reader = Reader(folder)
        assert len(list(reader)) == whole
        at_boundary = cut in (PREAMBLE_BYTES, *ends)
        assert (reader.torn_path is None) == at_boundary
        with Writer(folder, epoch=2, clock=lambda: 1, segment_bytes=4096) as writer:
            assert writer.recovered.records == whole
            assert writer.append(RecordKind.FRAME_IN, 0, 0, b"on") == whole + 2
        again = Reader(folder)
        assert [record.sequence for record in again] == list(range(1, whole + 3))
        assert again.torn_bytes == 0


def test_an_uncommitted_record_is_a_torn_tail(tmp_path: Path) -> None:
    """A process that dies between the bytes and the commit leaves bytes under a zero word: told, and cut off."""
    ends = write(tmp_path, SIZES)
    path = segment_path(tmp_path, 1)
    with path.open("r+b") as file:
        file.truncate(8192)
        file.seek(ends[-1] + 8)
        file.write(b"\x11" * 60)
    found = survey(tmp_path)
    assert (found.records, found.torn_bytes, found.torn_at) == (len(SIZES) + 1, 68, ends[-1])
    with Writer(tmp_path, epoch=2, clock=lambda: 1, segment_bytes=4096):
        pass
    assert path.stat().st_size == ends[-1]


@pytest.mark.parametrize("segment_bytes", [8192, 512])
def test_a_flipped_bit_anywhere_is_detected(tmp_path: Path, segment_bytes: int) -> None:
    """No damaged record is ever given out: it is corruption, or, in the last record only, a torn tail."""
    write(tmp_path / "whole", SIZES, segment_bytes=segment_bytes)
    originals = list(Reader(tmp_path / "whole"))
    for path in sorted((tmp_path / "whole").glob("*.journal")):
        data = bytearray(path.read_bytes())
        for bit in range(0, len(data) * 8, 5):  # every byte is hit, and every bit within a byte
            data[bit // 8] ^= 1 << bit % 8
            path.write_bytes(data)
            check_damage(tmp_path / "whole", originals)
            data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
    assert list(Reader(tmp_path / "whole")) == originals


def check_damage(folder: Path, originals: list[object]) -> None:
    reader = Reader(folder)
    found: list[object] = []
    try:
        found.extend(reader)  # keeps what came before an error
    except JournalError:
        pass
    else:
        assert reader.torn_path is not None
        assert len(found) >= len(originals) - 2  # the last record, or the last segment with its one or two
    assert found == originals[: len(found)]
    assert len(found) < len(originals)


def test_a_valid_record_after_a_bad_one_is_corruption(tmp_path: Path) -> None:
    """The writer refuses to go on, and the message says what is good and what to do."""
    ends = write(tmp_path, SIZES)
    path = segment_path(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[ends[2] + 41] ^= 1
    path.write_bytes(data)
    with pytest.raises(
        JournalError, match=rf"byte {ends[2]}: .*a valid record at {ends[3]} .*Records up to 3 are good"
    ):
        Writer(tmp_path, epoch=2, clock=lambda: 1)
    assert path.read_bytes() == data  # nothing was touched
    (tmp_path / "lock").unlink()  # and the lock is free
    with pytest.raises(JournalError, match="corrupt"):
        survey(tmp_path)


def test_a_missing_segment_is_corruption(tmp_path: Path) -> None:
    """A hole in the numbers of segments, or of records, is told; segments archived from the front are not."""
    write(tmp_path, [100] * 30, segment_bytes=512)
    segment_path(tmp_path, 1).unlink()
    records = list(Reader(tmp_path))
    assert records[0].sequence > 1
    segment_path(tmp_path, 3).unlink()
    with pytest.raises(JournalError, match="expected segment 3 here, got 4"):
        list(Reader(tmp_path))


def test_a_leftover_spare_is_reused(tmp_path: Path) -> None:
    """A spare segment of a writer that died is no part of the journal."""
    write(tmp_path, SIZES)
    (tmp_path / "spare").write_bytes(b"\xff" * 100)
    with Writer(tmp_path, epoch=2, clock=lambda: 1, segment_bytes=4096) as writer:
        writer.append(RecordKind.FRAME_IN, 0, 0, b"x")
    assert len(list(Reader(tmp_path))) == len(SIZES) + 3
    assert not (tmp_path / "spare").exists()


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A journal of a later format is not taken for a damaged one."""
    from zlib import crc32

    write(tmp_path, SIZES)
    path = segment_path(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[8] = 2
    data[60:64] = crc32(data[:60]).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(JournalError, match="expected format version 1, got 2"):
        survey(tmp_path)
