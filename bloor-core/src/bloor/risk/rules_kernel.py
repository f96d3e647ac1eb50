"""The compiled form of :class:`~bloor.risk.rules.InstrumentRules` (kernel; hot path)."""

from __future__ import annotations

from bloor.market.events import NO_PRICE
from bloor.native.memory import cell_at, product_above
from bloor.risk.layout import BEST_ASK, BEST_BID, INSTRUMENT, LOTS, PRICE, SIDE, TIF, TYPE, UNITS

__all__ = [
    "COUNT",
    "LOT_UNITS",
    "MAX_LOTS",
    "MAX_VALUE",
    "MIN_LOTS",
    "REFUSED",
    "ROWS",
    "ROW_CELLS",
    "TICK_UNITS",
    "UNDER_VALUE",
    "check",
]

# the cells: how many instruments there are, then a row for each
COUNT = 0
ROWS = 1

# an instrument's row
REFUSED = 0  # the rule that refuses every order; 0 when none does
LOT_UNITS = 1
MIN_LOTS = 2
MAX_LOTS = 3
TICK_UNITS = 4
UNDER_VALUE = 5  # two cells: the largest value that is too small
MAX_VALUE = 7  # two cells
ROW_CELLS = 9

# of OrderType and TimeInForce
TYPE_FIRST, TYPE_LAST, POST_ONLY = 1, 3, 3
TIF_FIRST, TIF_LAST = 1, 3

# the numbers of Rule
INSTRUMENT_UNKNOWN = 1
SIDE_INVALID = 4
TYPE_INVALID = 5
QUANTITY_BELOW_MIN = 6
QUANTITY_ABOVE_VENUE_MAX = 7
QUANTITY_INCONSISTENT = 8
PRICE_NOT_POSITIVE = 9
NOTIONAL_BELOW_MIN = 10
NOTIONAL_ABOVE_VENUE_MAX = 11
POST_ONLY_WOULD_CROSS = 12


def check(cells: int, intent: int, book: int, _exposure: int, _now_ns: int) -> int:
    """The first rule the order breaks, or 0."""
    index = cell_at(intent + 8 * INSTRUMENT)
    if index < 0 or index >= cell_at(cells + 8 * COUNT):
        return INSTRUMENT_UNKNOWN
    row = cells + 8 * (ROWS + ROW_CELLS * index)
    refused = cell_at(row + 8 * REFUSED)
    if refused != 0:
        return refused
    side = cell_at(intent + 8 * SIDE)
    if side != 1 and side != -1:
        return SIDE_INVALID
    kind, tif = cell_at(intent + 8 * TYPE), cell_at(intent + 8 * TIF)
    if kind < TYPE_FIRST or kind > TYPE_LAST or tif < TIF_FIRST or tif > TIF_LAST:
        return TYPE_INVALID
    lots = cell_at(intent + 8 * LOTS)
    if lots < cell_at(row + 8 * MIN_LOTS):
        return QUANTITY_BELOW_MIN
    if lots > cell_at(row + 8 * MAX_LOTS):
        return QUANTITY_ABOVE_VENUE_MAX
    units = cell_at(intent + 8 * UNITS)
    if units != lots * cell_at(row + 8 * LOT_UNITS):  # fits: MAX_LOTS sees to that
        return QUANTITY_INCONSISTENT
    price = cell_at(intent + 8 * PRICE)
    if price <= 0:
        return PRICE_NOT_POSITIVE
    tick = cell_at(row + 8 * TICK_UNITS)
    at = row + 8 * UNDER_VALUE
    if not product_above(price, tick, units, cell_at(at), cell_at(at + 8)):
        return NOTIONAL_BELOW_MIN
    at = row + 8 * MAX_VALUE
    if product_above(price, tick, units, cell_at(at), cell_at(at + 8)):
        return NOTIONAL_ABOVE_VENUE_MAX
    return POST_ONLY_WOULD_CROSS if kind == POST_ONLY and crosses(side, price, book) else 0


def crosses(side: int, price: int, book: int) -> bool:
    """Whether an order would trade at once."""
    if side == 1:
        ask = cell_at(book + 8 * BEST_ASK)
        return ask != NO_PRICE and price >= ask
    bid = cell_at(book + 8 * BEST_BID)
    return bid != NO_PRICE and price <= bid
