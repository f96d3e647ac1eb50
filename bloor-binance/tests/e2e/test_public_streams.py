"""A public client of its own keeps a book by the published rules, against the exchange in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys

import aiohttp
import websockets


@contextlib.contextmanager
def exchange(*options):
    """The ready document of ``bloor venue sim binance``."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "binance", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


class Book:
    """The procedure of web-socket-streams.md, "How to manage a local order book correctly"."""

    def __init__(self):
        self.sides = {"b": {}, "a": {}}
        self.last_id = None
        self.held = []
        self.gaps = 0

    def snapshot(self, document):
        """True when the snapshot joins what was held."""
        if self.held and document["lastUpdateId"] < self.held[0]["U"] - 1:
            return False
        self.last_id = document["lastUpdateId"]
        self.sides = {"b": dict(document["bids"]), "a": dict(document["asks"])}
        held, self.held = self.held, []
        for event in held:
            self.change(event)
        return True

    def change(self, event):
        if self.last_id is None:
            self.held.append(event)
        elif event["u"] > self.last_id:
            if event["U"] > self.last_id + 1:
                self.gaps += 1
                self.last_id, self.held = None, [event]
                return
            for side, levels in self.sides.items():
                for price, qty in event[side]:
                    if float(qty):
                        levels[price] = qty
                    else:
                        levels.pop(price, None)
            self.last_id = event["u"]

    def best(self, side, count):
        ordered = sorted(self.sides[side].items(), key=lambda level: float(level[0]), reverse=side == "b")
        return [list(level) for level in ordered[:count]]


async def follow(ready, symbol, wanted, gaps=0):
    """Keeps a book until ``wanted`` partial books and best prices of the same change were equal to it."""
    name, book = symbol.lower(), Book()
    equal = {"depth20": 0, "bookTicker": 0}
    streams = f"{name}@depth@100ms/{name}@depth20@100ms/{name}@bookTicker"
    tickers = {}
    async with (
        aiohttp.ClientSession() as http,
        websockets.connect(f"{ready['streams']}/stream?streams={streams}", max_queue=None) as socket,
    ):

        async def fetch():
            async with http.get(f"{ready['rest']}/api/v3/depth?symbol={symbol}&limit=5000") as answer:
                return await answer.json()

        while min(equal.values()) < wanted or book.gaps < gaps:
            message = json.loads(await socket.recv())
            kind, data = message["stream"].partition("@")[2], message["data"]
            if kind == "depth@100ms":
                book.change(data)
                while book.last_id is None and not book.snapshot(await fetch()):
                    pass
                ticker = tickers.get(book.last_id)
                if ticker is not None:
                    assert book.best("b", 1) == [[ticker["b"], ticker["B"]]]
                    assert book.best("a", 1) == [[ticker["a"], ticker["A"]]]
                    equal["bookTicker"] += 1
            elif kind == "bookTicker":
                tickers[data["u"]] = data
            elif data["lastUpdateId"] == book.last_id:
                assert (book.best("b", 20), book.best("a", 20)) == (data["bids"], data["asks"])
                equal["depth20"] += 1
    return book


def test_a_client_rebuilds_the_book_exactly():
    """Twenty levels a side and every best price of the same change, to the last digit, without a gap."""
    with exchange("--seed", "5") as ready:
        book = asyncio.run(follow(ready, "ETHUSDT", 15))
    assert book.gaps == 0


def test_a_client_gets_over_gaps():
    """Injected gaps are seen by the numbers, and the book is exact again after each."""
    with exchange("--seed", "5", "--faults", "gap:0.1,duplicate:0.1") as ready:
        book = asyncio.run(follow(ready, "BTCUSDT", 10, gaps=2))
    assert book.gaps >= 2
