"""From the start of ``bloor run`` to the first order on the wire, kernels cached.

    python bloor-binance/bench/bench_start.py [--rounds N] [--json]

``bloor run`` is started as a user starts it, on the simulated venue, with a strategy that orders after a few trades.
Its journal says when connections were open, when the first market frame came and when the first order was written;
times are from the moment before the process was started, by the wall clock. The first round only fills the cache of
kernels and is told apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind

ROUNDS = 7
RUN = (
    "run", "-p", "momentum", "--venue", "binance", "--duration", "3s", "--json", "--session", "here",
    "--set", "strategy.momentum.fast=1", "--set", "strategy.momentum.slow=2",
)  # fmt: skip


def started(folder: Path) -> dict[str, float]:
    """One start: seconds to each step."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("BLOOR_")} | {"BLOOR_STATE": str(folder / "state")}
    began = time.time_ns()
    done = subprocess.run(
        [sys.executable, "-m", "bloor", *RUN], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"bloor run ended with {done.returncode}: {done.stderr[-2000:]}")
    steps: dict[str, int] = {}
    for record in Reader(folder / "here" / "journal"):
        if record.kind == RecordKind.HEADER:
            steps.setdefault("journal", record.wall_ns)
        elif record.kind == RecordKind.CONNECTED:
            steps["connected"] = record.wall_ns
        elif record.kind == RecordKind.FRAME_IN and b'"stream"' in record.payload:
            steps.setdefault("frame", record.wall_ns)
        elif record.kind == RecordKind.FRAME_OUT and b'"order.place"' in record.payload:
            steps["order"] = record.wall_ns
            break
    if "order" not in steps:
        raise SystemExit("no order was sent")
    return {name: (at - began) / 1e9 for name, at in steps.items()}


def main() -> None:
    """Prints the table, or JSON."""
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else ROUNDS
    times = []
    load = os.getloadavg()[0]
    for _ in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            times.append(started(Path(folder)))
    first, *others = times
    rows = {
        name: {"median_s": round(median(t[name] for t in others), 2), "best_s": round(min(t[name] for t in others), 2)}
        for name in first
    }
    result: dict[str, Any] = {"rounds": rounds, "load": round(load, 1), "first_s": round(first["order"], 2), **rows}
    if "--json" in sys.argv:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
