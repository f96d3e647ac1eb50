"""Reading a catalogue from Python: ``bloor.load``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from attrs import frozen

from bloor.errors import InputFileError, UsageError, nearest
from bloor.market.events import EventKind, EventView
from bloor.model.instrument import Instrument
from bloor.model.symbols import parse_symbol
from bloor.storage.cells import Records, common_units, rescale, times
from bloor.storage.layout import catalogue_folder, time_ns
from bloor.storage.manifest import Import, Part, read_imports
from bloor.storage.parquet import read_parquet

__all__ = ["EventArray", "StoredPart", "load", "open_part", "stored_parts"]

Kinds = str | EventKind | Iterable[str | EventKind] | None


class EventArray(np.ndarray[Any, np.dtype[Any]]):
    """Event records and whose they are: a structured array of the fields of ``EventView``.

    Attributes:
        instrument: Says what a tick and a unit are worth; None for an array that was cut out of fields.
    """

    instrument: Instrument | None

    def __array_finalize__(self, obj: Any) -> None:
        """Hands the instrument on to views and slices."""
        self.instrument = getattr(obj, "instrument", None)


@frozen
class StoredPart:
    """A part and the import it came with."""

    part: Part
    of: Import


def load(
    venue: str,
    symbol: str,
    kinds: Kinds = None,
    start: str | int | datetime | None = None,
    end: str | int | datetime | None = None,
    *,
    catalogue: str | Path | None = None,
    as_: Literal["numpy", "pandas", "polars"] = "numpy",
    imports: Sequence[str] | None = None,
) -> Any:
    """Reads the stored events of one instrument.

    Args:
        venue: The venue's name.
        symbol: Canonical symbol.
        kinds: Kinds of events, by name (``"trade"``, ``"bbo"``, ``"book"``, ``"level"``, ...); all without.
        start: Earliest time, inclusive: ns since the epoch, an ISO date or time (UTC), or a datetime.
        end: Latest time, exclusive; a date without a time means the end of that day.
        catalogue: The catalogue's folder; without, ``$BLOOR_CATALOGUE``, else ``./catalogue``.
        as_: ``numpy`` for the records themselves, in integer ticks and units, memory-mapped where one file holds what
            is asked for; ``pandas`` or ``polars`` for a frame with prices and quantities as numbers as well.
        imports: Ids of the only imports to read; without, all.

    Returns:
        An :class:`EventArray`, or a data frame with the columns of
        :func:`bloor.storage.frames.columns`.

    Raises:
        UsageError: There is no such instrument or kind, or pandas or polars is not installed.
        InputFileError: The catalogue is damaged.
    """
    if as_ not in ("numpy", "pandas", "polars"):
        raise UsageError(f"as_: expected 'numpy', 'pandas' or 'polars', got {as_!r}")
    wanted = _kinds(kinds)
    first, last = time_ns(start, "start"), time_ns(end, "end", end=True)
    folder = catalogue_folder(catalogue, os.environ)
    found = stored_parts(folder, venue, symbol, first, last, imports=imports)
    instrument = common_units([stored.part.instrument for stored in found])
    pieces = [_piece(folder, stored.part, instrument, first, last) for stored in found]
    rows = _joined(pieces)
    if wanted is not None:
        rows = rows[np.isin(rows["kind"], wanted)]
    if as_ == "numpy":
        events = rows.view(EventArray)
        events.instrument = instrument
        return events
    from bloor.storage.frames import frame

    return frame(rows, instrument, as_)


def stored_parts(
    catalogue: Path,
    venue: str,
    symbol: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    imports: Sequence[str] | None = None,
) -> list[StoredPart]:
    """The parts of an instrument that reach into a span of time, by the time of their first record.

    Raises:
        UsageError: The catalogue has nothing of this instrument; the message says what it has.
    """
    canonical = parse_symbol(symbol)[1]
    every = [StoredPart(part, made) for made in read_imports(catalogue) for part in made.parts]
    mine = [s for s in every if (s.part.instrument.venue, s.part.instrument.symbol) == (venue, canonical)]
    if imports is not None:
        mine = [s for s in mine if s.of.id in imports]
    if not mine:
        known = sorted({f"{s.part.instrument.venue}:{s.part.instrument.symbol}" for s in every})
        has = f"it has {', '.join(known[:8])}" if known else "it is empty; fill it with bloor data import"
        wanted = f"{venue}:{canonical}"
        raise UsageError(f"{catalogue}: the catalogue has no {wanted}; {has}{nearest(wanted, known)}")
    mine = [
        s
        for s in mine
        if (start_ns is None or s.part.last_ns >= start_ns) and (end_ns is None or s.part.first_ns < end_ns)
    ] or mine[:1]
    return sorted(mine, key=lambda s: (s.part.first_ns, s.part.day, s.of.id))


def open_part(catalogue: Path, part: Part) -> Records:
    """The records of a part, memory-mapped read-only; from Parquet when the form for running was deleted.

    Raises:
        InputFileError: Neither form is there, or a file has not the size that the manifest says.
    """
    path = catalogue / part.events.path
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        if part.parquet is not None and (catalogue / part.parquet.path).exists():
            return read_parquet(catalogue / part.parquet.path)
        raise InputFileError(str(path), "is missing: import its source again with --replace") from None
    if size != part.events.bytes:
        raise InputFileError(str(path), f"expected {part.events.bytes} bytes, got {size}: import its source again")
    return np.memmap(path, EventView.DTYPE, "r")


def _piece(folder: Path, part: Part, instrument: Instrument, start: int | None, end: int | None) -> Records:
    """What is asked for of a part, in the units of ``instrument``."""
    rows = open_part(folder, part)
    before = start is not None and start > part.first_ns
    after = end is not None and end <= part.last_ns
    if before or after:
        known = times(rows)
        begin = int(np.searchsorted(known, start)) if start is not None else 0
        stop = int(np.searchsorted(known, end)) if end is not None else len(rows)
        rows = rows[begin:stop]
    if _grid(part.instrument) != _grid(instrument):
        rows = np.array(rows)
        rescale(rows, part.instrument, instrument)
    return rows


def _grid(instrument: Instrument) -> tuple[int, int, int]:
    return instrument.price_decimals, instrument.tick_units, instrument.qty_decimals


def _joined(pieces: Sequence[Records]) -> Records:
    """The pieces as one, merged by time where they overlap."""
    pieces = [piece for piece in pieces if len(piece)]
    if len(pieces) < 2:
        return pieces[0] if pieces else np.zeros(0, EventView.DTYPE)
    known = [times(piece) for piece in pieces]
    rows: Records = np.concatenate(pieces)
    if any(before[-1] > after[0] for before, after in pairwise(known)):
        rows = rows[np.argsort(np.concatenate(known), kind="stable")]
    return rows


def _kinds(kinds: Kinds) -> list[int] | None:
    """Numbers of kinds that were named.

    Raises:
        UsageError: There is no such kind.
    """
    if kinds is None:
        return None
    names = {kind.name.lower(): kind for kind in EventKind}
    wanted = []
    for kind in [kinds] if isinstance(kinds, str | EventKind) else kinds:
        if isinstance(kind, str) and kind not in names:
            raise UsageError(f"kinds: expected {', '.join(names)}, got {kind!r}{nearest(kind, names)}")
        wanted.append(int(names[kind] if isinstance(kind, str) else kind))
    return wanted
