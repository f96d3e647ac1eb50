"""What is stored, written for other programs: CSV, Parquet, and the event arrays of hftbacktest."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from bloor.errors import UsageError
from bloor.market.events import NO_PRICE, EventKind, Flag
from bloor.model.instrument import Instrument
from bloor.storage.cells import PRICES, QUANTITIES, Records, of_no_order
from bloor.storage.formats import hftbacktest as hft
from bloor.storage.frames import columns, worth
from bloor.storage.layout import replaced
from bloor.storage.load import EventArray
from bloor.storage.parts import kind_name

__all__ = ["ExportFormat", "export", "hftbacktest_events"]

#: Rows written at a time.
BLOCK_ROWS = 1 << 16
CSV_COLUMNS = ("kind", "side", "flags", "seq", "exch_ns", "recv_ns", "price", "qty", "price2", "qty2")


class ExportFormat(StrEnum):
    """What can be written."""

    CSV = "csv"
    PARQUET = "parquet"
    NPZ_HFTBACKTEST = "npz-hftbacktest"


def export(events: EventArray, path: Path, form: ExportFormat) -> int:
    """Writes events to a file, which is there whole or not at all.

    Args:
        events: What :func:`bloor.load` gave.
        path: The file.
        form: How.

    Returns:
        How many rows were written.

    Raises:
        UsageError: A library that the form needs is not installed, or the folder is not there.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")
    instrument = events.instrument
    assert instrument is not None
    writers: dict[ExportFormat, Callable[[Records, Instrument, Path], int]] = {
        ExportFormat.CSV: _write_csv,
        ExportFormat.PARQUET: _write_parquet,
        ExportFormat.NPZ_HFTBACKTEST: _write_npz,
    }
    with replaced(path) as temporary:
        return writers[form](events, instrument, temporary)


# ---- CSV ------------------------------------------------------------------------------------------------------------


def _write_csv(rows: Records, instrument: Instrument, path: Path) -> int:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for begin in range(0, len(rows), BLOCK_ROWS):
            writer.writerows(_lines(rows[begin : begin + BLOCK_ROWS], instrument))
    return len(rows)


def _lines(rows: Records, instrument: Instrument) -> Iterator[tuple[Any, ...]]:
    """Rows with prices and quantities as exact decimal text, empty where a record has none."""
    names = [kind_name(kind) for kind in range(256)]
    cells = [rows[name].tolist() for name in CSV_COLUMNS]
    shown: list[list[Any]] = []
    for at, name in enumerate(CSV_COLUMNS):
        form: dict[int, Callable[[int], str]] = {int(kind): instrument.format_price for kind in PRICES.get(name, ())}
        form |= {int(kind): instrument.format_qty for kind in QUANTITIES.get(name, ())}
        pairs = zip(cells[0], cells[at], strict=True)
        shown.append([_text(form.get(kind), value) for kind, value in pairs] if form else cells[at])
        if name == "qty2":
            for place in np.flatnonzero(of_no_order(rows)).tolist():
                shown[at][place] = ""
    shown[0] = [names[kind] for kind in cells[0]]
    return zip(*shown, strict=True)


def _text(form: Callable[[int], str] | None, value: int) -> str:
    if form is None:
        return str(value) if value else ""
    return "" if value == NO_PRICE else form(value)


# ---- Parquet --------------------------------------------------------------------------------------------------------


def _write_parquet(rows: Records, instrument: Instrument, path: Path) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError("Parquet needs pyarrow, which is not installed: pip install 'bloor-core[data]'") from None
    writer = None
    try:
        for begin in range(0, max(len(rows), 1), BLOCK_ROWS):
            table = pa.table(columns(rows[begin : begin + BLOCK_ROWS], instrument))
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    return len(rows)


# ---- hftbacktest ----------------------------------------------------------------------------------------------------


def _write_npz(rows: Records, instrument: Instrument, path: Path) -> int:
    made = hftbacktest_events(rows, instrument)
    with path.open("wb") as file:
        np.savez_compressed(file, data=made)
    return len(made)


def hftbacktest_events(rows: Records, instrument: Instrument) -> np.ndarray[Any, Any]:
    """Trades and book changes as hftbacktest 2 wants them, in the order of both times.

    Its backtest needs receive times that are not before the venue's: where the recording's clock was behind, all
    receive times are moved by the smallest amount that makes it so. A row that is out of order in one of the two times
    appears twice, once for the venue's side and once for ours. Read in either order, the rows give our books.

    Args:
        rows: Records, in order.
        instrument: Says what ticks and units are worth.

    Returns:
        An array of :data:`bloor.storage.formats.hftbacktest.DTYPE`.
    """
    kinds = rows["kind"]
    is_trade, is_level = np.isin(kinds, (EventKind.TRADE, EventKind.AGG_TRADE)), kinds == EventKind.LEVEL
    chosen = rows[is_trade | is_level | _clears(rows)]
    made = np.zeros(len(chosen), hft.DTYPE)
    kind, flags = chosen["kind"], chosen["flags"]
    snapshot = flags & Flag.SNAPSHOT != 0
    made["ev"] = np.select(
        [kind == EventKind.LEVEL, np.isin(kind, (EventKind.TRADE, EventKind.AGG_TRADE))],
        [np.where(snapshot, hft.SNAPSHOT, hft.DEPTH), hft.TRADE],
        hft.CLEAR,
    )
    made["ev"] |= np.where(chosen["side"] > 0, hft.BUY, 0).astype(np.uint64)
    made["ev"] |= np.where(chosen["side"] < 0, hft.SELL, 0).astype(np.uint64)
    of_book = ~np.isin(kind, (EventKind.TRADE, EventKind.AGG_TRADE))
    made["exch_ts"] = _venue_times(chosen, of_book)
    # whatever the times say, a book is made of its rows in their order
    made["exch_ts"][of_book] = np.maximum.accumulate(made["exch_ts"][of_book])
    # a change that was held back until a snapshot came is known to us since then
    made["local_ts"] = np.maximum.accumulate(np.where(chosen["recv_ns"] > 0, chosen["recv_ns"], made["exch_ts"]))
    priced = made["ev"] & np.uint64(hft.KIND) != hft.CLEAR
    made["px"] = np.where(priced, worth(chosen["price"], instrument.tick_units, instrument.price_decimals), 0.0)
    made["qty"] = np.where(priced, worth(chosen["qty"], 1, instrument.qty_decimals), 0.0)
    behind = int((made["local_ts"] - made["exch_ts"]).min(initial=0))
    made["local_ts"] -= behind
    return _in_both_orders(made)


def _venue_times(rows: Records, of_book: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """When the venue did it; where it does not say, when we received it, but not after the next change of the book.

    So a REST snapshot, which has no time, stays before the changes that were held for it and happened earlier.
    """
    said = np.where(of_book, rows["exch_ns"], 0)
    times: np.ndarray[Any, np.dtype[np.int64]] = np.append(said, np.iinfo(np.int64).max)
    places = np.where(times > 0, np.arange(len(times)), len(rows))
    following = times[np.minimum.accumulate(places[::-1])[::-1]][:-1]
    received = np.where(rows["recv_ns"] > 0, rows["recv_ns"], following)
    known = rows["exch_ns"] > 0
    return np.where(known, rows["exch_ns"], np.where(following < received, following, rows["recv_ns"]))


def _clears(rows: Records) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the book is emptied: before the levels of a snapshot, and where it was lost."""
    kinds = rows["kind"]
    result: np.ndarray[Any, np.dtype[np.bool_]] = np.isin(kinds, (EventKind.GAP, EventKind.CLEARED)) | (
        (kinds == EventKind.BOOK) & (rows["flags"] & Flag.SNAPSHOT != 0)
    )
    return result


def _in_both_orders(made: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Rows so that those for the venue's side rise in its time and those for ours in ours."""
    both = np.uint64(hft.EXCHANGE | hft.LOCAL)
    by_venue, by_us = np.argsort(made["exch_ts"], kind="stable"), np.argsort(made["local_ts"], kind="stable")
    if np.array_equal(by_venue, by_us):
        made = made[by_us]
        made["ev"] |= both
        return made
    order: list[int] = []
    flags: list[int] = []
    venue, us = by_venue.tolist(), by_us.tolist()
    early: set[int] = set()
    late: set[int] = set()
    i = j = 0
    count = len(made)
    while i < count or j < count:
        if i < count and venue[i] in late:
            i += 1
        elif j < count and us[j] in early:
            order.append(us[j])
            flags.append(hft.LOCAL)
            j += 1
        elif i < count and j < count and venue[i] == us[j]:
            order.append(us[j])
            flags.append(hft.EXCHANGE | hft.LOCAL)
            i, j = i + 1, j + 1
        else:
            early.add(venue[i])
            order.append(venue[i])
            flags.append(hft.EXCHANGE)
            i += 1
    result = made[order]
    result["ev"] |= np.array(flags, np.uint64)
    return result
