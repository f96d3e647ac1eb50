"""Counting a trade in an open bar, for compiled code (kernel; hot path): :meth:`bloor.market.bars.Bars.add`."""

from __future__ import annotations

from bloor.native.memory import cell_at, float_at, put_cell, put_float

__all__ = ["add_trade"]

#: Where the fields of a :class:`~bloor.market.bars.BarRecord` are, in bytes.
OPEN, HIGH, LOW, CLOSE, VOLUME, VALUE, TRADES, START, KIND = 0, 8, 16, 24, 32, 40, 48, 56, 72

INT64_MAX = (1 << 63) - 1


def add_trade(bar: int, kind: int, price: int, qty: int, now_ns: int) -> int:
    """Counts a trade.

    Args:
        bar: Address of the open bar.
        kind: Number of an :class:`~bloor.market.events.EventKind`.
        price: In ticks.
        qty: In units.
        now_ns: When it came, before the end of the bar.

    Returns:
        1 when it was counted, 0 when it only gave the price, or nothing.
    """
    counted = cell_at(bar + KIND)
    if counted != kind:
        if counted != 0:
            return 0
        put_cell(bar + KIND, kind)
    put_cell(bar + CLOSE, price)
    if now_ns < cell_at(bar + START):
        return 0
    trades = cell_at(bar + TRADES)
    if trades == 0:
        put_cell(bar + OPEN, price)
    if trades == 0 or price > cell_at(bar + HIGH):
        put_cell(bar + HIGH, price)
    if trades == 0 or price < cell_at(bar + LOW):
        put_cell(bar + LOW, price)
    put_cell(bar + TRADES, trades + 1)
    put_float(bar + VALUE, float_at(bar + VALUE) + float(price) * float(qty))
    volume = cell_at(bar + VOLUME)
    if volume >= 0:
        put_cell(bar + VOLUME, volume + qty if qty <= INT64_MAX - volume else -1)
    return 1
