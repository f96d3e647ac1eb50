"""A compiled handler does what the same source does in Python."""

from __future__ import annotations

import math
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from bloor.engine.desk import Desk
from bloor.market.book import OrderBook
from bloor.market.events import NO_PRICE
from bloor.market.kernels import plain_kernels
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.risk.check import Exposure
from bloor.strategy.api import Strategy
from bloor.strategy.legs import traits_of
from bloor.strategy.memory import Handler
from bloor.strategy.params import param
from bloor.testing.bothforms import BothForms

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
#: Integers whose sums and products stay within 63 bits.
SMALL = st.integers(-(1 << 30), 1 << 30)
LEVELS = (1, 4, 9)
WEIGHTS = (0.5, 2, 1.25)


def weighted(index: int, value: float) -> float:
    """A function of the module."""
    return WEIGHTS[0] * value if index == 0 else doubled(value) + WEIGHTS[2]


def doubled(value: float, *, by: float = 2.0) -> float:
    """A function that a function calls."""
    return value * by


class Base(Strategy):
    """What is inherited is compiled too."""

    share: float = param(0.25, low=0.0, high=1.0, doc="part of something")
    seen: int = 0
    total: float = 0.0

    def count(self, weight: int) -> int:
        """A method of a base."""
        self.seen += weight
        return self.seen


class Everything(Base):
    """Uses what compiled handlers may use."""

    STEP = 3
    TABLE = (2, 3, 5, 7)

    limit: int = param(3, low=0, doc="orders")
    number: int = 0
    below: bool = False
    status: int = 0

    @property
    def even(self) -> bool:
        """A property."""
        return self.seen % 2 == 0

    @staticmethod
    def half(value: int) -> float:
        """A static method."""
        return value / 2

    def on_start(self, orders: Any) -> None:
        self.number = orders.min_lots + orders.lot_units

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        size, sign = trade.qty, trade.side
        weight = self.count(2 if sign > 0 else 1) % len(LEVELS)
        self.total += weighted(weight, float(size)) * self.share + LEVELS[weight] * self.STEP
        for prime in self.TABLE:
            if size % prime == 0:
                self.number += prime * sign
        if book.two_sided and self.even and orders.open_orders < self.limit:
            self.number = orders.buy(book.best_bid, max(1, size // 2), post_only=sign < 0, ioc=sign > 0)
        elif not book.two_sided:
            self.status = orders.cancel_all()

    def on_bbo(self, bbo: Any, book: Any, orders: Any) -> None:
        low, high = min(bbo.price, bbo.price2), max(bbo.price, bbo.price2)
        self.below = low < high and bbo.kind + bbo.flags + bbo.instrument > 4
        self.status = bbo.side

    def on_book(self, book: Any, orders: Any) -> None:
        self.below = book.state == BookState.SYNCED and book.spread > 0
        self.total += self.half(book.mid2)
        while self.seen > 100:
            self.seen -= 10

    def on_bar(self, bar: Any, book: Any, orders: Any) -> None:
        self.total = (bar.high - bar.low) / bar.trades + bar.value

    def on_timer(self, orders: Any) -> None:
        self.number = orders.sellable_lots + orders.position - orders.open_buy + orders.open_sell
        self.below = orders.cancel(orders.now_ns % 7)

    def on_fill(self, fill: Any, book: Any, orders: Any) -> None:
        self.total -= fill.units * fill.price_ticks * fill.side

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        if order.closed and order.filled < order.lots:
            raise ValueError("closed too early")
        self.status = order.status
        self.number = orders.sell(order.price, order.lots)

    def on_stop(self, orders: Any) -> None:
        self.seen = self.number = 0


step = st.tuples(
    st.sampled_from(list(Handler)),
    st.tuples(*[st.integers(0, 1 << 24)] * 5),
    st.sampled_from([-1, 0, 1]),
    st.booleans(),
)


@given(st.lists(step, max_size=25))
def test_any_sequence_of_events(steps: list[tuple[Handler, tuple[int, int, int, int, int], int, bool]]) -> None:
    """The same orders, the same state and the same exceptions after every event, whatever comes."""
    both = BothForms(Everything)
    events = {
        Handler.TRADE: both.trade, Handler.BBO: both.trade, Handler.BAR: both.bar, Handler.FILL: both.fill,
        Handler.ORDER: both.order,
    }  # fmt: skip
    for handler, (a, b, c, d, e), sign, flag in steps:
        both.desk.now_ns += a
        both.book.best_bid, both.book.best_ask, both.book.state = b if flag else NO_PRICE, b + c % 9, d % 3
        both.exposure.position, both.exposure.open_sell, both.exposure.inventory = a * 1000 * sign, b, c
        both.exposure.open_orders = e % 5
        both.trade.price, both.trade.qty, both.trade.price2, both.trade.side = a, b, c, sign
        both.trade.kind, both.trade.flags, both.trade.instrument = d % 256, e % 65536, a
        both.bar.high, both.bar.low, both.bar.trades, both.bar.value = a + b, b, c % 3, float(d) / 7
        both.fill.side, both.fill.units, both.fill.price_ticks = sign, a, b
        both.order.closed, both.order.filled, both.order.lots, both.order.price = int(flag), a, b, c
        both.order.status = d % 9
        both.call(handler, events.get(handler))


class Mode(IntEnum):
    """Numbers with names."""

    LOW = 1
    HIGH = 2


def steps_to_one(number: int) -> int:
    """Calls itself."""
    if number <= 1:
        return 0
    return 1 + (steps_to_one(number // 2) if number % 2 == 0 else steps_to_one(3 * number + 1))


def of_whole(strategy: Any, price: int) -> int:
    """A function that is given the strategy."""
    counted: int = strategy.number + price
    return counted


class Syntax(Strategy):
    """Uses the statements and expressions that handlers may be written in."""

    TABLE = (1, 2, 3)

    number: int = 0
    mean: float = 0.0
    odd: bool = False

    def pair(self, a: int, b: int = 3, *, c: int = 1) -> tuple[int, float]:
        return a + b * c, a * 0.5

    def loops(self, size: int) -> int:
        total = 0
        for i, x in enumerate(self.TABLE):
            total += i * x
        for x, y in zip(self.TABLE, (4, 5, 6)):  # noqa: B905 (compiled code knows no other)
            if x == 2:
                continue
            total += x * y
        else:
            total += 1
        for i in range(size, 0, -3):
            total -= i
        while True:
            total -= 1
            if total % 5 == 0:
                break
        return total

    def guarded(self, size: int) -> int:
        try:
            if size > 5:
                raise ValueError("too large")
        except Exception:  # noqa: BLE001
            return -100
        return 1

    def chosen(self, size: int) -> int:
        match size:
            case 1:
                return 1
            case 2 | 3:
                return 2
            case _:
                return 3 if size in (4, 5) else 4

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Calls them all."""
        size = trade.qty
        whole, half = self.pair(size, c=2)
        self.mean += half if whole > 3 else -half
        self.odd = not self.odd
        mode = Mode.LOW if self.odd else Mode.HIGH
        if mode == Mode.HIGH or trade.side == Side.BUY:
            self.number += Mode.HIGH
        self.number += steps_to_one(size) + of_whole(self, trade.price) + self.loops(size % 50)
        self.number += self.guarded(size) + self.chosen(size)
        quotient, rest = divmod(self.number, 7)
        self.number = quotient * 3 + rest + bool(rest) + abs(-3) + (size << 2 | 1 & 3 ^ 5) - ~size
        low, high = 3, size
        low, high = high, low + 1
        self.number += low * high + self.TABLE[size % 3] + self.TABLE[-1]
        if size == 99:
            self.number += self.TABLE[size]
        self.number %= 1_000_003
        if math.isnan(self.mean):
            return
        self.mean += float(self.number) / 3 + (1, 2.5)[1]


@given(st.lists(st.tuples(st.one_of(st.integers(0, 9), st.just(99), st.integers(0, 200)), st.sampled_from([-1, 1]))))
def test_statements(sizes: list[tuple[int, int]]) -> None:
    """Loops, branches, exceptions, recursion, tuples and enumerations do what they do in Python."""
    both = BothForms(Syntax)
    for size, side in sizes:
        both.trade.qty, both.trade.side, both.trade.price = size, side, size * 3
        raised = both.call(Handler.TRADE, both.trade)
        assert isinstance(raised, IndexError) == (size == 99)


class Sums(Strategy):
    """Arithmetic on two integers and two floats, one operation a handler; results are read from the memory."""

    a: int = 0
    b: int = 0
    x: float = 0.0
    y: float = 0.0
    i: int = 0
    f: float = 0.0
    g: float = 0.0
    is_so: bool = False

    def on_start(self, orders: Any) -> None:
        self.i = self.a // self.b
        self.f = self.a / self.b
        self.is_so = self.a < self.b or self.a == -self.b

    def on_stop(self, orders: Any) -> None:
        self.i = self.a % self.b + self.a * self.b - abs(self.a) + (self.a & 255 | self.b ^ 3)

    def on_timer(self, orders: Any) -> None:
        self.i = int(self.x)
        self.i += round(self.y) - math.floor(self.x) + math.ceil(self.y) * math.trunc(self.x)

    def on_book(self, book: Any, orders: Any) -> None:
        self.f = self.x // self.y
        self.g = self.x % self.y - self.x / self.y

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        self.f = self.x**3 + self.y**2
        self.g = abs(self.x) ** self.y

    def on_bbo(self, bbo: Any, book: Any, orders: Any) -> None:
        self.f = math.log(self.x) + math.exp(self.y)
        self.g = math.sqrt(self.y) - math.tanh(self.x) + math.atan2(self.x, self.y) + math.pow(self.x, self.y)

    def on_fill(self, fill: Any, book: Any, orders: Any) -> None:
        self.i = self.a**3 - 2 ** (self.b % 8)
        self.f = min(self.x, self.y) + max(self.x, self.y) - math.fabs(self.x) * math.copysign(1.0, self.y)

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        self.f = math.sin(self.x) * math.cos(self.y) + math.log10(self.x) + math.log1p(self.y) + math.expm1(self.x)
        self.g = math.fmod(self.x, self.y) + self.a * self.x + self.b


number = st.one_of(
    st.floats(-1e6, 1e6), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, -0.0, 0.5, 1.5, -2.5])
)


@given(st.sampled_from([Handler.START, Handler.STOP]), st.one_of(SMALL, st.integers(-3, 3)), st.integers(-9, 1 << 30))
def test_integers(handler: Handler, a: int, b: int) -> None:
    """Integer arithmetic is Python's as long as results have 63 bits; division by zero raises."""
    compare(handler, a=a, b=b)


@given(st.sampled_from([Handler.TIMER, Handler.BOOK, Handler.TRADE, Handler.BBO, Handler.FILL, Handler.ORDER]),
       number, number, st.integers(-1000, 1000), st.integers(-1000, 1000))  # fmt: skip
def test_floats(handler: Handler, x: float, y: float, a: int, b: int) -> None:
    """Float arithmetic, powers and math functions give Python's result to the last bit, and raise where it raises."""
    if handler is Handler.TIMER:
        # Python's integers go on where compiled ones end
        assume(abs(x) < 1e9 and abs(y) < 1e9)
    compare(handler, x=x, y=y, a=a, b=b)


def compare(handler: Handler, **values: float) -> None:
    """One handler in both forms; compiled code may raise where Python's result has no place in 63 bits."""
    both = BothForms(Sums)
    for name, value in values.items():
        setattr(both.python, name, value)
        setattr(both.compiled, name, value)
    event = {Handler.TRADE: both.trade, Handler.BBO: both.trade, Handler.FILL: both.fill, Handler.ORDER: both.order}
    both.call(handler, event.get(handler))


class Sizer(Strategy):
    """Asks for two numbers."""

    value: float = 0.0
    price: int = 0
    lots: int = 0

    def on_timer(self, orders: Any) -> None:
        self.lots = orders.lots_for(self.value, self.price)

    def on_stop(self, orders: Any) -> None:
        self.lots = orders.sellable_lots


instruments = st.builds(
    Instrument,
    venue=st.just("v"), symbol=st.just("A-B"), venue_symbol=st.just("AB"), base=st.just("A"), quote=st.just("B"),
    price_decimals=st.integers(0, 18), qty_decimals=st.integers(0, 18),
    tick_units=st.one_of(st.integers(1, 50), st.integers(1, (1 << 63) - 1)),
    lot_units=st.one_of(st.integers(1, 10**8), st.integers(1, (1 << 63) - 1)),
)  # fmt: skip


def real_desk(instrument: Instrument, exposure: Exposure) -> Desk:
    """The desk of an engine that does nothing."""
    engine: Any = SimpleNamespace(now_ns=0)
    book = OrderBook(instrument, plain_kernels())
    account: Any = None
    [traits] = traits_of([instrument])
    return Desk(engine, Strategy(), 0, 0, 0, instrument, traits, book.view, exposure, account)


@given(
    instruments,
    st.one_of(st.floats(-1e12, 1e12), st.floats(allow_infinity=True, allow_nan=True), st.integers(0, 10**6).map(float)),
    st.one_of(st.integers(-2, 10**7), st.integers(1, 1 << 61)),
    st.booleans(),
)
def test_lots_for_is_the_desks(instrument: Instrument, value: float, price: int, whole: bool) -> None:
    """The same lots as the engine's desk, however large the numbers; what is no 63 bits raises."""
    both = BothForms(Sizer, instrument=instrument)
    both.compiled.value, both.compiled.price = value, price
    try:
        # a whole value gives the lots of the float that it becomes in compiled code
        given_value = int(value) if whole and float(int(value)) == value else value
        wanted = real_desk(instrument, Exposure()).lots_for(given_value, price)
    except (OverflowError, ValueError):
        wanted = 1 << 63
    code = both._handlers.call(Handler.TIMER, both.compiled.address, 0, both.book.address, both.desk.address)
    if -(1 << 63) <= wanted < 1 << 63:
        assert (code, both.compiled.lots) == (0, wanted)
    else:
        assert code == 1


@given(instruments, *[st.integers(-(1 << 60), 1 << 60)] * 3)
def test_sellable_lots_are_the_desks(instrument: Instrument, position: int, inventory: int, open_sell: int) -> None:
    """The same lots as the engine's desk."""
    both = BothForms(Sizer, instrument=instrument)
    e = both.exposure
    e.position, e.inventory, e.open_sell = position, inventory, open_sell
    both._handlers.call(Handler.STOP, both.compiled.address, 0, both.book.address, both.desk.address)
    assert both.compiled.lots == real_desk(instrument, e).sellable_lots
