"""The shell around the decision core: real sockets, real clocks, and nothing that decides.

Everything runs on one thread. A frame goes from the socket's callback into the engine and the orders it causes leave
before the callback returns; slow work (files of fills, status records, new segments of the journal) is done by
:meth:`Shell.tend`, between frames.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from loguru import logger

from bloor.engine.effects import LEVEL3, STANDBY, feed_conn, level3_conn, line_of, order_conn
from bloor.hookspecs import FeedSpec
from bloor.host.rest import RestClient
from bloor.host.transport import Link
from bloor.native.clock import WallClock
from bloor.venue.session import Endpoints, Request

__all__ = ["Carried", "Reached", "Shell"]

#: How often deadlines are looked at, since any input may have brought a nearer one.
TICK_S = 0.01
#: The shortest sleep before one: what an event loop's timer can tell apart.
SHORTEST_S = 0.001
#: How often slow work is done.
SLOW_S = 0.1


class Carried(Protocol):
    """What the shell carries: an engine, or a recorder."""

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""

    def url(self, conn: int) -> str:
        """Where a connection goes."""

    def receiver(self, conn: int) -> Callable[[bytes, int], None]:
        """The callable that takes every frame of one connection."""

    def arrivals(self, conn: int, clock: WallClock) -> Callable[[bytes], None]:
        """The callable that takes every frame of one connection, when it is received, by a clock."""

    def connected(self, conn: int, now_ns: int) -> None:
        """A connection is open."""

    def disconnected(self, conn: int, now_ns: int, reason: str) -> None:
        """A connection is gone."""

    def response(self, conn: int, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived."""

    def written(self, tag: str) -> None:
        """The request with this tag was just written: for measuring only."""

    def timer(self, now_ns: int) -> None:
        """``deadline_ns`` has come."""

    def failed(self, error: BaseException) -> None:
        """Something around it broke."""


class Reached(Protocol):
    """A venue, and where it is; :class:`~bloor.engine.plan.VenuePlan` is one."""

    @property
    def venue(self) -> str:
        """Its name."""

    @property
    def endpoints(self) -> Endpoints:
        """Where it is."""

    @property
    def feed(self) -> FeedSpec:
        """Its market data."""

    @property
    def config(self) -> Any:
        """Its configuration, of its own type."""


class Shell:
    """Carries an engine over real connections; it is the engine's :class:`~bloor.engine.effects.Effects`.

    Args:
        venues: Where the connections go.
        orders: Whether each venue also has a connection for orders.
        context: TLS settings; None verifies with the system's trust store.
        seed: Seeds the jitter of waits.
    """

    def __init__(
        self,
        venues: Sequence[Reached],
        *,
        orders: bool = True,
        context: ssl.SSLContext | None = None,
        seed: int = 0,
    ) -> None:
        self.now = WallClock()
        self._venues = venues
        self._orders = orders
        self._context = context
        self._seed = seed
        self._engine: Carried
        self._links: dict[int, Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._chains: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._closing = False
        self.rest = [
            RestClient(venue.venue, venue.endpoints.rest, venue.feed.rest, self.now, context=context)
            for venue in venues
        ]

    # ---- effects

    def send(self, conn: int, payload: bytes) -> None:
        """Writes a frame now."""
        self._links[conn].send(payload)

    def get(self, conn: int, tag: str, path: str) -> None:
        """Starts a REST request; its answer becomes an input."""
        self._spawn(self._fetch(conn, tag, path))

    def request(self, conn: int, request: Request) -> None:
        """Starts a signed REST request behind those about the same; its answer becomes an input."""
        chain = (line_of(conn)[0], request.about)
        before = self._chains.get(chain)
        task = self._spawn(self._signed(conn, request, before))
        self._chains[chain] = task
        task.add_done_callback(lambda done: self._chains.pop(chain) if self._chains.get(chain) is done else None)

    def reconnect(self, conn: int, reason: str) -> None:
        """Drops a connection, after the present callback."""
        asyncio.get_running_loop().call_soon(self._links[conn].drop, reason)

    def open_standby(self, conn: int) -> None:
        """Opens a second connection beside one; it is not opened again."""
        if self._closing:
            return
        link = self._links[conn | STANDBY] = self._link(conn | STANDBY)
        self._spawn(link.run())

    def promote(self, conn: int) -> None:
        """The second connection takes the place of the first: from the next frame on, all in one callback."""
        first, second = self._links[conn], self._links.pop(conn | STANDBY)
        first.retire()
        name, on_open, on_frame, on_close = self._role(conn)
        second.become(name, on_open=on_open, on_frame=on_frame, on_close=on_close)
        self._links[conn] = second
        logger.info("{}: another connection has taken over", name)

    def abandon(self, conn: int) -> None:
        """Closes the second connection."""
        link = self._links.pop(conn | STANDBY, None)
        if link is not None:
            link.retire()

    # ---- life

    async def open(self, engine: Carried) -> None:
        """Opens every connection of ``engine`` and keeps them open."""
        self._engine = engine
        for line, venue in enumerate(self._venues):
            conns = [feed_conn(line), *([order_conn(line)] if self._orders else [])]
            if venue.feed.by_order(venue.config) is not None:
                conns.append(level3_conn(line))
            for conn in conns:
                self._links[conn] = self._link(conn)
        for link in self._links.values():
            self._spawn(link.run())
        for client in self.rest:
            self._spawn(client.keep_time())

    async def tend(self, slow: Callable[[], None]) -> None:
        """Looks at the engine's deadlines and does ``slow`` work, until cancelled."""
        loop = asyncio.get_running_loop()
        slow_s = loop.time() + SLOW_S
        while True:
            ahead_s = (self._engine.deadline_ns - self.now()) / 1e9
            await asyncio.sleep(min(max(ahead_s, SHORTEST_S), TICK_S))
            now = self.now()
            if now >= self._engine.deadline_ns:
                self._engine.timer(now)
            if loop.time() >= slow_s:
                slow_s = loop.time() + SLOW_S
                slow()

    async def close(self) -> None:
        """Closes every connection and waits for what is under way."""
        self._closing = True
        for link in self._links.values():
            link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self.rest:
            await client.close()

    # ---- inside

    def _role(self, conn: int) -> tuple[str, Callable[[], None], Callable[[bytes], None], Callable[[str], None]]:
        """Name and callbacks of a connection."""
        engine, now = self._engine, self.now
        line, orders = line_of(conn)
        what = "orders" if orders else "market data by order" if conn & LEVEL3 else "market data"
        if conn & STANDBY:
            what += " (second connection)"

        def opened() -> None:
            engine.connected(conn, now())

        def closed(reason: str) -> None:
            if conn & STANDBY:
                self._links.pop(conn, None)
            if not self._closing:
                engine.disconnected(conn, now(), reason)

        return f"{self._venues[line].venue} {what}", opened, engine.arrivals(conn, now), closed

    def _link(self, conn: int) -> Link:
        name, opened, frame, closed = self._role(conn)
        return Link(
            name,
            self._engine.url(conn),
            on_open=opened,
            on_frame=frame,
            on_close=closed,
            context=self._context,
            seed=self._seed + conn,
            once=bool(conn & STANDBY),
        )

    async def _fetch(self, conn: int, tag: str, path: str) -> None:
        answer = await self.rest[line_of(conn)[0]].get(path)
        if not self._closing:
            self._engine.response(conn, tag, answer.status, answer.body, self.now())

    async def _signed(self, conn: int, request: Request, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        answer = await self.rest[line_of(conn)[0]].request(request, lambda: self._engine.written(request.tag))
        if not self._closing:
            self._engine.response(conn, request.tag, answer.status, answer.body, self.now())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._engine.failed(error)
