"""What holds for arbitrage in any market: one round of orders at a time, and a bounded net position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.strategy.memory import Handler
from bloor.testing.bothforms import INSTRUMENT
from bloor_strategies.arbitrage import Arbitrage
from bloor_strategies.triangular import Triangular

Stages = Callable[..., Any]
#: Of a step: leg, how far its mid is from the fair price in bps, size of its top in lots, ms until then, dead legs.
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(-400, 400),
        st.integers(1, 40_000),
        st.integers(0, 400),
        st.sets(st.integers(0, 2)),
    ),
    min_size=5,
    max_size=40,
)
LOT = 1e-5


def play(made: Any, prices: list[int], steps: list[Any]) -> Any:
    """Starts, shows the fair prices, then steps; yields after each, with what was asked for in it."""
    for leg in range(len(prices)):
        made.call(Handler.START, leg=leg)
    for _ in range(4):
        for leg, price in enumerate(prices):
            show(made, leg, price, 10**10)
        made.wait(100)
    for leg, bps, lots, ms, dead in steps:
        made.wait(ms)
        made.dead = dead
        at = leg % len(prices)
        before = len(made.both.asked)
        show(made, at, round(prices[at] * (1 + bps * 1e-4)), lots * 1000)
        yield made.both.asked_on[before:]


def show(made: Any, leg: int, price: int, units: int) -> None:
    """A book two ticks wide, and the fills of what that led to."""
    before = len(made.log)
    made.show([(price - 1, units)], [(price + 1, units)], leg)
    for (side, paid, lots), on in list(zip(made.log, made.legs, strict=True))[before:]:
        fill = made.both.fill
        fill.side, fill.price_ticks, fill.units = side, paid, lots * 1000
        made.call(Handler.FILL, fill, on)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, legs=st.integers(2, 3))
def test_arbitrage_is_never_away_by_more_than_one_trade(stage: Stages, steps: list[Any], legs: int) -> None:
    """Whatever trades and fails: two orders at most at once, one of each leg; the sum of what is held stays within one
    arbitrage of the target; nothing is sold that is not held (the stage watches that)."""
    others = [evolve(INSTRUMENT, venue=venue) for venue in ("w", "x")[: legs - 1]]
    made = stage(Arbitrage, others=others, cooldown_ms=0, value=600.0)
    for asked in play(made, [600_000] * legs, steps):
        assert len(asked) <= 2
        assert len(set(asked)) == len(asked)
        held = sum(made.holds(leg) for leg in range(legs)) * LOT
        # 600 at the lowest price there is, and what is left alone: 20 of value
        assert abs(held - made.both.python.target) <= 620 / (6_000 * 0.95) if made.both.python.begun else True


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_triangular_is_never_away_by_more_than_one_cycle(stage: Stages, steps: list[Any]) -> None:
    """Whatever trades and fails: three orders at most at once, one of each leg; both assets stay within one cycle of
    their targets."""
    cross = evolve(INSTRUMENT, symbol="C-A", base="C", quote="A", price_decimals=6)
    other = evolve(INSTRUMENT, symbol="C-B", base="C")
    parameters = {"cooldown_ms": 0, "value": 600.0, "fee_bps": 0.0, "received": 0}
    made = stage(Triangular, others=[cross, other], **parameters)
    for asked in play(made, [6_000_000, 50_000, 300_000], steps):
        assert len(asked) <= 3
        assert len(set(asked)) == len(asked)
        strategy = made.both.python
        if strategy.begun:
            one = made.holds(0) * LOT - strategy.turned - strategy.target_main
            two = (made.holds(1) + made.holds(2)) * LOT - strategy.target_other
            assert abs(one) * 60_000 * 0.95 <= 700
            assert abs(two) * 3_000 * 0.95 <= 700
