"""Queue model ``fifo`` over order-level data: fills are those of a plain list of orders at each price."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, lane_of
from bloor.backtesting.models import Constant, Fifo
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.script import Asked, put_to_venue
from bloor.config.duration import Duration
from bloor.model.orders import OrderType, TimeInForce
from bloor.plugins import PluginHost
from bloor.storage.formats import hftbacktest as hft
from bloor.testing.ordermarkets import BEGIN_NS, made_orders, stored_orders

MS = 1_000_000
AT_ONCE = Constant(entry=Duration(1), response=Duration(1))
Fill = tuple[int, int, int]


@define(eq=False)
class Waiting:
    """An order in a queue; ours have a negative id."""

    id: int
    left: int


class Lists:
    """The venue as lists: side -> price -> orders in the sequence in which they joined."""

    def __init__(self, *, partial: bool) -> None:
        self.partial = partial
        self.queues: dict[int, dict[int, list[Waiting]]] = {1: defaultdict(list), -1: defaultdict(list)}
        self.where: dict[int, tuple[int, int]] = {}
        self.filled: Counter[tuple[int, int]] = Counter()
        self.ns = 0

    def best(self, side: int) -> int | None:
        """The best price of others."""
        prices = [price for price, queue in self.queues[side].items() if any(order.id > 0 for order in queue)]
        return max(prices, key=lambda price: price * side, default=None)

    def ours(self, side: int, limit: int) -> list[tuple[int, Waiting]]:
        """Orders of ours at a limit or better, those that trade first first."""
        found = [
            (price, order)
            for price, queue in self.queues[side].items()
            for order in queue
            if order.id < 0 and (price - limit) * side >= 0
        ]
        return sorted(found, key=lambda each: -each[0] * side)

    def join(self, id: int, side: int, price: int, units: int) -> None:
        """An order joins the end of a queue; ours trade with it where it crosses them."""
        self.queues[side][price].append(Waiting(id, units))
        self.where[id] = side, price
        if id > 0:
            self.fill([order for _, order in self.ours(-side, price)], units)

    def leave(self, id: int) -> None:
        """An order leaves its queue."""
        side, price = self.where.pop(id)
        self.queues[side][price] = [order for order in self.queues[side][price] if order.id != id]

    def fill(self, orders: list[Waiting], units: int) -> None:
        """Orders of ours trade, with so much together, or each of them whole."""
        for order in orders:
            part = min(order.left, units) if self.partial else order.left
            if not part:
                continue
            units, order.left = units - part, order.left - part
            self.filled[-order.id, self.ns] += part  # at one time, one taker
            if not order.left:
                self.leave(order.id)

    def executed(self, id: int, units: int) -> None:
        """Of an order of others, so much was executed: who waited before it would have been, ours among them."""
        side, price = self.where[id]
        better = [order for own, order in self.ours(side, price) if own != price]
        queue = self.queues[side][price]
        place = next(n for n, order in enumerate(queue) if order.id == id)
        self.fill(better + [order for order in queue[:place] if order.id < 0], units)

    def take(self, row: np.void) -> None:
        """One row of the data."""
        ev, number, self.ns = int(row["ev"]), int(row["order_id"]), int(row["exch_ts"])
        price, units = round(float(row["px"]) * 100), round(float(row["qty"]) * 100)
        kind = ev & hft.KIND
        if kind == hft.ADD:
            self.join(number, 1 if ev & hft.BUY else -1, price, units)
        elif kind == hft.CANCEL:
            self.leave(number)
        elif kind == hft.FILL:
            self.executed(number, units)
        elif kind == hft.MODIFY:
            side, before = self.where[number]
            [order] = [order for order in self.queues[side][before] if order.id == number]
            if price == before and units <= order.left:
                order.left = units
            else:
                self.leave(number)
                self.join(number, side, price, units)

    def place(self, each: Asked, ns: int) -> None:
        """An order of ours arrives, which may not take."""
        self.ns = ns
        other = self.best(-each.side)
        crosses = other is not None and (each.price - other) * each.side >= 0
        if not crosses and not (self.partial and self.ours(-each.side, each.price)):
            self.join(-each.number, each.side, each.price, each.units)


def reference(rows: np.ndarray[Any, Any], asked: list[Asked], *, partial: bool) -> list[Fill]:
    """Fills as the lists give them: number of the order, the venue's time, units."""
    lists = Lists(partial=partial)
    waiting = [(each.ns + 1, each) for each in asked]
    for row in rows:
        while waiting and waiting[0][0] < row["exch_ts"]:
            _do(lists, *waiting.pop(0))
        lists.take(row)
    for ns, each in waiting:
        _do(lists, ns, each)
    return sorted((number, ns, units) for (number, ns), units in lists.filled.items())


def _do(lists: Lists, ns: int, each: Asked) -> None:
    if each.kind == at.PLACE:
        lists.place(each, ns)
    elif -each.number in lists.where:
        lists.leave(-each.number)


def engine(rows: np.ndarray[Any, Any], asked: list[Asked], *, partial: bool) -> list[Fill]:
    """Fills as the compiled engine gives them."""
    instrument, stored = stored_orders(rows, PluginHost().normalizer("binance"))
    spec = LaneSpec(
        instrument=instrument, rows=StoredRows([stored], window=256), latency=AT_ONCE, queue=Fifo(), partial=partial,
        oversell=True,
    )  # fmt: skip
    told = put_to_venue(lane_of(spec), asked)
    return sorted((each.number, each.exch_ns, each.units) for each in told if each.kind == at.FILLED)


REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 3_000), st.sampled_from((1, -1)), st.integers(-2, 4), st.integers(1, 600), st.booleans()
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def asked_of(drawn: list[tuple[int, int, int, int, bool]]) -> list[Asked]:
    """Orders around the middle, some of them cancelled later."""
    asked = []
    for number, (ms, side, distance, units, goes) in enumerate(drawn, 1):
        ns, price = BEGIN_NS + ms * MS + 77, 10_000 - side * distance
        asked.append(
            Asked(
                kind=at.PLACE, ns=ns, number=number, side=side, price=price, units=units,
                type=int(OrderType.POST_ONLY), tif=int(TimeInForce.GTC),
            )
        )  # fmt: skip
        if goes:
            asked.append(Asked(kind=at.CANCEL, ns=ns + 250 * MS, number=number))
    return sorted(asked, key=lambda each: (each.ns, each.number))


@pytest.mark.examples(daily=60, soak=3_000)
@given(seed=st.integers(0, 2**32), events=st.integers(50, 400), drawn=REQUESTS, partial=st.booleans())
def test_fills_are_those_of_lists_of_orders(
    seed: int, events: int, drawn: list[tuple[int, int, int, int, bool]], partial: bool
) -> None:
    """Number, time and quantity of every fill are those of a list of orders at each price."""
    rows, asked = made_orders(seed=seed, events=events), asked_of(drawn)
    assert engine(rows, asked, partial=partial) == reference(rows, asked, partial=partial)


def test_the_comparison_compares_something() -> None:
    """Of many orders at the best price, a good part are filled, some of them in parts."""
    rows = made_orders(seed=3, events=2_000)
    drawn = [(40 * n, 1 if n % 2 else -1, n % 3, 150, False) for n in range(200)]
    fills = engine(rows, asked_of(drawn), partial=True)
    assert fills == reference(rows, asked_of(drawn), partial=True)
    assert len(fills) > 30
    assert len({number for number, _, _ in fills}) < len(fills)
