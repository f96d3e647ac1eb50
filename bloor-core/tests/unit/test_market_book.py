"""An order book from outside."""

from __future__ import annotations

import pytest
from attrs import evolve

from bloor.errors import MoneyError
from bloor.market import kernels
from bloor.market.book import OrderBook
from bloor.market.events import NO_PRICE
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side

INSTRUMENT = Instrument(
    venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=3
)
BIDS = [(100, 10), (99, 20), (50, 5), (1, 7)]
ASKS = [(102, 3), (103, 4), (90_000, 9)]


@pytest.fixture
def book() -> OrderBook:
    """A book with near and far levels."""
    book = OrderBook(INSTRUMENT)
    book.load(BIDS, ASKS, seq=5, exch_ns=6, recv_ns=7)
    return book


def test_empty_book() -> None:
    """A new book has no prices, no levels and is not synchronised."""
    view = OrderBook(INSTRUMENT).view
    assert (view.best_bid, view.bid_qty, view.best_ask, view.ask_qty) == (NO_PRICE, 0, NO_PRICE, 0)
    assert view.state == BookState.UNSYNCED
    assert not view.two_sided


def test_view_is_updated_in_place(book: OrderBook) -> None:
    """The record that strategies hold shows the book at once."""
    view, address = book.view, book.view.address
    assert (view.best_bid, view.bid_qty, view.best_ask, view.ask_qty) == (100, 10, 102, 3)
    assert (view.seq, view.exch_ns, view.recv_ns) == (5, 6, 7)
    book.apply([(100, 0), (101, 1)], [(102, 0)], seq=6)
    assert (view.best_bid, view.bid_qty, view.best_ask, view.ask_qty) == (101, 1, 103, 4)
    assert book.view is view
    assert view.address == address


def test_sizes(book: OrderBook) -> None:
    """A level's size is found near and far; where there is no level it is 0."""
    assert [book.size_at(Side.BUY, ticks) for ticks in (100, 98, 1, 0, -5)] == [10, 0, 7, 0, 0]
    assert book.size_at(Side.SELL, 90_000) == 9
    assert [book.size_to(Side.BUY, ticks) for ticks in (101, 99, 1)] == [0, 30, 42]
    assert [book.size_to(Side.SELL, ticks) for ticks in (102, 1_000_000)] == [3, 16]


def test_depth(book: OrderBook) -> None:
    """Levels come best first, far ones last."""
    assert book.depth(Side.BUY, 2) == BIDS[:2]
    assert book.depth(Side.BUY) == BIDS
    assert book.depth(Side.SELL, 10) == ASKS
    assert book.depth(Side.SELL, 0) == []
    assert book.levels == (4, 3)


def test_average_price(book: OrderBook) -> None:
    """Value and quantity of an order that takes are exact, also when the side is exhausted."""
    assert book.average_price(Side.SELL, 5) == (3 * 102 + 2 * 103, 5)
    assert book.average_price(Side.SELL, 100) == (3 * 102 + 4 * 103 + 9 * 90_000, 16)
    assert book.average_price(Side.BUY, 0) == (0, 0)


def test_average_price_passes_63_bits() -> None:
    """Products of price and quantity are exact beyond what an int64 holds."""
    book = OrderBook(INSTRUMENT)
    book.apply([], [(10**12, 10**12), (10**12 + 1, 10**12)])
    assert book.average_price(Side.SELL, 2 * 10**12) == (10**24 + (10**12 + 1) * 10**12, 2 * 10**12)


@pytest.mark.parametrize("row", [(0, 1), (-1, 1), (1, -1), (1 << 62, 1), (1, 1 << 63)])
def test_impossible_levels_are_refused(book: OrderBook, row: tuple[int, int]) -> None:
    """A level that cannot be leaves the book as it was."""
    with pytest.raises(MoneyError, match="no level can have"):
        book.apply([(98, 1), row], [])
    assert book.depth(Side.BUY) == BIDS


def test_text(book: OrderBook) -> None:
    """A venue's text changes the book exactly, trailing zeros or not."""
    assert not book.change_text([("1.00000", "0.500")], [("1.02", "0")], seq=9, exch_ns=1, recv_ns=2)
    assert (book.view.best_bid, book.view.bid_qty, book.view.best_ask) == (100, 500, 103)


def test_text_that_crosses(book: OrderBook) -> None:
    """The caller is told when the best bid reaches the best ask."""
    assert book.change_text([("1.02", "1")], [], seq=9, exch_ns=1, recv_ns=2)


@pytest.mark.parametrize(
    ("price", "qty", "reason"),
    [
        ("1.005", "1", "bid level 1: expected at most 2 decimals"),
        ("1.00", "0.0001", "bid level 1: expected at most 3 decimals"),
        ("0", "1", "bid level 1: expected a positive price"),
        ("1e5", "1", "bid level 1: expected a plain decimal number"),
        ("99999999999999999999", "1", "does not fit 63 bits"),
    ],
)
def test_text_that_cannot_be_read(book: OrderBook, price: str, qty: str, reason: str) -> None:
    """An unreadable level is named and nothing of its message is applied."""
    with pytest.raises(MoneyError, match=reason):
        book.change_text([("0.98", "1"), (price, qty)], [], seq=9, exch_ns=1, recv_ns=2)
    assert book.depth(Side.BUY) == BIDS


def test_large_numbers_take_the_long_way(book: OrderBook) -> None:
    """A quantity beyond what the short way reads is still exact."""
    book.change_text([("0.01", "9223372036854775.807")], [], seq=9, exch_ns=1, recv_ns=2)
    assert book.size_at(Side.BUY, 1) == (1 << 63) - 1


def test_rescale(book: OrderBook) -> None:
    """A finer instrument keeps every level's value."""
    book.rescale(evolve(INSTRUMENT, price_decimals=4, qty_decimals=5))
    assert book.depth(Side.BUY) == [(ticks * 100, units * 100) for ticks, units in BIDS]
    assert (book.view.best_bid, book.view.seq) == (10_000, 5)
    assert book.instrument.price_decimals == 4


def test_rescale_that_does_not_fit(book: OrderBook) -> None:
    """A level too large for the finer units leaves everything as it was."""
    book.apply([(1, 1 << 60)], [])
    with pytest.raises(MoneyError):
        book.rescale(evolve(INSTRUMENT, qty_decimals=9))
    assert book.instrument is INSTRUMENT
    assert book.size_at(Side.BUY, 1) == 1 << 60


def test_thousands_of_levels() -> None:
    """A snapshot of 5,000 levels a side, most of them far, is held whole, and grows further."""
    book = OrderBook(INSTRUMENT)
    bids = [(1_000_000 - 37 * k, k + 1) for k in range(5_000)]
    asks = [(1_000_001 + 41 * k, k + 1) for k in range(5_000)]
    book.load(bids, asks)
    book.apply([], [(5_000_000 + k, 1) for k in range(20_000)])
    assert book.depth(Side.BUY) == bids
    assert book.depth(Side.SELL) == asks + [(5_000_000 + k, 1) for k in range(20_000)]


def test_repr(book: OrderBook) -> None:
    """A book shows its top in the instrument's decimals."""
    assert repr(book) == "<OrderBook v:A-B 0.010 @ 1.00 / 0.003 @ 1.02 UNSYNCED>"


def test_warm_names_its_steps() -> None:
    """Compiling tells what it is at."""
    steps: list[str] = []
    assert kernels.warm(steps.append) > 0
    assert steps[0] == "numba"
    assert "change" in steps
