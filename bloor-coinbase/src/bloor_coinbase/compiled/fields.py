"""Fields of trades and quotes by name, and the event of each (kernels; hot path)."""

from __future__ import annotations

from bloor.market.compiled.answers import BBO, SLOT_SHIFT, TRADE, UNSURE
from bloor.market.compiled.context import (
    CONNECTION,
    EVENT,
    INSTRUMENT,
    LAST_TRADE,
    NEWEST_TRADE,
    NUMBER,
    PRICE_DECIMALS,
    PRICE_SCALE,
    QTY_DECIMALS,
    QTY_SCALE,
    SLOTS,
    SYMBOL_MASK,
    SYMBOLS,
    TICK_UNITS,
    find_slot,
)
from bloor.market.compiled.record import write_event
from bloor.market.compiled.text import expect, read_decimal, skip_space, string_end, value_end
from bloor.native.memory import Cells, byte_at, cell_at, put_cell, word_at
from bloor_coinbase.compiled.envelope import closed
from bloor_coinbase.compiled.layout import AT, SENT, SEQ, SNAPSHOT
from bloor_coinbase.compiled.times import read_time
from bloor_coinbase.compiled.words import cell, half

__all__ = ["market_trades", "ticker"]

# fields, each with a bit
PRODUCT, BID, BID_QTY, ASK, ASK_QTY, TRADE_ID, PRICE, SIZE, SIDE, TIME = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
QUOTE_FIELDS = 1 << PRODUCT | 1 << BID | 1 << BID_QTY | 1 << ASK | 1 << ASK_QTY
TRADE_FIELDS = 1 << PRODUCT | 1 << TRADE_ID | 1 << PRICE | 1 << SIZE | 1 << SIDE | 1 << TIME

PRODUCT_0, PRODUCT_3 = cell(b"product_"), cell(b'duct_id"')
BEST_BID, BEST_ASK = cell(b"best_bid"), cell(b"best_ask")
QUANTITY_0, QUANTITY_2 = cell(b"_quantit"), cell(b'uantity"')
TRADE_ID_0, PRICE_0 = cell(b"trade_id"), half(b"pric")
SIZE_0, SIDE_0, TIME_0 = half(b"size"), half(b"side"), half(b"time")
TICKERS_0, TICKERS_4 = cell(b'"tickers'), cell(b'kers":[{')
TRADES_0, TRADES_4 = cell(b'"trades"'), cell(b'des":[{"')
BUY_0, SELL_0 = half(b'BUY"'), half(b"SELL")
KIND_TRADE, KIND_BBO = 1, 3


def field_of(p: int, close: int) -> int:
    """The field whose name lies between two addresses, its closing quote at the second; 0 for another."""
    size = close - p
    if size == 4:
        name = word_at(p)
        return SIZE if name == SIZE_0 else SIDE if name == SIDE_0 else TIME if name == TIME_0 else 0
    if size == 5:
        return PRICE if word_at(p) == PRICE_0 and byte_at(p + 4) == 101 else 0
    if size == 8:
        name = cell_at(p)
        return BID if name == BEST_BID else ASK if name == BEST_ASK else TRADE_ID if name == TRADE_ID_0 else 0
    if size == 10:
        return PRODUCT if cell_at(p) == PRODUCT_0 and cell_at(p + 3) == PRODUCT_3 else 0
    if size == 17 and cell_at(p + 8) == QUANTITY_0 and cell_at(p + 10) == QUANTITY_2:
        name = cell_at(p)
        return BID_QTY if name == BEST_BID else ASK_QTY if name == BEST_ASK else 0
    return 0


def read_object(context: Cells, p: int, wanted: int) -> int:
    """Finds the fields of an object, from behind its brace: addresses of their values to ``AT``.

    Returns:
        The address behind the closing brace; 0 when not sure, or when one of the wanted fields is not there, once.
    """
    seen = 0
    while True:
        if byte_at(p) != 34:
            return 0
        close = string_end(p + 1)
        if close == 0:
            return 0
        name = field_of(p + 1, close)
        p = expect(close + 1, 58)
        if p == 0:
            return 0
        p = skip_space(p)
        if name != 0:
            if seen & (1 << name) != 0:
                return 0
            seen |= 1 << name
            context[AT + name] = p
        p = value_end(p)
        if p == 0:
            return 0
        p = skip_space(p)
        c = byte_at(p)
        p += 1
        if c == 125:
            return p if seen & wanted == wanted else 0
        if c != 44:
            return 0
        p = skip_space(p)


def text_at(context: Cells, name: int) -> int:
    """The address behind the opening quote of a field; 0 when it is no text."""
    p = context[AT + name]
    return p + 1 if byte_at(p) == 34 else 0


def slot_of(context: Cells) -> int:
    """The slot of the instrument that the object names; 0 when there is none."""
    p = text_at(context, PRODUCT)
    if p == 0:
        return 0
    return find_slot(context[SYMBOLS], context[SYMBOL_MASK], context[SLOTS], p, string_end(p), 0)


def price_of(context: Cells, slot: int, name: int, end: int) -> int:
    """A price in ticks; 0 or less when not sure."""
    p = text_at(context, name)
    if p == 0:
        return 0
    units, _ = read_decimal(p, end, cell_at(slot + 8 * PRICE_DECIMALS), cell_at(slot + 8 * PRICE_SCALE))
    tick_units = cell_at(slot + 8 * TICK_UNITS)
    if tick_units == 1 or units <= 0:
        return units
    return units // tick_units if units % tick_units == 0 else 0


def quantity_of(context: Cells, slot: int, name: int, end: int) -> int:
    """A quantity in units; -1 when not sure."""
    p = text_at(context, name)
    if p == 0:
        return -1
    units, _ = read_decimal(p, end, cell_at(slot + 8 * QTY_DECIMALS), cell_at(slot + 8 * QTY_SCALE))
    return units


def ticker(context: Cells, p: int, end: int, recv_ns: int) -> int:
    """Takes ``"tickers":[{...}]}]}`` with one best bid and offer."""
    if p + 24 > end or cell_at(p) != TICKERS_0 or cell_at(p + 4) != TICKERS_4:
        return UNSURE
    p = read_object(context, p + 12, QUOTE_FIELDS)
    if p == 0 or byte_at(p) != 93 or not closed(p + 1, end):
        return UNSURE
    slot = slot_of(context)
    if slot == 0:
        return UNSURE
    bid, bid_qty = price_of(context, slot, BID, end), quantity_of(context, slot, BID_QTY, end)
    ask, ask_qty = price_of(context, slot, ASK, end), quantity_of(context, slot, ASK_QTY, end)
    if bid <= 0 or ask <= 0 or bid_qty < 0 or ask_qty < 0:
        return UNSURE
    context[CONNECTION] = context[SEQ]
    write_event(
        context[EVENT], KIND_BBO, 0, 0, cell_at(slot + 8 * INSTRUMENT), -1, context[SENT], recv_ns,
        bid, bid_qty, ask, ask_qty,
    )  # fmt: skip
    return BBO + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)


def market_trades(context: Cells, p: int, end: int, recv_ns: int) -> int:
    """Takes ``"trades":[{...}]}]}`` with one new trade; several in a frame, and repeated ones, are the reference's."""
    if context[SNAPSHOT] == 1 or p + 24 > end or cell_at(p) != TRADES_0 or cell_at(p + 4) != TRADES_4:
        return UNSURE
    p = read_object(context, p + 11, TRADE_FIELDS)
    if p == 0 or byte_at(p) != 93 or not closed(p + 1, end):
        return UNSURE
    slot, number, side = slot_of(context), trade_number(context), taker_side(context)
    at = text_at(context, TIME)
    if slot == 0 or number < 0 or side == 0 or at == 0:
        return UNSURE
    time_ns, _ = read_time(at, end)
    price, qty = price_of(context, slot, PRICE, end), quantity_of(context, slot, SIZE, end)
    if time_ns < 0 or price <= 0 or qty <= 0:
        return UNSURE
    newest = slot + 8 * NEWEST_TRADE
    put_cell(newest, max(cell_at(newest), number))
    context[LAST_TRADE] = number
    context[CONNECTION] = context[SEQ]
    write_event(
        context[EVENT], KIND_TRADE, side, 0, cell_at(slot + 8 * INSTRUMENT), number, time_ns, recv_ns, price, qty, 0, 0
    )
    return TRADE + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)


def trade_number(context: Cells) -> int:
    """The id of a trade, which is text of 1 to 18 digits without zeros before them; -1 when not sure."""
    p = text_at(context, TRADE_ID)
    if p == 0:
        return -1
    start, number = p, 0
    c = byte_at(p) - 48
    while 0 <= c <= 9 and p - start < 18:
        number = number * 10 + c
        p += 1
        c = byte_at(p) - 48
    if p == start or c != -14 or (byte_at(start) == 48 and p - start > 1):
        return -1
    return number


def taker_side(context: Cells) -> int:
    """The side of the taker, which is not the maker's that the venue says: 1, -1, or 0 when not sure."""
    p = text_at(context, SIDE)
    if p == 0:
        return 0
    name = word_at(p)
    if name == BUY_0:
        return -1
    return 1 if name == SELL_0 and byte_at(p + 4) == 34 else 0
