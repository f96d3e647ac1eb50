"""Exact integers in numpy columns, also where a product does not fit 64 bits.

Additions and products of int64 columns wrap around, that is, they are exact modulo ``2**64``. So a result is right
whenever **it** fits, whatever its parts did on the way. How large it gets is found in floats first; where it would not
fit, the same expression runs over Python integers, which are exact at any size and some thirty times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bloor.execution.position import EXACT

__all__ = ["exactly", "prefixed", "total", "valued"]

#: Below this a float's own error cannot hide that a number passes 63 bits.
SAFE = 2.0**62


def exactly(expression: Callable[[DTypeLike], NDArray[Any]]) -> NDArray[Any]:
    """What an expression over integers gives, as int64 where that holds it, else as Python integers.

    Args:
        expression: Computes it from columns that it casts to the type it is given, with ``+``, ``-``, ``*`` and
            ``cumsum`` alone.
    """
    size = expression(np.float64)
    return expression(np.int64 if not len(size) or float(np.abs(size).max()) < SAFE else object)


def prefixed(column: NDArray[Any]) -> NDArray[Any]:
    """Running sums with a 0 before the first: row ``n`` is the sum of the first ``n``."""
    sums = np.zeros(len(column) + 1, column.dtype)
    if len(column):
        np.cumsum(column, out=sums[1:])
    return sums


def total(column: NDArray[Any]) -> int:
    """The sum of an integer column, exact whatever its size."""
    if column.dtype == object:
        return int(sum(column.tolist()))
    wide = column.astype(np.int64, copy=False)
    return (int((wide >> 32).sum()) << 32) + int((wide & 0xFFFFFFFF).sum())


def valued(units: int, decimals: int, rate: Decimal) -> Decimal:
    """``units * 10**-decimals * rate``, exact."""
    return EXACT.multiply(Decimal(units).scaleb(-decimals, EXACT), rate)
