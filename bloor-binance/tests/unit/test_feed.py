"""The market-data session."""

from __future__ import annotations

import orjson
import pytest

from bloor.errors import UsageError
from bloor.hookspecs import FeedContext
from bloor.model.instrument import Instrument
from bloor.venue.session import (
    NEVER,
    Endpoints,
    FeedSession,
    Get,
    Reconnect,
    Replace,
    ReplaceableFeed,
    Send,
    SnapshotBody,
    Tell,
    WatchfulFeed,
)
from bloor_binance import feed as module
from bloor_binance.config import BinanceConfig
from bloor_binance.feed import CALM_NS, IDLE_NS, PROBE_NS, REPLACE_AGAIN_NS, SILENT_NS, BinanceFeed

SECOND = 1_000_000_000
PLACE = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1", "ws://127.0.0.1:1/ws-api/v3")


def instrument(name: str) -> Instrument:
    """A listed pair against USDT."""
    return Instrument(
        venue="binance", symbol=f"{name}-USDT", venue_symbol=f"{name}USDT", base=name, quote="USDT", price_decimals=2,
        qty_decimals=8,
    )  # fmt: skip


@pytest.fixture
def feed() -> BinanceFeed:
    """A feed of two instruments."""
    return BinanceFeed(FeedContext(config=None, endpoints=PLACE, instruments=[instrument("BTC"), instrument("ETH")]))


def hear_all(feed: BinanceFeed, now_ns: int = 0) -> None:
    """Every stream brings a frame."""
    for name in feed._streams:
        feed.heard(b'{"stream":"%s","data":{}}' % name.encode(), now_ns)


def test_it_is_a_feed_session_and_names_its_streams_in_the_url(feed: BinanceFeed) -> None:
    """Depth, trades and best prices of every instrument, on one combined stream."""
    assert isinstance(feed, FeedSession)
    assert isinstance(feed, WatchfulFeed)
    assert isinstance(feed, ReplaceableFeed)
    assert feed.url == (
        "ws://127.0.0.1:1/stream?streams=btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker/"
        "ethusdt@depth@100ms/ethusdt@trade/ethusdt@bookTicker"
    )


def test_symbols_beyond_ascii_are_percent_encoded() -> None:
    """A listed symbol of other letters goes into the URL encoded."""
    feed = BinanceFeed(
        FeedContext(config=BinanceConfig(depth_speed="1000ms"), endpoints=PLACE, instruments=[instrument("币")])
    )
    assert "%E5%B8%81usdt@depth/" in feed.url


def test_a_new_connection_asks_for_every_snapshot(feed: BinanceFeed) -> None:
    """One depth request per instrument, and the answer comes back as its snapshot."""
    actions = feed.connected(SECOND)
    assert actions == [
        Get("depth:BTCUSDT", "/api/v3/depth?symbol=BTCUSDT&limit=5000"),
        Get("depth:ETHUSDT", "/api/v3/depth?symbol=ETHUSDT&limit=5000"),
    ]
    assert feed.responded("depth:BTCUSDT", 200, b"{}", 2 * SECOND) == ((), SnapshotBody("BTCUSDT", b"{}"))
    assert feed.responded("depth:BTCUSDT", 200, b"{}", 2 * SECOND) == ((), None), "nobody asked for a second answer"


def test_a_failed_snapshot_is_asked_for_again_with_growing_waits(feed: BinanceFeed) -> None:
    """Each failure waits longer, up to a bound, and touches no other instrument."""
    feed.connected(0)
    hear_all(feed)
    now, waits = 0, []
    for _ in range(9):
        assert feed.responded("depth:BTCUSDT", 503, b"", now) == ((), None)
        due = min(at for at in feed._retry_at.values())
        waits.append(due - now)
        now = due
        feed.touched(now)
        assert feed.timer(now) == [Get("depth:BTCUSDT", "/api/v3/depth?symbol=BTCUSDT&limit=5000")]
    assert waits[0] < SECOND
    assert waits[4] > waits[0]
    assert max(waits) <= 30 * SECOND


def test_a_resync_is_immediate_once_and_then_patient(feed: BinanceFeed) -> None:
    """The first gap of a calm book refetches at once; another soon after waits."""
    feed.connected(0)
    hear_all(feed)
    feed.responded("depth:BTCUSDT", 200, b"{}", 0)
    later = CALM_NS + 1
    feed.touched(later)
    assert len(feed.resync("BTCUSDT", later)) == 1
    assert feed.resync("BTCUSDT", later) == (), "one request at a time"
    feed.responded("depth:BTCUSDT", 200, b"{}", later)
    feed.touched(later)
    assert feed.resync("BTCUSDT", later + 1) == ()
    assert later < feed.deadline_ns < later + 2 * SECOND


def test_silence_ends_the_connection(feed: BinanceFeed) -> None:
    """A quiet connection is asked something; without a frame for the idle time the session asks for a new one."""
    feed.connected(0)
    hear_all(feed)
    feed.touched(5 * SECOND)
    feed.timer(5 * SECOND)
    assert feed.deadline_ns == 5 * SECOND + PROBE_NS
    (probe,) = feed.timer(5 * SECOND + PROBE_NS)
    assert isinstance(probe, Send)
    assert orjson.loads(probe.payload)["method"] == "LIST_SUBSCRIPTIONS"
    assert feed.deadline_ns == 5 * SECOND + IDLE_NS
    (action,) = feed.timer(5 * SECOND + IDLE_NS)
    assert isinstance(action, Reconnect)
    assert feed.deadline_ns == NEVER


def test_an_answered_probe_keeps_a_quiet_connection(feed: BinanceFeed) -> None:
    """The answer is a frame like any other."""
    feed.connected(0)
    hear_all(feed)
    for n in range(1, 20):
        (probe,) = feed.timer(n * PROBE_NS)
        assert isinstance(probe, Send)
        feed.touched(n * PROBE_NS)
        assert feed.control(b'{"result":["btcusdt@trade"],"id":1}', n * PROBE_NS) == ()


def test_the_shutdown_notice_asks_for_another_connection(feed: BinanceFeed) -> None:
    """serverShutdown, bare or combined, replaces the connection; an acknowledgement or garbage does nothing."""
    event = {"e": "serverShutdown", "E": 1}
    for frame in (event, {"stream": "!serverShutdown", "data": event}):
        (action,) = feed.control(orjson.dumps(frame), 0)
        assert isinstance(action, Replace)
    assert feed.control(b'{"result":null,"id":1}', 0) == ()
    assert feed.control(b"[1", 0) == ()
    assert feed.control(b"[1]", 0) == ()


def test_a_refused_control_message_is_told(feed: BinanceFeed) -> None:
    """Bare or wrapped, Binance's own words reach a person."""
    error = {"code": 2, "msg": "Invalid request: too many streams", "id": 1}
    for frame in (error, {"error": error, "id": 1}):
        assert feed.control(orjson.dumps(frame), 0) == (
            Tell("refused", "Binance answered 2: 'Invalid request: too many streams'"),
        )


def test_a_silent_stream_is_subscribed_to_again_and_then_told(feed: BinanceFeed) -> None:
    """Three more tries with growing waits, each naming only what is silent; then an alert, and no more."""
    feed.connected(0)
    for name in feed._streams[1:]:
        feed.heard(b'{"stream":"%s","data":{}}' % name.encode(), 0)
    assert feed.watching
    at, sent = 0, []
    for tries in range(3):
        at += SILENT_NS << tries
        feed.touched(at)
        (action,) = feed.timer(at)
        assert isinstance(action, Send)
        sent.append(orjson.loads(action.payload))
    assert [m["params"] for m in sent] == [["btcusdt@depth@100ms"]] * 3
    assert len({m["id"] for m in sent}) == 3
    at += SILENT_NS << 3
    feed.touched(at)
    (told,) = feed.timer(at)
    assert isinstance(told, Tell)
    assert (told.code, "btcusdt@depth@100ms" in told.text, "ethusdt" in told.text) == ("stream_silent", True, False)
    assert not feed.watching


def test_many_silent_streams_stay_below_the_venues_message_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message a second, so many streams each."""
    monkeypatch.setattr(module, "STREAMS_A_MESSAGE", 100)
    feed = BinanceFeed(FeedContext(config=None, endpoints=PLACE, instruments=[instrument(f"A{n}") for n in range(100)]))
    feed.connected(0)
    named = []
    for second in range(3):
        now = SILENT_NS + second * SECOND
        feed.touched(now)
        (message,) = (orjson.loads(a.payload) for a in feed.timer(now) if isinstance(a, Send))
        named += message["params"]
    assert sorted(named) == sorted(feed._streams)


def test_what_the_url_has_no_room_for_is_subscribed_to() -> None:
    """On each connection, and on the one that replaces it; together it is everything, once."""
    feed = BinanceFeed(FeedContext(config=None, endpoints=PLACE, instruments=[instrument(f"A{n}") for n in range(340)]))
    assert len(feed.url) <= 4000
    named = feed.url.partition("streams=")[2].split("/")
    for actions in (feed.connected(0), feed.replacement_connected(SECOND)):
        sent = [orjson.loads(action.payload) for action in actions if isinstance(action, Send)]
        assert len(sent) <= 5
        assert named + [name for message in sent for name in message["params"]] == feed._streams


def test_more_streams_than_a_connection_can_have_are_refused() -> None:
    """With the number of instruments that would do."""
    with pytest.raises(UsageError, match="expected at most 341 instruments"):
        BinanceFeed(FeedContext(config=None, endpoints=PLACE, instruments=[instrument(f"A{n}") for n in range(342)]))


def test_a_connection_is_replaced_ahead_of_its_end(feed: BinanceFeed) -> None:
    """At 23 h less some jitter; a replacement that fails is tried again, one that succeeds begins a new life."""
    hour = 3600 * SECOND
    feed.connected(0)
    hear_all(feed)
    assert 22.5 * hour < feed._replace_at <= 23 * hour
    at = feed._replace_at
    feed.touched(at)
    (action,) = feed.timer(at)
    assert isinstance(action, Replace)
    assert not feed.replacement_connected(at + 1)
    assert feed.replacement_failed(at + SECOND, "not in sync") == ()
    assert at + REPLACE_AGAIN_NS // 2 <= feed._replace_at <= at + SECOND + REPLACE_AGAIN_NS
    assert feed.replaced(at + 2 * SECOND) == ()
    assert feed._replace_at > at + 22 * hour


def test_two_feeds_are_not_replaced_at_the_same_moment() -> None:
    """The seed jitters the age."""
    ages = set()
    for seed in range(20):
        feed = BinanceFeed(FeedContext(config=None, endpoints=PLACE, instruments=[instrument("BTC")], seed=seed))
        feed.connected(0)
        ages.add(feed._replace_at)
    assert len(ages) == 20


def test_a_lost_connection_forgets_what_it_asked_for(feed: BinanceFeed) -> None:
    """An answer of the old connection is no snapshot of the new one's stream."""
    feed.connected(0)
    assert feed.disconnected(1, "gone") == ()
    assert feed.responded("depth:BTCUSDT", 200, b"{}", 2) == ((), None)
    assert feed.deadline_ns == NEVER
