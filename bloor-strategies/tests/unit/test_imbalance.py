"""Order-book imbalance: its two numbers by hand, and trading on markets whose right answer is known."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bloor_strategies.imbalance import Imbalance, bloor_strategy

MID = 6_000_000
LEVELS = ([(MID - n, 100) for n in range(1, 6)], [(MID + n, 100) for n in range(1, 6)])


def heavy(side: int, mid: int = MID) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Five levels, nine of ten units on one side; 0: as many on both."""
    bids, asks = (900, 100) if side > 0 else (100, 900) if side < 0 else (500, 500)
    return [(mid - n, bids) for n in range(1, 6)], [(mid + n, asks) for n in range(1, 6)]


def test_the_imbalance_of_so_many_levels(stage: Callable[..., Any]) -> None:
    """(B - A) / (B + A) of the best levels: 600 against 200 on one, 700 against 500 on two; a missing level is 0."""
    bids, asks = [(99, 600), (98, 100)], [(101, 200), (102, 300), (103, 1_000)]
    for levels, expected in ((1, 0.5), (2, 200 / 1_200), (3, -800 / 2_200), (50, -800 / 2_200)):
        made = stage(Imbalance, levels=levels)
        made.show(bids, asks)
        assert made.both.python.imbalance(made.both.book) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((99, 500, 101, 300), 500 - 400 - 300 + 300),  # 100 more on the bid
        ((99, 400, 101, 200), 400 - 400 - 200 + 300),  # 100 less on the ask
        ((100, 70, 101, 300), 70.0),  # a better bid
        ((98, 50, 101, 300), -400.0),  # the bid is gone
        ((99, 400, 100, 60), -60.0),  # a better ask
        ((99, 400, 102, 10), 300.0),  # the ask is gone
        ((100, 70, 102, 10), 70 + 300.0),  # both
    ],
)
def test_the_flow_of_one_change(stage: Callable[..., Any], after: tuple[int, int, int, int], expected: float) -> None:
    """From bid 400 at 99 and ask 300 at 101: what the definition says by hand."""
    made = stage(Imbalance)
    made.show([(99, 400)], [(101, 300)])
    bid, bid_qty, ask, ask_qty = after
    assert made.both.python.contribution(bid, float(bid_qty), ask, float(ask_qty)) == expected


def test_the_flow_halves_and_is_measured_in_ticks(stage: Callable[..., Any]) -> None:
    """1,000 units that came to queues of 1,000 move a price by half a tick; half of it after `flow_ms`."""
    made = stage(Imbalance, flow_ms=200)
    made.show([(99, 1_000)], [(101, 1_000)])
    made.show([(99, 2_000)], [(101, 1_000)])
    strategy = made.both.python
    assert strategy.net_flow == 1_000
    assert strategy.impact() == pytest.approx(0.5, rel=0.01)
    made.wait(200)
    made.show([(99, 2_000)], [(101, 1_000)])
    assert strategy.net_flow == pytest.approx(500)


def test_the_sum_of_the_flow_is_that_of_numpy(stage: Callable[..., Any]) -> None:
    """Without forgetting, a thousand random changes add up to the sum of the definition."""
    rng = np.random.default_rng(1)
    bid = 1_000 + np.cumsum(rng.integers(-1, 2, 1_000))
    ask = bid + rng.integers(1, 4, 1_000)
    b, a = rng.integers(1, 1_000, 1_000), rng.integers(1, 1_000, 1_000)
    made = stage(Imbalance, flow_ms=3_600_000)
    for i in range(1_000):
        made.tell_bbo(int(bid[i]), int(b[i]), int(ask[i]), int(a[i])) if i else made.show([(1, 1)], [(9, 1)])
    made.both.python.bid = 0
    for i in range(1_000):
        made.both.python.count(int(bid[i]), float(b[i]), int(ask[i]), float(a[i]), 0)
    e = (
        (bid[1:] >= bid[:-1]) * b[1:] - (bid[1:] <= bid[:-1]) * b[:-1]
        - (ask[1:] <= ask[:-1]) * a[1:] + (ask[1:] >= ask[:-1]) * a[:-1]
    )  # fmt: skip
    assert made.both.python.net_flow == pytest.approx(float(e.sum()))


def test_it_buys_at_the_ask_and_sells_at_the_bid(stage: Callable[..., Any]) -> None:
    """A heavy bid is bought, a heavy ask sold, balance is left alone."""
    made = stage(Imbalance, flow=-1e3)
    for side in (0, 1, 1, 0, -1, -1, 0):
        made.wait(600)
        made.show(*heavy(side))
    assert [(side, price) for side, price, _ in made.log] == [(1, MID + 1), (-1, MID - 1)]
    assert made.held == 0


def test_it_is_never_short(stage: Callable[..., Any]) -> None:
    """A heavy ask opens nothing."""
    made = stage(Imbalance, flow=-1e3)
    for _ in range(10):
        made.wait(600)
        made.show(*heavy(-1))
    assert made.both.asked == []


def test_a_position_ends_after_its_time(stage: Callable[..., Any]) -> None:
    """However heavy the bid stays, after `hold_ms` it is sold."""
    made = stage(Imbalance, flow=-1e3, hold_ms=2_000)
    for _ in range(4):
        made.wait(600)
        made.show(*heavy(1))
    assert len(made.log) == 1
    made.wait(600)
    made.show(*heavy(1))
    assert [side for side, _, _ in made.log] == [1, -1]


def test_the_flow_must_agree(stage: Callable[..., Any]) -> None:
    """A bid that is heavy while units leave it is not bought; when units come it is."""
    made = stage(Imbalance, flow=0.1)
    bids, asks = heavy(1)
    made.show(bids, asks)
    made.wait(600)
    made.show([(MID - 1, 700), *bids[1:]], asks)
    assert made.log == []
    made.wait(600)
    made.show([(MID - 1, 1_200), *bids[1:]], asks)
    assert [side for side, _, _ in made.log] == [1]


def test_a_wide_spread_is_not_crossed(stage: Callable[..., Any]) -> None:
    """The spread of two ticks at 60,000.00 is 0.0033 bps."""
    for limit, entries in ((0.0034, 1), (0.0033, 0)):
        made = stage(Imbalance, flow=-1e3, spread_bps=limit)
        made.wait(600)
        made.show(*heavy(1))
        assert len(made.log) == entries


def market(made: Any, seed: int, informed: float) -> float:
    """A price that steps by ten ticks each second, as the book says with a probability; what was earned in ticks."""
    rng = random.Random(seed)
    mid = MID
    for _ in range(300):
        side = rng.choice([1, -1])
        for _ in range(5):
            made.wait(200)
            made.show(*heavy(side, mid))
        mid += 10 * (side if rng.random() < informed else -side)
    return float(made.worth())


def test_an_imbalance_that_predicts_is_worth_the_spread(stage: Callable[..., Any]) -> None:
    """Where nine of ten moves go the way of the imbalance it earns before fees; where half do, it loses the spread."""
    parameters = {"flow": -1e3, "cooldown_ms": 100, "value": 1_000.0, "hold_ms": 60_000}
    told = [market(stage(Imbalance, **parameters), seed, 0.9) for seed in range(4)]
    blind = [market(stage(Imbalance, **parameters), seed, 0.5) for seed in range(4)]
    assert min(told) > 0
    assert sum(blind) < 0


def test_the_plug_in_hands_over_the_class() -> None:
    """What is typed after -p."""
    assert bloor_strategy() is Imbalance
    assert Imbalance.name == "imbalance"
