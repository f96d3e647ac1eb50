"""A public client of its own keeps books by the published rules, against the exchange in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import aiohttp
import websockets

MAX_FRAME = 10 << 20


@contextlib.contextmanager
def exchange(*options):
    """The ready document of ``bloor venue sim coinbase``."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "coinbase", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


class Follower:
    """One connection's books, kept by its sequence numbers: a hole makes all of them worthless."""

    def __init__(self):
        self.expected = 0
        self.books = {}
        self.gaps = 0

    def hear(self, frame):
        """Takes a frame in; False after a hole."""
        if "sequence_num" not in frame:
            raise AssertionError(frame)
        if frame["sequence_num"] < self.expected:
            return True
        if frame["sequence_num"] > self.expected:
            self.gaps += 1
            self.books.clear()
            self.expected = frame["sequence_num"] + 1
            return False
        self.expected += 1
        for event in frame["events"] if frame["channel"] == "l2_data" else ():
            if event["type"] == "snapshot":
                self.books[event["product_id"]] = {"bid": {}, "offer": {}}
            for level in event["updates"] if event["product_id"] in self.books else ():
                side = self.books[event["product_id"]][level["side"]]
                if float(level["new_quantity"]):
                    side[level["price_level"]] = level["new_quantity"]
                else:
                    side.pop(level["price_level"], None)
        return True

    def best(self, product, limit):
        """``(bids, asks)``."""
        sides = self.books[product]
        return tuple(
            sorted(sides[side].items(), key=lambda level: float(level[0]), reverse=side == "bid")[:limit]
            for side in ("bid", "offer")
        )


async def follow(ready, products, wanted, gaps=0):
    """Keeps books until ``wanted`` REST books were equal to a state of theirs, and ``gaps`` holes were got over."""
    follower, equal = Follower(), 0

    async def subscribe(socket, kind="subscribe"):
        await socket.send(json.dumps({"type": kind, "channel": "level2", "product_ids": products}))

    async with (
        aiohttp.ClientSession() as http,
        websockets.connect(ready["streams"], max_size=MAX_FRAME, max_queue=None) as socket,
    ):
        await socket.send(json.dumps({"type": "subscribe", "channel": "heartbeats"}))
        await subscribe(socket)
        while equal < wanted or follower.gaps < gaps:
            if not follower.hear(json.loads(await socket.recv())):
                await subscribe(socket, "unsubscribe")
                await subscribe(socket)
            product = products[equal % len(products)]
            if product not in follower.books or follower.expected % 10:
                continue
            url = f"{ready['rest']}/api/v3/brokerage/market/product_book?product_id={product}&limit=20"
            async with http.get(url) as answer:
                book = (await answer.json())["pricebook"]
            told = tuple([(level["price"], level["size"]) for level in book[side]] for side in ("bids", "asks"))
            behind = True  # until a frame is a second younger than the book, however much is to be read before
            while behind:
                if follower.books.get(product) and follower.best(product, 20) == told:
                    equal += 1
                    break
                frame = json.loads(await socket.recv())
                said, asked = (datetime.fromisoformat(text) for text in (frame["timestamp"], book["time"]))
                behind = said - asked < timedelta(seconds=1)
                if not follower.hear(frame):
                    await subscribe(socket, "unsubscribe")
                    await subscribe(socket)
    return follower


def test_a_client_rebuilds_the_books_exactly():
    """Twenty levels a side of two products on one connection, to the last digit, without a gap."""
    with exchange("--seed", "5") as ready:
        follower = asyncio.run(follow(ready, ["BTC-USD", "ETH-USD"], 6))
    assert follower.gaps == 0


def test_a_client_gets_over_gaps():
    """Injected holes are seen by the numbers, and the books are exact again after each."""
    with exchange("--seed", "5", "--faults", "gap:0.01,duplicate:0.01") as ready:
        follower = asyncio.run(follow(ready, ["BTC-USD"], 3, gaps=2))
    assert follower.gaps >= 2
