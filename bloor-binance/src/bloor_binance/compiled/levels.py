"""Reading ``[["price","quantity"],...]`` into the scratch rows (kernels; hot path)."""

from __future__ import annotations

from bloor.market.compiled.context import (
    LEVELS_CAP,
    PRICE_DECIMALS,
    PRICE_SCALE,
    QTY_DECIMALS,
    QTY_SCALE,
    TICK_UNITS,
)
from bloor.market.compiled.text import expect, read_decimal, skip_space
from bloor.native.memory import Cells, byte_at, cell_at

__all__ = ["read_levels"]


def read_levels(rows: Cells, row: int, p: int, end: int, slot: int) -> tuple[int, int]:
    """Reads the levels of a side.

    Args:
        rows: Gets price and quantity of each level, in ticks and units.
        row: Where the first goes.
        p: Behind the opening bracket.
        end: The end of the text.
        slot: Of the instrument.

    Returns:
        The row behind the last, and the address behind the closing bracket; address 0 when not sure.
    """
    price_decimals, price_scale = cell_at(slot + 8 * PRICE_DECIMALS), cell_at(slot + 8 * PRICE_SCALE)
    qty_decimals, qty_scale = cell_at(slot + 8 * QTY_DECIMALS), cell_at(slot + 8 * QTY_SCALE)
    tick_units = cell_at(slot + 8 * TICK_UNITS)
    p = skip_space(p)
    if byte_at(p) == 93:
        return row, p + 1
    while True:
        p = expect(p, 91)
        if p == 0:
            return row, 0
        p = expect(p, 34)
        if p == 0:
            return row, 0
        price, p = read_decimal(p, end, price_decimals, price_scale)
        if price <= 0:
            return row, 0
        if tick_units != 1:
            if price % tick_units != 0:
                return row, 0
            price //= tick_units
        p = expect(p, 44)
        if p == 0:
            return row, 0
        p = expect(p, 34)
        if p == 0:
            return row, 0
        qty, p = read_decimal(p, end, qty_decimals, qty_scale)
        if qty < 0 or row >= LEVELS_CAP:
            return row, 0
        p = expect(p, 93)
        if p == 0:
            return row, 0
        rows[row, 0] = price
        rows[row, 1] = qty
        row += 1
        c = byte_at(p)
        if c != 44 and c != 93:
            p = skip_space(p)
            c = byte_at(p)
        p += 1
        if c == 93:
            return row, p
        if c != 44:
            return row, 0
