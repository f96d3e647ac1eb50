"""A real server for a simulated venue: one port on loopback for REST and WebSockets.

This is the only file of the simulation that reads the clock or opens a socket. The venue's core stays synchronous: a
frame that it hands out is queued for its connection and written in the same turn of the event loop; a client that does
not read is disconnected when its queue is full.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from loguru import logger

from bloor.errors import UsageError
from bloor.hookspecs import SimulatedVenueSpec
from bloor.simulation.certificates import issue, server_context
from bloor.simulation.venue import HttpRequest, SimulatedVenue, SimulationOptions
from bloor.venue.session import Endpoints

__all__ = ["STATUS_PATH", "Ready", "run_server", "serve"]

#: ``on_ready(document)``: the server listens.
Ready = Callable[[dict[str, Any]], None]

_HOST = "127.0.0.1"
#: The server pings every so many seconds, as Binance does.
_PING_S = 20.0
#: Not the venue's: how a host learns that a recording was played to its end, and every frame written.
STATUS_PATH = "/-/status"
#: Frames that may wait for a connection before it counts as a slow consumer.
_MAX_QUEUED = 20_000
#: Flat out, the market waits while any connection has more frames queued than this.
_DRAINED = 64
#: The largest frame and body taken from a client.
_MAX_BYTES = 1 << 20


class _Connection:
    """One client: its socket and what waits to be written."""

    def __init__(self, number: int, socket: web.WebSocketResponse) -> None:
        self.number = number
        self.socket = socket
        self.queue: deque[bytes] = deque()
        self.wake = asyncio.Event()
        self.closing = False


class _Server:
    """Carries one venue."""

    def __init__(self, spec: SimulatedVenueSpec, options: SimulationOptions) -> None:
        self.slow_consumers = 0
        self._connections: dict[int, _Connection] = {}
        self._last_number = 0
        self._timer: asyncio.TimerHandle | None = None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flat_out = bool(options.recordings) and options.speed <= 0
        self._name = spec.venue
        self.venue: SimulatedVenue = spec.build(options, self._send)

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=_MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    def start(self) -> None:
        """Opens the market and keeps it moving."""
        self.venue.start(time.time_ns())
        self.schedule()

    def stop(self) -> None:
        """Stops the market."""
        if self._timer is not None:
            self._timer.cancel()

    # -- time -------------------------------------------------------------------------------------------------------

    def schedule(self) -> None:
        """Arranges the next advance."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        wait_s = (self.venue.deadline_ns - time.time_ns()) / 1e9
        self._timer = loop.call_later(min(max(wait_s, 0.0), 3600.0), self._advance)

    def _advance(self) -> None:
        if self._flat_out and any(len(c.queue) > _DRAINED for c in self._connections.values()):
            self._timer = asyncio.get_running_loop().call_later(0.0005, self._advance)
            return
        try:
            self.venue.advance(time.time_ns())
        except Exception as error:  # noqa: BLE001 (whatever it is, the server ends with it)
            self.failed.set_exception(error)
        else:
            self.schedule()

    # -- clients ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        path, query = _split(request)
        if path == STATUS_PATH:
            finished = self.venue.finished and not any(c.queue for c in self._connections.values())
            return web.json_response({"finished": finished, "slow_consumers": self.slow_consumers})
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        answer = self.venue.request(HttpRequest(request.method, path, query, headers, body), time.time_ns())
        self.schedule()
        return web.Response(status=answer.status, body=answer.body, headers=_headers(answer.headers))

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        path, query = _split(request)
        self._last_number += 1
        # no compression: a simulated venue is about latency, and Binance sends none either
        client = web.WebSocketResponse(heartbeat=_PING_S, max_msg_size=_MAX_BYTES, compress=False)
        connection = _Connection(self._last_number, client)
        self._connections[connection.number] = connection
        if not self.venue.opened(connection.number, path, query, time.time_ns()):
            del self._connections[connection.number]
            return web.Response(status=404, text="no stream or API at this path")
        writer: asyncio.Task[None] | None = None
        try:
            await client.prepare(request)
            _no_delay(request)
            writer = asyncio.create_task(self._write(connection))
            self.schedule()
            await self._read(connection)
        finally:
            del self._connections[connection.number]
            self.venue.closed(connection.number, time.time_ns())
            self.schedule()
            if writer is not None:
                writer.cancel()
                with suppress(asyncio.CancelledError):
                    await writer
        return client

    async def _read(self, connection: _Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.TEXT:
                self.venue.received(connection.number, message.data.encode(), time.time_ns())
                self.schedule()
            elif message.type is WSMsgType.BINARY:
                await connection.socket.close(code=1003, message=b"text frames only")

    async def _write(self, connection: _Connection) -> None:
        """Writes what the venue hands out, in order."""
        queue, client = connection.queue, connection.socket
        with suppress(ConnectionError):
            while True:
                await connection.wake.wait()
                connection.wake.clear()
                while queue:
                    await client.send_frame(queue.popleft(), WSMsgType.TEXT)
                if connection.closing:
                    await client.close(code=1008, message=b"closed by the venue")
                    return

    def _send(self, number: int, payload: bytes | None) -> None:
        """The venue's outbox."""
        connection = self._connections.get(number)
        if connection is None or connection.closing:
            return
        if payload is None:
            connection.closing = True
        elif len(connection.queue) >= _MAX_QUEUED:
            self.slow_consumers += 1
            logger.warning(
                "{}: connection {} did not read {} frames and is disconnected (slow consumer number {})",
                self._name,
                number,
                _MAX_QUEUED,
                self.slow_consumers,
            )
            connection.queue.clear()
            connection.closing = True
        else:
            connection.queue.append(payload)
        connection.wake.set()


def _split(request: web.Request) -> tuple[str, str]:
    """Path, decoded, and query, as it was sent: signatures cover the very text."""
    _, _, query = request.raw_path.partition("?")
    return request.path, query


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json", **headers}


def _no_delay(request: web.Request) -> None:
    transport = request.transport
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def serve(
    spec: SimulatedVenueSpec, options: SimulationOptions, port: int, on_ready: Ready, *, tls: bool = False
) -> None:
    """Serves a simulated venue on 127.0.0.1 until cancelled.

    Args:
        spec: The venue.
        options: What it should be.
        port: TCP port; 0 for a free one.
        on_ready: Called once with the document that the command line prints: ``ready``, ``rest``, ``streams``,
            ``ws_api``, ``credentials``; where there are market data by order also ``level3``, with TLS also ``ca``.
        tls: Serve ``https`` and ``wss`` only, with a certificate of an authority made for this process, whose file
            ``ca`` names.

    Raises:
        UsageError: The options cannot be.
        InputFileError: A recording broke while it was played.
        OSError: The port cannot be had.
    """
    server = _Server(spec, options)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    with _certified(tls) as (context, authority):
        try:
            site = web.TCPSite(runner, _HOST, port, ssl_context=context)
            await site.start()
            server.start()
            on_ready(_document(server.venue, runner.addresses[0][1], authority))
            await server.failed
        finally:
            server.stop()
            await runner.cleanup()


@contextmanager
def _certified(tls: bool) -> Iterator[tuple[ssl.SSLContext | None, Path | None]]:
    """TLS settings and the authority's file, which is gone afterwards; nothing of it without TLS."""
    if not tls:
        yield None, None
        return
    with tempfile.TemporaryDirectory(prefix="bloor-venue-") as folder:
        yield server_context(issue(datetime.now(UTC)), Path(folder))


def _document(venue: SimulatedVenue, port: int, authority: Path | None) -> dict[str, Any]:
    paths = venue.paths()
    secure = "" if authority is None else "s"
    web_url, socket_url = f"http{secure}://{_HOST}:{port}", f"ws{secure}://{_HOST}:{port}"
    urls = {name: (web_url if name == "rest" else socket_url) + path for name, path in paths.items()}
    document: dict[str, Any] = {"ready": True, **urls, "credentials": venue.credentials()}
    return document if authority is None else {**document, "ca": str(authority)}


def run_server(
    spec: SimulatedVenueSpec, options: SimulationOptions, port: int, *, json_ready: bool, tls: bool = False
) -> int:
    """Serves until SIGTERM or Ctrl-C; what ``bloor venue sim NAME`` does.

    Args:
        spec: The venue.
        options: What it should be.
        port: TCP port; 0 for a free one.
        json_ready: Print the ready document as one JSON line on stdout; otherwise as text for people.
        tls: Serve over TLS only.

    Returns:
        The exit code.

    Raises:
        UsageError: The options cannot be, or the port cannot be had.
        InputFileError: A recording cannot be played, or broke while it was.
    """

    def on_ready(document: dict[str, Any]) -> None:
        line = json.dumps(document) if json_ready else _for_people(spec.venue, document)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    async def main() -> None:
        task = asyncio.ensure_future(serve(spec, options, port, on_ready, tls=tls))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
                loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    try:
        with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(main())
    except OSError as error:
        raise UsageError(f"port: expected a free TCP port on {_HOST}, got {port}: {error.strerror}") from None
    return 0


def _for_people(venue: str, document: dict[str, Any]) -> str:
    """The ready document as lines of text."""
    urls = [f"  {name:<8}{document[name]}" for name in (*Endpoints._fields, "ca") if name in document]
    keys = json.dumps(document["credentials"], indent=2)
    return "\n".join([f"simulated {venue} is ready; Ctrl-C ends it", *urls, f"credentials {keys}"])


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
