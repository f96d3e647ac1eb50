"""A recorded book and our orders in it: best prices run ahead of the changes, and nothing refills by being repeated."""

from __future__ import annotations

import pytest

from bloor.market.messages import BboMessage, BookMessage
from bloor.market.normalizer import SequenceRule
from bloor.model.orders import Side, TimeInForce
from bloor.simulation.exchange import Market
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder
from bloor.simulation.recorded_book import RecordedBook
from bloor.testing.ledgers import quoted

BUY, SELL = Side.BUY, Side.SELL


def best(seq: int, bid: str, ask: str) -> BboMessage:
    """Best prices, given as ``price:quantity``."""
    (bid, bid_qty), (ask, ask_qty) = bid.split(":"), ask.split(":")
    return BboMessage(symbol="X", seq=seq, bid=bid, bid_qty=bid_qty, ask=ask, ask_qty=ask_qty)


def change(seq: int, bids: str = "", asks: str = "", *, snapshot: bool = False) -> BookMessage:
    """A message of the book, each side given as ``price:quantity price:quantity``."""
    sides = [tuple(tuple(level.split(":")) for level in side.split()) for side in (bids, asks)]
    return BookMessage(
        symbol="X", exch_ns=seq, first_seq=seq, last_seq=seq, prev_seq=seq - 1, bids=sides[0], asks=sides[1],
        snapshot=snapshot, over_stream=False,
    )  # fmt: skip


@pytest.fixture
def book() -> RecordedBook:
    """Bids 5 at 99, asks 5 at 101 and 7 at 102."""
    made = RecordedBook(Market(quoted(), MatchingBook()), SequenceRule.NONE, aggregated=False)
    made.book(change(1, "99:5", "101:5 102:7", snapshot=True))
    return made


def take(book: RecordedBook, side: Side, price: str, qty: str) -> str:
    """What an order of ours takes at once."""
    instrument = book.market.instrument
    order = BookOrder(
        id=1, owner=1, side=side, price=instrument.parse_price(price), units=instrument.parse_qty(qty),
        tif=TimeInForce.IOC,
    )  # fmt: skip
    book.market.book.submit(order)
    return instrument.format_qty(order.units - order.remaining).rstrip("0").rstrip(".")


def test_best_prices_that_repeat_themselves_do_not_refill_what_we_took(book: RecordedBook) -> None:
    """The bid moves, the offer is said again: our take of it stays a take."""
    book.bbo(best(2, "99:5", "101:5"))
    assert take(book, BUY, "101", "9") == "5"
    book.bbo(best(3, "100:1", "101:5"))
    assert take(book, BUY, "101", "9") == "0"
    book.bbo(best(4, "100:1", "101:4"))
    assert take(book, BUY, "101", "9") == "4"


def test_changes_that_are_behind_the_best_prices_do_not_touch_the_best_levels(book: RecordedBook) -> None:
    """What was said of them since is newer; the levels behind them change, and what is published is what was said."""
    book.bbo(best(5, "99:5", "101:2"))
    assert take(book, BUY, "101", "9") == "2"
    book.book(change(4, "", "101:3 102:8"))
    assert take(book, BUY, "101", "9") == "0"
    assert take(book, BUY, "102", "9") == "8"
    assert [units for _, units in book.depth(SELL, 2)] == [3 * 10**8, 8 * 10**8]


def test_a_message_that_catches_up_with_the_best_prices_and_says_the_same_does_not_refill(book: RecordedBook) -> None:
    """It tells once more what the best prices have told."""
    book.bbo(best(5, "99:5", "101:2"))
    assert take(book, BUY, "101", "9") == "2"
    book.book(change(5, "", "101:2"))
    assert take(book, BUY, "101", "9") == "0"
