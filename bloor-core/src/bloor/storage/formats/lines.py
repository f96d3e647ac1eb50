"""Text files with a row on each line: plain, gzip, or one file in a zip archive."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bloor.errors import InputFileError

__all__ = ["batches", "first_line", "text_file"]

#: Bytes of text that are taken at a time.
BATCH_BYTES = 1 << 20
#: Longest line that is read.
MAX_LINE = 1 << 16


@contextmanager
def text_file(path: Path) -> Iterator[IO[bytes]]:
    """The text of a file, unpacked as it is read.

    Raises:
        InputFileError: It cannot be opened or is damaged, or a zip archive holds not exactly one file.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic.startswith(b"\x1f\x8b"):
                with gzip.GzipFile(fileobj=file) as inner:
                    yield io.BufferedReader(inner, BATCH_BYTES)
            elif magic == b"PK\x03\x04":
                with zipfile.ZipFile(file) as archive:
                    names = [name for name in archive.namelist() if not name.endswith("/")]
                    if len(names) != 1:
                        raise InputFileError(str(path), f"expected one file in the archive, got {len(names)}")
                    with archive.open(names[0]) as inner_file:
                        yield inner_file
            else:
                yield file
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputFileError(str(path), f"cannot be read: {reason}") from None


def first_line(path: Path) -> bytes:
    """The first line of a file, at most 64 KB of it; empty when there is none.

    Raises:
        InputFileError: The file cannot be read.
    """
    with text_file(path) as file:
        return file.readline(MAX_LINE).strip()


def batches(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """``(number of the first line, lines)`` of about a megabyte at a time; line ends are cut off, blank lines kept.

    Raises:
        InputFileError: The file cannot be read; what came before was handed out.
    """
    number = 1
    with text_file(path) as file:
        while lines := file.readlines(BATCH_BYTES):
            yield number, [line.rstrip(b"\r\n") for line in lines]
            number += len(lines)
