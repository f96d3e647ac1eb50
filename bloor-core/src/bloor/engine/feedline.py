"""Market data of one venue: its session, its pipeline, and the replacement of its connection. Sans I/O.

What a run and a recorder share. Whoever owns it records each input before handing it on; what is sent and what counts
is recorded here. Hot path: :meth:`FeedLine.frame`, two calls and five attributes beside what the pipeline costs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from struct import pack

from bloor.engine.effects import STANDBY, Effects, Recorder
from bloor.journal.record import RecordKind
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.handover import Handover, Kept
from bloor.market.normalizer import Normalizer
from bloor.market.pipeline import MarketPipeline, Resync
from bloor.venue.session import (
    NEVER,
    Action,
    DiscreetFeed,
    FeedSession,
    Get,
    Reconnect,
    Replace,
    ReplaceableFeed,
    Request,
    Send,
    SnapshotBody,
    Tell,
    WatchfulFeed,
)

__all__ = ["BAD_FRAMES", "FeedLine"]

#: Unreadable frames within a minute that end a connection.
BAD_FRAMES = 20
MINUTE = 60_000_000_000


class FeedLine:
    """One venue's market data.

    Attributes:
        conn: Number of its connection.
        venue: Its name.
        session: The session of the connection.
        pipeline: From frames to books and events; set by whoever makes it, right after this. Connections of one venue
            share it.
        replaced: How many times the connection was replaced.
        has_books: Whether books come over the connection: then they are lost with it.
        is_reading: Whether a frame of it is being read.
    """

    __slots__ = (
        "_alert", "_bad", "_discreet", "_effects", "_handover", "_lost", "_normalizer", "_now_ns", "_record",
        "_replaceable", "_settling", "_watch", "conn", "has_books", "is_reading", "pipeline", "replaced", "session",
        "venue",
    )  # fmt: skip

    def __init__(
        self,
        conn: int,
        venue: str,
        session: FeedSession,
        normalizer: Callable[[], Normalizer],
        *,
        effects: Effects,
        recorder: Recorder,
        alert: Callable[[str, str], None],
        has_books: bool = True,
    ) -> None:
        self.conn = conn
        self.venue = venue
        self.session = session
        self.pipeline: MarketPipeline
        self.replaced = 0
        self.has_books = has_books
        self.is_reading = False
        self._normalizer = normalizer
        self._effects = effects
        self._record = recorder.append
        self._alert = alert
        self._watch = session if isinstance(session, WatchfulFeed) else None
        self._discreet = session if isinstance(session, DiscreetFeed) else None
        self._replaceable = session if isinstance(session, ReplaceableFeed) else None
        self._handover: Handover | None = None
        self._settling: Handover | None = None
        self._lost: list[str] = []
        self._bad: deque[int] = deque(maxlen=BAD_FRAMES)
        self._now_ns = 0

    # ---- what the pipeline says -------------------------------------------------------------------------------------

    def lost(self, venue_symbol: str, why: Resync) -> None:
        """A book needs a snapshot; it is asked for once the present input is dealt with."""
        self._lost.append(venue_symbol)
        self._alert("book_lost", f"{self.venue} {venue_symbol}: {why.value}")

    def bad_frame(self, reason: str) -> None:
        """A frame could not be read; too many within a minute, and the connection is opened anew."""
        self._alert("bad_frame", f"{self.venue}: {reason}")
        self._bad.append(self._now_ns)
        if len(self._bad) == BAD_FRAMES and self._now_ns - self._bad[0] < MINUTE:
            self._bad.clear()
            self._do((Reconnect(f"{BAD_FRAMES} frames within a minute could not be read"),))

    # ---- inputs -----------------------------------------------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""
        handover = self._handover
        return min(self.session.deadline_ns, NEVER if handover is None else handover.deadline_ns)

    @property
    def is_ordinary(self) -> bool:
        """Whether frames need nothing but the pipeline at present: no replacement, and nobody who listens."""
        watch = self._watch
        return self._settling is None and self._handover is None and not (watch is not None and watch.watching)

    def answered(self, answer: int, recv_ns: int) -> None:
        """Compiled code took a frame as far as the normalizer's ``answer``, which is of a seldom kind."""
        self._now_ns = recv_ns
        self.session.touched(recv_ns)
        assert isinstance(self.pipeline, CompiledPipeline)
        self.pipeline.complete(answer, recv_ns)
        if self._lost:
            self._resync(recv_ns)

    def frame(self, payload: bytes, recv_ns: int) -> None:
        """A frame of the connection arrived."""
        self._now_ns = recv_ns
        settling = self._settling
        if settling is not None:
            if settling.settled(recv_ns):
                self._settling = None
            elif settling.repeats(payload):
                self._record(RecordKind.SKIPPED, self.conn, recv_ns, b"")
                self.session.touched(recv_ns)
                return
        self._use(payload, recv_ns)
        handover = self._handover
        if handover is not None:
            handover.first(payload, recv_ns)
            self._advance(handover, recv_ns)

    def standby_frame(self, payload: bytes, recv_ns: int) -> None:
        """A frame of the second connection arrived."""
        self._now_ns = recv_ns
        handover = self._handover
        if handover is not None:
            handover.second(payload, recv_ns)
            self._advance(handover, recv_ns)

    def connected(self, now_ns: int, *, standby: bool = False) -> None:
        """The connection is open, or the second one is."""
        self._now_ns = now_ns
        if not standby:
            self._do(self.session.connected(now_ns))
        elif self._handover is not None and self._replaceable is not None:
            self._handover.opened(now_ns)
            self._do(self._replaceable.replacement_connected(now_ns), self.conn | STANDBY)

    def disconnected(self, now_ns: int, reason: str, *, standby: bool = False) -> None:
        """The connection is gone, or the second one is. A second one that is open takes over from a lost first one."""
        self._now_ns = now_ns
        handover = self._handover
        if standby:
            if handover is not None:
                self._give_up(f"its replacement was lost: {reason}", now_ns)
            return
        self._settling = None
        if handover is not None and handover.opened_ns:
            if handover.covered:
                self._take_over(handover, now_ns)
            else:
                self._start_over(handover, now_ns, reason)
            return
        if handover is not None:
            self._handover = None
            self._effects.abandon(self.conn)
        self._do(self.session.disconnected(now_ns, reason))
        if self.has_books:
            self.pipeline.reset()

    def take_secrets(self, tag: str, status: int, body: bytes) -> bytes:
        """A REST answer as it may be recorded."""
        return body if self._discreet is None else self._discreet.take_secrets(tag, status, body)

    def response(self, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived; ``status`` 0 means that none came."""
        self._now_ns = now_ns
        actions, snapshot = self.session.responded(tag, status, body, now_ns)
        if snapshot is not None:
            self._snapshot(snapshot, now_ns)
        self._do(actions)

    def timer(self, now_ns: int) -> None:
        """``deadline_ns`` has come, or that of something else."""
        self._now_ns = now_ns
        if self.session.deadline_ns <= now_ns:
            self._do(self.session.timer(now_ns))
        handover = self._handover
        if handover is not None and handover.deadline_ns <= now_ns:
            self._advance(handover, now_ns)
            handover.looked(now_ns)

    # ---- frames -----------------------------------------------------------------------------------------------------

    def _use(self, payload: bytes, recv_ns: int) -> None:
        session, watch = self.session, self._watch
        session.touched(recv_ns)
        if watch is not None and watch.watching:
            watch.heard(payload, recv_ns)
        self.is_reading = True
        taken = self.pipeline.frame(payload, recv_ns)
        self.is_reading = False
        if taken == 0:
            self._do(session.control(payload, recv_ns))
        if self._lost:
            self._resync(recv_ns)

    def _snapshot(self, snapshot: SnapshotBody, now_ns: int) -> None:
        self.pipeline.snapshot(snapshot.body, snapshot.venue_symbol, now_ns)
        if self._lost:
            self._resync(now_ns)

    def _resync(self, now_ns: int) -> None:
        lost, self._lost = self._lost, []
        for venue_symbol in lost:
            self._do(self.session.resync(venue_symbol, now_ns))

    # ---- replacement ------------------------------------------------------------------------------------------------

    def _replace(self, reason: str) -> None:
        if self._replaceable is None or self._handover is not None:
            return
        self._settling = None
        self._handover = Handover(self._normalizer(), self._now_ns)
        self._alert("replacing", f"{self.venue} market data: {reason}")
        self._effects.open_standby(self.conn)

    def _advance(self, handover: Handover, now_ns: int) -> None:
        if handover.ready(now_ns):
            self._take_over(handover, now_ns)
        elif hopeless := handover.hopeless(now_ns):
            self._effects.abandon(self.conn)
            self._give_up(hopeless, now_ns)

    def _give_up(self, reason: str, now_ns: int) -> None:
        assert self._replaceable is not None
        self._handover = None
        self._alert("not_replaced", f"{self.venue} market data: {reason}")
        self._do(self._replaceable.replacement_failed(now_ns, reason))

    def _take_over(self, handover: Handover, now_ns: int) -> None:
        """The switch: the first connection is closed, and the second one goes on where it was."""
        assert self._replaceable is not None
        self._switch(handover, handover.release(now_ns), now_ns)
        self._do(self._replaceable.replaced(now_ns))
        self.replaced += 1

    def _start_over(self, handover: Handover, now_ns: int, reason: str) -> None:
        """The first connection is gone before the second was in sync: books are made anew from the second."""
        self._do(self.session.disconnected(now_ns, reason))
        self.pipeline.reset()
        self._switch(handover, handover.release(now_ns), now_ns)
        self._do(self.session.connected(now_ns))

    def _switch(self, handover: Handover, kept: Sequence[Kept], now_ns: int) -> None:
        self._handover, self._settling = None, handover
        numbers = [frame.number for frame in kept]
        self._record(RecordKind.TAKEOVER, self.conn, now_ns, pack(f"<{len(numbers)}I", *numbers))
        self._effects.promote(self.conn)
        for frame in kept:
            self._use(frame.payload, frame.recv_ns)
        self._now_ns = now_ns

    # ---- actions ----------------------------------------------------------------------------------------------------

    def _do(self, actions: Sequence[Action], conn: int = 0) -> None:
        """Carries out what the session asks for."""
        conn = conn or self.conn
        for action in actions:
            if isinstance(action, Send):
                payload = action.payload
                kept = payload if self._discreet is None else self._discreet.redacted(payload)
                self._record(RecordKind.FRAME_OUT, conn, self._now_ns, kept)
                self._effects.send(conn, payload)
            elif isinstance(action, Request):
                self._record(RecordKind.REQUEST, self.conn, self._now_ns, action.record())
                self._effects.request(self.conn, action)
            elif isinstance(action, Get):
                self._effects.get(self.conn, action.tag, action.path)
            elif isinstance(action, Reconnect):
                self._effects.reconnect(conn, action.reason)
            elif isinstance(action, Replace):
                self._replace(action.reason)
            elif isinstance(action, Tell):
                self._alert(action.code, f"{self.venue}: {action.text}")
