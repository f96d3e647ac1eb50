"""Several seeded markets in one order of time."""

from __future__ import annotations

from itertools import count

from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.account import Account, Fees
from bloor.simulation.exchange import Exchange
from bloor.simulation.intervals import Interval
from bloor.simulation.market import MarketStyle
from bloor.simulation.seeded import SeededSource, SeededView
from bloor.simulation.venue import SimulationOptions

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class View(SeededView):
    """Notes when something of a market was published."""

    def __init__(self, market, log):
        super().__init__(market, {"1m": Interval(60)})
        self.log = log

    def opened(self):
        self.market.book.touched.clear()

    def publish(self, ns):
        self.log.append((ns, self.market.instrument.symbol))

    def tick(self, ns, number):
        self.log.append((ns, f"tick {number}"))


class Nobody:
    """An exchange's listener."""

    def account_event(self, event):
        """Nothing."""

    def public_trade(self, market, trade):
        """Nothing."""


def build(log, seed=3):
    """Two markets and their exchange."""
    instruments = [
        Instrument(venue="x", symbol=f"{base}-USD", venue_symbol=base, base=base, quote="USD", price_decimals=2,
                   qty_decimals=8)
        for base in ("AAA", "BBB")
    ]  # fmt: skip
    ids = count(1)
    source = SeededSource(
        instruments, lambda _: MarketStyle(price=100.0), SimulationOptions(seed=seed), lambda: next(ids),
        lambda market: View(market, log), tick_ns=SECOND // 2,
        ticked=lambda ns, number: log.append((ns, f"all {number}")),
    )  # fmt: skip
    exchange = Exchange(source.markets, [Account(1, Fees())], Nobody())
    source.start(START)
    return source, exchange


def run(source, exchange, until):
    """Lets time pass."""
    while source.deadline_ns <= until:
        source.advance(exchange, source.deadline_ns)


def test_events_of_all_markets_come_in_order_of_time():
    """With ticks on their grid between them, each market's before that of all."""
    log = []
    source, exchange = build(log)
    run(source, exchange, START + 5 * SECOND)
    times = [ns for ns, _ in log]
    assert times == sorted(times) and {"AAA-USD", "BBB-USD"} <= {what for _, what in log}
    ticks = [(ns - START, what) for ns, what in log if " " in what]
    assert ticks == [
        (number * SECOND // 2, text)
        for number in range(1, 11)
        for text in (f"tick {number}", f"tick {number}", f"all {number}")
    ]
    view = source.published["AAA"]
    bid, ask = view.top()
    assert view.levels(Side.BUY, 1) == [bid] and bid[0] < ask[0] and view.clock(7) == 7


def test_a_market_that_stood_still_goes_on_from_then():
    """Nothing that was missed is made up for, and no time goes back."""
    log = []
    source, exchange = build(log)
    run(source, exchange, START + SECOND)
    heard = len(log)
    source.resume(START + 100 * SECOND)
    assert source.deadline_ns == START + 100 * SECOND
    run(source, exchange, START + 101 * SECOND)
    assert all(ns >= START + 100 * SECOND for ns, _ in log[heard:]) and 50 < len(log) - heard < 1_500


def test_a_seed_fixes_every_event():
    """The same for the same seed, another for another."""
    logs = [[], [], []]
    for log, seed in zip(logs, (3, 3, 4), strict=True):
        run(*build(log, seed), START + 3 * SECOND)
    assert logs[0] == logs[1] != logs[2]
