"""Market data of Binance over one combined stream, spot and USD-M (sans I/O).

The streams are named in the URL, so a connection is subscribed when it is open; those for which the URL has no room are
subscribed to right after. Binance takes names of streams that do
not exist without a word, so each stream has to prove itself: one that brings nothing for a while is subscribed to
again, a few times, and then a person is told. The book of each instrument is started by the published procedure: buffer
what the stream brings, fetch a REST snapshot, splice (the splicing itself is :mod:`bloor.market.sync`).

The server pings on a WebSocket level and the carrier answers. A connection on which nothing arrived for
:data:`PROBE_NS` is asked something; one that was silent for :data:`IDLE_NS` is taken for dead. Binance ends a
connection after 24 h, and may say so before (``serverShutdown``): it is replaced ahead of that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from bloor.errors import UsageError
from bloor.hookspecs import FeedContext, FeedSpec
from bloor.venue.session import NEVER, Action, Endpoints, Get, Reconnect, Replace, Send, SnapshotBody, Tell
from bloor_binance.config import BinanceConfig, BinanceUsdmConfig
from bloor_binance.instruments import instruments_path, parse_instruments
from bloor_binance.limits import spot_rules

__all__ = ["ENDPOINTS", "SPOT", "BinanceFeed", "Product", "feed_spec"]

SECOND = 1_000_000_000
#: Silence after which a connection is asked something, and after which it is taken for dead; depth comes every 100 ms
#: on any listed pair that trades.
PROBE_NS, IDLE_NS = 15 * SECOND, 30 * SECOND
#: First and longest wait before a failed snapshot request is repeated.
RETRY_NS, RETRY_MAX_NS = SECOND // 2, 30 * SECOND
#: A book that stayed synchronised this long gets its next snapshot at once again.
CALM_NS = 60 * SECOND
#: How long a stream may bring nothing before it is subscribed to again; twice as long each further time.
SILENT_NS = 10 * SECOND
#: How often a silent stream is subscribed to again.
SUBSCRIBE_TRIES = 3
#: Streams named in one control message; a message a second stays below the venue's five.
STREAMS_A_MESSAGE = 300
#: Streams of one connection ("WebSocket Limits"), and longest URL.
MAX_STREAMS, MAX_URL = 1024, 4000
#: Wait before a replacement that failed is tried again.
REPLACE_AGAIN_NS = 300 * SECOND

_COMBINED = b'{"stream":"'

#: Base URLs (binance-spot-api-docs, "General API information").
ENDPOINTS = {
    "prod": Endpoints(
        "https://api.binance.com", "wss://stream.binance.com:9443", "wss://ws-api.binance.com:443/ws-api/v3"
    ),
    "testnet": Endpoints(
        "https://testnet.binance.vision",
        "wss://stream.testnet.binance.vision",
        "wss://ws-api.testnet.binance.vision/ws-api/v3",
    ),
}


class Product(NamedTuple):
    """What differs between Binance's markets.

    Attributes:
        config: The type of their section.
        depth_path: REST path of a book.
        depth_stream: Name of the stream of changes after the symbol, for each speed.
    """

    config: Callable[[], BinanceConfig | BinanceUsdmConfig]
    depth_path: str
    depth_stream: dict[str, str]


SPOT = Product(BinanceConfig, "/api/v3/depth", {"100ms": "@depth@100ms", "1000ms": "@depth"})


class BinanceFeed:
    """One market-data connection; see :class:`bloor.venue.session.FeedSession`, ``WatchfulFeed``, ``ReplaceableFeed``.

    Args:
        context: What to subscribe to, and where.
        product: Spot or USD-M.
    """

    def __init__(self, context: FeedContext, product: Product = SPOT) -> None:
        config = context.config or product.config()
        assert isinstance(config, BinanceConfig | BinanceUsdmConfig)
        self._config = config
        self._product = product
        self._symbols = [i.venue_symbol for i in context.instruments]
        self._jitter = random.Random(context.seed)
        kinds = (product.depth_stream[config.depth_speed], "@trade", "@bookTicker")
        self._streams = [symbol.lower() + kind for symbol in self._symbols for kind in kinds]
        if len(self._streams) > MAX_STREAMS:
            raise UsageError(
                f"--symbol: expected at most {MAX_STREAMS // len(kinds)} instruments, since a connection of Binance "
                f"has at most {MAX_STREAMS} streams, got {len(self._symbols)}"
            )
        base = context.endpoints.streams
        self.url, self._beyond_url = _url(f"{base}/stream?streams=", self._streams)
        self.deadline_ns = NEVER
        self.ready = False
        self.watching = False
        self._alive_ns = 0
        self._probed_ns = 0
        self._replace_at = NEVER
        self._silent: set[bytes] = set()
        self._verify_at = NEVER
        self._tries = 0
        self._unsent: list[Send] = []
        self._send_at = NEVER
        self._message_id = 0
        self._retry_at: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._fetched_at: dict[str, int] = {}
        self._pending: set[str] = set()

    # ---- the connection ---------------------------------------------------------------------------------------------

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Asks for the snapshot of every book."""
        self._begin(now_ns)
        self._retry_at.clear()
        self._failures.clear()
        self._pending.clear()
        self._silent = {name.encode() for name in self._streams}
        self.watching, self._tries, self._verify_at = True, 0, now_ns + SILENT_NS
        actions: list[Action] = list(self._subscribe(self._beyond_url))
        actions += [action for symbol in self._symbols for action in self._fetch(symbol, now_ns)]
        self._set_deadline()
        return actions

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Forgets what was asked for; answers that still come are ignored."""
        self.ready = self.watching = False
        self.deadline_ns = self._verify_at = self._send_at = self._replace_at = NEVER
        self._unsent.clear()
        self._retry_at.clear()
        self._pending.clear()
        return ()

    def touched(self, now_ns: int) -> None:
        """Any frame: alive."""
        self._alive_ns = now_ns

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Repeats requests that are due, looks after silent streams, gives up a silent connection, replaces an old one.

        Never called while there is no connection.
        """
        if not self.ready:
            self.deadline_ns = NEVER
            return ()
        if now_ns - self._alive_ns >= IDLE_NS:
            self.ready = False
            self.deadline_ns = NEVER
            return (Reconnect(f"nothing received for {IDLE_NS // SECOND} s"),)
        due = [symbol for symbol, at in self._retry_at.items() if at <= now_ns]
        actions = [action for symbol in due for action in self._fetch(symbol, now_ns)]
        if now_ns >= self._verify_at:
            actions += self._verify(now_ns)
        if now_ns >= self._send_at:
            actions.append(self._unsent.pop(0))
            self._send_at = now_ns + SECOND if self._unsent else NEVER
        if now_ns - max(self._alive_ns, self._probed_ns) >= PROBE_NS:
            self._probed_ns = now_ns
            actions.append(self._say("LIST_SUBSCRIPTIONS"))
        if now_ns >= self._replace_at:
            self._replace_at = now_ns + REPLACE_AGAIN_NS
            actions.append(Replace("its connection has reached its age"))
        self._set_deadline()
        return actions

    def _begin(self, now_ns: int) -> None:
        """A connection begins its life."""
        self.ready = True
        self._alive_ns = self._probed_ns = now_ns
        life = self._config.connection_life.ns
        self._replace_at = now_ns + life - self._jitter.randrange(life // 50 + 1)

    # ---- another connection -----------------------------------------------------------------------------------------

    def replacement_connected(self, now_ns: int) -> Sequence[Action]:
        """Its URL has subscribed it, to what the URL has room for."""
        return self._subscribe(self._beyond_url)

    def replacement_failed(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Tries again later."""
        if self.ready:
            self._replace_at = now_ns + REPLACE_AGAIN_NS // 2 + self._jitter.randrange(REPLACE_AGAIN_NS // 2)
            self._set_deadline()
        return ()

    def replaced(self, now_ns: int) -> Sequence[Action]:
        """The new connection's life begins; its books are those of the old one."""
        self._begin(now_ns)
        self._set_deadline()
        return ()

    # ---- streams ----------------------------------------------------------------------------------------------------

    def heard(self, frame: bytes, now_ns: int) -> None:
        """A stream has proved itself."""
        if frame.startswith(_COMBINED):
            end = frame.find(b'"', len(_COMBINED))
            self._silent.discard(frame[len(_COMBINED) : end])
            if not self._silent:
                self.watching = False
                self._verify_at = NEVER
                self._set_deadline()

    def _verify(self, now_ns: int) -> list[Action]:
        """Subscribes again to what has brought nothing; in the end, tells."""
        names = sorted(name.decode() for name in self._silent)
        if self._tries == SUBSCRIBE_TRIES:
            self.watching = False
            self._verify_at = NEVER
            seconds = SILENT_NS * (2 ** (SUBSCRIBE_TRIES + 1) - 1) // SECOND
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            what = ", ".join(names[:5]) + more
            text = f"nothing came in {seconds} s from {what}: no such stream, or a still market"
            return [Tell("stream_silent", text)]
        self._tries += 1
        self._verify_at = now_ns + (SILENT_NS << self._tries)
        self._unsent = self._subscribe(names)
        self._send_at = now_ns
        return []

    def _subscribe(self, names: Sequence[str]) -> list[Send]:
        parts = [names[n : n + STREAMS_A_MESSAGE] for n in range(0, len(names), STREAMS_A_MESSAGE)]
        return [self._say("SUBSCRIBE", part) for part in parts]

    def _say(self, method: str, params: Sequence[str] = ()) -> Send:
        self._message_id += 1
        message: dict[str, Any] = {"method": method, "id": self._message_id}
        if params:
            message["params"] = params
        return Send(orjson.dumps(message))

    def control(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """Everything that is not market data: a refusal is told, a shutdown notice asks for another connection."""
        try:
            message: Any = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return ()
        if not isinstance(message, dict):
            return ()
        event = message.get("data", message)
        if isinstance(event, dict) and event.get("e") == "serverShutdown":
            return (Replace("the venue announced the end of this connection"),)
        error = message.get("error", message)
        if isinstance(error, dict) and "code" in error and "msg" in error:
            return (Tell("refused", f"Binance answered {error['code']!r:.20}: {error['msg']!r:.200}"),)
        return ()

    # ---- books ------------------------------------------------------------------------------------------------------

    def resync(self, venue_symbol: str, now_ns: int) -> Sequence[Action]:
        """Asks for a new snapshot of one book: at once the first time, then with growing waits."""
        if not self.ready or venue_symbol in self._pending or venue_symbol in self._retry_at:
            return ()
        if now_ns - self._fetched_at.get(venue_symbol, 0) >= CALM_NS:
            self._failures[venue_symbol] = 0
        if self._failures.get(venue_symbol, 0) == 0:
            self._failures[venue_symbol] = 1
            return self._fetch(venue_symbol, now_ns)
        self._retry(venue_symbol, now_ns)
        return ()

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[Action], SnapshotBody | None]:
        """A depth answer: the snapshot, or another try later."""
        symbol = tag.removeprefix("depth:")
        if symbol not in self._pending:
            return (), None
        self._pending.discard(symbol)
        if status == 200:
            return (), SnapshotBody(symbol, body)
        self._retry(symbol, now_ns)
        return (), None

    def _fetch(self, symbol: str, now_ns: int) -> Sequence[Action]:
        self._retry_at.pop(symbol, None)
        self._fetched_at[symbol] = now_ns
        self._pending.add(symbol)
        path = f"{self._product.depth_path}?symbol={quote(symbol)}&limit={self._config.depth_limit}"
        return (Get(f"depth:{symbol}", path),)

    def _retry(self, symbol: str, now_ns: int) -> None:
        failures = self._failures[symbol] = self._failures.get(symbol, 0) + 1
        wait = min(RETRY_NS << min(failures - 1, 10), RETRY_MAX_NS)
        self._retry_at[symbol] = now_ns + wait // 2 + self._jitter.randrange(wait // 2)
        self._set_deadline()

    def _set_deadline(self) -> None:
        silence = min(self._alive_ns + IDLE_NS, max(self._alive_ns, self._probed_ns) + PROBE_NS)
        self.deadline_ns = min(
            silence, self._verify_at, self._send_at, self._replace_at, *self._retry_at.values(), NEVER
        )  # fmt: skip


def _url(head: str, streams: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The URL with as many streams as it has room for, and the others."""
    url = head
    for n, name in enumerate(streams):
        longer = f"{url}{'/' if n else ''}{quote(name, safe='@')}"
        if len(longer) > MAX_URL:
            return url, streams[n:]
        url = longer
    return url, ()


def feed_spec() -> FeedSpec:
    """What ``bloor_feed`` hands over for ``binance``."""
    return FeedSpec(
        venue="binance",
        endpoints=ENDPOINTS,
        build=BinanceFeed,
        instruments_path=instruments_path,
        parse_instruments=parse_instruments,
        default_symbol="BTC-USDT",
        rest=spot_rules(),
    )
