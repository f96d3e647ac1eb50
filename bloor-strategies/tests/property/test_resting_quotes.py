"""Strategies that rest in the book keep their promises in any market, and in both forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.model.orders import OrderType
from bloor.strategy.memory import Handler
from bloor_strategies.avellaneda_stoikov import AvellanedaStoikov
from bloor_strategies.glft import GLFT
from bloor_strategies.grid import Grid

quotes = st.fixed_dictionaries(
    {
        "gamma": st.sampled_from([1e-6, 0.1, 1.0, 1e3]), "decay": st.sampled_from([1e-4, 1.0, 50.0]),
        "target": st.sampled_from([0.0, 2.0]), "most": st.sampled_from([1.0, 3.0]), "learn": st.booleans(),
        "tolerance_bps": st.sampled_from([0.0, 1.0]), "interval_ms": st.sampled_from([1, 250]),
        "least_bps": st.sampled_from([0.0, 5.0]), "warm_s": st.just(0.0), "memory_s": st.sampled_from([1.0, 600.0]),
    }
)  # fmt: skip
grids = st.fixed_dictionaries(
    {
        "step_bps": st.sampled_from([0.01, 1.0, 50.0]), "geometric": st.booleans(), "levels": st.integers(1, 8),
        "most": st.sampled_from([1.0, 4.0]), "follow": st.booleans(), "stop_bps": st.sampled_from([5.0, 300.0]),
        "interval_ms": st.sampled_from([1, 250]),
    }
)  # fmt: skip
#: Step of the mid in ticks, of the time in ms, half the spread, whether resting orders that are reached fill, a trade.
steps = st.lists(
    st.tuples(
        st.integers(-300, 300), st.integers(0, 400), st.integers(1, 20), st.booleans(), st.sampled_from([-1, 0, 1])
    ),
    max_size=80,
)


def kept(strategy: Any, first: int, biggest: int) -> None:
    """What was newly asked for: post-only, through nothing of the market's or of its own, no more than it has."""
    book, desk = strategy.both.book, strategy.both.desk
    for order in strategy.both.asked[first:]:
        if len(order) != 5:
            continue
        side, price, lots, kind, _ = order
        assert kind == OrderType.POST_ONLY
        assert lots >= desk.min_lots
        assert price < book.best_ask if side > 0 else price > book.best_bid
    resting = strategy.resting.values()
    buys, sells = ([o for o in resting if o.side == side] for side in (1, -1))
    assert max((o.price for o in buys), default=0) < min((o.price for o in sells), default=1 << 60)
    assert sum(o.lots for o in sells) <= strategy.held
    assert strategy.held + sum(o.lots for o in buys) <= strategy.both.python.most * biggest


def play(strategy: Any, moves: list[tuple[int, int, int, bool, int]], price: int) -> int:
    """A walk; how long it took, in ms."""
    mid, lasted, biggest = price, 0, 0
    for step, wait, half, fills, trade in moves:
        mid = max(price // 2, mid + step)
        lasted += wait
        strategy.wait(wait)
        for number, order in list(strategy.resting.items()):
            if fills and number in strategy.resting and (order.price - mid - half * order.side) * order.side >= 0:
                strategy.trade(number)
        first = len(strategy.both.asked)
        at = strategy.both.book
        at.best_bid, at.best_ask = mid - half, mid + half
        strategy.both.trade.price, strategy.both.trade.side = mid + half * trade, trade
        strategy.show([(mid - half, 10**6)], [(mid + half, 10**6)])
        if trade:
            strategy.call(Handler.TRADE, strategy.both.trade)
        biggest = max(biggest, int(strategy.both.python.value * 1e7 / (mid - half)) + 1)
        kept(strategy, first, biggest)
    return lasted


@pytest.mark.parametrize("cls", [AvellanedaStoikov, GLFT])
@given(values=quotes, moves=steps, price=st.sampled_from([2_000, 1_000_000, 50_000_000]))
def test_quotes(stage: Callable[..., Any], cls: Any, values: dict[str, Any], moves: Any, price: int) -> None:
    """Never crossed, never more than it has or may have, at most a request for each side in the interval."""
    maker = stage(cls, **values)
    lasted = play(maker, moves, price)
    assert len(maker.both.asked) <= 2 * (lasted // values["interval_ms"] + 1)


@given(values=grids, moves=steps, price=st.sampled_from([2_000, 1_000_000, 50_000_000]))
def test_grids(stage: Callable[..., Any], values: dict[str, Any], moves: Any, price: int) -> None:
    """The same of grids, and never more orders than cells."""
    grid = stage(Grid, **values)
    play(grid, moves, price)
    assert len(grid.resting) <= 2 * values["levels"]
