"""The words of memory that speak of floats mean the same compiled and not."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bloor.native import memory
from bloor.native.twins import twins

INT64_MAX = (1 << 63) - 1
#: Whole numbers, many of them where a float has to be rounded.
whole = st.one_of(
    st.integers(0, 1000),
    st.integers(0, INT64_MAX),
    st.builds(lambda bits, off: max(0, min(INT64_MAX, (1 << bits) + off)), st.integers(50, 63), st.integers(-2, 2)),
)
_product: Any = twins()[memory.product_float]
_float_at: Any = twins()[memory.float_at]


@numba.njit
def product(a: int, b: int, c: int) -> float:
    """The compiled word."""
    return _product(a, b, c)


@numba.njit
def read(address: int) -> float:
    """The compiled word."""
    return _float_at(address)


@given(whole, whole, whole)
def test_product_float(a: int, b: int, c: int) -> None:
    """The float nearest to a product of any size, as Python rounds it."""
    assert product(a, b, c) == memory.product_float(a, b, c) == float(a * b * c)


@given(st.floats())
def test_float_at(value: float) -> None:
    """The bits that are there, without a change."""
    cells = np.array([0.0, value])
    address = cells.ctypes.data + 8
    plain, compiled = memory.float_at(address), read(address)
    assert np.float64(plain).tobytes() == np.float64(compiled).tobytes() == cells[1:].tobytes()
