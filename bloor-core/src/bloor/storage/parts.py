"""The end of an import: what was staged becomes parts of the catalogue."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bloor.errors import InputFileError
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.model.instrument import Instrument
from bloor.storage.cells import rescale
from bloor.storage.layout import EVENTS, PARQUET, day_name, durable, part_path, sync_folder
from bloor.storage.manifest import Part, StoredFile, file_hash
from bloor.storage.parquet import write_parquet
from bloor.storage.sink import StagedPart

__all__ = ["ORDERS", "drop_unscaled", "finish_part", "kind_name", "place_part"]

#: Records rescaled at a time.
BLOCK_ROWS = 1 << 16
#: In the counts of kinds: records of levels that say whose order changed.
ORDERS = "order"
#: Ending of staged records that are in their final units and were not when they were written.
SCALED = ".scaled"


def finish_part(staged: StagedPart, table: InstrumentTable, import_id: str, *, parquet: bool) -> Part:
    """Brings a part into its final form, beside the staged records, and makes it durable; then :func:`place_part`.

    Args:
        staged: What was written; its file is left as it is.
        table: The instruments as they are at the end of the import.
        import_id: Of which import.
        parquet: Whether to write the form for keeping too.

    Raises:
        MoneyError: A number does not fit the finer units that later records need.
    """
    instrument = table[staged.index]
    place = part_path(instrument.venue, instrument.symbol, day_name(staged.day), import_id)
    events = _final(staged, instrument)
    if events != staged.path:
        _rescale(staged, instrument, events)
    hashes = {EVENTS: staged.hash() if events == staged.path else file_hash(events)}
    files = {EVENTS: events}
    if parquet:
        files[PARQUET] = staged.path.with_suffix(PARQUET)
        write_parquet(np.memmap(events, EventView.DTYPE, "r"), files[PARQUET], instrument)
        hashes[PARQUET] = file_hash(files[PARQUET])
    stored = {}
    for ending, path in files.items():
        durable(path)
        name = place.with_name(place.name + ending).as_posix()
        stored[ending] = StoredFile(path=name, bytes=path.stat().st_size, sha256=hashes[ending])
    return Part(
        instrument=instrument,
        day=day_name(staged.day),
        rows=staged.rows,
        kinds=_kinds(staged),
        first_ns=staged.first_ns,
        last_ns=staged.last_ns,
        gaps=staged.gaps,
        events=stored[EVENTS],
        parquet=stored.get(PARQUET),
    )


def place_part(catalogue: Path, staged: StagedPart, part: Part) -> None:
    """Gives the files of a finished part their names, those that do not have them yet.

    It belongs to the catalogue once a manifest names it.

    Raises:
        InputFileError: A file is neither here nor there.
    """
    for source, file in (
        (_final(staged, part.instrument), part.events),
        (staged.path.with_suffix(PARQUET), part.parquet),
    ):
        if file is not None and source.exists():
            (catalogue / file.path).parent.mkdir(parents=True, exist_ok=True)
            source.replace(catalogue / file.path)
        elif file is not None and not (catalogue / file.path).exists():
            raise InputFileError(str(catalogue / file.path), "is gone since it was made; do the import again")
    sync_folder((catalogue / part.events.path).parent)


def drop_unscaled(staged: StagedPart, part: Part) -> None:
    """Removes the records as they were staged, where those of the finished part are others."""
    if _final(staged, part.instrument) != staged.path:
        staged.path.unlink()


def _kinds(staged: StagedPart) -> dict[str, int]:
    found = {kind_name(kind): int(staged.kinds[kind]) for kind in np.flatnonzero(staged.kinds).tolist()}
    return found | ({ORDERS: staged.orders} if staged.orders else {})


def kind_name(kind: int) -> str:
    """``agg_trade`` for 2; the number itself for a kind that this version does not know."""
    try:
        return EventKind(kind).name.lower()
    except ValueError:
        return str(kind)


def _final(staged: StagedPart, final: Instrument) -> Path:
    """Where the records of a part are in the units that the instrument has at the end."""
    return staged.path if all(unit == final for _, unit in staged.units) else staged.path.with_suffix(SCALED)


def _rescale(staged: StagedPart, final: Instrument, path: Path) -> None:
    """Writes the records of a part anew, in the units that the instrument has at the end."""
    ends = [begin for begin, _ in staged.units[1:]] + [staged.rows]
    with path.open("wb") as file:
        for (begin, unit), end in zip(staged.units, ends, strict=True):
            for start in range(begin, end, BLOCK_ROWS):
                count = min(end - start, BLOCK_ROWS)
                rows = np.fromfile(staged.path, EventView.DTYPE, count, offset=start * EventView.DTYPE.itemsize)
                if unit != final:
                    rescale(rows, unit, final)
                file.write(rows.view(np.uint8).data)
