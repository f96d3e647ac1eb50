"""Where a backtest's market data come from: a catalogue as it is; anything else is imported into one first.

Recordings, dumps and sessions are kept, once imported, in a catalogue of the user's cache folder, under the hash of
their content: the second backtest of the same file begins at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import orjson
from attrs import evolve, field, frozen

from bloor.backtesting.rows import StoredRows
from bloor.backtesting.survey import Survey, survey
from bloor.errors import InputFileError, JournalError, RunError, UsageError, nearest
from bloor.hookspecs import NormalizerSpec
from bloor.host.backtest.joined import groups, joined
from bloor.journal.reader import Reader
from bloor.market.instruments import load_instruments
from bloor.market.recorded_folder import journal_folder
from bloor.model.instrument import Instrument
from bloor.model.symbols import parse_symbol
from bloor.native.caching import user_cache
from bloor.storage.cells import Records, common_units, rescale, times
from bloor.storage.importing import ImportOptions, import_data, source_of
from bloor.storage.layout import imports_folder, time_ns
from bloor.storage.load import StoredPart, open_part
from bloor.storage.manifest import Import, read_imports

__all__ = ["Data", "Lane", "find_lanes"]

Progress = Callable[[str], object]


@frozen(kw_only=True, eq=False)
class Lane:
    """One instrument of a backtest, and its events.

    Attributes:
        instrument: What is traded; prices and quantities of its events count in its ticks and units.
        rows: Its stored events.
        survey: What they are like.
        begin_ns: Strategies see nothing earlier; events before it, from the beginning of its day on, make the book.
        imports: What they came with.
    """

    instrument: Instrument
    rows: StoredRows = field(repr=False)
    survey: Survey = field(repr=False)
    begin_ns: int = 0
    imports: tuple[Import, ...] = field(default=(), repr=False)

    def counted_in(self, instrument: Instrument) -> Lane:
        """The same events, counted in the ticks and units of another definition of the instrument, which is finer."""
        pieces = []
        for piece in self.rows.pieces:
            rows = piece
            if not _same_grid(self.instrument, instrument):
                rows = np.array(piece)
                rescale(rows, self.instrument, instrument)
            pieces.append(rows)
        stored = StoredRows(pieces)
        return evolve(self, instrument=instrument, rows=stored, survey=survey(instrument.symbol, stored))


@frozen(kw_only=True)
class Data:
    """What was asked for of market data.

    Attributes:
        paths: Catalogues, recordings, dumps and session folders.
        venue: Whose recordings these are; only data of this venue are taken.
        symbols: Canonical symbols, venue-qualified or not; empty for all.
        instruments: A file of instruments.
        start: Earliest time.
        end: Latest time.
    """

    paths: Sequence[Path]
    venue: str | None = None
    symbols: Sequence[str] = ()
    instruments: Path | None = None
    start: str | None = None
    end: str | None = None


def find_lanes(data: Data, normalizer: Callable[[str], NormalizerSpec], environ: Mapping[str, str], *,
               default_venue: Callable[[], str], progress: Progress = str) -> list[Lane]:  # fmt: skip
    """The instruments of a backtest, in the order in which they were asked for, else of their names.

    Args:
        data: What was asked for.
        normalizer: The normalizer of a venue.
        environ: The environment.
        default_venue: Whose recordings are when nobody said it.
        progress: Told what takes a while.

    Raises:
        UsageError: Nothing was asked for, or it is not in the data.
        InputFileError: Data cannot be read, or cannot be used.
        PluginError: The venue's plug-in cannot be used.
        RunError: What was imported cannot be kept.
    """
    if not data.paths:
        raise UsageError("--data: expected a catalogue, a recording or a session folder, got none")
    default_venue = cache(default_venue)
    venue = data.venue
    known: Sequence[Instrument] = ()
    if data.instruments is not None:
        venue = venue or default_venue()
        known = load_instruments(data.instruments, normalizer(venue))
    found: list[tuple[Path, StoredPart]] = []
    loose: dict[tuple[str, str | None], list[Path]] = {}
    only = parse_symbol(data.symbols[0])[1] if len(data.symbols) == 1 else None
    for path in {path.resolve(): path for path in data.paths}.values():
        if not path.exists():
            raise InputFileError(str(path), "there is no such file or folder")
        if imports_folder(path).is_dir():
            found += [(path, StoredPart(part, made)) for made in read_imports(path) for part in made.parts]
            continue
        if path.is_dir() and journal_folder(path) is None:
            raise InputFileError(
                str(path),
                "expected a catalogue, or a folder made by bloor record or bloor run, found no journal in it; name the "
                "files themselves",
            )
        for name in [venue] if venue else session_venues(path) or [default_venue()]:
            loose.setdefault((name, only if path.suffix == ".npz" else None), []).append(path)
    for (name, symbol), paths in loose.items():  # an array does not say whose events it has
        found += _imported(paths, normalizer(name), known, symbol, environ, progress)
    wanted = _wanted(found, data.symbols, venue)
    first, last = time_ns(data.start, "--start"), time_ns(data.end, "--end", end=True)
    lanes = []
    for key in wanted:
        mine = [each for each in found if each[1].part.instrument.key == key]
        progress(f"looking over {key[0]}:{key[1]}")
        lanes.append(_lane(mine, {i.key: i for i in known}.get(key), first, last))
    if not any(lane.survey.books for lane in lanes):
        raise InputFileError(
            str(data.paths[0]),
            "expected data with a book, got none: strategies begin when a book is known; give the recording that has "
            "its snapshot and its changes too",
        )
    return lanes


def session_venues(path: Path) -> list[str]:
    """The venues of a run's session folder; none for anything else."""
    folder = journal_folder(path)
    if folder is None:
        return []
    try:
        header = next(iter(Reader(folder)), None)
        engine = {} if header is None else orjson.loads(header.payload).get("engine", {})
        return [str(each["venue"]) for each in engine.get("venues", ())]
    except (JournalError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return []


def _imported(
    paths: Sequence[Path],
    spec: NormalizerSpec,
    instruments: Sequence[Instrument],
    symbol: str | None,
    environ: Mapping[str, str],
    progress: Progress,
) -> list[tuple[Path, StoredPart]]:
    """Imports what is no catalogue into one of the cache's, or finds it there; these sources have it to themselves."""

    def tell(what: str, rows: int, _read: int) -> None:
        progress(f"{what}: {rows:,} records")

    options = ImportOptions(instruments=instruments, symbols=() if symbol is None else (symbol,), progress=tell)
    hashes = sorted({source_of(path, options).sha256 for path in paths})
    cache = Path(environ.get("BLOOR_BACKTEST_CACHE") or user_cache() / "bloor" / "backtest")

    def stored(*how: str) -> tuple[Path, list[Import]]:
        said = (spec.venue, hashes, [i.record() for i in instruments], *options.symbols, *how)
        folder = cache / hashlib.sha256(repr(said).encode()).hexdigest()[:24]
        try:
            for _ in import_data(folder, spec, paths, evolve(options, assume_empty=bool(how))):
                pass
        except OSError as error:
            raise RunError(
                f"{cache}: cannot keep what was imported: {error.strerror}; make room, or name another folder by "
                "BLOOR_BACKTEST_CACHE"
            ) from None
        return folder, read_imports(folder)

    folder, imports = stored()
    if _has_changes_only(imports):
        folder, imports = stored("empty")
    for made in imports:
        _check_lines(made, paths)
    found = [(folder, StoredPart(part, made)) for made in imports for part in made.parts]
    if not found:
        wrong = [made.errors[0] for made in imports if made.errors] or ["nothing in it is market data"]
        raise InputFileError(str(paths[0]), f"expected market data of {spec.venue}, got none: {wrong[0]}")
    return found


def _has_changes_only(imports: Sequence[Import]) -> bool:
    """Whether books were told of, but no snapshot of any: they can only begin empty."""
    books = sum(part.kinds.get("book", 0) for made in imports for part in made.parts)
    return not books and any(made.counts.get("book_messages") for made in imports)


def _check_lines(made: Import, paths: Sequence[Path]) -> None:
    """Refuses recordings and dumps with lines that cannot be used; what a run or a recorder kept is told of instead.

    Raises:
        InputFileError: There are such lines; names the first.
    """
    if not made.errors or not made.parts or any(journal_folder(path) for path in paths):
        return
    where, _, reason = made.errors[0].partition(": ")
    count = made.counts.get("errors", len(made.errors))
    raise InputFileError(
        where,
        f"{reason} ({count:,} of {made.counts.get('read', 0):,} lines cannot be used: correct them, or keep the others "
        "with `bloor data import` and give its catalogue; the result tells of them)",
    )


def _wanted(
    found: Sequence[tuple[Path, StoredPart]], symbols: Sequence[str], venue: str | None
) -> list[tuple[str, str]]:
    every = sorted({stored.part.instrument.key for _, stored in found})
    keys = [key for key in every if venue is None or key[0] == venue]
    if not keys:
        theirs = ", ".join(sorted({name for name, _ in every}))
        near = nearest(venue or "", [name for name, _ in every])
        got = f"those of {theirs}{near}" if theirs else "none"
        raise UsageError(f"--data: expected market data{f' of {venue}' if venue else ''}, got {got}")
    if not symbols:
        return keys
    wanted = []
    names = [f"{known}:{symbol}" for known, symbol in keys]
    for text in symbols:
        named, symbol = parse_symbol(text)
        mine = [key for key in keys if key[1] == symbol and named in (None, key[0])]
        if not mine:
            raise UsageError(f"--symbol {text}: the data have {', '.join(names[:8])}{nearest(text, names)}")
        wanted += mine
    return list(dict.fromkeys(wanted))


def _lane(
    found: Sequence[tuple[Path, StoredPart]], listed: Instrument | None, first: int | None, last: int | None
) -> Lane:
    """One instrument: its parts in order, in common units."""
    parts = sorted(found, key=lambda each: (each[1].part.first_ns, each[1].part.day, each[1].of.id))
    definitions = [stored.part.instrument for _, stored in parts]
    instrument = common_units(definitions if listed is None else [*definitions, listed])
    if listed is not None:
        instrument = _listed(instrument, listed)
    within = [
        (folder, stored) for folder, stored in parts
        if (first is None or stored.part.last_ns >= first) and (last is None or stored.part.first_ns < last)
    ]  # fmt: skip
    pieces: list[Records] = []
    for group in groups(within):
        found_rows = [_rows(folder, stored, instrument, last) for folder, stored in group]
        if any(len(rows) for rows in found_rows):
            pieces.append(joined(found_rows))
    name = f"{instrument.venue}:{instrument.symbol}"
    if not pieces:
        begin, end = (_moment(ns) for ns in (parts[0][1].part.first_ns, max(p.part.last_ns for _, p in parts)))
        raise UsageError(
            f"--start, --end: the data of {name} have nothing between these times: they are from {begin} to {end}"
        )
    stored_rows = StoredRows(pieces)
    return Lane(
        instrument=evolve(instrument, inferred=False),
        rows=stored_rows,
        survey=survey(name, stored_rows),
        begin_ns=first or 0,
        imports=tuple({stored.of.id: stored.of for _, stored in parts}.values()),
    )


def _moment(ns: int) -> str:
    """A time as ``--start`` takes it, to the second."""
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _rows(folder: Path, stored: StoredPart, instrument: Instrument, last: int | None) -> Records:
    """A part's records, in the units of another definition of its instrument."""
    rows = _until(open_part(folder, stored.part), last)
    if not _same_grid(stored.part.instrument, instrument):
        rows = np.array(rows)
        rescale(rows, stored.part.instrument, instrument)
    return rows


def _until(rows: Records, last: int | None) -> Records:
    return rows if last is None else rows[: int(np.searchsorted(times(rows), last))]


def _same_grid(one: Instrument, other: Instrument) -> bool:
    def grid(i: Instrument) -> tuple[int, int, int]:
        return i.price_decimals, i.tick_units, i.qty_decimals

    return grid(one) == grid(other)


def _listed(stored: Instrument, listed: Instrument) -> Instrument:
    """The rules of the venue's list, in the units that the data need."""
    factor = 10 ** (stored.qty_decimals - listed.qty_decimals)
    return evolve(
        listed,
        price_decimals=stored.price_decimals,
        tick_units=stored.tick_units,
        qty_decimals=stored.qty_decimals,
        lot_units=listed.lot_units * factor,
    )
