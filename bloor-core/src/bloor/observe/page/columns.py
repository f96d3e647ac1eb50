"""Curves made small: as many columns as a screen has, packed as 16-bit steps of the curve's range.

Each column has the lowest and the highest value, so that no extreme is lost.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

__all__ = ["Columns", "columns_of", "packed"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@frozen(kw_only=True, eq=False)
class Columns:
    """A curve in columns of equal time.

    Attributes:
        low: The lowest value in each, the one it begins with included; float64.
        high: The highest; float64.
        last: The one it ends with; float64.
    """

    low: Floats
    high: Floats
    last: Floats


def columns_of(times: Ints, values: Floats, begin_ns: int, end_ns: int, count: int) -> Columns:
    """A curve of which each value holds until the next, between two times, in columns.

    Args:
        times: In rising order; int64 ns. Before the first one its value holds.
        values: One a time, at least one; float64.
        begin_ns: Begin of the first column.
        end_ns: End of the last one.
        count: How many columns.
    """
    edges = begin_ns + (np.arange(count + 1) * ((end_ns - begin_ns) / count)).astype(np.int64)
    edges[-1] = end_ns  # not a nanosecond less
    rows = np.maximum(np.searchsorted(times, edges, side="right") - 1, 0)
    starts, last = rows[:-1], values[rows[1:]]
    # from what holds at the begin of a column to what holds at its end, which reduceat leaves to the next column
    shown = values[: rows[-1] + 1]
    return Columns(
        low=np.minimum(np.minimum.reduceat(shown, starts), last),
        high=np.maximum(np.maximum.reduceat(shown, starts), last),
        last=last,
    )


def packed(*series: Floats) -> dict[str, Any]:
    """Series of one scale for the page's script: ``low + step * q``, each ``q`` 16 bits, little-endian, in base64."""
    low = min(float(each.min()) for each in series)
    step = (max(float(each.max()) for each in series) - low) / 65_535
    texts = []
    for each in series:
        steps = np.rint((each - low) / step) if step else np.zeros(len(each))
        texts.append(base64.b64encode(steps.astype("<u2").tobytes()).decode())
    return {"low": low, "step": step, "q": texts}
