"""Bytes to a top of book whose checksum was computed and compared, beside cryptofeed without its checksum.

    python bloor-kraken/bench/bench_verified.py [--environments FOLDER] [--json]

Both take the same changes of a book of depth 1000, cryptofeed's default, and of 25, each in the form that its library
subscribes to: bloor frames of WebSocket v2, cryptofeed those of v1, since it knows no other. A seeded book makes them:
in each about 5, 20 or 40 levels near the market change, go, or come back. cryptofeed has an environment of its own in
FOLDER (``.nox/peers`` without it), runs in a process of its own, with a callback that reads the top, and is spared the
checksum, which is its default. What counts is CPU time; rounds alternate, and every round ends with the same best bid.
Beside them ``orjson.loads`` of bloor's frames. What is reported are medians over rounds and medians of the ratios of a
round.
"""

from __future__ import annotations

import json
import platform
import random
import sys
import tempfile
import zlib
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2] / "bloor-core" / "bench"))

import orjson
from peering import Peer, environment

from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.instruments import InstrumentTable
from bloor.model.instrument import Instrument
from bloor_kraken.compiled.normalizer import compiled_kraken
from bloor_kraken.normalizer import KrakenNormalizer

HERE = Path(__file__).resolve().parent
PRICE_DECIMALS, QTY_DECIMALS = 1, 8
#: Depth and levels that change.
KINDS = ((1000, 5), (1000, 20), (1000, 40), (25, 20))
ROUNDS, MESSAGES = 7, 2_000
INSTRUMENT = Instrument(
    venue="kraken", symbol="BTC-USD", venue_symbol="BTC/USD", base="BTC", quote="USD", price_decimals=PRICE_DECIMALS,
    qty_decimals=QTY_DECIMALS,
)  # fmt: skip
Rows = list[tuple[int, int]]


class Book:
    """The venue's book, of which a subscriber sees the best levels; prices and quantities in units."""

    def __init__(self, depth: int, changed: int) -> None:
        self._random = random.Random(7)
        self._depth, self._changed = depth, changed
        self._sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for away in range(1, depth + 36):
            for side, sign in enumerate((-1, 1)):
                self._sides[side][600_000 + sign * away] = self._qty()
        self._known = self._window()

    def _qty(self) -> int:
        return self._random.randrange(1, 10 ** self._random.randrange(6, 11))

    def _window(self) -> list[Rows]:
        bids, asks = self._sides
        return [sorted(bids.items(), reverse=True)[: self._depth], sorted(asks.items())[: self._depth]]

    def snapshot(self) -> list[Rows]:
        """Every level of the window, bids and asks."""
        return self._known

    def update(self) -> list[Rows]:
        """What the next message says, bids and asks; 0 deletes."""
        for side, sign in enumerate((-1, 1)):
            levels = self._sides[side]
            for away in self._random.sample(range(1, 31), (self._changed + side) // 2):
                price = 600_000 + sign * away
                if price in levels and self._random.random() < 0.2:
                    del levels[price]
                else:
                    levels[price] = self._qty()
        after, said = self._window(), []
        for before, now, full in zip(self._known, after, self._sides, strict=True):
            old = dict(before)
            rows = [(price, qty) for price, qty in now if old.get(price) != qty]
            said.append(rows + [(price, 0) for price in old if price not in full])
        self._known = after
        return said

    def checksum(self) -> int:
        """CRC-32 of the ten best levels, as Kraken makes it."""
        bids, asks = self._known
        return zlib.crc32("".join(f"{price}{qty}" for price, qty in asks[:10] + bids[:10]).encode())


def decimal(units: int, decimals: int) -> str:
    """Units as text with all their decimals."""
    return f"{Decimal(units).scaleb(-decimals):.{decimals}f}"


def version2(kind: str, sides: list[Rows], checksum: int) -> str:
    """A frame as bloor subscribes to it."""
    bids, asks = (
        ",".join(f'{{"price":{decimal(p, PRICE_DECIMALS)},"qty":{decimal(q, QTY_DECIMALS)}}}' for p, q in rows)
        for rows in sides
    )
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{bids}],"asks":[{asks}],'
        f'"checksum":{checksum},"timestamp":"2026-08-24T22:21:58.343688Z"}}]}}'
    )


def version1(kind: str, sides: list[Rows], checksum: int, depth: int) -> str:
    """The same as cryptofeed subscribes to it."""
    bids, asks = (
        [[decimal(p, PRICE_DECIMALS), decimal(q, QTY_DECIMALS), "1756073518.343688"] for p, q in rows] for rows in sides
    )
    if kind == "snapshot":
        parts: list[dict[str, Any]] = [{"as": asks, "bs": bids}]
    else:
        parts = [{side: rows} for side, rows in (("a", asks), ("b", bids)) if rows]
        parts[-1]["c"] = str(checksum)
    return json.dumps([336, *parts, f"book-{depth}", "XBT/USD"], separators=(",", ":"))


def messages() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """A snapshot and changes of each kind, in both forms."""
    ours, theirs = {}, {}
    for depth, changed in KINDS:
        book, kind = Book(depth, changed), f"{changed} levels of {depth}"
        said = [("snapshot", book.snapshot(), book.checksum())]
        said += [("update", book.update(), book.checksum()) for _ in range(MESSAGES)]
        ours[kind] = [version2(*one) for one in said]
        theirs[kind] = [version1(*one, depth) for one in said]
    return ours, theirs


def bloor(frames: list[str], depth: str) -> tuple[float, Decimal]:
    """A round of bloor's: ns a message, and the best bid."""
    pipeline = CompiledPipeline(KrakenNormalizer(), compiled_kraken(), InstrumentTable([INSTRUMENT]), lambda *_: None)
    book = pipeline.track(INSTRUMENT)
    pipeline.frame(
        b'{"method":"subscribe","result":{"channel":"book","depth":%b,"snapshot":true,"symbol":"BTC/USD"},'
        b'"success":true,"time_in":"2026-08-24T22:21:56.724795Z","time_out":"2026-08-24T22:21:56.724853Z"}'
        % depth.encode(), 1,
    )  # fmt: skip
    pipeline.frame(frames[0].encode(), 1)
    raw = [frame.encode() for frame in frames[1:]]
    step, top, left = pipeline.step, book.top, 0
    began = process_time_ns()
    for frame in raw:
        left += step(frame, 1) < 0
        top[0], top[2]
    took = process_time_ns() - began
    counters = pipeline.counters
    if left or counters.checksums_ok != len(frames) or counters.checksums_bad:
        raise SystemExit(f"not every frame was taken and verified by compiled code: {left} left, {counters}")
    return took / len(raw), INSTRUMENT.price(book.view.best_bid)


def loads(frames: list[str]) -> float:
    """A round of ``orjson.loads``: ns a message."""
    raw = [frame.encode() for frame in frames[1:]]
    began = process_time_ns()
    for frame in raw:
        orjson.loads(frame)
    return (process_time_ns() - began) / len(raw)


def compare(peer: Peer | None, kinds: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Alternating rounds of everybody."""
    rows = []
    for kind, frames in kinds.items():
        depth, rounds = kind.rpartition(" ")[2], []
        bloor(frames, depth)
        for _ in range(ROUNDS):
            ns, top = bloor(frames, depth)
            theirs = peer.round(kind) if peer else (0.0, top)
            if top != theirs[1]:
                raise SystemExit(f"{kind}: the books differ: {top}, {theirs[1]}")
            rounds.append((ns, loads(frames), theirs[0]))
        row: dict[str, Any] = {"kind": kind, "bytes": round(sum(map(len, frames[1:])) / MESSAGES)}
        for n, name in enumerate(("bloor", "orjson_loads", *([peer.name] if peer else []))):
            row[f"{name}_us"] = round(median(r[n] for r in rounds) / 1e3, 2)
            if n:
                row[f"{name}_ratio"] = round(median(r[n] / r[0] for r in rounds), 1)
        rows.append(row)
    return rows


def main() -> None:
    """Prints a table, or one JSON document."""
    given = HERE.parents[1] / ".nox" / "peers"
    if "--environments" in sys.argv:
        given = Path(sys.argv[sys.argv.index("--environments") + 1])
    ours, theirs = messages()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "messages.json"
        file.write_text(json.dumps(theirs), encoding="utf-8")
        found = environment(given, "cryptofeed")
        peer = None if isinstance(found, str) else Peer("cryptofeed", found, HERE / "peers/cryptofeed_worker.py", file)
        rows = compare(peer, ours)
        if peer:
            peer.end()
    about = {
        "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
        "orjson": orjson.__version__, "cryptofeed": peer.version if peer else found,
    }  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps({"about": about, "rows": rows}))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
