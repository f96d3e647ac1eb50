"""The gate in a backtest: checks that are ordinary Python, and strategies that were halted in another instrument."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from attrs import evolve, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, Prepared, StrategySpec, prepare
from bloor.backtesting.course import Logs, run_course
from bloor.backtesting.models import Constant, RiskAverse
from bloor.backtesting.rows import StoredRows
from bloor.config.duration import Duration
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.gate import Gate
from bloor.strategy.api import Strategy
from bloor.testing.markets import MADE, made_market

ROWS = made_market(seed=5, messages=400)[1]
OTHER = evolve(MADE, symbol="OTHER-USDT", venue_symbol="OTHERUSDT")


@frozen
class Nothing:
    """No limits."""


class Even(RiskCheck):
    """Lets even quantities pass; it has no compiled form."""

    name: ClassVar[str] = "even"
    controls = frozenset(Control)
    limits: ClassVar[type[Any]] = Nothing
    codes: ClassVar[dict[int, str]] = {1: "QUANTITY_ODD"}

    def __init__(self, limits: Any, instruments: tuple[Instrument, ...]) -> None:
        self.interrupted = False

    @classmethod
    def sim_limits(cls) -> Any:
        """None."""
        return Nothing()

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Denies odd quantities."""
        if self.interrupted:
            raise KeyboardInterrupt
        return order.lots % 2


class Asking(Strategy):
    """Asks for one lot more at each book."""

    compiled = True
    name = "asking"
    asked: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Buys."""
        self.asked += 1
        orders.buy(book.best_ask, self.asked, ioc=True)


class Raising(Strategy):
    """Places an order at each book, and raises in the first instrument at its tenth."""

    name = "raising"
    seen: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Places, or raises."""
        self.seen += 1
        if self.seen == 10 and orders.instrument.symbol == MADE.symbol:
            raise ValueError("ten")
        orders.buy(book.best_bid, 1, post_only=True)
        orders.cancel_all()


class Replacing(Strategy):
    """Rests a bid and replaces it by a larger one, then by a smaller one; keeps what is reserved all the while."""

    name = "replacing"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.number = self.seen = 0
        self.reserved: list[int] = []

    def on_book(self, book: Any, orders: Any) -> None:
        """Places, and replaces at every hundredth book."""
        self.seen += 1
        if self.seen % 100 == 1 and self.seen < 300:
            price, lots = book.best_bid // 2, (4, 10, 3)[self.seen // 100]
            new = orders.replace(self.number, price, lots) if self.number else orders.buy(price, lots)
            assert new
            self.number = new
        if not self.reserved or self.reserved[-1] != orders.open_buy:
            self.reserved.append(orders.open_buy)


def lane(instrument: Instrument = MADE) -> LaneSpec:
    """The made market."""
    latency = Constant(entry=Duration(1_000_000), response=Duration(1_000_000))
    return LaneSpec(instrument=instrument, rows=StoredRows([ROWS]), queue=RiskAverse(), oversell=True, latency=latency)


def run(prepared: Prepared) -> Logs:
    """Runs it, and keeps its decisions."""
    return run_course(prepared.memory, keep_decisions=True)


def kinds(logs: Logs, instrument: int) -> list[int]:
    """The kinds of its decisions in an instrument."""
    head = logs.decisions[: logs.own, 0]
    return [int(kind) for kind in head[head >> 32 == instrument] & 255]


def test_a_check_without_a_compiled_form_is_asked_in_python() -> None:
    """Every order passes it, of compiled strategies too; none gets by."""
    gate = Gate([Even(Nothing(), (MADE,))], (MADE,))
    logs = run(prepare([lane()], [StrategySpec(name="asking", cls=Asking)], gate=gate))
    placed, denied = (logs.decisions[logs.decisions[:, 0] & 255 == kind] for kind in (1, 2))
    assert len(placed) > 5
    assert not (placed[:, 4] % 2).any()
    assert (denied[:, 4] % 2).all()
    assert gate.denied_by_code() == {"QUANTITY_ODD": len(denied)}
    assert gate.passed == len(placed)


def test_what_ends_a_check_ends_the_backtest() -> None:
    """An interruption while a check is asked is raised, and the order is not sent."""
    check = Even(Nothing(), (MADE,))
    check.interrupted = True
    prepared = prepare([lane()], [StrategySpec(name="asking", cls=Asking)], gate=Gate([check], (MADE,)))
    with pytest.raises(KeyboardInterrupt):
        run_course(prepared.memory)
    assert not int(prepared.memory.cells[at.RUN_NUMBER // 8])


def test_a_strategy_that_raises_is_denied_everything_in_its_other_instruments() -> None:
    """As in a run: the other instance goes on, and the gate denies what it asks for."""
    prepared = prepare([lane(), lane(OTHER)], [StrategySpec(name="raising", cls=Raising)])
    logs = run(prepared)
    states = [int(desk.cells[at.DESK_STATE // 8]) for desk in prepared.memory.desks]
    assert states == [at.HALTED, at.RUNNING]
    assert kinds(logs, 0).count(1) == 9
    others = np.array(kinds(logs, 1))
    first = int(np.flatnonzero(others == 2)[0])
    assert (others[:first] == 1).sum() in (9, 10)
    assert 1 not in others[first:]
    assert logs.denied == {at.STRATEGY_HALTED: int((others == 2).sum())}


def test_of_an_order_and_the_one_that_replaces_it_the_larger_is_reserved() -> None:
    """Nothing of the old one has traded, so both together can fill no more than that; in the end what is there."""
    prepared = prepare([lane()], [StrategySpec(name="replacing", cls=Replacing)])
    run(prepared)
    strategy: Any = prepared.strategies[0]
    assert strategy.reserved == [4, 10, 3]
    assert prepared.memory.desks[0].exposure.open_buy == 0
