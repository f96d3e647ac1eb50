"""cryptofeed's Kraken feed over messages from a file, a callback reading the top, and without its checksum."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

from cryptofeed.defines import L2_BOOK
from cryptofeed.exchanges import Kraken
from cryptofeed.symbols import Symbols
from cryptofeed.types import OrderBook
from worker import clock, serve

Symbols.set("KRAKEN", {"BTC-USD": "XBT/USD"}, {"instrument_type": {"BTC-USD": "spot"}})
tops: list[tuple[Decimal, Decimal]] = [(Decimal(0), Decimal(0))]


async def read_top(book: OrderBook, _: float) -> None:
    tops[0] = (book.book.bids.index(0)[0], book.book.asks.index(0)[0])


loop = asyncio.new_event_loop()


async def take(feed: Kraken, frames: list[str]) -> int:
    handle = feed.message_handler
    began = clock()
    for frame in frames:
        await handle(frame, None, 1.0)
    return clock() - began


def one_round(snapshot: str, frames: list[str]) -> tuple[int, str]:
    depth = int(json.loads(snapshot)[-2].removeprefix("book-"))
    feed = Kraken(symbols=["BTC-USD"], channels=[L2_BOOK], callbacks={L2_BOOK: read_top}, max_depth=depth)
    loop.run_until_complete(take(feed, [snapshot]))
    took = loop.run_until_complete(take(feed, frames))
    return took, str(tops[0][0])


serve(one_round)
