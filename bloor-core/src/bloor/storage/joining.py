"""Which orders trades executed, where a venue tells its orders and its trades apart.

An order that becomes smaller was executed, or it was cancelled; which of them it was, the trades say. They come over
another channel, some time before or after, so each waits for the other. A trade belongs to an order at its price that
became smaller by as much, at the same time; to the next ones where it is as much as they together; and where the times
are the same to the microsecond, as far as it goes. What stays without a trade was cancelled, and a trade that stays
without an order executed one that is not shown: beyond the depth of the book, or hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attrs import Factory, define

__all__ = ["PATIENCE_NS", "WINDOW_NS", "Executed", "Executions", "Unshown"]

#: How far apart, by the venue's clock, a trade may be from the change of the order that it executed.
WINDOW_NS = 10_000_000
#: How long, by the venue's clock, something waits for the other channel, which may be late.
PATIENCE_NS = 60_000_000_000
#: Times that are this near are the same: trades are stamped to the microsecond.
_SAME_NS = 1_000
#: Prices that are remembered at most, before those that are over are forgotten.
_MOST = 4_096


class Executed(NamedTuple):
    """So much of an order was executed.

    Attributes:
        number: The order's.
        units: How much.
    """

    number: int
    units: int


class Unshown(NamedTuple):
    """A trade of an order that is not shown.

    Attributes:
        ns: When, by the venue's clock.
        side: Of the order: +1 a bid, -1 an ask.
        price: Its price, ticks.
        units: How much.
    """

    ns: int
    side: int
    price: int
    units: int


@define(eq=False)
class _Waiting:
    """What waits for the other: a trade (number 0), or an order that became smaller."""

    ns: int
    units: int
    number: int = 0


@define(eq=False)
class _Level:
    trades: list[_Waiting] = Factory(list)
    orders: list[_Waiting] = Factory(list)

    def forget(self, ns: int) -> None:
        """Nothing waits for ever."""
        for waiting in (self.trades, self.orders):
            waiting[:] = [each for each in waiting if each.units and ns - each.ns <= PATIENCE_NS]


class Executions:
    """What waits, of every instrument; in integers of its ticks and units."""

    def __init__(self) -> None:
        self._levels: dict[tuple[int, int, int], _Level] = {}
        #: for each instrument, the trades that wait: side, price, and what waits
        self._trades: dict[int, list[tuple[int, int, _Waiting]]] = {}

    def gone(self, index: int, side: int, price: int, number: int, units: int, ns: int) -> int:
        """An order became smaller; how much of that is known to have been executed.

        Args:
            index: The instrument.
            side: +1 a bid, -1 an ask.
            price: Its price, ticks.
            number: The order's.
            units: By how much.
            ns: When, by the venue's clock.
        """
        level = self._at(index, side, price, ns)
        order = _Waiting(ns, units, number)
        for trade in _of_size(level.trades, units, ns):
            order.units -= _taken(trade, order.units)
        if order.units:
            level.orders.append(order)
        return units - order.units

    def traded(self, index: int, side: int, price: int, units: int, ns: int) -> list[Executed]:
        """A trade; the orders that it is known to have executed.

        Args:
            index: The instrument.
            side: Of the orders that rested: +1 bids, -1 asks.
            price: Its price, ticks.
            units: Its quantity.
            ns: When, by the venue's clock.
        """
        level = self._at(index, side, price, ns)
        trade = _Waiting(ns, units)
        found = []
        for order in _of_size(level.orders, units, ns):
            done = _taken(order, trade.units)
            trade.units -= done
            found.append(Executed(order.number, done))
        if trade.units:
            level.trades.append(trade)
            self._trades.setdefault(index, []).append((side, price, trade))
        return found

    def unshown(self, index: int, ns: int) -> list[Unshown]:
        """The trades of orders that are not shown: the book is told up to a time, and none of it was theirs."""
        waiting = self._trades.get(index)
        if not waiting:
            return []
        left = [each for each in waiting if each[2].units]
        self._trades[index] = [each for each in left if each[2].ns >= ns - WINDOW_NS]
        found = []
        for side, price, trade in left:
            if trade.ns < ns - WINDOW_NS:
                found.append(Unshown(trade.ns, side, price, trade.units))
                trade.units = 0
        return sorted(found)

    def rescaled(self, index: int, price: int, units: int) -> None:
        """Prices and quantities of an instrument count so many times as much from here on."""
        for key in [key for key in self._levels if key[0] == index]:
            level = self._levels.pop(key)
            for each in (*level.trades, *level.orders):
                each.units *= units
            self._levels[index, key[1], key[2] * price] = level
        self._trades[index] = [(side, at * price, each) for side, at, each in self._trades.get(index, ())]

    def _at(self, index: int, side: int, price: int, ns: int) -> _Level:
        if len(self._levels) >= _MOST:
            for key, level in list(self._levels.items()):
                level.forget(ns)
                if not (level.trades or level.orders):
                    del self._levels[key]
        level = self._levels.setdefault((index, side, price), _Level())
        level.forget(ns)
        return level


def _of_size(waiting: Sequence[_Waiting], units: int, ns: int) -> list[_Waiting]:
    """Those that ``units`` are, in their sequence; none when nothing fits."""
    waiting = [each for each in waiting if abs(each.ns - ns) <= WINDOW_NS]
    for each in waiting:
        if each.units == units:
            return [each]
    found, left = [], units
    for each in waiting:
        if each.units > left:
            break
        found.append(each)
        left -= each.units
        if not left:
            return found
    return [each for each in waiting if abs(each.ns - ns) <= _SAME_NS]


def _taken(waiting: _Waiting, units: int) -> int:
    """Takes as much as there is, at most so much."""
    done = min(waiting.units, units)
    waiting.units -= done
    return done
