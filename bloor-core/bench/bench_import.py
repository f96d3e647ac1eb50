"""What an import costs: messages a second on one core, peak memory; compiled and not. ``nox -s bench -- import``.

Takes the recordings in the folder named by BLOOR_RECORDINGS where there is one; otherwise it makes one of depth
changes, quotes and trades of Binance spot.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROUNDS = 5
LINES = 400_000

ONE = """
import json, resource, sys, time
from pathlib import Path
from bloor.market.kernels import warm
from bloor.plugins import PluginHost
from bloor.storage.importing import ImportOptions, import_data
folder, compiled, form, *paths = sys.argv[1:]
warm()
spec = PluginHost().normalizer("binance")
options = ImportOptions(compiled=compiled == "compiled", parquet=form == "parquet")
list(import_data(Path(folder) / "first", spec, [Path(p) for p in paths[:1]], options)) if form != "peak" else None
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun, cpu = time.perf_counter(), time.process_time()
(done,) = import_data(Path(folder) / "catalogue", spec, [Path(p) for p in paths], options)
wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"read": done.manifest.counts["read"], "rows": done.manifest.counts["rows"], "wall": wall, "cpu": cpu,
                  "before": before, "peak": peak}))
"""


def made(count: int) -> Iterator[str]:
    """Lines of a recording of one instrument: 20 levels in every fifth, quotes and trades between."""
    chance = random.Random(1)
    now, update, trade = 1_700_000_000_000_000_000, 100, 0
    levels = [[f"{60_000 - n * 0.01:.2f}", "1.50000000"] for n in range(1_000)]
    asks = [[f"{60_000.01 + n * 0.01:.2f}", "1.50000000"] for n in range(1_000)]
    yield f"{now} " + json.dumps({"lastUpdateId": update, "bids": levels, "asks": asks})
    for n in range(count):
        now += chance.randrange(1_000_000)
        stamp = now // 1_000_000
        if n % 5 == 0:
            sides = [
                [
                    [
                        f"{60_000 + sign * chance.randrange(1, 900) * 0.01:.2f}",
                        f"{chance.randrange(9)}.{chance.randrange(10**8):08d}",
                    ]
                    for _ in range(10)
                ]
                for sign in (-1, 1)
            ]
            update += 1
            data = {
                "e": "depthUpdate",
                "E": stamp,
                "s": "BTCUSDT",
                "U": update,
                "u": update,
                "b": sides[0],
                "a": sides[1],
            }
            stream = "btcusdt@depth@100ms"
        elif n % 5 == 1:
            trade += 1
            data = {
                "e": "trade",
                "E": stamp,
                "s": "BTCUSDT",
                "t": trade,
                "p": "60000.00000000",
                "q": "0.00100000",
                "T": stamp,
                "m": False,
                "M": True,
            }
            stream = "btcusdt@trade"
        else:
            data = {
                "u": update,
                "s": "BTCUSDT",
                "b": "60000.00000000",
                "B": "1.50000000",
                "a": "60000.01000000",
                "A": "2.00000000",
            }
            stream = "btcusdt@bookTicker"
        yield f"{now} " + json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


def measured(folder: str, how: str, form: str, paths: list[Path]) -> dict[str, float]:
    target = tempfile.mkdtemp(dir=folder)
    done = subprocess.run(
        [sys.executable, "-c", ONE, target, how, form, *map(str, paths)], capture_output=True, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        sets: dict[str, list[Path]] = {}
        small, large = Path(folder) / "small.txt", Path(folder) / "large.txt"
        small.write_text("\n".join(made(LINES // 4)))
        large.write_text("\n".join(made(LINES)))
        sets["made, 1/4"], sets["made"] = [small], [large]
        if recordings := os.environ.get("BLOOR_RECORDINGS"):
            spot = Path(recordings) / "binance_spot"
            sets["BTCUSDT"] = [spot / "btcusdt_20240808.txt.gz", spot / "btcusdt_20240809.txt.gz"]
            sets["NEXOUSDT"] = [spot / "nexousdt_20240723.txt.gz", spot / "nexousdt_20240724.txt.gz"]
        for name, paths in sets.items():
            for how, form in (("compiled", "events"), ("compiled", "parquet"), ("reference", "events")):
                rounds = ROUNDS if how == "compiled" else 1
                found = [measured(folder, how, form, paths) for _ in range(rounds)]
                rate = statistics.median(one["read"] / one["cpu"] for one in found)
                grown = statistics.median(one["peak"] for one in found) / 1024
                print(
                    f"{name:<10} {how:<9} {form:<8} {rate:>10,.0f} messages/s of CPU time, "
                    f"{found[0]['rows'] / found[0]['read']:.1f} records a message, peak {grown:,.0f} MB"
                )
    print(f"begun at {time.strftime('%Y-%m-%d')}, {resource.getpagesize()} B pages, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
