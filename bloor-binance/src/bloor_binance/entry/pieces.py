"""The memory of the compiled order entry: what never changes of a frame, made once, and what the session learns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import orjson

from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.native.memory import Cells
from bloor.venue import entry, writing
from bloor.venue.entry import LONGEST, READY, CompiledEntry
from bloor.venue.writing import CLIENT_ID_MAX, DECIMAL_MAX, SPILL
from bloor_binance.entry import kernel, layout

__all__ = ["SIDES", "TIFS", "TYPES", "BinanceEntry"]

#: What the venue calls order types, times in force and sides.
TYPES = {OrderType.LIMIT: "LIMIT", OrderType.MARKET: "MARKET", OrderType.POST_ONLY: "LIMIT_MAKER"}
TIFS = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}

#: The largest clock offset that is added in machine code, ns: a year.
OFFSET_MAX = 366 * 86_400 * 1_000_000_000


class Texts:
    """Texts one behind the other in memory that does not move."""

    def __init__(self, room: int) -> None:
        self.memory = np.zeros(room + SPILL, np.uint8)
        self._used = 0

    def piece(self, text: str) -> tuple[int, int]:
        """Address and length of a text, which is kept."""
        found = text.encode()
        begin, self._used = self._used, self._used + len(found)
        self.memory[begin : self._used] = np.frombuffer(found, np.uint8)
        return int(self.memory.ctypes.data) + begin, len(found)


class BinanceEntry:
    """The compiled form of one session's ``place`` and ``cancel``.

    Attributes:
        compiled: What the engine gets.
    """

    def __init__(self, instruments: Sequence[Instrument], recv_window_ms: int) -> None:
        shared = _shared(recv_window_ms)
        rows = [_row_texts(each.venue_symbol) for each in instruments]
        texts = Texts(sum(len(text.encode()) for group in (shared.values(), *rows) for text in group))
        cells = np.zeros(layout.ENTRY_CELLS, np.int64)
        for at, text in shared.items():
            cells[at : at + 2] = texts.piece(text)
        table = np.zeros((len(instruments), layout.ROW_CELLS), np.int64)
        cells[layout.COUNT], cells[layout.ROWS] = len(instruments), table.ctypes.data
        for row, each, own in zip(table, instruments, rows, strict=True):
            if longest(shared.values(), own) <= LONGEST:
                _fill(row, each, [texts.piece(text) for text in own])
        self.compiled = CompiledEntry((entry, writing, layout, kernel), cells, (table, texts.memory))

    def allow(self, ready: bool, offset_ns: int) -> None:
        """What the session knows now.

        Args:
            ready: Whether an order may leave without a signature.
            offset_ns: Venue clock less ours, ns.
        """
        cells = self.compiled.cells
        near = -OFFSET_MAX <= offset_ns <= OFFSET_MAX
        cells[layout.OFFSET] = offset_ns if near else 0
        cells[READY] = 1 if ready and near else 0


def longest(shared: Collection[str], own: Collection[str]) -> int:
    """More bytes than any frame can have that is made of these pieces."""
    text = sum(len(each.encode()) for each in shared) + max(len(each.encode()) for each in own)
    return text + 2 * CLIENT_ID_MAX + 3 * DECIMAL_MAX + SPILL


def _shared(recv_window_ms: int) -> dict[int, str]:
    """Cell -> the text of every piece that is the same for all instruments."""
    ends = [*(f'","timeInForce":"{TIFS[tif]}","timestamp":' for tif in TimeInForce), '","timestamp":', ',"timestamp":']
    respond = '","newOrderRespType":"FULL"'
    ends[layout.END_MARKET] = respond + ends[layout.END_MARKET]
    return {
        layout.OPEN_PLACE: '{"id":"n',
        layout.OPEN_CANCEL: '{"id":"c',
        layout.CLIENT_ID: '","newClientOrderId":"',
        layout.PRICE: f'{respond},"price":"',
        **{layout.ENDS + 2 * index: text for index, text in enumerate(ends)},
        layout.BY_VENUE_ID: ',"orderId":',
        layout.AFTER_VENUE_ID: ',"timestamp":',
        layout.BY_CLIENT_ID: ',"origClientOrderId":"',
        layout.AFTER_CLIENT_ID: '","timestamp":',
        layout.CLOSE: f',"recvWindow":{recv_window_ms}}}}}',
    }


def _row_texts(venue_symbol: str) -> list[str]:
    """The six pieces of orders and the one of cancels of an instrument; empty where its name is no text."""
    try:
        symbol = orjson.dumps(venue_symbol).decode()
    except orjson.JSONEncodeError:  # a lone surrogate: the ordinary form says so
        return [""] * 7
    heads = [
        f'","method":"order.place","params":{{"symbol":{symbol},"side":"{SIDES[side]}","type":"{TYPES[kind]}","quantity":"'
        for kind in OrderType
        for side in Side
    ]
    return [*heads, f'","method":"order.cancel","params":{{"symbol":{symbol}']


def _fill(row: Cells, instrument: Instrument, pieces: Sequence[tuple[int, int]]) -> None:
    """The row of an instrument; a step that does not fit a cell leaves no price, or no quantity, to be encoded."""
    i = instrument
    row[layout.PRICE_DECIMALS], row[layout.PRICE_SCALE] = i.price_decimals, 10**i.price_decimals
    row[layout.TICK_UNITS], row[layout.TICKS_MAX] = min(i.tick_units, INT64_MAX), INT64_MAX // i.tick_units
    row[layout.QTY_DECIMALS], row[layout.QTY_SCALE] = i.qty_decimals, 10**i.qty_decimals
    row[layout.LOT_UNITS], row[layout.LOTS_MAX] = min(i.lot_units, INT64_MAX), INT64_MAX // i.lot_units
    for at, piece in zip(range(layout.PLACE, layout.ROW_CELLS, 2), pieces, strict=True):
        row[at : at + 2] = piece
