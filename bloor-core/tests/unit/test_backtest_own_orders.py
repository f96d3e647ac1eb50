"""Order-level data of a session: our own orders are taken out of them, and what was executed late is told in time."""

from __future__ import annotations

import numpy as np
import pytest

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, lane_of
from bloor.backtesting.byorder import tells_orders
from bloor.backtesting.models import Constant, Fifo
from bloor.backtesting.moments import moments
from bloor.backtesting.own import as_trades, without_own
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.script import Asked, put_to_venue
from bloor.backtesting.stream import Heard
from bloor.config.duration import Duration
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.storage.cells import Records

US = 1_000
BASE = 1_700_000_000_000_000_000
TRADE, BOOK, LEVEL = EventKind.TRADE, EventKind.BOOK, EventKind.LEVEL
SNAPSHOT, UNSEEN, LAST = Flag.SNAPSHOT, Flag.UNSEEN, Flag.LAST
INSTRUMENT = Instrument(
    venue="kraken", symbol="BTC-USD", venue_symbol="BTC/USD", base="BTC", quote="USD", price_decimals=1, qty_decimals=8
)
OURS = BASE + 5 * US


def message(ns: int, top: tuple[int, int, int, int], *levels: tuple[int, ...], flags: int = 0) -> list[tuple[int, ...]]:
    """A book message: its time from the base, best prices after it, levels ``(side, price, total, order, done)``.

    Everything is received 100 us later.
    """
    head = (int(BOOK), 0, flags, -1, BASE + ns, BASE + ns + 100 * US, *top)
    rows = [
        (int(LEVEL), side, flags | (LAST if n == len(levels) - 1 else 0), -1, BASE + ns, BASE + ns + 100 * US, *rest)
        for n, (side, *rest) in enumerate(levels)
    ]
    return [head, *rows]


def trade(ns: int, side: int, price: int, units: int, number: int, late: int = 0) -> list[tuple[int, ...]]:
    """A trade, stamped to the microsecond."""
    return [(int(TRADE), side, 0, number, BASE + ns - ns % US, BASE + ns + 100 * US + late, price, units, 0, 0)]


def records(*given: list[tuple[int, ...]]) -> Records:
    """The stored records."""
    rows = [row for each in given for row in each]
    made: Records = np.zeros(len(rows), EventView.DTYPE)
    names = ("kind", "side", "flags", "seq", "exch_ns", "recv_ns", "price", "qty", "price2", "qty2")
    for record, row in zip(made, rows, strict=True):
        for name, value in zip(names, row, strict=True):
            record[name] = value
    return made


#: Another's bid and ask; then ours joins at a better price, another joins behind it, ours is executed, and leaves.
SESSION = (
    message(0, (100, 5, 110, 5), (1, 100, 5, BASE - 9, 0), (-1, 110, 5, BASE - 8, 0), flags=SNAPSHOT),
    message(5 * US, (101, 7, 110, 5), (1, 101, 7, OURS, 0)),
    message(6 * US + 1, (101, 10, 110, 5), (1, 101, 10, BASE + 6 * US, 0)),
    trade(7 * US + 3, -1, 101, 2, 1),
    message(7 * US + 3, (101, 8, 110, 5), (1, 101, 8, OURS, 2)),
    message(9 * US, (101, 3, 110, 5), (1, 101, 3, OURS, 0)),
)


def heads(rows: Records) -> list[tuple[int, ...]]:
    """Best prices after each message."""
    found = rows[rows["kind"] == BOOK]
    return [tuple(int(x) for x in row) for row in found[["price", "qty", "price2", "qty2"]].tolist()]


def levels(rows: Records) -> list[tuple[int, ...]]:
    """Side, price, quantity and what was executed, of each level."""
    found = rows[rows["kind"] == LEVEL]
    return [tuple(int(x) for x in row) for row in found[["side", "price", "qty", "qty2"]].tolist()]


def test_our_order_is_taken_off_its_level() -> None:
    """The book is that of others, best prices too; that something was executed at the price stays."""
    rows = records(*SESSION)
    found = without_own(rows, {OURS}, ())
    assert levels(found) == [
        (1, 100, 5, 0),
        (-1, 110, 5, 0),
        (1, 101, 0, 0),
        (1, 101, 3, 0),
        (1, 101, 3, 2),
        (1, 101, 3, 0),
    ]
    assert heads(found) == [(100, 5, 110, 5), (100, 5, 110, 5), (101, 3, 110, 5), (101, 3, 110, 5), (101, 3, 110, 5)]
    assert heads(rows)[1] == (101, 7, 110, 5)  # what was given is as it was


def test_without_orders_of_ours_nothing_changes() -> None:
    """Records are only copied."""
    rows = records(*SESSION)
    assert (without_own(rows, (), ()) == rows).all()


def test_a_side_that_was_only_ours_is_empty() -> None:
    """There is no best price then."""
    rows = records(message(0, (101, 7, NO_PRICE, 0), (1, 101, 7, OURS, 0), flags=SNAPSHOT))
    assert heads(without_own(rows, {OURS}, ())) == [(NO_PRICE, 0, NO_PRICE, 0)]


def test_a_book_that_is_told_anew_is_told_without_ours_too() -> None:
    """After a snapshot, or a level that was cut off, nothing of before counts."""
    rows = records(
        *SESSION[:2],
        message(6 * US, (101, 9, 110, 5), (1, 101, 7, OURS, 0), (1, 101, 9, BASE + 1, 0), flags=SNAPSHOT),
        message(7 * US, (NO_PRICE, 0, 110, 5), (1, 101, 0, 0, 0)),
        message(8 * US, (101, 4, 110, 5), (1, 101, 4, BASE + 2, 0)),
    )  # fmt: skip
    assert levels(without_own(rows, {OURS}, ()))[3:] == [(1, 101, 0, 0), (1, 101, 2, 0), (1, 101, 0, 0), (1, 101, 4, 0)]


def test_what_ours_took_of_others_was_executed_by_nobody() -> None:
    """A simulation makes it anew; only one order's execution is one trade's."""
    rows = records(*SESSION)
    assert [row[3] for row in levels(without_own(rows, (), {1}))] == [0, 0, 0, 0, 0, 0]
    assert [row[3] for row in levels(without_own(rows, (), {2}))] == [0, 0, 0, 0, 2, 0]


def test_the_book_has_the_times_of_trades() -> None:
    """Cut to the microsecond, a trade and what it executed are at one time."""
    found = as_trades(records(*SESSION))
    [traded] = found[found["kind"] == TRADE]
    [done] = found[found["qty2"] * (found["kind"] == LEVEL) > 0]
    assert traded["exch_ns"] == done["exch_ns"] == BASE + 7 * US
    no_trades = records(*SESSION[:3])
    assert (as_trades(no_trades) == no_trades).all()


def test_our_orders_are_found_by_what_they_were_answered() -> None:
    """The level that became more by as much, between the request and a moment after its answer, says the number."""
    rows = StoredRows([records(*SESSION)])
    assert tells_orders(rows)
    mine = Heard(
        number=1, sent_ns=BASE + 4 * US, recv_ns=BASE + 200 * US, exch_ns=BASE + 5 * US, side=1, price=101, change=7
    )
    found = moments(rows, [mine], way_ns=US)
    [piece] = found.rows.pieces
    assert heads(piece)[1] == (100, 5, 110, 5)
    assert found.arrived[1, BASE + 4 * US] == BASE + 5 * US - 1


def test_data_by_price_tell_no_orders() -> None:
    """Levels without numbers."""
    assert not tells_orders(StoredRows([records(message(0, (100, 5, 110, 5), (1, 100, 5, 0, 0), flags=SNAPSHOT))]))


@pytest.mark.parametrize("late", [0, 50_000 * US])
def test_what_was_executed_counts_when_it_happened_however_late_it_is_told(late: int) -> None:
    """The trade came after later news of the book; an order of ours is filled at its time all the same."""
    behind = BASE + 4 * US
    rows = records(
        SESSION[0],
        message(4 * US, (100, 9, 110, 5), (1, 100, 9, behind, 0)),
        message(20 * US, (100, 7, 110, 5), (1, 100, 7, behind, 0)),
        message(30 * US, (100, 7, 110, 6), (-1, 110, 6, BASE + 30 * US, 0)),
        message(20 * US, (100, 7, 110, 6), (1, 100, 7, behind, 2), flags=UNSEEN),
        trade(40 * US, 1, 110, 1, 2, late),
    )
    lane = LaneSpec(
        instrument=INSTRUMENT, rows=StoredRows([rows]), queue=Fifo(), oversell=True,
        latency=Constant(entry=Duration(1), response=Duration(1)),
    )  # fmt: skip
    ours = Asked(
        kind=at.PLACE, ns=BASE + 2 * US, number=1, side=1, price=100, units=2, type=int(OrderType.POST_ONLY),
        tif=int(TimeInForce.GTC),
    )  # fmt: skip
    told = [(each.exch_ns - BASE, each.units) for each in put_to_venue(lane_of(lane), [ours]) if each.kind == at.FILLED]
    assert told == [(20 * US, 2)]
