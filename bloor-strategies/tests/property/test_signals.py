"""Whatever books come: both forms ask for the same, nothing is sold that is not there, and the pace is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.strategy.api import Strategy
from bloor_strategies.imbalance import Imbalance
from bloor_strategies.mean_reversion import MeanReversion
from bloor_strategies.micro_price import MicroPrice
from bloor_strategies.pairs import Pairs

#: Of a step: wait in ms, move in ticks, half the spread, units on the bid, on the ask, leg, venue's own quote?, fill?
steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 60, 100, 400]), st.integers(-30, 30), st.integers(1, 3), st.integers(1, 10**9),
        st.integers(1, 10**9), st.integers(0, 1), st.booleans(), st.booleans(),
    ),
    max_size=150,
)  # fmt: skip
parameters: dict[type[Strategy], Any] = {
    Imbalance: st.fixed_dictionaries(
        {
            "levels": st.integers(1, 4), "entry": st.sampled_from([0.0, 0.3]), "flow": st.sampled_from([-1e3, 0.0]),
            "spread_bps": st.just(1_000.0), "hold_ms": st.sampled_from([1, 500]), "cooldown_ms": st.just(100),
        }
    ),
    MicroPrice: st.fixed_dictionaries(
        {
            "bins": st.integers(1, 2), "spreads": st.integers(1, 2), "warmup": st.just(0), "pause_ms": st.just(100),
            "maker_bps": st.sampled_from([-1.0, 0.0, 1.0]), "taker_bps": st.sampled_from([-20.0, 0.0]),
        }
    ),
    MeanReversion: st.fixed_dictionaries(
        {
            "window": st.integers(20, 30), "entry": st.sampled_from([0.0, 1.0]), "leave": st.sampled_from([-1.0, 0.5]),
            "half_life": st.just(10_000.0), "hold": st.sampled_from([0.1, 10.0]), "cooldown_ms": st.just(100),
        }
    ),
    Pairs: st.fixed_dictionaries(
        {
            "window": st.integers(20, 30), "entry": st.sampled_from([0.0, 1.0]), "test": st.integers(0, 1),
            "inventory": st.sampled_from([0.0, 0.5, 1.0]), "tries": st.integers(1, 3), "cooldown_ms": st.just(100),
        }
    ),
}  # fmt: skip


@pytest.mark.parametrize("cls", parameters)
@pytest.mark.examples(daily=30, soak=2_000)
@given(data=st.data(), moves=steps)
def test_whatever_comes(cls: type[Strategy], stage: Callable[..., Any], data: Any, moves: Any) -> None:
    """The stage compares the forms at every step and refuses a sale of what is not held; here the pace is counted."""
    made = stage(cls, value=1_000.0, **data.draw(parameters[cls]))
    mids = [60_000, 20_000]
    sent: dict[tuple[int, int], int] = {}
    for wait, move, half, bid, ask, leg, quote, fill in moves:
        leg = leg if cls.together else 0
        made.wait(wait)
        mids[leg] += move
        asked = len(made.both.asked)
        made.show([(mids[leg] - half, bid), (mids[leg] - half - 2, 5)], [(mids[leg] + half, ask)], leg)
        if quote:
            made.tell_bbo(mids[0] - half, ask, mids[0] + half, bid)
        for order, on in zip(made.both.asked[asked:], made.both.asked_on[asked:], strict=True):
            if len(order) == 5:
                key = (on, int(order[0]) if cls is MicroPrice else 0)
                assert made.both.desk.now_ns - sent.get(key, 0) >= 100_000_000
                sent[key] = made.both.desk.now_ns
        for number in sorted(made.resting) if fill else ():
            made.trade(number)
        for at in made.both.legs:
            assert at.exposure.open_sell <= at.exposure.position


def test_the_property_is_not_empty(stage: Callable[..., Any]) -> None:
    """A market that goes to and fro makes each of them buy and sell."""
    for cls, values in (
        (Imbalance, {"flow": -1e3, "entry": 0.2}),
        (MicroPrice, {"warmup": 0, "bins": 1, "spreads": 1}),
        (MeanReversion, {"window": 20, "entry": 0.5}),
        (Pairs, {"window": 20, "entry": 0.5, "test": 0}),
    ):
        made = stage(cls, **values)
        for i in range(600):
            made.wait(100)
            up = i * 7 % 13 - 6
            for leg in range(2 if cls.together else 1):
                mid = 60_000 + 20 * up * (1 - leg) + 15 * (i % 29) + (i * 11 % 17) * leg
                made.show([(mid - 1, 100 + 50 * up)] if up > -2 else [(mid - 1, 1)], [(mid + 1, 150)], leg)
            for number in sorted(made.resting):
                made.trade(number)
        assert {side for side, _, _ in made.log} == {1, -1}, cls.name
