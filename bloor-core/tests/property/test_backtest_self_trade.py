"""Self-trade prevention of the backtest's kernels beside the matching book of the simulated venues, on quiet books."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, lane_of
from bloor.backtesting.models import Constant, RiskAverse
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.script import Asked, put_to_venue
from bloor.config.duration import Duration
from bloor.market.events import EventKind, EventView, Flag
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, Execution, Outcome, SelfTrade
from bloor.storage.cells import Records

START = 1_700_000_000_000_000_000
MS = 1_000_000
OURS = 1
INSTRUMENT = Instrument(
    venue="made", symbol="AAA-BBB", venue_symbol="AAABBB", base="AAA", quote="BBB", price_decimals=0, qty_decimals=0
)
MODES = {
    SelfTrade.EXPIRE_TAKER: at.STP_TAKER, SelfTrade.EXPIRE_MAKER: at.STP_MAKER, SelfTrade.EXPIRE_BOTH: at.STP_BOTH,
    SelfTrade.DECREMENT: at.STP_DECREMENT,
}  # fmt: skip
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET

ORDERS = st.tuples(
    st.sampled_from(Side), st.integers(97, 103), st.integers(1, 15), st.sampled_from([LIMIT, LIMIT, LIMIT, MARKET]),
    st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
)  # fmt: skip
#: A cancel has no units, a reduction has those that the order is to have then.
CHANGES = st.tuples(st.integers(0, 30), st.integers(0, 10))
LEVELS = st.dictionaries(st.sampled_from([97, 98, 99, 101, 102, 103]), st.integers(1, 12), min_size=4)


class Fate(NamedTuple):
    """What became of an order."""

    filled: int
    left: int


def records(levels: dict[int, int]) -> Records:
    """A snapshot, and nothing after it."""
    bids = [(1, price, units) for price, units in levels.items() if price < 100]
    asks = [(-1, price, units) for price, units in levels.items() if price > 100]
    rows: Records = np.zeros(1 + len(levels), EventView.DTYPE)
    rows["exch_ns"], rows["recv_ns"], rows["flags"] = START, START + MS, int(Flag.SNAPSHOT)
    rows["kind"][0], rows["kind"][1:] = EventKind.BOOK, EventKind.LEVEL
    for names, side, best in ((("price", "qty"), bids, max), (("price2", "qty2"), asks, min)):
        found = best(side, key=lambda level: level[1], default=(0, -1, 0))
        rows[names[0]][0], rows[names[1]][0] = found[1:]
    for row, (side, price, units) in zip(rows[1:], [*bids, *asks], strict=True):
        row["side"], row["price"], row["qty"] = side, price, units
    rows["flags"][-1] |= int(Flag.LAST)
    return rows


def by_kernels(levels: dict[int, int], steps: list[tuple[int, ...]], mode: SelfTrade) -> dict[int, Fate]:
    """What becomes of orders in the backtest."""
    asked: list[Asked] = []
    for number, step in enumerate(steps):
        ns = START + 10 * MS + number * MS
        if len(step) == 5:
            side, price, units, kind, tif = step
            asked.append(
                Asked(kind=at.PLACE, ns=ns, number=number, side=side, price=price, units=units, type=kind, tif=tif)
            )
        elif step[0] in {each.number for each in asked if each.kind == at.PLACE}:
            old, units = step
            asked.append(Asked(kind=at.AMEND if units else at.CANCEL, ns=ns, number=old, units=units))
    latency = Constant(entry=Duration(1), response=Duration(1))
    lane = LaneSpec(
        instrument=INSTRUMENT, rows=StoredRows([records(levels)]), latency=latency, queue=RiskAverse(), oversell=True,
        self_trade=MODES[mode],
    )  # fmt: skip
    sizes = {each.number: each.units for each in asked if each.kind == at.PLACE}
    filled = dict.fromkeys(sizes, 0)
    over = set()
    for told in put_to_venue(lane_of(lane), asked):
        if told.kind == at.FILLED:
            filled[told.number] += told.units
        elif told.kind in (at.AMENDED, at.REDUCED):
            sizes[told.number] = told.units
        if told.last:
            over.add(told.number)
    return {number: Fate(filled[number], 0 if number in over else sizes[number] - filled[number]) for number in sizes}


def by_book(levels: dict[int, int], steps: list[tuple[int, ...]], mode: SelfTrade) -> dict[int, Fate]:
    """What becomes of them in a matching book."""
    book, orders = MatchingBook(), dict[int, BookOrder]()
    filled: dict[int, int] = {}
    for price, units in levels.items():
        book.set_level(Side.BUY if price < 100 else Side.SELL, price, units)
    for number, step in enumerate(steps):
        outcomes: list[Outcome] = []
        if len(step) == 5:
            side, price, units, kind, tif = step
            orders[number] = BookOrder(
                id=number + 1, owner=OURS, side=Side(side), price=0 if kind == MARKET else price, units=units,
                type=OrderType(kind), tif=TimeInForce(tif), self_trade=mode,
            )  # fmt: skip
            filled[number] = 0
            outcomes = book.submit(orders[number])
        elif step[0] in orders:
            old = orders[step[0]]
            if step[1]:
                book.reduce(old, old.remaining + filled[step[0]] - step[1])
            else:
                book.cancel(old)
        for each in outcomes:
            if isinstance(each, Execution):
                for order in (each.maker, each.taker):
                    if order is not None and order.id:
                        filled[order.id - 1] += each.units
    open_now = {order.id - 1 for side in (book.bids, book.asks) for level in side.best_first() for order in level.queue}
    return {number: Fate(filled[number], orders[number].remaining if number in open_now else 0) for number in orders}


@settings(max_examples=150)
@given(
    levels=LEVELS,
    steps=st.lists(st.one_of(ORDERS, ORDERS, CHANGES), min_size=2, max_size=14),
    mode=st.sampled_from([*MODES, SelfTrade.DECREMENT]),
)
def test_orders_fare_as_in_the_matching_book(
    levels: dict[int, int], steps: list[tuple[int, ...]], mode: SelfTrade
) -> None:
    """Every order trades as much, and as much is left of it, whatever was placed, reduced or cancelled before."""
    assert by_kernels(levels, steps, mode) == by_book(levels, steps, mode)
