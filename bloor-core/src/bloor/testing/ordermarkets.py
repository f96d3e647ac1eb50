"""Made markets told order by order: seeded event arrays of hftbacktest (market by order), from a matching of their own.

Every order that joins, changes, leaves or is executed has a row. What a taker executes has the rows that venues send:
the trades, a row for each order that was executed, and then what becomes of these orders.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bloor.hookspecs import NormalizerSpec
from bloor.model.instrument import Instrument
from bloor.storage.cells import Records
from bloor.storage.formats import hftbacktest as hft
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.load import load

__all__ = ["BEGIN_NS", "made_orders", "stored_orders"]

BEGIN_NS = 1_700_000_000_000_000_000
BID, ASK = 1, -1
#: Sides of rows, as flags.
OF = {BID: hft.BUY, ASK: hft.SELL}
#: A side never has fewer orders, nor more.
LEAST, MOST = 12, 60
#: Ticks in one of the quote asset, units in one of the base asset.
TICKS, UNITS = 100, 100
Row = tuple[int, int, int, float, float, int, int, float]


class _Maker:
    """A market: for each side, price -> orders in their sequence, and each order's quantity in units."""

    def __init__(self, seed: int, *, empties: bool) -> None:
        self.empties = empties
        self.random = Random(seed)
        self.sides: dict[int, dict[int, dict[int, int]]] = {BID: {}, ASK: {}}
        self.places: dict[int, tuple[int, int]] = {}
        self.rows: list[Row] = []
        self.venue_ns = self.local_ns = BEGIN_NS
        self.number = 0
        self.middle = 10_000.0

    def pass_time(self) -> None:
        """Goes on by up to 20 ms; the news takes 1 to 4 ms, and up to 40 ms now and then; no two come at once."""
        random = self.random
        self.venue_ns += random.randrange(1, 20_000) * 1_000
        took = random.randrange(1_000, 4_000 if random.random() < 0.97 else 40_000) * 1_000
        self.local_ns = max(self.local_ns + 1_000, self.venue_ns + took)
        self.middle += random.gauss(0.0, 0.4)

    def tell(self, kind: int, side: int, price: int, units: int, order: int) -> None:
        """Writes a row."""
        ev = kind | OF[side] | hft.EXCHANGE | hft.LOCAL
        self.rows.append((ev, self.venue_ns, self.local_ns, price / TICKS, units / UNITS, order, 0, 0.0))

    def best(self, side: int) -> int:
        """The best price of a side."""
        return max(self.sides[BID]) if side == BID else min(self.sides[ASK])

    def passive(self, side: int) -> int:
        """A price at which an order of a side rests: near the middle, not beyond the other side."""
        price = round(self.middle) - side * self.random.randrange(0, 8)
        if not self.sides[-side]:
            return price
        return min(price, self.best(ASK) - 1) if side == BID else max(price, self.best(BID) + 1)

    # ---- what happens -----------------------------------------------------------------------------------------------

    def add(self, side: int, price: int, units: int) -> None:
        """An order joins."""
        self.number += 1
        self.sides[side].setdefault(price, {})[self.number] = units
        self.places[self.number] = side, price
        self.tell(hft.ADD, side, price, units, self.number)

    def leave(self, order: int) -> int:
        """An order is gone from its queue; its quantity."""
        side, price = self.places.pop(order)
        units = self.sides[side][price].pop(order)
        if not self.sides[side][price]:
            del self.sides[side][price]
        return units

    def stays(self, order: int) -> bool:
        """Whether an order has to stay where it is, as the last one of its level."""
        side, price = self.places[order]
        return not self.empties and len(self.sides[side][price]) == 1

    def cancel(self, order: int) -> None:
        """An order is cancelled."""
        if self.stays(order):
            return
        side, price = self.places[order]
        self.tell(hft.CANCEL, side, price, self.leave(order), order)

    def modify(self, order: int) -> None:
        """An order becomes smaller, or larger, or moves: with the latter two it loses its place."""
        random = self.random
        side, price = self.places[order]
        units = self.sides[side][price][order]
        what = random.randrange(2 if self.stays(order) else 3)
        if what == 0 and units > 1:
            self.sides[side][price][order] = random.randrange(1, units)
        else:
            self.leave(order)
            # where it was the only one, the other side limits where it may go to
            price = price if what == 1 or not self.sides[side] else self.passive(side)
            self.sides[side].setdefault(price, {})[order] = units + random.randrange(0 if what == 2 else 1, 200)
            self.places[order] = side, price
        self.tell(hft.MODIFY, side, price, self.sides[side][price][order], order)

    def take(self, side: int, units: int, limit: int, *, rests: bool) -> None:
        """A taker executes orders of the other side; what is left of it rests or is gone."""
        changed: list[tuple[int, int]] = []
        emptied: list[int] = []
        while units and self.sides[-side]:
            price = self.best(-side)
            if (limit - price) * side < 0:
                break
            queue = self.sides[-side][price]
            taken = min(units, sum(queue.values()))
            units -= taken
            self.tell(hft.TRADE, side, price, taken, 0)
            for order, size in list(queue.items()):
                part = min(taken, size)
                if part:
                    self.tell(hft.FILL, -side, price, part, order)
                    changed.append((order, price))
                    queue[order], taken = size - part, taken - part
            for order in [order for order, size in queue.items() if not size]:
                self.leave(order)
            if price not in self.sides[-side]:
                emptied.append(price)
        for order, price in changed:
            if order in self.places:
                self.tell(hft.MODIFY, -side, price, self.sides[-side][price][order], order)
            else:
                self.tell(hft.CANCEL, -side, price, 0, order)
        if units and rests and self.sides[-side]:
            self.add(side, limit, units)
        elif not self.empties:
            for price in emptied:
                self.add(-side, price, self.random.randrange(1, 400))

    def happen(self) -> None:
        """Something happens."""
        random = self.random
        side = random.choice((BID, ASK))
        here, there = (sum(len(queue) for queue in self.sides[of].values()) for of in (side, -side))
        what = random.random()
        if here < LEAST:
            self.add(side, self.passive(side), random.randrange(1, 400))
        elif what < 0.2 and there > LEAST:
            reach = random.randrange(0, 3) if random.random() < 0.4 else 0
            size = random.randrange(1, 900) if random.random() < 0.9 else random.randrange(900, 3_000)
            self.take(side, size, self.best(-side) + side * reach, rests=random.random() < 0.7)
        elif what < 0.5 or here > MOST:
            self.cancel(random.choice([order for order, (of, _) in self.places.items() if of == side]))
        elif what < 0.65:
            self.modify(random.choice([order for order, (of, _) in self.places.items() if of == side]))
        else:
            self.add(side, self.passive(side), random.randrange(1, 400))


def made_orders(*, seed: int, events: int, empties: bool = True) -> np.ndarray[Any, Any]:
    """Makes a market.

    Args:
        seed: The same seed makes the same rows.
        events: How many things happen, about 10 ms apart; a taker has several rows.
        empties: Whether levels may be emptied; otherwise only by a taker of which something rests there then.

    Returns:
        An array of :data:`bloor.storage.formats.hftbacktest.DTYPE`, in the order of both times.
    """
    made = _Maker(seed, empties=empties)
    for n in range(1, 15):
        for side in (BID, ASK):
            made.add(side, 10_000 - side * n, made.random.randrange(1, 400))
    for _ in range(events):
        made.pass_time()
        made.happen()
    return np.array(made.rows, hft.DTYPE)


def stored_orders(given: np.ndarray[Any, Any], normalizer: NormalizerSpec) -> tuple[Instrument, Records]:
    """The same market as a catalogue stores it.

    Args:
        given: Rows of hftbacktest's.
        normalizer: The venue whose market it is said to be.

    Returns:
        The instrument, and its records.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "orders.npz", data=given)
        options = ImportOptions(symbols=["AAA-USDT"], parquet=False)
        list(import_data(folder / "catalogue", normalizer, [folder / "orders.npz"], options))
        events = load(normalizer.venue, "AAA-USDT", catalogue=folder / "catalogue")
        return events.instrument, np.array(events)
