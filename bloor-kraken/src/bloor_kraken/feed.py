"""Market data of Kraken spot over one connection to WebSocket v2 (sans I/O).

Nothing is subscribed to by the URL: books, trades and best prices of every instrument are asked for once the connection
is open, acknowledged one by one, and a book has to bring its snapshot (:mod:`bloor_kraken.subscriptions`). A book whose
checksum fails is left and subscribed to again, alone, at once the first time and then with growing waits; the others go
on.

A connection with a subscription brings a heartbeat every second. One on which nothing arrived for :data:`PROBE_NS` is
pinged, one that was silent for :data:`IDLE_NS` is taken for dead; a book's own silence means nothing. Kraken announces
no end of a connection.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import FeedContext
from bloor.venue.session import NEVER, Action, Endpoints, Reconnect, Send, SnapshotBody, Tell
from bloor_kraken.config import BookKind, KrakenConfig
from bloor_kraken.exact import parsed
from bloor_kraken.subscriptions import TRIES, Channel, Stage, Subscription, Topic, by_channel

__all__ = ["ENDPOINTS", "KrakenFeed"]

SECOND = 1_000_000_000
#: Silence after which a connection is pinged, and after which it is taken for dead; heartbeats come every second.
PROBE_NS, IDLE_NS = 3 * SECOND, 8 * SECOND
#: First and longest wait before a book that was lost again is subscribed to again.
RETRY_NS, RETRY_MAX_NS = SECOND // 2, 30 * SECOND
#: A book that stayed synchronised this long is subscribed to again at once.
CALM_NS = 60 * SECOND
#: Symbols named in one request, and wait between requests: the venue's limit on messages is not published.
SYMBOLS_A_REQUEST, SEND_EVERY_NS = 100, SECOND // 4
#: Requests that may leave at once.
BURST = 6
#: Wait after the venue said that requests come too fast.
SLOW_DOWN_NS = 5 * SECOND

_HEARTBEAT = b'{"channel":"heartbeat"}'
_SYMBOL = re.compile(rb'"symbol"\s*:\s*"([^"\\]{1,64})"')

#: Base URLs (docs.kraken.com, "Introduction"). There is no test environment for spot.
ENDPOINTS = {
    "prod": Endpoints(
        "https://api.kraken.com",
        "wss://ws.kraken.com/v2",
        "wss://ws-auth.kraken.com/v2",
        "wss://ws-l3.kraken.com/v2",
    )
}


class KrakenFeed:
    """One market-data connection; see :class:`bloor.venue.session.FeedSession` and ``WatchfulFeed``.

    Attributes:
        book_channel: What books come over.
        symbols_a_request: Symbols named in one request.
        send_every_ns: Wait between requests.
        burst: Requests that may leave at once when a connection begins.
    """

    book_channel = Channel.BOOK
    symbols_a_request = SYMBOLS_A_REQUEST
    send_every_ns = SEND_EVERY_NS
    burst = BURST

    def __init__(self, context: FeedContext) -> None:
        config = context.config or KrakenConfig()
        assert isinstance(config, KrakenConfig)
        self._depth = config.book_depth
        books = (Channel.BOOK,) if config.book is BookKind.LEVELS else ()
        self._channels: tuple[Channel, ...] = (*books, Channel.TRADE, Channel.TICKER)
        self._symbols = [i.venue_symbol for i in context.instruments]
        self._jitter = random.Random(context.seed)
        self.url = context.endpoints.streams
        self.deadline_ns = NEVER
        self.ready = False
        self.watching = False
        self._topics: dict[Topic, Subscription] = {}
        self._unsent: list[Send] = []
        self._send_at = 0
        self._request_id = 0
        self._alive_ns = 0
        self._probed_ns = 0
        self._failures: dict[str, int] = {}
        self._system = "online"

    # ---- the connection ---------------------------------------------------------------------------------------------

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Subscribes to everything."""
        self.ready = True
        self._alive_ns = self._probed_ns = self._send_at = now_ns
        self._unsent.clear()
        self._failures.clear()
        self._system = "online"
        topics = [Topic(channel, symbol) for channel in self._channels for symbol in self._symbols]
        self._topics = {topic: Subscription(topic) for topic in topics}
        self._subscribe(now_ns)
        return self._carry(now_ns, burst=self.burst)

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Forgets everything: nothing survives a connection."""
        self.ready = self.watching = False
        self.deadline_ns = NEVER
        self._topics.clear()
        self._unsent.clear()
        return ()

    def touched(self, now_ns: int) -> None:
        """Any frame: alive."""
        self._alive_ns = now_ns

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Sends what is due, asks again for what has not come, pings or gives up a silent connection."""
        if not self.ready:
            self.deadline_ns = NEVER
            return ()
        if now_ns - self._alive_ns >= IDLE_NS:
            self.ready = False
            self.deadline_ns = NEVER
            return (Reconnect(f"nothing received for {IDLE_NS // SECOND} s"),)
        told = self._look_after(now_ns)
        if now_ns - max(self._alive_ns, self._probed_ns) >= PROBE_NS:
            self._probed_ns = now_ns
            self._say("ping")
        return [*told, *self._carry(now_ns)]

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[Action], SnapshotBody | None]:
        """Nothing is asked for over REST: its books cannot be joined to the stream."""
        return (), None

    # ---- subscriptions ----------------------------------------------------------------------------------------------

    def _subscribe(self, now_ns: int) -> None:
        """A connection begins."""
        self._ask(self._topics.values(), now_ns)

    def _ask(self, subscriptions: Iterable[Subscription], now_ns: int) -> None:
        """Subscribes to these, as many symbols a request as it takes."""
        due = list(subscriptions)
        for subscription in due:
            subscription.ask(now_ns)
        for channel, symbols in by_channel([each.topic for each in due]).items():
            for n in range(0, len(symbols), self.symbols_a_request):
                self._say("subscribe", self._params(channel, symbols[n : n + self.symbols_a_request]))

    def _leave(self, subscription: Subscription, now_ns: int) -> None:
        subscription.leave(now_ns)
        topic = subscription.topic
        self._say("unsubscribe", self._left(topic.channel, [topic.symbol]))

    def _left(self, channel: Channel, symbols: Sequence[str]) -> dict[str, Any]:
        """The parameters by which a channel is left."""
        params: dict[str, Any] = {"channel": channel.value, "symbol": symbols}
        return {**params, "depth": self._depth} if channel.is_book else params

    def _params(self, channel: Channel, symbols: Sequence[str]) -> dict[str, Any]:
        """The parameters by which a channel is subscribed to."""
        params: dict[str, Any] = {"channel": channel.value, "symbol": symbols}
        if channel.is_book:
            return {**params, "depth": self._depth, "snapshot": True}
        if channel is Channel.TRADE:
            return {**params, "snapshot": False}
        return {**params, "event_trigger": "bbo"}

    def _look_after(self, now_ns: int) -> list[Action]:
        """Everything whose time is up: asks again, leaves first what was acknowledged, or gives up and tells."""
        told: list[Action] = []
        asked: list[Subscription] = []
        for subscription in self._topics.values():
            if subscription.settled or subscription.due_ns > now_ns:
                continue
            topic = subscription.topic
            if subscription.stage is Stage.ACKNOWLEDGED:
                self._leave(subscription, now_ns)
                if subscription.tries == TRIES:
                    told.append(Tell("not_subscribed", f"{topic.symbol}: no snapshot after {TRIES} subscriptions"))
            elif subscription.stage is not Stage.ASKED or subscription.tries < TRIES:
                asked.append(subscription)
            else:
                subscription.stage = Stage.FAILED
                text = f"{topic.symbol}: no answer to {TRIES} subscriptions to {topic.channel.value}"
                told.append(Tell("not_subscribed", text))
        self._ask(asked, now_ns)
        return told

    def _of(self, channel: Any, symbol: Any) -> Subscription | None:
        """The subscription that an answer is about."""
        known = next((each for each in Channel if each.value == channel), None)
        return self._topics.get(Topic(known, symbol)) if known and type(symbol) is str else None

    # ---- frames -----------------------------------------------------------------------------------------------------

    def heard(self, frame: bytes, now_ns: int) -> None:
        """A snapshot proves its book."""
        if b'"snapshot"' not in frame or b'"checksum"' not in frame:
            return
        for name in _SYMBOL.findall(frame):
            subscription = self._of(self.book_channel.value, name.decode("utf-8", "replace"))
            if subscription is not None and subscription.stage is not Stage.LEAVING:
                subscription.up()
        self._set_deadline()

    def control(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """Everything that is not market data: answers, the state of the venue, heartbeats."""
        if frame == _HEARTBEAT:
            return ()
        try:
            message: Any = parsed(frame)
        except RemoteProtocolError:
            return ()
        if type(message) is not dict:
            return ()
        told: list[Action] = []
        if message.get("channel") == "status":
            told = self._status(message)
        elif "Error" in message:
            told = [Tell("refused", f"Kraken said {message['Error']!r:.200}")]
            self._send_at = now_ns + SLOW_DOWN_NS
        elif message.get("method") in ("subscribe", "unsubscribe"):
            told = self._answered(message, now_ns)
        return [*told, *self._carry(now_ns)]

    def _status(self, message: dict[str, Any]) -> list[Action]:
        """The state of the trading engine; only a change is told."""
        data = message.get("data")
        system = data[0].get("system") if type(data) is list and data and type(data[0]) is dict else None
        if type(system) is not str or system == self._system:
            return []
        self._system = system
        return [Tell("venue_status", f"Kraken's trading engine is {system!r:.40}")]

    def _answered(self, message: dict[str, Any], now_ns: int) -> list[Action]:
        result = message.get("result")
        if message.get("success") is not True or type(result) is not dict:
            return self._refused(message, now_ns)
        subscription = self._of(result.get("channel"), result.get("symbol"))
        if subscription is None or subscription.settled:
            return []
        if message["method"] == "unsubscribe":
            if subscription.stage is Stage.LEAVING:
                self._ask((subscription,), now_ns)
        elif not subscription.topic.channel.is_book:
            subscription.up()
        elif subscription.stage is Stage.ASKED:
            subscription.stage = Stage.ACKNOWLEDGED
        return []

    def _refused(self, message: dict[str, Any], now_ns: int) -> list[Action]:
        """A refusal names the symbol at best: it is about what of it was asked for and not answered."""
        error, symbol = str(message.get("error")), message.get("symbol")
        about = [
            each
            for each in self._topics.values()
            if not each.settled and each.stage is not Stage.WAITING and symbol in (None, each.topic.symbol)
        ]
        leaving = message.get("method") == "unsubscribe"
        if leaving:
            self._ask([each for each in about if each.stage is Stage.LEAVING], now_ns)
            return []
        if error.lower().startswith("already subscribed"):
            for each in about:
                if each.topic.channel.is_book:
                    self._leave(each, now_ns)  # it is, but its snapshot was lost
                else:
                    each.up()
            return []
        if "not supported" in error.lower() and symbol is not None:
            for each in about:
                each.stage = Stage.FAILED
        return [
            Tell("refused", f"Kraken refused a subscription{f' to {symbol!r:.40}' if symbol else ''}: {error:.200}")
        ]

    # ---- books ------------------------------------------------------------------------------------------------------

    def resync(self, venue_symbol: str, now_ns: int) -> Sequence[Action]:
        """Leaves one book and subscribes to it again: at once the first time, then with growing waits."""
        subscription = self._of(self.book_channel.value, venue_symbol)
        if not self.ready or subscription is None or subscription.stage is not Stage.UP:
            return ()
        if now_ns - subscription.asked_ns >= CALM_NS:
            self._failures[venue_symbol] = 0
        failures = self._failures.get(venue_symbol, 0)
        self._failures[venue_symbol] = failures + 1
        if failures == 0:
            self._leave(subscription, now_ns)
        else:
            wait = min(RETRY_NS << min(failures, 10), RETRY_MAX_NS)
            subscription.stage = Stage.ACKNOWLEDGED  # left once its time is up
            subscription.due_ns = now_ns + wait // 2 + self._jitter.randrange(wait // 2)
        return self._carry(now_ns)

    # ---- requests ---------------------------------------------------------------------------------------------------

    def _say(self, method: str, params: dict[str, Any] | None = None) -> None:
        self._request_id += 1
        message = {"method": method, **({"params": params} if params else {}), "req_id": self._request_id}
        self._unsent.append(Send(orjson.dumps(message)))

    def _carry(self, now_ns: int, burst: int = 1) -> list[Action]:
        """Takes the requests that may leave now."""
        leaving: list[Action] = []
        if now_ns >= self._send_at and self._unsent:
            leaving += self._unsent[:burst]
            del self._unsent[:burst]
            self._send_at = now_ns + self.send_every_ns
        self._set_deadline()
        return leaving

    def _set_deadline(self) -> None:
        self.watching = any(
            each.topic.channel.is_book and not each.settled for each in self._topics.values()
        )  # fmt: skip
        if not self.ready:
            self.deadline_ns = NEVER
            return
        silence = min(self._alive_ns + IDLE_NS, max(self._alive_ns, self._probed_ns) + PROBE_NS)
        self.deadline_ns = min(silence, self._send_at if self._unsent else NEVER, self._due_ns())

    def _due_ns(self) -> int:
        """When something is to be asked for."""
        return min((each.due_ns for each in self._topics.values() if not each.settled), default=NEVER)
