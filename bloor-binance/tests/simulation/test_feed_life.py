"""The life of a market-data connection in virtual time: replaced, cut, gapped, silent, and nothing is lost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest

from bloor.engine.effects import STANDBY, feed_conn
from bloor.journal.record import RecordKind
from bloor.market.events import EventKind, EventView
from bloor.market.recorded_folder import Input, counted
from bloor.market.view import BookState
from bloor.simulation.venue import HttpAnswer, HttpRequest
from bloor.simulation.world import Latency
from bloor.testing.virtual import VirtualRun
from bloor_binance import feed
from bloor_binance.normalizer import BinanceSpotNormalizer

SECOND = 1_000_000_000
FEED = feed_conn(0)


class Watched:
    """A run, and what its pipeline handed on.

    Attributes:
        run: The run.
        trades: Trade ids by instrument number, in order.
        bbos: Numbers of quotes by instrument number.
        books: Numbers of books by instrument number.
        bad: Events that say that a book was lost.
    """

    def __init__(self, *, life: str = "20s", symbols: tuple[str, ...] = ("BTC-USDT",), **options: Any) -> None:
        self.run = VirtualRun(["momentum"], symbols=symbols, sets=[f"venue.binance.connection_life={life}"], **options)
        self.trades: dict[int, list[int]] = {}
        self.bbos: dict[int, list[int]] = {}
        self.books: dict[int, list[int]] = {}
        self.bad: list[tuple[EventKind, int]] = []
        pipeline = self.run.engine.lines[0].pipeline
        on_event = self.run.engine.on_event

        def watch(event: EventView, book: Any) -> None:
            kept = {EventKind.TRADE: self.trades, EventKind.BBO: self.bbos, EventKind.BOOK: self.books}
            into = kept.get(EventKind(event.kind))
            if into is not None:
                into.setdefault(event.instrument, []).append(event.seq)
            else:
                self.bad.append((EventKind(event.kind), event.instrument))
            on_event(event, book)

        pipeline.listen(watch)

    @property
    def replaced(self) -> int:
        """How many times the connection was replaced."""
        return self.run.engine.lines[0].market.replaced

    def check(self) -> None:
        """No trade is missing or came twice, no number goes back, and what the journal says counts is what counted."""
        for ids in self.trades.values():
            assert ids == list(range(ids[0], ids[0] + len(ids)))
        for flow in (self.bbos, self.books):
            for numbers in flow.values():
                assert numbers == sorted(set(numbers))
        records = [Input(n, *record) for n, record in enumerate(self.run.journal.records)]
        decode = BinanceSpotNormalizer().decode
        said = [decode(r.payload)[0] for r in counted(records) if r.kind == RecordKind.FRAME_IN]
        trades = [int(m.trade_id) for m in said if hasattr(m, "trade_id")]
        assert trades == [n for ids in self.trades.values() for n in ids] or len(self.trades) > 1
        assert sorted(trades) == sorted(n for ids in self.trades.values() for n in ids)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_connection_is_replaced_without_losing_or_repeating_anything(seed: int) -> None:
    """Several times over, with delays that put either connection ahead; the book is never lost."""
    watched = Watched(seed=seed, latency=Latency(50_000, 90_000_000))
    watched.run.for_seconds(100)
    assert watched.replaced >= 3
    assert watched.bad == []
    assert len(watched.trades[0]) > 100
    assert watched.run.engine.lines[0].pipeline.counters.gaps == 0
    watched.check()
    assert {code for code, _ in watched.run.alerts} == {"replacing"}


def test_streams_beyond_the_url_are_replaced_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second connection is subscribed by message to what the URL has no room for."""
    monkeypatch.setattr(feed, "MAX_URL", 60)
    watched = Watched(life="10s")
    watched.run.for_seconds(40)
    assert "bookTicker" not in watched.run.engine.lines[0].market.session.url
    assert watched.replaced >= 2
    assert watched.bad == []
    assert len(watched.bbos[0]) > 100
    watched.check()


def test_the_shutdown_notice_is_answered_with_another_connection() -> None:
    """The venue says that it will close; when it does, the other one has long taken over."""
    watched = Watched(life="23h")
    watched.run.for_seconds(5)
    watched.run.world.inject(FEED, b'{"e":"serverShutdown","E":1}')
    watched.run.for_seconds(5)
    assert watched.replaced == 1
    watched.run.for_seconds(5)
    assert watched.bad == []
    watched.check()


@pytest.mark.parametrize("after", [0.1, 0.25, 0.3, 0.35, 0.4, 1.0, 1.9])
def test_a_connection_that_ends_while_it_is_replaced(after: float) -> None:
    """The second one takes over early, in sync or with books made anew; either way trading data goes on."""
    watched = Watched(life="23h", latency=Latency(50_000, 200_000_000))
    watched.run.for_seconds(5)
    watched.run.world.inject(FEED, b'{"e":"serverShutdown","E":1}')
    watched.run.for_seconds(after)
    watched.run.world.cut(FEED)
    watched.run.for_seconds(10)
    assert watched.run.engine.desks[0].book.state == BookState.SYNCED
    assert STANDBY | FEED not in watched.run.world._open
    numbers = watched.trades[0]
    assert numbers == sorted(set(numbers)), "nothing is repeated"
    if after > 0.5:
        assert watched.bad == []
        watched.check()


def test_a_second_connection_that_is_lost_changes_nothing() -> None:
    """The first one goes on, a person is told, and it is tried again later."""
    watched = Watched(life="23h")
    watched.run.for_seconds(5)
    watched.run.world.inject(FEED, b'{"e":"serverShutdown","E":1}')
    watched.run.for_seconds(1)
    watched.run.world.cut(FEED | STANDBY)
    watched.run.for_seconds(60)
    assert [code for code, _ in watched.run.alerts] == ["replacing", "not_replaced"]
    assert (watched.replaced, watched.bad) == (0, [])
    watched.run.for_seconds(300)
    assert watched.replaced == 1
    watched.check()


def test_a_second_connection_without_one_of_the_streams_does_not_take_over() -> None:
    """A stream that is acknowledged and silent would be a loss, so the first connection is kept."""
    watched = Watched(life="23h")
    watched.run.world.lossy = lambda conn, payload: conn == FEED | STANDBY and b"@trade" in payload
    watched.run.for_seconds(5)
    watched.run.world.inject(FEED, b'{"e":"serverShutdown","E":1}')
    watched.run.for_seconds(70)
    assert [code for code, _ in watched.run.alerts] == ["replacing", "not_replaced"]
    assert "BTCUSDT trade" in watched.run.alerts[1][1]
    assert watched.bad == []
    watched.check()


def test_a_lost_frame_disturbs_only_its_own_book() -> None:
    """The book with a gap is emptied and fetched anew; the other one goes on without a hole."""
    watched = Watched(life="23h", symbols=("BTC-USDT", "ETH-USDT"))
    world = watched.run.world
    watched.run.for_seconds(5)
    lost: list[bytes] = []

    def lossy(conn: int, payload: bytes) -> bool:
        if not lost and conn == FEED and b"ethusdt@depth" in payload:
            lost.append(payload)
            return True
        return False

    world.lossy = lossy
    before = len(watched.books[0])
    watched.run.for_seconds(5)
    assert len(lost) == 1
    assert watched.bad == [(EventKind.GAP, 1)]
    assert [code for code, _ in watched.run.alerts] == ["book_lost"]
    assert all(desk.book.state == BookState.SYNCED for desk in watched.run.engine.desks)
    assert len(watched.books[0]) - before >= 45, "ten a second, none missing"
    watched.check()


def test_a_frame_that_comes_twice_is_used_once() -> None:
    """Every change of the book is repeated by the network: nothing is asked for, no number comes twice."""
    watched = Watched(life="23h")
    world = watched.run.world
    repeated: set[bytes] = set()

    def lossy(conn: int, payload: bytes) -> bool:
        if b"@depth" in payload and payload not in repeated:
            repeated.add(payload)
            world.inject(conn, payload)
        return False

    world.lossy = lossy
    watched.run.for_seconds(10)
    assert len(repeated) > 90
    assert watched.bad == []
    assert watched.run.alerts == []
    books = watched.books[0]
    assert books == sorted(set(books))


def test_frames_in_the_wrong_order_cost_one_snapshot() -> None:
    """A change that comes after the one that follows it: the book is emptied, fetched, and right again."""
    watched = Watched(life="23h")
    world = watched.run.world
    watched.run.for_seconds(5)
    late: list[bytes] = []

    def lossy(conn: int, payload: bytes) -> bool:
        if b"@depth" not in payload or len(late) == 2:
            return False
        late.append(payload)
        if len(late) == 1:
            return True
        world.inject(conn, late[0])
        return False

    world.lossy = lossy
    watched.run.for_seconds(5)
    assert watched.bad == [(EventKind.GAP, 0)]
    assert watched.run.engine.desks[0].book.state == BookState.SYNCED
    books = watched.books[0]
    assert books == sorted(set(books))


@pytest.mark.parametrize("status", [0, 418, 429, 500, 503])
def test_a_snapshot_that_cannot_be_had_is_asked_for_again(status: int) -> None:
    """With growing waits until it comes; the changes that came meanwhile are not lost."""
    watched = Watched(life="23h")
    venue = watched.run.world.venue
    answer, asked = venue.request, []

    def refuse(request: HttpRequest, now_ns: int) -> HttpAnswer:
        if request.path.endswith("/depth"):
            asked.append(now_ns)
            if len(asked) <= 4:
                return HttpAnswer(status, b"")
        return answer(request, now_ns)

    venue.request = refuse  # type: ignore[method-assign]
    watched.run.for_seconds(20)
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert len(asked) == 5
    assert waits[3] > waits[0]
    assert waits[0] >= SECOND // 4
    assert watched.run.engine.desks[0].book.state == BookState.SYNCED
    assert watched.bad == []


def test_a_silent_stream_is_subscribed_to_again_and_told() -> None:
    """The venue acknowledges each time; what does not come is reported with its name."""
    watched = Watched(life="23h")
    watched.run.world.lossy = lambda conn, payload: b"@bookTicker" in payload
    watched.run.for_seconds(160)
    sent = [
        orjson.loads(p)
        for kind, conn, _, p in watched.run.journal.records
        if (kind, conn) == (RecordKind.FRAME_OUT, FEED)
    ]
    assert [(m["method"], m["params"]) for m in sent] == [("SUBSCRIBE", ["btcusdt@bookTicker"])] * 3
    assert [code for code, _ in watched.run.alerts] == ["stream_silent"]
    assert "btcusdt@bookTicker" in watched.run.alerts[0][1]


def test_frames_that_cannot_be_read_end_the_connection() -> None:
    """One is skipped and counted; twenty within a minute, and the connection is opened anew."""
    watched = Watched(life="23h")
    watched.run.for_seconds(5)
    watched.run.world.inject(FEED, b'{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT"')
    watched.run.for_seconds(1)
    assert watched.bad == []
    for _ in range(20):
        watched.run.world.inject(FEED, b"\xff\xfe")
    watched.run.for_seconds(10)
    assert [text for code, text in watched.run.alerts if code == "disconnected"] == [
        "binance market data: 20 frames within a minute could not be read"
    ]
    assert watched.run.engine.desks[0].book.state == BookState.SYNCED


def test_a_half_open_connection_is_noticed() -> None:
    """Nothing arrives, not even an answer: after 30 s it is opened anew."""
    watched = Watched(life="23h")
    watched.run.for_seconds(5)
    deaf = watched.run.world._open[FEED]
    watched.run.world.lossy = lambda conn, payload: watched.run.world._open.get(FEED) == deaf and conn == FEED
    watched.run.for_seconds(40)
    assert ("disconnected", "binance market data: nothing received for 30 s") in watched.run.alerts
    assert watched.run.engine.desks[0].book.state == BookState.SYNCED
