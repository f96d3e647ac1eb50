"""Which orders trades executed: what is joined, what waits, and what stays alone."""

from __future__ import annotations

from bloor.storage.joining import PATIENCE_NS, WINDOW_NS, Executed, Executions, Unshown

BID, ASK = 1, -1
NOW = 1_700_000_000_000_000_000


def test_a_trade_that_came_first_executed_the_order_that_became_smaller_by_as_much():
    """The change finds the trade."""
    joined = Executions()
    assert joined.traded(0, BID, 100, 5, NOW) == []
    assert joined.gone(0, BID, 100, 7, 5, NOW + 300) == 5
    assert joined.gone(0, BID, 100, 8, 5, NOW + 300) == 0  # a trade is used once


def test_a_trade_that_came_later_finds_the_order():
    """Then what was executed is told with the trade."""
    joined = Executions()
    assert joined.gone(0, ASK, 100, 7, 5, NOW) == 0
    assert joined.traded(0, ASK, 100, 5, NOW - 400) == [Executed(7, 5)]
    assert joined.traded(0, ASK, 100, 5, NOW - 400) == []


def test_a_cancel_is_none():
    """Another price, side or instrument, another quantity, another time: nothing was executed."""
    joined = Executions()
    joined.traded(0, BID, 100, 5, NOW)
    for index, side, price, units, ns in (
        (1, BID, 100, 5, NOW), (0, ASK, 100, 5, NOW), (0, BID, 101, 5, NOW), (0, BID, 100, 4, NOW + 2_000),
        (0, BID, 100, 5, NOW + WINDOW_NS + 1),
    ):  # fmt: skip
        assert joined.gone(index, side, price, 7, units, ns) == 0


def test_several_takers_of_one_order():
    """An order that became smaller once, by as much as several trades together."""
    joined = Executions()
    joined.traded(0, BID, 100, 2, NOW)
    joined.traded(0, BID, 100, 3, NOW + 10)
    assert joined.gone(0, BID, 100, 7, 5, NOW + 20) == 5


def test_one_trade_of_several_orders():
    """A trade that gathers orders executed each of them; of the last, what is left of the trade."""
    joined = Executions()
    for number, units in ((7, 2), (8, 3)):
        joined.gone(0, BID, 100, number, units, NOW)
    assert joined.traded(0, BID, 100, 5, NOW) == [Executed(7, 2), Executed(8, 3)]
    joined.traded(0, BID, 100, 5, NOW)
    assert joined.gone(0, BID, 100, 9, 4, NOW) == 4  # the same time: as far as it goes
    assert joined.gone(0, BID, 100, 10, 4, NOW) == 1


def test_the_same_quantity_counts_before_the_same_time():
    """An order that was cancelled when another was executed does not get its trade."""
    joined = Executions()
    joined.gone(0, BID, 100, 7, 4, NOW)
    joined.gone(0, BID, 100, 8, 5, NOW)
    assert joined.traded(0, BID, 100, 5, NOW) == [Executed(8, 5)]


def test_a_channel_may_be_late():
    """By the venue's clock nothing is late: seconds of lag between the channels change nothing."""
    joined = Executions()
    joined.traded(0, BID, 100, 1, NOW)
    joined.traded(0, BID, 100, 2, NOW + PATIENCE_NS // 2)
    assert joined.gone(0, BID, 100, 7, 1, NOW) == 1
    joined.traded(0, BID, 100, 4, NOW)
    joined.traded(0, BID, 100, 8, NOW + PATIENCE_NS + 1)
    assert joined.gone(0, BID, 100, 7, 4, NOW) == 0


def test_a_trade_without_an_order_executed_one_that_is_not_shown():
    """Once the book is told beyond its time; what was joined is not among them."""
    joined = Executions()
    joined.traded(0, ASK, 120, 3, NOW + 5)
    joined.traded(0, ASK, 110, 2, NOW)
    joined.traded(1, ASK, 110, 2, NOW)
    joined.traded(0, BID, 100, 9, NOW)
    joined.gone(0, BID, 100, 7, 9, NOW)
    assert joined.unshown(0, NOW + WINDOW_NS) == []
    assert joined.unshown(0, NOW + 2 * WINDOW_NS) == [Unshown(NOW, ASK, 110, 2), Unshown(NOW + 5, ASK, 120, 3)]
    assert joined.unshown(0, NOW + 2 * WINDOW_NS) == []


def test_what_waits_counts_in_finer_units_when_the_instrument_does():
    """Nothing is lost by a refinement."""
    joined = Executions()
    joined.traded(0, BID, 100, 5, NOW)
    joined.traded(1, BID, 100, 5, NOW)
    joined.rescaled(0, 10, 1000)
    assert joined.gone(0, BID, 1000, 7, 5_000, NOW) == 5_000
    assert joined.gone(1, BID, 100, 7, 5, NOW) == 5


def test_memory_is_bounded():
    """Prices at which nothing waits any more are forgotten."""
    joined = Executions()
    for n in range(20_000):
        joined.traded(0, BID, 100 + n, 1, NOW + n * 1_000_000_000)
    assert len(joined._levels) <= 4_200
