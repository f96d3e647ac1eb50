"""Backtests beside hftbacktest's, over the same events: equal fills, then speed. ``nox -s bench -- backtest``.

    python bloor-core/bench/bench_backtest.py [--environments FOLDER] [--json]
    python bloor-core/bench/bench_backtest.py --write-expected

Takes the recordings ``nexousdt_*`` and ``btcusdt_2024*`` of Binance spot under the folder named by BLOOR_RECORDINGS
where there is one, and markets that it makes itself: one by price, and one order by order, for the queue model that
needs no estimate (*fifo*; hftbacktest's ``l3_fifo_queue_model``). hftbacktest has an environment of its own in FOLDER
(``.nox/peers`` without it), its faster book (ROIVector), and its data loaded and in order before its time is taken.

Both run the same two strategies with the same latency (5 ms each way) and the same queue models, without partial fills
and fees: *touch* quotes at the best prices anew every 100 ms, *trend* follows trades with orders that take. Their fills
must be the same to the nanosecond: time, side, price, quantity, number of the order; otherwise the run stops. With
partial fills they cannot be: there hftbacktest's position leaves out what a partly filled order traded, and an order
that is filled exactly stays.

hftbacktest's order-level exchange does not fill an order that is alone at a price better than its book's, when the
market trades beyond it, which its exchange by price does, and ours; the market that is made order by order is one in
which this does not happen.

Two more differences are kept out of it by the events: hftbacktest wakes a strategy once for all that is received in the
same nanosecond, ours hands on one after the other; and ours runs a timer before what is received in its nanosecond.

What is taken is CPU time, by turns, so that a slow moment of the machine meets both; ratios are medians of the ratios
of a round. Three ways of ours are shown:

* ``skipping``: the strategy asks for what it needs, the events between are never looked at;
* ``visiting``: the same strategy is handed every trade, quote and book message as well;
* ``from stored``: as skipping, and the venue's side of the events is prepared too, which the others have had done once.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent))

from attrs import frozen
from backtesting import first_timer, its_rows
from peering import Peer, environment

from bloor.backtesting.kept import KeptWindows
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.survey import survey
from bloor.model.instrument import Instrument
from bloor.plugins import PluginHost
from bloor.storage.cells import Records
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.load import load
from bloor.testing.backtests import BY_ORDER, CROSSING, LATENCY, PERIOD_NS, QUEUES, TOUCHING, fills_of, lane, ran
from bloor.testing.markets import made_market
from bloor.testing.ordermarkets import made_orders, stored_orders

HERE = Path(__file__).resolve().parent
EXPECTED = HERE.parent / "tests" / "simulation" / "hftbacktest_fills.json"
ROUNDS = 7
#: Pattern of recordings -> lots of an order, and of the most that is held.
RECORDED = {"nexousdt_*.txt.gz": (10_000, 1_000_000), "btcusdt_2024*.txt.gz": (1_000, 100_000)}


@frozen(eq=False)
class Market:
    """Events to compare over.

    Attributes:
        name: What they are called.
        instrument: What they are of.
        rows: The records.
        lots: Of an order.
        most: The most that is held, in lots.
        given: The same as hftbacktest takes them, where they are order-level data.
    """

    name: str
    instrument: Instrument
    rows: Records
    lots: int
    most: int
    given: np.ndarray[Any, Any] | None = None

    @property
    def queues(self) -> tuple[str, ...]:
        """Queue models that are compared over it."""
        return tuple(QUEUES if self.given is None else BY_ORDER)

    @property
    def strategies(self) -> tuple[tuple[str, tuple[type[Any], ...]], ...]:
        """Strategies that are compared over it; one that takes does not wait in a queue."""
        touching = ("touch", TOUCHING)
        return (touching, ("trend", CROSSING)) if self.given is None else (touching,)


def by_order(seed: int, events: int) -> Market:
    """A made market, order by order."""
    given = made_orders(seed=seed, events=events, empties=False)
    instrument, rows = stored_orders(given, PluginHost().normalizer("binance"))
    return Market("made by order", instrument, rows, 100, 10_000, given)


def markets(folder: Path) -> Iterator[Market]:
    """The made market, and the recorded ones."""
    instrument, rows = made_market(seed=1, messages=100_000)
    yield Market("made", instrument, rows, 100, 10_000)
    yield by_order(seed=1, events=100_000)
    recordings = os.environ.get("BLOOR_RECORDINGS")
    for number, (pattern, (lots, most)) in enumerate(RECORDED.items()):
        files = sorted(Path(recordings).glob(f"*/{pattern}")) if recordings else []
        files = [file for file in files if file.parent.name == "binance_spot"]
        if files:
            catalogue = folder / f"catalogue{number}"
            list(import_data(catalogue, PluginHost().normalizer("binance"), files, ImportOptions()))
            symbol = next((catalogue / "venue=binance").iterdir()).name.removeprefix("symbol=")
            events = load("binance", symbol, catalogue=catalogue)
            assert events.instrument is not None
            yield Market(symbol, events.instrument, np.asarray(events), lots, most)


class Comparison:
    """One market, both sides ready."""

    def __init__(self, peer: Peer, market: Market, folder: Path) -> None:
        self.peer, self.market = peer, market
        self.stored = StoredRows([market.rows])
        self.offset = survey(market.name, self.stored).clock_offset_ns
        given = its_rows(market.rows, market.instrument, self.offset) if market.given is None else market.given
        self.kept = KeptWindows.of(self.stored, self.offset, by_order=market.given is not None)
        self.fills = folder / "fills.npy"
        file = folder / "rows.npz"
        np.savez(file, data=given)
        self.events = len(given)
        instrument = market.instrument
        tick, lot = float(instrument.tick_size), float(instrument.lot_units / 10**instrument.qty_decimals)
        middle = float(np.median(given["px"]))
        asked = {"do": "data", "file": str(file), "tick": tick, "lot": lot, "low": middle * 0.7, "high": middle * 1.3}
        begins = peer.ask(asked)["first"]
        self.asked = {
            "do": "run", "entry": LATENCY.entry.ns, "response": LATENCY.response.ns, "power": 3.0,
            "first": first_timer(market.rows) - begins, "period": PERIOD_NS, "qty": market.lots * lot,
            # a float that is not quite what it counts would be below it
            "most": (market.most - 0.5) * lot, "fast": 0.3, "slow": 0.05, "band": 0.5,
        }  # fmt: skip

    def theirs(self, strategy: str, queue: str, *, keep: bool) -> dict[str, Any]:
        """A run of hftbacktest's."""
        more = {"strategy": strategy, "queue": queue.split(maxsplit=1)[0], "keep": str(self.fills) if keep else ""}
        result: dict[str, Any] = self.peer.ask(self.asked | more)
        return result

    def ours(self, cls: type[Any], queue: str, *, again: bool) -> tuple[float, Any]:
        """A run of ours: its seconds, and what it wrote."""
        market = self.market
        kept = self.kept if again else None
        return ran(lane(market.instrument, market.rows, queue, self.offset, kept), cls, market.lots, market.most)

    def equal(self, strategy: str, queue: str, classes: tuple[type[Any], ...]) -> int:
        """How many fills there are, the same on both sides.

        Raises:
            SystemExit: They are not the same.
        """
        self.theirs(strategy, queue, keep=True)
        expected = np.load(self.fills)
        expected = expected[np.lexsort((expected[:, 4], expected[:, 0]))]
        for cls in classes:
            got = fills_of(self.ours(cls, queue, again=True)[1], self.market.instrument)
            if not np.array_equal(got, expected):
                size = min(len(got), len(expected))
                first = next((i for i in range(size) if not np.array_equal(got[i], expected[i])), size)
                raise SystemExit(
                    f"{self.market.name}, {strategy}, {queue}: {len(got)} fills and {len(expected)}, fill {first} "
                    f"differs: {got[first : first + 1].tolist()}, hftbacktest {expected[first : first + 1].tolist()}"
                )
        return len(expected)

    def measure(self, strategy: str, queue: str, classes: tuple[type[Any], ...]) -> dict[str, Any]:
        """Alternating rounds, after fills were found to be the same."""
        fills = self.equal(strategy, queue, classes)
        skipping, visiting = classes
        rounds = []
        for _ in range(ROUNDS):
            theirs = self.theirs(strategy, queue, keep=False)
            times = [
                self.ours(skipping, queue, again=True)[0],
                self.ours(visiting, queue, again=True)[0],
                self.ours(skipping, queue, again=False)[0],
            ]
            rounds.append([theirs["seconds"], *times])
        names = ("hftbacktest", "skipping", "visiting", "from stored")
        row: dict[str, Any] = {
            "market": self.market.name, "strategy": strategy, "queue": queue, "events": self.events,
            "orders": theirs["orders"], "fills": fills,
        }  # fmt: skip
        row |= {f"{name} ms": round(median(r[n] for r in rounds) * 1e3, 2) for n, name in enumerate(names)}
        row |= {f"{name} x": round(median(r[0] / r[n] for r in rounds), 1) for n, name in enumerate(names) if n}
        return row


def compare(peer: Peer, folder: Path) -> list[dict[str, Any]]:
    """Every market, strategy and queue model."""
    rows = []
    for market in markets(folder):
        comparison = Comparison(peer, market, folder)
        for strategy, classes in market.strategies:
            rows += [comparison.measure(strategy, queue, classes) for queue in market.queues]
    return rows


def write_expected(peer: Peer, folder: Path) -> None:
    """Writes hftbacktest's fills over small made markets into the tests."""
    instrument, rows = made_market(seed=7, messages=3_000)
    found: dict[str, Any] = {"hftbacktest": peer.version, "seed": 7, "messages": 3_000, "lots": 100, "most": 10_000}
    for market in (Market("made", instrument, rows, 100, 10_000), by_order(seed=7, events=3_000)):
        comparison = Comparison(peer, market, folder)
        for strategy, _ in market.strategies:
            for queue in market.queues:
                comparison.theirs(strategy, queue, keep=True)
                fills = np.load(comparison.fills)
                found[f"{strategy}, {queue}"] = fills[np.lexsort((fills[:, 4], fills[:, 0]))].tolist()
    text = json.dumps(found).replace("], [", "],\n[").replace(', "', ',\n"')
    EXPECTED.write_text(text + "\n", encoding="utf-8")
    print(f"{EXPECTED.name}: {[len(value) for value in found.values() if isinstance(value, list)]} fills")


def main() -> None:
    """Prints a table, or one JSON document."""
    given = HERE.parents[1] / ".nox" / "peers"
    if "--environments" in sys.argv:
        given = Path(sys.argv[sys.argv.index("--environments") + 1])
    found = environment(given, "hftbacktest")
    if isinstance(found, str):
        print(f"hftbacktest: {found}")
        return
    peer = Peer("hftbacktest", found, HERE / "peers" / "hftbacktest_worker.py", Path(os.devnull))
    try:
        with tempfile.TemporaryDirectory() as name:
            if "--write-expected" in sys.argv:
                write_expected(peer, Path(name))
                return
            rows = compare(peer, Path(name))
    finally:
        peer.end()
    about = {
        "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
        "hftbacktest": peer.version, "load": os.getloadavg()[0], "time": time.strftime("%Y-%m-%d"),
    }  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps({"about": about, "rows": rows}))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
