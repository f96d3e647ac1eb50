"""One side of a matching book: price levels, each a first-in-first-out queue.

Levels are kept by *key* = price x side (bids: price, asks: -price) in one ascending list, so that on both sides the
best level is the last element and "at least as good as" is ``>=``.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator

from bloor.model.orders import Side
from bloor.simulation.orders import BookOrder

__all__ = ["BookSide", "Level"]


class Level:
    """The queue at one price.

    Attributes:
        price: Its price in ticks.
        queue: Orders in time priority, the head is matched first.
        units: Sum of what remains in the queue.
        market: The part of ``units`` that belongs to the market (owner None).
    """

    __slots__ = ("market", "price", "queue", "units")

    def __init__(self, price: int) -> None:
        self.price = price
        self.queue: deque[BookOrder] = deque()
        self.units = 0
        self.market = 0

    def append(self, order: BookOrder) -> None:
        """Adds an order with the lowest priority."""
        self.queue.append(order)
        self.units += order.remaining
        if order.owner is None:
            self.market += order.remaining

    def remove(self, order: BookOrder) -> None:
        """Takes an order out of the queue."""
        self.queue.remove(order)
        self.units -= order.remaining
        if order.owner is None:
            self.market -= order.remaining

    def execute(self, order: BookOrder, units: int) -> None:
        """Reduces an order of this queue; an order without remainder leaves the queue."""
        order.remaining -= units
        self.units -= units
        if order.owner is None:
            self.market -= units
        if not order.remaining:
            self.queue.remove(order)


class BookSide:
    """All levels of one side.

    Attributes:
        side: Buy for the bids.
        levels: Price in ticks -> its level; no level is empty.
    """

    __slots__ = ("_keys", "levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[int, Level] = {}
        self._keys: list[int] = []

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> Level | None:
        """The best level."""
        return self.levels[self._keys[-1] * self.side] if self._keys else None

    def at(self, price: int) -> Level:
        """The level at a price, made when it is not there; an empty one must be given back to :meth:`prune`."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level(price)
            insort(self._keys, price * self.side)
        return level

    def prune(self, level: Level) -> None:
        """Removes the level if it is empty."""
        if not level.queue:
            del self.levels[level.price]
            del self._keys[bisect_left(self._keys, level.price * self.side)]

    def reaches(self, level: Level, limit: int) -> bool:
        """Whether an opposite order with this limit price (0: none) may take the level."""
        return not limit or level.price * self.side >= limit * self.side

    def best_first(self) -> Iterator[Level]:
        """Levels from the best to the worst; the book must not change meanwhile."""
        for key in reversed(self._keys):
            yield self.levels[key * self.side]

    def at_least(self, price: int) -> list[Level]:
        """Levels at ``price`` or better, best first; a copy, so the book may change meanwhile."""
        first = bisect_left(self._keys, price * self.side)
        return [self.levels[key * self.side] for key in reversed(self._keys[first:])]
