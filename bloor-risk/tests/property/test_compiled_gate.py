"""The whole gate, compiled: alone, beside the Python form, and taking turns with it on the same memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bloor.config.duration import Duration
from bloor.market.events import NO_PRICE
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk import kernel
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.gate import Denial, Gate
from bloor_risk.message_rate import MessageRate, MessageRateConfig
from bloor_risk.order_limits import OrderLimits, OrderLimitsConfig
from bloor_risk.position_limits import PositionLimits, PositionLimitsConfig
from bloor_risk.price_collar import PriceCollar, PriceCollarConfig
from bloor_risk.stale_book import StaleBook, StaleBookConfig

BTC = Instrument(
    venue="v", symbol="BTC-USD", venue_symbol="BTCUSD", base="BTC", quote="USD", price_decimals=1, tick_units=5,
    qty_decimals=5, lot_units=100, max_lots=1_000, min_notional=Decimal(5), max_notional=Decimal(900_000),
)  # fmt: skip
TABLE = (BTC, evolve(BTC, symbol="ETH-USD", venue_symbol="ETHUSD", min_lots=3), evolve(BTC, trading=False))
CONFIGS: tuple[tuple[type[RiskCheck], Any], ...] = (
    (OrderLimits, OrderLimitsConfig(max_quantity=Decimal("0.4"), max_value=Decimal(18_000))),
    (
        PriceCollar,
        PriceCollarConfig(max_through_bps=Decimal(10), max_away_bps=Decimal(100), max_age=Duration(2_000)),
    ),
    (
        PositionLimits,
        PositionLimitsConfig(max_position=Decimal(1), max_position_value=Decimal(45_000), max_open_orders=5),
    ),
    (StaleBook, StaleBookConfig(max_age=Duration(1_000))),
    (MessageRate, MessageRateConfig(orders_per_second=1_000_000, burst=2)),
)
MOST, LEAST = (1 << 63) - 1, -(1 << 63)
NOW = 1_700_000_000_000_000_000
extremes = st.sampled_from([0, -1, MOST, LEAST, NO_PRICE, 1 << 32])


def mostly(usual: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    return st.integers(0, 11).flatmap(lambda chance: extremes if chance == 0 else usual)


ORDER = {
    "instrument": mostly(st.sampled_from([0, 0, 0, 1, 1, 2, 3])),
    "side": mostly(st.sampled_from([1, -1])),
    "type": mostly(st.integers(1, 3)),
    "tif": mostly(st.integers(1, 3)),
    "price": mostly(st.integers(99_800, 100_200)),
    "lots": mostly(st.integers(1, 45)),
    "strategy": mostly(st.integers(0, 3)),
}
BOOK = {
    "best_bid": mostly(st.integers(99_900, 100_000)),
    "best_ask": mostly(st.integers(100_000, 100_100)),
    "recv_ns": mostly(st.integers(NOW - 900, NOW)),
    "state": st.sampled_from([2] * 10 + [0, 1]),
}
HELD = {
    "position": mostly(st.integers(-60_000, 60_000)),
    "open_buy": mostly(st.integers(0, 30_000)),
    "open_sell": mostly(st.integers(0, 30_000)),
    "open_orders": mostly(st.integers(0, 4)),
    "inventory": mostly(st.sampled_from([0, 100_000])),
}
cases = st.tuples(
    st.fixed_dictionaries(ORDER), st.fixed_dictionaries(BOOK), st.fixed_dictionaries(HELD), st.integers(0, 500),
    st.integers(0, 100_000), st.booleans(),
)  # fmt: skip


def make() -> Gate:
    return Gate([cls(config, TABLE) for cls, config in CONFIGS], TABLE)


def records(case: Any) -> tuple[OrderIntent, BookView, Exposure]:
    made: tuple[Any, ...] = (OrderIntent(), BookView(), Exposure())
    for record, fields in zip(made, case[:3], strict=True):
        for name, value in fields.items():
            setattr(record, name, value)
    lots = case[0]["lots"]
    made[0].units = lots * 100 if abs(lots) < 1 << 50 else lots
    return made


def ask(gate: Gate, case: Any, now_ns: int) -> Denial | None:
    """What the compiled form says; the kernel as it stands calls the same compiled checks."""
    form = gate.compiled()
    assert form is not None
    order, book, exposure = records(case)
    if case[5]:
        return gate.decide(order, book, exposure, now_ns)
    return gate.account(kernel.decide(form.address, order.address, book.address, exposure.address, now_ns))


def state(gate: Gate) -> tuple[Any, ...]:
    return gate.passed, gate.denied, gate.failures


@given(st.lists(cases, max_size=40))
def test_both_forms_decide_the_same(sequence: list[Any]) -> None:
    """Python alone, compiled alone, and both in turn: the same decisions, the same counts."""
    python, native, turns = make(), make(), make()
    now_ns = NOW
    for number, case in enumerate(sequence):
        now_ns += case[3]
        python_way = python.decide_in_python(*records(case), now_ns)
        assert ask(native, case, now_ns) == python_way
        taken = ask(turns, case, now_ns) if case[4] % 2 else turns.decide_in_python(*records(case), now_ns)
        assert taken == python_way, number
    assert state(python) == state(native) == state(turns)


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 2), st.integers(0, 1), st.booleans()), max_size=60))
def test_the_rate_is_one_rate(sequence: list[tuple[int, int, int, bool]]) -> None:
    """An order that either form lets pass uses up a share of both."""
    python, turns = make(), make()
    now_ns = NOW
    for wait, strategy, instrument, compiled in sequence:
        now_ns += wait
        order = {"side": 1, "type": 1, "tif": 1, "price": 100_000, "lots": 3}
        order.update(strategy=strategy, instrument=instrument)
        book = {"best_bid": 99_999, "best_ask": 100_001, "recv_ns": now_ns, "state": 2}
        case = (order, book, {}, 0, 0, compiled)
        expected = python.decide_in_python(*records(case), now_ns)
        assert (ask(turns, case, now_ns) if compiled else turns.decide_in_python(*records(case), now_ns)) == expected
        assert expected in (None, Denial("MESSAGE_RATE_ABOVE_MAX", "message-rate"))
    assert state(python) == state(turns)


def test_rules_change_in_both_forms() -> None:
    """A venue's new rules hold at once, without compiling anew."""
    gate = make()
    order = {"side": 1, "type": 1, "tif": 1, "price": 100_000, "lots": 3, "strategy": 0, "instrument": 0}
    book = {"best_bid": 99_999, "best_ask": 100_001, "recv_ns": NOW, "state": 2}
    case = (order, book, {}, 0, 0, True)
    assert ask(gate, case, NOW) is None
    gate.rules.replace(0, evolve(BTC, min_lots=4))
    assert ask(gate, case, NOW + 10**9) == Denial("QUANTITY_BELOW_MIN", "instrument-rules")
    gate.rules.replace(0, BTC)
    assert ask(gate, (order, {**book, "recv_ns": NOW + 10**9}, {}, 0, 0, True), NOW + 10**9) is None
