"""A backtest as a person starts it: one process, from its start to the result. ``nox -s bench -- backtest_start``.

    python bloor-core/bench/bench_backtest_start.py [--messages N] [--json]

A market of a million messages (book changes and trades) is made and imported once; the process reads it from the
catalogue. Wall time by turns with the floor: an interpreter that imports numpy. Beside it what the compiler takes for a
strategy class that no cache has, and the peak of the resident memory. Medians.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

MESSAGES, ROUNDS = 1_000_000, 7
STRATEGIES = ("momentum", "grid", "glft")
#: Compiles the handlers of a plug-in's class, everything else being there; says how long it took.
COMPILE = """
import sys, time
from bloor.plugins.host import PluginHost
from bloor.strategy.compiled.handlers import compile_handlers
cls = PluginHost().strategy(sys.argv[1])
began = time.perf_counter()
compile_handlers(cls)
print(time.perf_counter() - began)
"""


def lines(messages: int) -> Iterator[str]:
    """A recording: a snapshot, then by turns a change of the book and a trade, 30 ms apart; prices go up and down."""
    begin_us = 1_700_000_000_000_000
    bids = [[f"{59999 - i}.00", "1.00000"] for i in range(100)]
    asks = [[f"{60001 + i}.00", "1.00000"] for i in range(100)]
    yield f"{begin_us} " + json.dumps({"lastUpdateId": 1, "bids": bids, "asks": asks}) + "\n"
    for number in range(2, messages // 2 + 2):
        us = begin_us + number * 60_000
        ms, up = us // 1000, number // 400 % 2
        price = 59999 - number % 7 if number % 2 else 60001 + number % 7
        side = f'"b":[["{price}.00","{1 + number % 3}.00000"]],"a":[]'
        if not number % 2:
            side = f'"b":[],"a":[["{price}.00","{1 + number % 3}.00000"]]'
        yield (
            f'{us} {{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{ms - 5},"s":"BTCUSDT",'
            f'"U":{number},"u":{number},{side}}}}}\n'
        )
        traded = 60001 + number % 9 if up else 59999 - number % 9
        yield (
            f'{us + 30_000} {{"stream":"btcusdt@trade","data":{{"e":"trade","E":{ms + 25},"s":"BTCUSDT","t":{number},'
            f'"p":"{traded}.00","q":"0.05000","T":{ms + 25},"m":{"false" if up else "true"}}}}}\n'
        )


class Done(NamedTuple):
    """A process that has ended: wall time, what it printed, the peak of its resident memory."""

    seconds: float
    said: str
    megabytes: float


def timed(words: list[str], env: Mapping[str, str] | None = None) -> Done:
    """Runs a process."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, *words], stdout=out, env=env)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: exit {process.returncode}")
        out.seek(0)
        return Done(seconds, out.read(), used.ru_maxrss / 1024)


def compiling(folder: Path, name: str) -> float:
    """Seconds to compile a strategy's class anew, everything else kept."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    timed(["-c", COMPILE, name], env)
    took = []
    for _ in range(3):
        for kept in folder.glob("strategy-*"):
            for file in kept.iterdir():
                file.unlink()
        took.append(float(timed(["-c", COMPILE, name], env).said))
    return median(took)


def main() -> None:
    """Prints a line, or one JSON document."""
    messages = int(sys.argv[sys.argv.index("--messages") + 1]) if "--messages" in sys.argv else MESSAGES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording, shelf = folder / "market.txt", folder / "shelf"
        with recording.open("w") as out:
            out.writelines(lines(messages))
        timed(["-m", "bloor", "data", "import", "--venue", "binance", "--into", str(shelf), str(recording)])
        words = ["-m", "bloor", "backtest", "-p", "momentum", "--data", str(shelf), "--json"]
        words += ["--set", "strategy.momentum.threshold=0.5"]
        rounds = []
        for number in range(ROUNDS + 1):
            floor, done = timed(["-c", "import numpy"]), timed(words)
            if number:  # the first one warms both
                rounds.append((done.seconds, floor.seconds))
        compiled = {name: round(compiling(folder / "kernels", name), 2) for name in STRATEGIES}
    document = json.loads(done.said)
    row = {
        "machine": platform.machine(), "python": platform.python_version(), "load": os.getloadavg()[0],
        "messages": messages, "records": document["frames"], "fills": document["fills"],
        "seconds": round(median(took for took, _ in rounds), 2), "best": round(min(took for took, _ in rounds), 2),
        "floor": round(median(floor for _, floor in rounds), 2),
        "ratio": round(median(took / floor for took, floor in rounds), 1),
        "peak MB": round(done.megabytes), "compile": compiled,
    }  # fmt: skip
    print(json.dumps(row) if "--json" in sys.argv else "  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
