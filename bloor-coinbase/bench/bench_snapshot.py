"""A whole book in one frame: bytes to a loaded book, against ``orjson.loads`` of the same bytes in the same run.

    python bloor-coinbase/bench/bench_snapshot.py [--json]

The frame is made up from a seed: 44,000 levels, most of them near the market, in the venue's own form, 4.8 MB. A round
takes it with each of the two, one after the other, the book emptied before; what is reported are the least and the
median time over rounds, in ms. The first round is told apart: in it, room is made for the book.
"""

from __future__ import annotations

import json
import platform
import random
import sys
from collections.abc import Callable
from importlib.metadata import version
from statistics import median
from time import perf_counter_ns
from typing import Any

import orjson

from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.instruments import InstrumentTable
from bloor.model.instrument import Instrument
from bloor_coinbase.compiled.normalizer import compiled
from bloor_coinbase.normalizer import CoinbaseNormalizer

ROUNDS, LEVELS, MID_CENTS = 31, 44_000, 7_885_600
INSTRUMENT = Instrument(
    venue="coinbase", symbol="BTC-USD", venue_symbol="BTC-USD", base="BTC", quote="USD", price_decimals=2,
    qty_decimals=8,
)  # fmt: skip


def frame(seed: int = 1) -> bytes:
    """The frame."""
    chance = random.Random(seed)
    rows = []
    for side, sign in (("bid", -1), ("offer", 1)):
        prices: set[int] = set()
        while len(prices) < LEVELS // 2:
            away = int(abs(chance.gauss(0, 1)) * chance.choice([3_000, 60_000, 1_500_000])) + 1
            if away < MID_CENTS:
                prices.add(MID_CENTS + sign * away)
        rows += [level(chance, side, price) for price in sorted(prices, reverse=sign < 0)]
    event = {"type": "snapshot", "product_id": "BTC-USD", "updates": rows}
    return orjson.dumps(
        {"channel": "l2_data", "timestamp": "2026-08-24T22:34:13.813365299Z", "sequence_num": 0, "events": [event]}
    )


def level(chance: random.Random, side: str, cents: int) -> dict[str, str]:
    """One level, its numbers without zeros at the end."""
    time = f"2026-08-{chance.randrange(10, 24)}T{chance.randrange(10, 24)}:10:33.{chance.randrange(1, 10**6):06}Z"
    price = f"{cents / 100:.2f}".rstrip("0").rstrip(".")
    qty = f"{chance.randrange(1, 10**9) / 1e8:.8f}".rstrip("0").rstrip(".")
    return {"side": side, "event_time": time, "price_level": price, "new_quantity": qty}


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    began = perf_counter_ns()
    work()
    return (perf_counter_ns() - began) / 1e6


def main() -> None:
    """Measures and prints."""
    text = frame()
    pipeline = CompiledPipeline(CoinbaseNormalizer(), compiled(), InstrumentTable([INSTRUMENT]), lambda *_: None)
    book = pipeline.track(INSTRUMENT)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        pipeline.reset()
        ours.append(timed(lambda: pipeline.frame(text, 1)))
        assert book.levels == (LEVELS // 2, LEVELS // 2)
        theirs.append(timed(lambda: orjson.loads(text)))
    assert pipeline.counters.book_messages == ROUNDS
    document = {
        "bytes": len(text), "levels": LEVELS, "rounds": ROUNDS, "first_ms": round(ours[0], 2),
        "book_ms": {"min": round(min(ours), 2), "median": round(median(ours), 2)},
        "orjson_ms": {"min": round(min(theirs), 2), "median": round(median(theirs), 2)},
        "ratio": {"min": round(min(theirs) / min(ours), 1), "median": round(median(theirs) / median(ours), 1)},
        "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
        "versions": {name: version(name) for name in ("numba", "numpy", "orjson")},
    }  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps(document))
    else:
        for name, value in document.items():
            print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
