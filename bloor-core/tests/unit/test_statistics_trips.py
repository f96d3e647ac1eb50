"""Round trips, flat to flat."""

from __future__ import annotations

import pytest

from bloor.observe.ledger import LedgerDesk, Marks
from bloor.observe.trips import trip_statistics, trips_of
from bloor.testing.ledgers import ledger_of, quoted

SECOND = 1_000_000_000
MARKS = Marks(time_ns=[0], mid2=[200])


def desk(lot_units=1):
    instrument = quoted("X-Y", price_decimals=0, qty_decimals=0, lot_units=lot_units)
    return LedgerDesk(strategy="s", instrument=instrument, marks=MARKS)


def fills(*rows, base=0):
    return [(t * SECOND, 0, side, price, units, 1, 0, fee, base, 0) for t, side, price, units, fee in rows]


def test_a_trip_goes_from_flat_to_flat():
    """In with two fills, out with two: one trip, with all fees, its time and what was opened."""
    rows = fills((1, 1, 100, 1, 1), (2, 1, 104, 1, 1), (4, -1, 110, 1, 1), (6, -1, 108, 1, 1))
    trips = trips_of(ledger_of([desk()], rows, end_ns=9 * SECOND))
    assert (trips.net_units.tolist(), trips.side.tolist(), trips.fills.tolist()) == ([10], [1], [4])
    assert (trips.begin_ns.tolist(), trips.end_ns.tolist()) == ([SECOND], [6 * SECOND])
    assert (trips.value.tolist(), trips.profit.tolist()) == ([204], [10])


def test_a_fill_through_zero_ends_one_trip_and_begins_another():
    """Its fee belongs to the trip that ends; the next one begins at its time."""
    rows = fills((1, 1, 100, 1, 0), (2, -1, 105, 3, 2), (5, 1, 106, 2, 0), (6, 1, 100, 1, 0))
    trips = trips_of(ledger_of([desk()], rows, end_ns=9 * SECOND))
    assert (trips.net_units.tolist(), trips.side.tolist(), trips.fills.tolist()) == ([3, -2], [1, -1], [2, 2])
    assert (trips.begin_ns // SECOND).tolist() == [1, 2]
    assert trips.value.tolist() == [100, 210]


def test_what_cannot_be_sold_counts_as_flat():
    """A fee taken in the base asset leaves less than a lot: the trip ends, what is left begins the next one."""
    rows = [
        (SECOND, 0, 1, 100, 1000, 1, 0, 100, 1, 0),
        (2 * SECOND, 0, -1, 110, 990, 1, 0, 0, 0, 0),  # 9 can be sold, and no lot of 10
        (3 * SECOND, 0, -1, 90, 10, 1, 0, 0, 0, 0),
    ]
    trips = trips_of(ledger_of([desk(lot_units=10)], rows, end_ns=9 * SECOND))
    assert trips.net_units.tolist() == [1000 * 10 - 100, 10 * (90 - 110)]
    assert (trips.begin_ns // SECOND).tolist() == [1, 2]


def test_trips_in_numbers():
    """Wins, losses and times of three trips, one of which only pays its fees."""
    rows = fills(
        (0, 1, 100, 1, 0),
        (2, -1, 106, 1, 0),
        (3, 1, 100, 1, 0),
        (4, -1, 98, 1, 0),
        (5, 1, 100, 1, 1),
        (9, -1, 101, 1, 0),
    )
    told = trip_statistics(trips_of(ledger_of([desk()], rows, end_ns=9 * SECOND)))
    assert (told.count, told.wins, told.win_mean, told.loss_mean) == (3, 1, 6, 1)
    assert (told.profit_factor, told.best, told.worst) == (3, 6, -2)
    assert (told.holding_s_mean, told.holding_s_median) == (pytest.approx(7 / 3), 2)
    assert told.expectancy == pytest.approx(told.win_rate * told.win_mean - (1 - told.win_rate) * told.loss_mean)


def test_without_losses_there_is_no_profit_factor():
    """Nothing was lost: a factor would be infinite, so there is none."""
    told = trip_statistics(trips_of(ledger_of([desk()], fills((0, 1, 9, 1, 0), (1, -1, 10, 1, 0)), end_ns=2 * SECOND)))
    assert (told.win_rate, told.profit_factor, told.loss_mean, told.expectancy) == (1, None, None, 1)
