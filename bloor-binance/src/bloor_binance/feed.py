"""Market data of Binance spot over one combined stream (sans I/O).

The streams are named in the URL, so a connection is subscribed when it is open. The book of each instrument is started
by the published procedure: buffer what the stream brings, fetch a REST snapshot, splice (the splicing itself is
:mod:`bloor.market.sync`). The server pings every 20 s on a WebSocket level; a connection on which nothing arrives for
longer than :data:`IDLE_NS` is taken for dead.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson
from bloor.hookspecs import FeedContext, FeedSpec
from bloor.venue.session import NEVER, Action, Endpoints, Get, Reconnect, SnapshotBody

from bloor_binance.config import BinanceConfig
from bloor_binance.instruments import instruments_path, parse_instruments

__all__ = ["ENDPOINTS", "BinanceFeed", "feed_spec"]

SECOND = 1_000_000_000
#: Silence after which a connection is taken for dead; depth comes every 100 ms on any listed pair that trades.
IDLE_NS = 30 * SECOND
#: First and longest wait before a failed snapshot request is repeated.
RETRY_NS, RETRY_MAX_NS = SECOND // 2, 30 * SECOND
#: A book that stayed synchronised this long gets its next snapshot at once again.
CALM_NS = 60 * SECOND

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


class BinanceFeed:
    """One market-data connection; see :class:`bloor.venue.session.FeedSession`."""

    def __init__(self, context: FeedContext) -> None:
        config = context.config or BinanceConfig()
        assert isinstance(config, BinanceConfig)
        self._config = config
        self._symbols = [i.venue_symbol for i in context.instruments]
        self._jitter = random.Random(context.seed)
        suffix = "@depth@100ms" if config.depth_speed == "100ms" else "@depth"
        names = [quote(s.lower()) + kind for s in self._symbols for kind in (suffix, "@trade", "@bookTicker")]
        base = config.streams_url or context.endpoints.streams
        self.url = f"{base}/stream?streams={'/'.join(names)}"
        self.deadline_ns = NEVER
        self.ready = False
        self._alive_ns = 0
        self._retry_at: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._fetched_at: dict[str, int] = {}
        self._pending: set[str] = set()

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Asks for the snapshot of every book."""
        self.ready = True
        self._alive_ns = now_ns
        self._retry_at.clear()
        self._failures.clear()
        self._pending.clear()
        actions = [action for symbol in self._symbols for action in self._fetch(symbol, now_ns)]
        self._set_deadline()
        return actions

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Forgets what was asked for; answers that still come are ignored."""
        self.ready = False
        self.deadline_ns = NEVER
        self._retry_at.clear()
        self._pending.clear()
        return ()

    def touched(self, now_ns: int) -> None:
        """Any frame: alive."""
        self._alive_ns = now_ns

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Repeats snapshot requests that are due; gives up a silent connection."""
        if not self.ready:
            self.deadline_ns = NEVER
            return ()
        if now_ns - self._alive_ns >= IDLE_NS:
            self.ready = False
            self.deadline_ns = NEVER
            return (Reconnect(f"nothing received for {IDLE_NS // SECOND} s"),)
        due = [symbol for symbol, at in self._retry_at.items() if at <= now_ns]
        actions = [action for symbol in due for action in self._fetch(symbol, now_ns)]
        self._set_deadline()
        return actions

    def control(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """Everything that is not market data; only the shutdown notice calls for something."""
        try:
            message: Any = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return ()
        event = message.get("data", message) if isinstance(message, dict) else {}
        if isinstance(event, dict) and event.get("e") == "serverShutdown":
            return (Reconnect("the venue announced the end of this connection"),)
        return ()

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

    def responded(self, tag: str, status: int, body: bytes, now_ns: int) -> tuple[Sequence[Action], SnapshotBody | None]:
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
        return (Get(f"depth:{symbol}", f"/api/v3/depth?symbol={quote(symbol)}&limit={self._config.depth_limit}"),)

    def _retry(self, symbol: str, now_ns: int) -> None:
        failures = self._failures[symbol] = self._failures.get(symbol, 0) + 1
        wait = min(RETRY_NS << min(failures - 1, 10), RETRY_MAX_NS)
        self._retry_at[symbol] = now_ns + wait // 2 + self._jitter.randrange(wait // 2)
        self._set_deadline()

    def _set_deadline(self) -> None:
        self.deadline_ns = min([self._alive_ns + IDLE_NS, *self._retry_at.values()])


def feed_spec() -> FeedSpec:
    """What ``bloor_feed`` hands over."""
    return FeedSpec(
        venue="binance",
        endpoints=ENDPOINTS,
        build=BinanceFeed,
        instruments_path=instruments_path,
        parse_instruments=parse_instruments,
        default_symbol="BTC-USDT",
    )
