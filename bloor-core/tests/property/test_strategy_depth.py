"""A compiled handler sees the depth of a book as an ordinary one does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.errors import UsageError
from bloor.market.events import NO_PRICE
from bloor.market.ladder import WINDOW
from bloor.market.view import BookView
from bloor.model.orders import Side
from bloor.strategy.api import Strategy
from bloor.strategy.memory import Handler
from bloor.testing.bothforms import BothForms

INT64_MAX = (1 << 63) - 1
price = st.one_of(
    st.integers(99_950, 100_050),
    st.sampled_from([100_000 + sign * WINDOW * k // 4 for sign in (-1, 1) for k in range(1, 6)]),
    st.integers(1, 1_000_000),
    st.integers((1 << 61) - 9, 1 << 61),
)
quantity = st.one_of(st.just(0), st.integers(1, 9), st.integers(0, 10**6), st.integers(0, INT64_MAX))
levels = st.lists(st.tuples(price, quantity), max_size=30)


class Depth(Strategy):
    """Keeps what the book says."""

    size: int = 0
    total: int = 0
    value: int = 0
    filled: int = 0
    tick: int = 0
    units: int = 0
    imbalance: float = 0.0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Asks of a side that is known only then."""
        self.size = book.size_at(trade.side, trade.price)
        self.total = book.size_to(trade.side, trade.price)
        self.value, self.filled = book.average_price(trade.side, trade.qty)
        self.tick, self.units = book.level(side=trade.side, n=trade.seq)

    def on_book(self, book: Any, orders: Any) -> None:
        """Asks of sides by their names."""
        bids = book.size_to(Side.BUY, book.best_bid - 10)
        asks = book.size_to(Side.SELL, book.best_ask + 10)
        self.imbalance = (bids - asks) / max(1, bids + asks)
        for n in range(4):
            tick, units = book.level(Side.BUY, n)
            if tick != NO_PRICE:
                self.total += units


@given(
    levels, levels, st.one_of(price, st.integers(-(1 << 63), INT64_MAX)), quantity, st.integers(-2, 40),
    st.sampled_from([Side.BUY, Side.SELL]),
)  # fmt: skip
def test_depth_is_the_same(bids: Any, asks: Any, limit: int, units: int, n: int, side: Side) -> None:
    """Whatever the book and the question: the same sizes, values and levels, -1 where 63 bits do not do."""
    both = BothForms(Depth)
    both.levels.load(bids, [])
    both.levels.apply([], asks)
    both.trade.price, both.trade.qty, both.trade.seq, both.trade.side = limit, units, n, side
    assert both.call(Handler.TRADE, both.trade) is None
    rows = both.levels.depth(side)
    state, total = both.python, both.levels.size_to(side, limit)
    assert state.total == (total if total <= INT64_MAX else -1)
    assert (state.tick, state.units) == (rows[n] if 0 <= n < len(rows) else (NO_PRICE, 0))
    assert state.size == dict(rows).get(limit, 0)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1000)), max_size=30))
def test_sides_by_name(rows: list[tuple[int, int]]) -> None:
    """``Side.BUY`` and ``Side.SELL`` are sides in compiled code too."""
    both = BothForms(Depth)
    both.levels.load(rows, [(100 + tick, units) for tick, units in rows])
    assert both.call(Handler.BOOK) is None


def test_a_side_that_is_none_raises() -> None:
    """A trade whose side is not known has no side of the book."""
    both = BothForms(Depth)
    both.trade.side = 0
    assert isinstance(both.call(Handler.TRADE, both.trade), ValueError)


def test_a_view_without_a_ladder_has_no_depth() -> None:
    """It says so, and does not read what is not there."""
    with pytest.raises(UsageError, match="expected the view of an OrderBook"):
        BookView().size_at(Side.BUY, 1)


class Changer(Strategy):
    """Changes orders."""

    number: int = 0
    is_so: bool = False
    caught: int = 0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """One of each."""
        self.number = orders.replace(trade.seq, trade.price, trade.qty)
        self.is_so = orders.amend(trade.seq + 1, lots=trade.qty)

    def on_bbo(self, bbo: Any, book: Any, orders: Any) -> None:
        """Goes on after what is raised."""
        try:
            self.is_so = orders.amend(bbo.seq, 1)
        except Exception:  # noqa: BLE001
            self.caught += 1


@given(st.sampled_from([Handler.TRADE, Handler.BBO]), st.integers(0, 20), st.integers(0, 1 << 40))
def test_changes_of_orders(handler: Handler, number: int, lots: int) -> None:
    """Arguments and results of replace and amend; what they raise is raised in the handler."""
    both = BothForms(Changer)
    both.trade.seq, both.trade.price, both.trade.qty = number, 7, lots
    raised = both.call(handler, both.trade)
    assert isinstance(raised, ValueError) == (handler is Handler.TRADE and number in (12, 13))
