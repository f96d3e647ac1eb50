"""The formats that can be imported, and how one is told from another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from bloor.errors import UsageError, nearest
from bloor.storage.formats import binance_dump, hftbacktest, recording, tardis
from bloor.storage.formats.lines import first_line

if TYPE_CHECKING:
    from bloor.storage.reading import Reading

__all__ = ["FORMATS", "Format", "format_of"]


@frozen
class Format:
    """A format of sources.

    Attributes:
        name: What a user types.
        merged: Whether several sources are one stream, merged by time; otherwise each stands alone.
        read: Reads sources into a :class:`~bloor.storage.reading.Reading`.
    """

    name: str
    merged: bool
    read: Callable[[Reading, Sequence[Path]], None]


#: Every format by name.
FORMATS = {
    made.name: made
    for made in (
        Format("recording", merged=True, read=recording.read),
        Format("binance-dump", merged=False, read=binance_dump.read),
        Format("hftbacktest", merged=False, read=hftbacktest.read),
        Format("tardis", merged=False, read=tardis.read),
    )
}


def format_of(path: Path, name: str) -> Format:
    """How to read a source.

    Args:
        path: The source.
        name: A format's name, or ``auto``.

    Raises:
        UsageError: There is no format of that name.
        InputFileError: The source cannot be read.
    """
    if name != "auto":
        if name not in FORMATS:
            raise UsageError(f"format: expected auto, {', '.join(FORMATS)}, got {name!r}{nearest(name, FORMATS)}")
        return FORMATS[name]
    if path.is_dir():
        return FORMATS["recording"]
    if path.suffix == ".npz":
        return FORMATS["hftbacktest"]
    line = first_line(path)
    for module in (tardis, binance_dump):
        if module.claims(line):
            return FORMATS["tardis" if module is tardis else "binance-dump"]
    return FORMATS["recording"]
