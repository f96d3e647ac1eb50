"""What a venue knew of its market, where that is more, or other, than its messages of the book say.

A venue gathers the changes of its book, most often for 100 ms, into one message. Its best prices it tells at once. An
order that takes meets the book of its moment, so best prices are put between the messages here, as messages of their
own: what they say of the two best levels, and that nothing is better.

A simulated venue that plays a recording stamps its messages with the recorded times, years ago. A venue's times that
are further away than :data:`FARTHEST_NS` are therefore no times of this market: what was received happened in the order
in which it was received, a given time before.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from bloor.backtesting.rows import StoredRows
from bloor.backtesting.survey import SHORTEST_NS, Survey
from bloor.market.events import NO_PRICE, EventKind, Flag
from bloor.native.memory import Cells
from bloor.storage.cells import Records

__all__ = ["FARTHEST_NS", "TRADES", "is_played", "played_rows", "trade_ids", "with_best_prices", "without"]

#: The longest time that is believed between something at the venue and its news here.
FARTHEST_NS = 60 * 1_000_000_000

TRADE, AGG_TRADE, BBO, BOOK, LEVEL = (
    int(EventKind.TRADE), int(EventKind.AGG_TRADE), int(EventKind.BBO), int(EventKind.BOOK), int(EventKind.LEVEL),
)  # fmt: skip
TRADES = (TRADE, AGG_TRADE)
LOST = (int(EventKind.GAP), int(EventKind.CHECKSUM), int(EventKind.CLEARED))
SNAPSHOT = int(Flag.SNAPSHOT)


def is_played(survey: Survey) -> bool:
    """Whether a market's times are those of another time: somebody has played a recording."""
    return survey.feed_ns is not None and survey.feed_ns > FARTHEST_NS


def played_rows(rows: StoredRows, way_ns: int = SHORTEST_NS) -> StoredRows:
    """The events of a recording that was played, at the times of its playing.

    Args:
        rows: The stored events, in the order in which they were received.
        way_ns: How long everything took from the venue.
    """
    pieces = [np.array(piece) for piece in rows.pieces]
    for piece in pieces:
        piece["exch_ns"] = np.maximum(piece["recv_ns"] - way_ns, 0)
    return StoredRows(pieces, rows.window)


def without(rows: Records, own: Collection[int]) -> Records:
    """The same without some trades.

    Args:
        rows: The records.
        own: Ids of the trades.
    """
    kept: Records = rows[~(np.isin(rows["kind"], TRADES) & np.isin(trade_ids(rows), list(own)))]
    return kept


def trade_ids(rows: Records) -> Cells:
    """Ids of trades; one that is gathered of several is known by the first of them."""
    ids: Cells = np.where(rows["kind"] == AGG_TRADE, rows["price2"], rows["seq"])
    return ids


def with_best_prices(rows: Records) -> tuple[Records, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """The same records, and behind every best price that is news a message of the book.

    Returns:
        The records, and which of them are the heads of such messages.
    """
    return _Best().between(rows)


class _Best:
    """Best prices become messages of the book."""

    def __init__(self) -> None:
        self._levels: tuple[dict[int, int], dict[int, int]] = {}, {}
        self._known = False
        self._seq = 0

    def between(self, rows: Records) -> tuple[Records, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """See :func:`with_best_prices`."""
        kind = rows["kind"]
        wanted = np.flatnonzero(np.isin(kind, (BBO, BOOK, LEVEL, *LOST)))
        places: list[int] = []
        made: list[np.void] = []
        for row, of in zip(wanted.tolist(), kind[wanted].tolist(), strict=True):
            if of == BBO:
                records = self._message(rows[row])
                places += [row + 1] * len(records)
                made += records
            else:
                self._take(rows[row], of)
        if not made:
            return rows, np.zeros(len(rows), bool)
        heads = np.insert(np.zeros(len(rows), bool), places, [int(each["kind"]) == BOOK for each in made])
        found: Records = np.insert(rows, places, np.array(made, rows.dtype))
        return found, heads

    def _take(self, record: np.void, kind: int) -> None:
        """What the venue says of its book."""
        if kind == LEVEL:
            side, price, units = int(record["side"]), int(record["price"]), int(record["qty"])
            self._put(self._levels[side < 0], price, units)
        elif kind == BOOK:
            self._known = True
            self._seq = max(self._seq, int(record["seq"]))
            if int(record["flags"]) & SNAPSHOT:
                for levels in self._levels:
                    levels.clear()
        else:
            self._known = False

    @staticmethod
    def _put(levels: dict[int, int], price: int, units: int) -> None:
        if units:
            levels[price] = units
        else:
            levels.pop(price, None)

    def _message(self, quote: np.void) -> list[np.void]:
        """A best bid and offer as a message of the book; nothing when the book is not known, or knows more."""
        if not self._known or 0 <= int(quote["seq"]) <= self._seq:
            return []
        changed = [
            *self._changes(1, int(quote["price"]), int(quote["qty"])),
            *self._changes(-1, int(quote["price2"]), int(quote["qty2"])),
        ]
        if not changed:
            return []
        book = quote.copy()
        book["kind"], book["side"], book["flags"] = BOOK, 0, 0
        made = [book]
        for side, price, units in changed:
            self._put(self._levels[side < 0], price, units)
            level = book.copy()
            level["kind"], level["side"], level["price"], level["qty"] = LEVEL, side, price, units
            level["price2"] = level["qty2"] = 0
            made.append(level)
        return made

    def _changes(self, side: int, best: int, units: int) -> list[tuple[int, int, int]]:
        """What a best price says that the book did not know: ``(side, price, units)``, what is gone first."""
        if best == NO_PRICE:
            return []
        levels = self._levels[side < 0]
        gone = [(side, price, 0) for price in levels if (price - best) * side > 0]
        return gone if levels.get(best) == units else [*gone, (side, best, units)]
