"""What a catalogue says of itself: one JSON file for each import, written when all of its parts are in place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from attrs import asdict, field, frozen

from bloor.errors import InputFileError
from bloor.model.instrument import Instrument
from bloor.storage.layout import imports_folder, replaced, sync_folder

__all__ = [
    "Import",
    "Part",
    "Source",
    "StoredFile",
    "file_hash",
    "plain",
    "read_imports",
    "read_instrument",
    "read_part",
    "remove_import",
    "write_import",
]

#: Version of the layout; a reader refuses what is newer.
FORMAT = 1
CHUNK = 1 << 20


@frozen(kw_only=True)
class StoredFile:
    """A file of the catalogue.

    Attributes:
        path: Inside the catalogue, with ``/``.
        bytes: Its size.
        sha256: Hash of its content, in hex.
    """

    path: str
    bytes: int
    sha256: str


@frozen(kw_only=True)
class Source:
    """A file that was imported.

    Attributes:
        name: Its path as it was given.
        bytes: Its size (of all its files, for a folder).
        sha256: Hash of its content, in hex.
        stored: Whether its records are in this import; False when it was read only so that books continue, because
            an earlier import has its records.
    """

    name: str
    bytes: int
    sha256: str
    stored: bool = True


@frozen(kw_only=True)
class Part:
    """The records of one instrument and one day (UTC, by receive time) from one import.

    Attributes:
        instrument: Whose ticks and units the records count in.
        day: ``2024-08-08``.
        rows: How many records.
        kinds: How many of each kind, by the name of :class:`~bloor.market.events.EventKind` in small letters.
        first_ns: Time of the first record, ns since the epoch; 0 when none has a time.
        last_ns: Time of the last one.
        gaps: Times at which book changes were missing: ``recv_ns``, ``expected`` and ``got``; at most 1,000.
        events: The records for running.
        parquet: The same for keeping; None when pyarrow was not installed.
    """

    instrument: Instrument
    day: str
    rows: int
    kinds: Mapping[str, int]
    first_ns: int
    last_ns: int
    gaps: Sequence[Mapping[str, int]]
    events: StoredFile
    parquet: StoredFile | None = None


@frozen(kw_only=True)
class Import:
    """One import: what went in and what came out.

    Attributes:
        id: Its name: a hash over the sources and everything that decides what is made of them.
        venue: Whose data.
        source_format: How the sources were read.
        symbols: Canonical symbols that were wanted; None for all.
        assume_empty: Whether books began empty.
        sources: The files.
        counts: What was read: messages, trades, gaps, errors and so on.
        errors: The first of the lines that could not be read.
        parts: What was made.
        bloor: The version that made it.
    """

    id: str
    venue: str
    source_format: str
    symbols: Sequence[str] | None
    assume_empty: bool
    sources: Sequence[Source]
    counts: Mapping[str, int]
    errors: Sequence[str]
    parts: Sequence[Part] = field(factory=list)
    bloor: str = ""

    def covers(self, sha256: str, symbol: str | None) -> bool:
        """Whether this import holds the records of a source, all of them or those of one symbol."""
        if not any(source.sha256 == sha256 and source.stored for source in self.sources):
            return False
        return self.symbols is None or (symbol is not None and symbol in self.symbols)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hex; of a folder, over the names and hashes of its files."""
    if path.is_dir():
        lines = (
            f"{file_hash(child)} {child.relative_to(path)}\n" for child in sorted(path.rglob("*")) if child.is_file()
        )
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_import(catalogue: Path, made: Import, staging: Path) -> Path:
    """Writes a manifest, first into the staging folder: with it, the import is part of the catalogue."""
    folder = imports_folder(catalogue)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{made.id}.json"
    document = {"format": FORMAT, **asdict(made)}
    with replaced(path, staging) as temporary:
        temporary.write_bytes(orjson.dumps(document, default=plain, option=orjson.OPT_INDENT_2))
    return path


def remove_import(catalogue: Path, made: Import) -> None:
    """Takes an import out of the catalogue: its manifest first, then its files."""
    (imports_folder(catalogue) / f"{made.id}.json").unlink(missing_ok=True)
    sync_folder(imports_folder(catalogue))
    for part in made.parts:
        for file in (part.events, part.parquet):
            if file is not None:
                (catalogue / file.path).unlink(missing_ok=True)


def read_imports(catalogue: Path) -> list[Import]:
    """Every import of a catalogue, by the time of its first record; empty when there is no catalogue.

    Raises:
        InputFileError: A manifest cannot be read, or a later version of bloor wrote it.
    """
    folder = imports_folder(catalogue)
    found = [_read(path) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    return sorted(found, key=lambda i: (min((p.first_ns for p in i.parts), default=0), i.id))


def _read(path: Path) -> Import:
    try:
        document = orjson.loads(path.read_bytes())
        version = document.pop("format")
        if version > FORMAT:
            raise InputFileError(str(path), f"expected format {FORMAT} at most, got {version}: use a newer bloor")
        sources = [Source(**entry) for entry in document.pop("sources")]
        parts = [read_part(entry) for entry in document.pop("parts")]
        return Import(**document, sources=sources, parts=parts)
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputFileError(str(path), f"expected the manifest of an import, got something else: {error}") from None


def read_part(entry: dict[str, Any]) -> Part:
    """A part from the JSON that was made of it.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: It is something else.
    """
    parquet = entry.pop("parquet")
    return Part(
        instrument=read_instrument(entry.pop("instrument")),
        events=StoredFile(**entry.pop("events")),
        parquet=None if parquet is None else StoredFile(**parquet),
        **entry,
    )


def read_instrument(entry: Mapping[str, Any]) -> Instrument:
    """An instrument from the JSON that was made of it; errors as :func:`read_part`."""
    return Instrument(**{**entry, **{name: Decimal(entry[name]) for name in ("min_notional", "max_notional")}})


def plain(value: Any) -> Any:
    """What orjson is to write for what it does not know."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"no JSON form of {value!r}")
