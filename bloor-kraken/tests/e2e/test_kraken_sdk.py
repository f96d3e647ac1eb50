"""A client written for Kraken alone keeps books of the simulated exchange by their checksums, and trades on it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys

import pytest

pytest.importorskip("kraken.spot", reason="python-kraken-sdk is not installed")


@pytest.fixture
def ready():
    """The ready document of a simulated exchange in a process of its own."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "kraken", "--json", "--seed", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


async def follow(ready, wanted):
    """Whether each message's checksum was right, until ``wanted`` messages came."""
    from kraken.spot import Market, SpotOrderBookClient

    verified, done = [], asyncio.Event()

    class Books(SpotOrderBookClient):
        WS_URL = ready["streams"].removesuffix("/v2")

        async def on_book_update(self, pair, message):
            verified.append("error" not in message and self.get(pair)["valid"])
            if len(verified) >= wanted:
                done.set()

    client = Books(depth=25)
    client._SpotOrderBookClient__market = Market(url=ready["rest"])  # it asks for decimals
    await client.start()
    try:
        await client.add_book(["BTC/USD", "ETH/USD"])
        await done.wait()
    finally:
        await client.close()
    return verified


def test_checksums_are_right_for_another_client(ready):
    """It cuts its books and computes the checksum itself, from what REST says of decimals."""
    verified = asyncio.run(follow(ready, 400))
    assert all(verified)


async def trade(ready):
    """Every frame of a private connection during a limit and a market order."""
    from kraken.spot import SpotWSClient

    heard, subscribed, done = [], asyncio.Event(), asyncio.Event()

    async def hear(message):
        heard.append(message)
        if isinstance(message, dict) and message.get("method") == "subscribe":
            subscribed.set()
        if any(row["exec_type"] == "filled" for row in rows(message)):
            done.set()

    key, host = ready["credentials"], ready["ws_api"].removesuffix("/v2")
    client = SpotWSClient(
        key=key["api_key"], secret=key["secret"], callback=hear, no_public=True, rest_url=ready["rest"],
        auth_ws_url=host,
    )  # fmt: skip
    await client.start()
    try:
        await client.subscribe(params={"channel": "executions"})
        await subscribed.wait()
        order = {"side": "buy", "order_qty": 0.01, "symbol": "BTC/USD"}
        for more in ({"order_type": "limit", "limit_price": 50_000}, {"order_type": "market"}):
            await client.send_message({"method": "add_order", "params": order | more})
        await done.wait()
    finally:
        await client.close()
    return heard


def rows(frame):
    """The rows of a message of executions."""
    return frame["data"] if isinstance(frame, dict) and frame.get("channel") == "executions" else []


def test_another_client_trades(ready):
    """With a token that it fetched itself."""
    heard = asyncio.run(trade(ready))
    assert [frame["success"] for frame in heard if frame.get("method") == "add_order"] == [True, True]
    assert {row["exec_type"] for frame in heard for row in rows(frame)} >= {"pending_new", "new", "trade", "filled"}
