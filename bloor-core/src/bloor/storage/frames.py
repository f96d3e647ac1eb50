"""Event records as columns, for data frames and files: integers as they are, and what they are worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from bloor.errors import UsageError
from bloor.market.events import NO_PRICE
from bloor.model.instrument import Instrument
from bloor.storage.cells import PRICES, QUANTITIES, Records, of_no_order
from bloor.storage.parts import kind_name

__all__ = ["columns", "frame", "worth"]


def worth(values: np.ndarray[Any, Any], step: int, decimals: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """``values * step / 10**decimals``: the float nearest to the decimal number, where the product is below 2**53."""
    result: np.ndarray[Any, np.dtype[np.float64]] = (values * step) / float(10**decimals)
    return result


def columns(rows: Records, instrument: Instrument) -> dict[str, np.ndarray[Any, Any]]:
    """The columns of a data frame, by name.

    ``kind`` (its name), ``side``, ``flags``, ``seq``, ``exch_ns``, ``recv_ns``; ``price``, ``qty``, ``price2`` and
    ``qty2`` as floats, NaN where a record has none; the same four behind ``raw_`` as the integers of the record.
    """
    kinds = np.asarray(rows["kind"])
    names = np.array([kind_name(kind) for kind in range(256)])
    made: dict[str, np.ndarray[Any, Any]] = {"kind": names[kinds]}
    for name in ("side", "flags", "seq", "exch_ns", "recv_ns"):
        made[name] = np.ascontiguousarray(rows[name])
    for name in ("price", "qty", "price2", "qty2"):
        values = made[f"raw_{name}"] = np.ascontiguousarray(rows[name])
        made[name] = np.full(len(values), np.nan)
        for cells, step, decimals in (
            (PRICES, instrument.tick_units, instrument.price_decimals),
            (QUANTITIES, 1, instrument.qty_decimals),
        ):
            of = [int(kind) for kind in cells.get(name, ())]
            known = np.isin(kinds, of) & (values != NO_PRICE)
            made[name][known] = worth(values[known], step, decimals)
    made["qty2"][of_no_order(rows)] = np.nan
    return made


def frame(rows: Records, instrument: Instrument, library: str) -> Any:
    """A data frame of pandas or polars.

    Raises:
        UsageError: The library is not installed.
    """
    try:
        if library == "pandas":
            import pandas as pd

            return pd.DataFrame(columns(rows, instrument))
        import polars as pl

        return pl.DataFrame(columns(rows, instrument))
    except ImportError:
        raise UsageError(f"as_={library!r} needs {library}, which is not installed: pip install {library}") from None
