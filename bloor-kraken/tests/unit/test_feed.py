"""The market-data session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from bloor.hookspecs import FeedContext
from bloor.model.instrument import Instrument
from bloor.venue.session import NEVER, Action, Endpoints, FeedSession, Reconnect, Send, Tell, WatchfulFeed
from bloor_kraken.config import KrakenConfig
from bloor_kraken.feed import BURST, CALM_NS, IDLE_NS, PROBE_NS, SEND_EVERY_NS, SLOW_DOWN_NS, KrakenFeed
from bloor_kraken.subscriptions import ASK_NS, TRIES

SECOND = 1_000_000_000
PLACE = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1/v2", "ws://127.0.0.1:1/v2")


def instrument(name: str) -> Instrument:
    """A listed pair against USD."""
    return Instrument(
        venue="kraken", symbol=f"{name}-USD", venue_symbol=f"{name}/USD", base=name, quote="USD", price_decimals=1,
        qty_decimals=8,
    )  # fmt: skip


def make(*names: str, config: KrakenConfig | None = None) -> KrakenFeed:
    instruments = [instrument(name) for name in names]
    return KrakenFeed(FeedContext(config=config, endpoints=PLACE, instruments=instruments))


@pytest.fixture
def feed() -> KrakenFeed:
    """A feed of two instruments."""
    return make("BTC", "ETH")


def said(actions: Sequence[Action]) -> list[tuple[str, Any]]:
    """What is asked of the venue: method, and channel with its symbols."""
    found: list[tuple[str, Any]] = []
    for action in actions:
        assert isinstance(action, Send)
        message = orjson.loads(action.payload)
        params = message.get("params")
        found.append((message["method"], (params["channel"], params["symbol"]) if params else None))
    return found


def ack(channel: str, symbol: str, method: str = "subscribe") -> bytes:
    result = {"channel": channel, "symbol": symbol, "snapshot": True}
    return orjson.dumps({"method": method, "result": result, "success": True, "req_id": 1})


def refusal(error: str, symbol: str | None, method: str = "subscribe") -> bytes:
    said = {"symbol": symbol} if symbol else {}
    return orjson.dumps({"error": error, "method": method, "success": False, **said})


def snapshot(symbol: str) -> bytes:
    event = {"symbol": symbol, "bids": [], "asks": [], "checksum": 0}
    return orjson.dumps({"channel": "book", "type": "snapshot", "data": [event]})


def settle(feed: KrakenFeed, now_ns: int = 0, *names: str) -> None:
    """Everything is acknowledged, every book brings its snapshot."""
    for name in names or ("BTC/USD", "ETH/USD"):
        for channel in ("book", "trade", "ticker"):
            assert feed.control(ack(channel, name), now_ns) == []
        feed.heard(snapshot(name), now_ns)


def alive(feed: KrakenFeed, now_ns: int) -> list[Action]:
    """A heartbeat, then what is due."""
    feed.touched(now_ns)
    return list(feed.timer(now_ns))


def test_it_subscribes_when_the_connection_is_open(feed: KrakenFeed) -> None:
    """To books of the configured depth, trades, and quotes at every change of the best prices."""
    assert isinstance(feed, FeedSession)
    assert isinstance(feed, WatchfulFeed)
    assert (feed.url, feed.deadline_ns, feed.ready) == ("ws://127.0.0.1:1/v2", NEVER, False)
    actions = feed.connected(SECOND)
    symbols = ["BTC/USD", "ETH/USD"]
    assert [orjson.loads(action.payload) for action in actions if isinstance(action, Send)] == [
        {
            "method": "subscribe",
            "params": {"channel": "book", "symbol": symbols, "depth": 10, "snapshot": True},
            "req_id": 1,
        },
        {"method": "subscribe", "params": {"channel": "trade", "symbol": symbols, "snapshot": False}, "req_id": 2},
        {
            "method": "subscribe",
            "params": {"channel": "ticker", "symbol": symbols, "event_trigger": "bbo"},
            "req_id": 3,
        },
    ]
    assert feed.ready


def test_what_the_configuration_says() -> None:
    """A deeper book."""
    feed = make("BTC", config=KrakenConfig(book_depth=1000))
    assert b'"depth":1000' in feed.connected(0)[0].payload  # type: ignore[union-attr]


def test_a_book_has_to_bring_its_snapshot(feed: KrakenFeed) -> None:
    """Market frames are looked at until every book has; an acknowledgement alone is no proof."""
    feed.connected(0)
    assert feed.watching
    settle(feed, 0, "BTC/USD")
    feed.heard(b'{"channel":"book","type":"update","data":[{"symbol":"ETH/USD","checksum":1}]}', 0)
    assert feed.watching
    feed.control(ack("book", "ETH/USD"), 0)
    assert feed.watching
    feed.heard(snapshot("ETH/USD"), 0)
    assert not feed.watching


def test_what_is_not_answered_is_asked_for_again_and_then_told(feed: KrakenFeed) -> None:
    """A few times with growing waits; the rest of the connection goes on."""
    feed.connected(0)
    settle(feed, 0, "BTC/USD")
    for channel in ("book", "ticker"):
        feed.control(ack(channel, "ETH/USD"), 0)
    feed.heard(snapshot("ETH/USD"), 0)
    now, asked = 0, []
    for _ in range(TRIES - 1):
        now += ASK_NS << len(asked)
        assert alive(feed, now - 1) == []
        asked += said(alive(feed, now))
    assert asked == [("subscribe", ("trade", ["ETH/USD"]))] * (TRIES - 1)
    [told] = alive(feed, now + (ASK_NS << TRIES))
    assert told == Tell("not_subscribed", f"ETH/USD: no answer to {TRIES} subscriptions to trade")
    assert alive(feed, now + 1000 * SECOND) == []


def test_a_book_without_a_snapshot_is_left_first(feed: KrakenFeed) -> None:
    """The venue would refuse a second subscription to what it believes to send."""
    feed.connected(0)
    settle(feed, 0, "BTC/USD")
    for channel in ("book", "trade", "ticker"):
        feed.control(ack(channel, "ETH/USD"), 0)
    assert said(alive(feed, ASK_NS)) == [("unsubscribe", ("book", ["ETH/USD"]))]
    answer = feed.control(ack("book", "ETH/USD", "unsubscribe"), ASK_NS + SECOND)
    assert said(answer) == [("subscribe", ("book", ["ETH/USD"]))]


def test_a_snapshot_that_never_comes_is_told(feed: KrakenFeed) -> None:
    """Once, after some tries; it is tried further, ever more seldom."""
    feed.connected(0)
    settle(feed, 0, "BTC/USD")
    settled = [feed.control(ack(channel, "ETH/USD"), 0) for channel in ("trade", "ticker")]
    assert settled == [[], []]
    told = []
    for now in range(0, 1000 * SECOND, SECOND // 2):
        for action in alive(feed, now):
            if isinstance(action, Tell):
                told.append(action)
            elif b'"book"' in action.payload:  # type: ignore[union-attr]
                leaving = b'"unsubscribe"' in action.payload  # type: ignore[union-attr]
                feed.control(ack("book", "ETH/USD", "unsubscribe" if leaving else "subscribe"), now)
        feed.control(ack("book", "ETH/USD"), now)
    assert told == [Tell("not_subscribed", f"ETH/USD: no snapshot after {TRIES} subscriptions")]


def test_a_refusal_is_told(feed: KrakenFeed) -> None:
    """With the venue's words; what it does not have is not asked for again."""
    feed.connected(0)
    settle(feed, 0, "BTC/USD")
    [told] = feed.control(refusal("Currency pair not supported ETH/USD", "ETH/USD"), 0)
    text = "Kraken refused a subscription to 'ETH/USD': Currency pair not supported ETH/USD"
    assert told == Tell("refused", text)
    assert alive(feed, 100 * SECOND) == []
    assert not feed.watching


def test_a_refusal_that_may_pass_is_asked_again(feed: KrakenFeed) -> None:
    """The connection stays open, so nothing else would ever ask."""
    feed.connected(0)
    settle(feed, 0, "BTC/USD")
    [told] = feed.control(refusal("EService:Unavailable", None), 0)
    assert told == Tell("refused", "Kraken refused a subscription: EService:Unavailable")
    assert said(alive(feed, ASK_NS))[0] == ("subscribe", ("book", ["ETH/USD"]))


def test_already_subscribed_is_no_refusal(feed: KrakenFeed) -> None:
    """Trades come; a book whose snapshot was lost is left and asked for again."""
    feed.connected(0)
    settle(feed, 0, "BTC/USD")
    feed.control(ack("ticker", "ETH/USD"), 0)
    answer = feed.control(refusal("Already subscribed", "ETH/USD"), SECOND)
    assert said(answer) == [("unsubscribe", ("book", ["ETH/USD"]))]
    assert alive(feed, 2 * SECOND) == []


def test_a_lost_book_is_subscribed_to_again_alone(feed: KrakenFeed) -> None:
    """At once; asked again meanwhile, nothing more happens."""
    feed.connected(0)
    settle(feed)
    assert said(feed.resync("ETH/USD", 2 * SECOND)) == [("unsubscribe", ("book", ["ETH/USD"]))]
    assert feed.resync("ETH/USD", 2 * SECOND) == ()
    feed.heard(snapshot("ETH/USD"), 2 * SECOND)
    assert feed.watching, "a snapshot that was under way is not the one that was asked for"
    answer = feed.control(ack("book", "ETH/USD", "unsubscribe"), 3 * SECOND)
    assert said(answer) == [("subscribe", ("book", ["ETH/USD"]))]
    feed.control(ack("book", "ETH/USD"), 4 * SECOND)
    feed.heard(snapshot("ETH/USD"), 4 * SECOND)
    assert not feed.watching
    assert feed.resync("XRP/USD", 5 * SECOND) == ()


def test_an_unsubscription_that_is_not_answered_or_refused(feed: KrakenFeed) -> None:
    """The book is asked for all the same."""
    feed.connected(0)
    settle(feed)
    feed.resync("ETH/USD", SECOND)
    assert said(alive(feed, SECOND + ASK_NS)) == [("subscribe", ("book", ["ETH/USD"]))]
    feed.heard(snapshot("ETH/USD"), 10 * SECOND)
    feed.resync("ETH/USD", 10 * SECOND + CALM_NS)
    answer = feed.control(refusal("Subscription Not Found", "ETH/USD", "unsubscribe"), 11 * SECOND + CALM_NS)
    assert said(answer) == [("subscribe", ("book", ["ETH/USD"]))]


def test_a_book_that_is_lost_again_waits(feed: KrakenFeed) -> None:
    """Longer each time, and not at all after a calm while."""
    feed.connected(0)
    settle(feed)
    waits = []
    now = SECOND
    for _ in range(8):
        begin = now
        actions = list(feed.resync("ETH/USD", now))
        while not actions:
            now += SECOND // 20
            actions = alive(feed, now)
        assert said(actions) == [("unsubscribe", ("book", ["ETH/USD"]))]
        waits.append((now - begin) / SECOND)
        now += SECOND
        feed.control(ack("book", "ETH/USD", "unsubscribe"), now)
        feed.heard(snapshot("ETH/USD"), now)
    assert waits[0] == 0
    assert waits[1] < waits[3] < waits[5]
    assert max(waits) <= 31
    assert feed.resync("ETH/USD", now + CALM_NS) != ()


def test_a_silent_connection_is_pinged_and_given_up(feed: KrakenFeed) -> None:
    """Heartbeats come every second."""
    feed.connected(0)
    settle(feed)
    assert feed.deadline_ns == PROBE_NS
    [ping] = feed.timer(PROBE_NS)
    assert orjson.loads(ping.payload)["method"] == "ping"  # type: ignore[union-attr]
    assert feed.control(b'{"method":"pong","req_id":4}', PROBE_NS) == []
    [end] = feed.timer(IDLE_NS)
    assert end == Reconnect(f"nothing received for {IDLE_NS // SECOND} s")
    assert (feed.ready, feed.deadline_ns, feed.timer(IDLE_NS + 1)) == (False, NEVER, ())


def test_the_state_of_the_venue_is_told_when_it_changes(feed: KrakenFeed) -> None:
    """Not that it is online at first."""
    feed.connected(0)

    def status(system: str) -> Sequence[Action]:
        data = [{"version": "2.0.10", "system": system, "connection_id": 1}]
        frame = orjson.dumps({"channel": "status", "type": "update", "data": data})
        return feed.control(frame, 0)

    assert status("online") == []
    assert status("cancel_only") == [Tell("venue_status", "Kraken's trading engine is 'cancel_only'")]
    assert status("cancel_only") == []
    assert status("online") == [Tell("venue_status", "Kraken's trading engine is 'online'")]


def test_many_instruments_are_asked_for_in_parts() -> None:
    """A hundred a request, few requests at once, and none for a while when the venue says so."""
    feed = make(*(f"C{n}" for n in range(350)))
    first = feed.connected(0)
    assert len(first) == BURST
    assert feed.timer(1) == []
    assert len(alive(feed, SEND_EVERY_NS)) == 1
    [told] = feed.control(b'{"Error":"Exceeded msg rate"}', SEND_EVERY_NS)
    assert told == Tell("refused", "Kraken said 'Exceeded msg rate'")
    assert alive(feed, SLOW_DOWN_NS) == []
    assert len(alive(feed, SEND_EVERY_NS + SLOW_DOWN_NS)) == 1


@pytest.mark.parametrize(
    "frame", [b"{", b"[]", b"{}", b'{"channel":"heartbeat"}', b'{"method":"subscribe"}', b'{"channel":"status"}']
)
def test_nothing_that_comes_is_an_error(frame: bytes) -> None:
    """A session lives on whatever is said to it."""
    feed = make("BTC")
    feed.connected(0)
    settle(feed, 0, "BTC/USD")
    assert all(isinstance(action, Tell) for action in feed.control(frame, 0))
    feed.heard(frame, 0)


def test_nothing_survives_a_connection(feed: KrakenFeed) -> None:
    """The next one subscribes to everything again."""
    feed.connected(0)
    settle(feed)
    assert feed.disconnected(SECOND, "closed") == ()
    assert (feed.ready, feed.watching, feed.deadline_ns) == (False, False, NEVER)
    assert feed.resync("BTC/USD", SECOND) == ()
    assert feed.responded("tag", 200, b"", SECOND) == ((), None)
    assert len(feed.connected(2 * SECOND)) == 3
