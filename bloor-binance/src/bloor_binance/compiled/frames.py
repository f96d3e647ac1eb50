"""The entry: which kind of message a frame is (kernel; hot path)."""

from __future__ import annotations

from bloor.market.compiled.answers import AGG_TRADE, BBO, KIND_MASK, TRADE, UNSURE
from bloor.market.compiled.context import SETTINGS
from bloor.market.compiled.text import skip_space, string_end
from bloor.native.memory import Cells, byte_at
from bloor_binance.compiled.depth import best_levels, depth
from bloor_binance.compiled.derived import kline, mark_price
from bloor_binance.compiled.layout import (
    AT,
    KEY_A,
    KEY_B,
    SEEN,
    STREAM,
    STREAM_PLAIN,
    USDM,
    KEY_e,
    KEY_lastUpdateId,
    KEY_s,
)
from bloor_binance.compiled.scan import is_text, scan_frame
from bloor_binance.compiled.shapes import follow, learn, shape_for
from bloor_binance.compiled.trades import agg_trade, book_ticker, trade

__all__ = ["step"]

EVENT_KEY = 1 << KEY_e
#: An object that was scanned with this key has a known instrument.
SYMBOL_KEY = 1 << KEY_s
SNAPSHOT_KEY = 1 << KEY_lastUpdateId
QUOTE_KEYS = 1 << KEY_A | 1 << KEY_B


def step(context: Cells, text: int, size: int, recv_ns: int) -> int:
    """Takes one frame; see :class:`bloor.market.normalizer.CompiledNormalizer`."""
    end = text + size
    shape = shape_for(context, text, size)
    if shape != 0:
        kind = follow(context, shape, text, end)
        if kind == BBO:
            return book_ticker(context, end, recv_ns)
        if kind == TRADE:
            return trade(context, end, recv_ns)
        if kind == AGG_TRADE:
            return agg_trade(context, end, recv_ns)
    answer = scanned(context, text, end, recv_ns)
    if shape != 0 and answer >= 0:
        kind = answer & KIND_MASK
        if kind in (BBO, TRADE, AGG_TRADE):
            learn(context, shape, text, end, kind)
    return answer


def scanned(context: Cells, text: int, end: int, recv_ns: int) -> int:
    """Takes a frame that has to be scanned in full."""
    p = scan_frame(context, skip_space(text), end)
    if p == 0 or (p != end and skip_space(p) != end):
        return UNSURE
    seen = context[SEEN]
    if seen & EVENT_KEY == 0:
        if context[SETTINGS] == USDM:
            return UNSURE
        if seen & SNAPSHOT_KEY != 0:
            return best_levels(context, end, recv_ns)
        if seen & SYMBOL_KEY == 0 or context[STREAM] > STREAM_PLAIN or seen & QUOTE_KEYS == 0:
            return UNSURE
        return book_ticker(context, end, recv_ns)
    if seen & SYMBOL_KEY == 0 or byte_at(context[AT + KEY_e]) != 34:
        return UNSURE
    return by_kind(context, context[AT + KEY_e] + 1, end, recv_ns)


def by_kind(context: Cells, p: int, end: int, recv_ns: int) -> int:
    """Takes an event whose kind is the text at ``p``, already known to end with a quote."""
    size = string_end(p) - p
    if size == 5 and is_text(p, 116, 114, 97, 100) and byte_at(p + 4) == 101:  # trade
        return trade(context, end, recv_ns)
    if size == 11 and is_text(p, 100, 101, 112, 116) and is_text(p + 4, 104, 85, 112, 100):  # depthUpd
        if byte_at(p + 8) == 97 and byte_at(p + 9) == 116 and byte_at(p + 10) == 101:  # ate
            return depth(context, end, recv_ns)
    elif size == 10 and is_text(p, 98, 111, 111, 107) and is_text(p + 4, 84, 105, 99, 107):  # bookTick
        if byte_at(p + 8) == 101 and byte_at(p + 9) == 114:  # er
            return book_ticker(context, end, recv_ns)
    elif size == 8 and is_text(p, 97, 103, 103, 84) and is_text(p + 4, 114, 97, 100, 101):  # aggTrade
        return agg_trade(context, end, recv_ns)
    elif size == 5 and is_text(p, 107, 108, 105, 110) and byte_at(p + 4) == 101:  # kline
        return kline(context, end, recv_ns)
    elif (
        size == 15
        and context[SETTINGS] == USDM
        and is_text(p, 109, 97, 114, 107)  # mark
        and is_text(p + 4, 80, 114, 105, 99)  # Pric
        and is_text(p + 8, 101, 85, 112, 100)  # eUpd
        and is_text(p + 11, 100, 97, 116, 101)  # date
    ):
        return mark_price(context, end, recv_ns)
    return UNSURE
