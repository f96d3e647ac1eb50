"""The gate: what it demands, what it asks, how it counts, and what it does when something is wrong."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from attrs import evolve, frozen

from bloor.errors import PluginError
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.gate import Denial, Gate

BTC = Instrument(
    venue="binance",
    symbol="BTC-USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    qty_decimals=8,
    lot_units=1000,
)


@frozen
class NoLimits:
    pass


class Fake(RiskCheck):
    """Covers what it is told to cover and answers what it is told to answer."""

    limits: ClassVar[type[Any]] = NoLimits
    codes: ClassVar[dict[int, str]] = {1: "FAKE_ONE", 2: "FAKE_TWO"}

    def __init__(self, name: str = "fake", controls: frozenset[Control] = frozenset(Control), answer: Any = 0) -> None:
        self.name = name  # type: ignore[misc]
        self.controls = controls  # type: ignore[misc]
        self.answer = answer
        self.asked: list[tuple[int, int]] = []

    @classmethod
    def sim_limits(cls) -> NoLimits:
        return NoLimits()

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        self.asked.append((order.lots, now_ns))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


def intent(side: int = 1, lots: int = 10, price: int = 100, strategy: int = 0) -> OrderIntent:
    order = OrderIntent()
    order.side, order.lots, order.units, order.price, order.strategy = side, lots, lots * 1000, price, strategy
    order.type, order.tif = OrderType.LIMIT, TimeInForce.GTC
    return order


def book() -> BookView:
    view = BookView()
    view.best_bid, view.best_ask, view.state = 99, 101, BookState.SYNCED
    return view


def decide(gate: Gate, order: OrderIntent | None = None, exposure: Exposure | None = None) -> Denial | None:
    return gate.decide(order or intent(), book(), exposure or Exposure(), 5)


def test_missing_controls_are_named() -> None:
    """A gate that does not cover a mandatory control cannot be made; the message says which and what to install."""
    covered = frozenset(Control) - {Control.COLLAR, Control.VALUE}
    with pytest.raises(PluginError, match=r"none for: collar, value \(loaded checks: fake\); install bloor-risk"):
        Gate([Fake(controls=covered)], [BTC])
    with pytest.raises(PluginError, match=r"loaded checks: none"):
        Gate([], [BTC])
    Gate([], [BTC], mandatory=frozenset())


def test_checks_are_asked_in_order_and_the_first_denial_decides() -> None:
    """Later checks are not asked; the denial names its check; both outcomes are counted."""
    first, second, third = Fake("first"), Fake("second", answer=2), Fake("third")
    gate = Gate([first, second, third], [BTC])
    assert decide(gate) == Denial("FAKE_TWO", "second")
    assert (first.asked, second.asked, third.asked) == ([(10, 5)], [(10, 5)], [])
    second.answer = 0
    assert decide(gate) is None
    second.answer = 1
    decide(gate)
    decide(gate)
    assert gate.passed == 1
    assert gate.denied == {Denial("FAKE_TWO", "second"): 1, Denial("FAKE_ONE", "second"): 2}
    assert gate.denied_by_code() == {"FAKE_TWO": 1, "FAKE_ONE": 2}


def test_the_message_rate_is_asked_last() -> None:
    """Whatever the order of loading, only an order that everything else lets pass uses up a share."""
    rate = Fake("rate", frozenset({Control.MESSAGE_RATE}))
    others = Fake("others", frozenset(Control) - {Control.MESSAGE_RATE}, answer=1)
    gate = Gate([rate, others], [BTC])
    decide(gate)
    assert rate.asked == []
    assert [check.name for check in gate.checks] == ["instrument-rules", "others", "rate"]


def test_a_check_that_raises_denies() -> None:
    """It fails closed, and what it raised is kept for a person."""
    broken = Fake("broken", answer=ZeroDivisionError("oops"))
    gate = Gate([broken], [BTC])
    assert decide(gate) == Denial("CHECK_FAILED", "broken")
    assert gate.failures == {"broken": "ZeroDivisionError: oops"}


@pytest.mark.parametrize("answer", [3, -1, -7, 2.5, "no", True + 9, None, [1]])
def test_an_answer_that_is_no_code_denies(answer: Any) -> None:
    """Anything but 0 denies, known or not."""
    gate = Gate([Fake("odd", answer=answer)], [BTC])
    assert decide(gate) == Denial("CHECK_FAILED", "odd")
    assert gate.failures["odd"]


def test_a_halt_is_a_latch() -> None:
    """Halted, everything is denied without asking a check; the first reason stays; only resume ends it."""
    fake = Fake()
    gate = Gate([fake], [BTC])
    gate.halt("daily loss")
    gate.halt("something else")
    assert gate.halted == "daily loss"
    assert decide(gate) == Denial("HALTED", "gate")
    assert decide(gate, intent(-1), Exposure()) == Denial("HALTED", "gate")
    assert fake.asked == []
    gate.resume()
    assert decide(gate) is None
    assert gate.denied_by_code() == {"HALTED": 2}


def test_one_strategy_can_be_halted() -> None:
    """The others go on; resuming the gate does not resume the strategy."""
    gate = Gate([Fake()], [BTC])
    gate.halt("overfill", strategy=1)
    assert decide(gate, intent(strategy=1)) == Denial("STRATEGY_HALTED", "gate")
    assert decide(gate, intent(strategy=0)) is None
    gate.resume()
    assert gate.halted_strategies == {1: "overfill"}
    gate.resume(strategy=1)
    assert decide(gate, intent(strategy=1)) is None


@pytest.mark.parametrize(
    ("position", "open_buy", "open_sell", "side", "lots", "passes"),
    [
        (0, 0, 0, 1, 1, False),
        (0, 0, 0, -1, 1, False),
        (10_000, 0, 0, -1, 10, True),
        (10_000, 0, 0, -1, 11, False),
        (10_000, 0, 5_000, -1, 5, True),
        (10_000, 0, 5_000, -1, 6, False),
        (10_000, 0, 0, 1, 1, False),
        (-10_000, 0, 0, 1, 10, True),
        (-10_000, 3_000, 0, 1, 8, False),
    ],
)
def test_reduce_only(position: int, open_buy: int, open_sell: int, side: int, lots: int, passes: bool) -> None:
    """An order passes only if it brings the position nearer to zero in the worst case."""
    gate = Gate([Fake()], [BTC])
    gate.reduce_only = "loss limit"
    exposure = Exposure()
    exposure.position, exposure.open_buy, exposure.open_sell = position, open_buy, open_sell
    denial = decide(gate, intent(side, lots), exposure)
    assert denial == (None if passes else Denial("REDUCE_ONLY", "gate"))


def test_rules_change_while_a_run_goes_on() -> None:
    """A trading halt of the venue takes effect with the next order."""
    gate = Gate([Fake()], [BTC])
    gate.rules.replace(0, evolve(BTC, trading=False))
    assert decide(gate) == Denial("INSTRUMENT_NOT_TRADING", "instrument-rules")
    gate.rules.replace(0, BTC)
    assert decide(gate) is None
