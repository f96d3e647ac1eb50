"""The virtual-time world: venue cores, network and clock in one thread, everything fixed by a seed.

Simulated venues and the trading engine are all sans I/O; here a heap of events carries frames between them with
seeded latencies. Frames of one connection never overtake each other. Nothing sleeps: an hour of market takes as long
as its events do. Two runs with the same seed are identical, byte for byte.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from itertools import count
from typing import NamedTuple, Protocol

from bloor.engine.effects import STANDBY, line_of
from bloor.errors import RunError
from bloor.journal.clock import CellClock
from bloor.simulation.venue import HttpRequest, Outbox, SimulatedVenue
from bloor.venue.session import NEVER, Request

__all__ = ["Inputs", "Latency", "VirtualWorld"]


#: How long an engine waits for a REST answer that does not come.
REST_NS = 10_000_000_000


class Latency(NamedTuple):
    """One-way delays in ns, drawn evenly from ``[low, high]``."""

    low: int = 50_000
    high: int = 250_000


class Inputs(Protocol):
    """What the world tells the engine; :class:`bloor.engine.core.Engine` is one."""

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""

    def connected(self, conn: int, now_ns: int) -> None:
        """A connection is open."""

    def disconnected(self, conn: int, now_ns: int, reason: str) -> None:
        """A connection is gone."""

    def frame(self, conn: int, payload: bytes, recv_ns: int) -> None:
        """A text frame arrived."""

    def response(self, conn: int, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived."""

    def timer(self, now_ns: int) -> None:
        """``deadline_ns`` has come."""


class VirtualWorld:
    """Venues, network and clock. Make it, ask it for REST answers to build an engine from, :meth:`attach`, :meth:`run`.

    It is the :class:`~bloor.engine.effects.Effects` of the engine.

    Attributes:
        clock: The virtual time, for a journal too.
        venues: The cores of the venues, in the order of their lines in the engine.
        lossy: Asked for each frame from the venue whether it is lost on its way; a fault that tests set.
        rest_lossy: Asked for each answer to a signed REST request whether it is lost: then the engine hears, after
            :data:`REST_NS`, that none came.
        requests: Every signed REST request that reached the venue, in order.

    Args:
        builds: Each makes a venue's core from the outbox that its frames leave by.
        start_ns: The virtual time at the start, wall ns since the epoch.
        latency: One-way network delays.
        backoff_ns: How long a lost connection takes to be opened again.
        seed: Seeds the delays.
    """

    def __init__(
        self,
        *builds: Callable[[Outbox], SimulatedVenue],
        start_ns: int = 1_700_000_000_000_000_000,
        latency: Latency = Latency(),  # noqa: B008 (immutable)
        backoff_ns: int = 500_000_000,
        seed: int = 1,
    ) -> None:
        self.clock = CellClock(start_ns)
        self._random = random.Random(seed)
        self._latency = latency
        self._backoff_ns = backoff_ns
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._last: dict[tuple[int, bool], int] = {}
        self._rest_last: dict[tuple[int, str], int] = {}
        self._open: dict[int, int] = {}
        self._attempt: dict[int, int] = {}
        self.lossy: Callable[[int, bytes], bool] = lambda _conn, _payload: False
        self.rest_lossy: Callable[[Request], bool] = lambda _request: False
        self.requests: list[Request] = []
        self._conns: dict[int, int] = {}
        self._next_wire = count(1)
        self._urls: dict[int, str] = {}
        self._engine: Inputs | None = None
        self.venues = [build(self._from_venue) for build in builds]
        for venue in self.venues:
            venue.start(start_ns)

    @property
    def venue(self) -> SimulatedVenue:
        """The core of the venue of a world that has one; the first of several."""
        return self.venues[0]

    @property
    def finished(self) -> bool:
        """Whether a recording that drives a venue has been played to its end."""
        return any(venue.finished for venue in self.venues)

    @property
    def now_ns(self) -> int:
        """The virtual time, wall ns since the epoch."""
        return self.clock.ns

    @now_ns.setter
    def now_ns(self, now_ns: int) -> None:
        self.clock.ns = now_ns

    # ---- building

    def fetch(self, path: str, line: int = 0) -> bytes:
        """A REST answer of a venue at once, before the engine exists (instrument lists).

        Raises:
            RunError: The venue did not answer 200.
        """
        target, _, query = path.partition("?")
        answer = self.venues[line].request(HttpRequest("GET", target, query, {}, b""), self.now_ns)
        if answer.status != 200:
            raise RunError(f"{path}: the simulated venue answered {answer.status}: {answer.body[:200]!r}")
        return answer.body

    def attach(self, engine: Inputs, urls: dict[int, str]) -> None:
        """Connects ``engine``: ``urls`` gives the path and query (after the host) of each of its connections."""
        self._engine = engine
        self._urls = urls
        for conn in urls:
            self._connect(conn)

    # ---- effects

    def send(self, conn: int, payload: bytes) -> None:
        """A frame to the venue."""
        wire = self._open.get(conn)
        if wire is not None:
            self._schedule(wire, True, lambda: self._to_venue(wire, payload))

    def get(self, conn: int, tag: str, path: str) -> None:
        """A REST request: there and back, beside the connection's frames."""
        target, _, query = path.partition("?")

        def arrive() -> None:
            answer = self._venue(conn).request(HttpRequest("GET", target, query, {}, b""), self.now_ns)
            engine = self._inputs()
            self._at(self._delay(), lambda: engine.response(conn, tag, answer.status, answer.body, self.now_ns))

        self._at(self._delay(), arrive)

    def request(self, conn: int, request: Request) -> None:
        """A signed REST request; those about the same thing do not overtake each other."""
        engine = self._inputs()
        headers = {name.lower(): value for name, value in request.head(self.now_ns).items()}

        def arrive() -> None:
            self.requests.append(request)
            http = HttpRequest(request.method, request.path, request.query, headers, request.body)
            answer = self._venue(conn).request(http, self.now_ns)
            if self.rest_lossy(request):
                self._at(self.now_ns + REST_NS, lambda: engine.response(conn, request.tag, 0, b"", self.now_ns))
            else:
                self._at(
                    self._delay(), lambda: engine.response(conn, request.tag, answer.status, answer.body, self.now_ns)
                )

        chain = (line_of(conn)[0], request.about)
        when = self._rest_last[chain] = max(self._delay(), self._rest_last.get(chain, 0))
        self._at(when, arrive)

    def reconnect(self, conn: int, reason: str) -> None:
        """Closes and opens again after the backoff."""
        self._lose(conn, reason)

    def open_standby(self, conn: int) -> None:
        """A second connection to the same place; it is not opened again when it is lost."""
        self._urls[conn | STANDBY] = self._urls[conn]
        self._connect(conn | STANDBY)

    def promote(self, conn: int) -> None:
        """The second connection takes the place of the first, which is closed; frames under way are kept."""
        self._close(conn)
        wire = self._open.pop(conn | STANDBY)
        self._open[conn] = wire
        self._conns[wire] = conn
        self._attempt[conn] = self._attempt.get(conn, 0) + 1

    def abandon(self, conn: int) -> None:
        """Closes the second connection, or forgets the attempt to open it."""
        self._close(conn | STANDBY)
        self._attempt[conn | STANDBY] = self._attempt.get(conn | STANDBY, 0) + 1

    # ---- running

    def run(self, until_ns: int, *, stop: Callable[[], bool] = lambda: False) -> None:
        """Lets virtual time go on to ``until_ns``, or until ``stop()`` is true after some event."""
        engine = self._inputs()
        while not stop():
            due = self._events[0][0] if self._events else NEVER
            first = min(self.venues, key=lambda venue: venue.deadline_ns)
            at = min(due, first.deadline_ns, engine.deadline_ns)
            if at > until_ns:
                break
            self.now_ns = max(self.now_ns, at)
            if at == due:
                heapq.heappop(self._events)[2]()
            elif at == first.deadline_ns:
                first.advance(self.now_ns)
            else:
                engine.timer(self.now_ns)
        if not stop():
            self.now_ns = max(self.now_ns, until_ns)

    # ---- the network

    def cut(self, conn: int, reason: str = "cut by the test") -> None:
        """Breaks a connection from outside: a fault."""
        self._lose(conn, reason)

    def inject(self, conn: int, payload: bytes) -> None:
        """A frame as if the venue had sent it: a notice, or garbage."""
        wire = self._open[conn]
        self._schedule(wire, False, lambda: self._arrive(wire, payload))

    def _venue(self, conn: int) -> SimulatedVenue:
        """Whose connection it is."""
        return self.venues[line_of(conn)[0]]

    def _inputs(self) -> Inputs:
        if self._engine is None:
            raise RunError("no engine is attached to this world")
        return self._engine

    def _delay(self) -> int:
        return self.now_ns + self._random.randint(*self._latency)

    def _at(self, when_ns: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when_ns, next(self._order), what))

    def _schedule(self, wire: int, outward: bool, what: Callable[[], None]) -> None:
        """After a delay, but never before what was sent earlier the same way on the same connection."""
        when = max(self._delay(), self._last.get((wire, outward), 0))
        self._last[wire, outward] = when
        self._at(when, what)

    def _connect(self, conn: int) -> None:
        engine = self._inputs()
        path, _, query = self._urls[conn].partition("?")
        wire = next(self._next_wire)
        attempt = self._attempt[conn] = self._attempt.get(conn, 0) + 1

        def accept() -> None:
            if self._attempt[conn] != attempt:
                return
            self._conns[wire] = conn
            self._schedule(wire, False, ready)
            if not self._venue(conn).opened(wire, path, query, self.now_ns):
                raise RunError(f"the simulated venue refused a connection to {path}")

        def ready() -> None:
            if self._conns.get(wire) == conn and self._attempt[conn] == attempt:
                self._open[conn] = wire
                engine.connected(conn, self.now_ns)
            elif self._conns.pop(wire, None) is not None:
                self._venue(conn).closed(wire, self.now_ns)

        self._schedule(wire, True, accept)

    def _close(self, conn: int) -> bool:
        """Closes a connection without a word; whether there was one."""
        wire = self._open.pop(conn, None)
        if wire is None:
            return False
        del self._conns[wire]
        self._venue(conn).closed(wire, self.now_ns)
        return True

    def _lose(self, conn: int, reason: str) -> None:
        if not self._close(conn):
            return
        engine = self._inputs()
        attempt = self._attempt[conn] = self._attempt.get(conn, 0) + 1

        def again() -> None:
            if self._attempt[conn] == attempt:
                self._connect(conn)

        # at its own moment, so that an engine that asked for this is not entered twice
        self._at(self.now_ns, lambda: engine.disconnected(conn, self.now_ns, reason))
        if not conn & STANDBY:
            self._at(self.now_ns + self._backoff_ns, again)

    def _to_venue(self, wire: int, payload: bytes) -> None:
        conn = self._conns.get(wire)
        if conn is not None:
            self._venue(conn).received(wire, payload, self.now_ns)

    def _from_venue(self, wire: int, payload: bytes | None) -> None:
        if wire not in self._conns:
            return
        if payload is None:
            self._schedule(wire, False, lambda: self._lose(self._conns.get(wire, 0), "closed by the venue"))
        else:
            self._schedule(wire, False, lambda: self._arrive(wire, payload))

    def _arrive(self, wire: int, payload: bytes) -> None:
        conn = self._conns.get(wire, 0)
        if self._open.get(conn) == wire and not self.lossy(conn, payload):
            self._inputs().frame(conn, payload, self.now_ns)
