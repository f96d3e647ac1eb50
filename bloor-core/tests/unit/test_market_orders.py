"""Orders in their queues: numbers by the time of joining, depth, what is best."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.orders import OrderQueues, as_levels

BID, ASK = 1, -1


def queues(*orders: tuple[str, int, str, str, int]) -> OrderQueues:
    """A book with these orders: ``(id, side, price, quantity, when it joined)``."""
    made = OrderQueues()
    for order in orders:
        made.add(*order)
    return made


def test_an_order_has_the_time_at_which_it_joined_as_its_number():
    """The sequence of numbers is that of times, whenever an order was told."""
    book = queues(("late", BID, "10", "1", 500), ("early", BID, "9", "1", 100))
    assert [(c.price, c.number) for c in book.whole()] == [("10", 500), ("9", 100)]
    assert book.newest == 500


def test_the_sequence_of_a_queue_counts_more_than_a_time():
    """An order behind another has a higher number, also where the venue says an earlier or the same time."""
    book = queues(("a", BID, "10", "1", 500), ("b", BID, "10", "1", 500), ("c", BID, "10", "1", 400))
    assert [c.number for c in book.whole()] == [500, 501, 502]


def test_one_price_is_one_level_however_it_is_written():
    """Trailing zeros make no other price, and the first way of writing it stays."""
    book = queues(("a", BID, "10.0", "1", 1), ("b", BID, "10.00", "2", 2))
    assert list(book.best(BID)) == [("10.0", [Decimal(1), Decimal(2)])]


def test_best_levels_come_first_on_both_sides():
    """Bids fall, asks rise; a count says how many are wanted."""
    book = queues(
        *((f"b{p}", BID, str(p), "1", p) for p in (7, 9, 8)), *((f"a{p}", ASK, str(p), "1", p) for p in (12, 11))
    )
    assert [price for price, _ in book.best(BID)] == ["9", "8", "7"]
    assert book.prices(ASK, 1) == ["11"]
    assert book.queue(ASK, "11.0") == [Decimal(1)]
    assert book.queue(ASK, "13") == []
    assert not book.crossed
    book.add("x", BID, "11", "1")
    assert book.crossed


def test_what_is_beyond_the_depth_is_forgotten():
    """The worst levels go with their orders, which may be added again."""
    book = queues(*((f"b{p}", BID, str(p), "1", p) for p in (7, 8, 9)), ("a", ASK, "12", "1", 4))
    assert book.truncate(2) == 1
    assert "b7" not in book
    assert len(book) == 3
    assert book.truncate(2) == 0
    (change,) = book.add("b7", BID, "7", "1", 7)
    assert change.number == 7


def test_a_smaller_order_says_by_how_much():
    """What is gone of an order that keeps its place may have been executed; where it moved, nothing was."""
    book = queues(("a", BID, "10", "5", 1), ("b", BID, "10", "2", 2))
    assert [(c.total, c.gone) for c in book.reduce("a", "3.5")] == [("5.5", "1.5")]
    assert [(c.total, c.gone) for c in book.cancel("b")] == [("3.5", "2")]
    assert [(c.price, c.total, c.gone) for c in book.modify("a", "11", "3.5", 9)] == [
        ("10", "0.0", "0"), ("11", "3.5", "0"),
    ]  # fmt: skip


@pytest.mark.parametrize(("keeps", "sequence"), [(False, [2, 1]), (True, [1, 2])])
def test_an_order_that_grows_keeps_its_place_where_the_venue_lets_it(keeps, sequence):
    """Otherwise it goes to the end, with a new number."""
    book = queues(("a", BID, "10", "1", 1), ("b", BID, "10", "2", 2))
    assert book.any_grows([("a", "10", "1.5")])
    assert not book.any_grows([("a", "10", "1"), ("a", "11", "9"), ("unknown", "10", "9")])
    book.modify("a", "10", "1.5", 9, keeps=keeps)
    ((_, quantities),) = book.best(BID)
    assert quantities == [Decimal("1.5") if n == 1 else Decimal(2) for n in sequence]


def test_changes_become_levels_with_whose_they_are():
    """Bids come first, and the place says in which sequence things happened."""
    book = OrderQueues()
    changes = [*book.add("a", ASK, "12", "1", 1), *book.add("b", BID, "10", "2", 2), *book.cancel("a")]
    bids, asks, orders = as_levels(changes, book, tells_executions=False)
    assert (bids, asks) == ([("10", "2")], [("12", "1"), ("12", "0")])
    assert [(row.number, row.place, row.gone) for row in orders.rows] == [(2, 1, "0"), (1, 0, "0"), (1, 2, "1")]
    assert orders.queues is book
    assert not orders.tells_executions


def test_what_cannot_be_is_refused():
    """An order that is there already, one that never was, and numbers that are none."""
    book = queues(("a", BID, "10", "1", 1))
    for wrong in (
        lambda: book.add("a", BID, "10", "1"),
        lambda: book.add("b", 0, "10", "1"),
        lambda: book.cancel("b"),
        lambda: book.reduce("a", "2"),
        lambda: book.modify("a", "x", "1"),
    ):
        with pytest.raises(RemoteProtocolError, match="order"):
            wrong()


def test_quantities_that_no_sum_holds_are_refused():
    """Nothing is rounded, and nothing has changed."""
    book = queues(("a", BID, "10", "1" + "0" * 70, 1))
    with pytest.raises(RemoteProtocolError, match="at most 80 digits"):
        book.add("b", BID, "10", "0." + "0" * 40 + "1")
    assert ("b" in book, len(book)) == (False, 1)
    book.add("b", BID, "11", "0." + "0" * 40 + "1")
    with pytest.raises(RemoteProtocolError, match="at most 80 digits"):
        book.modify("b", "10", "0." + "0" * 40 + "1")
