"""Market data of Coinbase Advanced Trade over one connection (sans I/O).

A connection has to be subscribed within five seconds, a message for each channel. The channel ``heartbeats`` brings a
frame a second: it keeps a still market's connection open, and silence means that the connection is dead.

The whole book comes over the stream when ``level2`` is subscribed to, in one frame of megabytes, so a book that was
lost is had again by ending that subscription and making it anew: at once for a book that was calm, with growing waits
otherwise, and after :data:`RESYNCS` without calm by another connection. A hole in the numbers of the connection loses
all books at once, and one pair of messages asks for all of them.

Subscriptions have to prove themselves: a book by its snapshot, a channel by an acknowledgement. What does not is
subscribed to again, a few times, and then a person is told.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Overview" and "WebSocket Rate Limits".
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

import orjson

from bloor.errors import UsageError
from bloor.hookspecs import FeedContext, FeedSpec
from bloor.venue.session import NEVER, Action, Endpoints, Reconnect, Send, SnapshotBody, Tell
from bloor_coinbase.instruments import instruments_path, parse_instruments
from bloor_coinbase.limits import rest_rules
from bloor_coinbase.subscriptions import Channel, acknowledged, subscribe, unsubscribe

__all__ = ["ENDPOINTS", "CoinbaseFeed", "feed_spec"]

SECOND = 1_000_000_000
#: Silence after which a connection is taken for dead; heartbeats come every second.
IDLE_NS = 15 * SECOND
#: First and longest wait before lost books are asked for again.
RETRY_NS, RETRY_MAX_NS = SECOND // 2, 30 * SECOND
#: Books that stayed synchronised this long are asked for at once again.
CALM_NS = 60 * SECOND
#: How often books are asked for without calm before the connection is opened anew.
RESYNCS = 6
#: How long a subscription may take to prove itself before it is made again; twice as long each further time.
PROOF_NS = 10 * SECOND
#: How often a subscription is made again.
SUBSCRIBE_TRIES = 3
#: Products of one connection: 32 subscriptions to ``level2`` are refused.
MAX_PRODUCTS = 31
#: Where the beginning of a frame says what it is.
HEAD = 512

_SNAPSHOT = re.compile(rb'"type"\s*:\s*"snapshot"')
_PRODUCT = re.compile(rb'"product_id"\s*:\s*"([^"]{1,64})"')

#: Base URLs; the sandbox of Advanced Trade answers with canned responses and has no market.
ENDPOINTS = {
    "prod": Endpoints(
        "https://api.coinbase.com",
        "wss://advanced-trade-ws.coinbase.com",
        "wss://advanced-trade-ws-user.coinbase.com",
    ),
}


class CoinbaseFeed:
    """One market-data connection; see :class:`bloor.venue.session.FeedSession` and ``WatchfulFeed``.

    Args:
        context: What to subscribe to, and where.

    Raises:
        UsageError: There are too many instruments, or two that share a book.
    """

    def __init__(self, context: FeedContext) -> None:
        self._products = [i.venue_symbol for i in context.instruments]
        _check([(i.symbol, i.venue_symbol) for i in context.instruments])
        self._jitter = random.Random(context.seed)
        self.url = context.endpoints.streams
        self.deadline_ns = NEVER
        self.ready = False
        self.watching = False
        self._alive_ns = 0
        #: Books without the snapshot they were subscribed for, and channels without an acknowledgement.
        self._bookless: set[str] = set()
        self._unproved: set[Channel] = set()
        self._proof_at = NEVER
        self._tries = 0
        self._lost: set[str] = set()
        self._resync_at = NEVER
        self._resyncs = 0
        self._resynced_ns = 0

    # ---- the connection ---------------------------------------------------------------------------------------------

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Subscribes to everything."""
        self._forget()
        self.ready = self.watching = True
        self._alive_ns = now_ns
        self._resyncs = 0
        self._bookless = set(self._products)
        self._unproved = {Channel.HEARTBEATS, *_OF_PRODUCTS}
        self._tries, self._proof_at = 0, now_ns + PROOF_NS
        self._set_deadline()
        return [Send(self._subscribe(channel)) for channel in (Channel.HEARTBEATS, *_OF_PRODUCTS)]

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Forgets what was asked for."""
        self._forget()
        return ()

    def touched(self, now_ns: int) -> None:
        """Any frame: alive."""
        self._alive_ns = now_ns

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Asks for lost books, looks after subscriptions that brought nothing, gives up a silent connection."""
        if not self.ready:
            self.deadline_ns = NEVER
            return ()
        if now_ns - self._alive_ns >= IDLE_NS:
            return self._give_up(f"nothing received for {IDLE_NS // SECOND} s")
        if now_ns >= self._resync_at and self._resyncs >= RESYNCS:
            return self._give_up(f"books were lost {RESYNCS} times without {CALM_NS // SECOND} s of calm between")
        actions: list[Action] = []
        if now_ns >= self._resync_at:
            actions += self._again(now_ns)
        if now_ns >= self._proof_at:
            actions += self._prove(now_ns)
        self._set_deadline()
        return actions

    def _forget(self) -> None:
        self.ready = self.watching = False
        self.deadline_ns = self._proof_at = self._resync_at = NEVER
        self._bookless.clear()
        self._unproved.clear()
        self._lost.clear()

    def _give_up(self, reason: str) -> Sequence[Action]:
        self._forget()
        return (Reconnect(reason),)

    # ---- subscriptions ----------------------------------------------------------------------------------------------

    def heard(self, frame: bytes, now_ns: int) -> None:
        """A book has its snapshot."""
        head = frame[:HEAD]
        if b'"l2_data"' in head and _SNAPSHOT.search(head):
            self._bookless.difference_update(name.decode("utf-8", "replace") for name in _PRODUCT.findall(frame))
            self._proved()

    def control(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """Everything that is not market data: an acknowledgement is noted, a refusal is told."""
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return ()
        if not isinstance(message, dict):
            return ()
        if message.get("type") == "error":
            reason = f": {message['reason']!r:.100}" if message.get("reason") else ""
            return (Tell("refused", f"Coinbase answered {message.get('message')!r:.200}{reason}"),)
        events = message.get("events")
        if message.get("channel") == "subscriptions" and isinstance(events, list):
            self._acknowledged(acknowledged(events))
        return ()

    def _acknowledged(self, listed: dict[str, set[str]]) -> None:
        for channel in list(self._unproved):
            products = self._products if channel in _OF_PRODUCTS else ()
            if channel.value in listed and listed[channel.value].issuperset(products):
                self._unproved.discard(channel)
        self._proved()

    def _proved(self) -> None:
        """Ends the watch once nothing is missing."""
        self.watching = bool(self._bookless)
        if not self._bookless and not self._unproved:
            self._proof_at = NEVER
            self._set_deadline()

    def _prove(self, now_ns: int) -> list[Action]:
        """Subscribes again to what did not prove itself; in the end, tells."""
        books = sorted(self._bookless)
        channels = [c for c in Channel if c in self._unproved and not (c is Channel.LEVEL2 and books)]
        if self._tries == SUBSCRIBE_TRIES:
            self.watching, self._proof_at = False, NEVER
            seconds = PROOF_NS * (2 ** (SUBSCRIBE_TRIES + 1) - 1) // SECOND
            missing = [*(f"the book of {name}" for name in books[:5]), *(f"channel {c.value}" for c in channels)]
            more = f" and {len(books) - 5} more books" if len(books) > 5 else ""
            return [Tell("stream_silent", f"nothing came in {seconds} s of {', '.join(missing)}{more}")]
        self._tries += 1
        self._proof_at = now_ns + (PROOF_NS << self._tries)
        return [*self._renew(books), *(Send(self._subscribe(channel)) for channel in channels)]

    def _subscribe(self, channel: Channel) -> bytes:
        return subscribe(channel, self._products if channel in _OF_PRODUCTS else ())

    # ---- books ------------------------------------------------------------------------------------------------------

    def resync(self, venue_symbol: str, now_ns: int) -> Sequence[Action]:
        """Notes a lost book; the timer, which is due at once where it was calm, asks for all that were lost."""
        if not self.ready or venue_symbol in self._lost:
            return ()
        self._lost.add(venue_symbol)
        if self._resync_at == NEVER:
            if now_ns - self._resynced_ns >= CALM_NS:
                self._resyncs = 0
            self._resync_at = now_ns + self._wait_ns()
        self._set_deadline()
        return ()

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[Action], SnapshotBody | None]:
        """Nothing is asked for over REST."""
        return (), None

    def _wait_ns(self) -> int:
        if self._resyncs == 0:
            return 0
        wait = min(RETRY_NS << self._resyncs, RETRY_MAX_NS)
        return wait // 2 + self._jitter.randrange(wait // 2)

    def _again(self, now_ns: int) -> Iterable[Action]:
        """Asks for every lost book."""
        lost = sorted(self._lost)
        self._lost.clear()
        self._resync_at, self._resynced_ns = NEVER, now_ns
        self._resyncs += 1
        self._bookless.update(lost)
        self.watching = True
        self._tries, self._proof_at = 0, now_ns + PROOF_NS
        return self._renew(lost)

    def _renew(self, books: Sequence[str]) -> Iterable[Action]:
        if not books:
            return ()
        return (Send(unsubscribe(Channel.LEVEL2, books)), Send(subscribe(Channel.LEVEL2, books)))

    def _set_deadline(self) -> None:
        self.deadline_ns = min(self._alive_ns + IDLE_NS, self._proof_at, self._resync_at)


#: The channels that are subscribed to for every product.
_OF_PRODUCTS = (Channel.LEVEL2, Channel.MARKET_TRADES, Channel.TICKER)


def _check(instruments: Sequence[tuple[str, str]]) -> None:
    if len(instruments) > MAX_PRODUCTS:
        raise UsageError(
            f"--symbol: expected at most {MAX_PRODUCTS} instruments, since a connection of Coinbase has no more books, "
            f"got {len(instruments)}"
        )
    owners: dict[str, str] = {}
    for symbol, book in instruments:
        if owners.setdefault(book, symbol) != symbol:
            raise UsageError(
                f"--symbol: expected one instrument for each book of Coinbase, got {owners[book]} and {symbol}, whose "
                f"market data are the same and come as {book}"
            )


def feed_spec() -> FeedSpec:
    """What ``bloor_feed`` hands over."""
    return FeedSpec(
        venue="coinbase",
        endpoints=ENDPOINTS,
        build=CoinbaseFeed,
        instruments_path=instruments_path,
        parse_instruments=parse_instruments,
        default_symbol="BTC-USD",
        rest=rest_rules(),
    )
