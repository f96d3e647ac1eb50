"""Which cells of an event record are prices and quantities, and their exact conversion to finer units."""

from __future__ import annotations

from typing import Any

import numpy as np

from bloor.errors import MoneyError
from bloor.market.events import NO_PRICE, EventKind, EventView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument

__all__ = ["PRICES", "QUANTITIES", "Records", "common_units", "of_no_order", "rescale", "times"]

#: A structured array of :attr:`EventView.DTYPE <bloor.market.events.EventView>`.
Records = np.ndarray[Any, np.dtype[Any]]

_QUOTES = frozenset({EventKind.BBO, EventKind.BOOK})
_TRADES = frozenset({EventKind.TRADE, EventKind.AGG_TRADE, EventKind.LEVEL})
_LEVELS = frozenset({EventKind.LEVEL})
_CANDLE = frozenset({EventKind.KLINE})
_VOLUME = frozenset({EventKind.KLINE_VOLUME})

#: Cell -> the kinds for which it is a price in ticks.
PRICES = {"price": _QUOTES | _TRADES | _CANDLE, "qty": _CANDLE, "price2": _QUOTES | _CANDLE, "qty2": _CANDLE}
#: Cell -> the kinds for which it is a quantity in units.
QUANTITIES = {"qty": _QUOTES | _TRADES | _VOLUME, "qty2": _QUOTES | _VOLUME | _LEVELS}
#: A volume that does not fit 63 bits.
NO_VOLUME = -1


def _mask(kinds: np.ndarray[Any, Any], wanted: frozenset[EventKind]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    table = np.zeros(256, np.bool_)
    table[[int(kind) for kind in wanted]] = True
    chosen: np.ndarray[Any, np.dtype[np.bool_]] = table[kinds]
    return chosen


def rescale(rows: Records, old: Instrument, new: Instrument) -> None:
    """Counts records in the finer units of another definition of the same instrument, in place and exactly.

    Raises:
        MoneyError: ``new`` is not finer than ``old``, or a number does not fit 63 bits.
    """
    up, down = old.tick_units * 10 ** max(0, new.price_decimals - old.price_decimals), new.tick_units
    if new.price_decimals < old.price_decimals or up % down or new.qty_decimals < old.qty_decimals:
        raise MoneyError(f"{old.symbol}: what counts in {_units(old)} cannot be counted exactly in {_units(new)}")
    for cells, factor in ((PRICES, up // down), (QUANTITIES, 10 ** (new.qty_decimals - old.qty_decimals))):
        if factor == 1:
            continue
        for name, kinds in cells.items():
            values = rows[name]
            chosen = (
                _mask(rows["kind"], kinds)
                & (values != NO_PRICE)
                & ((values != NO_VOLUME) | (rows["kind"] != EventKind.KLINE_VOLUME))
            )
            if chosen.any():
                if int(np.abs(values[chosen]).max()) > INT64_MAX // factor:
                    raise MoneyError(f"{old.symbol}: a number does not fit 63 bits in {_units(new)}")
                values[chosen] *= factor


def common_units(definitions: list[Instrument]) -> Instrument:
    """The definition in whose units all of these count exactly; the first of them when they agree."""
    from attrs import evolve

    first = definitions[0]
    grids = {(i.price_decimals, i.tick_units) for i in definitions}
    qty_decimals = max(i.qty_decimals for i in definitions)
    price_decimals, tick_units = grids.pop() if len(grids) == 1 else (max(d for d, _ in grids | {(0, 1)}), 1)
    if (price_decimals, tick_units, qty_decimals) == (first.price_decimals, first.tick_units, first.qty_decimals):
        return first
    lot_units = first.lot_units * 10 ** (qty_decimals - first.qty_decimals)
    return evolve(
        first, price_decimals=price_decimals, tick_units=tick_units, qty_decimals=qty_decimals, lot_units=lot_units
    )


def _units(instrument: Instrument) -> str:
    return f"ticks of {instrument.tick_size} and units of 1e-{instrument.qty_decimals}"


def of_no_order(rows: Records) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which records are of levels and do not say whose order changed: their second quantity is none, not 0."""
    found: np.ndarray[Any, np.dtype[np.bool_]] = (rows["kind"] == EventKind.LEVEL) & (rows["price2"] == 0)
    return found


def times(rows: Records, last: int = 0) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The time that orders each record: when it was received, else the venue's, and never less than before it.

    Args:
        rows: Records of one instrument, in the order they came.
        last: Time of the record before the first; 0 when there is none.

    Returns:
        ``(rows,)`` int64, ns since the epoch, never falling; 0 up to the first record that has a time.
    """
    known = np.where(rows["recv_ns"] > 0, rows["recv_ns"], rows["exch_ns"])
    if len(known):
        known[0] = max(int(known[0]), last)
    result: np.ndarray[Any, np.dtype[np.int64]] = np.maximum.accumulate(known)
    return result


assert EventView.DTYPE.names is not None
