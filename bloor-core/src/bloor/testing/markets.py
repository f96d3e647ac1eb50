"""Made markets: seeded stored events of one instrument, with a book that is never crossed and trades that move it."""

from __future__ import annotations

from random import Random

import numpy as np

from bloor.market.events import EventKind, EventView, Flag
from bloor.model.instrument import Instrument
from bloor.storage.cells import Records

__all__ = ["MADE", "made_market"]

#: What is traded there.
MADE = Instrument(
    venue="made", symbol="AAA-BBB", venue_symbol="AAABBB", base="AAA", quote="BBB", price_decimals=2, qty_decimals=2
)
BEGIN_NS = 1_700_000_000_000_000_000
SIDES = (1, -1)
#: Levels of a side that are kept filled.
DEPTH = 20
Row = tuple[int, int, int, int, int, int, int, int, int, int, int]


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.middle = 10_000.0
        self.books: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.rows: list[Row] = []
        self.venue_ns, self.local_ns, self.seq = BEGIN_NS, BEGIN_NS, 0

    def best(self, side: int) -> int:
        """The best price of a side."""
        return max(self.books[1]) if side > 0 else min(self.books[-1])

    def pass_time(self) -> None:
        """Goes on by up to 60 ms; the news takes 1 to 4 ms, and up to 40 ms now and then; no two come at once."""
        random = self.random
        self.venue_ns += random.randrange(1, 60_000) * 1_000
        took = random.randrange(1_000, 4_000 if random.random() < 0.97 else 40_000) * 1_000
        self.local_ns = max(self.local_ns + 1_000, self.venue_ns + took)

    def changes(self) -> dict[tuple[int, int], int]:
        """What a message of the book says: the market moves, levels come, change and go."""
        random = self.random
        self.middle += random.gauss(0.0, 1.2)
        middle, said = round(self.middle), {}
        for side in SIDES:
            book = self.books[side]
            for price in [price for price in book if (price - middle) * side >= 0]:
                said[side, price] = 0
            for _ in range(random.randrange(1, 4)):
                price = middle - side * random.randrange(1, DEPTH)
                gone = random.random() < 0.25 and len(book) > DEPTH // 2
                said[side, price] = 0 if gone else random.randrange(1, 40) * 50
            if all((side, price) in said and said[side, price] == 0 for price in book):
                said[side, middle - side] = 500
        return said

    def tell_book(self, said: dict[tuple[int, int], int], flags: int, venue_ns: int) -> None:
        """Writes a message of the book."""
        for (side, price), units in said.items():
            self.books[side].pop(price, None)
            if units:
                self.books[side][price] = units
        self.seq += 1
        bid, ask = self.best(1), self.best(-1)
        top = (bid, self.books[1][bid], ask, self.books[-1][ask])
        self.rows.append((int(EventKind.BOOK), 0, flags, 0, self.seq, venue_ns, self.local_ns, *top))
        for number, ((side, price), units) in enumerate(said.items(), 1):
            last = flags | (Flag.LAST if number == len(said) else 0)
            cells = (self.seq, venue_ns, self.local_ns, price, units, 0, 0)
            self.rows.append((int(EventKind.LEVEL), side, last, 0, *cells))

    def tell_trade(self) -> None:
        """Writes a trade at the best price, or now and then behind it; the book says so with its next message."""
        random = self.random
        side = random.choice(SIDES)
        price = self.best(-side) + (side if random.random() < 0.15 else 0)
        cells = (self.seq, self.venue_ns, self.local_ns, price, random.randrange(1, 30) * 25, 0, 0)
        self.rows.append((int(EventKind.TRADE), side, 0, 0, *cells))


def made_market(*, seed: int, messages: int) -> tuple[Instrument, Records]:
    """Makes a market.

    Args:
        seed: The same seed makes the same events.
        messages: Messages of the book and trades, about 30 ms apart.

    Returns:
        The instrument, and its records in the order they were received; the first message is a snapshot.
    """
    made = _Maker(seed)
    said = {(side, 10_000 - side * n): 50 * made.random.randrange(1, 40) for side in SIDES for n in range(1, DEPTH)}
    made.tell_book(said, int(Flag.SNAPSHOT), made.venue_ns - 2_000_000)
    for _ in range(messages):
        made.pass_time()
        if made.random.random() < 0.3:
            made.tell_trade()
        else:
            # a message may bear a time from before a trade that was told earlier
            early = made.random.randrange(0, 2_000_000) if made.random.random() < 0.2 else 0
            made.tell_book(made.changes(), 0, made.venue_ns - early)
    return MADE, np.array(made.rows, EventView.DTYPE)
