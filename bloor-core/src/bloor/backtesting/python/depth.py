"""The levels of a book for strategies that are ordinary Python: made when somebody first looks at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakMethod

from bloor.model.orders import Side

if TYPE_CHECKING:
    from bloor.market.book import OrderBook

__all__ = ["LevelsOnDemand"]


class LevelsOnDemand:
    """A :class:`~bloor.market.view.Depth` that has its book made at the first question."""

    def __init__(self, make: Callable[[], OrderBook]) -> None:
        """Remembers who can make the book.

        Args:
            make: A method of what lives as long as anybody looks; it is not kept alive.
        """
        self._make = WeakMethod(make)
        self._made: OrderBook | None = None

    @property
    def _book(self) -> OrderBook:
        if self._made is None:
            make = self._make()
            assert make is not None
            self._made = make()
        return self._made

    def size_at(self, side: Side, ticks: int) -> int:
        """Units at a price."""
        return self._book.size_at(side, ticks)

    def level(self, side: Side, n: int) -> tuple[int, int]:
        """The ``n``-th level."""
        return self._book.level(side, n)

    def size_to(self, side: Side, price: int) -> int:
        """Units from the best level to a price."""
        return self._book.size_to(side, price)

    def average_price(self, side: Side, units: int) -> tuple[int, int]:
        """What taking ``units`` would trade: value and units."""
        return self._book.average_price(side, units)
