"""Bytes to a correct top of book: bloor beside cryptofeed and nautilus_trader, alternating in one run.

    python bloor-binance/bench/bench_peers.py [--environments FOLDER] [--json]

Each peer has an environment of its own in FOLDER (``.nox/peers`` without it), made with this interpreter and filled
by pip when it is not there yet, and runs in a process of its own. All three take the same messages: changes of 5, 20
and 100 levels around the market of a book of 2,000 levels. What counts is CPU time, so that a peer does not look
worse because its longer rounds are interrupted more often. Rounds alternate, so that a slow moment of the machine
meets all of them; what is reported are medians over rounds, and the ratios are medians of the ratios of a round.
Every round ends with the same best bid, or the run stops. A peer that cannot be installed is named with pip's reason.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2] / "bloor-core" / "bench"))

from bench_compiled_normalizer import INSTRUMENT, Messages
from peering import Peer, environment

from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.instruments import InstrumentTable
from bloor_binance.compiled.normalizer import compiled_spot
from bloor_binance.normalizer import BinanceSpotNormalizer

HERE = Path(__file__).resolve().parent
PEERS = {"cryptofeed": "cryptofeed", "nautilus_trader": "nautilus"}
LEVELS = (5, 20, 100)
ROUNDS, MESSAGES = 9, 500


def ours(frames: list[str]) -> tuple[float, Decimal]:
    """A round of bloor's."""
    pipeline = CompiledPipeline(
        BinanceSpotNormalizer(), compiled_spot(), InstrumentTable([INSTRUMENT]), lambda *_: None
    )
    book = pipeline.track(INSTRUMENT)
    pipeline.snapshot(frames[0].encode(), "BTCUSDT", 1)
    raw = [frame.encode() for frame in frames[1:]]
    step, top = pipeline.step, book.top
    began = process_time_ns()
    for frame in raw:
        step(frame, 1)
        top[0], top[2]
    took = process_time_ns() - began
    return took / len(raw), INSTRUMENT.price(book.view.best_bid)


def messages() -> dict[str, list[str]]:
    """A snapshot and changes, for each number of levels."""
    made = Messages()
    return {
        f"{n} levels": [made.snapshot().decode(), *(made.depth(n).decode() for _ in range(MESSAGES))] for n in LEVELS
    }


def compare(peers: list[Peer], kinds: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Alternating rounds of everybody."""
    rows = []
    for kind, frames in kinds.items():
        ours(frames)
        rounds = []
        for _ in range(ROUNDS):
            results = [ours(frames), *(peer.round(kind) for peer in peers)]
            if len({top for _, top in results}) != 1:
                raise SystemExit(f"{kind}: the books differ: {results}")
            rounds.append([ns for ns, _ in results])
        row: dict[str, Any] = {"kind": kind, "bloor_us": round(median(r[0] for r in rounds) / 1e3, 2)}
        for n, peer in enumerate(peers, 1):
            row[f"{peer.name}_us"] = round(median(r[n] for r in rounds) / 1e3, 1)
            row[f"{peer.name}_ratio"] = round(median(r[n] / r[0] for r in rounds))
        rows.append(row)
    return rows


def main() -> None:
    """Prints a table, or one JSON document."""
    given = HERE.parents[1] / ".nox" / "peers"
    if "--environments" in sys.argv:
        given = Path(sys.argv[sys.argv.index("--environments") + 1])
    peers, missing = [], {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "messages.json"
        kinds = messages()
        file.write_text(json.dumps(kinds), encoding="utf-8")
        for name, worker in PEERS.items():
            found = environment(given, name)
            if isinstance(found, str):
                missing[name] = found
            else:
                peers.append(Peer(name, found, HERE / "peers" / f"{worker}_worker.py", file))
        rows = compare(peers, kinds)
        for peer in peers:
            peer.end()
    about = {
        "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
        **{peer.name: peer.version for peer in peers}, **missing,
    }  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps({"about": about, "rows": rows}))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
