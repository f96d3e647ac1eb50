"""Candles and mark prices (kernels)."""

from __future__ import annotations

from bloor.market.compiled.answers import KLINE, MARK_PRICE, SLOT_SHIFT, UNSURE
from bloor.market.compiled.context import EVENT, INSTRUMENT, NUMBER
from bloor.market.compiled.record import write_event
from bloor.market.compiled.text import read_decimal
from bloor.market.events import NO_PRICE
from bloor.native.memory import Cells, byte_at, cell_at
from bloor_binance.compiled.fields import flag, integer, price, quantity, time_ns
from bloor_binance.compiled.layout import (
    AT,
    KEY_E,
    KEY_T,
    KEY_V,
    SEEN,
    SLOT,
    KEY_c,
    KEY_h,
    KEY_i,
    KEY_k,
    KEY_l,
    KEY_n,
    KEY_o,
    KEY_p,
    KEY_r,
    KEY_t,
    KEY_v,
    KEY_x,
)
from bloor_binance.compiled.scan import scan_object

__all__ = ["kline", "mark_price"]

#: The numbers of :class:`bloor.market.events.EventKind`, and the bit of :class:`bloor.market.events.Flag`.
KIND_KLINE, KIND_KLINE_VOLUME, KIND_MARK_PRICE, FLAG_FINAL = 8, 9, 10, 16
#: :data:`bloor.market.events.MARK_DECIMALS` and its power of ten.
RATE_DECIMALS, RATE_SCALE = 8, 100_000_000

OUTER_KEYS = 1 << KEY_E | 1 << KEY_k
KLINE_KEYS = (
    1 << KEY_t | 1 << KEY_T | 1 << KEY_o | 1 << KEY_h | 1 << KEY_l | 1 << KEY_c
    | 1 << KEY_v | 1 << KEY_V | 1 << KEY_n | 1 << KEY_x
)  # fmt: skip
MARK_KEYS = 1 << KEY_E | 1 << KEY_p | 1 << KEY_i | 1 << KEY_r | 1 << KEY_T


def kline(context: Cells, end: int, recv_ns: int) -> int:
    """A candle: its object is in another, and is scanned now."""
    if context[SEEN] & OUTER_KEYS != OUTER_KEYS:
        return UNSURE
    exch_ns, slot, inner = time_ns(context, KEY_E), context[SLOT], context[AT + KEY_k]
    if exch_ns < 0 or byte_at(inner) != 123 or scan_object(context, inner, end) == 0:
        return UNSURE
    if context[SEEN] & KLINE_KEYS != KLINE_KEYS:
        return UNSURE
    first, high = price(context, KEY_o, slot, end), price(context, KEY_h, slot, end)
    low, last = price(context, KEY_l, slot, end), price(context, KEY_c, slot, end)
    bought, traded = quantity(context, KEY_V, slot, end), quantity(context, KEY_v, slot, end)
    opened, closed = time_ns(context, KEY_t), time_ns(context, KEY_T)
    trades, final = integer(context, KEY_n), flag(context, KEY_x)
    if first <= 0 or high <= 0 or low <= 0 or last <= 0 or bought < 0 or traded < 0:
        return UNSURE
    if opened < 0 or closed < 0 or trades < 0 or final < 0:
        return UNSURE
    flags, instrument, at = FLAG_FINAL * final, cell_at(slot + 8 * INSTRUMENT), context[EVENT]
    write_event(at, KIND_KLINE, 0, flags, instrument, opened, exch_ns, recv_ns, first, high, low, last)
    write_event(
        at + 64, KIND_KLINE_VOLUME, 0, flags, instrument, opened, exch_ns, recv_ns, closed, traded, trades, bought
    )
    return KLINE + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)


def mark_price(context: Cells, end: int, recv_ns: int) -> int:
    """Mark price, index and funding of a derivative."""
    if context[SEEN] & MARK_KEYS != MARK_KEYS:
        return UNSURE
    slot = context[SLOT]
    mark, index = fine(context[AT + KEY_p] + 1, end), fine(context[AT + KEY_i] + 1, end)
    p = context[AT + KEY_r]
    if byte_at(p) != 34 or byte_at(context[AT + KEY_p]) != 34 or byte_at(context[AT + KEY_i]) != 34:
        return UNSURE
    if byte_at(p + 1) == 34:
        rate = NO_PRICE
    elif byte_at(p + 1) == 45:
        size = fine(p + 2, end)
        if size < 0:
            return UNSURE
        rate = -size
    else:
        rate = fine(p + 1, end)
        if rate < 0:
            return UNSURE
    exch_ns, next_ns = time_ns(context, KEY_E), time_ns(context, KEY_T)
    if mark < 0 or index < 0 or exch_ns < 0 or next_ns < 0:
        return UNSURE
    write_event(
        context[EVENT], KIND_MARK_PRICE, 0, 0, cell_at(slot + 8 * INSTRUMENT), -1, exch_ns, recv_ns,
        mark, rate, index, next_ns,
    )  # fmt: skip
    return MARK_PRICE + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)


def fine(p: int, end: int) -> int:
    """A price or a rate in units of 1e-8."""
    units, p = read_decimal(p, end, RATE_DECIMALS, RATE_SCALE)
    return units
