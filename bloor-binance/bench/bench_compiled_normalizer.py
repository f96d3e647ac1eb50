"""The compiled normalizer: bytes to a correct top, against ``orjson.loads`` of the same bytes in the same run.

    python bloor-binance/bench/bench_compiled_normalizer.py [--json]

Messages are made up from a seed: depth changes of 5, 20 and 100 levels around the market of a book of 2,000, trades
and best bids and offers, in the envelope of a combined stream. A round takes every message once with each of the two,
one after the other; what is reported are medians over rounds. The compiled way is the call from Python, the check of
the sequence, the book and the reading of its top. Whole recordings (with ``$BLOOR_RECORDINGS``) go through the batch
entry, and only the CPU time inside compiled code counts. The start is measured in processes of their own.
"""

from __future__ import annotations

import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter_ns, process_time_ns
from typing import Any

import numpy as np
import orjson

from bloor.market.compiled.binding import compiled_run
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.instruments import InstrumentTable
from bloor.market.recording import RecordedLine, read_recording
from bloor.model.instrument import Instrument
from bloor_binance.compiled.normalizer import compiled_spot
from bloor_binance.normalizer import BinanceSpotNormalizer

ROUNDS, MESSAGES = 15, 2_000
RECORDINGS = {
    "BTCUSDT": ["btcusdt_20240808.txt.gz", "btcusdt_20240809.txt.gz"],
    "NEXOUSDT": ["nexousdt_20240723.txt.gz", "nexousdt_20240724.txt.gz"],
}
INSTRUMENT = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
    qty_decimals=8,
)  # fmt: skip

#: From the start of a process to its first decoded frame, in seconds; twice: without and with cached kernels.
START = """
import time
began = time.perf_counter()
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.instruments import InstrumentTable
from bloor_binance.compiled.normalizer import compiled_spot
from bloor_binance.normalizer import BinanceSpotNormalizer
pipeline = CompiledPipeline(BinanceSpotNormalizer(), compiled_spot(), InstrumentTable(), lambda *_: None)
pipeline.snapshot(b'{"lastUpdateId":1,"bids":[["1.0","1"]],"asks":[["2.0","1"]]}', "BTCUSDT", 1)
change = b'{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":2,"u":2,"b":[["1.5","1"]],"a":[]}'
assert pipeline.frame(change, 1) == 1
assert pipeline.book("BTCUSDT").view.seq == 2
print(time.perf_counter() - began)
"""


class Messages:
    """Makes messages from a seed."""

    def __init__(self, seed: int = 1) -> None:
        self.draw = random.Random(seed)
        self.seq = 0

    def snapshot(self) -> bytes:
        """A whole book of 2,000 levels."""
        bids = [[f"{60000 - n / 100:.8f}", "1.00000000"] for n in range(1000)]
        asks = [[f"{60000.01 + n / 100:.8f}", "1.00000000"] for n in range(1000)]
        return orjson.dumps({"lastUpdateId": self.seq, "bids": bids, "asks": asks})

    def level(self, side: int) -> list[str]:
        """A level within three units of the market, now and then one that goes away."""
        away = self.draw.randrange(300)
        gone = away > 5 and self.draw.random() < 0.3
        return [f"{60000 + (side > 0) / 100 + side * away / 100:.8f}", f"{0 if gone else self.draw.random() * 5:.8f}"]

    def depth(self, levels: int) -> bytes:
        """Changes of so many levels."""
        self.seq += 1
        return wrapped("btcusdt@depth@100ms", {
            "e": "depthUpdate", "E": 1_723_161_256_299 + self.seq, "s": "BTCUSDT", "U": self.seq, "u": self.seq,
            "b": [self.level(-1) for _ in range(levels // 2)],
            "a": [self.level(1) for _ in range(levels - levels // 2)],
        })  # fmt: skip

    def trade(self) -> bytes:
        """A trade."""
        self.seq += 1
        return wrapped("btcusdt@trade", {
            "e": "trade", "E": 1_723_161_256_322, "s": "BTCUSDT", "t": 3_723_485_123 + self.seq,
            "p": self.level(1)[0], "q": "0.00600000", "T": 1_723_161_256_322, "m": False, "M": True,
        })  # fmt: skip

    def quote(self) -> bytes:
        """A best bid and offer."""
        self.seq += 1
        (bid, bid_qty), (ask, ask_qty) = self.level(-1), self.level(1)
        quote = {"u": 50_123_107_841 + self.seq, "s": "BTCUSDT", "b": bid, "B": bid_qty, "a": ask, "A": ask_qty}
        return wrapped("btcusdt@bookTicker", quote)


def wrapped(stream: str, data: dict[str, Any]) -> bytes:
    return orjson.dumps({"stream": stream, "data": data})


def against_orjson() -> list[dict[str, Any]]:
    """Each kind of message, both ways."""
    made = Messages()
    pipeline = CompiledPipeline(
        BinanceSpotNormalizer(), compiled_spot(), InstrumentTable([INSTRUMENT]), lambda *_: None
    )
    top = pipeline.track(INSTRUMENT).top
    kinds = {f"depth, {n} levels": (lambda n=n: made.depth(n)) for n in (5, 20, 100)}
    kinds |= {"trade": made.trade, "bookTicker": made.quote}
    rows = []
    for kind, make in kinds.items():
        pipeline.reset()
        pipeline.snapshot(made.snapshot(), "BTCUSDT", 1)
        of_book = kind.startswith("depth")
        take = of_book_round if of_book else one_round
        rounds = [take(pipeline.step, top, [make() for _ in range(MESSAGES)]) for _ in range(ROUNDS)]
        if of_book:
            assert top[4] == made.seq, "a change was not applied"
        ours, theirs = median(r[0] for r in rounds), median(r[1] for r in rounds)
        rows.append({
            "kind": kind, "bytes": len(make()), "bloor_ns": round(ours), "orjson_ns": round(theirs),
            "times_faster": round(median(r[1] / r[0] for r in rounds), 2),
        })  # fmt: skip
    return rows


def of_book_round(step: Any, top: Any, frames: list[bytes]) -> tuple[float, float]:
    """ns a message of both ways, the top read after each."""
    began = perf_counter_ns()
    for frame in frames:
        step(frame, 1)
        top[0]
    between = perf_counter_ns()
    for frame in frames:
        orjson.loads(frame)
    return (between - began) / len(frames), (perf_counter_ns() - between) / len(frames)


def one_round(step: Any, _: Any, frames: list[bytes]) -> tuple[float, float]:
    """ns a message of both ways."""
    began = perf_counter_ns()
    for frame in frames:
        step(frame, 1)
    between = perf_counter_ns()
    for frame in frames:
        orjson.loads(frame)
    return (between - began) / len(frames), (perf_counter_ns() - between) / len(frames)


def whole_recordings() -> list[dict[str, Any]]:
    """Messages a second of compiled work alone, a recording as one batch; empty without recordings."""
    folder = Path(os.environ.get("BLOOR_RECORDINGS") or "") / "binance_spot"
    if not folder.is_dir():
        return []
    rows = []
    for symbol, names in RECORDINGS.items():
        lines = [line for line in read_recording([folder / n for n in names]) if isinstance(line, RecordedLine)]
        rates = [batch(symbol, lines) for _ in range(5)]
        size = sum(len(line.payload) for line in lines) / len(lines)
        rows.append({
            "recording": symbol, "messages": len(lines), "bytes": round(size),
            "by_reference": rates[0][1], "million_per_s": round(median(rate for rate, _ in rates), 2),
        })  # fmt: skip
    return rows


def batch(symbol: str, lines: list[RecordedLine]) -> tuple[float, int]:
    """Millions of messages a second inside compiled code, and how many messages the reference took between."""
    normalizer = compiled_spot()
    run = compiled_run(tuple(normalizer.modules))
    pipeline = CompiledPipeline(
        BinanceSpotNormalizer(), normalizer, InstrumentTable(), lambda *_: None, resolve=lambda: symbol
    )
    blob = b"\0".join([line.payload for line in lines]) + b"\0"
    text = np.frombuffer(blob, np.uint8)
    ends = np.cumsum([len(line.payload) + 1 for line in lines]) - 1
    recv_ns = np.array([line.recv_ns or 0 for line in lines], np.int64)
    answers, events = np.zeros(len(lines), np.int64), np.zeros((len(lines), 16), np.int64)
    at = by_reference = inside = 0
    while at < len(lines):
        began = process_time_ns()
        at = run(pipeline.context.address, text.ctypes.data, ends, recv_ns, answers, events, at)
        inside += process_time_ns() - began
        if at < len(lines):
            pipeline.frame(lines[at].payload, lines[at].recv_ns or 0)
            by_reference += 1
            at += 1
    return (len(lines) - by_reference) / inside * 1e3, by_reference


def starts() -> dict[str, float]:
    """Seconds to the first decoded frame, kernels compiled and cached."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}

        def once() -> float:
            done = subprocess.run([sys.executable, "-c", START], env=environment, capture_output=True, check=True)
            return float(done.stdout)

        return {"cold_s": round(once(), 2), "cached_s": round(median(once() for _ in range(5)), 2)}


def main() -> None:
    """Prints tables, or one JSON document."""
    about = {
        "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
        "numba": version("numba"), "orjson": version("orjson"),
    }  # fmt: skip
    document = {"about": about, "messages": against_orjson(), "recordings": whole_recordings(), "start": starts()}
    if "--json" in sys.argv:
        print(json.dumps(document))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for rows in (document["messages"], document["recordings"]):
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
    print("to the first decoded frame:", document["start"])


if __name__ == "__main__":
    main()
