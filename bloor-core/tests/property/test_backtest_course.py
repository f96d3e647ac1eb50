"""Backtests by kernels against the same in plain Python, on random markets, with a strategy that does anything."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, StrategySpec, prepare
from bloor.backtesting.course import Logs, run_course
from bloor.backtesting.models.latencies import Constant
from bloor.backtesting.models.queues import RiskAverse
from bloor.backtesting.room import Room
from bloor.backtesting.rows import StoredRows
from bloor.config import Duration
from bloor.engine.decisions import DecisionKind
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.model.instrument import Instrument
from bloor.strategy.api import Strategy
from bloor.strategy.params import param

_found = importlib.util.spec_from_file_location("plain_market", Path(__file__).parents[1] / "plain_market.py")
assert _found is not None
assert _found.loader is not None
_module = importlib.util.module_from_spec(_found)
_found.loader.exec_module(_module)
PlainMarket = _module.PlainMarket

START = 1_700_000_000_000_000_000
INSTRUMENT = Instrument(
    venue="twin", symbol="AAA-BBB", venue_symbol="AAABBB", base="AAA", quote="BBB", price_decimals=2, qty_decimals=0
)
NAMES = {
    DecisionKind.PLACE: "place", DecisionKind.CANCEL: "cancel", DecisionKind.REPLACE: "replace",
    DecisionKind.AMEND: "amend",
}  # fmt: skip


class Anything(Strategy):
    """Does anything at all, as a generator of numbers says; deterministic."""

    name = "anything"
    compiled = True
    timer = "3ms"
    bars = "7ms"

    seed: int = param(1, low=0, high=1 << 40, doc="where the numbers begin")
    haste: int = param(3, low=1, high=100, doc="one of so many events does something")

    state: int = 0
    last: int = 0
    asked: int = 0

    def draw(self, below: int) -> int:
        """A number from 0 to below ``below``."""
        self.state = (self.state * 1_103_515_245 + 12_345 + self.seed) % 2_147_483_648
        return (self.state // 65_536) % below

    def act(self, best_bid: int, best_ask: int, orders: Any) -> None:
        """Asks for something, or not."""
        if self.draw(self.haste) != 0 or best_bid < 0 or best_ask < 0 or self.asked > 150:
            return
        self.asked += 1
        what = self.draw(12)
        price = best_bid - 3 + self.draw(best_ask - best_bid + 7)
        lots = 1 + self.draw(9)
        if what < 3:
            self.last = orders.buy(price, lots, post_only=what == 0, ioc=what == 1)
        elif what < 6:
            self.last = orders.sell(price, lots, post_only=what == 3, ioc=what == 4)
        elif what == 6:
            orders.cancel(self.last)
        elif what == 7:
            orders.cancel_all()
        elif what == 8:
            number = orders.replace(self.last, price, lots)
            if number != 0:
                self.last = number
        elif what == 9:
            orders.amend(self.last, lots)
        elif what == 10:
            self.last = orders.buy(best_bid, lots)
        else:
            self.last = orders.sell(best_ask, lots)

    def on_start(self, orders: Any) -> None:
        """Begins."""
        self.state = self.seed % 1_000

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Does something."""
        self.act(book.best_bid, book.best_ask, orders)

    def on_book(self, book: Any, orders: Any) -> None:
        """Does something."""
        self.act(book.best_bid, book.best_ask, orders)

    def on_timer(self, orders: Any) -> None:
        """Cancels, now and then."""
        if self.draw(4) == 0:
            orders.cancel(self.last)

    def on_bar(self, bar: Any, book: Any, orders: Any) -> None:
        """Lets the numbers depend on the bar."""
        self.state = (self.state + bar.close + bar.volume) % 2_147_483_648

    def on_fill(self, fill: Any, book: Any, orders: Any) -> None:
        """Lets the numbers depend on the fill, and does something."""
        self.state = (self.state + fill.units * fill.side + fill.price_ticks) % 2_147_483_648
        self.act(book.best_bid, book.best_ask, orders)

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        """Lets the numbers depend on the order."""
        told = order.number * 7 + order.status + order.filled + order.lots * 3 + orders.open_orders
        self.state = (self.state + told) % 2_147_483_648


class Idle(Anything):
    """The same, which is told neither of fills nor of orders: the venue may be simulated far ahead."""

    name = "idle"
    timer = ""
    bars = ""
    on_fill = Strategy.on_fill
    on_order = Strategy.on_order
    on_bar = Strategy.on_bar
    on_timer = Strategy.on_timer


def market(seed: int, messages: int) -> np.ndarray[Any, Any]:
    """Records of a random market: a snapshot, then book messages and trades around a price that walks."""
    chance = random.Random(seed)
    rows: list[tuple[int, ...]] = []
    books: dict[int, dict[int, int]] = {1: {}, -1: {}}
    recv, exch, middle = START, START - 5_000_000, 1_000

    def message(changes: list[tuple[int, int, int]], flags: int) -> None:
        for side, price, qty in changes:
            if qty:
                books[side][price] = qty
            else:
                books[side].pop(price, None)
        bid, ask = max(books[1], default=NO_PRICE), min(books[-1], default=NO_PRICE)
        top = (bid, books[1].get(bid, 0), ask, books[-1].get(ask, 0))
        rows.append((EventKind.BOOK, 0, flags | (0 if changes else Flag.LAST), 0, len(rows), exch, recv, *top))
        for i, (side, price, qty) in enumerate(changes):
            last = flags | (Flag.LAST if i == len(changes) - 1 else 0)
            rows.append((EventKind.LEVEL, side, last, 0, len(rows), exch, recv, price, qty, 0, 0))

    first = [(1, middle - 1 - i, 1 + chance.randrange(20)) for i in range(8)]
    message(first + [(-1, middle + 1 + i, 1 + chance.randrange(20)) for i in range(8)], int(Flag.SNAPSHOT))
    for _ in range(messages):
        recv += chance.randrange(0, 900_000)
        exch = max(exch, recv - chance.randrange(1_000_000, 6_000_000))
        middle += chance.choice((-1, 0, 0, 0, 1))
        if chance.random() < 0.4:
            side = chance.choice((-1, 1))
            price = middle + side * chance.randrange(0, 3)
            when = recv - chance.randrange(1_000_000, 6_000_000)
            rows.append(
                (EventKind.TRADE, side, 0, 0, len(rows), when, recv, price, 1 + chance.randrange(12), 0, 0)
            )  # fmt: skip
        else:
            changes = {}
            for side in (1, -1):
                for price in [p for p in books[side] if (p - middle) * side >= 0]:
                    changes[side, price] = 0
            for _ in range(chance.randrange(0, 4)):
                side = chance.choice((1, -1))
                changes[side, middle - side * (1 + chance.randrange(8))] = chance.choice((0, 0, 3, 8, 20))
            message([(side, price, qty) for (side, price), qty in changes.items()], 0)
    return np.array(rows, EventView.DTYPE)


def by_kernels(cls: type[Strategy], config: Any, **spec: Any) -> tuple[Logs, Any]:
    """The backtest as it is run."""
    lane = LaneSpec(instrument=INSTRUMENT, queue=RiskAverse(), **spec)
    prepared = prepare([lane], [StrategySpec(name="it", cls=cls, config=config)])
    return run_course(prepared.memory, keep_decisions=True), prepared


def decisions_of(logs: Logs) -> list[tuple[Any, ...]]:
    """Decisions as the plain market has them."""
    return [
        (NAMES[DecisionKind(int(d[0]) & 255)], 1 if int(d[0]) >> 8 & 255 == 1 else -1, *(int(x) for x in d[2:6]))
        for d in logs.decisions
    ]


def fills_of(logs: Logs) -> list[tuple[int, ...]]:
    """Fills as the plain market has them."""
    columns = (
        at.FILL_EXCH, at.FILL_RECV, at.FILL_SIDE, at.FILL_PRICE, at.FILL_UNITS, at.FILL_MAKER, at.FILL_ORDER,
    )  # fmt: skip
    return [tuple(int(row[c // 8]) for c in columns) for row in logs.fills]


class Config:
    """Parameters of the strategy."""

    def __init__(self, seed: int, haste: int) -> None:
        self.seed, self.haste = seed, haste


SELF_TRADES = {
    "none": at.STP_NONE, "taker": at.STP_TAKER, "maker": at.STP_MAKER, "both": at.STP_BOTH,
    "decrement": at.STP_DECREMENT,
}  # fmt: skip


@pytest.mark.parametrize("cls", [Anything, Idle])
@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    haste=st.sampled_from([1, 2, 5]),
    entry=st.sampled_from([1, 400_000, 2_000_000]),
    response=st.sampled_from([1, 300_000, 3_000_000]),
    partial=st.booleans(),
    self_trade=st.sampled_from(sorted(SELF_TRADES)),
    window=st.sampled_from([40, 1 << 17]),
    room=st.sampled_from([Room(), Room(orders=1, messages=1, takes=1)]),
)
def test_kernels_do_what_the_rules_say(
    cls: type[Strategy],
    seed: int,
    haste: int,
    entry: int,
    response: int,
    partial: bool,
    self_trade: str,
    window: int,
    room: Room,
) -> None:
    """Every decision, every fill, every time, and what is held and open at the end are the same."""
    rows = market(seed, 160)
    config: Any = Config(seed, haste)
    timers = {"timer_ns": 3_000_000, "bars_ns": 7_000_000} if cls is Anything else {}
    latency = Constant(entry=Duration(entry), response=Duration(response))
    plain = PlainMarket(
        rows, cls(config), entry=entry, response=response, partial=partial, self_trade=self_trade, inventory=60,
        **timers,
    )  # fmt: skip
    plain.run()
    logs, prepared = by_kernels(
        cls, config, rows=StoredRows([rows], window), latency=latency, partial=partial,
        self_trade=SELF_TRADES[self_trade], inventory=60, room=room,
    )  # fmt: skip
    assert decisions_of(logs) == plain.decisions
    assert fills_of(logs) == plain.fills
    exposure = prepared.memory.desks[0].exposure
    desk = plain.desk
    assert (exposure.position, exposure.open_buy, exposure.open_sell, exposure.open_orders) == (
        desk.position, desk.open_buy, desk.open_sell, desk.open_orders,
    )  # fmt: skip
