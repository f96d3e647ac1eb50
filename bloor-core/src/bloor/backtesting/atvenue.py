"""The venue's side of a market that was traded on when it was recorded: what the venue knew, and when.

A venue gathers the changes of its book, most often for 100 ms, into one message. Its best prices it tells at once. An
order that takes meets the book of its moment, so best prices are put between the messages here, as messages of their
own: what they say of the two best levels, and that nothing is better. They carry no time of the venue's at some venues;
then they happened as long before they were received as other messages were on their way, and not before anything that
was received earlier.

Trades in which an order of ours took are left out: a simulation makes them anew.

A simulated venue that plays a recording stamps its messages with the recorded times, years ago. A venue's times that
are further away than :data:`FARTHEST_NS` are therefore no times of this market: what was received happened in the order
in which it was received, a given time before.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from bloor.backtesting.rows import StoredRows
from bloor.backtesting.survey import SHORTEST_NS, Survey
from bloor.market.events import NO_PRICE, EventKind, Flag
from bloor.storage.cells import Records

__all__ = ["FARTHEST_NS", "is_played", "venue_rows"]

#: The longest time that is believed between something at the venue and its news here.
FARTHEST_NS = 60 * 1_000_000_000
MS = 1_000_000

TRADE, AGG_TRADE, BBO, BOOK, LEVEL = (
    int(EventKind.TRADE), int(EventKind.AGG_TRADE), int(EventKind.BBO), int(EventKind.BOOK), int(EventKind.LEVEL),
)  # fmt: skip
STAMPED = (TRADE, AGG_TRADE, BOOK)
LOST = (int(EventKind.GAP), int(EventKind.CHECKSUM), int(EventKind.CLEARED))
SNAPSHOT, HELD = int(Flag.SNAPSHOT), int(Flag.UNSEEN | Flag.BUFFERED | Flag.SNAPSHOT)


def is_played(survey: Survey) -> bool:
    """Whether a market's times are those of another time: somebody has played a recording."""
    return survey.feed_ns is not None and survey.feed_ns > FARTHEST_NS


def venue_rows(
    rows: StoredRows, survey: Survey, *, quotes: bool = True, way_ns: int = SHORTEST_NS, own: Collection[int] = ()
) -> StoredRows:
    """What a venue knew, to simulate it by.

    Args:
        rows: The stored events, in the order in which they were received.
        survey: What they are like.
        quotes: Whether best prices are put between the messages of the book.
        way_ns: How long everything took from the venue, where its times are those of a recording.
        own: Ids of trades in which an order of ours took.
    """
    pieces = [_without(piece, own) for piece in rows.pieces]
    if is_played(survey):
        for piece in pieces:
            piece["exch_ns"] = np.maximum(piece["recv_ns"] - way_ns, 0)
    if quotes:
        book = _Best(_median_way_ns(pieces))
        pieces = [book.between(piece) for piece in pieces]
    return StoredRows(pieces, rows.window)


def _without(rows: Records, own: Collection[int]) -> Records:
    """A copy without trades; one that is gathered of several is known by the first of them."""
    first = np.where(rows["kind"] == AGG_TRADE, rows["price2"], rows["seq"])
    kept: Records = rows[~(np.isin(rows["kind"], (TRADE, AGG_TRADE)) & np.isin(first, list(own)))]
    return kept


def _median_way_ns(pieces: Sequence[Records]) -> int:
    """How long a message is on its way; stamps are cut, and by half of that they are too early on average."""
    ways, grain = [], MS
    for rows in pieces:
        known = np.isin(rows["kind"], STAMPED) & (rows["exch_ns"] > 0) & (rows["recv_ns"] > 0)
        known &= rows["flags"] & HELD == 0
        stamps = rows["exch_ns"][known]
        grain = math.gcd(grain, int(np.gcd.reduce(stamps))) if len(stamps) else grain
        ways.append(rows["recv_ns"][known] - stamps)
    found = np.concatenate(ways) if ways else np.zeros(0, np.int64)
    return max(int(found.min()), int(np.median(found)) - grain // 2) if len(found) else SHORTEST_NS


class _Best:
    """Best prices become messages of the book."""

    def __init__(self, way_ns: int) -> None:
        self._way_ns = way_ns
        self._levels: tuple[dict[int, int], dict[int, int]] = {}, {}
        self._known = False
        self._seq = self._ns = 0

    def between(self, rows: Records) -> Records:
        """The same records, and a message of the book for every best price that is news."""
        kind = rows["kind"]
        wanted = np.flatnonzero((kind == BBO) | np.isin(kind, STAMPED) | (kind == LEVEL) | np.isin(kind, LOST))
        places, made = [], []
        for row, of in zip(wanted.tolist(), kind[wanted].tolist(), strict=True):
            if of != BBO:
                self._take(rows[row], of)
                continue
            for record in self._message(rows[row]):
                places.append(row + 1)
                made.append(record)
        if not made:
            return rows
        found: Records = np.insert(rows, places, np.array(made, rows.dtype))
        return found

    def _take(self, record: np.void, kind: int) -> None:
        """What the venue says of its book, or the time of a trade."""
        if kind == LEVEL:
            side, price, units = int(record["side"]), int(record["price"]), int(record["qty"])
            self._put(self._levels[side < 0], price, units)
        elif kind in LOST:
            self._known = False
        else:
            self._ns = max(self._ns, int(record["exch_ns"]))
            if kind == BOOK:
                self._known = True
                self._seq = max(self._seq, int(record["seq"]))
                if int(record["flags"]) & SNAPSHOT:
                    for levels in self._levels:
                        levels.clear()

    @staticmethod
    def _put(levels: dict[int, int], price: int, units: int) -> None:
        if units:
            levels[price] = units
        else:
            levels.pop(price, None)

    def _message(self, quote: np.void) -> Iterator[np.void]:
        """A best bid and offer as a message of the book; nothing when the book is not known, or knows more."""
        if not self._known or 0 <= int(quote["seq"]) <= self._seq:
            return
        changed = [
            *self._changes(1, int(quote["price"]), int(quote["qty"])),
            *self._changes(-1, int(quote["price2"]), int(quote["qty2"])),
        ]
        if not changed:
            return
        said = int(quote["exch_ns"])
        self._ns = max(self._ns, said or int(quote["recv_ns"]) - self._way_ns)
        book = quote.copy()
        book["kind"], book["side"], book["flags"], book["exch_ns"] = BOOK, 0, 0, self._ns
        yield book
        for side, price, units in changed:
            self._put(self._levels[side < 0], price, units)
            level = book.copy()
            level["kind"], level["side"], level["price"], level["qty"] = LEVEL, side, price, units
            level["price2"] = level["qty2"] = 0
            yield level

    def _changes(self, side: int, best: int, units: int) -> Sequence[tuple[int, int, int]]:
        """What a best price says that the book did not know: ``(side, price, units)``, what is gone first."""
        if best == NO_PRICE:
            return []
        levels = self._levels[side < 0]
        gone = [(side, price, 0) for price in levels if (price - best) * side > 0]
        return gone if levels.get(best) == units else [*gone, (side, best, units)]
