"""A recording in the making: the market data of one venue, kept as it came. Sans I/O.

Every frame is in the journal before anything else happens to it. Then it takes the same way as in a run, through
session, normalizer and book, so that a gap in the data is noticed and a snapshot fetched while it can still be had: a
recording that was made is one that can be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from bloor.engine.effects import STANDBY, Effects, Recorder
from bloor.engine.feeds import build_feeds
from bloor.engine.wire import pack_response
from bloor.hookspecs import FeedContext, FeedSpec, NormalizerSpec
from bloor.journal.record import RecordKind
from bloor.market.book import OrderBook
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.native.clock import WallClock, arriving
from bloor.venue.session import Endpoints

__all__ = ["Recording", "RecordingPlan"]


@frozen(kw_only=True)
class RecordingPlan:
    """What is recorded.

    Attributes:
        feed: The venue's market data.
        normalizer: How its frames are read.
        config: Its configuration, of its own type.
        endpoints: Where it is.
        instruments: What is recorded of it.
        seed: Seeds the jitter of time-outs.
        level3_credentials: The keys that its market data by order are opened with; None where it has none.
    """

    feed: FeedSpec
    normalizer: NormalizerSpec
    config: Any
    endpoints: Endpoints
    instruments: tuple[Instrument, ...]
    seed: int = 0
    level3_credentials: Any = field(default=None, repr=False)

    @property
    def venue(self) -> str:
        """The venue's name."""
        return self.feed.venue

    def record(self) -> dict[str, Any]:
        """What stands in the header of the journal."""
        instruments = [i.record() for i in self.instruments]
        return {"venues": [{"venue": self.venue, "endpoints": list(self.endpoints), "instruments": instruments}]}


class Recording:
    """One connection, its journal, and counts of what came; carried by the host's shell or a virtual world.

    Attributes:
        plan: What is recorded.
        market: Session and pipeline.
        frames: Frames that arrived.
        size: Their bytes.
        first_ns: When the first of them arrived; 0 before.
        last_ns: When the last of them arrived.
        events: How many of each kind came out of them.
        failure: What broke, if something did.
    """

    def __init__(
        self, plan: RecordingPlan, effects: Effects, recorder: Recorder, alert: Callable[[str, str], None]
    ) -> None:
        self.plan = plan
        self.frames = self.size = 0
        self.first_ns = self.last_ns = 0
        self.events: Counter[EventKind] = Counter()
        self.failure: BaseException | None = None
        self._record = recorder.append
        context = FeedContext(
            config=plan.config, endpoints=plan.endpoints, instruments=plan.instruments, seed=plan.seed
        )
        self._feeds = build_feeds(
            0, plan.feed, plan.normalizer, context, InstrumentTable(plan.instruments), self._on_event,
            level3_credentials=plan.level3_credentials, effects=effects, recorder=recorder, alert=alert,
        )  # fmt: skip
        self.market = self._feeds.market

    @property
    def synchronised(self) -> int:
        """How many books are synchronised."""
        return sum(book.view.state == BookState.SYNCED for book in self.market.pipeline.books)

    # ---- what it is told; see bloor.host.shell.Carried --------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""
        return min(feed.deadline_ns for feed in self._feeds.lines)

    def url(self, conn: int) -> str:
        """Where the connection goes."""
        return self._feeds.of(conn).session.url

    def receiver(self, conn: int) -> Callable[[bytes, int], None]:
        """The callable that takes every frame of the connection, or of the second one."""
        feed = self._feeds.of(conn)
        take = feed.standby_frame if conn & STANDBY else feed.frame

        def receive(payload: bytes, recv_ns: int) -> None:
            self._record(RecordKind.FRAME_IN, conn, recv_ns, payload)
            self.frames += 1
            self.size += len(payload)
            self.first_ns = self.first_ns or recv_ns
            self.last_ns = recv_ns
            take(payload, recv_ns)

        return receive

    def arrivals(self, conn: int, clock: WallClock) -> Callable[[bytes], None]:
        """As :meth:`receiver`, of frames that are received now."""
        return arriving(self.receiver(conn), clock)

    def frame(self, conn: int, payload: bytes, recv_ns: int) -> None:
        """A frame arrived; :meth:`receiver` is the same, bound."""
        self.receiver(conn)(payload, recv_ns)

    def connected(self, conn: int, now_ns: int) -> None:
        """A connection is open."""
        self._record(RecordKind.CONNECTED, conn, now_ns, b"")
        self._feeds.of(conn).connected(now_ns, standby=bool(conn & STANDBY))

    def disconnected(self, conn: int, now_ns: int, reason: str) -> None:
        """A connection is gone."""
        self._record(RecordKind.DISCONNECTED, conn, now_ns, reason.encode())
        self._feeds.of(conn).disconnected(now_ns, reason, standby=bool(conn & STANDBY))

    def response(self, conn: int, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived; ``status`` 0 means that none came."""
        feed = self._feeds.of(conn)
        body = feed.take_secrets(tag, status, body)
        self._record(RecordKind.RESPONSE, conn, now_ns, pack_response(tag, status, body))
        feed.response(tag, status, body, now_ns)

    def written(self, tag: str) -> None:
        """Nothing is measured."""

    def timer(self, now_ns: int) -> None:
        """``deadline_ns`` has come."""
        for feed in self._feeds.lines:
            feed.timer(now_ns)

    def failed(self, error: BaseException) -> None:
        """Something around it broke; the recording is to end with this error."""
        self.failure = self.failure or error

    def _on_event(self, event: EventView, book: OrderBook | None) -> None:
        self.events[EventKind(event.kind)] += 1
