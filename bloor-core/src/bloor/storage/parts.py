"""The end of an import: what was staged becomes parts of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.storage.cells import rescale
from bloor.storage.layout import EVENTS, PARQUET, day_name, durable, part_path, sync_folder
from bloor.storage.manifest import Part, StoredFile, file_hash
from bloor.storage.parquet import write_parquet
from bloor.storage.sink import StagedPart

__all__ = ["finish_part", "kind_name"]

#: Records rescaled at a time.
BLOCK_ROWS = 1 << 16


def finish_part(
    catalogue: Path,
    import_id: str,
    staged: StagedPart,
    table: InstrumentTable,
    *,
    parquet: bool,
    moved: Callable[[Path, Path], object],
) -> Part:
    """Brings a part into its final form and place; it belongs to the catalogue once a manifest names it.

    Args:
        catalogue: Where to.
        import_id: Of which import.
        staged: What was written.
        table: The instruments as they are at the end of the import.
        parquet: Whether to write the form for keeping too.
        moved: Gives a file its final name.

    Raises:
        MoneyError: A number does not fit the finer units that later records need.
    """
    instrument = table[staged.index]
    _one_scale(staged, table)
    place = part_path(instrument.venue, instrument.symbol, day_name(staged.day), import_id)
    files = [(staged.path, place.with_name(place.name + EVENTS))]
    if parquet:
        path = staged.path.with_suffix(PARQUET)
        write_parquet(np.memmap(staged.path, EventView.DTYPE, "r"), path, instrument)
        files.append((path, place.with_name(place.name + PARQUET)))
    (catalogue / place).parent.mkdir(parents=True, exist_ok=True)
    stored = []
    for path, name in files:
        durable(path)
        stored.append(StoredFile(path=name.as_posix(), bytes=path.stat().st_size, sha256=file_hash(path)))
        moved(path, catalogue / name)
    sync_folder((catalogue / place).parent)
    return Part(
        instrument=instrument,
        day=day_name(staged.day),
        rows=staged.rows,
        kinds={kind_name(kind): int(staged.kinds[kind]) for kind in np.flatnonzero(staged.kinds).tolist()},
        first_ns=staged.first_ns,
        last_ns=staged.last_ns,
        gaps=staged.gaps,
        events=stored[0],
        parquet=stored[1] if parquet else None,
    )


def kind_name(kind: int) -> str:
    """``agg_trade`` for 2; the number itself for a kind that this version does not know."""
    try:
        return EventKind(kind).name.lower()
    except ValueError:
        return str(kind)


def _one_scale(staged: StagedPart, table: InstrumentTable) -> None:
    """Counts every record of a part in the units that the instrument has at the end."""
    final = table[staged.index]
    ends = [begin for begin, _ in staged.units[1:]] + [staged.rows]
    stale = [(begin, end, old) for (begin, old), end in zip(staged.units, ends, strict=True) if old is not final]
    if not stale:
        return
    rows = np.memmap(staged.path, EventView.DTYPE, "r+")
    for begin, end, old in stale:
        for start in range(begin, end, BLOCK_ROWS):
            rescale(rows[start : min(end, start + BLOCK_ROWS)], old, final)
    rows.flush()
