"""A compiled handler reaches the other legs of its strategy as the same source does in Python."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.view import BookState
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.memory import Handler
from bloor.testing.bothforms import INSTRUMENT, BothForms

OTHERS = (
    evolve(INSTRUMENT, venue="w", price_decimals=4, tick_units=25),
    evolve(INSTRUMENT, venue="w", symbol="C-A", venue_symbol="CA", base="C", quote="A", qty_decimals=3, min_lots=7),
)


def wide(orders: Any) -> bool:
    """A function that is given a desk."""
    gap: int = orders.book.spread
    return gap > 3


class Legs(Strategy):
    """Uses what a handler may use of several legs."""

    compiled = True
    together = True
    timer = "1s"

    number: int = 0
    seen: int = 0
    sizes: float = 0.0
    best: int = 0

    def cheapest(self, orders: Any) -> Any:
        """A method that gives a desk."""
        found = orders.of(0)
        for leg in range(1, orders.legs):
            other = orders.of(leg)
            if other.book.state == BookState.SYNCED and other.book.best_ask < found.book.best_ask:
                found = other
        return found

    def on_start(self, orders: Orders) -> None:
        """Counts which leg."""
        self.seen += 1 << orders.leg

    def on_book(self, book: Any, orders: Orders) -> None:
        """Trades where it is cheapest, and elsewhere."""
        desk = self.cheapest(orders)
        self.best = desk.leg * 10 + desk.legs
        same = orders.of(orders.leg)
        self.seen = same.book.best_bid - book.best_bid + desk.now_ns - orders.now_ns
        if wide(desk):
            self.number = desk.buy(desk.book.best_ask, desk.min_lots, ioc=True)
        else:
            orders.of((orders.leg + 1) % orders.legs).sell(book.best_bid, same.lots_for(100.0, 7), post_only=True)
        side_book = desk.book if self.number % 2 == 0 else book
        self.sizes = side_book.size_at(1, side_book.best_bid) * desk.unit + desk.tick - orders.lot

    def on_timer(self, orders: Orders) -> None:
        """Compares what tells the legs apart."""
        self.seen = 0
        for leg in range(orders.legs):
            one = orders.of(leg)
            for other_leg in range(one.legs):
                other = one.of(other_leg)
                self.seen = 2 * self.seen + (one.venue == other.venue) + (one.quote == other.base)
                self.seen += (one.base != other.base) + other.position + other.open_orders

    def on_order(self, order: Any, book: Any, orders: Orders) -> None:
        """Changes an order where it was asked for, or elsewhere; a leg that there is not raises."""
        there = orders.of(order.side)
        if there.cancel(order.number) or there.amend(order.number, order.lots):
            self.number = there.replace(order.number, order.price, order.lots)
        self.best = orders.of(2).cancel_all() + orders.of(1).sellable_lots


step = st.tuples(
    st.sampled_from([Handler.START, Handler.BOOK, Handler.BOOK, Handler.TIMER, Handler.ORDER]),
    st.integers(0, 2),
    st.tuples(st.integers(1, 1 << 30), st.integers(0, 8), st.integers(0, 12)),
    st.integers(-2, 4),
)


@given(st.lists(step, max_size=20))
def test_any_sequence_of_events_of_any_leg(steps: list[tuple[Handler, int, tuple[int, int, int], int]]) -> None:
    """The same orders on the same legs, the same state and the same exceptions, whatever comes."""
    both = BothForms(Legs, instrument=INSTRUMENT, others=OTHERS)
    for handler, leg, (price, wide_by, number), other in steps:
        at = both.legs[leg]
        both.desk.now_ns += price
        at.levels.load([(price, number + 1)], [(price + wide_by, 3)], seq=1, exch_ns=1, recv_ns=1)
        at.book.state = number % 3
        at.exposure.position, at.exposure.open_orders = 1000 * wide_by, number
        both.order.number, both.order.side, both.order.lots, both.order.price = number, other, wide_by, price
        raised = both.call(handler, both.order if handler is Handler.ORDER else None, leg)
        if raised is not None and handler is Handler.ORDER and not 0 <= other <= 2:
            assert isinstance(raised, IndexError)


def test_another_leg_is_told_the_time_of_the_event() -> None:
    """Only the desk whose handler runs is brought to the time; the others are when they are reached."""
    both = BothForms(Legs, instrument=INSTRUMENT, others=OTHERS)
    state, first, second = both.compiled, both.legs[0], both.legs[1]
    first.desk.now_ns, second.desk.now_ns = 5, 3
    first.levels.load([(10, 1)], [(12, 1)], seq=1, exch_ns=1, recv_ns=1)
    second.levels.load([(10, 1)], [(11, 1)], seq=1, exch_ns=1, recv_ns=1)
    second.book.state = BookState.SYNCED
    assert both._handlers.call(Handler.BOOK, state.address, 0, first.book.address, first.desk.address) == 0
    assert second.desk.now_ns == 5
    assert state.best == 13
