"""The market-data session."""

from __future__ import annotations

import orjson
import pytest

from bloor.hookspecs import FeedContext
from bloor.model.instrument import Instrument
from bloor.venue.session import NEVER, Endpoints, FeedSession, Get, Reconnect, SnapshotBody
from bloor_binance.config import BinanceConfig
from bloor_binance.feed import CALM_NS, IDLE_NS, BinanceFeed

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


def test_it_is_a_feed_session_and_names_its_streams_in_the_url(feed: BinanceFeed) -> None:
    """Depth, trades and best prices of every instrument, on one combined stream."""
    assert isinstance(feed, FeedSession)
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
    feed.responded("depth:BTCUSDT", 200, b"{}", 0)
    later = CALM_NS + 1
    assert len(feed.resync("BTCUSDT", later)) == 1
    assert feed.resync("BTCUSDT", later) == (), "one request at a time"
    feed.responded("depth:BTCUSDT", 200, b"{}", later)
    feed.touched(later)
    assert feed.resync("BTCUSDT", later + 1) == ()
    assert later < feed.deadline_ns < later + 2 * SECOND


def test_silence_ends_the_connection(feed: BinanceFeed) -> None:
    """Without a frame for the idle time the session asks for a new connection."""
    feed.connected(0)
    feed.touched(5 * SECOND)
    assert feed.timer(IDLE_NS) == []
    assert feed.deadline_ns == 5 * SECOND + IDLE_NS
    (action,) = feed.timer(5 * SECOND + IDLE_NS)
    assert isinstance(action, Reconnect)
    assert feed.deadline_ns == NEVER


def test_the_shutdown_notice_asks_for_a_new_connection(feed: BinanceFeed) -> None:
    """serverShutdown, bare or combined, reconnects; an acknowledgement or garbage does nothing."""
    event = {"e": "serverShutdown", "E": 1}
    for frame in (event, {"stream": "!serverShutdown", "data": event}):
        (action,) = feed.control(orjson.dumps(frame), 0)
        assert isinstance(action, Reconnect)
    assert feed.control(b'{"result":null,"id":1}', 0) == ()
    assert feed.control(b"[1", 0) == ()


def test_a_lost_connection_forgets_what_it_asked_for(feed: BinanceFeed) -> None:
    """An answer of the old connection is no snapshot of the new one's stream."""
    feed.connected(0)
    assert feed.disconnected(1, "gone") == ()
    assert feed.responded("depth:BTCUSDT", 200, b"{}", 2) == ((), None)
    assert feed.deadline_ns == NEVER
