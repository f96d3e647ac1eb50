"""cryptofeed's Binance feed over messages from a file, with a callback that reads the top of the book."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

from cryptofeed.defines import L2_BOOK
from cryptofeed.exchanges import Binance
from cryptofeed.symbols import Symbols
from cryptofeed.types import OrderBook
from worker import clock, serve

Symbols.set("BINANCE", {"BTC-USDT": "BTCUSDT"}, {"instrument_type": {"BTC-USDT": "spot"}})
tops: list[tuple[Decimal, Decimal]] = [(Decimal(0), Decimal(0))]


async def read_top(book: OrderBook, _: float) -> None:
    tops[0] = (book.book.bids.index(0)[0], book.book.asks.index(0)[0])


feed = Binance(symbols=["BTC-USDT"], channels=[L2_BOOK], callbacks={L2_BOOK: read_top})
loop = asyncio.new_event_loop()


async def take(frames: list[str]) -> int:
    handle = feed.message_handler
    began = clock()
    for frame in frames:
        await handle(frame, None, 1.0)
    return clock() - began


def one_round(snapshot: str, frames: list[str]) -> tuple[int, str]:
    body = json.loads(snapshot)
    sides = ({Decimal(p): Decimal(q) for p, q in body[name]} for name in ("bids", "asks"))
    feed.last_update_id["BTC-USDT"] = body["lastUpdateId"]
    book = OrderBook(feed.id, "BTC-USDT", max_depth=0, bids=next(sides), asks=next(sides))
    book.delta = {}  # as after the first update: older ones are recognised by their number
    feed._l2_book["BTC-USDT"] = book
    took = loop.run_until_complete(take(frames))
    return took, str(tops[0][0])


serve(one_round)
