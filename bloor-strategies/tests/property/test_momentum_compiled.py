"""Momentum compiled asks for the same orders as Momentum in Python."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bloor.market.events import NO_PRICE
from bloor.strategy.memory import Handler
from bloor.strategy.params import config_class
from bloor.testing.bothforms import BothForms
from bloor_strategies.momentum import Momentum

parameters = st.fixed_dictionaries(
    {
        "fast": st.integers(1, 6), "slow": st.integers(2, 12), "threshold": st.sampled_from([0.0, 0.1, 0.4, 2.0]),
        "cross_bps": st.sampled_from([0.0, 0.8, 33.3]), "value": st.sampled_from([0.001, 1.5, 2_000.0, 1e9]),
        "cooldown_ms": st.sampled_from([0, 250]),
    }
)  # fmt: skip
#: Step of the price, of the time in ms, half the spread; a fifth of the books is empty on one side.
steps = st.lists(
    st.tuples(st.integers(-40, 40), st.integers(0, 300), st.sampled_from([0, 1, 1, 2, NO_PRICE])), max_size=120
)


@given(parameters, steps, st.sampled_from([500, 10_000, 6_000_000, 1 << 40]))
def test_the_same_decisions(values: dict[str, float], moves: list[tuple[int, int, int]], price: int) -> None:
    """Whatever trades come, both forms ask for the same and leave the same state; what is asked for fills at once."""
    both = BothForms(Momentum, config_class(Momentum)(**values))
    filled = 0
    for step, wait, half in moves:
        price = max(1, price + step)
        both.desk.now_ns += wait * 1_000_000
        both.trade.price = price
        both.book.best_bid = price - half if half != NO_PRICE else NO_PRICE
        both.book.best_ask = price + abs(half)
        assert both.call(Handler.TRADE, both.trade) is None
        for side, _, lots, *_ in both.asked[filled:]:
            both.exposure.position += side * min(lots, 1 << 40) * both.desk.lot_units
        filled = len(both.asked)


def test_a_trend_is_traded() -> None:
    """The property is not empty: a rise and a fall make both forms buy and sell."""
    both = BothForms(Momentum)
    for i in range(400):
        price = 600_000 + (30 * i if i < 200 else 12_000 - 30 * i) + (i % 3)
        both.desk.now_ns += 100_000_000
        both.trade.price, both.book.best_bid, both.book.best_ask = price, price - 1, price + 1
        both.call(Handler.TRADE, both.trade)
        if both.asked and both.exposure.position == 0 and both.asked[-1][0] > 0:
            both.exposure.position = both.asked[-1][2] * both.desk.lot_units
        elif both.asked and both.asked[-1][0] < 0:
            both.exposure.position = 0
    assert {order[0] for order in both.asked} == {1, -1}
