"""Each check's compiled form answers as its Python form does, whatever the limits and the records say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bloor.config.duration import Duration
from bloor.market.events import NO_PRICE
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import compile_check
from bloor_risk.message_rate import MAX_STRATEGIES, MessageRate, MessageRateConfig
from bloor_risk.order_limits import OrderLimits, OrderLimitsConfig
from bloor_risk.position_limits import PositionLimits, PositionLimitsConfig
from bloor_risk.price_collar import PriceCollar, PriceCollarConfig
from bloor_risk.stale_book import StaleBook, StaleBookConfig

MOST, LEAST = (1 << 63) - 1, -(1 << 63)
EDGES = [0, 1, -1, 2, MOST, MOST - 1, LEAST, LEAST + 1, NO_PRICE, NO_PRICE + 1, NO_PRICE - 1, 1 << 32, 10**18]
cells = st.one_of(st.sampled_from(EDGES), st.integers(-5, 200), st.integers(LEAST, MOST))
prices = st.one_of(st.integers(9_900, 10_100), cells)
sides = st.sampled_from([1, -1, 1, -1, 1, -1, 0, LEAST, MOST])
limits = st.one_of(
    st.integers(0, 1_000).map(Decimal),
    st.decimals(0, 10_000, places=4),
    st.sampled_from(
        [Decimal(0), Decimal(MOST), Decimal(MOST + 1), Decimal(1 << 127), Decimal(10**60), Decimal("1e-30")]
    ),
)
units = st.one_of(st.sampled_from([1, 5, 10**17, MOST, MOST + 1]), st.integers(1, 100))


def instrument(decimals: int = 0, tick_units: int = 1, lot_units: int = 1) -> Instrument:
    return Instrument(
        venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=decimals,
        qty_decimals=decimals, tick_units=tick_units, lot_units=lot_units,
    )  # fmt: skip


tables = st.lists(st.builds(instrument, st.integers(0, 18), units, units), min_size=1, max_size=4)


def filled(record: Any, fields: dict[str, int]) -> Any:
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def fields_of(record: Any, **known: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    fields = {**dict.fromkeys(record.__annotations__, cells), **known}
    return st.fixed_dictionaries(fields).map(lambda values: filled(record(), values))


orders = fields_of(OrderIntent, side=sides, price=prices)
states = st.sampled_from([int(BookState.SYNCED)] * 5 + [0, 1, 3, -2])
times = st.one_of(st.integers(10**18, 10**18 + 100), cells)
books = fields_of(BookView, best_bid=prices, best_ask=prices, recv_ns=times, state=states)
held = fields_of(Exposure)


class Forms:
    """Three checks of the same limits: the Python form, the kernel as it stands, and the kernel compiled."""

    def __init__(self, cls: type[RiskCheck], config: Any, table: list[Instrument]) -> None:
        self.python = cls(config, tuple(table))
        self.plain = cls(config, tuple(table)).compiled()
        self.native = cls(config, tuple(table)).compiled()
        assert self.plain is not None and self.native is not None
        self.call = compile_check(self.python, self.native).call["check"]
        self.entry: Any = self.plain.modules[-1].check

    def same(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """The answer of all three; what they remember is the same too."""
        assert self.plain is not None and self.native is not None
        asked = (order.address, book.address, exposure.address, now_ns)
        answer = self.python.check(order, book, exposure, now_ns)
        assert self.entry(self.plain.cells.ctypes.data, *asked) == answer
        assert self.call(self.native.cells.ctypes.data, *asked) == answer
        kept = self.python.compiled()
        assert kept is not None
        assert kept.cells.tolist() == self.plain.cells.tolist() == self.native.cells.tolist()
        return answer


@given(tables, limits, limits, orders, st.data())
def test_order_limits(
    table: list[Instrument], quantity: Decimal, value: Decimal, order: OrderIntent, data: st.DataObject
) -> None:
    """Quantities and values, those at their limits too."""
    forms = Forms(OrderLimits, OrderLimitsConfig(max_quantity=quantity, max_value=value), table)
    order.instrument = data.draw(st.integers(0, len(table) - 1))
    forms.same(order, BookView(), Exposure(), 0)
    near(table[order.instrument], order, quantity, value, data)
    forms.same(order, BookView(), Exposure(), 0)


def near(traded: Instrument, order: OrderIntent, quantity: Decimal, value: Decimal, data: st.DataObject) -> None:
    """Makes an order that is nearly as large as its limits allow."""
    off = st.integers(-1, 1)
    order.units = within(int(quantity.scaleb(traded.qty_decimals)) + data.draw(off))
    worth = max(1, traded.tick_units * order.units)
    order.price = within(int(value.scaleb(traded.value_decimals)) // worth + data.draw(off))


def within(number: int) -> int:
    return max(LEAST, min(number, MOST))


@given(tables, limits, limits, st.integers(0, MOST + 1), orders, held, st.data())
def test_position_limits(
    table: list[Instrument], quantity: Decimal, value: Decimal, most: int, order: OrderIntent, exposure: Exposure,
    data: st.DataObject,
) -> None:  # fmt: skip
    """The worst case of any exposure, and of orders at the limits; sums that do not fit 63 bits too."""
    config = PositionLimitsConfig(max_position=quantity, max_position_value=value, max_open_orders=most)
    forms = Forms(PositionLimits, config, table)
    order.instrument = data.draw(st.integers(0, len(table) - 1))
    forms.same(order, BookView(), exposure, 0)
    exposure.open_orders = within(most + data.draw(st.integers(-3, 0)))
    near(table[order.instrument], order, quantity, value, data)
    exposure.position = data.draw(st.integers(-3, 3))
    exposure.open_buy, exposure.open_sell = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    exposure.inventory = within(order.units + exposure.open_sell - exposure.position + data.draw(st.integers(-1, 2)))
    forms.same(order, BookView(), exposure, 0)


ages = st.one_of(st.integers(0, 50), st.integers(0, 1 << 64))


@given(limits, limits, ages, orders, books, times, st.integers(9_900, 10_000), st.integers(0, 50))
def test_price_collar(
    through: Decimal, away: Decimal, max_age: int, order: OrderIntent, book: BookView, now_ns: int, bid: int, wide: int
) -> None:
    """Any book and any price; the edges of the collar, and of the age that a book may have."""
    config = PriceCollarConfig(max_through_bps=through, max_away_bps=away, max_age=Duration(max_age))
    forms = Forms(PriceCollar, config, [instrument()])
    forms.same(order, book, Exposure(), now_ns)
    book.state, book.recv_ns = int(BookState.SYNCED), now_ns
    forms.same(order, book, Exposure(), now_ns)
    at_edges(forms, order, book, now_ns, (through, away))
    book.best_bid, book.best_ask = bid, bid + wide
    at_edges(forms, order, book, now_ns, (through, away))
    for off in (-1, 0, 1):
        book.recv_ns = within(now_ns - max_age + off)
        forms.same(order, book, Exposure(), now_ns)


def at_edges(forms: Forms, order: OrderIntent, book: BookView, now_ns: int, collar: tuple[Decimal, Decimal]) -> None:
    """Prices around every edge of the collar, of orders of both sides and of none."""
    for bps in (*collar, *(-bps for bps in collar)):
        edge = int((book.best_bid + book.best_ask) * (1 + bps / 10_000) / 2)
        for order.side in (1, -1, 0):
            for order.price in (within(edge - 1), within(edge), within(edge + 1)):
                forms.same(order, book, Exposure(), now_ns)


@given(ages, books, times)
@example(MOST, filled(BookView(), {"recv_ns": LEAST, "state": 2}), MOST)
def test_stale_book(max_age: int, book: BookView, now_ns: int) -> None:
    """Any state and any age, those before and beyond all time too."""
    forms = Forms(StaleBook, StaleBookConfig(max_age=Duration(max_age)), [instrument()])
    forms.same(OrderIntent(), book, Exposure(), now_ns)
    book.state, book.recv_ns = int(BookState.SYNCED), within(now_ns - max_age)
    forms.same(OrderIntent(), book, Exposure(), now_ns)


strategies = st.one_of(st.integers(-1, 3), st.sampled_from([MAX_STRATEGIES - 1, MAX_STRATEGIES, LEAST, MOST]))
steps = st.tuples(strategies, st.integers(0, 2), st.one_of(st.integers(0, 2_000_000_000), times))


@given(st.integers(1, 1 << 40), st.one_of(st.integers(1, 4), st.integers(1, 1 << 70)), st.lists(steps, max_size=30))
def test_message_rate(rate: int, burst: int, asked: list[tuple[int, int, int]]) -> None:
    """A sequence of orders of many strategies in many instruments, at any times; what is remembered is compared too."""
    config = MessageRateConfig(orders_per_second=rate, burst=burst)
    forms = Forms(MessageRate, config, [instrument()] * 3)
    for strategy, index, now_ns in asked:
        order = filled(OrderIntent(), {"strategy": strategy, "instrument": index})
        forms.same(order, BookView(), Exposure(), now_ns)


@given(
    st.integers(1, 10**9), st.integers(1, 3), st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 1)), max_size=20)
)
def test_message_rate_when_an_order_is_due(rate: int, burst: int, waits: list[tuple[int, int]]) -> None:
    """Some whole intervals after the one before, a nanosecond sooner, and a nanosecond later."""
    forms = Forms(MessageRate, MessageRateConfig(orders_per_second=rate, burst=burst), [instrument()])
    interval_ns, now_ns = -(-(10**9) // rate), 10**18
    for count, off in waits:
        now_ns += count * interval_ns
        forms.same(OrderIntent(), BookView(), Exposure(), now_ns + off)


LARGE = Decimal(10**9)


@pytest.mark.parametrize(
    ("cls", "config", "code"),
    [
        (OrderLimits, OrderLimitsConfig(max_quantity=LARGE, max_value=LARGE), "VALUE_ABOVE_MAX"),
        (
            PositionLimits,
            PositionLimitsConfig(max_position=LARGE, max_position_value=LARGE, max_open_orders=1),
            "POSITION_VALUE_ABOVE_MAX",
        ),
    ],
)
def test_limits_that_cannot_be_compared_are_strict(cls: type[RiskCheck], config: Any, code: str) -> None:
    """A value limit beyond 127 bits allows 127 bits, and nothing at all where the tick itself cannot be counted."""
    forms = Forms(cls, config, [instrument(18, tick_units=8), instrument(18, tick_units=MOST + 1)])
    for index, price, size, expected in ((0, 1 << 62, (1 << 62) - 1, ""), (0, 1 << 62, 1 << 62, code), (1, 1, 1, code)):
        order = filled(OrderIntent(), {"instrument": index, "side": 1, "price": price, "units": size})
        assert cls.codes.get(forms.same(order, BookView(), Exposure(), 0), "") == expected
