"""What compiled code takes by itself, and what it leaves to the reference."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bloor.market.book import OrderBook
from bloor.market.compiled.answers import BBO, BOOK, CROSSED, KIND_MASK, NEEDS_ROOM, TRADE, UNSURE
from bloor.market.compiled.context import LEVELS_CAP
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.events import EventKind, EventView, Flag
from bloor.market.instruments import InstrumentTable
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor_coinbase.compiled.normalizer import compiled
from bloor_coinbase.normalizer import CoinbaseNormalizer

SENT = "2026-08-24T22:34:13.813365299Z"
TIME = "2026-08-24T22:34:13.592233Z"


class Pipe:
    """A compiled pipeline of two instruments."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int, int, int]] = []
        self.lost: list[str] = []
        self.decoded = 0
        table = InstrumentTable(
            Instrument(
                venue="coinbase", symbol=name, venue_symbol=name, base=name[:3], quote="USD", price_decimals=2,
                qty_decimals=8,
            )
            for name in ("BTC-USD", "ETH-USD")
        )  # fmt: skip
        normalizer = CoinbaseNormalizer()
        decode = normalizer.decode

        def counted(frame: bytes) -> Any:
            self.decoded += 1
            return decode(frame)

        normalizer.decode = counted  # type: ignore[method-assign]
        self.pipeline = CompiledPipeline(
            normalizer, compiled(), table, self.on_event, on_resync=lambda symbol, _: self.lost.append(symbol)
        )
        for instrument in table:
            self.pipeline.track(instrument)
        self.seq = 0

    def on_event(self, event: EventView, _: OrderBook | None) -> None:
        """Keeps what matters."""
        self.events.append((EventKind(event.kind).name, event.seq, event.price, event.price2))

    def frame(self, channel: str, event: dict[str, Any]) -> bytes:
        """A frame with the next number."""
        document = {"channel": channel, "timestamp": SENT, "sequence_num": self.seq, "events": [event]}
        self.seq += 1
        return orjson.dumps(document)

    def book(self, kind: str, *rows: tuple[str, str, str], product: str = "BTC-USD") -> bytes:
        """A frame of ``level2``."""
        updates = [
            {"side": side, "event_time": TIME, "price_level": price, "new_quantity": qty} for side, price, qty in rows
        ]
        return self.frame("l2_data", {"type": kind, "product_id": product, "updates": updates})


@pytest.fixture
def pipe() -> Pipe:
    """One whose book of BTC-USD is there."""
    made = Pipe()
    made.pipeline.frame(made.book("snapshot", ("bid", "10", "1"), ("offer", "11.5", "2")), 5)
    return made


def ticker(pipe: Pipe, **more: str) -> bytes:
    """A best bid and offer as the venue writes it."""
    quote = {
        "type": "ticker", "product_id": "BTC-USD", "price": "10.5", "volume_24_h": "15328.12345678",
        "best_bid": "10", "best_bid_quantity": "1", "best_ask": "11.5", "best_ask_quantity": "2", **more,
    }  # fmt: skip
    return pipe.frame("ticker", {"type": "update", "tickers": [quote]})


def trades(pipe: Pipe, *numbers: int, kind: str = "update") -> bytes:
    """Trades whose maker bought."""
    one = {"product_id": "BTC-USD", "price": "10.50", "size": "0.2", "side": "BUY", "time": TIME}
    rows = [{"trade_id": f"{number}", **one} for number in numbers]
    return pipe.frame("market_trades", {"type": kind, "trades": rows})


def test_the_first_snapshot_is_taken(pipe: Pipe) -> None:
    """No reference is needed, not even for a book that was never synchronised."""
    assert pipe.decoded == 0
    assert pipe.events == [("BOOK", 0, 1000, 1150)]
    assert pipe.pipeline.event.flags == Flag.SNAPSHOT
    assert pipe.pipeline.books[0].view.state == BookState.SYNCED


def test_what_the_venue_sends_is_taken(pipe: Pipe) -> None:
    """Changes in any order of sides, one trade, a best bid and offer; counts and ids as the reference's."""
    rows = [("offer", "11", "1"), ("bid", "10.01", "3"), ("offer", "11.5", "0"), ("bid", "10", "0.5")]
    for frame in (pipe.book("update", *rows), pipe.book("update"), ticker(pipe), trades(pipe, 77)):
        assert pipe.pipeline.frame(frame, 6) == 1
    assert pipe.decoded == 0
    assert pipe.events[1:] == [
        ("BOOK", 1, 1001, 1100), ("BOOK", 2, 1001, 1100), ("BBO", -1, 1000, 1150), ("TRADE", 77, 1050, 0),
    ]  # fmt: skip
    assert (pipe.pipeline.last_trade_id, pipe.pipeline.event.side) == ("77", -1)
    counters = pipe.pipeline.counters
    assert (counters.messages, counters.book_messages, counters.trades, counters.bbos) == (5, 3, 1, 1)
    assert pipe.pipeline.books[0].depth(Side.BUY) == [(1001, 300_000_000), (1000, 50_000_000)]


def test_the_answers(pipe: Pipe) -> None:
    """Each kind has its own; a crossed book has no event."""
    step = pipe.pipeline.step
    for frame, kind in (
        (pipe.book("update", ("bid", "10.02", "1")), BOOK),
        (ticker(pipe), BBO),
        (trades(pipe, 5), TRADE),
        (pipe.book("update", ("bid", "12", "1")), CROSSED),
    ):
        assert step(frame, 1) & KIND_MASK == kind


@pytest.mark.parametrize(
    "change",
    [
        (b'"sequence_num":1', b'"sequence_num":2'),
        (b'"sequence_num":1', b'"sequence_num":01'),
        (b'"sequence_num":1', b'"sequence_num":0'),
        (b'"type":"update"', b'"type":"updated"'),
        (b'"bid"', b'"buy"'),
        (b"BTC-USD", b"XRP-USD"),
        (b'"10.02"', b'"10.025"'),
        (b'"10.02"', b'"1e2"'),
        (b'"10.02"', b'"0"'),
        (b'"10.02"', b"10.02"),
        (b"13.592233Z", b"13.592233"),
        (b"08-24T22:34:13.592233Z", b"02-30T22:34:13.592233Z"),
        (b"}]}]}", b"}]}]}}"),
        (b"}]}]}", b"}]}]"),
        (b'{"channel"', b' {"channel"'),
        (b'"channel":"l2_data"', b'"channel":"l2_data","x":1'),
    ],
)
def test_what_it_is_not_sure_of_changes_nothing(pipe: Pipe, change: tuple[bytes, bytes]) -> None:
    """Neither the book nor the number of the connection."""
    before = pipe.pipeline.books[0].top.tolist(), int(pipe.pipeline.context.connection.last)
    frame = pipe.book("update", ("bid", "10.02", "1"))
    assert change[0] in frame
    assert pipe.pipeline.step(frame.replace(*change, 1), 9) == UNSURE
    assert (pipe.pipeline.books[0].top.tolist(), int(pipe.pipeline.context.connection.last)) == before
    assert pipe.pipeline.step(frame, 9) & KIND_MASK == BOOK


def test_the_reference_and_compiled_code_count_on_one_connection(pipe: Pipe) -> None:
    """A frame that the reference took continues it, and a hole that it finds empties books that compiled code made."""
    pipe.pipeline.frame(pipe.frame("heartbeats", {"heartbeat_counter": 1}), 6)
    assert pipe.decoded == 1
    pipe.pipeline.frame(pipe.book("update", ("bid", "10.02", "1")), 7)
    assert pipe.decoded == 1
    pipe.seq += 1
    pipe.pipeline.frame(pipe.book("update", ("bid", "10.03", "1")), 8)
    assert pipe.events[2:] == [("GAP", 4, 3, 0)]
    assert (pipe.lost, pipe.pipeline.books[0].levels) == (["BTC-USD"], (0, 0))
    pipe.pipeline.frame(pipe.book("snapshot", ("bid", "9", "1"), ("offer", "12", "1")), 9)
    assert (pipe.events[-1], pipe.decoded) == (("BOOK", 5, 900, 1200), 2)


def test_a_trade_of_compiled_code_is_not_repeated_by_the_reference(pipe: Pipe) -> None:
    """Several trades, and those of a snapshot, are the reference's; both know what came last."""
    pipe.pipeline.frame(trades(pipe, 50), 6)
    pipe.pipeline.frame(trades(pipe, 52, 51, 50, 49, kind="snapshot"), 7)
    pipe.pipeline.frame(trades(pipe, 53), 8)
    pipe.pipeline.frame(trades(pipe, 53, 52, kind="snapshot"), 9)
    assert [seq for kind, seq, _, _ in pipe.events if kind == "TRADE"] == [50, 51, 52, 53]
    assert pipe.decoded == 2


def test_a_whole_book_of_many_levels_gets_the_room_it_needs() -> None:
    """Room is made once, in the scratch rows and in the book; then it is taken without the reference."""
    pipe = Pipe()
    half = LEVELS_CAP
    rows = [("bid", f"{100_000 - n / 100:.2f}", "0.5") for n in range(half)]
    rows += [("offer", f"{100_001 + n / 100:.2f}", "0.00000001") for n in range(half)]
    frame = pipe.book("snapshot", *rows)
    assert pipe.pipeline.step(frame, 1) == NEEDS_ROOM
    assert pipe.pipeline.frame(frame, 1) == 1
    assert pipe.decoded == 0
    book = pipe.pipeline.books[0]
    assert book.levels == (half, half)
    assert book.depth(Side.BUY)[-1] == (10_000_000 - half + 1, 50_000_000)
    assert book.depth(Side.SELL)[-1] == (10_000_100 + half - 1, 1)
    assert len(pipe.pipeline.context.changed()[0]) == 2 * half
