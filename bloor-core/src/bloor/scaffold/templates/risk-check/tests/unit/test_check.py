"""The limit, exactly at its edge, in both forms."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bloor.market.events import NO_PRICE
from bloor.market.view import BookView
from bloor.risk.check import Exposure, OrderIntent

from bloor_lull import kernel
from bloor_lull.check import Lull, LullConfig


@pytest.mark.parametrize(
    ("bid", "ask", "code"),
    [
        (9_995, 10_005, 0),  # 10 of 10,000: at the limit
        (9_995, 10_006, kernel.SPREAD_ABOVE_MAX),
        (NO_PRICE, 10_005, kernel.BOOK_ONE_SIDED),
        (1, 1 << 62, kernel.SPREAD_ABOVE_MAX),
    ],
)
def test_a_spread_at_the_limit_passes(bid: int, ask: int, code: int) -> None:
    """Ten basis points are allowed, more are not; Python and the kernel agree."""
    check = Lull(LullConfig(max_spread_bps=Decimal(10)), ())
    order, book, exposure = OrderIntent(), BookView(), Exposure()
    book.best_bid, book.best_ask = bid, ask
    assert check.check(order, book, exposure, 0) == code
    cells = check.compiled().cells
    assert kernel.check(cells.ctypes.data, order.address, book.address, exposure.address, 0) == code
