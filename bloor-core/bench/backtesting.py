"""Our stored events as hftbacktest takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bloor.market.events import EventKind, Flag
from bloor.model.instrument import Instrument
from bloor.storage.cells import Records, times
from bloor.storage.formats import hftbacktest as hft
from bloor.testing.backtests import PERIOD_NS

__all__ = ["first_timer", "its_rows"]


def its_rows(rows: Records, instrument: Instrument, offset_ns: int) -> np.ndarray[Any, Any]:
    """Trades and changes of the book as hftbacktest's event type, in the order they were received.

    The times are those of ours (:mod:`bloor.backtesting.venueside`), found in another way.

    Args:
        rows: Records with one kind of trades and one snapshot, apart from books that a stored day repeats.
        instrument: What they are of.
        offset_ns: What is taken off the venue's times.
    """
    kinds, flags = rows["kind"], rows["flags"]
    books = np.flatnonzero(kinds == EventKind.BOOK)
    repeats = flags[books] & (Flag.SNAPSHOT | Flag.UNSEEN) == Flag.SNAPSHOT | Flag.UNSEEN
    repeats[0] = False
    venue_ns = rows["exch_ns"][books]
    for place in np.flatnonzero(venue_ns == 0)[::-1]:
        venue_ns[place] = venue_ns[place + 1]
    venue_ns = np.maximum.accumulate(venue_ns)
    message = np.searchsorted(books, np.arange(len(rows)), side="right") - 1
    levels = (kinds == EventKind.LEVEL) & ~repeats[message]
    where = np.flatnonzero(levels | (kinds == EventKind.TRADE))
    chosen = rows[where]
    made = np.zeros(len(chosen), hft.DTYPE)
    made["ev"] = np.where(levels[where], hft.DEPTH, hft.TRADE)
    made["ev"] |= np.where(chosen["side"] > 0, np.uint64(hft.BUY), np.uint64(hft.SELL))
    made["exch_ts"] = np.where(levels[where], venue_ns[message[where]], chosen["exch_ns"]) - offset_ns
    made["local_ts"] = times(rows)[where]
    made["px"] = chosen["price"] * instrument.tick_units / 10**instrument.price_decimals
    made["qty"] = chosen["qty"] / 10**instrument.qty_decimals
    return made


def first_timer(rows: Records) -> int:
    """When timers of ours are due first: at the next whole period after the first book that a strategy sees."""
    seen = (rows["kind"] == EventKind.BOOK) & (rows["flags"] & Flag.UNSEEN == 0)
    begin = int(times(rows)[np.flatnonzero(seen)[0]])
    return (begin // PERIOD_NS + 1) * PERIOD_NS
