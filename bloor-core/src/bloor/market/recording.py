"""Recordings of frames: text files, plain or gzip, one frame a line, or folders; merged by receive time.

A folder is one that ``bloor record`` or a run has made; see :mod:`bloor.market.recorded_folder`. Of a file,
a line is one of

- ``<recv time> <json>`` or ``<recv time>: <json>``: a frame and when it was received, in s, ms, us or ns since the
  epoch, with or without a fraction; which of the four is told by its size;
- ``<json>``: a bare frame (an object or a list), received when nobody knows;
- ``<url> -> <recv time>: <json>``: the answer to a REST request.

Blank lines and lines that begin with ``wss://`` (what a recorder sent, and its connections) or ``configuration:`` are
no frames: they are skipped and not counted. Any other line cannot be read. The JSON itself is not looked into here.

Several files are merged by receive time without holding any of them in memory; within a file the order of lines stays,
whatever their times say, and a bare frame comes right after the line before it.
"""

from __future__ import annotations

import heapq
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from os import fspath
from pathlib import Path
from typing import IO, NamedTuple

from bloor.errors import InputFileError
from bloor.market.recorded_folder import read_folder

__all__ = ["Line", "RecordedLine", "UnreadableLine", "read_blocks", "read_recording", "receive_ns", "recorded_line"]

#: Longest line that is read: ten times the largest depth snapshot a venue sends.
MAX_LINE = 1 << 25
CHUNK = 1 << 16
#: Bytes of lines that are handed on at a time.
BLOCK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"

_LINE = re.compile(rb"(?:(?P<url>[a-z]+://\S+)\s+->\s+)?(?:(?P<time>[0-9]+(?:\.[0-9]+)?):?\s+)?(?P<json>.*)", re.DOTALL)
_SKIPPED = (b"wss://", b"configuration:")

#: ``(smallest value of the next finer unit, ns in the unit)``: seconds reach 1e11 in the year 5138.
_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))


class RecordedLine(NamedTuple):
    """One recorded frame.

    Attributes:
        file: Path of its file or folder, as given.
        line_no: Number of its line in the file, or of its record in the folder's journal, from 1.
        recv_ns: When it was received, ns since the epoch; None for a bare frame.
        url: The request it answers; None for a frame of a stream.
        payload: The JSON as it stands in the file.
    """

    file: str
    line_no: int
    recv_ns: int | None
    url: str | None
    payload: bytes


class UnreadableLine(NamedTuple):
    """A line that is none of what a recording may hold.

    Attributes:
        file: Path of its file, as given.
        line_no: Number of the line in the file, from 1.
        reason: What was expected and what came.
    """

    file: str
    line_no: int
    reason: str


Line = RecordedLine | UnreadableLine


def read_recording(paths: Iterable[str | Path], *, venue: str | None = None) -> Iterator[Line]:
    """Reads recordings, merged by receive time.

    Args:
        paths: Files and folders; their order matters only between lines of the same time.
        venue: Whose market data is wanted of folders that have several venues'.

    Returns:
        The lines, read as they are asked for.

    Raises:
        InputFileError: At once when a file cannot be opened or is not text, or a folder has no journal; while reading
            when a gzip file breaks, after every whole line before the break.
    """
    lines = [_source(fspath(path), venue) for path in paths]
    if len(lines) == 1:
        return (line for _, line in lines[0])
    return (line for _, line in heapq.merge(*lines, key=_time))


def read_blocks(path: str | Path) -> Iterator[bytes]:
    """The text of one file, unpacked, in blocks of whole lines that end with a line feed.

    Of a line that is much too long, only the beginning is kept.

    Raises:
        InputFileError: As :func:`read_recording`.
    """
    file = fspath(path)
    held: list[bytes] = []
    size = unfinished = 0
    try:
        for chunk in _checked(file, _chunks(file)):
            cut = chunk.rfind(b"\n") + 1
            if not cut:
                if unfinished <= MAX_LINE:
                    held.append(chunk)
                    size, unfinished = size + len(chunk), unfinished + len(chunk)
                continue
            held.append(chunk[:cut])
            size, unfinished = size + cut, len(chunk) - cut
            if size > BLOCK:
                yield b"".join(held)
                held, size = [], 0
            held.append(chunk[cut:])
            size += unfinished
    except InputFileError as error:
        rest = b"".join(held)
        whole = rest[: rest.rfind(b"\n") + 1]
        if whole:
            yield whole
        raise InputFileError(file, error.reason, error.line or _lines_before_break(file) + 1) from None
    rest = b"".join(held)
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def _lines_before_break(file: str) -> int:
    """How many whole lines a file has up to where it cannot be read; read anew, since that is seldom asked for."""
    number = 0
    with suppress(InputFileError):
        for chunk in _checked(file, _chunks(file)):
            number += chunk.count(b"\n")
    return number


def recorded_line(file: str, number: int, raw: bytes) -> Line | None:
    """What one line of a text file says; None for one that is skipped.

    Args:
        file: Path of the file, as given.
        number: Number of the line, from 1.
        raw: The line without its end.
    """
    text = raw.strip()
    return None if not text or text.startswith(_SKIPPED) else _line(file, number, text)


def _source(file: str, venue: str | None) -> Iterator[tuple[int, Line]]:
    """The lines of a file or a folder, each with the time that orders it; opened now."""
    if Path(file).is_dir():
        return _records(file, read_folder(Path(file), venue))
    return _lines(*_open(file))


def _records(file: str, records: Iterator[tuple[int, int, str | None, bytes]]) -> Iterator[tuple[int, Line]]:
    order = 0
    for number, recv_ns, url, payload in records:
        order = max(order, recv_ns)
        yield order, RecordedLine(file, number, recv_ns, url, payload)


def _time(timed: tuple[int, Line]) -> int:
    return timed[0]


def receive_ns(text: str) -> int:
    """A receive time as ns since the epoch, exact (digits below a nanosecond are cut off).

    Args:
        text: Digits, with or without a fraction, in s, ms, us or ns.

    Raises:
        ValueError: The text is no such number, or passes 63 bits.
    """
    whole, _, fraction = text.partition(".")
    value = int(whole)
    unit = next((ns for limit, ns in _UNITS if value < limit), 1)
    digits = len(str(unit)) - 1
    result = value * unit + int((fraction[:digits] or "0").ljust(digits, "0") or "0")
    if result >> 63:
        raise ValueError(f"expected a time since the epoch, got {text[:40]}")
    return result


# ---- lines ----------------------------------------------------------------------------------------------------------


def _lines(file: str, stream: Iterator[bytes]) -> Iterator[tuple[int, Line]]:
    """``(time that orders it, line)`` for each line that is not skipped."""
    order = 0
    for number, raw in enumerate(stream, 1):
        line = recorded_line(file, number, raw)
        if line is None:
            continue
        if isinstance(line, RecordedLine) and line.recv_ns is not None:
            order = max(order, line.recv_ns)
        yield order, line


def _line(file: str, number: int, text: bytes) -> Line:
    if len(text) > MAX_LINE:
        return UnreadableLine(file, number, f"expected a line of at most {MAX_LINE} bytes, got a longer one")
    match = _LINE.match(text)
    assert match is not None
    url, time, payload = match["url"], match["time"], match["json"]
    if url is not None and time is None:
        return UnreadableLine(file, number, f"expected '<url> -> <receive time>: <json>', got {_shown(text)}")
    if time is None and payload[:1] not in (b"{", b"["):
        return UnreadableLine(file, number, f"expected '<receive time> <json>' or JSON, got {_shown(text)}")
    try:
        recv_ns = None if time is None else receive_ns(time.decode())
    except ValueError as error:
        return UnreadableLine(file, number, str(error))
    return RecordedLine(file, number, recv_ns, None if url is None else url.decode("utf-8", "replace"), payload)


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "backslashreplace"))


# ---- files ----------------------------------------------------------------------------------------------------------


def _open(file: str) -> tuple[str, Iterator[bytes]]:
    """A file and its lines; opened now, so that a missing file is found before anything is read."""
    lines = _split(file, _chunks(file))
    first = next(lines, None)  # finds what is not text before anything is written
    return file, iter(()) if first is None else _and_rest(first, lines)


def _chunks(file: str) -> Iterator[bytes]:
    """The content of a file, unpacked; opened now."""
    try:
        source = Path(file).open("rb")  # noqa: SIM115 (closed by the generator that reads it)
        head = source.read(len(GZIP_MAGIC))
        source.seek(0)
    except OSError as error:
        raise InputFileError(file, f"cannot be read: {error.strerror}") from None
    return _inflated(file, source) if head == GZIP_MAGIC else _plain(file, source)


def _and_rest(first: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from lines


def _plain(file: str, source: IO[bytes]) -> Iterator[bytes]:
    with source:
        while chunk := _read(file, source):
            yield chunk


def _read(file: str, source: IO[bytes]) -> bytes:
    try:
        return source.read(CHUNK)
    except OSError as error:
        raise InputFileError(file, f"cannot be read: {error.strerror}") from None


def _inflated(file: str, source: IO[bytes]) -> Iterator[bytes]:
    """The content of a gzip file of any number of members, up to where it breaks."""
    with source:
        member = zlib.decompressobj(wbits=31)
        begun = False
        while chunk := _read(file, source):
            while chunk:
                if not begun:
                    chunk = chunk.lstrip(b"\0")  # padding after a member
                    begun = bool(chunk)
                    if not begun:
                        break
                before = member.copy()
                try:
                    yield member.decompress(chunk)
                except zlib.error as error:
                    yield from _up_to_break(before, chunk)
                    raise InputFileError(file, f"the gzip stream is damaged ({error})") from None
                chunk = member.unused_data
                if member.eof:
                    member = zlib.decompressobj(wbits=31)
                    begun = False
        if begun:
            yield member.flush()
            raise InputFileError(file, "the gzip stream ends too early")


def _up_to_break(member: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """What can be had of a damaged chunk."""
    for n in range(len(chunk)):
        try:
            yield member.decompress(chunk[n : n + 1])
        except zlib.error:
            return


def _checked(file: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks without a byte order mark, empty ones left out.

    Raises:
        InputFileError: There is a NUL byte in the first one.
    """
    first = True
    for chunk in filter(None, chunks):
        if first and b"\0" in chunk:
            raise InputFileError(file, "expected text with a frame on each line, got a binary file", 1)
        yield chunk.removeprefix(b"\xef\xbb\xbf") if first else chunk
        first = False


def _split(file: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their ends; a line that is too long is cut to one byte more than is allowed.

    Raises:
        InputFileError: There is a NUL byte in the first chunk; or what the chunks raise, with the number of the line.
    """
    rest = b""
    number = 0
    try:
        for chunk in _checked(file, chunks):
            *whole, tail = chunk.split(b"\n")
            if whole:
                whole[0] = rest + whole[0]
                rest = tail
                number += len(whole)
                yield from whole
            elif len(rest) <= MAX_LINE:
                rest += tail
    except InputFileError as error:
        raise InputFileError(file, error.reason, error.line or number + 1) from None
    if rest:
        yield rest
