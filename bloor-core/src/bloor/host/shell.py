"""The shell around the decision core: real sockets, real clocks, and nothing that decides.

Everything runs on one thread. A frame goes from the socket's callback into the engine and the orders it causes leave
before the callback returns; slow work (files of fills, status records, new segments of the journal) is done by
:meth:`Shell.tend`, between frames.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import aiohttp
from loguru import logger

from bloor.engine.core import Engine
from bloor.engine.effects import feed_conn, line_of, order_conn
from bloor.engine.plan import VenuePlan
from bloor.host.transport import Link

__all__ = ["Shell", "WallClock"]

#: How often deadlines are looked at. They are time-outs of seconds, so this is fine enough.
TICK_S = 0.01
#: Longest wait for a REST answer, and the largest that is read.
REST_S, REST_BYTES = 10.0, 64 << 20


class WallClock:
    """Wall time in ns since the epoch that never goes back, whatever is done to the system's clock."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> int:
        """Now."""
        now = time.time_ns()
        if now > self._last:
            self._last = now
        return self._last


class Shell:
    """Carries an engine over real connections; it is the engine's :class:`~bloor.engine.effects.Effects`."""

    def __init__(self, venues: Sequence[VenuePlan], *, context: ssl.SSLContext | None = None, seed: int = 0) -> None:
        self.now = WallClock()
        self._venues = venues
        self._context = context
        self._seed = seed
        self._engine: Engine
        self._links: dict[int, Link] = {}
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    # ---- effects

    def send(self, conn: int, payload: bytes) -> None:
        """Writes a frame now."""
        self._links[conn].send(payload)

    def get(self, conn: int, tag: str, path: str) -> None:
        """Starts a REST request; its answer becomes an input."""
        self._spawn(self._fetch(conn, tag, path))

    def reconnect(self, conn: int, reason: str) -> None:
        """Drops a connection, after the present callback."""
        asyncio.get_running_loop().call_soon(self._links[conn].drop, reason)

    # ---- life

    async def open(self, engine: Engine) -> None:
        """Opens every connection of ``engine`` and keeps them open."""
        self._engine = engine
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REST_S))
        for line, venue in enumerate(self._venues):
            self._link(f"{venue.venue} market data", feed_conn(line), engine.url(feed_conn(line)))
            self._link(f"{venue.venue} orders", order_conn(line), engine.url(order_conn(line)))
        for link in self._links.values():
            self._spawn(link.run())

    async def tend(self, slow: Callable[[], None]) -> None:
        """Looks at the engine's deadlines and does ``slow`` work, until cancelled."""
        beats = 0
        while True:
            await asyncio.sleep(TICK_S)
            now = self.now()
            if now >= self._engine.deadline_ns:
                self._engine.timer(now)
            beats += 1
            if beats % 10 == 0:
                slow()

    async def close(self) -> None:
        """Closes every connection and waits for what is under way."""
        self._closing = True
        for link in self._links.values():
            link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    # ---- inside

    def _link(self, name: str, conn: int, url: str) -> None:
        engine, now = self._engine, self.now
        receive = engine.receiver(conn)

        def frame(payload: bytes) -> None:
            receive(payload, now())

        def closed(reason: str) -> None:
            if not self._closing:
                engine.disconnected(conn, now(), reason)

        self._links[conn] = Link(
            name,
            url,
            on_open=lambda: engine.connected(conn, now()),
            on_frame=frame,
            on_close=closed,
            context=self._context,
            seed=self._seed + conn,
        )

    async def _fetch(self, conn: int, tag: str, path: str) -> None:
        assert self._http is not None
        url = self._venues[line_of(conn)[0]].endpoints.rest + path
        try:
            async with self._http.get(url) as answer:
                status, body = answer.status, await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.warning("{}: {}: {}", path.partition("?")[0], type(error).__name__, error)
            status, body = 0, b""
        if not self._closing:
            self._engine.response(conn, tag, status, body, self.now())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._engine.failed(error)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """The body, unless it is larger than any answer can be."""
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > REST_BYTES:
            raise aiohttp.ClientPayloadError(f"expected at most {REST_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)
