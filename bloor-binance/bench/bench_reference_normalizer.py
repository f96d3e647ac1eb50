"""What the reference way of market data costs, against ``orjson.loads`` of the same frames in the same run.

    python bloor-binance/bench/bench_reference_normalizer.py [--json]

Frames come from ``$BLOOR_RECORDINGS/binance_spot`` when that is set, and are made up otherwise. For each kind of frame:
the median of ``orjson.loads``, of the normalizer, and of the whole pipeline (normalizer, exact conversion, book,
event), each over the same frames, the three taken in turn so that a slow moment of the machine hits all of them.
"""

from __future__ import annotations

import json
import os
import platform
import random
import sys
from collections import defaultdict
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import orjson

from bloor.market.instruments import InstrumentTable
from bloor.market.kernels import warm
from bloor.market.pipeline import MarketPipeline
from bloor.market.recording import RecordedLine, read_recording
from bloor_binance.normalizer import BinanceSpotNormalizer

LIMIT = 60_000
#: Depth frames are reported for 15 to 25 levels, and all together.
FEW, MANY = 15, 25


def recorded() -> list[bytes]:
    """Frames of a recording, its snapshot among them; empty without recordings."""
    folder = os.environ.get("BLOOR_RECORDINGS")
    path = Path(folder or "") / "binance_spot" / "btcusdt_20240808.txt.gz"
    if not folder or not path.exists():
        return []
    lines = (line for line in read_recording([path]) if isinstance(line, RecordedLine))
    return [line.payload for line in islice(lines, LIMIT)]


def made_up(seed: int = 1) -> list[bytes]:
    """Frames of the same shapes from a seed."""
    draw = random.Random(seed)
    frames = [
        orjson.dumps({"lastUpdateId": 0, "bids": [["60000.00000000", "1.0"]], "asks": [["60010.00000000", "1.0"]]})
    ]

    def level(side: int) -> list[str]:
        return [f"{60005 + side * (5 + draw.randrange(1, 3000) / 100):.8f}", f"{draw.choice([0, 1.5, 0.25]):.8f}"]

    for n in range(1, 8000):
        depth = {
            "e": "depthUpdate", "E": 1_700_000_000_000 + n, "s": "BTCUSDT", "U": n, "u": n,
            "b": [level(-1) for _ in range(draw.randrange(1, 20))],
            "a": [level(1) for _ in range(draw.randrange(1, 20))],
        }  # fmt: skip
        quote = {"u": n, "s": "BTCUSDT", "b": "60000.00000000", "B": "1.5", "a": "60010.00000000", "A": "2.25"}
        trade = {
            "e": "trade", "E": 1_700_000_000_000 + n, "s": "BTCUSDT", "t": n, "p": "60000.00000000", "q": "0.25000000",
            "T": 1_700_000_000_000 + n, "m": True, "M": True,
        }  # fmt: skip
        frames += [
            orjson.dumps({"stream": f"btcusdt@{name}", "data": data})
            for name, data in (("depth@100ms", depth), ("bookTicker", quote), ("trade", trade))
        ]
    return frames


def kinds(frame: bytes) -> list[str]:
    """Under which names a frame is reported."""
    if b'"trade"' in frame:
        return ["trade"]
    if b"depthUpdate" not in frame:
        return ["bookTicker"] if b"lastUpdateId" not in frame else []
    data = orjson.loads(frame)["data"]
    few = FEW <= len(data["b"]) + len(data["a"]) <= MANY
    return ["depth", f"depth of {FEW}-{MANY} levels"] if few else ["depth"]


def measure(frames: list[bytes]) -> dict[str, dict[str, list[int]]]:
    """``{kind: {what: [ns of each frame]}}``."""
    normalizer = BinanceSpotNormalizer()
    pipeline = MarketPipeline(normalizer, InstrumentTable(), lambda *_: None, resolve=lambda: "BTCUSDT")
    loads, decode, whole, clock = orjson.loads, normalizer.decode, pipeline.frame, perf_counter_ns
    times: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for frame in frames:
        t0 = clock()
        loads(frame)
        t1 = clock()
        decode(frame)
        t2 = clock()
        whole(frame, 1)
        t3 = clock()
        for kind in kinds(frame):
            for what, ns in (("orjson", t1 - t0), ("normalizer", t2 - t1), ("pipeline", t3 - t2)):
                times[kind][what].append(ns)
    return times


def main() -> None:
    """Prints a table, or one JSON document."""
    compiled_s = warm()
    frames = recorded()
    source = "recorded" if frames else "made up"
    times = measure(frames or made_up())
    rows = [
        {
            "kind": kind,
            "frames": len(of["orjson"]),
            **{f"{what}_us": round(median(ns) / 1e3, 2) for what, ns in of.items()},
            "normalizer_ratio": round(median(of["normalizer"]) / median(of["orjson"]), 2),
            "pipeline_ratio": round(median(of["pipeline"]) / median(of["orjson"]), 2),
        }
        for kind, of in sorted(times.items())
    ]
    about = {
        "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
        "orjson": version("orjson"), "numba": version("numba"), "frames": source, "warm_s": round(compiled_s, 2),
    }  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps({"about": about, "rows": rows}))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print(f"{'kind':<24}{'frames':>8}{'orjson us':>11}{'normalizer us':>15}{'ratio':>7}{'pipeline us':>13}{'ratio':>7}")
    for row in rows:
        print(
            f"{row['kind']:<24}{row['frames']:>8}{row['orjson_us']:>11}{row['normalizer_us']:>15}"
            f"{row['normalizer_ratio']:>7}{row['pipeline_us']:>13}{row['pipeline_ratio']:>7}"
        )


if __name__ == "__main__":
    main()
