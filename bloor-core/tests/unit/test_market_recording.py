"""Recordings: every shape of line, gzip, several files, and what is wrong with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bloor.errors import InputFileError
from bloor.market.recording import RecordedLine, UnreadableLine, read_recording, receive_ns


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1723161253", 1723161253_000_000_000),
        ("1633998512.0633569", 1633998512_063_356_900),
        ("1633998512.1234567891", 1633998512_123_456_789),
        ("1723161253937", 1723161253_937_000_000),
        ("1723161253937.5", 1723161253_937_500_000),
        ("1721749182850494", 1721749182_850_494_000),
        ("1723161253937085768", 1723161253_937_085_768),
        ("1723161253937085768.9", 1723161253_937_085_768),
        ("0", 0),
    ],
)
def test_receive_time(text: str, ns: int) -> None:
    """A time in s, ms, us or ns is told by its size and read without rounding."""
    assert receive_ns(text) == ns


def test_receive_time_out_of_range() -> None:
    """A time that no int64 holds is refused."""
    with pytest.raises(ValueError, match="since the epoch"):
        receive_ns("9999999999999999999")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('1723161253937085768 {"a":1}', (1723161253937085768, None, b'{"a":1}')),
        ('1633998512.5: {"a":1}', (1633998512_500_000_000, None, b'{"a":1}')),
        ("1723161253 [1,2]", (1723161253_000_000_000, None, b"[1,2]")),
        ('{"a":1}', (None, None, b'{"a":1}')),
        ("[1]", (None, None, b"[1]")),
        ("1723161253 garbage", (1723161253_000_000_000, None, b"garbage")),
        (
            'https://h/api/v3/depth?symbol=A -> 1633998512.25: {"a":1}',
            (1633998512_250_000_000, "https://h/api/v3/depth?symbol=A", b'{"a":1}'),
        ),
        ('  1723161253\t{"a":1}\r', (1723161253_000_000_000, None, b'{"a":1}')),
    ],
)
def test_line_shapes(tmp_path: Path, line: str, expected: tuple[int | None, str | None, bytes]) -> None:
    """Each shape gives its time, its request and its JSON as it stands."""
    (read,) = read_recording([write(tmp_path, "r", line)])
    assert isinstance(read, RecordedLine)
    assert (read.recv_ns, read.url, read.payload) == expected


def test_skipped_lines_keep_the_numbers(tmp_path: Path) -> None:
    """Blank lines, connections and configurations are no frames, and the numbers go on."""
    path = write(tmp_path, "r", "", "wss://h <-> 1633998511.1", "configuration: {}", "   ", '{"a":1}')
    (read,) = read_recording([path])
    assert (read.file, read.line_no) == (str(path), 5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("garbage", "expected '<receive time> <json>' or JSON, got 'garbage'"),
        ("https://h/depth -> {}", "expected '<url> -> <receive time>: <json>'"),
        ("99999999999999999999 {}", "expected a time since the epoch"),
        ('"text"', "or JSON"),
        ("12.5.1 {}", "or JSON"),
    ],
)
def test_unreadable_lines(tmp_path: Path, line: str, reason: str) -> None:
    """A line of another shape is one error with its number, and the next is read."""
    bad, good = read_recording([write(tmp_path, "r", line, "{}")])
    assert isinstance(bad, UnreadableLine)
    assert (bad.line_no, good.line_no) == (1, 2)
    assert reason in bad.reason


def test_no_newline_at_the_end_and_a_byte_order_mark(tmp_path: Path) -> None:
    """Neither is part of a frame."""
    path = tmp_path / "r"
    path.write_bytes(b"\xef\xbb\xbf{}\n[]")
    assert [line.payload for line in read_recording([path]) if isinstance(line, RecordedLine)] == [b"{}", b"[]"]


def test_empty_file(tmp_path: Path) -> None:
    """An empty recording has no lines."""
    (tmp_path / "r").write_bytes(b"")
    assert list(read_recording([tmp_path / "r"])) == []


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    """Lines come by receive time from all files; a bare frame stays behind the line before it."""
    a = write(tmp_path, "a", "1723161250 [1]", "[2]", "1723161255 [5]")
    b = write(tmp_path, "b", "1723161251 [3]", "1723161254 [4]", "1723161253 [4.5]")
    for paths in ([a, b], [b, a]):
        payloads = [line.payload for line in read_recording(paths) if isinstance(line, RecordedLine)]
        assert payloads == [b"[1]", b"[2]", b"[3]", b"[4]", b"[4.5]", b"[5]"]


def test_bare_files_follow_each_other(tmp_path: Path) -> None:
    """Files without times keep the order in which they were given."""
    a, b = write(tmp_path, "a", "[1]", "[2]"), write(tmp_path, "b", "[3]")
    assert [line.payload for line in read_recording([b, a]) if isinstance(line, RecordedLine)] == [
        b"[3]", b"[1]", b"[2]",
    ]  # fmt: skip


def test_gzip_whatever_its_name(tmp_path: Path) -> None:
    """Gzip is told by its first bytes, and may have several members and padding."""
    path = tmp_path / "recording.txt"
    path.write_bytes(gzip.compress(b"[1]\n[2") + gzip.compress(b"]\n[3]\n") + b"\0\0\0")
    assert [line.payload for line in read_recording([path]) if isinstance(line, RecordedLine)] == [
        b"[1]", b"[2]", b"[3]",
    ]  # fmt: skip


def test_truncated_gzip(tmp_path: Path) -> None:
    """Every whole line before the break is read, then the break is reported with its line."""
    lines = [f"[{n * n * 7919 % 104729}]".encode() for n in range(50_000)]
    whole = gzip.compress(b"\n".join(lines))
    path = tmp_path / "r.gz"
    path.write_bytes(whole[: len(whole) // 2])
    read = []
    with pytest.raises(InputFileError, match="the gzip stream ends too early") as error:
        read.extend(read_recording([path]))
    assert error.value.line == len(read) + 1 > 10_000
    assert [line.payload for line in read if isinstance(line, RecordedLine)] == lines[: len(read)]


def test_damaged_gzip(tmp_path: Path) -> None:
    """A flipped byte ends the reading with an error that names the file."""
    whole = bytearray(gzip.compress(b"\n".join(f"[{n * n * 7919 % 104729}]".encode() for n in range(50_000))))
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / "r.gz"
    path.write_bytes(whole)
    with pytest.raises(InputFileError, match="damaged"):
        list(read_recording([path]))


def test_missing_file_is_found_at_once(tmp_path: Path) -> None:
    """No line is read when one of the files is not there."""
    good = write(tmp_path, "a", "[1]")
    with pytest.raises(InputFileError, match="cannot be read: No such file"):
        read_recording([good, tmp_path / "missing"])
    with pytest.raises(InputFileError, match="found no journal in it"):
        read_recording([tmp_path])


def test_binary_file(tmp_path: Path) -> None:
    """A file that is not text is refused at once, packed or not."""
    for name, content in (("a", b"\x93NUMPY\0\0\1"), ("b", gzip.compress(b"PAR1\0\0\0"))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputFileError, match="got a binary file"):
            read_recording([tmp_path / name])


def test_line_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line beyond the limit is an error, not a reason to fill the memory."""
    monkeypatch.setattr("bloor.market.recording.MAX_LINE", 100_000)
    path = write(tmp_path, "r", "[" + " " * 300_000 + "]", "[1]")
    bad, good = read_recording([path])
    assert isinstance(bad, UnreadableLine)
    assert "at most 100000 bytes" in bad.reason
    assert good.line_no == 2
