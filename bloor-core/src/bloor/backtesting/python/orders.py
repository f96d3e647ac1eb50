"""What a strategy that is ordinary Python asks of its desk in a backtest: :class:`bloor.strategy.api.Orders`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from weakref import ref

import numpy as np

from bloor.backtesting.kernels import calling
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.native.builtin import MethodDefinition, builtin
from bloor.risk.check import Exposure
from bloor.strategy.memory import OrdersRecord

__all__ = ["DeskOrders"]

BUY, SELL = int(Side.BUY), int(Side.SELL)
LIMIT, POST_ONLY = int(OrderType.LIMIT), int(OrderType.POST_ONLY)
GTC, IOC = int(TimeInForce.GTC), int(TimeInForce.IOC)


def _cell(record: type[Any], name: str) -> int:
    return int(record.DTYPE.fields[name][1]) // 8


NOW = _cell(OrdersRecord, "now_ns")
POSITION, INVENTORY = _cell(Exposure, "position"), _cell(Exposure, "inventory")
OPEN_BUY, OPEN_SELL, OPEN_ORDERS = (_cell(Exposure, name) for name in ("open_buy", "open_sell", "open_orders"))


class DeskOrders:
    """The ``orders`` of every handler of one desk.

    Attributes:
        book: The instrument's book.
        instrument: What is traded.
        leg: Index of this instrument among those of the strategy.
        legs: How many those are.
        lot_units: Units in a lot.
        min_lots: Smallest order, in lots.
        venue: Number of the venue; see :class:`bloor.strategy.legs.Traits`, as all that follow.
        base: Number of the base asset.
        quote: Number of the quote asset.
        tick: A tick, in the quote asset.
        lot: A lot, in the base asset.
        unit: A unit, in the base asset.
    """

    __slots__ = (
        "__weakref__", "_amend", "_cancel", "_cancel_all", "_cells", "_held", "_joined", "_place", "_record",
        "_replace", "base", "book", "instrument", "leg", "legs", "lot", "lot_units", "min_lots", "quote", "tick",
        "unit", "venue",
    )  # fmt: skip

    def __init__(self, record: OrdersRecord, exposure: Exposure, book: BookView, instrument: Instrument) -> None:
        """Makes the orders of one desk.

        Args:
            record: What kernels know of it; everything there is filled in but its legs.
            exposure: What it holds and has open.
            book: The instrument's book.
            instrument: What is traded.
        """
        self._record = record
        self._cells, self._held = (memoryview(each.array.view(np.int64).data) for each in (record, exposure))
        self.book, self.instrument = book, instrument
        self.lot_units, self.min_lots = record.lot_units, record.min_lots
        self.venue, self.base, self.quote = record.venue, record.base, record.quote
        self.tick, self.lot, self.unit = record.tick, record.lot, record.unit
        self._place = _request(record.place, record, 5)
        self._cancel = _request(record.cancel, record, 1)
        self._cancel_all = _request(record.cancel_all, record, 0)
        self._replace = _request(record.replace, record, 3)
        self._amend = _request(record.amend, record, 2)
        self.join(0, [self])

    def join(self, leg: int, desks: Sequence[DeskOrders]) -> None:
        """Becomes one of the desks of a strategy that trades several instruments together.

        Args:
            leg: Its index there.
            desks: All of them; somebody else keeps them alive.
        """
        self.leg, self.legs = leg, len(desks)
        self._joined = [ref(desk) for desk in desks]

    # ---- what it owns

    @property
    def now_ns(self) -> int:
        """Time of the event being handled, wall ns since the epoch."""
        return self._cells[NOW]

    @property
    def position(self) -> int:
        """Filled position in units, signed."""
        return self._held[POSITION]

    @property
    def open_buy(self) -> int:
        """Units of open buy orders that may still fill."""
        return self._held[OPEN_BUY]

    @property
    def open_sell(self) -> int:
        """Units of open sell orders that may still fill."""
        return self._held[OPEN_SELL]

    @property
    def open_orders(self) -> int:
        """Number of open orders."""
        return self._held[OPEN_ORDERS]

    @property
    def sellable_lots(self) -> int:
        """Whole lots that a spot account can still sell: held, less fees paid in the base asset, less open sells."""
        held = self._held
        return max(0, held[POSITION] + held[INVENTORY] - held[OPEN_SELL]) // self.lot_units

    def lots_for(self, value: float, price: int) -> int:
        """How many whole lots ``value`` of the quote asset buys at ``price`` ticks; 0 at a price that is none."""
        i = self.instrument
        if price <= 0:
            return 0
        return int(float(value) * 10**i.value_decimals / i.value_units(price, i.lot_units))

    def of(self, leg: int) -> DeskOrders:
        """The desk of another leg.

        Raises:
            IndexError: There is no such leg.
        """
        if not 0 <= leg < self.legs:
            raise IndexError(f"of: expected a leg from 0 to {self.legs - 1}, got {leg}")
        other = self._joined[leg]()
        assert other is not None
        other._cells[NOW] = self._cells[NOW]
        return other

    # ---- what it asks for

    def buy(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Asks for a limit buy order; the order's number, or 0 when the gate denied it."""
        if post_only:
            return self._place(BUY, price, lots, POST_ONLY, GTC)
        return self._place(BUY, price, lots, LIMIT, IOC if ioc else GTC)

    def sell(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Asks for a limit sell order; see :meth:`buy`."""
        if post_only:
            return self._place(SELL, price, lots, POST_ONLY, GTC)
        return self._place(SELL, price, lots, LIMIT, IOC if ioc else GTC)

    def cancel(self, number: int) -> bool:
        """Asks to cancel one order; False when it is not open or its cancel is already on the way."""
        return self._cancel(number) != 0

    def cancel_all(self) -> int:
        """Asks to cancel every open order of this desk; returns how many cancels were sent."""
        return self._cancel_all()

    def replace(self, number: int, price: int, lots: int) -> int:
        """Asks to cancel one order and place another of its side and kind; the new one's number, or 0."""
        return self._replace(number, price, lots)

    def amend(self, number: int, lots: int) -> bool:
        """Asks to reduce one order, which keeps its place; False when nothing was sent."""
        return self._amend(number, lots) != 0


def _request(function: int, record: OrdersRecord, count: int) -> Callable[..., int]:
    """A function of Python that is one request."""
    cells = np.array([function, record.address, count], np.int64)
    made: Callable[..., int] = builtin(_definition(), int(cells.ctypes.data), (cells, record))
    return made


@cache
def _definition() -> MethodDefinition:
    """What the builtins point to; it lives as long as the process."""
    return MethodDefinition.of(b"ask", calling().address["ask"], b"a request of a strategy in a backtest")
