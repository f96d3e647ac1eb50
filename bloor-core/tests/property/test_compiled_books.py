"""Looking into a book from compiled code gives what its methods give."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.book import OrderBook
from bloor.market.compiled import books
from bloor.market.compiled.books import compiled_books
from bloor.market.events import NO_PRICE
from bloor.market.ladder import WINDOW
from bloor.model.instrument import Instrument
from bloor.model.orders import Side

INT64_MAX = (1 << 63) - 1
price = st.one_of(
    st.integers(99_950, 100_050),
    st.sampled_from([100_000 + sign * WINDOW * k // 4 for sign in (-1, 1) for k in range(1, 6)]),
    st.integers(1, 1_000_000),
    st.integers((1 << 61) - 9, 1 << 61),
)
quantity = st.one_of(st.just(0), st.integers(1, 9), st.integers(0, 10**6), st.integers(0, INT64_MAX))
levels = st.lists(st.tuples(price, quantity), max_size=30)


@given(levels, levels, price, quantity, st.sampled_from([1, 5]))
def test_compiled_equals_methods(bids: Any, asks: Any, limit: int, units: int, tick_units: int) -> None:
    """Top, depth, cumulative size, average price: equal, and -1 exactly where 63 bits do not do."""
    instrument = Instrument(
        venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=3,
        tick_units=tick_units,
    )  # fmt: skip
    book = OrderBook(instrument)
    book.load(bids, [])
    book.apply([], asks)
    core = book.core
    for ways in (books, compiled_books()):
        assert ways.top(core) == tuple(book.top[:4])
        for number, side in enumerate((Side.BUY, Side.SELL)):
            rows = np.zeros((64, 2), np.int64)
            count = ways.depth(core, number, rows, 64)
            assert [tuple(row) for row in rows[:count].tolist()] == book.depth(side)
            assert ways.depth(core, number, rows, 3) == len(book.depth(side, 3))
            assert ways.size_at(core, number, limit) == book.size_at(side, limit)
            total = book.size_to(side, limit)
            assert ways.size_to(core, number, limit) == (total if total <= INT64_MAX else -1)
            value, filled = book.average_price(side, units)
            assert ways.average_price(core, number, units) == (value if value <= INT64_MAX else -1, filled)


def test_they_are_called_from_other_compiled_code() -> None:
    """A strategy's compiled handler can sum up a book that it knows by its cells alone."""
    instrument = Instrument(
        venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=3
    )
    book = OrderBook(instrument)
    book.load([(100, 5), (99, 7), (2, 11)], [(101, 3), (10**9, 1)])
    top, size_to, level_after = (getattr(compiled_books(), name) for name in ("top", "size_to", "level_after"))

    @numba.njit
    def imbalance(core: Any) -> int:
        bid, _, ask, _ = top(core)
        return size_to(core, 0, bid - 98) - size_to(core, 1, ask + 1) + level_after(core, 1, ask)  # type: ignore[no-any-return]

    assert imbalance(book.core) == 23 - 3 + 10**9
    assert books.level_after(book.core, 1, 10**9) == NO_PRICE
