"""Orders at their levels, in the sequence in which they joined: what order-level data say, put into terms of levels.

Each order has a number, in the sequence in which the instrument's orders joined a queue: from 1 on, or the time at
which it joined where that is known. One whose quantity rises, or whose price changes, loses its place: it leaves, and
joins with a new number. One that becomes smaller keeps it. Where a book is cleared and told anew, an order keeps its
number if it is what it was, or smaller.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable, Iterator, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import NamedTuple

import numpy as np
from attrs import Factory, define

from bloor.errors import RemoteProtocolError
from bloor.market.messages import OrderRow, Orders
from bloor.model.instrument import Instrument
from bloor.native.memory import Cells

__all__ = ["OrderChange", "OrderQueues", "as_levels"]

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
        gone: By how much the order became smaller at its place.
    """

    side: int
    price: str
    total: str
    number: int
    executed: str = "0"
    gone: str = "0"


@define(eq=False)
class _Order:
    side: int
    price: Decimal
    qty: Decimal
    number: int


@define(eq=False)
class _Level:
    text: str
    total: Decimal = ZERO
    orders: dict[Hashable, _Order] = Factory(dict)


class OrderQueues:
    """The orders of one instrument, by id.

    Attributes:
        newest: The highest number of an order so far; 0 before the first.
    """

    def __init__(self) -> None:
        self.newest = 0
        self._orders: dict[Hashable, _Order] = {}
        self._levels: dict[tuple[int, Decimal], _Level] = {}
        #: prices of a side, times -side, rising: the best is the first
        self._keys: dict[int, list[Decimal]] = {BID: [], ASK: []}
        self._cleared: dict[Hashable, _Order] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, order: Hashable) -> bool:
        return order in self._orders

    # ---- what happens -----------------------------------------------------------------------------------------------

    def add(self, order: Hashable, side: int, price: str, qty: str, joined: int = 0) -> list[OrderChange]:
        """An order joins the queue at its price.

        Args:
            order: Its id.
            side: +1 a bid, -1 an ask.
            price: Its price.
            qty: Its quantity.
            joined: Its number, should the data say in which sequence orders joined; it is raised above that of the
                last order of the level. 0: the next one.

        Raises:
            RemoteProtocolError: It is there already, or says no side, or a number is not above 0; as of the others.
        """
        if order in self._orders:
            raise RemoteProtocolError(f"order {order} is added, and it is there already")
        if side not in (BID, ASK):
            raise RemoteProtocolError(f"order {order} is added, expected a bid or an ask, got neither")
        at, units = _positive(order, price), _positive(order, qty)
        before = self._cleared.pop(order, None)
        if before is not None and (before.side, before.price) == (side, at) and units <= before.qty:
            return [self._join(order, _Order(side, at, units, before.number), price)]
        return [self._join(order, _Order(side, at, units, self._number(side, at, joined)), price)]

    def reduce(self, order: Hashable, qty: str, executed: str = "0") -> list[OrderChange]:
        """An order becomes smaller, or leaves with quantity 0; it keeps its place."""
        found, units = self._find(order), _amount(order, qty)
        if units > found.qty:
            raise RemoteProtocolError(f"order {order} becomes smaller, expected at most {found.qty:f}, got {units:f}")
        return [self._resized(order, found, units, executed)]

    def cancel(self, order: Hashable) -> list[OrderChange]:
        """An order leaves."""
        return self.reduce(order, "0")

    def modify(
        self, order: Hashable, price: str, qty: str, joined: int = 0, *, keeps: bool = False
    ) -> list[OrderChange]:
        """An order has another price or quantity; it loses its place unless it only becomes smaller.

        Args:
            order: Its id.
            price: Its price now.
            qty: Its quantity now.
            joined: As of :meth:`add`, where it loses its place.
            keeps: Whether it keeps its place at its price also where it grows.
        """
        found, units, at = self._find(order), _positive(order, qty), _positive(order, price)
        if at == found.price and (keeps or units <= found.qty):
            return [self._resized(order, found, units)]
        gone = self._resized(order, found, ZERO)._replace(gone="0")
        return [gone, self._join(order, _Order(found.side, at, units, self._number(found.side, at, joined)), price)]

    def execute(self, order: Hashable, qty: str) -> list[OrderChange]:
        """So much of an order was executed; it becomes smaller, or leaves, with a change that follows."""
        found = self._find(order)
        level = self._levels[found.side, found.price]
        done = f"{_positive(order, qty):f}"
        return [OrderChange(found.side, level.text, f"{level.total:f}", found.number, done)]

    def clear(self, side: int = 0) -> list[OrderChange]:
        """Every order of a side is gone, of both with 0; those that are told anew keep their numbers."""
        gone = [key for key in self._levels if side in (0, key[0])]
        self._cleared = {}
        changes = []
        for key in gone:
            level = self._dropped(key)
            self._cleared |= level.orders
            changes.append(OrderChange(key[0], level.text, "0", 0))
        return changes

    def truncate(self, depth: int) -> int:
        """Forgets the orders of the worst levels of each side until ``depth`` are left; how many levels went."""
        cut = [(side, -side * key) for side, keys in self._keys.items() for key in keys[depth:]]
        for level in cut:
            self._dropped(level)
        return len(cut)

    # ---- what is there ----------------------------------------------------------------------------------------------

    def prices(self, side: int, count: int | None = None) -> list[str]:
        """The best prices of a side, best first, all without a count."""
        return [self._levels[side, -side * key].text for key in self._keys[side][:count]]

    def queue(self, side: int, price: str) -> list[Decimal]:
        """The quantities of the orders at a price, in their sequence."""
        level = self._levels.get((side, Decimal(price)))
        return [] if level is None else [order.qty for order in level.orders.values()]

    def best(self, side: int) -> Iterator[tuple[str, list[Decimal]]]:
        """Price and quantities of the levels of a side, best first; the orders of each in their sequence."""
        return ((price, self.queue(side, price)) for price in self.prices(side))

    def any_grows(self, changes: Iterable[tuple[Hashable, str, str]]) -> bool:
        """Whether, by ``(order, price, quantity)`` of one of these, an order grows at its price."""
        known = ((self._orders.get(order), Decimal(price), Decimal(qty)) for order, price, qty in changes)
        return any(found is not None and found.price == at and qty > found.qty for found, at, qty in known)

    def whole(self) -> list[OrderChange]:
        """Every order as if it joined now: bids and asks best first, at each price in their sequence."""
        found = []
        for side in (BID, ASK):
            for key in self._keys[side]:
                level, total = self._levels[side, -side * key], ZERO
                for order in level.orders.values():
                    total = _sum(total, order.qty)
                    found.append(OrderChange(side, level.text, f"{total:f}", order.number))
        return found

    @property
    def crossed(self) -> bool:
        """Whether the best bid is not below the best ask."""
        bids, asks = self._keys[BID], self._keys[ASK]
        return bool(bids and asks) and -bids[0] >= asks[0]

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

    def _number(self, side: int, price: Decimal, joined: int) -> int:
        """The number of an order that joins."""
        if not joined:
            return self.newest + 1
        level = self._levels.get((side, price))
        return joined if level is None else max(joined, level.orders[next(reversed(level.orders))].number + 1)

    def _find(self, order: Hashable) -> _Order:
        found = self._orders.get(order)
        if found is None:
            raise RemoteProtocolError(f"order {order} changes, and it was never added")
        return found

    def _join(self, key: Hashable, order: _Order, text: str) -> OrderChange:
        level = self._levels.get((order.side, order.price))
        total = order.qty if level is None else _sum(level.total, order.qty)
        if level is None:
            level = self._levels[order.side, order.price] = _Level(text)
            insort(self._keys[order.side], -order.side * order.price)
        level.total = total
        level.orders[key] = self._orders[key] = order
        self.newest = max(self.newest, order.number)
        return OrderChange(order.side, level.text, f"{level.total:f}", order.number)

    def _resized(self, key: Hashable, order: _Order, units: Decimal, executed: str = "0") -> OrderChange:
        level = self._levels[order.side, order.price]
        gone = _sum(order.qty, -units)
        level.total, order.qty = _sum(level.total, -gone), units
        if not units:
            del level.orders[key], self._orders[key]
            if not level.orders:
                self._dropped((order.side, order.price))
        return OrderChange(
            order.side, level.text, f"{level.total:f}", order.number, executed, f"{gone:f}" if gone > 0 else "0"
        )

    def _dropped(self, key: tuple[int, Decimal]) -> _Level:
        """Takes a level away, and the orders that it has."""
        level, (side, price) = self._levels.pop(key), key
        keys = self._keys[side]
        del keys[bisect_left(keys, -side * price)]
        for order in level.orders:
            del self._orders[order]
        return level


def as_levels(
    changes: Iterable[OrderChange], queues: OrderQueues, *, tells_executions: bool
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], Orders]:
    """Changes as a :class:`~bloor.market.messages.BookMessage` has them: bids, asks, and whose orders they are of.

    Args:
        changes: In the sequence in which they happened.
        queues: The orders after them.
        tells_executions: Whether the data say what was executed.
    """
    placed: Sequence[tuple[int, OrderChange]] = sorted(enumerate(changes), key=lambda each: -each[1].side)
    bids, asks = ([(c.price, c.total) for _, c in placed if c.side == side] for side in (BID, ASK))
    rows = [OrderRow(each.number, place, each.executed, each.gone) for place, each in placed]
    return bids, asks, Orders(rows, queues, tells_executions)


def _sum(one: Decimal, other: Decimal) -> Decimal:
    """Both together, exactly."""
    try:
        return _EXACT.add(one, other)
    except Inexact:
        raise RemoteProtocolError(f"expected quantities of at most 80 digits together, got {one} and {other}") from None


def _amount(order: Hashable, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0:
        raise RemoteProtocolError(f"order {order}: expected a number, got {text[:40]!r}")
    return value


def _positive(order: Hashable, text: str) -> Decimal:
    value = _amount(order, text)
    if not value:
        raise RemoteProtocolError(f"order {order}: expected a number above 0, got {text[:40]!r}")
    return value
