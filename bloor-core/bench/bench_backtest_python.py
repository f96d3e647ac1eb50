"""A strategy of ordinary Python in a backtest, beside nautilus_trader's. ``nox -s bench -- backtest_python``.

    python bloor-core/bench/bench_backtest_python.py [--environments FOLDER] [--json]

Both run over the same quotes and trades of a made market, with a strategy that is told of every one and keeps a bid and
an ask resting, a tenth of a percent away from the market: a new order where one is gone. nautilus_trader's engine has
no latency there, as by default; ours has 2 ms each way. CPU time by turns; events a second are medians, and the ratio
is the median of the ratios of a round.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent))

from peering import Peer, environment

from bloor.backtesting.build import LaneSpec, StrategySpec, prepare
from bloor.backtesting.course import run_course
from bloor.backtesting.models import Constant, RiskAverse
from bloor.backtesting.rows import StoredRows
from bloor.market.book import OrderBook
from bloor.market.events import EventKind, EventView
from bloor.strategy.api import Orders, Strategy
from bloor.testing.markets import made_market

HERE = Path(__file__).resolve().parent
ROUNDS, MESSAGES = 7, 60_000


class Resting(Strategy):
    """One bid and one ask, a little away from the market; a new one where one is gone."""

    name = "resting"

    events: int = 0
    bid: int = 0
    ask: int = 0

    def on_trade(self, trade: EventView, book: OrderBook, orders: Orders) -> None:
        """Counts."""
        self.events += 1

    def on_book(self, book: OrderBook, orders: Orders) -> None:
        """Sees to it that both orders are there."""
        self.events += 1
        if orders.open_orders < 2 and book.two_sided:
            if not orders.open_buy:
                orders.buy(book.best_bid * 999 // 1000, 100)
            if not orders.open_sell:
                orders.sell(book.best_ask * 1001 // 1000, 100)


def ours(instrument: Any, rows: Any) -> tuple[float, int, int]:
    """A run of ours: its seconds, the events that the strategy was told of, its orders."""
    lane = LaneSpec(
        instrument=instrument, rows=StoredRows([rows]), latency=Constant(), queue=RiskAverse(), oversell=True
    )
    prepared = prepare([lane], [StrategySpec(name="resting", cls=Resting)])
    began = time.process_time()
    logs = run_course(prepared.memory)
    return time.process_time() - began, logs.events, logs.decided


def write(rows: Any, instrument: Any, file: Path) -> None:
    """Writes the quotes and trades for the peer."""
    books, trades = rows[rows["kind"] == EventKind.BOOK], rows[rows["kind"] == EventKind.TRADE]
    price, qty = instrument.tick_units / 10**instrument.price_decimals, 10.0**-instrument.qty_decimals
    quotes = np.stack(
        [books["recv_ns"], books["price"] * price, books["price2"] * price, books["qty"] * qty, books["qty2"] * qty], 1
    )
    sold = np.stack([trades["recv_ns"], trades["price"] * price, trades["qty"] * qty, trades["side"] > 0], 1)
    np.savez(file, quotes=quotes, quote_ns=books["recv_ns"], trades=sold, trade_ns=trades["recv_ns"])


def main() -> None:
    """Prints a line, or one JSON document."""
    given = HERE.parents[1] / ".nox" / "peers"
    if "--environments" in sys.argv:
        given = Path(sys.argv[sys.argv.index("--environments") + 1])
    found = environment(given, "nautilus_trader")
    if isinstance(found, str):
        print(f"nautilus_trader: {found}")
        return
    instrument, rows = made_market(seed=1, messages=MESSAGES)
    peer = Peer("nautilus_trader", found, HERE / "peers" / "nautilus_backtest_worker.py", Path(os.devnull))
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "events.npz"
            write(rows, instrument, file)
            events = peer.ask({"do": "data", "file": str(file)})["events"]
            rounds = []
            for number in range(ROUNDS + 1):
                theirs, (took, told, decided) = peer.ask({"do": "run"}), ours(instrument, rows)
                if number:  # the first one warms both
                    rounds.append((theirs["seconds"], took))
    finally:
        peer.end()
    if theirs["orders"] > events // 100:
        raise SystemExit(f"nautilus_trader: {theirs['orders']} orders over {events} events: they do not rest")
    row = {
        "machine": platform.machine(), "python": platform.python_version(), "nautilus_trader": peer.version,
        "load": os.getloadavg()[0], "events": events, "told": told, "their orders": theirs["orders"],
        "our decisions": decided, "nautilus_trader events/s": round(median(events / a for a, _ in rounds)),
        "bloor events/s": round(median(told / b for _, b in rounds)),
        "ratio": round(median((told / b) / (events / a) for a, b in rounds), 1),
    }  # fmt: skip
    print(json.dumps(row) if "--json" in sys.argv else "  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
