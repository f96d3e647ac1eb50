"""Books from stored records: the way back, in plain Python over :class:`~bloor.market.book.OrderBook`.

The rules, for whoever reads the records in another way. A ``BOOK`` record begins a message; the ``LEVEL`` records after
it, up to the one flagged ``LAST``, are its levels (a ``BOOK`` that is flagged ``LAST`` itself has none). With
``SNAPSHOT`` they replace the book, without they change it, a later one for the same price winning, and quantity 0
removes a level. ``GAP`` and ``CLEARED`` empty the book, and until the next ``SNAPSHOT`` changes do not count. A message
that is flagged ``UNSEEN`` changes the book and is no event.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bloor.market.book import OrderBook
from bloor.market.events import EventKind, Flag
from bloor.market.kernels import Kernels
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.storage.cells import Records

__all__ = ["replay_books"]


def replay_books(
    rows: Records, instrument: Instrument, *, begins_empty: bool = False, kernels: Kernels | None = None
) -> Iterator[tuple[int, OrderBook]]:
    """Rebuilds a book.

    Args:
        rows: Records of one instrument, in order.
        instrument: Whose ticks and units they count in.
        begins_empty: Whether the book is known to be empty at the first record (``--assume-empty``).
        kernels: How the book runs; compiled by default.

    Yields:
        ``(place of the BOOK record, the book after its message)`` for each message that counts; the book is reused.
    """
    book = OrderBook(instrument, kernels)
    book.view.state = BookState.SYNCED if begins_empty else BookState.UNSYNCED
    kinds = np.asarray(rows["kind"])
    places = np.flatnonzero(np.isin(kinds, (EventKind.BOOK, EventKind.GAP, EventKind.CLEARED)))
    ends = np.flatnonzero((rows["flags"] & Flag.LAST != 0) & np.isin(kinds, (EventKind.BOOK, EventKind.LEVEL)))
    for place in places.tolist():
        if kinds[place] != EventKind.BOOK:
            book.clear()
            continue
        begin = place + 1
        found = int(np.searchsorted(ends, place))
        end = int(ends[found]) + 1 if found < len(ends) else len(rows)
        snapshot = bool(rows["flags"][place] & Flag.SNAPSHOT)
        if not snapshot and book.view.state == BookState.UNSYNCED:
            continue
        levels = rows[begin:end]
        bids, asks = (_pairs(levels[levels["side"] == side]) for side in (1, -1))
        times = {name: int(rows[name][place]) for name in ("seq", "exch_ns", "recv_ns")}
        (book.load if snapshot else book.apply)(bids, asks, **times)
        book.view.state = BookState.SYNCED
        yield place, book


def _pairs(levels: Records) -> list[tuple[int, int]]:
    return list(zip(levels["price"].tolist(), levels["qty"].tolist(), strict=True))
