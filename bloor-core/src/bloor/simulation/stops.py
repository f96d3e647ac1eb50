"""Orders that wait for a price: stop-loss and take-profit orders outside the book.

A stop is reached by a trade at or beyond it. Which way "beyond" is follows from the order: a buy that limits a loss and
a sell that takes a profit wait for the price to rise, the other two for it to fall.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from bloor.simulation.account_orders import AccountOrder

__all__ = ["StopOrders", "passed", "reached"]


def reached(order: AccountOrder, price: int) -> bool:
    """Whether a trade at ``price`` (0: there was none) triggers an order."""
    return passed(order.stop, price, rises=order.rises)


def passed(stop: int, price: int, *, rises: bool) -> bool:
    """Whether a trade at ``price`` (0: there was none) is at or beyond a stop that is reached by rising or falling."""
    return bool(price) and (price >= stop if rises else price <= stop)


class StopOrders:
    """The waiting orders of one market, by the direction in which their stops lie.

    ``(stop x direction, id)`` ascending, so that on both lists the nearest stop is first and, at one price, the older
    order.
    """

    __slots__ = ("_falling", "_orders", "_rising")

    def __init__(self) -> None:
        self._rising: list[tuple[int, int]] = []
        self._falling: list[tuple[int, int]] = []
        self._orders: dict[int, AccountOrder] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: AccountOrder) -> None:
        """Lets an order wait."""
        insort(*self._entry(order))
        self._orders[order.id] = order
        order.waiting = True

    def remove(self, order: AccountOrder) -> None:
        """Ends an order's waiting."""
        keys, entry = self._entry(order)
        del keys[bisect_left(keys, entry)]
        del self._orders[order.id]
        order.waiting = False

    def take(self, low: int, high: int) -> AccountOrder | None:
        """The next order that trades between ``low`` and ``high`` trigger; it does not wait any longer."""
        for keys, price in ((self._rising, high), (self._falling, low)):
            if keys:
                order = self._orders[keys[0][1]]
                if reached(order, price):
                    self.remove(order)
                    return order
        return None

    def _entry(self, order: AccountOrder) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        if order.rises:
            return self._rising, (order.stop, order.id)
        return self._falling, (-order.stop, order.id)
