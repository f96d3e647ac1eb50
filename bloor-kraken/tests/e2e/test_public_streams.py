"""A public client of its own keeps books by the published rules, against the exchange in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import zlib
from decimal import Decimal

import aiohttp
import pytest
import websockets


@contextlib.contextmanager
def exchange(*options):
    """The ready document of ``bloor venue sim kraken``."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "kraken", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def read(frame):
    """JSON whose numbers are the text they were sent as."""
    return json.loads(frame, parse_float=str, parse_int=str)


class Book:
    """docs.kraken.com, "Book": levels in message order, cut to the depth, then the checksum over ten a side."""

    def __init__(self, depth):
        self.depth = depth
        self.sides = {}
        self.verified = 0

    def apply(self, frame):
        """False when the checksum does not fit."""
        (data,) = frame["data"]
        if frame["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        for name, levels in self.sides.items():
            for level in data[name]:
                levels[level["price"]] = level["qty"]
            kept = [(price, qty) for price, qty in levels.items() if Decimal(qty)]
            kept.sort(key=lambda level: Decimal(level[0]), reverse=name == "bids")
            self.sides[name] = dict(kept[: self.depth])
        digits = "".join(
            text.replace(".", "").lstrip("0")
            for name in ("asks", "bids")
            for level in list(self.sides[name].items())[:10]
            for text in level
        )
        fits = zlib.crc32(digits.encode()) == int(data["checksum"])
        self.verified += fits
        return fits


async def follow(ready, depth, wanted, symbols):
    """Books of several symbols until each has ``wanted`` right checksums; and how often one was wrong."""
    books, wrong = {symbol: Book(depth) for symbol in symbols}, 0
    async with websockets.connect(ready["streams"], max_queue=None) as socket:

        async def ask(method, names):
            params = {"channel": "book", "symbol": names, "depth": depth}
            await socket.send(json.dumps({"method": method, "params": params}))

        await ask("subscribe", symbols)
        awaiting = set(symbols)
        while min(book.verified for book in books.values()) < wanted:
            frame = read(await socket.recv())
            if frame.get("channel") != "book":
                assert frame.get("success", True) is True
                continue
            symbol = frame["data"][0]["symbol"]
            if frame["type"] == "snapshot":
                awaiting.discard(symbol)
            if symbol not in awaiting and not books[symbol].apply(frame):
                wrong += 1
                awaiting.add(symbol)
                await ask("unsubscribe", [symbol])
                await ask("subscribe", [symbol])
    return wrong


@pytest.mark.parametrize("depth", [10, 100])
def test_a_client_rebuilds_the_books_exactly(depth):
    """Two symbols, every checksum of every message."""
    with exchange("--seed", "5") as ready:
        assert asyncio.run(follow(ready, depth, 100, ["BTC/USD", "ETH/USD"])) == 0


def test_a_client_gets_over_dropped_messages():
    """Injected holes are seen by the checksum, and the book is exact again after a new subscription."""
    with exchange("--seed", "5", "--faults", "gap:0.1,duplicate:0.1") as ready:
        assert asyncio.run(follow(ready, 10, 150, ["BTC/USD"])) >= 1


async def opening(ready):
    """Levels a side of the book as soon as the venue is ready, and how many trades are the first to be seen."""
    trades = []
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{ready['rest']}/0/public/Depth?pair=XBTUSD&count=50") as answer:
            (book,) = (await answer.json())["result"].values()
        while not trades:
            await asyncio.sleep(0.05)
            async with http.get(f"{ready['rest']}/0/public/Trades?pair=XBTUSD") as answer:
                trades = (await answer.json())["result"]["XXBTZUSD"]
    return len(book["bids"]), len(book["asks"]), len(trades)


def test_the_market_is_there_at_once():
    """Twenty levels a side, and trades; the key is given as a client takes it. Card V03 says how soon."""
    with exchange("--seed", "11") as ready:
        bids, asks, trades = asyncio.run(opening(ready))
    assert min(bids, asks) >= 20 and trades >= 1
    assert set(ready["credentials"]) == {"api_key", "secret"}
