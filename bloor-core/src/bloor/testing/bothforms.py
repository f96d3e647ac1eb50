"""Both forms of a compiled strategy side by side, for tests: the same events, and every difference is an error.

::

    both = BothForms(Momentum)
    both.trade.price = 100
    both.call(Handler.TRADE, both.trade)
    assert both.asked == []
"""

from __future__ import annotations

from ctypes import CFUNCTYPE, c_int64, c_void_p, cast
from typing import Any

from bloor.market.bars import BarRecord
from bloor.market.book import OrderBook
from bloor.market.events import EventView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.model.records import RecordView
from bloor.risk.check import Exposure
from bloor.strategy.api import Strategy
from bloor.strategy.compiled.handlers import compile_handlers
from bloor.strategy.memory import METHODS, FillRecord, Handler, OrderRecord, OrdersRecord, in_memory

__all__ = ["INSTRUMENT", "BothForms", "PlainOrders"]

INSTRUMENT = Instrument(
    venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=8, lot_units=1000
)

_PLACE = CFUNCTYPE(c_int64, *[c_int64] * 6)
_CANCEL = CFUNCTYPE(c_int64, *[c_int64] * 4)


class PlainOrders:
    """``orders`` of a Python handler; what is asked for is written down and never denied."""

    def __init__(self, desk: OrdersRecord, exposure: Exposure, instrument: Instrument) -> None:
        self._desk = desk
        self._exposure = exposure
        self._instrument = instrument
        self.asked: list[tuple[int | str, ...]] = []
        self.lot_units = instrument.lot_units
        self.min_lots = instrument.min_lots

    @property
    def now_ns(self) -> int:
        """Time of the event."""
        return self._desk.now_ns

    @property
    def position(self) -> int:
        """Filled position in units."""
        return self._exposure.position

    @property
    def open_buy(self) -> int:
        """Units of open buy orders."""
        return self._exposure.open_buy

    @property
    def open_sell(self) -> int:
        """Units of open sell orders."""
        return self._exposure.open_sell

    @property
    def open_orders(self) -> int:
        """Number of open orders."""
        return self._exposure.open_orders

    @property
    def sellable_lots(self) -> int:
        """Whole lots that can still be sold."""
        e = self._exposure
        return max(0, e.position + e.inventory - e.open_sell) // self.lot_units

    def lots_for(self, value: float, price: int) -> int:
        """Whole lots that ``value`` buys."""
        i = self._instrument
        return int(float(value) * 10**i.value_decimals / i.value_units(price, i.lot_units)) if price > 0 else 0

    def buy(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Writes down a buy order; its number."""
        return self._place(1, price, lots, post_only, ioc)

    def sell(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Writes down a sell order; its number."""
        return self._place(-1, price, lots, post_only, ioc)

    def cancel(self, number: int) -> bool:
        """Writes down a cancel, which is refused for even numbers."""
        self.asked.append((number,))
        return number % 2 != 0

    def cancel_all(self) -> int:
        """Writes down a cancel of everything, and says two."""
        self.asked.append(())
        return 2

    def replace(self, number: int, price: int, lots: int) -> int:
        """Writes down a replacement, which is refused for even numbers and raises for 13; the new number."""
        self.asked.append(("replace", number, price, lots))
        if number == 13:
            raise ValueError("unlucky")
        return len(self.asked) if number % 2 else 0

    def amend(self, number: int, lots: int) -> bool:
        """Writes down a reduction, which is refused for even numbers and raises for 13."""
        self.asked.append(("amend", number, lots))
        if number == 13:
            raise ValueError("unlucky")
        return number % 2 != 0

    def _place(self, side: int, price: int, lots: int, post_only: bool, ioc: bool) -> int:
        kind = OrderType.POST_ONLY if post_only else OrderType.LIMIT
        tif = TimeInForce.IOC if ioc and not post_only else TimeInForce.GTC
        return self.asked_for(0, side, price, lots, int(kind), int(tif))

    def asked_for(self, _orders: int, *order: int) -> int:
        """Writes down an order; its number, from 1."""
        self.asked.append(order)
        return len(self.asked)


def _answer(request: Any, *asked: int) -> int:
    """What compiled code is told: -1 for what raises."""
    try:
        return int(request(*asked))
    except ValueError:
        return -1


class BothForms:
    """A strategy twice, compiled and not, each with its own memory and the same surroundings.

    Attributes:
        python: The instance whose handlers run as Python.
        compiled: The instance that compiled handlers work on.
        levels: The book; change it before an event.
        book: Its top, which may be written to as well.
        trade: For ``TRADE`` and ``BBO``; so the next three for the events that they are named after.
        bar: See above.
        fill: See above.
        order: See above.
        exposure: What the strategy holds.
        desk: Time and everything else of ``orders``.
    """

    def __init__(
        self,
        cls: type[Strategy],
        config: Any = None,
        instrument: Instrument = INSTRUMENT,
        orders: type[PlainOrders] = PlainOrders,
    ) -> None:
        """Makes both.

        Args:
            cls: The strategy.
            config: Its parameters; None for its defaults.
            instrument: What it trades.
            orders: What answers to what it asks for.
        """
        self._handlers = compile_handlers(cls)
        self.python, self.compiled = in_memory(cls)(config), in_memory(cls)(config)
        self.levels = OrderBook(instrument)
        self.book, self.trade, self.bar = self.levels.view, EventView(), BarRecord()
        self.fill, self.order, self.exposure, self.desk = FillRecord(), OrderRecord(), Exposure(), OrdersRecord()
        self._plain = orders(self.desk, self.exposure, instrument)
        self._native = orders(self.desk, self.exposure, instrument)
        self._functions = (
            _PLACE(self._native.asked_for),
            _CANCEL(lambda _orders, number, _x, _y: self._native.cancel(number)),
            _CANCEL(lambda _orders, _x, _y, _z: self._native.cancel_all()),
            _CANCEL(lambda _orders, *asked: _answer(self._native.replace, *asked)),
            _CANCEL(lambda _orders, number, lots, _z: _answer(self._native.amend, number, lots)),
        )
        d = self.desk
        addresses = [cast(function, c_void_p).value or 0 for function in self._functions]
        d.place, d.cancel, d.cancel_all, d.replace, d.amend = addresses
        d.exposure, d.book = self.exposure.address, self.book.address
        d.lot_units, d.min_lots, d.tick_units = instrument.lot_units, instrument.min_lots, instrument.tick_units
        d.value_scale = float(10**instrument.value_decimals)

    @property
    def asked(self) -> list[tuple[int | str, ...]]:
        """What was asked for so far.

        ``(side, price, lots, type, tif)`` of an order, ``(number,)`` of a cancel, ``()`` of all,
        ``("replace", number, price, lots)``, ``("amend", number, lots)``.
        """
        return self._plain.asked

    def call(self, handler: Handler, event: RecordView | None = None) -> BaseException | None:
        """Runs a handler in both forms.

        Args:
            handler: Which.
            event: What it is given beside the book and the orders.

        Returns:
            What it raised in Python; then the compiled form has raised too.

        Raises:
            AssertionError: The two differ in what they asked for, raised or left in memory.
        """
        raised: BaseException | None = None
        book = () if handler in (Handler.START, Handler.STOP, Handler.TIMER) else (self.book,)
        try:
            getattr(self.python, METHODS[handler])(*([event] if event else []), *book, self._plain)
        except Exception as error:  # noqa: BLE001 (whatever a handler raises)
            raised = error
        address = event.address if event else 0
        code = self._handlers.call(handler, self.compiled.address, address, self.book.address, self.desk.address)
        assert code == int(raised is not None), f"Python raised {raised!r}, compiled code answered {code}"
        assert self._native.asked == self._plain.asked, f"asked for {self._native.asked}, Python {self._plain.asked}"
        one, other = self.compiled.memory, self.python.memory
        assert one.tobytes() == other.tobytes(), f"{one.dtype.names}: compiled {one[0]}, Python {other[0]}"
        return raised
