"""Market data of Acme over one connection (sans I/O: it opens no socket and reads no clock)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from bloor.errors import RemoteProtocolError
from bloor.hookspecs import FeedContext, FeedSpec
from bloor.venue.rest import RateLimit, RestRules
from bloor.venue.session import NEVER, Action, Reconnect, Send, SnapshotBody, Tell

from bloor_acme.config import ENDPOINTS
from bloor_acme.instruments import instruments_path, parse_instruments
from bloor_acme.protocol import integer, parsed

__all__ = ["AcmeFeed", "feed_spec"]

SECOND = 1_000_000_000
#: Silence after which a connection is taken for dead: five heartbeats.
IDLE_NS = 5 * SECOND
#: How soon a book may be asked for again.
AGAIN_NS = SECOND


class AcmeFeed:
    """One market-data connection; see :class:`bloor.venue.session.FeedSession`."""

    def __init__(self, context: FeedContext) -> None:
        self.url = context.endpoints.streams
        self.deadline_ns = NEVER
        self.ready = False
        self._symbols = [instrument.venue_symbol for instrument in context.instruments]
        self._alive_ns = 0
        self._asked_ns: dict[str, int] = {}
        self._due_ns: dict[str, int] = {}

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Subscribes to everything."""
        self.ready = True
        self._alive_ns = now_ns
        self._due_ns.clear()
        return self._subscribe(self._symbols, now_ns)

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Nothing survives a connection."""
        self.ready = False
        self.deadline_ns = NEVER
        self._due_ns.clear()
        return ()

    def touched(self, now_ns: int) -> None:
        """Any frame: alive. The deadline is moved when it comes, not with every frame."""
        self._alive_ns = now_ns

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Asks again for books that are due; gives up a silent connection."""
        if not self.ready:
            self.deadline_ns = NEVER
            return ()
        if now_ns - self._alive_ns >= IDLE_NS:
            self.ready = False
            self.deadline_ns = NEVER
            return (Reconnect(f"nothing received for {IDLE_NS // SECOND} s"),)
        return self._subscribe([symbol for symbol, due in self._due_ns.items() if due <= now_ns], now_ns)

    def control(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """A frame that is no market data: a refusal is told to a person."""
        try:
            message = parsed(frame)
        except RemoteProtocolError:
            return ()
        if message.get("type") == "error":
            return (Tell("refused", f"acme said {message.get('text')!r:.200}"),)
        return ()

    def resync(self, venue_symbol: str, now_ns: int) -> Sequence[Action]:
        """Asks for one book again: at once, or as soon as a request for it may be repeated."""
        if not self.ready or venue_symbol in self._due_ns:
            return ()
        due = self._asked_ns.get(venue_symbol, 0) + AGAIN_NS
        if due <= now_ns:
            return self._subscribe([venue_symbol], now_ns)
        self._due_ns[venue_symbol] = due
        self._set_deadline()
        return ()

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[Action], SnapshotBody | None]:
        """Nothing is asked for over REST."""
        return (), None

    def _subscribe(self, symbols: Sequence[str], now_ns: int) -> Sequence[Action]:
        for symbol in symbols:
            self._asked_ns[symbol] = now_ns
            self._due_ns.pop(symbol, None)
        self._set_deadline()
        return (Send(orjson.dumps({"op": "subscribe", "symbols": symbols})),) if symbols else ()

    def _set_deadline(self) -> None:
        self.deadline_ns = min(self._alive_ns + IDLE_NS, *self._due_ns.values(), NEVER)


def _time_ns(body: bytes) -> int:
    """The answer to ``/time``. Raises RemoteProtocolError."""
    return integer("time", parsed(body), "time_ns")


def feed_spec() -> FeedSpec:
    """What ``bloor_feed`` hands over."""
    limit = RateLimit(name="requests", limit=600, window_ns=60 * SECOND, reserve=60)
    return FeedSpec(
        venue="acme",
        endpoints=ENDPOINTS,
        build=AcmeFeed,
        instruments_path=instruments_path,
        parse_instruments=parse_instruments,
        default_symbol="BTC-USDT",
        rest=RestRules(limits=(limit,), time_path="/time", parse_time=_time_ns),
    )
