"""``bloor record --venue coinbase`` over real sockets, from a server that plays a made-up recording."""

from __future__ import annotations

import asyncio
import json
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
from bloor_coinbase.instruments import normalizer_spec

PRODUCTS = ["BTC-USD", "ETH-USD"]
#: Levels of a whole book: a frame of some megabytes.
LEVELS = 20_000
STEP_S = 0.01
#: After so many updates of a connection, one frame of it is never sent.
HOLE_AFTER = 60


class Coinbase:
    """One address with both interfaces, just enough to be recorded."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.address = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    def start(self) -> None:
        """Listens on a free port."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        """Ends every connection."""
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v3/brokerage/market/products", self._list)
        app.router.add_get("/", self._stream)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"

    async def _list(self, request: web.Request) -> web.Response:
        names = request.query.getall("product_ids")
        return web.json_response({"products": [listed(name) for name in names], "num_products": len(names)})

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(socket)
        playing = asyncio.create_task(connection.play())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    asked = json.loads(message.data)
                    self.asked.append(asked)
                    await connection.asked(asked)
        finally:
            playing.cancel()
        return socket


class Connection:
    """What one client is sent; frames of every channel are numbered together."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._seq = self._updates = 0
        self._subscribed: dict[str, list[str]] = {}

    async def asked(self, asked: dict[str, Any]) -> None:
        """A subscription begins or ends: the data first, then the acknowledgement, as the venue does it."""
        channel, names = asked["channel"], asked.get("product_ids", ["heartbeats"])
        held = self._subscribed.setdefault(channel, [])
        if asked["type"] == "unsubscribe":
            self._subscribed[channel] = [name for name in held if name not in names]
        else:
            held += [name for name in names if name not in held]
            for name in names if channel == "level2" else ():
                await self._send("l2_data", {"type": "snapshot", "product_id": name, "updates": whole()})
        await self._send("subscriptions", {"subscriptions": self._subscribed})

    async def play(self) -> None:
        """Heartbeats, trades and changes of the books, for ever, once the last subscription is made."""
        while True:
            await asyncio.sleep(STEP_S)
            if "ticker" not in self._subscribed:
                continue
            self._updates += 1
            for name in self._subscribed.get("level2", ()):
                one = level("bid", 9_000, f"{self._updates}")
                await self._send("l2_data", {"type": "update", "product_id": name, "updates": [one]})
            if self._updates == HOLE_AFTER:
                self._seq += 1
            if self._updates % 10 == 0:
                await self._send("heartbeats", {"heartbeat_counter": self._updates})
                for name in self._subscribed.get("market_trades", ()):
                    await self._send("market_trades", {"type": "update", "trades": [trade(name, self._updates)]})

    async def _send(self, channel: str, event: dict[str, Any]) -> None:
        seq, self._seq = self._seq, self._seq + 1
        frame = {"channel": channel, "timestamp": "2026-08-24T22:34:13Z", "sequence_num": seq, "events": [event]}
        await self._socket.send_str(json.dumps(frame, separators=(",", ":")))


def listed(name: str) -> dict[str, Any]:
    """A product."""
    base, quote = name.split("-")
    return {
        "product_id": name, "base_currency_id": base, "quote_currency_id": quote, "price_increment": "0.01",
        "base_increment": "0.00000001", "status": "online", "product_type": "SPOT", "alias": "",
    }  # fmt: skip


def level(side: str, price: int, qty: str) -> dict[str, str]:
    """One changed level, its price in cents."""
    time = "2026-08-24T22:34:13.592233Z"
    return {"side": side, "event_time": time, "price_level": f"{price / 100:.2f}", "new_quantity": qty}


def whole() -> list[dict[str, str]]:
    """Every level of a book; the best bid is 100.00 and the best ask 100.01."""
    half = LEVELS // 2
    return [level("bid", 10_000 - n, "1") for n in range(half)] + [level("offer", 10_001 + n, "2") for n in range(half)]


def trade(name: str, number: int) -> dict[str, str]:
    """A trade whose taker sold."""
    time = "2026-08-24T22:34:13.5Z"
    return {"trade_id": f"{number}", "product_id": name, "price": "100.00", "size": "1", "side": "BUY", "time": time}


@pytest.fixture
def venue() -> Iterator[Coinbase]:
    """The server."""
    server = Coinbase()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_a_recording_with_a_lost_frame(venue: Coinbase, tmp_path: Path, run_until: Any) -> None:
    """Every book is lost at the frame after it, both are subscribed to again, and the folder reads as one stream."""
    out = tmp_path / "r"
    places = [f"venue.coinbase.rest_url=http://{venue.address}", f"venue.coinbase.streams_url=ws://{venue.address}"]
    words = ["record", "--venue", "coinbase", "--symbol", *PRODUCTS, "--out", str(out), "--json"]
    sets = [word for place in places for word in ("--set", place)]
    frames, heard = Follower(out / "journal"), Counter[str]()

    def enough() -> bool:
        """Four snapshots, two of them after the hole, then changes of both books, and trades."""
        for record in (record for record in frames if record.kind == RecordKind.FRAME_IN):
            whole = b'"type":"snapshot"' in record.payload
            heard["whole"] += whole
            heard["changes"] += heard["whole"] == 4 and b'"channel":"l2_data"' in record.payload and not whole
            heard["trades"] += b'"channel":"market_trades"' in record.payload
        return heard["changes"] >= 4 and heard["trades"] > 20

    done = run_until(enough, [sys.executable, "-m", "bloor", *words, *sets])
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["gaps"], document["errors"], document["synchronised"]) == (2, 0, 2)
    assert document["alerts"] == {"book_lost": 2}
    assert [(one["type"], one["channel"]) for one in venue.asked] == [
        ("subscribe", "heartbeats"), ("subscribe", "level2"), ("subscribe", "market_trades"), ("subscribe", "ticker"),
        ("unsubscribe", "level2"), ("subscribe", "level2"),
    ]  # fmt: skip
    assert sorted(venue.asked[-1]["product_ids"]) == PRODUCTS
    lines: list[dict[str, Any]] = []
    summary = normalize(normalizer_spec(), [out], write=lines.append)
    assert (summary.messages, summary.gaps, summary.errors) == (document["frames"], 2, 0)
    assert (summary.trades, document["trades"] > 20) == (document["trades"], True)
    tops = [line for line in lines if line["kind"] == "top"]
    assert len(tops) == document["books"]
    assert {(*line["bid"], *line["ask"]) for line in tops} == {("100.00", "1", "100.01", "2")}
    assert {line["taker_side"] for line in lines if line["kind"] == "trade"} == {"sell"}
