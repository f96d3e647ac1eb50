"""Queue model ``fifo`` beside the matching book of the simulated venues: an order waits as long in both.

A seeded market trades in a matching book; what its orders do is written down as order-level data. Then the same orders
come to another book in which one of ours rests among them, and it has to trade when the backtest over the data says.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
import pytest

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, lane_of
from bloor.backtesting.kept import KeptWindows
from bloor.backtesting.models import Constant, Fifo
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.script import Asked, put_to_venue
from bloor.config.duration import Duration
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.plugins import PluginHost
from bloor.simulation.market import MarketStyle, SeededMarket
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, Execution, OrderState, Outcome
from bloor.simulation.venue import SimulationOptions
from bloor.storage.formats import hftbacktest as hft
from bloor.testing.ordermarkets import BEGIN_NS, stored_orders

TRADED = Instrument(
    venue="made", symbol="AAA-BBB", venue_symbol="AAABBB", base="AAA", quote="BBB", price_decimals=2, qty_decimals=2
)
OURS = 1
WAY_NS = 1_000_000


class Act(NamedTuple):
    """What a participant did: an order that came, or with 0 units one that was cancelled."""

    ns: int
    id: int
    side: Side
    price: int
    units: int


class Written(MatchingBook):
    """A book that writes down what its orders do; what is left of a taker rests, so that the data say all of it."""

    __slots__ = ("acts", "ns", "rows", "tops")

    def __init__(self) -> None:
        super().__init__()
        self.ns = BEGIN_NS
        self.acts: list[Act] = []
        self.tops: list[tuple[int, int]] = []
        self.rows: list[tuple[int, int, int, float, float, int, int, float]] = []

    def submit(self, order: BookOrder) -> list[Outcome]:
        """Takes an order."""
        order.tif = TimeInForce.GTC
        outcomes = super().submit(order)
        if order.state is OrderState.REJECTED:
            return outcomes
        self._note(Act(self.ns, order.id, order.side, order.price, order.units))
        made = [outcome for outcome in outcomes if isinstance(outcome, Execution)]
        for each in made:
            self._row(hft.TRADE, each.aggressor, each.price, each.units, 0)
            self._row(hft.FILL, each.maker.side, each.price, each.units, each.maker.id)
        for each in made:
            kind = hft.MODIFY if each.maker.remaining else hft.CANCEL
            self._row(kind, each.maker.side, each.price, each.maker.remaining, each.maker.id)
        if order.state is OrderState.OPEN:
            self._row(hft.ADD, order.side, order.price, order.remaining, order.id)
        return outcomes

    def cancel(self, order: BookOrder) -> bool:
        """Cancels an order."""
        done = super().cancel(order)
        if done:
            self._note(Act(self.ns, order.id, order.side, order.price, 0))
            self._row(hft.CANCEL, order.side, order.price, order.remaining, order.id)
        return done

    def _note(self, act: Act) -> None:
        self.acts.append(act)
        bid, ask = self.bids.best, self.asks.best
        self.tops.append((bid.price if bid else 0, ask.price if ask else 0))

    def _row(self, kind: int, side: Side, price: int, units: int, order: int) -> None:
        ev = kind | hft.EXCHANGE | hft.LOCAL | (hft.BUY if side is Side.BUY else hft.SELL)
        self.rows.append((ev, self.ns, self.ns + WAY_NS, price / 100, units / 100, order, 0, 0.0))


def written(seed: int, steps: int) -> Written:
    """A seeded market's book after so many steps."""
    book, numbers = Written(), count(1)
    style = MarketStyle(price=100.0, order_value=400.0, taker_value=600.0, depth_bps=3.0, orders=120)
    market = SeededMarket(TRADED, book, style, SimulationOptions(seed=seed), lambda: next(numbers))
    market.start(BEGIN_NS)
    for _ in range(steps):
        book.ns = market.next_ns
        market.step()
    return book


def traded_at(acts: Sequence[Act], ours: BookOrder, ns: int) -> int:
    """When an order of ours trades in a book to which the others come as they did; 0 when it does not."""
    book, there = MatchingBook(), dict[int, BookOrder]()
    for act in acts:
        if act.ns > ns and ours.state is OrderState.NEW:
            book.submit(ours)
        if not act.units:
            book.cancel(there[act.id])
            continue
        there[act.id] = BookOrder(id=act.id, side=act.side, price=act.price, units=act.units)
        outcomes = book.submit(there[act.id])
        if any(isinstance(outcome, Execution) and outcome.maker is ours for outcome in outcomes):
            return act.ns
        if ours.state is OrderState.REJECTED:
            return 0
    return 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_order_waits_as_long_as_in_the_matching_book(seed: int) -> None:
    """Each of many small orders at the best prices trades at the same nanosecond in both, or in neither."""
    book = written(seed, 1_500)
    instrument, stored = stored_orders(np.array(book.rows, hft.DTYPE), PluginHost().normalizer("binance"))
    price_unit, unit = 10 ** (2 - instrument.price_decimals), 10 ** (2 - instrument.qty_decimals)
    kept = KeptWindows.of(StoredRows([stored]), 0, by_order=True)
    filled = 0
    for number, place in enumerate(range(300, len(book.acts) - 200, 37), 1):
        side = (Side.BUY, Side.SELL)[number % 2]
        ns, behind = book.acts[place].ns, number % 5 * price_unit
        price = book.tops[place][number % 2] - int(side) * behind
        ours = BookOrder(id=10**9, owner=OURS, side=side, price=price, units=unit, type=OrderType.POST_ONLY)
        spec = LaneSpec(
            instrument=instrument, rows=StoredRows([stored]), queue=Fifo(), oversell=True, kept=kept,
            latency=Constant(entry=Duration(1), response=Duration(1)),
        )  # fmt: skip
        asked = Asked(
            kind=at.PLACE, ns=ns - 1, number=number, side=int(side), price=price // price_unit, units=1,
            type=int(OrderType.POST_ONLY), tif=int(TimeInForce.GTC),
        )  # fmt: skip
        told = [each.exch_ns for each in put_to_venue(lane_of(spec), [asked]) if each.kind == at.FILLED]
        expected = traded_at(book.acts, ours, ns)
        assert told == ([expected] if expected else []), f"order {number}, {side.name} {price}"
        filled += bool(expected)
    assert filled > 15
