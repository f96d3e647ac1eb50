"""A venue's book and the frames that tell of it, made by the rules of the documentation and nothing of the package.

The venue has every level; a subscriber has a window of the best ones. A message holds what changed in the window: new
and changed levels, deletions, levels that came back into it; never a deletion of a level that was pushed out of it.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from decimal import Decimal

__all__ = ["VenueBook", "digits_of"]

Side = dict[int, int]


class VenueBook:
    """One book of a simulated Kraken, prices and quantities in units of its decimals.

    Attributes:
        tops: Best bid and best ask after each frame, as texts of price and quantity.
        windows: Every level of the window after each frame, bids and asks, best first, in units.
    """

    def __init__(self, seed: int, *, depth: int = 10, price_decimals: int = 1, qty_decimals: int = 8) -> None:
        self._random = random.Random(seed)
        self._depth = depth
        self._decimals = (price_decimals, qty_decimals)
        self._mid = self._random.randrange(10**3, 10**6)
        self._sides: tuple[Side, Side] = ({}, {})
        for _ in range(3 * depth):
            self._change()
        self._known = self._window()
        self.tops: list[tuple[list[str] | None, list[str] | None]] = []
        self.windows: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]] = []

    def frames(self, count: int) -> Iterator[bytes]:
        """An acknowledgement, a snapshot, and changes."""
        yield (
            f'{{"method":"subscribe","result":{{"channel":"book","depth":{self._depth},"snapshot":true,'
            f'"symbol":"BTC/USD"}},"success":true,"time_in":"2026-08-24T22:21:56.724795Z",'
            f'"time_out":"2026-08-24T22:21:56.724853Z","req_id":1}}'
        ).encode()
        yield self._frame("snapshot", [list(side.items()) for side in self._known])
        for _ in range(count):
            yield self._update()

    def _update(self) -> bytes:
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 3, 8))):
            self._change()
        after = self._window()
        said = []
        for before, now, full in zip(self._known, after, self._sides, strict=True):
            rows = [(price, qty) for price, qty in now.items() if before.get(price) != qty]
            rows += [(price, 0) for price in before if price not in full]
            self._random.shuffle(rows)
            if rows and self._random.random() < 0.1:  # the same price twice: the later one counts
                rows.insert(0, (rows[-1][0], self._random.randrange(1, 10**9)))
            said.append(rows)
        self._known = after
        return self._frame("update", said)

    def _change(self) -> None:
        choice = self._random.random()
        if choice < 0.05:
            self._mid = max(100, self._mid + self._random.choice((-1, 1)) * self._random.choice((1, 2, 30)))
            for n, crossed in enumerate(self._sides):  # what would cross is traded
                for level in [p for p in crossed if (p >= self._mid if n == 0 else p <= self._mid)]:
                    del crossed[level]
        side = self._random.randrange(2)
        away = self._random.randrange(1, 3 * self._depth)
        price = max(self._mid - away, 1) if side == 0 else self._mid + away
        levels = self._sides[side]
        if price in levels and self._random.random() < 0.6:
            del levels[price]
        else:
            levels[price] = self._random.randrange(1, 10 ** self._random.randrange(1, 12))

    def _window(self) -> tuple[Side, Side]:
        bids, asks = self._sides
        best = sorted(bids, reverse=True)[: self._depth], sorted(asks)[: self._depth]
        return {price: bids[price] for price in best[0]}, {price: asks[price] for price in best[1]}

    def _frame(self, kind: str, sides: list[list[tuple[int, int]]]) -> bytes:
        bids, asks = (list(side.items()) for side in self._known)
        tops = [[self._text(p, 0), self._text(q, 1)] for p, q in (*bids[:1], *asks[:1])]
        self.tops.append((tops[0] if bids else None, tops[-1] if asks else None))
        self.windows.append((bids, asks))
        summed = "".join(f"{price}{qty}" for price, qty in (*asks[:10], *bids[:10]))
        texts = [
            ",".join(f'{{"price":{self._text(p, 0)},"qty":{self._text(q, 1)}}}' for p, q in levels) for levels in sides
        ]
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{texts[0]}],"asks":[{texts[1]}],'
            f'"checksum":{zlib.crc32(summed.encode())},"timestamp":"2026-08-24T22:21:58.343688Z"}}]}}'
        ).encode()

    def texts(self, level: tuple[int, int]) -> tuple[Decimal, Decimal]:
        """A level of :attr:`windows` as numbers."""
        return Decimal(self._text(level[0], 0)), Decimal(self._text(level[1], 1))

    def _text(self, units: int, which: int) -> str:
        decimals = self._decimals[which]
        if not decimals:
            return str(units)
        text = str(units).rjust(decimals + 1, "0")
        return f"{text[:-decimals]}.{text[-decimals:]}"


def digits_of(frame: bytes) -> list[int]:
    """Where the digits of prices, quantities and checksum are in a frame of either version."""
    found = []
    text = frame.decode("latin-1")  # a byte a character, also of frames that are no UTF-8
    if text.startswith("{"):
        for name in ('"price":', '"qty":', '"checksum":'):
            at = text.find(name)
            while at >= 0:
                n = at + len(name)
                while text[n].isdigit() or text[n] == ".":
                    if text[n] != ".":
                        found.append(n)
                    n += 1
                at = text.find(name, n)
        return found
    quoted = text.split('"')
    at = 0
    numbers = 0
    for n, part in enumerate(quoted):
        if n % 2 and part and part.replace(".", "").isdigit():
            of_level = "." in part
            numbers += of_level
            if not of_level or numbers % 3:  # every third number of a level is its time
                found += [at + i for i, c in enumerate(part) if c.isdigit()]
        at += len(part) + 1
    return found
