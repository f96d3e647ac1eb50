"""Reading the value of a key that was scanned (kernels; hot path). -1 says "not sure", for whatever reason."""

from __future__ import annotations

from bloor.market.compiled.context import PRICE_DECIMALS, PRICE_SCALE, QTY_DECIMALS, QTY_SCALE, TICK_UNITS
from bloor.market.compiled.text import read_decimal, read_integer
from bloor.native.memory import Cells, byte_at, cell_at
from bloor_binance.compiled.layout import AT

__all__ = ["flag", "integer", "price", "quantity", "time_ns"]

#: The reference's rule: times from here on are microseconds (:mod:`bloor_binance.frames.fields`).
MICROSECONDS_FROM = 100_000_000_000_000
#: The last ms and us whose ns fit 63 bits.
MS_MAX = 9_223_372_036_854
US_MAX = 9_223_372_036_854_775


def integer(context: Cells, key: int) -> int:
    """A whole number of at most 18 digits."""
    return read_integer(context[AT + key])


def time_ns(context: Cells, key: int) -> int:
    """A time in ms or us as ns."""
    value = read_integer(context[AT + key])
    if value < MICROSECONDS_FROM:
        return value * 1_000_000 if 0 <= value <= MS_MAX else -1
    return value * 1_000 if value <= US_MAX else -1


def price(context: Cells, key: int, slot: int, end: int) -> int:
    """A price in ticks, 0 for zero."""
    p = context[AT + key]
    if byte_at(p) != 34:
        return -1
    units, p = read_decimal(p + 1, end, cell_at(slot + 8 * PRICE_DECIMALS), cell_at(slot + 8 * PRICE_SCALE))
    tick_units = cell_at(slot + 8 * TICK_UNITS)
    if tick_units == 1:
        return units
    return -1 if units < 0 or units % tick_units != 0 else units // tick_units


def quantity(context: Cells, key: int, slot: int, end: int) -> int:
    """A quantity in units, 0 for zero."""
    p = context[AT + key]
    if byte_at(p) != 34:
        return -1
    units, p = read_decimal(p + 1, end, cell_at(slot + 8 * QTY_DECIMALS), cell_at(slot + 8 * QTY_SCALE))
    return units


def flag(context: Cells, key: int) -> int:
    """1 for true, 0 for false."""
    c = byte_at(context[AT + key])
    if c == 116:
        return 1
    return 0 if c == 102 else -1
