"""The market-data session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from bloor.errors import RemoteProtocolError, UsageError
from bloor.hookspecs import FeedContext
from bloor.model.instrument import Instrument
from bloor.venue.session import NEVER, Action, Endpoints, FeedSession, Reconnect, Send, Tell, WatchfulFeed
from bloor_coinbase.config import CoinbaseConfig
from bloor_coinbase.feed import CALM_NS, IDLE_NS, MAX_PRODUCTS, PROOF_NS, RESYNCS, CoinbaseFeed, feed_spec
from bloor_coinbase.limits import time_ns
from bloor_coinbase.subscriptions import Channel, subscribe

SECOND = 1_000_000_000
PLACE = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1", "ws://127.0.0.1:1/user")
BOTH = ["BTC-USD", "ETH-USD"]
EVERYTHING = {"level2": BOTH, "market_trades": BOTH, "ticker": BOTH, "heartbeats": ["heartbeats"]}


def instrument(symbol: str, book: str = "") -> Instrument:
    """A listed pair."""
    base, _, quote = symbol.partition("-")
    return Instrument(
        venue="coinbase", symbol=symbol, venue_symbol=book or symbol, base=base, quote=quote, price_decimals=2,
        qty_decimals=8,
    )  # fmt: skip


def context(*instruments: Instrument, config: CoinbaseConfig | None = None) -> FeedContext:
    """What a feed is built from."""
    return FeedContext(config=config, endpoints=PLACE, instruments=instruments)


@pytest.fixture
def feed() -> CoinbaseFeed:
    """A feed of two instruments."""
    return CoinbaseFeed(context(instrument("BTC-USD"), instrument("ETH-USD")))


def sent(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """What was sent, and nothing else was asked for."""
    assert all(isinstance(action, Send) for action in actions)
    return [orjson.loads(action.payload) for action in actions if isinstance(action, Send)]


def acknowledge(feed: CoinbaseFeed, listed: dict[str, list[str]], now_ns: int = 0) -> None:
    """The venue lists the subscriptions of the connection."""
    events = [{"subscriptions": listed}]
    frame = {"channel": "subscriptions", "timestamp": "", "sequence_num": 3, "events": events}
    assert feed.control(orjson.dumps(frame), now_ns) == ()


def show(feed: CoinbaseFeed, *books: str, now_ns: int = 0) -> None:
    """The venue sends whole books."""
    for name in books:
        event = {"type": "snapshot", "product_id": name, "updates": []}
        frame = {"channel": "l2_data", "timestamp": "", "sequence_num": 0, "events": [event]}
        feed.heard(orjson.dumps(frame), now_ns)


def begin(feed: CoinbaseFeed, now_ns: int = 0) -> None:
    """A connection on which everything is subscribed to."""
    feed.connected(now_ns)
    show(feed, *BOTH, now_ns=now_ns)
    acknowledge(feed, EVERYTHING, now_ns)


def test_a_new_connection_subscribes_to_each_channel(feed: CoinbaseFeed) -> None:
    """One message a channel, heartbeats first and without products, no token: market data need none."""
    assert isinstance(feed, FeedSession)
    assert isinstance(feed, WatchfulFeed)
    assert feed.url == "ws://127.0.0.1:1"
    assert sent(feed.connected(SECOND)) == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "level2", "product_ids": BOTH},
        {"type": "subscribe", "channel": "market_trades", "product_ids": BOTH},
        {"type": "subscribe", "channel": "ticker", "product_ids": BOTH},
    ]
    assert feed.ready


def test_a_token_goes_with_the_message() -> None:
    """Where a channel wants one."""
    assert orjson.loads(subscribe(Channel.TICKER, ["A-B"], "x.y.z"))["jwt"] == "x.y.z"


def test_a_book_is_subscribed_to_under_its_own_name() -> None:
    """Market data of BTC-USDC come as BTC-USD; both at once cannot be told apart."""
    usdc = instrument("BTC-USDC", "BTC-USD")
    assert sent(CoinbaseFeed(context(usdc)).connected(0))[1]["product_ids"] == ["BTC-USD"]
    with pytest.raises(UsageError, match=r"BTC-USD and BTC-USDC.*come as BTC-USD"):
        CoinbaseFeed(context(instrument("BTC-USD"), usdc))


def test_a_connection_has_so_many_books() -> None:
    """More are refused before anything is opened."""
    many = [instrument(f"A{n}-USD") for n in range(MAX_PRODUCTS + 1)]
    CoinbaseFeed(context(*many[:-1]))
    with pytest.raises(UsageError, match=r"at most 31 instruments.*got 32"):
        CoinbaseFeed(context(*many))


def test_silence_ends_the_connection(feed: CoinbaseFeed) -> None:
    """Heartbeats come every second, so nothing at all for a while means that nobody is there."""
    begin(feed)
    feed.touched(5 * SECOND)
    assert feed.timer(IDLE_NS) == []
    assert feed.deadline_ns == 5 * SECOND + IDLE_NS
    (action,) = feed.timer(feed.deadline_ns)
    assert isinstance(action, Reconnect)
    assert (feed.ready, feed.deadline_ns) == (False, NEVER)
    assert feed.timer(NEVER - 1) == ()


def test_everything_that_proved_itself_ends_the_watch(feed: CoinbaseFeed) -> None:
    """Books by their snapshots, channels by the acknowledgement; heartbeats alone set the deadline then."""
    feed.connected(0)
    show(feed, "BTC-USD")
    assert feed.watching
    show(feed, "ETH-USD")
    assert not feed.watching
    assert feed.deadline_ns == PROOF_NS
    acknowledge(feed, {**EVERYTHING, "ticker": ["BTC-USD"]})
    assert feed.deadline_ns == PROOF_NS
    acknowledge(feed, EVERYTHING)
    assert feed.deadline_ns == IDLE_NS


def test_what_brings_nothing_is_subscribed_to_again_and_then_told(feed: CoinbaseFeed) -> None:
    """Three more tries with growing waits, each naming only what is missing; then an alert, and no more."""
    feed.connected(0)
    show(feed, "BTC-USD")
    acknowledge(feed, {name: both for name, both in EVERYTHING.items() if name != "ticker"})
    at = 0
    for tries in range(3):
        at += PROOF_NS << tries
        feed.touched(at)
        assert sent(feed.timer(at)) == [
            {"type": "unsubscribe", "channel": "level2", "product_ids": ["ETH-USD"]},
            {"type": "subscribe", "channel": "level2", "product_ids": ["ETH-USD"]},
            {"type": "subscribe", "channel": "ticker", "product_ids": BOTH},
        ]
    at += PROOF_NS << 3
    feed.touched(at)
    (told,) = feed.timer(at)
    assert told == Tell("stream_silent", "nothing came in 150 s of the book of ETH-USD, channel ticker")
    assert not feed.watching
    assert feed.deadline_ns == at + IDLE_NS


def test_lost_books_are_asked_for_together_and_at_once(feed: CoinbaseFeed) -> None:
    """A hole loses every book: one pair of messages brings all of them back."""
    begin(feed)
    now = CALM_NS
    feed.touched(now)
    for name in BOTH:
        assert feed.resync(name, now) == ()
    assert feed.deadline_ns == now
    assert sent(feed.timer(now)) == [
        {"type": "unsubscribe", "channel": "level2", "product_ids": BOTH},
        {"type": "subscribe", "channel": "level2", "product_ids": BOTH},
    ]
    assert feed.watching
    show(feed, *BOTH)
    assert not feed.watching
    assert feed.deadline_ns == now + IDLE_NS


def test_books_that_keep_being_lost_wait_and_then_end_the_connection(feed: CoinbaseFeed) -> None:
    """Waits grow, and after so many times another connection is better."""
    begin(feed)
    at, waits = CALM_NS, []
    feed.touched(at)
    for _ in range(RESYNCS):
        feed.resync("BTC-USD", at)
        asked, then = at, wait(feed)
        assert len(sent(then)) == 2
        at = feed._alive_ns
        waits.append(at - asked)
        show(feed, "BTC-USD")
    assert waits[0] == 0
    assert all(later > earlier for earlier, later in zip(waits, waits[2:], strict=False))
    assert max(waits) <= 30 * SECOND
    feed.resync("BTC-USD", at)
    assert wait(feed) == (Reconnect(f"books were lost {RESYNCS} times without 60 s of calm between"),)


def wait(feed: CoinbaseFeed) -> Sequence[Action]:
    """Lets time pass, with heartbeats, until the session asks for something."""
    while True:
        now = feed.deadline_ns
        feed.touched(now)
        actions = feed.timer(now)
        if actions:
            return actions


def test_calm_makes_the_next_loss_cheap_again(feed: CoinbaseFeed) -> None:
    """A book that was well for a minute is asked for at once."""
    begin(feed)
    for now in (CALM_NS, 2 * CALM_NS, 3 * CALM_NS):
        feed.touched(now)
        feed.resync("BTC-USD", now)
        assert feed.deadline_ns == now
        feed.timer(now)
        show(feed, "BTC-USD")


def test_a_refusal_is_told_in_the_venues_words(feed: CoinbaseFeed) -> None:
    """Whatever else comes does nothing."""
    feed.connected(0)
    text = "too many L2 streams requested in a single session"
    frame = orjson.dumps({"type": "error", "message": text})
    assert feed.control(frame, 0) == (Tell("refused", f"Coinbase answered {text!r}"),)
    for other in (b"[1", b"[]", b'{"channel":"heartbeats","events":[]}', b'{"channel":"subscriptions","events":[5]}'):
        assert feed.control(other, 0) == ()


def test_a_lost_connection_is_forgotten(feed: CoinbaseFeed) -> None:
    """Nothing is asked for while there is none; the next one begins anew."""
    begin(feed)
    feed.disconnected(SECOND, "gone")
    assert feed.resync("BTC-USD", SECOND) == ()
    assert (feed.ready, feed.watching, feed.deadline_ns) == (False, False, NEVER)
    assert len(sent(feed.connected(2 * SECOND))) == 4
    assert feed.responded("depth:BTC-USD", 200, b"{}", 0) == ((), None)


def test_the_rest_interface() -> None:
    """Ten requests a second; its time in milliseconds."""
    spec = feed_spec()
    assert spec.rest is not None
    assert (spec.rest.limits[0].limit, spec.rest.time_path) == (10, "/api/v3/brokerage/time")
    assert (
        time_ns(b'{"iso":"x","epochSeconds":"1775521800","epochMillis":"1775521800123"}') == 1_775_521_800_123_000_000
    )
    with pytest.raises(RemoteProtocolError, match="epochMillis"):
        time_ns(b"{}")
