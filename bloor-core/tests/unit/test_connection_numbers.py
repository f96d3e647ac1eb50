"""The numbers of a connection, and what a pipeline makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bloor.market.book import OrderBook
from bloor.market.connection import NOTHING_YET, ConnectionNumbers, Place
from bloor.market.counters import Resync
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.messages import BookMessage, ConnectionMessage, FaultMessage, Message, TradeMessage
from bloor.market.normalizer import SequenceRule
from bloor.market.pipeline import MarketPipeline
from bloor.market.view import BookState


class Said:
    """A normalizer whose frames name messages that were prepared."""

    venue = "made-up"
    rule = SequenceRule.NONE

    def __init__(self) -> None:
        self.messages: Sequence[Message] = ()

    def decode(self, frame: bytes) -> Sequence[Message]:
        """What was prepared."""
        return self.messages

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """Never asked for."""
        raise AssertionError

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """Cut at the dash."""
        base, _, quote = venue_symbol.partition("-")
        return base, quote


class Pipe:
    """A pipeline, its events and what it asked for."""

    def __init__(self) -> None:
        self.normalizer = Said()
        self.events: list[tuple[str, int, int]] = []
        self.lost: list[tuple[str, Resync]] = []
        self.pipeline = MarketPipeline(
            self.normalizer, InstrumentTable(), self.on_event, on_resync=lambda *lost: self.lost.append(lost)
        )

    def on_event(self, event: EventView, _: OrderBook | None) -> None:
        """Keeps kind, number and price."""
        self.events.append((EventKind(event.kind).name, event.seq, event.price))

    def say(self, *messages: Message) -> int:
        """One frame."""
        self.events.clear()
        self.normalizer.messages = messages
        return self.pipeline.frame(b"", 1)


def book(symbol: str, *, snapshot: bool = False) -> BookMessage:
    """One level a side."""
    return BookMessage(symbol, snapshot, -1, -1, -1, [("1", "1")], [("2", "1")])


@pytest.fixture
def pipe() -> Pipe:
    """A connection at number 4 with two books."""
    made = Pipe()
    made.say(ConnectionMessage(3), book("A-X", snapshot=True))
    made.say(ConnectionMessage(4), book("B-X", snapshot=True))
    return made


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        ([0, 1, 2], [Place.CONTINUES] * 3),
        ([7, 8], [Place.CONTINUES] * 2),
        ([0, 2, 3], [Place.CONTINUES, Place.HOLE, Place.CONTINUES]),
        ([5, 5], [Place.CONTINUES, Place.HOLE]),
        ([5, 4], [Place.CONTINUES, Place.HOLE]),
        ([5, 0, 1], [Place.CONTINUES, Place.BEGINS, Place.CONTINUES]),
    ],
)
def test_the_table(numbers: list[int], places: list[Place]) -> None:
    """Any first number is taken, the next one continues it, and 0 begins anew."""
    connection = ConnectionNumbers()
    assert [connection.take(number) for number in numbers] == places
    assert connection.last == numbers[-1]
    connection.reset()
    assert connection.last == NOTHING_YET


def test_a_hole_loses_every_book(pipe: Pipe) -> None:
    """A gap for each, before anything else of the frame is taken; and a snapshot is asked for, for each."""
    assert pipe.say(ConnectionMessage(6), book("A-X")) == 1
    assert pipe.events == [("GAP", 6, 5), ("GAP", 6, 5)]
    assert pipe.lost == [("A-X", Resync.GAP), ("B-X", Resync.GAP)]
    assert pipe.pipeline.counters.gaps == 2
    assert all(one.view.state == BookState.UNSYNCED and one.levels == (0, 0) for one in pipe.pipeline.books)
    pipe.say(ConnectionMessage(9), book("A-X", snapshot=True))
    assert [kind for kind, _, _ in pipe.events] == ["BOOK"], "a book that waits has no second gap"
    pipe.say(ConnectionMessage(11), book("A-X"))
    assert pipe.events == [("GAP", 11, 10)]


def test_a_frame_that_comes_twice_is_passed_over(pipe: Pipe) -> None:
    """Nothing of it is taken again, and no book is lost; it counts as a message of no kind."""
    trade = TradeMessage("A-X", "4", "1", "1", 1, 1)
    assert pipe.say(ConnectionMessage(5), trade, book("A-X")) == 2
    assert pipe.say(ConnectionMessage(5), trade, book("A-X")) == 0
    assert pipe.events == []
    assert pipe.say(ConnectionMessage(6), book("A-X")) == 1
    counters = pipe.pipeline.counters
    assert (counters.gaps, counters.trades, counters.messages, counters.other) == (0, 1, 5, 1)


def test_a_number_alone_is_no_message(pipe: Pipe) -> None:
    """A frame that says nothing else goes to the session, and counts as another."""
    assert pipe.say(ConnectionMessage(5)) == 0
    assert pipe.pipeline.counters.other == 1


def test_another_connection_clears_the_books(pipe: Pipe) -> None:
    """And so does a reset, after which any number may come."""
    pipe.say(ConnectionMessage(0))
    assert [kind for kind, _, _ in pipe.events] == ["CLEARED", "CLEARED"]
    pipe.pipeline.reset()
    pipe.say(ConnectionMessage(70), book("A-X", snapshot=True))
    assert [kind for kind, _, _ in pipe.events] == ["BOOK"]
    assert (pipe.pipeline.counters.gaps, pipe.lost) == (0, [])


def test_a_fault_is_an_error_and_leaves_the_books(pipe: Pipe) -> None:
    """The frame counts as unreadable, its number as seen."""
    assert pipe.say(ConnectionMessage(5), FaultMessage("a trade without a price")) == -1
    assert pipe.say(ConnectionMessage(6), book("A-X")) == 1
    assert (pipe.pipeline.counters.errors, pipe.pipeline.counters.gaps) == (1, 0)


def test_a_trade_that_is_repeated_counts_once(pipe: Pipe) -> None:
    """Only where it says that it may be a repetition, and only up to the newest one that came."""

    def trade(number: str, *, recent: bool = True) -> TradeMessage:
        return TradeMessage("A-X", number, "1", "1", 1, 1, recent=recent)

    pipe.say(ConnectionMessage(5), trade("4"), trade("5"))
    pipe.say(ConnectionMessage(6), trade("4"), trade("5"), trade("6"), trade("5", recent=False))
    assert [seq for _, seq, _ in pipe.events] == [6, 5]
    assert pipe.pipeline.counters.trades == 4
