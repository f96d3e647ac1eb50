"""The compiled form of the instrument's rules answers as the Python form does, whatever it is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from bloor.market.events import NO_PRICE
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk import rules_kernel
from bloor.risk.check import Exposure, OrderIntent
from bloor.risk.compiled import compile_check
from bloor.risk.rules import InstrumentRules, Rule

MOST, LEAST = (1 << 63) - 1, -(1 << 63)
EDGES = [0, 1, -1, 2, 3, 4, MOST, MOST - 1, LEAST, LEAST + 1, NO_PRICE, NO_PRICE + 1, NO_PRICE - 1, 1 << 32]
cells = st.one_of(st.sampled_from(EDGES), st.integers(-5, 200), st.integers(LEAST, MOST))
sizes = st.one_of(st.sampled_from([1, 2, 5, 1000, 10**17, MOST, MOST + 1, 1 << 70]), st.integers(1, 100))
small = st.sampled_from([1, 2, 5, 1000])
values = st.one_of(
    st.decimals(0, 10_000, places=4), st.sampled_from([Decimal(0), Decimal(10**12), Decimal(10**40), Decimal("1e-20")])
)
instruments = st.builds(
    Instrument,
    venue=st.just("v"), symbol=st.just("X-Y"), venue_symbol=st.just("XY"), base=st.just("X"), quote=st.just("Y"),
    price_decimals=st.integers(0, 18), tick_units=sizes, qty_decimals=st.integers(0, 18), lot_units=sizes,
    min_lots=sizes, max_lots=st.one_of(st.just(0), sizes), min_notional=values, max_notional=values,
    trading=st.sampled_from([True, True, True, False]), inferred=st.sampled_from([False, False, False, True]),
)  # fmt: skip


def answers(rules: InstrumentRules, order: OrderIntent, book: BookView, now_ns: int = 0) -> list[int]:
    """What the Python form says, the kernel as it stands, and the kernel compiled."""
    form, exposure = rules.compiled(), Exposure()
    asked = (form.cells.ctypes.data, order.address, book.address, exposure.address, now_ns)
    native = compile_check(rules, form).call["check"]
    return [int(rules.check(order, book, exposure, now_ns)), int(rules_kernel.check(*asked)), int(native(*asked))]


def records(order: dict[str, int], bid: int, ask: int) -> tuple[OrderIntent, BookView]:
    intent, book = OrderIntent(), BookView()
    for name, value in order.items():
        setattr(intent, name, value)
    book.best_bid, book.best_ask = bid, ask
    return intent, book


@given(
    st.lists(instruments, max_size=3), st.fixed_dictionaries(dict.fromkeys(OrderIntent.__annotations__, cells)), cells
)
def test_any_order(table: list[Instrument], fields: dict[str, int], other: int) -> None:
    """Whatever stands in the records, and for every instrument of the run and every index that is none."""
    rules = InstrumentRules(InstrumentRules.sim_limits(), tuple(table))
    for index in (fields["instrument"], *range(-1, len(table) + 1)):
        order, book = records({**fields, "instrument": index}, other, fields["price"])
        assert len(set(answers(rules, order, book))) == 1


@st.composite
def near_orders(draw: st.DrawFn) -> tuple[Instrument, dict[str, int], int, int]:
    """An order that breaks few rules of its instrument, its numbers near their bounds."""
    instrument = evolve(draw(instruments), trading=True, inferred=False)
    if draw(st.sampled_from([True, True, True, False])):  # bounds between which there is something
        instrument = evolve(instrument, tick_units=draw(small), lot_units=draw(small), min_lots=draw(small), max_lots=0)
    if draw(st.booleans()):
        instrument = evolve(instrument, min_notional=Decimal(0))
    near = st.integers(-2, 2)
    largest = MOST // instrument.lot_units
    lots = draw(st.sampled_from([instrument.min_lots, instrument.max_lots, largest, 50, 50, 1_000_000])) + draw(near)
    units = lots * instrument.lot_units + draw(st.sampled_from([0] * 8 + [1]))
    value = instrument.min_notional if draw(st.booleans()) else instrument.max_notional
    per_tick = instrument.tick_units * max(1, units)
    price = draw(st.sampled_from([int(value.scaleb(instrument.value_decimals)) // per_tick, 100, MOST])) + draw(near)
    fields = {
        "side": draw(st.sampled_from([1, -1] * 8 + [0, 2])),
        "type": draw(st.sampled_from([1, 2, 3, 3] * 4 + [0, 4])),
        "tif": draw(st.sampled_from([1, 2, 3] * 6 + [0, 4])),
        "price": max(LEAST, min(price, MOST)),
        "lots": max(LEAST, min(lots, MOST)),
        "units": max(LEAST, min(units, MOST)),
    }
    bid, ask = (draw(st.one_of(st.just(NO_PRICE), near.map(lambda off: fields["price"] + off), cells)) for _ in "ba")
    return instrument, fields, max(LEAST, min(bid, MOST)), max(LEAST, min(ask, MOST))


ONE = Instrument(venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=0, qty_decimals=0)


@given(near_orders())
@example((ONE, {"side": 1, "type": 1, "tif": 1, "price": MOST, "lots": MOST, "units": MOST}, NO_PRICE, NO_PRICE))
@example((ONE, {"side": -1, "type": 3, "tif": 1, "price": 7, "lots": 1, "units": 1}, 7, 8))
def test_orders_near_the_rules(case: tuple[Instrument, dict[str, int], int, int]) -> None:
    """Where one tick or lot decides, and where nothing is wrong."""
    instrument, fields, bid, ask = case
    rules = InstrumentRules(InstrumentRules.sim_limits(), (ONE, instrument))
    order, book = records({**fields, "instrument": 1}, bid, ask)
    assert len(set(answers(rules, order, book))) == 1


def test_numbers_that_cannot_be_counted_refuse_every_order() -> None:
    """Rules beyond 63 bits of ticks and lots or 127 bits of value let nothing through, in either form."""
    cases: list[tuple[dict[str, Any], Rule]] = [
        ({"min_lots": MOST + 1}, Rule.QUANTITY_BELOW_MIN),
        ({"lot_units": MOST + 1}, Rule.QUANTITY_ABOVE_VENUE_MAX),
        ({"tick_units": MOST + 1}, Rule.NOTIONAL_ABOVE_VENUE_MAX),
        ({"min_notional": Decimal(1 << 127)}, Rule.NOTIONAL_BELOW_MIN),
    ]
    for changed, rule in cases:
        fields: dict[str, Any] = {name: getattr(ONE, name) for name in Instrument.__annotations__}
        rules = InstrumentRules(InstrumentRules.sim_limits(), (Instrument(**{**fields, **changed}),))
        order, book = records({"side": 1, "type": 1, "tif": 1, "price": 1, "lots": MOST, "units": MOST}, 1, 2)
        assert answers(rules, order, book) == [rule] * 3
