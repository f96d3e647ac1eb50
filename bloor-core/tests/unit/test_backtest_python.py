"""Strategies that are ordinary Python in a backtest: what they are given, and what happens when they raise."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bloor.backtesting.build import Form, LaneSpec, Prepared, StrategySpec, prepare
from bloor.backtesting.course import Logs, run_course
from bloor.backtesting.halting import halted
from bloor.backtesting.models import Constant, FeeAsset, Flat, RiskAverse
from bloor.backtesting.rows import StoredRows
from bloor.config.duration import Duration
from bloor.execution.life import Status
from bloor.market.book import OrderBook
from bloor.market.events import EventKind
from bloor.market.kernels import compiled_kernels
from bloor.model.orders import Fill, Liquidity, Side
from bloor.strategy.api import Strategy
from bloor.strategy.compiled.looking import looks_at_levels
from bloor.testing.markets import MADE, made_market

ROWS = made_market(seed=5, messages=400)[1]


def lane(**changes: Any) -> LaneSpec:
    """The made market, with latencies of a millisecond."""
    facts: dict[str, Any] = {
        "instrument": MADE, "rows": StoredRows([ROWS]), "queue": RiskAverse(), "oversell": True,
        "latency": Constant(entry=Duration(1_000_000), response=Duration(1_000_000)),
    }  # fmt: skip
    return LaneSpec(**{**facts, **changes})


def run(*classes: type[Strategy], form: Form = Form.DECLARED, **changes: Any) -> tuple[Logs, Prepared]:
    """Runs strategies on it."""
    prepared = prepare([lane(**changes)], [StrategySpec(name=c.name, cls=c, form=form) for c in classes])
    return run_course(prepared.memory), prepared


def reasons(*classes: type[Strategy]) -> tuple[str, ...]:
    """Why each was halted."""
    specs = [StrategySpec(name=c.name, cls=c) for c in classes]
    again: Callable[[Any], Prepared] = lambda forms: prepare([lane()], forms)  # noqa: E731
    prepared = again(specs)
    run_course(prepared.memory)
    return halted(prepared, specs, again)


class Hearing(Strategy):
    """Buys once what is there, and keeps everything that it is told."""

    name = "hearing"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.fills: list[Fill] = []
        self.changes: list[Any] = []
        self.asked = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Buys."""
        if not self.asked:
            self.asked = orders.buy(book.best_ask, 1, ioc=True)

    def on_fill(self, fill: Fill, book: Any, orders: Any) -> None:
        """Keeps the fill, and what is held after it."""
        self.fills.append(fill)
        assert orders.position == fill.units

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        """Keeps the change."""
        self.changes.append(order)


class Lists(Strategy):
    """Raises after some trades."""

    name = "lists"

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Rests an order, and looks for one more price than there are."""
        self.prices = [*getattr(self, "prices", []), trade.price]
        if len(self.prices) == 1:
            orders.buy(book.best_bid - 5, 1)
        if len(self.prices) == 20:
            self.prices[20]


class Dividing(Strategy):
    """Raises in compiled code."""

    name = "dividing"
    compiled = True

    trades: int = 0
    share: int = 0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Divides by how many are left until the thirtieth."""
        self.trades += 1
        self.share = 1000 // (30 - self.trades)


class Growing(Strategy):
    """Raises in compiled code alone."""

    name = "growing"
    compiled = True

    number: int = 3

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Passes 63 bits."""
        self.number = self.number * self.number % 1_000_000_007 + int(float(trade.qty) * 1.0e300) % 7


class Watching(Strategy):
    """Counts."""

    name = "watching"

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Counts."""
        self.trades = getattr(self, "trades", 0) + 1


class Interrupted(Strategy):
    """Gets a Ctrl-C."""

    name = "interrupted"

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Is told to end with the tenth trade."""
        self.trades = getattr(self, "trades", 0) + 1
        if self.trades == 10:
            os.kill(os.getpid(), signal.SIGINT)


class Deep(Strategy):
    """Looks at levels from some trade on."""

    name = "deep"
    first = 60

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.trades = 0
        self.seen: list[Any] = []

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Keeps three levels."""
        self.trades += 1
        if self.trades >= self.first:
            self.seen.append([book.level(side, n) for side in (1, -1) for n in range(3)])


class Earlier(Deep):
    """Looks at levels from the first trade on."""

    name = "earlier"
    first = 1


def helper(book: Any) -> int:
    """Looks at a level."""
    return int(book.size_at(1, 5))


class Through(Strategy):
    """Looks at levels through a function of its module."""

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Looks."""
        helper(book)


def test_fills_and_orders_are_told_as_in_a_run() -> None:
    """A handler is given a Fill with its fee, and what an order has become."""
    fees = Flat(maker=Decimal(0), taker=Decimal("0.01"), asset=FeeAsset.RECEIVED)
    _, prepared = run(Hearing, fees=fees)
    strategy: Any = prepared.strategies[0]
    [fill] = strategy.fills
    assert (fill.instrument, fill.side, fill.liquidity) == (MADE, Side.BUY, Liquidity.TAKER)
    assert (fill.fee, fill.fee_asset) == (Decimal("0.01") * Decimal(fill.units).scaleb(-2), "AAA")
    assert fill.fee_quote == fill.fee * Decimal(fill.price_ticks).scaleb(-2)
    assert fill.exch_ns + 1_000_000 == fill.recv_ns
    assert (fill.client_id[-1], fill.trade_id) == ("1", "0-1")
    assert [change.status for change in strategy.changes] == [Status.NEW, Status.FILLED]
    assert [change.closed for change in strategy.changes] == [False, True]
    assert {change.number for change in strategy.changes} == {strategy.asked}


def test_a_strategy_that_raises_is_halted_and_the_others_go_on() -> None:
    """Its orders are cancelled; the reason says what was raised, in which handler, file and line."""
    logs, prepared = run(Lists, Watching)
    [said, other] = (python.reason if python else "" for python in prepared.python)
    assert said.startswith("IndexError in on_trade: list index out of range (")
    assert "test_backtest_python.py, line " in said
    assert other == ""
    assert prepared.strategies[1].trades > 100  # type: ignore[attr-defined]
    exposure = prepared.memory.desks[0].exposure
    assert (logs.decided, exposure.open_orders, exposure.open_buy) == (2, 0, 0)
    assert reasons(Lists, Watching)[0].startswith(said[:-1].rpartition(" (")[0])


def test_why_a_compiled_strategy_raised_is_found_in_python() -> None:
    """The backtest is run again up to there: the reason says what, where and when."""
    [said, other] = reasons(Dividing, Watching)
    assert said.startswith("ZeroDivisionError in on_trade: ")
    assert "test_backtest_python.py, line " in said
    assert " at 2023-11-14T22:13:" in said
    assert other == ""


def test_what_only_compiled_code_raises_is_said_so() -> None:
    """Python's integers have no end; the reason says that it did not raise."""
    [said] = reasons(Growing)
    assert said.startswith("on_trade raised in compiled code and not in Python")


def test_an_interrupt_ends_the_backtest_at_once() -> None:
    """Ctrl-C is no error of the strategy."""
    prepared = prepare([lane()], [StrategySpec(name="it", cls=Interrupted), StrategySpec(name="me", cls=Watching)])
    with pytest.raises(KeyboardInterrupt):
        run_course(prepared.memory)
    assert prepared.strategies[1].trades <= 10  # type: ignore[attr-defined]


def test_what_an_order_cannot_be_is_an_error_of_the_strategy() -> None:
    """A price that is no integer raises a TypeError in the handler."""

    class Fractions(Strategy):
        name = "fractions"

        def on_book(self, book: Any, orders: Any) -> None:
            orders.buy(book.best_bid + 0.5, 1)

    _, prepared = run(Fractions)
    [python] = prepared.python
    assert python is not None
    assert python.reason.startswith("TypeError in on_book: ")


@pytest.mark.parametrize("window", [100, 1 << 17])
def test_levels_are_made_good_when_they_are_first_looked_at(window: int) -> None:
    """They are the same as if they had been kept from the beginning, and as those of an ordinary book."""
    pieces = StoredRows([ROWS], window=window)
    _, late = run(Deep, rows=pieces)
    _, early = run(Earlier, rows=pieces)
    seen, whole = late.strategies[0].seen, early.strategies[0].seen  # type: ignore[attr-defined]
    assert seen == whole[59:]
    assert len(seen) > 20
    book, at_trades, known = OrderBook(MADE, compiled_kernels()), [], False
    for row in ROWS:
        kind, side = EventKind(int(row["kind"])), int(row["side"])
        if kind is EventKind.LEVEL:
            change = [(int(row["price"]), int(row["qty"]))]
            book.apply(change if side > 0 else [], change if side < 0 else [])
            known = True
        elif kind is EventKind.TRADE and known:
            at_trades.append([book.level(side, n) for side in (Side.BUY, Side.SELL) for n in range(3)])
    assert whole == at_trades


def test_what_looks_at_levels_is_known_from_its_code() -> None:
    """Functions that the handlers call are looked into as well."""
    assert looks_at_levels(Deep)
    assert looks_at_levels(Through)
    assert not looks_at_levels(Dividing)
