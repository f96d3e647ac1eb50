"""nautilus_trader's Binance decoding and order book over messages from a file, as its data client does it.

The steps are those of ``BinanceCommonDataClient._handle_ws_message`` and ``_handle_book_diff_update``; the deltas go to
an order book directly, without the message bus, and the top is read after each.
"""

from __future__ import annotations

import json

import msgspec
from nautilus_trader.adapters.binance.common.schemas.market import BinanceDataMsgWrapper, BinanceOrderBookMsg
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder
from nautilus_trader.model.enums import BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity
from worker import clock, serve

INSTRUMENT = InstrumentId.from_str("BTCUSDT.BINANCE")
decode_wrapper = msgspec.json.Decoder(BinanceDataMsgWrapper).decode
decode_book = msgspec.json.Decoder(BinanceOrderBookMsg).decode


def one_round(snapshot: str, frames: list[str]) -> tuple[int, str]:
    book = OrderBook(INSTRUMENT, BookType.L2_MBP)
    body = json.loads(snapshot)
    for side, name in ((OrderSide.BUY, "bids"), (OrderSide.SELL, "asks")):
        for price, size in body[name]:
            book.add(BookOrder(side, Price.from_str(price), Quantity.from_str(size), 0), 0)
    raw = [frame.encode() for frame in frames]
    began = clock()
    for frame in raw:
        if "@depth@" in decode_wrapper(frame).stream:
            message = decode_book(frame)
            book.apply_deltas(message.data.parse_to_order_book_deltas(instrument_id=INSTRUMENT, ts_init=1))
            book.best_bid_price()
            book.best_ask_price()
    return clock() - began, str(book.best_bid_price())


serve(one_round)
