"""Trades, single and aggregated, and best bid and offer (kernels; hot path)."""

from __future__ import annotations

from bloor.market.compiled.answers import AGG_TRADE, BBO, SLOT_SHIFT, TRADE, UNSURE
from bloor.market.compiled.context import EVENT, INSTRUMENT, LAST_TRADE, NUMBER, SETTINGS
from bloor.market.compiled.record import write_event
from bloor.market.events import NO_PRICE
from bloor.native.memory import Cells, cell_at
from bloor_binance.compiled.fields import flag, integer, price, quantity, time_ns
from bloor_binance.compiled.layout import (
    AT,
    KEY_A,
    KEY_B,
    KEY_E,
    KEY_T,
    KEY_X,
    SEEN,
    SLOT,
    USDM,
    KEY_a,
    KEY_b,
    KEY_f,
    KEY_l,
    KEY_m,
    KEY_p,
    KEY_q,
    KEY_t,
    KEY_u,
)
from bloor_binance.compiled.scan import is_text

__all__ = ["agg_trade", "book_ticker", "trade"]

#: The numbers of :class:`bloor.market.events.EventKind`.
KIND_TRADE, KIND_AGG_TRADE, KIND_BBO = 1, 2, 3

TRADE_KEYS = 1 << KEY_t | 1 << KEY_p | 1 << KEY_q | 1 << KEY_T | 1 << KEY_m
AGG_TRADE_KEYS = 1 << KEY_a | 1 << KEY_p | 1 << KEY_q | 1 << KEY_f | 1 << KEY_l | 1 << KEY_T | 1 << KEY_m
QUOTE_KEYS = 1 << KEY_u | 1 << KEY_b | 1 << KEY_B | 1 << KEY_a | 1 << KEY_A


def trade(context: Cells, end: int, recv_ns: int) -> int:
    """A public trade; one of USD-M that was not made in the book is the reference's."""
    seen = context[SEEN]
    if seen & TRADE_KEYS != TRADE_KEYS:
        return UNSURE
    if context[SETTINGS] == USDM and seen & (1 << KEY_X) != 0:
        p = context[AT + KEY_X]
        if not (is_text(p, 34, 77, 65, 82) and is_text(p + 4, 75, 69, 84, 34)):  # "MARKET"
            return UNSURE
    return write_trade(context, end, recv_ns, KIND_TRADE, integer(context, KEY_t), 0, 0)


def agg_trade(context: Cells, end: int, recv_ns: int) -> int:
    """Trades of one taker order at one price."""
    if context[SEEN] & AGG_TRADE_KEYS != AGG_TRADE_KEYS:
        return UNSURE
    first, last = integer(context, KEY_f), integer(context, KEY_l)
    if first < 0 or last < 0:
        return UNSURE
    return write_trade(context, end, recv_ns, KIND_AGG_TRADE, integer(context, KEY_a), first, last)


def write_trade(context: Cells, end: int, recv_ns: int, kind: int, number: int, first: int, last: int) -> int:
    """The record of a trade."""
    slot = context[SLOT]
    ticks, units = price(context, KEY_p, slot, end), quantity(context, KEY_q, slot, end)
    maker_bought = flag(context, KEY_m)
    exch_ns = time_ns(context, KEY_T)
    if number < 0 or ticks <= 0 or units <= 0 or maker_bought < 0 or exch_ns < 0:
        return UNSURE
    write_event(
        context[EVENT], kind, 1 - 2 * maker_bought, 0, cell_at(slot + 8 * INSTRUMENT),
        number, exch_ns, recv_ns, ticks, units, first, last,
    )  # fmt: skip
    context[LAST_TRADE] = number
    answer = TRADE if kind == KIND_TRADE else AGG_TRADE
    return answer + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)


def book_ticker(context: Cells, end: int, recv_ns: int) -> int:
    """The venue's best bid and offer; a side whose price and quantity are zero is empty."""
    seen = context[SEEN]
    if seen & QUOTE_KEYS != QUOTE_KEYS:
        return UNSURE
    exch_ns = 0
    if context[SETTINGS] == USDM:
        if seen & (1 << KEY_E) == 0:
            return UNSURE
        exch_ns = time_ns(context, KEY_E)
    slot = context[SLOT]
    seq = integer(context, KEY_u)
    bid, bid_qty = price(context, KEY_b, slot, end), quantity(context, KEY_B, slot, end)
    ask, ask_qty = price(context, KEY_a, slot, end), quantity(context, KEY_A, slot, end)
    if seq < 0 or exch_ns < 0 or bid < 0 or bid_qty < 0 or ask < 0 or ask_qty < 0:
        return UNSURE
    if (bid == 0 and bid_qty != 0) or (ask == 0 and ask_qty != 0):
        return UNSURE
    write_event(
        context[EVENT], KIND_BBO, 0, 0, cell_at(slot + 8 * INSTRUMENT), seq, exch_ns, recv_ns,
        bid if bid != 0 else NO_PRICE, bid_qty, ask if ask != 0 else NO_PRICE, ask_qty,
    )  # fmt: skip
    return BBO + (cell_at(slot + 8 * NUMBER) << SLOT_SHIFT)
