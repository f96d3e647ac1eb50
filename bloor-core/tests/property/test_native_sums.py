"""The word that compares sums of products: compiled, it says what Python's integers say."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bloor.native.memory import sum_above
from bloor.native.twins import twins

MOST, LEAST = (1 << 63) - 1, -(1 << 63)
cells = st.one_of(
    st.sampled_from([0, 1, -1, 2, -2, MOST, MOST - 1, LEAST, LEAST + 1, 1 << 62, -(1 << 62), 1 << 32]),
    st.integers(-1000, 1000),
    st.integers(LEAST, MOST),
)


@cache
def compiled() -> Any:
    import numba

    twin = twins()[sum_above]

    def said(a: int, x: int, b: int, y: int, c: int, z: int, limit: int) -> Any:
        return twin(a, x, b, y, c, z, limit)

    return numba.njit(said)


@given(cells, cells, cells, cells, cells, cells, cells)
@example(LEAST, LEAST, LEAST, LEAST, LEAST, LEAST, MOST)
@example(LEAST, MOST, LEAST, MOST, LEAST, MOST, LEAST)
@example(MOST, 1, 1, 1, 0, 0, MOST)
def test_any_sum(a: int, x: int, b: int, y: int, c: int, z: int, limit: int) -> None:
    """No sum is too large, on either side."""
    expected = a * x + b * y + c * z > limit
    assert sum_above(a, x, b, y, c, z, limit) is expected
    assert compiled()(a, x, b, y, c, z, limit) is expected


@given(cells, cells, cells, cells, cells, cells, st.integers(-2, 2))
def test_sums_near_their_limit(a: int, x: int, b: int, y: int, c: int, off: int, near: int) -> None:
    """One more or less decides; where the last term makes the sum small."""
    total = a * x + b * y + c
    limit = max(LEAST, min(total + near, MOST))
    expected = total > limit
    assert sum_above(a, x, b, y, c, 1, limit) is expected
    assert compiled()(a, x, b, y, c, 1, limit) is expected
    # the same difference, made of terms that cancel each other out
    assert compiled()(off, MOST, off, -MOST, near, 1, 0) is (near > 0)
