"""What a strategy sees of a book: one record, the same memory from Python and from compiled code."""

from __future__ import annotations

from enum import IntEnum

from bloor.market.events import NO_PRICE
from bloor.model.records import RecordView, record

__all__ = ["BookState", "BookView"]


class BookState(IntEnum):
    """Whether a book may be believed."""

    #: No snapshot yet, or lost: nothing may be decided from it.
    UNSYNCED = 0
    #: A snapshot is loaded; the first change that continues it has not come yet.
    SPLICING = 1
    #: Every change since the snapshot was applied in order.
    SYNCED = 2


@record
class BookView(RecordView):
    """The top of one book.

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

    __slots__ = ()

    best_bid: int
    bid_qty: int
    best_ask: int
    ask_qty: int
    seq: int
    exch_ns: int
    recv_ns: int
    state: int

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
