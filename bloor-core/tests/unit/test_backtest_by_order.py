"""Order-level data at the venue of a backtest: who is ahead of an order of ours, also where a book is told anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, lane_of
from bloor.backtesting.kept import KeptWindows
from bloor.backtesting.models import Constant, Fifo, RiskAverse
from bloor.backtesting.models.queue import QueueModel
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.script import Asked, put_to_venue
from bloor.config.duration import Duration
from bloor.errors import UsageError
from bloor.market.events import EventKind, Flag
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.plugins import PluginHost
from bloor.storage.cells import Records
from bloor.storage.formats import hftbacktest as hft
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.layout import DAY_NS
from bloor.storage.load import load

START = 19_000 * DAY_NS
SECOND = 10**9
BUY, SELL = hft.BUY, hft.SELL
#: A book of two bids at 1.50 and an ask; ours comes behind both, and order 10 behind ours.
BEGIN = [(hft.ADD | BUY, 1, 1.5, 4.0, 7), (hft.ADD | BUY, 1, 1.5, 3.0, 8), (hft.ADD | SELL, 1, 1.6, 5.0, 9)]
BEHIND = (hft.ADD | BUY, 10, 1.5, 6.0, 10)
OURS_AT = 5


def executed(seconds: int, order: int, qty: float, side: int = BUY) -> tuple[Any, ...]:
    """A row that says that an order was executed."""
    return (hft.FILL | side, seconds, 1.5, qty, order)


@pytest.fixture
def stored(tmp_path) -> Callable[..., tuple[Instrument, Records]]:
    """Imports rows of ``(kind and side, second, price, quantity, order)``."""

    def make(rows: list[tuple[Any, ...]], first_day: int = 0) -> tuple[Instrument, Records]:
        both, ns = hft.EXCHANGE | hft.LOCAL, [START + row[1] * SECOND for row in rows]
        given = np.array(
            [(row[0] | both, t, t + 5, *row[2:], 0, 0.0) for row, t in zip(rows, ns, strict=True)], hft.DTYPE
        )
        np.savez(tmp_path / "a.npz", data=given)
        options = ImportOptions(symbols=["AAA-USDT"], parquet=False)
        [made] = import_data(tmp_path / "c", PluginHost().normalizer("binance"), [tmp_path / "a.npz"], options)
        first, mine = START + first_day * DAY_NS, [made.manifest.id]
        events = load("binance", "AAA-USDT", start=first, catalogue=tmp_path / "c", imports=mine)
        return events.instrument, np.array(events)

    return make


def spec(of: tuple[Instrument, Records], queue: QueueModel | None = None, **more: Any) -> LaneSpec:
    """A lane over records."""
    return LaneSpec(
        instrument=of[0], rows=StoredRows([of[1]]), queue=queue or Fifo(), oversell=True,
        latency=Constant(entry=Duration(1), response=Duration(1)), **more,
    )  # fmt: skip


def fills(lane: LaneSpec, *, seconds: float = OURS_AT, units: int = 2) -> list[tuple[float, int]]:
    """When our order at 1.50 trades, in seconds, and how much."""
    asked = Asked(
        kind=at.PLACE, ns=START + int(seconds * SECOND), number=1, side=1, price=15, units=units,
        type=int(OrderType.POST_ONLY), tif=int(TimeInForce.GTC),
    )  # fmt: skip
    told = put_to_venue(lane_of(lane), [asked])
    return [((each.exch_ns - START) / SECOND, each.units) for each in told if each.kind == at.FILLED]


def test_orders_ahead_come_first(stored):
    """What is executed of orders ahead is none of ours; what is executed of an order behind, is, as far as it goes."""
    rows = [*BEGIN, BEHIND, executed(20, 7, 4.0), executed(20, 8, 3.0), executed(30, 10, 1.0), executed(40, 10, 5.0)]
    assert fills(spec(stored(rows))) == [(30.0, 1), (40.0, 1)]
    assert fills(spec(stored(rows), partial=False)) == [(30.0, 2)]


def test_one_taker_is_one_fill(stored):
    """What a taker executed of several orders behind ours is one trade of ours."""
    rows = [*BEGIN, BEHIND, (hft.ADD | BUY, 10, 1.5, 6.0, 11), executed(30, 10, 6.0), executed(30, 11, 2.0)]
    assert fills(spec(stored(rows)), units=9) == [(30.0, 8)]


def test_a_reduced_order_stays_ahead_and_a_raised_one_goes_behind(stored):
    """An order that becomes smaller keeps its place; one that becomes larger has to wait behind ours."""
    smaller = [*BEGIN, (hft.MODIFY | BUY, 20, 1.5, 1.0, 7), executed(30, 7, 1.0)]
    assert fills(spec(stored(smaller))) == []
    larger = [*BEGIN, (hft.MODIFY | BUY, 20, 1.5, 4.5, 7), executed(30, 7, 1.0), executed(30, 8, 3.0)]
    assert fills(spec(stored(larger)), units=20) == [(30.0, 10)]


def test_places_outlast_a_book_that_is_told_anew(stored):
    """After a clearing, orders that are there again stand where they stood: ahead of ours, or behind it."""
    anew = [(hft.CLEAR, 20, 0.0, 0.0, 0), *((*row[:1], 20, *row[2:]) for row in (*BEGIN, BEHIND))]
    rows = [*BEGIN, BEHIND, *anew, executed(30, 7, 4.0), executed(40, 10, 1.0)]
    assert fills(spec(stored(rows))) == [(40.0, 1)]


def test_a_snapshot_tells_each_level_from_its_first_order_on(stored):
    """A snapshot in the middle, each level's orders with their sums, leaves what is ahead of ours as it was."""
    instrument, events = stored([*BEGIN, BEHIND, executed(30, 7, 1.0), executed(40, 10, 1.0)])
    place = int(np.flatnonzero((events["kind"] == EventKind.BOOK) & (events["recv_ns"] > START + 10 * SECOND + 5))[0])
    again = np.zeros(5, events.dtype)
    again["kind"], again["flags"] = EventKind.LEVEL, Flag.SNAPSHOT
    again["kind"][0], again["flags"][4] = EventKind.BOOK, Flag.SNAPSHOT | Flag.LAST
    again["exch_ns"], again["recv_ns"] = START + 20 * SECOND, START + 20 * SECOND + 5
    again["side"] = 0, 1, 1, 1, -1
    again["price"], again["qty"] = (15, 15, 15, 15, 16), (13, 4, 7, 13, 5)
    again["price2"], again["qty2"] = (16, 1, 2, 4, 3), (5, 0, 0, 0, 0)
    rows = np.concatenate([events[:place], again, events[place:]])
    lane = lane_of(spec((instrument, rows)))
    asked = Asked(
        kind=at.PLACE, ns=START + OURS_AT * SECOND, number=1, side=1, price=15, units=2,
        type=int(OrderType.POST_ONLY), tif=int(TimeInForce.GTC),
    )  # fmt: skip
    told = put_to_venue(lane, [asked])
    assert [(each.exch_ns - START) // SECOND for each in told if each.kind == at.FILLED] == [40]


def test_a_day_that_begins_in_the_middle_has_the_whole_book(stored):
    """Who stands where when a day begins is known though the day before is not read."""
    day = DAY_NS // SECOND
    late = [(ev, second + day, *rest) for ev, second, *rest in (BEHIND, executed(20, 7, 1.0), executed(30, 10, 1.0))]
    of = stored([*BEGIN, *late], first_day=1)
    assert of[1]["recv_ns"][0] >= START + DAY_NS
    assert fills(spec(of), seconds=day + 15) == []
    rows = [*late, (hft.ADD | BUY, day + 40, 1.5, 2.0, 11), executed(day + 50, 10, 1.0), executed(day + 60, 11, 1.0)]
    assert fills(spec(stored([*BEGIN, *rows], first_day=1)), seconds=day + 35) == [(day + 60.0, 1)]


def test_other_models_read_order_level_data_as_levels(stored):
    """An estimate of the queue needs no orders: trades and totals are there all the same."""
    trade = (hft.TRADE | SELL, 20, 1.5, 8.0, 0)
    rows = [*BEGIN, BEHIND, trade, executed(20, 7, 4.0), executed(20, 8, 3.0), executed(20, 10, 1.0)]
    assert fills(spec(stored(rows), RiskAverse())) == [(20.0, 1)]
    assert fills(spec(stored(rows))) == [(20.0, 1)]


def test_what_does_not_go_together_is_refused(stored):
    """Windows kept for models by price, data that contain orders of our own, and a book by price."""
    of = stored([*BEGIN, BEHIND, executed(20, 7, 1.0)])
    kept = KeptWindows.of(StoredRows([of[1]]), 0)
    with pytest.raises(ValueError, match="by_order=True, got by_order=False"):
        lane_of(spec(of, kept=kept))
    with pytest.raises(UsageError, match="expected data without orders of our own"):
        lane_of(spec(of, within=True))
    by_price = of[1].copy()
    by_price["price2"][by_price["kind"] == EventKind.LEVEL] = 0
    with pytest.raises(UsageError, match="expected order-level data of binance:AAA-USDT"):
        lane_of(spec((of[0], by_price)))
