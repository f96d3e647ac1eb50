"""The simulated exchange behind its real server on loopback, used by third-party clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from types import SimpleNamespace
from urllib.parse import urlencode

import aiohttp
import pytest
import websockets
from loguru import logger

from bloor.simulation import server
from bloor.simulation.server import serve
from bloor.simulation.venue import SimulationOptions
from bloor_binance.signing import read_credentials
from bloor_binance.simulated import simulated_venue_spec


@contextlib.asynccontextmanager
async def running(**options):
    """Serves a venue and yields its ready document."""
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(simulated_venue_spec(), SimulationOptions(**options), 0, ready.set_result))
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield ready.result()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Api:
    """A WebSocket API connection of the ``websockets`` package."""

    def __init__(self, socket):
        self.socket = socket
        self.events = []
        self.number = 0

    async def call(self, method, **params):
        self.number += 1
        await self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(await self.socket.recv())
            if message.get("id") == self.number:
                return message
            self.events.append(message["event"])

    async def event(self, wanted):
        """The first event that ``wanted`` likes."""
        while True:
            for event in self.events:
                if wanted(event):
                    return event
            self.events.append(json.loads(await self.socket.recv())["event"])


def ms():
    return time.time_ns() // 1_000_000


def test_a_client_trades_over_real_sockets():
    """Streams, REST, log-on, a resting order, its cancel, a fill by crossing, and the private events of all of it."""

    async def scenario():
        async with running() as ready, aiohttp.ClientSession() as http:
            assert ready["ready"] is True and set(ready) == {"ready", "rest", "streams", "ws_api", "credentials"}
            async with http.get(f"{ready['rest']}/api/v3/depth?symbol=BTCUSDT&limit=20") as answer:
                depth = await answer.json()
            assert len(depth["bids"]) == len(depth["asks"]) == 20
            key = read_credentials({"ed25519": ready["credentials"]["ed25519"]})
            streams = f"{ready['streams']}/stream?streams=btcusdt@trade/btcusdt@depth@100ms"
            async with websockets.connect(ready["ws_api"]) as ws_api, websockets.connect(streams) as market:
                api = Api(ws_api)
                assert (await api.call("session.logon", **key.signed({"timestamp": ms()})))["status"] == 200
                assert (await api.call("userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
                order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
                low = f"{float(depth['bids'][0][0]) * 0.9:.2f}"
                placed = await api.call("order.place", **order, quantity="0.01", price=low, timestamp=ms())
                assert placed["result"]["status"] == "NEW"
                await api.event(lambda e: e.get("x") == "NEW")
                cancel = urlencode({"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"], "timestamp": ms()})
                hmac = read_credentials({"hmac": ready["credentials"]["hmac"]})
                cancel += f"&signature={hmac.sign(cancel.encode())}"
                headers = {"X-MBX-APIKEY": hmac.api_key}
                async with http.delete(f"{ready['rest']}/api/v3/order?{cancel}", headers=headers) as answer:
                    assert answer.status == 200 and (await answer.json())["status"] == "CANCELED"
                await api.event(lambda e: e.get("x") == "CANCELED")
                high = f"{float(depth['asks'][0][0]) * 1.01:.2f}"
                filled = await api.call("order.place", **order, quantity="0.01", price=high, timestamp=ms())
                assert filled["result"]["status"] == "FILLED"
                fill = await api.event(lambda e: e.get("x") == "TRADE")
                assert fill["i"] == filled["result"]["orderId"]
                await api.event(lambda e: e["e"] == "outboundAccountPosition")
                ours = {f["tradeId"] for f in filled["result"]["fills"]}
                while ours:  # the public sees our trades
                    data = json.loads(await market.recv())["data"]
                    ours.discard(data.get("t"))

    asyncio.run(scenario())


def test_what_is_not_there_is_refused():
    """A WebSocket at an unknown path is a 404; so is an unknown REST path."""

    async def scenario():
        async with running() as ready, aiohttp.ClientSession() as http:
            with pytest.raises(websockets.InvalidStatus, match="404"):
                await websockets.connect(ready["streams"] + "/nothing")
            async with http.get(ready["rest"] + "/api/v3/nothing") as answer:
                assert answer.status == 404

    asyncio.run(scenario())


def test_a_client_that_does_not_read_is_disconnected(monkeypatch, tmp_path):
    """The queue of a slow consumer is bounded and its end is logged; everybody else goes on.

    The venue's time is made here, so that who reads is never behind by much, however slow the machine is.
    """
    monkeypatch.setattr(server, "_MAX_QUEUED", 500)
    start_ns, passed_ms = time.time_ns(), 0
    monkeypatch.setattr(server, "time", SimpleNamespace(time_ns=lambda: start_ns + passed_ms * 1_000_000))
    levels = [[f"{50 + n}.00", "1.5"] for n in range(400)]
    lines = [json.dumps({"lastUpdateId": 1, "bids": [["1.00", "1"]], "asks": [["1000.00", "1"]]})]
    for n in range(2, 2500):
        data = {"e": "depthUpdate", "E": n, "s": "ABCUSDT", "U": n, "u": n, "b": levels, "a": []}
        lines.append(json.dumps({"stream": "abcusdt@depth@100ms", "data": data}))
    recording = tmp_path / "heavy.txt"
    recording.write_text("".join(f"{1_700_000_000_000 + n} {line}\n" for n, line in enumerate(lines)))
    logged = []
    sink = logger.add(logged.append, format="{message}")

    async def scenario():
        async with running(recordings=[recording], speed=1.0) as ready:
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.setblocking(False)
            port = int(ready["rest"].rpartition(":")[2])
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
            await asyncio.get_running_loop().sock_sendall(
                raw,
                b"GET /ws/abcusdt@depth@100ms HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            )
            async with websockets.connect(ready["streams"] + "/ws/abcusdt@depth@100ms", max_queue=None) as other:
                nonlocal passed_ms
                last = 0
                while last < 2499:
                    passed_ms += 100
                    while last < min(passed_ms, 2499):
                        last = json.loads(await other.recv())["u"]
            raw.close()

    try:
        asyncio.run(scenario())
    finally:
        logger.remove(sink)
    assert any("slow consumer number 1" in line for line in logged)
