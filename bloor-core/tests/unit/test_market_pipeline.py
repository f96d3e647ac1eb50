"""Frames to books and events, with a venue made up for the purpose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.book import OrderBook
from bloor.market.counters import Resync
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.market.instruments import InstrumentTable
from bloor.market.messages import BboMessage, BookMessage, Message, OtherMessage, TradeMessage
from bloor.market.normalizer import SequenceRule
from bloor.market.pipeline import MarketPipeline
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side

KINDS = {"trade": TradeMessage, "bbo": BboMessage, "book": BookMessage, "other": OtherMessage}


class FakeVenue:
    """A venue whose frames are lists of ``[kind, {field: value}]``."""

    venue = "fake"
    rule = SequenceRule.CONTIGUOUS

    def decode(self, frame: bytes) -> Sequence[Message]:
        try:
            return [KINDS[kind](**fields) for kind, fields in json.loads(frame)]
        except (ValueError, TypeError, KeyError) as error:
            raise RemoteProtocolError(f"frame: {error}") from None

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        (message,) = self.decode(body)
        assert isinstance(message, BookMessage)
        return message._replace(symbol=venue_symbol, over_stream=False)

    def split(self, venue_symbol: str) -> tuple[str, str]:
        return venue_symbol[:1], venue_symbol[1:]


class KrakenLike(FakeVenue):
    """A venue without numbers, with a depth of two levels and the number of levels as its checksum."""

    rule = SequenceRule.NONE

    def depth(self, venue_symbol: str) -> int:
        return 2

    def decimals(self, venue_symbol: str) -> tuple[int, int]:
        return 0, 0

    def checksum(self, message: BookMessage, book: OrderBook) -> int:
        return sum(book.levels)


Rows = list[tuple[str, str]]


def book(first: int, last: int, bids: Rows, asks: Rows, **more: Any) -> list[Any]:
    fields = {"symbol": "AB", "snapshot": False, "first_seq": first, "last_seq": last, "prev_seq": -1, "exch_ns": last}
    return ["book", {**fields, "bids": bids, "asks": asks, **more}]


def frame(*messages: Any) -> bytes:
    return json.dumps(messages).encode()


class Run:
    """A pipeline and everything it said."""

    def __init__(self, venue: FakeVenue | None = None, **options: Any) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.errors: list[str] = []
        self.resyncs: list[tuple[str, Resync]] = []
        self.table = InstrumentTable(options.pop("instruments", ()))
        self.pipeline = MarketPipeline(
            venue or FakeVenue(),
            self.table,
            self.event,
            on_error=self.errors.append,
            on_resync=lambda symbol, why: self.resyncs.append((symbol, why)),
            **options,
        )

    def event(self, event: EventView, book: OrderBook | None) -> None:
        self.events.append(
            (EventKind(event.kind), event.flags, event.seq, event.price, event.qty, event.price2, event.qty2)
        )

    def kinds(self) -> list[EventKind]:
        return [event[0] for event in self.events]

    def send(self, *messages: Any, recv_ns: int = 1) -> int:
        return self.pipeline.frame(frame(*messages), recv_ns)

    def snapshot(self, last: int, bids: Rows, asks: Rows) -> bool:
        return self.pipeline.snapshot(frame(book(last, last, bids, asks, snapshot=True)), "AB", 1)

    def state(self) -> int:
        made = self.pipeline.book("AB")
        assert made is not None
        return made.view.state


TRADE = {"symbol": "AB", "trade_id": "7", "price": "1.50", "qty": "0.25", "taker_side": -1, "exch_ns": 5}


def test_trade() -> None:
    """A trade becomes one event in ticks and units, its text id beside it."""
    run = Run()
    assert run.send(["trade", TRADE], recv_ns=9) == 1
    assert run.events == [(EventKind.TRADE, 0, 7, 15, 25, 0, 0)]
    event = run.pipeline.event
    assert (event.side, event.exch_ns, event.recv_ns, event.instrument) == (-1, 5, 9, 0)
    assert run.pipeline.last_trade_id == "7"
    assert run.table[0].symbol == "A-B"


def test_trade_with_a_text_id() -> None:
    """An id that is no number is kept beside the event, which then counts."""
    run = Run()
    run.send(["trade", {**TRADE, "trade_id": "x-1"}])
    assert (run.events[0][2], run.pipeline.last_trade_id) == (1, "x-1")


def test_aggregated_trade() -> None:
    """An aggregated trade says which trades are in it."""
    run = Run()
    run.send(["trade", {**TRADE, "aggregated": True, "first_id": 3, "last_id": 6}])
    assert run.events == [(EventKind.AGG_TRADE, 0, 7, 15, 25, 3, 6)]
    assert run.pipeline.counters.trades == 1


def test_best_bid_and_offer() -> None:
    """The venue's own quote becomes an event; a side without a price is empty."""
    run = Run()
    quote = {"symbol": "AB", "seq": 3, "bid": "1.5", "bid_qty": "2", "ask": "0.0", "ask_qty": "0"}
    run.send(["bbo", quote])
    assert run.events == [(EventKind.BBO, 0, 3, 15, 2, NO_PRICE, 0)]


def test_book_from_snapshot_and_changes() -> None:
    """Changes held for the snapshot are marked as such, later ones are not, and the snapshot itself is no event."""
    run = Run()
    run.send(book(1, 4, [("1", "1")], []), recv_ns=11)
    run.send(book(5, 6, [("1.0", "3")], []), recv_ns=12)
    assert run.events == []
    assert run.snapshot(4, [("1", "2")], [("2", "2")])
    assert run.events == [(EventKind.BOOK, Flag.BUFFERED, 6, 1, 3, 2, 2)]
    assert run.pipeline.event.recv_ns == 12
    run.send(book(7, 7, [], [("1.5", "1")]))
    assert run.events[1] == (EventKind.BOOK, 0, 7, 10, 3, 15, 1)
    assert run.state() == BookState.SYNCED
    assert run.pipeline.counters.messages == 4
    assert run.pipeline.counters.book_messages == 3


def test_snapshot_over_the_stream_is_an_event() -> None:
    """A snapshot that is a frame shows its top."""
    run = Run()
    run.send(book(4, 4, [("1", "2")], [("2", "2")], snapshot=True))
    assert run.events == [(EventKind.BOOK, Flag.SNAPSHOT, 4, 1, 2, 2, 2)]


def test_empty_change_is_an_event() -> None:
    """A change without levels still moves the book's number."""
    run = Run(assume_empty=True)
    run.send(book(1, 1, [], []))
    assert run.events == [(EventKind.BOOK, 0, 1, NO_PRICE, 0, NO_PRICE, 0)]


def test_gap() -> None:
    """A gap empties the book, asks once for a snapshot, and nothing is shown until it comes."""
    run = Run(assume_empty=True)
    run.send(book(1, 1, [("1", "1")], []))
    run.send(book(3, 3, [("2", "1")], []))
    run.send(book(4, 4, [("3", "1")], []))
    assert run.events[1:] == [(EventKind.GAP, 0, 3, 2, 0, 0, 0)]
    assert run.resyncs == [("AB", Resync.GAP)]
    assert run.state() == BookState.UNSYNCED
    made = run.pipeline.book("AB")
    assert made is not None
    assert made.view.best_bid == NO_PRICE
    run.snapshot(3, [("2", "1")], [])
    assert run.events[2:] == [(EventKind.BOOK, Flag.BUFFERED, 4, 3, 1, NO_PRICE, 0)]


def test_stale_snapshot_live() -> None:
    """A snapshot older than what is held is asked for again, and is no gap."""
    run = Run()
    run.send(book(10, 11, [], []))
    run.snapshot(5, [], [])
    assert run.resyncs == [("AB", Resync.STALE_SNAPSHOT)]
    assert (run.events, run.pipeline.counters.gaps) == ([], 0)


def test_stale_snapshot_offline() -> None:
    """Where no other snapshot can be had it is a gap in the data, told once."""
    run = Run(refetch=False)
    run.send(book(10, 11, [], []))
    run.snapshot(5, [], [])
    assert run.events == [(EventKind.GAP, 0, 10, 6, 0, 0, 0)]


@pytest.mark.parametrize("stage", ["applied", "held"])
def test_bad_level(stage: str) -> None:
    """A level off the grid rejects its whole message and the book is not believed until a snapshot."""
    instrument = Instrument(
        venue="fake", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, tick_units=5,
        qty_decimals=0,
    )  # fmt: skip
    run = Run(instruments=[instrument], assume_empty=stage == "applied")
    assert run.send(book(1, 1, [("1.05", "1"), ("1.01", "1")], [])) == -1
    assert run.kinds() == [EventKind.CLEARED]
    assert run.errors == ["A-B: bid level 1: A-B: price 1.01 is not a multiple of the tick 0.05"]
    assert run.state() == BookState.UNSYNCED
    run.send(book(2, 2, [("1.10", "1")], []))
    run.snapshot(1, [], [])
    assert run.kinds() == [EventKind.CLEARED, EventKind.BOOK]


def test_crossed_book() -> None:
    """A bid at or above the ask means that something was missed: the book is not believed."""
    run = Run(assume_empty=True)
    run.send(book(1, 1, [("1", "1")], [("2", "1")]))
    run.send(book(2, 2, [("2", "1")], []))
    assert run.kinds() == [EventKind.BOOK, EventKind.CLEARED]
    assert run.resyncs == [("AB", Resync.CROSSED)]
    assert run.pipeline.counters.crossed == 1
    assert "the best bid is not below the best ask" in run.errors[0]


def test_repeated_change_is_dropped() -> None:
    """What the book contains already is neither applied nor shown."""
    run = Run(assume_empty=True)
    for _ in range(2):
        run.send(book(1, 1, [("1", "1")], []))
    assert run.kinds() == [EventKind.BOOK]
    assert run.pipeline.counters.dropped == 1


def test_unreadable_frame() -> None:
    """A frame that is none is told and counted, and changes nothing."""
    run = Run()
    assert run.pipeline.frame(b"{", 1) == -1
    assert len(run.errors) == run.pipeline.counters.errors == 1
    assert run.pipeline.counters.messages == 0
    assert not run.pipeline.snapshot(b"{", "AB", 1)


def test_other_frame_goes_to_the_session() -> None:
    """A frame of another kind is counted and left to the caller."""
    run = Run()
    assert run.send(["other", {"what": "ack"}]) == 0
    assert run.pipeline.counters.other == 1


def test_unwanted_instrument() -> None:
    """Messages of instruments that nobody wants are counted as other, and are no control frames."""
    run = Run(wanted=lambda instrument: instrument.symbol != "A-B")
    assert run.send(["trade", TRADE]) == 1
    assert (run.events, run.pipeline.counters.other) == ([], 1)
    strict = Run(infer=False)
    strict.send(["trade", TRADE])
    assert strict.events == []


def test_instrument_is_refined_from_the_text() -> None:
    """More decimals in the text make finer units, in the book too."""
    run = Run(assume_empty=True)
    run.send(book(1, 1, [("1", "1")], [("3", "1")]))
    run.send(book(2, 2, [("1.25", "0.5")], []))
    assert run.events[1] == (EventKind.BOOK, 0, 2, 125, 5, 300, 10)
    assert (run.table[0].price_decimals, run.table[0].qty_decimals) == (2, 1)
    made = run.pipeline.book("AB")
    assert made is not None
    assert made.depth(Side.BUY) == [(125, 5), (100, 10)]
    run.send(["trade", {**TRADE, "price": "1.123"}])
    assert made.view.best_bid == 1250


def test_checksum_and_depth() -> None:
    """A venue's checksum is compared after the book is cut to its depth; only a wrong one is an event, and loses it."""
    run = Run(KrakenLike())
    levels = [("3", "1"), ("2", "1"), ("1", "1")]
    run.send(book(-1, -1, levels, [("4", "1")], snapshot=True, checksum=3))
    assert run.kinds() == [EventKind.BOOK]
    run.send(book(-1, -1, [], [("5", "1")], checksum=9))
    assert run.events[1:] == [
        (EventKind.CHECKSUM, 0, 4, 9, 0, 0, 0),
        (EventKind.CLEARED, 0, 0, 0, 0, 0, 0),
    ]
    counters = run.pipeline.counters
    assert (counters.checksums_ok, counters.checksums_bad) == (1, 1)
    assert run.resyncs == [("AB", Resync.CHECKSUM)]
    run.send(book(-1, -1, [("3", "1")], []))
    assert len(run.events) == 3


def test_reset() -> None:
    """When the connection is gone every believed book is cleared, and the stream may begin anywhere."""
    run = Run(assume_empty=True)
    run.send(book(1, 1, [("1", "1")], []))
    run.pipeline.reset()
    run.pipeline.reset()
    run.send(book(50, 50, [("1", "1")], []))
    assert run.kinds() == [EventKind.BOOK, EventKind.CLEARED]
    assert run.state() == BookState.UNSYNCED


def test_track_makes_the_book_first() -> None:
    """An instrument's book is there, and the same, before and after its first frame."""
    instrument = Instrument(
        venue="fake", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=2
    )
    run = Run()
    made = run.pipeline.track(instrument)
    run.snapshot(1, [("1", "1")], [])
    run.send(book(2, 2, [], []))
    assert run.pipeline.books == [made]
    assert made.view.best_bid == 100
    assert run.pipeline.track(instrument) is made


def test_nameless_snapshot() -> None:
    """A snapshot that does not say whose it is goes where the caller says, and nowhere without."""
    nameless = book(4, 4, [("1", "1")], [], snapshot=True, symbol="", over_stream=False)
    run = Run(resolve=lambda: "AB")
    run.send(book(5, 5, [], []))
    run.send(nameless)
    assert run.kinds() == [EventKind.BOOK]
    nowhere = Run()
    nowhere.send(nameless)
    assert (nowhere.errors, nowhere.pipeline.counters.messages, nowhere.pipeline.counters.other) == ([], 1, 0)


def test_several_messages_in_a_frame() -> None:
    """A frame counts once, its messages each."""
    run = Run()
    assert run.send(["trade", TRADE], ["trade", {**TRADE, "trade_id": "8"}], ["other", {"what": "x"}]) == 2
    counters = run.pipeline.counters
    assert (counters.messages, counters.trades, counters.other) == (1, 2, 0)
