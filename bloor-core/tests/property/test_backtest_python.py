"""The same strategy compiled, as ordinary Python, and as Python on the compiled form's state: equal backtests."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.backtesting.build import Form, LaneSpec, Prepared, StrategySpec, prepare
from bloor.backtesting.course import Logs, run_course
from bloor.backtesting.models import Constant, Flat, RiskAverse
from bloor.backtesting.models.fee import FeeAsset
from bloor.backtesting.rows import StoredRows
from bloor.config.duration import Duration
from bloor.market.events import EventKind, EventView
from bloor.storage.cells import Records
from bloor.strategy.api import Strategy
from bloor.strategy.params import param
from bloor.testing.markets import MADE, made_market

MASK = (1 << 40) - 1


class Busy(Strategy):
    """Asks for everything that can be asked for, and adds up everything that it sees."""

    name = "busy"
    compiled = True
    bars = "500ms"
    timer = "200ms"

    lots: int = param(30, low=2, doc="of an order")

    digest: int = 0
    dice: int = 7
    number: int = 0
    calls: int = 0

    def note(self, value: int) -> None:
        """Adds a number up."""
        self.digest = (self.digest * 31 + value) & MASK

    def roll(self, sides: int) -> int:
        """A number from 0 to below ``sides``."""
        self.dice = (self.dice * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self.dice >> 8) % sides

    def act(self, book: Any, orders: Any) -> None:
        """Looks at everything, and asks for something."""
        self.calls += 1
        self.note(orders.position + 3 * orders.open_buy + 5 * orders.open_sell + 7 * orders.open_orders)
        self.note(orders.now_ns + orders.sellable_lots + orders.lots_for(12.5, book.best_ask))
        self.note(book.state + 2 * book.best_bid + 3 * book.bid_qty + 5 * book.best_ask + 7 * book.ask_qty)
        if not book.two_sided:
            return
        what = self.roll(24)
        if what < 4:
            self.number = orders.buy(book.best_bid - self.roll(3), self.lots, post_only=what == 0)
        elif what < 8:
            self.number = orders.sell(book.best_ask + self.roll(3), self.lots, post_only=what == 4)
        elif what == 8:
            self.number = orders.buy(book.best_ask + 2, self.lots, ioc=True)
        elif what == 9:
            self.number = orders.sell(book.best_bid - 2, self.lots, ioc=True)
        elif what == 10:
            self.note(orders.replace(self.number, book.best_bid - 1, self.lots + 1))
        elif what == 11:
            self.note(1 if orders.amend(self.number, self.lots - 1) else 0)
        elif what == 12:
            self.note(1 if orders.cancel(self.number) else 0)
        elif what == 13:
            self.note(orders.cancel_all())
        elif what == 14:
            value, units = book.average_price(-1, 700)
            price, size = book.level(1, 3)
            self.note(value + units + price + size + book.size_at(-1, price + 9) + book.size_to(1, price))
        if orders.open_orders > 12:
            orders.cancel_all()

    def on_start(self, orders: Any) -> None:
        """Notes what the instrument is like."""
        self.note(orders.min_lots + orders.lot_units + orders.leg + orders.legs + orders.base + orders.quote)

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Notes the trade."""
        self.note(trade.price * trade.side + trade.qty + trade.recv_ns + trade.exch_ns + trade.seq)
        self.act(book, orders)

    def on_bbo(self, bbo: Any, book: Any, orders: Any) -> None:
        """Notes the quote."""
        self.note(bbo.price + bbo.qty + bbo.price2 + bbo.qty2)
        self.act(book, orders)

    def on_book(self, book: Any, orders: Any) -> None:
        """Notes which message it was."""
        self.note(book.seq + book.exch_ns + book.recv_ns)
        self.act(book, orders)

    def on_bar(self, bar: Any, book: Any, orders: Any) -> None:
        """Notes the bar."""
        self.note(bar.open + bar.high + bar.low + bar.close + bar.volume + bar.trades + bar.end_ns)
        self.act(book, orders)

    def on_timer(self, orders: Any) -> None:
        """Acts."""
        self.act(orders.book, orders)

    def on_fill(self, fill: Any, book: Any, orders: Any) -> None:
        """Notes the fill."""
        self.note(fill.side * fill.price_ticks + fill.units + fill.liquidity + fill.exch_ns + fill.recv_ns)
        self.act(book, orders)

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        """Notes the order."""
        self.note(order.number + order.side * order.price + order.lots + order.filled + order.status)
        self.note(1 if order.closed else 0)

    def on_stop(self, orders: Any) -> None:
        """Notes what is held."""
        self.note(orders.position)


class Crowd(Busy):
    """The same over all instruments together, each looking at the others."""

    name = "crowd"
    together = True

    def on_book(self, book: Any, orders: Any) -> None:
        """Acts in a leg that the dice choose."""
        leg = orders.of(self.roll(orders.legs))
        self.note(leg.leg + leg.now_ns + leg.position + leg.book.best_bid + leg.venue + leg.open_orders)
        self.act(leg.book, leg)


@lru_cache(maxsize=8)
def rows_of(seed: int, messages: int) -> Records:
    """A made market with quotes, and with a gap now and then."""
    _, rows = made_market(seed=seed, messages=messages)
    random = Random(seed)
    made = []
    for number, row in enumerate(rows):
        made.append(row)
        ends = number + 1 == len(rows) or rows[number + 1]["kind"] != EventKind.LEVEL
        if not ends or random.random() > 0.2:
            continue
        other = row.copy()
        gap = random.random() < 0.03
        other["kind"], other["flags"], other["side"] = EventKind.GAP if gap else EventKind.BBO, 0, 0
        other["price2"], other["qty2"] = other["price"] + 2, other["qty"] + 5
        made.append(other)
    return np.array(made, EventView.DTYPE)


def lanes_of(seed: int, count: int, latency_us: int, window: int) -> list[LaneSpec]:
    """Instruments with markets of their own, two at one venue."""
    names = (("made", "AAA-BBB"), ("made", "CCC-BBB"), ("other", "AAA-CCC"))
    return [
        LaneSpec(
            instrument=evolve(
                MADE, venue=venue, symbol=symbol, venue_symbol=symbol, base=symbol[:3], quote=symbol[-3:], lot_units=5
            ),
            rows=StoredRows([rows_of(seed + n, 300)], window=window),
            latency=Constant(entry=Duration(latency_us * 1_000), response=Duration(latency_us * 700)),
            queue=RiskAverse(),
            fees=Flat(maker=Decimal("0.001"), taker=Decimal("0.002"), asset=FeeAsset.RECEIVED),
            oversell=n % 2 == 0,
            inventory=10_000,
        )
        for n, (venue, symbol) in enumerate(names[:count])
    ]


def run_as(form: Form, cls: type[Strategy], *arguments: int) -> tuple[Logs, Prepared]:
    """Runs a strategy in one form."""
    prepared = prepare(lanes_of(*arguments), [StrategySpec(name=cls.name, cls=cls, form=form)])
    return run_course(prepared.memory, keep_decisions=True), prepared


@pytest.mark.parametrize("cls", [Busy, Crowd])
@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    count=st.integers(1, 3),
    latency_us=st.sampled_from([1, 500, 20_000, 200_000]),
    window=st.sampled_from([200, 1 << 17]),
)
def test_every_form_of_a_strategy_decides_the_same(
    cls: type[Strategy], seed: int, count: int, latency_us: int, window: int
) -> None:
    """Decisions, fills, and all that the strategy has seen are equal, bit for bit."""
    compiled, first = run_as(Form.DECLARED, cls, seed, count, latency_us, window)
    seen = [(s.digest, s.dice, s.calls) for s in first.strategies]  # type: ignore[attr-defined]
    assert compiled.decided > 20
    for form in (Form.PYTHON, Form.TRACED):
        logs, prepared = run_as(form, cls, seed, count, latency_us, window)
        assert [python and python.reason for python in prepared.python] == [""] * count
        assert np.array_equal(logs.decisions, compiled.decisions)
        assert np.array_equal(logs.fills, compiled.fills)
        assert (logs.hash, logs.events) == (compiled.hash, compiled.events)
        assert [(s.digest, s.dice, s.calls) for s in prepared.strategies] == seen  # type: ignore[attr-defined]
