"""Stylized facts of the simulated market beside those of recordings, as a Markdown table.

    python docs/market_facts.py [--seconds 300] [--seed 1] [--recordings FOLDER]

Both sides are measured by the same code from the same frames: ``depth@100ms``, ``bookTicker`` and ``trade`` of Binance
spot. Simulated time is virtual, so a measurement of minutes takes seconds. The recordings' folder is that of the tests
(``BLOOR_RECORDINGS``); without it only the simulated columns are shown.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, median, pstdev

import orjson

from bloor.market.recording import RecordedLine, read_recording
from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_binance.simulated import SimulatedBinance

SECOND = 1_000_000_000
START_NS = 1_700_000_000_000_000_000
#: Tick of each recorded instrument.
TICKS = {"btcusdt": 0.01, "ethusdt": 0.01, "nexousdt": 0.001}
RECORDED = ("btcusdt_20240808", "nexousdt_20240724")
SIMULATED = ("BTC-USDT", "ETH-USDT")

#: ``(time in ns, stream's kind, document)``; a snapshot's kind is "snapshot".
Frame = tuple[int, str, dict]


# -- where frames come from -------------------------------------------------------------------------------------------


def simulated(symbol: str, seed: int, seconds: int) -> Iterator[Frame]:
    """Frames of a simulated market in virtual time."""
    name, frames = symbol.replace("-", "").lower(), []
    venue = SimulatedBinance(SimulationOptions(seed=seed, symbols=[symbol]), lambda _, payload: frames.append(payload))
    venue.start(START_NS)
    now = START_NS
    streams = "/".join(f"{name}@{kind}" for kind in ("depth@100ms", "bookTicker", "trade"))
    venue.opened(1, "/stream", f"streams={streams}", now)
    answer = venue.request(HttpRequest("GET", "/api/v3/depth", f"symbol={name.upper()}&limit=5000", {}, b""), now)
    yield now, "snapshot", orjson.loads(answer.body)
    while venue.deadline_ns <= START_NS + seconds * SECOND:
        now = max(now, venue.deadline_ns)
        venue.advance(now)
        for payload in frames:
            message = orjson.loads(payload)
            yield now, message["stream"].partition("@")[2], message["data"]
        frames.clear()


def recorded(folder: Path) -> Iterator[Frame]:
    """Frames of a recording by their time of receipt."""
    for line in read_recording(sorted(folder.iterdir()) if folder.is_dir() else [folder]):
        if not isinstance(line, RecordedLine) or line.recv_ns is None:
            continue
        message = orjson.loads(line.payload)
        if "stream" in message:
            yield line.recv_ns, message["stream"].partition("@")[2], message["data"]
        elif "lastUpdateId" in message:
            yield line.recv_ns, "snapshot", message


# -- what is measured -------------------------------------------------------------------------------------------------


class Facts:
    """Collects from frames and says what was found."""

    def __init__(self, frames: Iterable[Frame], tick: float, seconds: int) -> None:
        self.tick = tick
        self.first_ns = self.last_ns = 0
        self.spreads: list[int] = []
        self.mids: list[float] = []
        self.orders: list[list[float]] = []  # ms, sign, value
        self.arrivals: list[int] = []
        self.depths: list[tuple[float, float, float]] = []
        self.changes = self.tops = self.trades = 0
        self._book: tuple[dict[float, float], dict[float, float]] | None = None
        self._second = 0
        self._mid = 0.0
        for ns, kind, data in frames:
            self.first_ns = self.first_ns or ns
            if ns > self.first_ns + seconds * SECOND:
                break
            self.last_ns = ns
            self._take(ns, kind, data)

    def _take(self, ns: int, kind: str, data: dict) -> None:
        if kind == "snapshot":
            self._book = tuple({float(p): float(q) for p, q in data[side]} for side in ("bids", "asks"))
        elif kind == "bookTicker":
            self.tops += 1
            bid, ask = float(data["b"]), float(data["a"])
            self._mid = (bid + ask) / 2
            self.spreads.append(round((ask - bid) / self.tick))
        elif kind == "trade":
            self._trade(data)
        elif kind.startswith("depth"):
            self._depth(data)
        if self._mid and ns // SECOND > self._second:
            self._second = ns // SECOND
            self.mids.append(self._mid)
            self._sample()

    def _trade(self, data: dict) -> None:
        self.trades += 1
        ms, sign, value = data["T"], -1 if data["m"] else 1, float(data["p"]) * float(data["q"])
        if self.orders and self.orders[-1][0] == ms and self.orders[-1][1] == sign:
            self.orders[-1][2] += value  # one taker
        else:
            self.orders.append([ms, sign, value])

    def _depth(self, data: dict) -> None:
        self.changes += len(data["b"]) + len(data["a"])
        if self._book is None:
            return
        for levels, side in ((data["b"], 0), (data["a"], 1)):
            for price, qty in levels:
                if float(qty):
                    self._book[side][float(price)] = float(qty)
                else:
                    self._book[side].pop(float(price), None)

    def _sample(self) -> None:
        """Value at the best price and within 1 and 5 basis points of the middle, mean of both sides."""
        if self._book is None or not all(self._book):
            return
        found = []
        for side, best in ((0, max(self._book[0])), (1, min(self._book[1]))):
            near = [
                (abs(p / self._mid - 1), p * q) for p, q in self._book[side].items() if abs(p / self._mid - 1) < 5e-4
            ]
            found.append((best * self._book[side][best], sum(v for d, v in near if d < 1e-4), sum(v for _, v in near)))
        self.depths.append(tuple(fmean(pair) for pair in zip(*found, strict=True)))

    def rows(self) -> dict[str, str]:
        """Name of the fact -> what was found."""
        seconds = (self.last_ns - self.first_ns) / SECOND
        values = sorted(order[2] for order in self.orders)
        gaps = [(b[0] - a[0]) / 1000 for a, b in zip(self.orders, self.orders[1:], strict=False)]
        signs = [order[1] for order in self.orders]
        returns = [1e4 * math.log(b / a) for a, b in zip(self.mids, self.mids[1:], strict=False)]
        spreads = sorted(self.spreads)
        bps = self.tick / (self._mid or 1) * 1e4
        return {
            "measured, s": f"{seconds:.0f}",
            "trades per s": f"{self.trades / seconds:.1f}",
            "best-price changes per s": f"{self.tops / seconds:.1f}",
            "level changes per s": f"{self.changes / seconds:.0f}",
            "spread, ticks: median, p90, p99": ", ".join(str(quantile(spreads, q)) for q in (0.5, 0.9, 0.99)),
            "share of spreads of one tick": f"{spreads.count(1) / len(spreads):.2f}",
            "mean spread, bp": f"{fmean(spreads) * bps:.3f}",
            "taker order, USDT: median": f"{median(values):,.0f}",
            "taker order: p90, p99 over median": ", ".join(
                f"{quantile(values, q) / median(values):.0f}" for q in (0.9, 0.99)
            ),
            "time between taker orders: variation": f"{pstdev(gaps) / fmean(gaps):.2f}",
            "sign of taker orders: autocorrelation at 1, 5, 20": lags(signs, (1, 5, 20)),
            "return of 1 s, bp: deviation": f"{pstdev(returns):.2f}",
            "return of 1 s: excess kurtosis": f"{kurtosis(returns):.1f}",
            "return of 1 s: autocorrelation at 1, 2, 5": lags(returns, (1, 2, 5)),
            "absolute return of 1 s: autocorrelation at 1, 5, 20": lags([abs(r) for r in returns], (1, 5, 20)),
            "value at best, within 1 bp, within 5 bp, thousand USDT": ", ".join(
                f"{fmean(column) / 1000:.0f}" for column in zip(*self.depths, strict=True)
            )
            or "no snapshot",
        }


def quantile(ordered: Sequence, share: float):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def lags(values: Sequence[float], at: Sequence[int]) -> str:
    """Autocorrelations as text."""
    mean = fmean(values)
    variance = sum((value - mean) ** 2 for value in values) or 1.0
    return ", ".join(
        f"{sum((a - mean) * (b - mean) for a, b in zip(values, values[lag:], strict=False)) / variance:.2f}"
        for lag in at
    )


def kurtosis(values: Sequence[float]) -> float:
    deviation = pstdev(values) or 1.0
    mean = fmean(values)
    return fmean(((value - mean) / deviation) ** 4 for value in values) - 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recordings", default=os.environ.get("BLOOR_RECORDINGS", ""))
    options = parser.parse_args()
    columns: dict[str, dict[str, str]] = {}
    for symbol in SIMULATED:
        frames = simulated(symbol, options.seed, options.seconds)
        columns[f"simulated {symbol}"] = Facts(frames, 0.01, options.seconds).rows()
    for name in RECORDED if options.recordings else ():
        [folder] = Path(options.recordings).glob(f"binance_spot/{name}*")
        longer = options.seconds * (1 if name.startswith("btc") else 100)
        columns[f"recorded {name}"] = Facts(recorded(folder), TICKS[name.partition("_")[0]], longer).rows()
    print("| |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    for fact in next(iter(columns.values())):
        print(f"| {fact} |", " | ".join(rows[fact] for rows in columns.values()), "|")
    print(f"\nPython {platform.python_version()}, seed {options.seed}")


if __name__ == "__main__":
    main()
