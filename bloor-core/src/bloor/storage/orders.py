"""Orders at their levels, in the sequence in which they joined: what order-level data say, put into terms of levels.

Each order has a number, from 1 on, in the sequence in which the instrument's orders joined a queue. One whose quantity
rises, or whose price changes, loses its place: it leaves, and joins with a new number. One that becomes smaller keeps
it. Where a book is cleared and told anew, an order keeps its number if it is what it was, or smaller.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import NamedTuple

import numpy as np
from attrs import define

from bloor.errors import RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.native.memory import Cells

__all__ = ["OrderChange", "OrderQueues"]

#: Sums of quantities are exact, or an error.
_EXACT = Context(prec=80, traps=[Inexact, InvalidOperation])
ZERO = Decimal(0)
BID, ASK = 1, -1


class OrderChange(NamedTuple):
    """A change of a level by one order.

    Attributes:
        side: +1 a bid, -1 an ask.
        price: Of the level.
        total: What the level holds afterwards.
        number: The order's; 0 where the level is emptied.
        executed: How much of the order was executed with it.
    """

    side: int
    price: str
    total: str
    number: int
    executed: str = "0"


@define(eq=False)
class _Order:
    side: int
    price: str
    qty: Decimal
    number: int


@define(eq=False)
class _Level:
    total: Decimal
    orders: dict[int, _Order]


class OrderQueues:
    """The orders of one instrument, by id.

    Attributes:
        newest: The number of the order that joined last; 0 before the first.
    """

    def __init__(self) -> None:
        self.newest = 0
        self._orders: dict[int, _Order] = {}
        self._levels: dict[tuple[int, str], _Level] = {}
        self._cleared: dict[int, _Order] = {}

    def __len__(self) -> int:
        return len(self._orders)

    # ---- what happens -----------------------------------------------------------------------------------------------

    def add(self, order: int, side: int, price: str, qty: str) -> list[OrderChange]:
        """An order joins the queue at its price.

        Args:
            order: Its id.
            side: +1 a bid, -1 an ask.
            price: Its price.
            qty: Its quantity.

        Raises:
            RemoteProtocolError: It is there already, or says no side, or a number is not above 0; as of the others.
        """
        if order in self._orders:
            raise RemoteProtocolError(f"order {order} is added, and it is there already")
        if side not in (BID, ASK):
            raise RemoteProtocolError(f"order {order} is added, expected a bid or an ask, got neither")
        _positive(order, price)
        before, units = self._cleared.pop(order, None), _positive(order, qty)
        if before is not None and (before.side, before.price) == (side, price) and units <= before.qty:
            return [self._join(order, _Order(side, price, units, before.number))]
        return [self._join(order, _Order(side, price, units, self._next()))]

    def reduce(self, order: int, qty: str, executed: str = "0") -> list[OrderChange]:
        """An order becomes smaller, or leaves with quantity 0; it keeps its place."""
        found, units = self._find(order), _amount(order, qty)
        if units > found.qty:
            raise RemoteProtocolError(f"order {order} becomes smaller, expected at most {found.qty:f}, got {units:f}")
        return [self._resized(order, found, units, executed)]

    def cancel(self, order: int) -> list[OrderChange]:
        """An order leaves."""
        return self.reduce(order, "0")

    def modify(self, order: int, price: str, qty: str) -> list[OrderChange]:
        """An order has another price or quantity; it loses its place unless it only becomes smaller."""
        found, units = self._find(order), _positive(order, qty)
        _positive(order, price)
        if price == found.price and units <= found.qty:
            return [self._resized(order, found, units)]
        gone = self._resized(order, found, ZERO)
        return [gone, self._join(order, _Order(found.side, price, units, self._next()))]

    def execute(self, order: int, qty: str) -> list[OrderChange]:
        """So much of an order was executed; it becomes smaller, or leaves, with a change that follows."""
        found = self._find(order)
        total = self._levels[found.side, found.price].total
        return [OrderChange(found.side, found.price, f"{total:f}", found.number, f"{_positive(order, qty):f}")]

    def clear(self, side: int = 0) -> list[OrderChange]:
        """Every order of a side is gone, of both with 0; those that are told anew keep their numbers."""
        gone = [key for key in self._levels if side in (0, key[0])]
        self._cleared = {}
        for key in gone:
            self._cleared |= self._levels.pop(key).orders
        for order in self._cleared:
            del self._orders[order]
        return [OrderChange(of, price, "0", 0) for of, price in gone]

    # ---- what is there ----------------------------------------------------------------------------------------------

    def whole(self) -> list[OrderChange]:
        """Every order as if it joined now: bids and asks best first, at each price in their sequence."""
        found = []
        for side in (BID, ASK):
            prices = [price for of, price in self._levels if of == side]
            for price in sorted(prices, key=Decimal, reverse=side == BID):
                total = ZERO
                for order in self._levels[side, price].orders.values():
                    total = _EXACT.add(total, order.qty)
                    found.append(OrderChange(side, price, f"{total:f}", order.number))
        return found

    @property
    def crossed(self) -> bool:
        """Whether the best bid is not below the best ask."""
        bids, asks = ([Decimal(price) for of, price in self._levels if of == side] for side in (BID, ASK))
        return bool(bids and asks) and max(bids) >= min(asks)

    def standing(self, instrument: Instrument) -> tuple[Cells, Cells, int]:
        """:meth:`whole` in numbers.

        Args:
            instrument: In whose ticks and units they count.

        Returns:
            ``(n, 2)`` ticks, and units of the level up to and with the order; ``(n, 3)`` number, 0 and place, as
            :meth:`~bloor.storage.sink.EventSink.book` takes them; how many of them, from the first, are bids.
        """
        rows = self.whole()
        levels = [(instrument.parse_price(each.price), instrument.parse_qty(each.total)) for each in rows]
        orders = [(each.number, 0, place) for place, each in enumerate(rows)]
        bids = sum(each.side == BID for each in rows)
        return np.array(levels, np.int64).reshape(-1, 2), np.array(orders, np.int64).reshape(-1, 3), bids

    # ---- within -----------------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self.newest += 1
        return self.newest

    def _find(self, order: int) -> _Order:
        found = self._orders.get(order)
        if found is None:
            raise RemoteProtocolError(f"order {order} changes, and it was never added")
        return found

    def _join(self, key: int, order: _Order) -> OrderChange:
        level = self._levels.setdefault((order.side, order.price), _Level(ZERO, {}))
        level.total = _EXACT.add(level.total, order.qty)
        level.orders[key] = self._orders[key] = order
        return OrderChange(order.side, order.price, f"{level.total:f}", order.number)

    def _resized(self, key: int, order: _Order, units: Decimal, executed: str = "0") -> OrderChange:
        level = self._levels[order.side, order.price]
        level.total = _EXACT.subtract(_EXACT.add(level.total, units), order.qty)
        order.qty = units
        if not units:
            del level.orders[key], self._orders[key]
            if not level.orders:
                del self._levels[order.side, order.price]
        return OrderChange(order.side, order.price, f"{level.total:f}", order.number, executed)


def _amount(order: int, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0:
        raise RemoteProtocolError(f"order {order}: expected a number, got {text[:40]!r}")
    return value


def _positive(order: int, text: str) -> Decimal:
    value = _amount(order, text)
    if not value:
        raise RemoteProtocolError(f"order {order}: expected a number above 0, got {text[:40]!r}")
    return value
