"""The session of market data by order: token, subscriptions, what is recorded, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from bloor.errors import UsageError
from bloor.hookspecs import FeedContext
from bloor.model.instrument import Instrument
from bloor.venue.session import NEVER, Action, DiscreetFeed, Endpoints, Request, Send, Tell, WatchfulFeed
from bloor_kraken.config import BookKind, KrakenConfig
from bloor_kraken.feed import KrakenFeed
from bloor_kraken.level3.feed import AGAIN_NS, MOST_SYMBOLS, TOKEN_NS, Level3Feed
from bloor_kraken.market_data import feed_spec
from bloor_kraken.signing import read_credentials

SECOND = 1_000_000_000
PLACE = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1/v2", "ws://127.0.0.1:1/auth/v2", "ws://127.0.0.1:1/l3/v2")
KEYS = read_credentials({"api_key": "the-public-part-of-a-key", "secret": "c2VjcmV0"})
TOKEN = "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEbg"
GIVEN = orjson.dumps({"error": [], "result": {"token": TOKEN, "expires": 900}})


def instruments(count: int) -> list[Instrument]:
    """Listed pairs against USD."""
    return [
        Instrument(
            venue="kraken", symbol=f"A{n}-USD", venue_symbol=f"A{n}/USD", base=f"A{n}", quote="USD", price_decimals=1,
            qty_decimals=8,
        )
        for n in range(count)
    ]  # fmt: skip


def make(count: int = 2, *, depth: int = 10, keys: Any = KEYS) -> Level3Feed:
    """A session."""
    config = KrakenConfig(book=BookKind.ORDERS, book_depth=depth)
    return Level3Feed(FeedContext(config=config, endpoints=PLACE, instruments=instruments(count), credentials=keys))


def answer(feed: Level3Feed, body: bytes, now_ns: int, status: int = 200) -> Sequence[Action]:
    """The answer to the request for a token, as the engine hands it on."""
    kept = feed.take_secrets("w", status, body)
    assert TOKEN.encode() not in kept
    return feed.responded("w", status, kept, now_ns)[0]


def sent(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """What is asked over the connection."""
    return [orjson.loads(action.payload) for action in actions if isinstance(action, Send)]


def acknowledged(feed: Level3Feed, symbol: str, method: str = "subscribe") -> list[Action]:
    """An acknowledgement."""
    result = {"channel": "level3", "symbol": symbol, "depth": 10}
    return list(feed.control(orjson.dumps({"method": method, "result": result, "success": True}), 0))


def snapshot(symbol: str) -> bytes:
    """The snapshot of an empty book."""
    event = {"symbol": symbol, "bids": [], "asks": [], "checksum": 0}
    return orjson.dumps({"channel": "level3", "type": "snapshot", "data": [event]})


def test_books_by_order_come_over_a_connection_of_their_own():
    """The other one then asks for no books; without the option there is no such connection."""
    spec = feed_spec()
    wanted = KrakenConfig(book=BookKind.ORDERS)
    assert spec.by_order(wanted) is not None
    assert spec.by_order(KrakenConfig()) is None
    assert spec.by_order(None) is None
    feed = make()
    assert isinstance(feed, DiscreetFeed)
    assert isinstance(feed, WatchfulFeed)
    assert feed.url == PLACE.level3
    public = KrakenFeed(FeedContext(config=wanted, endpoints=PLACE, instruments=instruments(1)))
    assert public.url == PLACE.streams
    assert [message["params"]["channel"] for message in sent(public.connected(0))] == ["trade", "ticker"]


def test_a_token_comes_before_the_subscription():
    """It is asked for over REST, signed, and stands in the subscription and in nothing that is recorded."""
    feed = make()
    (request,) = feed.connected(0)
    assert isinstance(request, Request)
    assert request.path == "/0/private/GetWebSocketsToken"
    assert b"the-public-part" not in request.record()
    (subscription,) = actions = answer(feed, GIVEN, 1)
    assert sent(actions)[0]["params"] == {
        "channel": "level3", "symbol": ["A0/USD", "A1/USD"], "depth": 10, "snapshot": True, "token": TOKEN,
    }  # fmt: skip
    assert isinstance(subscription, Send)
    assert TOKEN.encode() not in feed.redacted(subscription.payload)
    assert feed.watching


@pytest.mark.parametrize(("depth", "symbols"), [(10, 40), (100, 8), (1000, 2)])
def test_subscriptions_keep_to_what_may_be_spent(depth, symbols):
    """A second's worth of symbols leaves at once, the others a second later each."""
    feed = make(symbols + 1, depth=depth)
    feed.connected(0)
    (first,) = sent(answer(feed, GIVEN, 0))
    assert len(first["params"]["symbol"]) == symbols
    assert feed.deadline_ns == SECOND
    (second,) = sent(feed.timer(SECOND))
    assert second["params"]["symbol"] == [f"A{symbols}/USD"]


def test_a_token_that_does_not_come_is_asked_for_again():
    """After its time, and after refusals with growing waits, of which a person is told."""
    feed = make()
    feed.connected(0)
    feed.touched(TOKEN_NS)
    assert any(isinstance(action, Request) for action in feed.timer(TOKEN_NS))
    for n, body in enumerate((b'{"error":["EGeneral:Internal error"]}', b"<html>", b'{"error":[],"result":{}}')):
        now_ns = (n + 2) * TOKEN_NS
        (told,) = answer(feed, body, now_ns)
        assert isinstance(told, Tell)
        assert told.code == "no_token"
        feed.touched(now_ns)
        assert not any(isinstance(action, Request) for action in feed.timer(now_ns + (AGAIN_NS << n) - 1))
        assert any(isinstance(action, Request) for action in feed.timer(now_ns + (AGAIN_NS << n)))


def test_a_token_that_is_refused_is_replaced():
    """Every topic waits for the new one."""
    feed = make(1)
    feed.connected(0)
    answer(feed, GIVEN, 0)
    refusal = {"error": "ESession:Invalid session", "method": "subscribe", "success": False}
    (told,) = feed.control(orjson.dumps(refusal), 5)
    assert isinstance(told, Tell)
    (request,) = feed.timer(5 + AGAIN_NS)
    assert isinstance(request, Request)
    (again,) = sent(answer(feed, GIVEN, 6 + AGAIN_NS))
    assert again["method"] == "subscribe"


def test_a_book_that_is_lost_is_left_and_subscribed_to_again():
    """Alone, with the token, as one of the channel book."""
    feed = make(2)
    feed.connected(0)
    answer(feed, GIVEN, 0)
    for symbol in ("A0/USD", "A1/USD"):
        acknowledged(feed, symbol)
        feed.heard(snapshot(symbol), 0)
    assert not feed.watching
    (leaving,) = sent(feed.resync("A1/USD", SECOND))
    assert (leaving["method"], leaving["params"]) == (
        "unsubscribe", {"channel": "level3", "symbol": ["A1/USD"], "depth": 10, "token": TOKEN},
    )  # fmt: skip
    acknowledged(feed, "A1/USD", "unsubscribe")
    (again,) = sent(feed.timer(3 * SECOND))
    assert (again["method"], again["params"]["symbol"]) == ("subscribe", ["A1/USD"])


def test_a_connection_that_is_lost_takes_its_token_along():
    """The next one begins with another; an answer to the old request changes nothing."""
    feed = make(1)
    feed.connected(0)
    feed.disconnected(1, "gone")
    assert feed.deadline_ns == NEVER
    assert answer(feed, GIVEN, 2) == ()
    assert isinstance(feed.connected(3)[0], Request)


def test_what_cannot_be_is_said_before_anything_is_connected():
    """No keys, and more symbols than a connection may have."""
    with pytest.raises(UsageError, match=r"expected keys.*\[keys\.kraken\.prod\]"):
        make(keys=None)
    with pytest.raises(UsageError, match=f"at most {MOST_SYMBOLS} symbols, got 201"):
        make(MOST_SYMBOLS + 1)


@pytest.mark.parametrize("depth", [25, 500])
def test_a_depth_that_is_not_offered_by_order_is_refused(depth):
    """The channel has three depths."""
    with pytest.raises(ValueError, match=f"'book_depth' of 10, 100, 1000, and that is {depth}"):
        KrakenConfig(book=BookKind.ORDERS, book_depth=depth)
