"""What a strategy sees of a book: one record, the same memory from Python and from compiled code."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Protocol

import numpy as np

from bloor.errors import UsageError
from bloor.market.events import NO_PRICE
from bloor.model.orders import Side
from bloor.model.records import RecordView, record

__all__ = ["BookState", "BookView", "Depth"]

INT64_MAX = (1 << 63) - 1


class BookState(IntEnum):
    """Whether a book may be believed."""

    #: No snapshot yet, or lost: nothing may be decided from it.
    UNSYNCED = 0
    #: A snapshot is loaded; the first change that continues it has not come yet.
    SPLICING = 1
    #: Every change since the snapshot was applied in order.
    SYNCED = 2


class Depth(Protocol):
    """Every level of a book: what the methods of :class:`BookView` ask, as :class:`bloor.market.book.OrderBook`."""

    def size_at(self, side: Side, ticks: int) -> int:
        """Units at a price."""

    def level(self, side: Side, n: int) -> tuple[int, int]:
        """The ``n``-th level."""

    def size_to(self, side: Side, price: int) -> int:
        """Units from the best level to a price."""

    def average_price(self, side: Side, units: int) -> tuple[int, int]:
        """What taking ``units`` would trade: value and units."""


@record
class BookView(RecordView):
    """The top of one book, and a way to the levels below it.

    The methods take a :class:`~bloor.model.orders.Side`: ``BUY`` for the bids, ``SELL`` for the asks. They give the
    same in a compiled handler and in an ordinary one. Quantities and values have 63 bits; one that passes them is -1.
    Only the view of an :class:`~bloor.market.book.OrderBook` has levels.

    Attributes:
        best_bid: Best bid in ticks; :data:`~bloor.market.events.NO_PRICE` when the side is empty.
        bid_qty: Quantity at the best bid, in units.
        best_ask: Best ask in ticks; :data:`~bloor.market.events.NO_PRICE` when the side is empty.
        ask_qty: Quantity at the best ask, in units.
        seq: The venue's id of the last applied message.
        exch_ns: The venue's time of the last applied message, ns since the epoch.
        recv_ns: When it was received, ns since the epoch.
        state: A :class:`BookState`.
    """

    __slots__ = ("_depth",)

    best_bid: int
    bid_qty: int
    best_ask: int
    ask_qty: int
    seq: int
    exch_ns: int
    recv_ns: int
    state: int

    def __init__(self, array: np.ndarray[Any, Any] | None = None, depth: Depth | None = None) -> None:
        super().__init__(array)
        self._depth = depth

    @property
    def two_sided(self) -> bool:
        """Whether both sides have a price."""
        return self.best_bid != NO_PRICE and self.best_ask != NO_PRICE

    @property
    def mid2(self) -> int:
        """Twice the mid price, in ticks: an integer where the mid may be half a tick."""
        return self.best_bid + self.best_ask

    @property
    def spread(self) -> int:
        """Best ask less best bid, in ticks."""
        return self.best_ask - self.best_bid

    def size_at(self, side: int, price: int) -> int:
        """Units at a price in ticks, 0 when there is no level."""
        return self._levels.size_at(Side(side), price)

    def level(self, side: int, n: int) -> tuple[int, int]:
        """Price in ticks and units of the ``n``-th level, the best one being 0; ``(NO_PRICE, 0)`` without so many."""
        return self._levels.level(Side(side), n)

    def size_to(self, side: int, price: int) -> int:
        """Units of all levels from the best to ``price`` ticks, that one included; -1 when they pass 63 bits."""
        units = self._levels.size_to(Side(side), price)
        return units if units <= INT64_MAX else -1

    def average_price(self, side: int, units: int) -> tuple[int, int]:
        """What an order of ``units`` that takes from a side would trade, now: ``(value, filled)``.

        Args:
            side: The side that is taken: a buyer takes from ``SELL``.
            units: How much is wanted.

        Returns:
            The value in units of ``10**-value_decimals`` of the quote asset, exact, -1 when it passes 63 bits; and the
            units that are there, fewer than wanted when the side is exhausted. ``value / filled`` is the average price.
        """
        value, filled = self._levels.average_price(Side(side), units)
        return value if value <= INT64_MAX else -1, filled

    @property
    def _levels(self) -> Depth:
        if self._depth is None:
            raise UsageError("expected the view of an OrderBook, got one of its own: it has a top and no levels")
        return self._depth
