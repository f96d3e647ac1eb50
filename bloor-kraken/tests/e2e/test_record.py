"""``bloor record --venue kraken`` against a served stream, over real sockets."""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from bloor.journal.follower import Follower
from bloor.journal.record import RecordKind
from bloor.market.normalize import normalize
from bloor_kraken.instruments import normalizer_spec

VenueBook: Any = runpy.run_path(str(Path(__file__).parents[1] / "venue_book.py"))["VenueBook"]

PAIR = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "pair_decimals": 1, "lot_decimals": 8,
    "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1", "status": "online",
}  # fmt: skip
STATUS = '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2"}]}'
TRADE = (
    '{{"channel":"trade","type":"update","data":[{{"symbol":"BTC/USD","side":"buy","price":78858.8,"qty":0.00027625,'
    '"ord_type":"limit","trade_id":{},"timestamp":"2026-08-24T22:21:58.343688Z"}}]}}'
)


class Served:
    """A public Kraken with one pair: instruments, subscriptions, heartbeats, a book, trades.

    Attributes:
        requests: Methods and channels that were asked for.
        broken: How many frames of the first book are still to be sent before one with a wrong digit.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.broken = 20
        self._feeds: dict[str, asyncio.Task[None]] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/0/public/AssetPairs", self.pairs)
        app.router.add_get("/0/public/Time", self.time)
        app.router.add_get("/v2", self.stream)
        return app

    async def pairs(self, request: web.Request) -> web.Response:
        assert request.query.get("pair") == "BTC/USD"
        return web.json_response({"error": [], "result": {"XXBTZUSD": PAIR}})

    async def time(self, _: web.Request) -> web.Response:
        return web.json_response({"error": [], "result": {"unixtime": 1762820224, "rfc1123": ""}})

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(STATUS)
        self._feeds["heartbeat"] = asyncio.create_task(self.heartbeats(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self.asked(socket, json.loads(message.data))
        finally:
            for task in self._feeds.values():
                task.cancel()
        return socket

    async def asked(self, socket: web.WebSocketResponse, request: dict[str, Any]) -> None:
        method, params = request["method"], request.get("params", {})
        channel = params.get("channel", "")
        self.requests.append((method, channel))
        if method == "ping":
            await socket.send_str(json.dumps({"method": "pong", "req_id": request["req_id"]}))
            return
        for symbol in params["symbol"]:
            result = {
                "channel": channel,
                "symbol": symbol,
                **{k: params[k] for k in ("depth", "snapshot") if k in params},
            }
            answer = {"method": method, "result": result, "success": True, "req_id": request["req_id"]}
            await socket.send_str(json.dumps(answer))
        if channel in self._feeds:
            self._feeds.pop(channel).cancel()
        if method == "subscribe" and channel in ("book", "trade"):
            serve = self.book if channel == "book" else self.trades
            self._feeds[channel] = asyncio.create_task(serve(socket))

    async def heartbeats(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_str('{"channel":"heartbeat"}')
            await asyncio.sleep(1)

    async def book(self, socket: web.WebSocketResponse) -> None:
        book = VenueBook(self.broken)
        for frame in list(book.frames(2000))[1:]:
            self.broken -= 1
            if self.broken == 0:
                head, _, tail = frame.partition(b'"checksum":')
                frame = head + b'"checksum":1' + tail[tail.index(b",") :]
            await socket.send_str(frame.decode())
            await asyncio.sleep(0.01)

    async def trades(self, socket: web.WebSocketResponse) -> None:
        number = 100
        while True:
            number += 1
            await socket.send_str(TRADE.format(number))
            await asyncio.sleep(0.1)


@pytest.fixture
def served() -> Iterator[tuple[Served, int]]:
    """The venue in a thread of its own, and its port."""
    venue, loop, started = Served(), asyncio.new_event_loop(), threading.Event()
    port: list[int] = []

    async def start() -> web.AppRunner:
        runner = web.AppRunner(venue.app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port.append(runner.addresses[0][1])
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    started.wait()
    yield venue, port[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_a_recording_with_a_book_that_was_lost(served: tuple[Served, int], tmp_path: Path, run_until: Any) -> None:
    """A wrong checksum costs one subscription, not the connection; what was received can be read back and judged."""
    venue, port = served
    sets = [f"venue.kraken.rest_url=http://127.0.0.1:{port}", f"venue.kraken.streams_url=ws://127.0.0.1:{port}/v2"]
    words = [sys.executable, "-m", "bloor", "record", "--venue", "kraken", "--symbol", "BTC-USD", "--json"]
    words += ["--out", str(tmp_path / "r"), *(word for each in sets for word in ("--set", each))]
    frames, heard = Follower(tmp_path / "r" / "journal"), Counter[str]()

    def enough() -> bool:
        """The book of the second subscription for some while, and trades."""
        for record in (record for record in frames if record.kind == RecordKind.FRAME_IN):
            book = b'"channel":"book"' in record.payload
            heard["books"] += book and b'"type":"snapshot"' in record.payload
            heard["changes"] += book and heard["books"] == 2
            heard["trades"] += b'"channel":"trade","type"' in record.payload
        return heard["changes"] > 110 and heard["trades"] > 10

    done = run_until(enough, words)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["synchronised"], document["errors"]) == (1, 0)
    channels = [("subscribe", "book"), ("subscribe", "trade"), ("subscribe", "ticker")]
    assert venue.requests[:5] == [*channels, ("unsubscribe", "book"), ("subscribe", "book")]
    lines: list[dict[str, Any]] = []
    summary = normalize(normalizer_spec(), [tmp_path / "r"], write=lines.append)
    assert (summary.checksums_bad, summary.errors, summary.gaps) == (1, 0, 0)
    assert summary.checksums_ok > 100
    assert summary.trades == document["trades"] > 10
    kinds = [line["kind"] for line in lines]
    assert "top" in kinds[kinds.index("checksum") :], "the book came back"
