"""The two forms of storage beside Parquet of floats: bytes a row, rows written and read. ``nox -s bench -- storage``.

Rows are a seeded random walk of trades, quotes and book levels; with BLOOR_RECORDINGS, also those of a recording.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bloor.market.events import EventKind, EventView
from bloor.model.instrument import Instrument
from bloor.plugins import PluginHost
from bloor.storage.frames import columns
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.load import load
from bloor.storage.parquet import read_parquet, write_parquet

ROWS = 5_000_000
ROUNDS = 3
UNIT = Instrument(
    venue="binance",
    symbol="BTC-USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    qty_decimals=8,
)


def walk(count: int) -> np.ndarray[Any, Any]:
    """A seeded stream of records."""
    chance = np.random.default_rng(1)
    rows = np.zeros(count, EventView.DTYPE)
    rows["kind"] = chance.choice([EventKind.TRADE, EventKind.BBO, EventKind.LEVEL], count, p=[0.06, 0.2, 0.74])
    rows["side"] = chance.choice([-1, 1], count)
    mid = 6_000_000 + np.cumsum(chance.integers(-1, 2, count))
    rows["price"] = mid + rows["side"] * chance.geometric(0.02, count)
    rows["qty"] = chance.geometric(0.001, count) * 1_000
    is_bbo = rows["kind"] == EventKind.BBO
    rows["price2"][is_bbo], rows["qty2"][is_bbo] = mid[is_bbo] + 1, rows["qty"][is_bbo]
    rows["seq"] = np.cumsum(chance.integers(0, 2, count))
    rows["recv_ns"] = 1_700_000_000 * 10**9 + np.cumsum(chance.integers(0, 3_000_000, count))
    rows["exch_ns"] = rows["recv_ns"] // 10**6 * 10**6
    return rows


def seconds(call: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def compared(name: str, rows: np.ndarray[Any, Any], unit: Instrument, folder: Path) -> None:
    events, ours, theirs = folder / "x.events", folder / "x.parquet", folder / "floats.parquet"
    table = pa.table({key: value for key, value in columns(rows, unit).items() if not key.startswith("raw_")})

    def mapped() -> int:
        found = np.memmap(events, EventView.DTYPE, "r")
        return int(found["price"].sum())

    forms = {
        "records, memory-mapped": (events, lambda: events.write_bytes(rows.tobytes()), mapped),
        "Parquet of integers": (ours, lambda: write_parquet(rows, ours, unit), lambda: read_parquet(ours)),
        "Parquet of floats": (
            theirs,
            lambda: pq.write_table(table, theirs, compression="zstd"),
            lambda: pq.read_table(theirs),
        ),
    }
    for form, (path, write, read) in forms.items():
        written, got = seconds(write), seconds(read)
        size = path.stat().st_size / len(rows)
        million = len(rows) / 1e6
        print(
            f"{name:<10} {form:<24} {size:>5.1f} B a row, write {million / written:>6.1f} M rows/s, "
            f"read {million / got:>7.1f} M rows/s"
        )


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        compared("made", walk(ROWS), UNIT, folder)
        if recordings := os.environ.get("BLOOR_RECORDINGS"):
            spot = Path(recordings) / "binance_spot"
            for symbol, files in {
                "BTC-USDT": ["btcusdt_20240808.txt.gz", "btcusdt_20240809.txt.gz"],
                "NEXO-USDT": ["nexousdt_20240723.txt.gz", "nexousdt_20240724.txt.gz"],
            }.items():
                paths = [spot / file for file in files]
                list(import_data(folder / "catalogue", PluginHost().normalizer("binance"), paths, ImportOptions()))
                rows = load("binance", symbol, catalogue=folder / "catalogue")
                compared(symbol, np.array(rows), rows.instrument, folder)
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}, pyarrow {pa.__version__}")


if __name__ == "__main__":
    main()
