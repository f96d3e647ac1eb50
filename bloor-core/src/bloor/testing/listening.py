"""One feed in virtual time: session, pipeline and connection as a recorder has them, at a simulated venue.

::

    listener = Listener(world, feed, normalizer, config, instruments)
    listener.run(5)
    assert all(book.view.two_sided for book in listener.books.values())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bloor.engine.effects import STANDBY, feed_conn
from bloor.engine.feedline import FeedLine
from bloor.hookspecs import FeedContext, FeedSpec, NormalizerSpec
from bloor.market.book import OrderBook
from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.simulation.world import VirtualWorld
from bloor.testing.watching import Watch, watched
from bloor.venue.session import NEVER, Endpoints

__all__ = ["HOST", "Heard", "Listener"]

#: In front of a path: the address of a venue in virtual time.
HOST = "virtual://"
CONN = feed_conn(0)


class Heard(NamedTuple):
    """Something that was received.

    Attributes:
        payload: A frame, or the body of a REST answer.
        snapshot_of: The venue's symbol of the book that a REST answer is; empty for a frame.
    """

    payload: bytes
    snapshot_of: str = ""


class Listener:
    """A feed at work; it is what the world calls an engine.

    Args:
        world: The venue, at the start of its time.
        feed: The feed.
        normalizer: Reads its frames.
        config: The venue's configuration, or None.
        instruments: What to subscribe to.
        seed: Seeds the jitter of time-outs.
        compiled: Whether the compiled form of the normalizer is used.
        beside: A listener at the same world, whose second connection this one is. It lives for a test, not for ever:
            it is not opened again when it is lost.

    Attributes:
        world: See above.
        conn: The number of its connection.
        beside: The listener that came beside this one.
        watch: What was seen of the session.
        line: The feed's line: session, pipeline, and the replacement of its connection.
        frames: Every frame that arrived, in order.
        answers: Every REST answer: ``(tag, status, body)``.
        story: Frames and REST books together, in the order in which they came.
        alerts: ``(code, text)`` of every alert.
        connections: How many connections were opened.
        events: How many events of each kind there were.
        on_event: Called for every event, with the book; for tests.
    """

    def __init__(
        self,
        world: VirtualWorld,
        feed: FeedSpec,
        normalizer: NormalizerSpec,
        config: Any,
        instruments: Sequence[Instrument],
        *,
        seed: int = 1,
        compiled: bool = True,
        beside: Listener | None = None,
    ) -> None:
        self.world = world
        self.conn = CONN if beside is None else CONN | STANDBY
        self.beside: Listener | None = None
        self.watch = Watch()
        self.frames: list[bytes] = []
        self.story: list[Heard] = []
        self.answers: list[tuple[str, int, bytes]] = []
        self.alerts: list[tuple[str, str]] = []
        self.events: dict[EventKind, int] = {}
        self.connections = 0
        self.on_event: Callable[[EventView, OrderBook | None], None] = lambda _event, _book: None
        paths = world.venue.paths()
        endpoints = Endpoints(**{name: HOST + path for name, path in paths.items()})
        context = FeedContext(config=config, endpoints=endpoints, instruments=tuple(instruments), seed=seed)
        session = watched(feed.build(context), self.watch)
        self.line = FeedLine(
            self.conn, feed.venue, session, normalizer.build, effects=world, recorder=self, alert=self._alert
        )
        self.line.pipeline = market_pipeline(
            normalizer, InstrumentTable(instruments), self._event, compiled=compiled, infer=False,
            on_resync=self.line.lost, on_error=self.line.bad_frame,
        )  # fmt: skip
        for instrument in instruments:
            self.line.pipeline.track(instrument)
        if beside is None:
            world.attach(self, {CONN: session.url.removeprefix(HOST)})
        else:
            beside.beside = self
            world.open_standby(CONN)

    @property
    def session(self) -> Any:
        """The session, watched."""
        return self.line.session

    @property
    def reader(self) -> Any:
        """The normalizer that the pipeline reads with."""
        return self.pipeline._normalizer

    @property
    def pipeline(self) -> MarketPipeline:
        """The pipeline."""
        return self.line.pipeline

    @property
    def books(self) -> dict[str, OrderBook]:
        """Every book, by the venue's symbol."""
        return {book.instrument.venue_symbol: book for book in self.pipeline.books}

    @property
    def synced(self) -> bool:
        """Whether every book may be believed now, and has two sides."""
        return all(book.view.state == BookState.SYNCED and book.view.two_sided for book in self.pipeline.books)

    def run(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Lets virtual time go on, or until ``until()`` is true."""
        self.world.run(self.world.now_ns + round(seconds * 1e9), stop=until)

    def cut(self, reason: str = "cut by the test") -> None:
        """Breaks the connection from outside."""
        self.world.cut(CONN, reason)

    # ---- what the world tells ---------------------------------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""
        return min(self.line.deadline_ns, NEVER if self.beside is None else self.beside.deadline_ns)

    def connected(self, conn: int, now_ns: int) -> None:
        """The connection is open, or the one that is to replace it is."""
        if self.beside is not None and conn == self.beside.conn:
            self.beside.connected(conn, now_ns)
            return
        self.connections += 1
        self.line.connected(now_ns, standby=conn != self.conn)

    def disconnected(self, conn: int, now_ns: int, reason: str) -> None:
        """It is gone."""
        if self.beside is not None and conn == self.beside.conn:
            self.beside.disconnected(conn, now_ns, reason)
        else:
            self.line.disconnected(now_ns, reason, standby=conn != self.conn)

    def frame(self, conn: int, payload: bytes, recv_ns: int) -> None:
        """A frame arrived."""
        if self.beside is not None and conn == self.beside.conn:
            self.beside.frame(conn, payload, recv_ns)
        elif conn != self.conn:
            self.line.standby_frame(payload, recv_ns)
        else:
            self.frames.append(payload)
            self.story.append(Heard(payload))
            self.line.frame(payload, recv_ns)

    def response(self, conn: int, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived."""
        if self.beside is not None and conn == self.beside.conn:
            self.beside.response(conn, tag, status, body, now_ns)
            return
        self.answers.append((tag, status, body))
        if status == 200 and tag.startswith("depth:"):
            self.story.append(Heard(body, tag.removeprefix("depth:")))
        self.line.response(tag, status, body, now_ns)

    def timer(self, now_ns: int) -> None:
        """``deadline_ns`` has come."""
        if self.line.deadline_ns <= now_ns:
            self.line.timer(now_ns)
        if self.beside is not None and self.beside.deadline_ns <= now_ns:
            self.beside.timer(now_ns)

    # ---- what the line tells ----------------------------------------------------------------------------------------

    def append(self, kind: int, conn: int, wall_ns: int, payload: bytes) -> None:
        """A recorder's word, which nobody keeps here."""

    def _alert(self, code: str, text: str) -> None:
        self.alerts.append((code, text))

    def _event(self, event: EventView, book: OrderBook | None) -> None:
        kind = EventKind(event.kind)
        self.events[kind] = self.events.get(kind, 0) + 1
        self.on_event(event, book)
