"""How often, how far and how long simulated venues disagree by more than it costs to trade on it, as a Markdown table.

    python docs/crossed_markets.py [--seconds 3600] [--seed 1] [--dislocations 1]

Venues of one seed move in virtual time; after every event their best prices are compared. A *gap* of two venues is what
buying at one and selling at the other brings in parts of the price, before fees; that of a triangle is what a way round
its three pairs brings. One that exceeds a threshold begins an *episode*, which ends when it no longer does.
"""

from __future__ import annotations

import argparse
import math
import platform
from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import median

from attrs import define, field

from bloor.simulation.exchange import Market
from bloor.simulation.opening import ACCOUNT
from bloor.simulation.venue import SimulationOptions
from bloor_binance.simulated import SimulatedBinance
from bloor_coinbase.simulated import SimulatedCoinbase
from bloor_kraken.simulated import SimulatedKraken

SECOND = 1_000_000_000
START_NS = 1_700_000_000_000_000_000
VENUES = {
    "binance": (SimulatedBinance, "USDT"),
    "coinbase": (SimulatedCoinbase, "USD"),
    "kraken": (SimulatedKraken, "USD"),
}
#: Thresholds in basis points, beside the fees.
THRESHOLDS = (0.0, 1.0, 5.0, 10.0)


@define
class Episodes:
    """The episodes of one gap above one threshold.

    Attributes:
        name: What is compared.
        threshold: In basis points.
        lengths: Of every episode that ended, ns.
        peaks: The largest gap of each, basis points.
    """

    name: str
    threshold: float
    lengths: list[int] = field(factory=list)
    peaks: list[float] = field(factory=list)
    _since: int = 0
    _peak: float = 0.0

    def see(self, now_ns: int, gap: float) -> None:
        """The gap from now on, in basis points."""
        if gap > self.threshold:
            self._since = self._since or now_ns
            self._peak = max(self._peak, gap)
        elif self._since:
            self.lengths.append(now_ns - self._since)
            self.peaks.append(self._peak)
            self._since, self._peak = 0, 0.0

    def row(self, seconds: int) -> list[str]:
        """What was found, as text."""
        found = [f"{len(self.lengths) * 3600 / seconds:.0f}", f"{sum(self.lengths) / SECOND / seconds:.2%}"]
        if not self.lengths:
            return [*found, "", "", ""]
        ordered = sorted(self.lengths)
        p90 = ordered[min(len(ordered) - 1, len(ordered) * 9 // 10)]
        return [*found, f"{median(ordered) / 1e6:.0f}", f"{p90 / 1e6:.0f}", f"{median(self.peaks):.1f}"]


class Watch:
    """Venues of one seed side by side, and their gaps."""

    def __init__(self, seed: int, dislocations: float = 1.0) -> None:
        self.venues = {}
        self.episodes: list[Episodes] = []
        self._books: dict[str, dict[str, Market]] = {}
        fees = {}
        for name, (build, dollar) in VENUES.items():
            symbols = [f"BTC-{dollar}", f"ETH-{dollar}", "ETH-BTC"]
            venue = build(SimulationOptions(seed=seed, symbols=symbols, dislocations=dislocations), lambda *_: None)
            venue.start(START_NS)
            self.venues[name] = venue
            self._books[name] = dict(zip(("btc", "eth", "cross"), venue.exchange.markets.values(), strict=True))
            fees[name] = venue.exchange.accounts[ACCOUNT].fees.taker_ppm / 100
        self._pairs = {
            pair: self._made(" and ".join(pair), sum(map(fees.get, pair))) for pair in combinations(VENUES, 2)
        }
        self._rounds = {name: self._made(f"triangle at {name}", 3 * fees[name]) for name in VENUES}

    def _made(self, name: str, fees: float) -> list[Episodes]:
        made = [Episodes(name, threshold) for threshold in (*THRESHOLDS, fees)]
        self.episodes += made
        return made

    def top(self, venue: str, book: str = "btc") -> tuple[float, float]:
        """Best bid and best ask of a book."""
        market = self._books[venue][book]
        tick = float(market.instrument.tick_size)
        bid, ask = market.book.bids.best, market.book.asks.best
        return bid.price * tick, ask.price * tick

    def step(self) -> int:
        """The next event of any venue; the time."""
        name = min(self.venues, key=lambda name: self.venues[name].deadline_ns)
        now = self.venues[name].deadline_ns
        self.venues[name].advance(now)
        tops = {venue: self.top(venue) for venue in VENUES}
        for pair, episodes in self._pairs.items():
            if name in pair:
                (bid, ask), (other_bid, other_ask) = (tops[venue] for venue in pair)
                _see(episodes, now, max(bid / other_ask, other_bid / ask))
        (bid, ask), (eth_bid, eth_ask), (cross_bid, cross_ask) = (
            tops[name],
            self.top(name, "eth"),
            self.top(name, "cross"),
        )
        _see(self._rounds[name], now, max(eth_bid / (ask * cross_ask), bid * cross_bid / eth_ask))
        return now

    def run(self, seconds: float) -> None:
        """Lets virtual time pass from the start on; what lasts to the end ends there."""
        now = START_NS
        while now < START_NS + seconds * SECOND:
            now = self.step()
        for one in self.episodes:
            one.see(now, -math.inf)


def _see(episodes: Iterable[Episodes], now_ns: int, ratio: float) -> None:
    for one in episodes:
        one.see(now_ns, (ratio - 1) * 1e4)


def table(episodes: Sequence[Episodes], seconds: int) -> list[str]:
    """Lines of Markdown."""
    heads = ["gap of", "above, bp", "an hour", "of the time", "length, ms: median", "p90", "largest, bp: median"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    last = ""
    for one in episodes:
        shown = one.name if one.name != last else ""
        costs = " (fees)" if one.threshold not in THRESHOLDS else ""
        lines.append(f"| {' | '.join([shown, f'{one.threshold:g}{costs}', *one.row(seconds)])} |")
        last = one.name
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dislocations", type=float, default=1.0)
    options = parser.parse_args()
    watch = Watch(options.seed, options.dislocations)
    watch.run(options.seconds)
    print("\n".join(table(watch.episodes, options.seconds)))
    print(f"\nPython {platform.python_version()}, seed {options.seed}")


if __name__ == "__main__":
    main()
