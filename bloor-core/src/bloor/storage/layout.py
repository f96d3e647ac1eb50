"""Where things are in a catalogue.

::

    CATALOGUE/
        imports/<id>.json                                               one import: sources, counts, parts, hashes
        venue=binance/symbol=BTC-USDT/day=2024-08-08/<id>.events        records for running
        venue=binance/symbol=BTC-USDT/day=2024-08-08/<id>.parquet       the same for keeping
        .staging/<id>/                                                  what an import that is under way has made

Only what a file in ``imports/`` names belongs to the catalogue: that file is written last, by renaming.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bloor.errors import UsageError

__all__ = [
    "DAY_NS",
    "catalogue_folder",
    "day_name",
    "day_number",
    "durable",
    "imports_folder",
    "part_path",
    "replaced",
    "staging_folder",
    "sync_folder",
    "time_ns",
]

#: Nanoseconds in a day; days are UTC and count from the epoch.
DAY_NS = 86_400 * 10**9

EVENTS, PARQUET = ".events", ".parquet"
_EPOCH = date(1970, 1, 1)


def catalogue_folder(given: str | Path | None, environ: Mapping[str, str]) -> Path:
    """The catalogue that is meant: the one given, else ``$BLOOR_CATALOGUE``, else ``./catalogue``."""
    return Path(given or environ.get("BLOOR_CATALOGUE") or "catalogue")


def imports_folder(catalogue: Path) -> Path:
    """Where the manifests are."""
    return catalogue / "imports"


def staging_folder(catalogue: Path, import_id: str) -> Path:
    """Where an import makes its files."""
    return catalogue / ".staging" / import_id


def part_path(venue: str, symbol: str, day: str, import_id: str) -> Path:
    """Path of a part inside the catalogue, without the ending that says its form."""
    return Path(f"venue={venue}") / f"symbol={symbol}" / f"day={day}" / import_id


def day_name(number: int) -> str:
    """``2024-08-08`` for the number of a day since the epoch."""
    return (_EPOCH + timedelta(days=number)).isoformat()


def day_number(name: str) -> int:
    """The inverse of :func:`day_name`."""
    return (date.fromisoformat(name) - _EPOCH).days


def time_ns(value: str | int | datetime | None, name: str, *, end: bool = False) -> int | None:
    """A time that a user gave, as ns since the epoch.

    Args:
        value: Ns since the epoch, an ISO date or time (UTC where it names no zone), a datetime, or None.
        name: What it is called, for the message.
        end: Whether a date without a time means the end of that day.

    Raises:
        UsageError: It is none of these.
    """
    if value is None or isinstance(value, int):
        return value
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, AttributeError):
        raise UsageError(
            f"{name}: expected a UTC date or time such as 2024-08-08 or 2024-08-08T12:30:00, got {value!r}"
        ) from None
    ns = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
    return ns + DAY_NS if end and isinstance(value, str) and len(value) <= len("2024-08-08") else ns


# ---- files that are there whole or not at all -----------------------------------------------------------------------


@contextmanager
def replaced(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """A name to write to; when the block ends well, the file is made durable and takes the name ``path``.

    Args:
        path: The name in the end.
        folder: Where it is written, on the same file system; beside ``path`` when None.
    """
    temporary = (folder or path.parent) / f".{path.name}.{os.getpid()}.tmp"
    try:
        yield temporary
        durable(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def durable(path: Path) -> None:
    """Makes the content of a file survive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Makes names in a folder survive a loss of power."""
    if os.name == "posix":
        durable(folder)
