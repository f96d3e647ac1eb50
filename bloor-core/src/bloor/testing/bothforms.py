"""Both forms of a compiled strategy side by side, for tests: the same events, and every difference is an error.

::

    both = BothForms(Momentum)
    both.trade.price = 100
    both.call(Handler.TRADE, both.trade)
    assert both.asked == []
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import CFUNCTYPE, c_int64, c_void_p, cast
from typing import Any, Self

from bloor.market.bars import BarRecord
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.model.records import RecordView
from bloor.strategy.api import Strategy
from bloor.strategy.compiled.handlers import compile_handlers
from bloor.strategy.memory import METHODS, FillRecord, Handler, OrderRecord, in_memory
from bloor.testing.legs import StageLeg, stage_legs

__all__ = ["INSTRUMENT", "BothForms", "PlainOrders"]

INSTRUMENT = Instrument(
    venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=8, lot_units=1000
)

_PLACE = CFUNCTYPE(c_int64, *[c_int64] * 6)
_CANCEL = CFUNCTYPE(c_int64, *[c_int64] * 4)


class PlainOrders:
    """``orders`` of a Python handler; what is asked for is written down and never denied.

    Attributes:
        asked: What was asked for so far, on all legs.
        asked_on: The leg of each of these.
    """

    def __init__(self, on: StageLeg) -> None:
        self._on = on
        self._all: Sequence[PlainOrders] = (self,)
        self.asked: list[tuple[int | str, ...]] = []
        self.asked_on: list[int] = []
        self.leg = 0
        self.lot_units = on.instrument.lot_units
        self.min_lots = on.instrument.min_lots
        self.venue, self.base, self.quote, self.tick, self.lot, self.unit = on.traits

    @classmethod
    def all_of(cls, legs: Sequence[StageLeg]) -> list[Self]:
        """The orders of every leg of one strategy."""
        found = [cls(leg) for leg in legs]
        for number, orders in enumerate(found):
            orders.leg, orders._all = number, found
            orders.asked, orders.asked_on = found[0].asked, found[0].asked_on
        return found

    @property
    def legs(self) -> int:
        """How many instruments there are."""
        return len(self._all)

    @property
    def book(self) -> BookView:
        """The instrument's book."""
        return self._on.book

    def of(self, leg: int) -> PlainOrders:
        """The orders of another leg."""
        if not 0 <= leg < len(self._all):
            raise IndexError(f"of: expected a leg from 0 to {len(self._all) - 1}, got {leg}")
        return self._all[leg]

    @property
    def now_ns(self) -> int:
        """Time of the event."""
        return self._on.desk.now_ns

    @property
    def position(self) -> int:
        """Filled position in units."""
        return self._on.exposure.position

    @property
    def open_buy(self) -> int:
        """Units of open buy orders."""
        return self._on.exposure.open_buy

    @property
    def open_sell(self) -> int:
        """Units of open sell orders."""
        return self._on.exposure.open_sell

    @property
    def open_orders(self) -> int:
        """Number of open orders."""
        return self._on.exposure.open_orders

    @property
    def sellable_lots(self) -> int:
        """Whole lots that can still be sold."""
        e = self._on.exposure
        return max(0, e.position + e.inventory - e.open_sell) // self.lot_units

    def lots_for(self, value: float, price: int) -> int:
        """Whole lots that ``value`` buys."""
        i = self._on.instrument
        return int(float(value) * 10**i.value_decimals / i.value_units(price, i.lot_units)) if price > 0 else 0

    def buy(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Writes down a buy order; its number."""
        return self._place(1, price, lots, post_only, ioc)

    def sell(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Writes down a sell order; its number."""
        return self._place(-1, price, lots, post_only, ioc)

    def cancel(self, number: int) -> bool:
        """Writes down a cancel, which is refused for even numbers, and for orders of another leg."""
        self.note(number)
        return self.takes(number)

    def cancel_all(self) -> int:
        """Writes down a cancel of everything, and says two."""
        self.note()
        return 2

    def replace(self, number: int, price: int, lots: int) -> int:
        """Writes down a replacement, which is refused as a cancel is and raises for 13; the new number."""
        self.note("replace", number, price, lots)
        if number == 13:
            raise ValueError("unlucky")
        return len(self.asked) if self.takes(number) else 0

    def amend(self, number: int, lots: int) -> bool:
        """Writes down a reduction, which is refused as a cancel is and raises for 13."""
        self.note("amend", number, lots)
        if number == 13:
            raise ValueError("unlucky")
        return self.takes(number)

    def note(self, *request: int | str) -> None:
        """Writes down a request."""
        self.asked.append(request)
        self.asked_on.append(self.leg)

    def takes(self, number: int) -> bool:
        """Whether a change of an order is granted: of those with odd numbers, on the leg where they were asked for."""
        elsewhere = 0 < number <= len(self.asked) and self.asked_on[number - 1] != self.leg
        return number % 2 != 0 and not elsewhere

    def _place(self, side: int, price: int, lots: int, post_only: bool, ioc: bool) -> int:
        kind = OrderType.POST_ONLY if post_only else OrderType.LIMIT
        tif = TimeInForce.IOC if ioc and not post_only else TimeInForce.GTC
        return self.asked_for(0, side, price, lots, int(kind), int(tif))

    def asked_for(self, _orders: int, *order: int) -> int:
        """Writes down an order; its number, from 1."""
        self.note(*order)
        return len(self.asked)


def _answer(request: Any, *asked: int) -> int:
    """What compiled code is told: -1 for what raises."""
    try:
        return int(request(*asked))
    except ValueError:
        return -1


def _functions(orders: PlainOrders) -> tuple[Any, ...]:
    """What compiled code calls: place, cancel, cancel_all, replace, amend."""
    return (
        _PLACE(orders.asked_for),
        _CANCEL(lambda _orders, number, _x, _y: orders.cancel(number)),
        _CANCEL(lambda _orders, _x, _y, _z: orders.cancel_all()),
        _CANCEL(lambda _orders, *asked: _answer(orders.replace, *asked)),
        _CANCEL(lambda _orders, number, lots, _z: _answer(orders.amend, number, lots)),
    )


class BothForms:
    """A strategy twice, compiled and not, each with its own memory and the same surroundings.

    Attributes:
        python: The instance whose handlers run as Python.
        compiled: The instance that compiled handlers work on.
        legs: What it trades; its first one's ``levels``, ``book``, ``exposure`` and ``desk`` are attributes too.
        trade: For ``TRADE`` and ``BBO``; so the next three for the events that they are named after.
        bar: See above.
        fill: See above.
        order: See above.
    """

    def __init__(
        self,
        cls: type[Strategy],
        config: Any = None,
        instrument: Instrument = INSTRUMENT,
        orders: type[PlainOrders] = PlainOrders,
        *,
        others: Sequence[Instrument] = (),
    ) -> None:
        """Makes both.

        Args:
            cls: The strategy.
            config: Its parameters; None for its defaults.
            instrument: What it trades.
            orders: What answers to what it asks for.
            others: What it trades together with that.
        """
        self._handlers = compile_handlers(cls)
        self.python, self.compiled = in_memory(cls)(config), in_memory(cls)(config)
        self.legs = stage_legs([instrument, *others])
        self.trade, self.bar, self.fill, self.order = EventView(), BarRecord(), FillRecord(), OrderRecord()
        first = self.legs[0]
        self.levels, self.book, self.exposure, self.desk = first.levels, first.book, first.exposure, first.desk
        self._plain, self._native = orders.all_of(self.legs), orders.all_of(self.legs)
        self._called = [_functions(each) for each in self._native]
        for leg, functions in zip(self.legs, self._called, strict=True):
            addresses = [cast(function, c_void_p).value or 0 for function in functions]
            d = leg.desk
            d.place, d.cancel, d.cancel_all, d.replace, d.amend = addresses

    @property
    def asked(self) -> list[tuple[int | str, ...]]:
        """What was asked for so far.

        ``(side, price, lots, type, tif)`` of an order, ``(number,)`` of a cancel, ``()`` of all,
        ``("replace", number, price, lots)``, ``("amend", number, lots)``.
        """
        return self._plain[0].asked

    @property
    def asked_on(self) -> list[int]:
        """The leg of each of these."""
        return self._plain[0].asked_on

    def call(self, handler: Handler, event: RecordView | None = None, leg: int = 0) -> BaseException | None:
        """Runs a handler in both forms.

        Args:
            handler: Which.
            event: What it is given beside the book and the orders.
            leg: Whose event it is; the time is that of :attr:`desk`, whichever it is.

        Returns:
            What it raised in Python; then the compiled form has raised too.

        Raises:
            AssertionError: The two differ in what they asked for, raised or left in memory.
        """
        at = self.legs[leg]
        for each in self.legs:
            each.desk.now_ns = self.desk.now_ns
        raised: BaseException | None = None
        book = () if handler in (Handler.START, Handler.STOP, Handler.TIMER) else (at.book,)
        try:
            getattr(self.python, METHODS[handler])(*([event] if event else []), *book, self._plain[leg])
        except Exception as error:  # noqa: BLE001 (whatever a handler raises)
            raised = error
        address = event.address if event else 0
        code = self._handlers.call(handler, self.compiled.address, address, at.book.address, at.desk.address)
        assert code == int(raised is not None), f"Python raised {raised!r}, compiled code answered {code}"
        native = self._native[0]
        assert native.asked == self.asked, f"asked for {native.asked}, Python {self.asked}"
        assert native.asked_on == self.asked_on, f"asked on legs {native.asked_on}, Python {self.asked_on}"
        one, other = self.compiled.memory, self.python.memory
        assert one.tobytes() == other.tobytes(), f"{one.dtype.names}: compiled {one[0]}, Python {other[0]}"
        return raised
