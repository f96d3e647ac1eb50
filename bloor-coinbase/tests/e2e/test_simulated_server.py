"""The simulated exchange behind its real server on loopback, with and without TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time

import aiohttp
import pytest
import websockets

from bloor.simulation.server import serve
from bloor.simulation.venue import SimulationOptions
from bloor_coinbase.signing import read_credentials, request_uri
from bloor_coinbase.simulated import simulated_venue_spec

PREFIX = "/api/v3/brokerage"


@contextlib.asynccontextmanager
async def running(*, tls=False, **options):
    """Serves a venue and yields its ready document."""
    ready = asyncio.get_running_loop().create_future()
    serving = serve(simulated_venue_spec(), SimulationOptions(**options), 0, ready.set_result, tls=tls)
    task = asyncio.create_task(serving)
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield ready.result()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Trader:
    """REST and the user stream of one account."""

    def __init__(self, ready, http, context=None):
        self.rest = ready["rest"]
        self.key = read_credentials(ready["credentials"])
        self.http = http
        self.context = context

    async def call(self, method, path, body=None):
        uri = request_uri(method, self.rest, PREFIX + path)
        headers = {"Authorization": f"Bearer {self.key.token(int(time.time()), 'aa', uri)}"}
        url, context = self.rest + PREFIX + path, self.context if self.context is not None else True
        async with self.http.request(method, url, json=body, headers=headers, ssl=context) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def place(self, **fields):
        order = {"client_order_id": str(time.time_ns()), "product_id": "BTC-USD", "side": "BUY"}
        answer = await self.call("POST", "/orders", {**order, "order_configuration": {"limit_limit_gtc": fields}})
        assert answer["success"], answer
        return answer["order_id"]


async def until(socket, wanted):
    """Reads frames until one has an event that ``wanted`` likes."""
    while True:
        frame = json.loads(await socket.recv())
        assert frame.get("type") != "error", frame
        if any(wanted(event) for event in frame["events"]):
            return frame


@pytest.mark.parametrize("tls", [False, True])
def test_a_client_trades_over_real_sockets(tls):
    """Streams, REST, a resting order, its cancel, a fill by crossing, and the reports of all of it."""

    async def scenario():
        async with running(tls=tls) as ready, aiohttp.ClientSession() as http:
            assert set(ready) - {"ca"} == {"ready", "rest", "streams", "ws_api", "credentials"}
            assert set(ready["credentials"]) == {"key_name", "private_key_pem"}
            context = ssl.create_default_context(cafile=ready["ca"]) if tls else None
            trader = Trader(ready, http, context)
            book = (await trader.call("GET", "/product_book?product_id=BTC-USD&limit=20"))["pricebook"]
            assert len(book["bids"]) == len(book["asks"]) == 20
            async with (
                websockets.connect(ready["ws_api"], ssl=context) as user,
                websockets.connect(ready["streams"], ssl=context, max_size=10 << 20) as market,
            ):
                token = trader.key.token(int(time.time()), "aa")
                await user.send(json.dumps({"type": "subscribe", "channel": "user", "jwt": token}))
                await market.send(
                    json.dumps({"type": "subscribe", "channel": "market_trades", "product_ids": ["BTC-USD"]})
                )
                await until(user, lambda event: event.get("type") == "snapshot")
                low, high = (f"{float(book[side][0]['price']) * share:.2f}" for side, share in
                             (("bids", 0.9), ("asks", 1.01)))  # fmt: skip
                number = await trader.place(base_size="0.01", limit_price=low)
                await until(user, lambda event: any(o["status"] == "OPEN" for o in event.get("orders", ())))
                answer = await trader.call("POST", "/orders/batch_cancel", {"order_ids": [number]})
                assert answer["results"][0]["success"]
                await until(user, lambda event: any(o["status"] == "CANCELLED" for o in event.get("orders", ())))
                number = await trader.place(base_size="0.01", limit_price=high)
                await until(user, lambda event: any(o["status"] == "FILLED" for o in event.get("orders", ())))
                fills = (await trader.call("GET", f"/orders/historical/fills?order_ids={number}"))["fills"]
                ours = {(fill["price"], fill["size"]) for fill in fills}
                await until(  # the public sees our trades
                    market, lambda event: ours & {(t["price"], t["size"]) for t in event.get("trades", ())}
                )

    asyncio.run(scenario())


def test_the_market_moves_by_itself():
    """It trades, though nobody has asked for anything. Card V03 says how soon."""

    async def scenario():
        async with running() as ready, aiohttp.ClientSession() as http:
            trades = []
            while not trades:
                await asyncio.sleep(0.05)
                async with http.get(f"{ready['rest']}{PREFIX}/market/products/BTC-USD/ticker?limit=1") as answer:
                    trades = (await answer.json())["trades"]
            assert len(trades) == 1

    asyncio.run(scenario())


def test_what_is_not_there_is_refused():
    """A WebSocket at an unknown path is a 404; so is an unknown REST path."""

    async def scenario():
        async with running() as ready, aiohttp.ClientSession() as http:
            with pytest.raises(websockets.InvalidStatus, match="404"):
                await websockets.connect(ready["streams"] + "/nothing")
            async with http.get(ready["rest"] + PREFIX + "/nothing") as answer:
                assert answer.status == 404

    asyncio.run(scenario())
