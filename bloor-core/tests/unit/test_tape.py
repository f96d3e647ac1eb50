"""What simulated venues remember of trades: candlesticks of a venue's own intervals, windows, aggregates."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bloor.model.orders import Side
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.intervals import Interval
from bloor.simulation.tape import Tape

SECOND = 1_000_000_000
DAY_S = 86_400


def ns(*moment):
    """A time in UTC."""
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * SECOND


def test_months_and_weeks():
    """A month is the calendar's; a week begins where its offset says."""
    assert Interval(0).bounds(ns(2024, 2, 29, 12)) == (ns(2024, 2, 1), ns(2024, 3, 1))
    assert Interval(0).bounds(ns(2023, 12, 31)) == (ns(2023, 12, 1), ns(2024, 1, 1))
    monday, thursday = Interval(7 * DAY_S, 4 * DAY_S), Interval(7 * DAY_S)
    assert monday.bounds(ns(2024, 6, 5)) == (ns(2024, 6, 3), ns(2024, 6, 10))
    assert thursday.bounds(ns(2024, 6, 5)) == (ns(2024, 5, 30), ns(2024, 6, 6))


@given(st.integers(0, 40 * DAY_S), st.integers(-3_600, 3_600), st.integers(0, 4 * 10**18))
def test_intervals_tile_time(seconds, offset_s, moment):
    """Every moment is in exactly one interval, and the next begins where it ends."""
    interval = Interval(seconds, offset_s)
    start, end = interval.bounds(moment)
    assert start <= moment < end
    assert interval.bounds(start) == interval.bounds(end - 1) == (start, end)
    assert interval.bounds(end)[0] == end


def trade(number, price, units, at_s, aggressor=Side.BUY, taker=0):
    """A trade some seconds after the start of 2024."""
    return PublicTrade(number, price, units, aggressor, ns(2024, 1, 1) + at_s * SECOND, taker or number)


def test_candles_have_the_names_that_a_venue_gives_them():
    """Each trade is in one candle of each interval; intervals without a trade are flat."""
    tape = Tape({"five": Interval(300), "hour": Interval(3_600)})
    for number, (price, at_s) in enumerate([(10, 0), (12, 10), (9, 290), (11, 905)], 1):
        tape.add(trade(number, price, 2, at_s))
    now = ns(2024, 1, 1) + 910 * SECOND
    rows = [(c.open, c.high, c.low, c.close, c.units, c.count) for c in tape.candles("five", now)]
    assert rows == [(10, 12, 9, 9, 6, 3), (9, 9, 9, 9, 0, 0), (9, 9, 9, 9, 0, 0), (11, 11, 11, 11, 2, 1)]
    current = tape.current("hour", now)
    assert current is not None and (current.units, current.taker_units, current.value) == (8, 8, 84)


def test_windows_need_no_interval_of_a_minute():
    """They are counted in minutes of the tape's own, whatever the venue has candlesticks of."""
    tape = Tape({"hour": Interval(3_600)})
    for number, at_s in enumerate((0, 70, 500), 1):
        tape.add(trade(number, 100 + number, 5, at_s))
    window = tape.window(ns(2024, 1, 1) + 510 * SECOND, 480 * SECOND)
    assert (window.open, window.close, window.units, window.count, window.first_id) == (102, 103, 10, 2, 2)
    assert tape.window(ns(2024, 1, 2) + DAY_S * SECOND, 3_600 * SECOND).count == 0


def test_aggregates_are_trades_of_one_taker_at_one_price():
    """Told once each; a change of price, side or taker begins another."""
    tape = Tape({})
    for number, (price, taker) in enumerate([(10, 7), (10, 7), (11, 7), (11, 8)], 1):
        tape.add(trade(number, price, 1, 0, taker=taker))
    assert [(a.first_id, a.last_id, a.units) for a in tape.fresh()] == [(1, 2, 2), (3, 3, 1), (4, 4, 1)]
    assert tape.fresh() == []
