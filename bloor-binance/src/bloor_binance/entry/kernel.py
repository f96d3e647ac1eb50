"""``order.place`` and ``order.cancel`` as :class:`bloor_binance.executor.BinanceExecutor` writes them (kernels).

Hot path. The order of the keys is the executor's; what does not change from order to order is a piece of text that
:mod:`bloor_binance.entry.pieces` made.
"""

from __future__ import annotations

from bloor.native.memory import cell_at
from bloor.venue.entry import (
    ORDER_CLIENT0,
    ORDER_CLIENT1,
    ORDER_INSTRUMENT,
    ORDER_LOTS,
    ORDER_PRICE,
    ORDER_SIDE,
    ORDER_TIF,
    ORDER_TYPE,
    ORDER_VENUE_ID,
    READY,
)
from bloor.venue.writing import put_client_id, put_decimal, put_number, put_piece
from bloor_binance.entry.layout import (
    AFTER_CLIENT_ID,
    AFTER_VENUE_ID,
    BY_CLIENT_ID,
    BY_VENUE_ID,
    CANCEL,
    CLIENT_ID,
    CLOSE,
    COUNT,
    END_MARKET,
    END_POST_ONLY,
    ENDS,
    LOT_UNITS,
    LOTS_MAX,
    OFFSET,
    OPEN_CANCEL,
    OPEN_PLACE,
    PLACE,
    PRICE,
    PRICE_DECIMALS,
    PRICE_SCALE,
    QTY_DECIMALS,
    QTY_SCALE,
    ROW_CELLS,
    ROWS,
    TICK_UNITS,
    TICKS_MAX,
)

__all__ = ["cancel", "place"]

#: Numbers of :mod:`bloor.model.orders`.
BUY, SELL = 1, -1
LIMIT, MARKET, POST_ONLY = 1, 2, 3
GTC, FOK = 1, 3
MS = 1_000_000
#: Times beyond (the year 2116) are the ordinary form's.
NS_MAX = 1 << 62


def place(entry: int, order: int, out: int, now_ns: int) -> int:
    """The frame of an order; see :mod:`bloor.venue.entry`."""
    row = row_of(entry, order)
    kind, side = cell_at(order + ORDER_TYPE), cell_at(order + ORDER_SIDE)
    lots, sent_ns = cell_at(order + ORDER_LOTS), now_ns + cell_at(entry + 8 * OFFSET)
    end = end_of(kind, cell_at(order + ORDER_TIF))
    if row == 0 or end < 0 or (side != BUY and side != SELL) or not 0 <= now_ns <= NS_MAX or sent_ns < 0:
        return -1
    if lots < 1 or lots > cell_at(row + 8 * LOTS_MAX):
        return -1
    client0, client1 = cell_at(order + ORDER_CLIENT0), cell_at(order + ORDER_CLIENT1)
    p = put_client_id(put_piece(out, entry + 8 * OPEN_PLACE), client0, client1)
    if p == 0:
        return -1
    p = put_piece(p, row + 8 * PLACE + 16 * (2 * (kind - LIMIT) + (1 if side == SELL else 0)))
    units = lots * cell_at(row + 8 * LOT_UNITS)
    p = put_decimal(p, units, cell_at(row + 8 * QTY_DECIMALS), cell_at(row + 8 * QTY_SCALE))
    p = put_client_id(put_piece(p, entry + 8 * CLIENT_ID), client0, client1)
    if kind != MARKET:
        price = cell_at(order + ORDER_PRICE)
        if price < 1 or price > cell_at(row + 8 * TICKS_MAX):
            return -1
        p = put_piece(p, entry + 8 * PRICE)
        units = price * cell_at(row + 8 * TICK_UNITS)
        p = put_decimal(p, units, cell_at(row + 8 * PRICE_DECIMALS), cell_at(row + 8 * PRICE_SCALE))
    p = put_number(put_piece(p, entry + 8 * ENDS + 16 * end), sent_ns // MS)
    return put_piece(p, entry + 8 * CLOSE) - out


def cancel(entry: int, order: int, out: int, now_ns: int) -> int:
    """The frame of a request to cancel; see :mod:`bloor.venue.entry`."""
    row, venue_id = row_of(entry, order), cell_at(order + ORDER_VENUE_ID)
    sent_ns = now_ns + cell_at(entry + 8 * OFFSET)
    if row == 0 or venue_id < -1 or not 0 <= now_ns <= NS_MAX or sent_ns < 0:
        return -1
    client0, client1 = cell_at(order + ORDER_CLIENT0), cell_at(order + ORDER_CLIENT1)
    p = put_client_id(put_piece(out, entry + 8 * OPEN_CANCEL), client0, client1)
    if p == 0:
        return -1
    p = put_piece(p, row + 8 * CANCEL)
    if venue_id >= 0:
        p = put_number(put_piece(p, entry + 8 * BY_VENUE_ID), venue_id)
        p = put_piece(p, entry + 8 * AFTER_VENUE_ID)
    else:
        p = put_client_id(put_piece(p, entry + 8 * BY_CLIENT_ID), client0, client1)
        p = put_piece(p, entry + 8 * AFTER_CLIENT_ID)
    return put_piece(put_number(p, sent_ns // MS), entry + 8 * CLOSE) - out


def row_of(entry: int, order: int) -> int:
    """The address of the row of an order's instrument; 0 when nothing may be encoded for it."""
    index = cell_at(order + ORDER_INSTRUMENT)
    if cell_at(entry + 8 * READY) != 1 or index < 0 or index >= cell_at(entry + 8 * COUNT):
        return 0
    row = cell_at(entry + 8 * ROWS) + index * (8 * ROW_CELLS)
    return row if cell_at(row + 8 * CANCEL + 8) > 0 else 0


def end_of(kind: int, tif: int) -> int:
    """Which of the pieces at ENDS comes before the timestamp; -1 when there is none."""
    if kind == LIMIT:
        return tif - GTC if GTC <= tif <= FOK else -1
    if kind == POST_ONLY:
        return END_POST_ONLY
    return END_MARKET if kind == MARKET else -1
