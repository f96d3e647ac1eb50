"""Whatever is asked for and however it fills: the worst case never passes the limits."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk.check import Exposure, OrderIntent
from bloor_risk.message_rate import MessageRate, MessageRateConfig
from bloor_risk.position_limits import PositionLimits, PositionLimitsConfig

XY = Instrument(venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=0, qty_decimals=0)

#: An order (side, units), or what then happens to the oldest open order of a side: it fills by some, or is cancelled.
STEP = st.one_of(
    st.tuples(st.just("order"), st.sampled_from([1, -1]), st.integers(1, 40)),
    st.tuples(st.just("fill"), st.sampled_from([1, -1]), st.integers(1, 40)),
    st.tuples(st.just("cancel"), st.sampled_from([1, -1]), st.just(0)),
)


@given(limit=st.integers(0, 100), inventory=st.integers(-5, 100), steps=st.lists(STEP, max_size=60))
def test_no_sequence_of_orders_passes_the_position_limit(
    limit: int, inventory: int, steps: list[tuple[str, int, int]]
) -> None:
    """Even if every open order of one side fills and none of the other: within the limit, and never sold short."""
    config = PositionLimitsConfig(max_position=Decimal(limit), max_position_value=Decimal(10**9), max_open_orders=5)
    check = PositionLimits(config, (XY,))
    held, order, book = Exposure(), OrderIntent(), BookView()
    held.inventory = inventory
    open_: dict[int, list[int]] = {1: [], -1: []}
    for what, side, units in steps:
        if what == "order":
            order.side, order.units, order.price = side, units, 1
            if check.check(order, book, held, 0) == 0:
                open_[side].append(units)
        elif open_[side]:
            filled = min(units, open_[side][0])
            held.position += side * filled
            open_[side][0] -= filled
            if what == "cancel" or open_[side][0] == 0:
                open_[side].pop(0)
        held.open_buy, held.open_sell = sum(open_[1]), sum(open_[-1])
        held.open_orders = len(open_[1]) + len(open_[-1])
        assert held.position + held.open_buy <= limit
        assert held.open_sell - held.position <= min(limit, max(inventory, 0))
        assert held.open_orders <= 5


@given(
    per_second=st.integers(1, 1000),
    burst=st.integers(1, 20),
    gaps=st.lists(st.integers(0, 500_000_000), max_size=80),
)
def test_no_window_holds_more_than_burst_and_rate(per_second: int, burst: int, gaps: list[int]) -> None:
    """In any window of time: at most the burst, and the rate times its length."""
    check = MessageRate(MessageRateConfig(orders_per_second=per_second, burst=burst), (XY,))
    order, now_ns, passed = OrderIntent(), 10**18, []
    for gap in gaps:
        now_ns += gap
        if check.check(order, BookView(), Exposure(), now_ns) == 0:
            passed.append(now_ns)
    for index, first in enumerate(passed):
        for count, last in enumerate(passed[index:], start=1):
            assert count <= burst + (last - first) * per_second / 1e9
