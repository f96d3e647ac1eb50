"""Mean reversion on markets whose right answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from bloor_strategies.mean_reversion import MeanReversion, bloor_strategy

MID = 6_000_000


def process(seed: int, n: int, half_life: float, deviation_bps: float) -> np.ndarray:
    """Prices in ticks of an Ornstein-Uhlenbeck process in logarithms; an infinite half-life is a random walk."""
    b = 2 ** (-1 / half_life) if half_life < math.inf else 1.0
    step = deviation_bps * 1e-4 * (math.sqrt(1 - b * b) if b < 1 else 0.3)
    noise = np.random.default_rng(seed).standard_normal(n) * step
    x = np.zeros(n)
    for i in range(1, n):
        x[i] = b * x[i - 1] + noise[i]
    return np.round(MID * np.exp(x)).astype(int)


def play(made: Any, prices: Iterable[int], step_ms: int = 100) -> Any:
    """A two-tick book around each price."""
    for price in prices:
        price = int(price)
        made.wait(step_ms)
        made.show([(price - 1, 10**10)], [(price + 1, 10**10)])
    return made


TESTED = {"window": 100, "test": 2, "sample_ms": 100, "cooldown_ms": 100}


def test_a_process_that_returns_is_traded_with_profit(stage: Callable[..., Any]) -> None:
    """Half-life of five samples, deviation 5 bps: most round trips win, and together they earn before fees."""
    profits, trips = [], []
    for seed in range(6):
        made = play(stage(MeanReversion, **TESTED), process(seed, 1_500, 5, 5.0))
        profits.append(made.worth() / (MID * 3_000) * 1e4)
        bought = [price for side, price, _ in made.log if side > 0]
        sold = [price for side, price, _ in made.log if side < 0]
        trips += [sell / buy - 1 for buy, sell in zip(bought, sold, strict=False)]
    assert len(trips) > 60
    assert np.mean([trip > 0 for trip in trips]) > 0.8
    assert all(profit > 0 for profit in profits)


def test_a_random_walk_is_mostly_left_alone(stage: Callable[..., Any]) -> None:
    """With the test it trades a walk far less than the process, and than without the test."""
    walks = [process(seed, 1_500, math.inf, 5.0) for seed in range(6)]
    tested = sum(len(play(stage(MeanReversion, **TESTED), walk).log) for walk in walks)
    strict = sum(len(play(stage(MeanReversion, **{**TESTED, "test": 3}), walk).log) for walk in walks)
    untested = sum(len(play(stage(MeanReversion, **{**TESTED, "test": 0}), walk).log) for walk in walks)
    returning = sum(len(play(stage(MeanReversion, **TESTED), process(s, 1_500, 5, 5.0)).log) for s in range(6))
    assert strict <= tested < untested
    assert tested * 3 < returning


def quiet(n: int = 60) -> list[int]:
    """A market that returns to MID at once, with no drift: the fit is about it."""
    noise = np.random.default_rng(5).standard_normal(n)
    return [MID + round(400 * float(z)) for z in noise]


def test_it_buys_low_and_sells_on_the_way_back(stage: Callable[..., Any]) -> None:
    """One entry at the drop, at the ask; no exit until the bid is back at the target, which the entry fixed."""
    made = play(stage(MeanReversion, window=40, entry=2.0), quiet())
    assert made.log == [] or made.held == 0
    before = len(made.log)
    play(made, [MID - 1_500])
    assert made.log[before:] == [(1, MID - 1_499, made.log[-1][2])]
    strategy = made.both.python
    low, target = math.exp(strategy.floor), math.exp(strategy.target)
    assert low < MID - 1_500 < target < MID
    play(made, [round(target) - 20] * 5)
    assert made.held > 0
    play(made, [round(target) + 20])
    assert made.held == 0
    assert made.log[-1][1] == round(target) + 19


def test_the_stop_ends_a_position_and_the_next_entry_waits(stage: Callable[..., Any]) -> None:
    """Below the floor all is sold, and the fall is not bought again before the price was back at the mean."""
    made = play(stage(MeanReversion, window=40, entry=2.0, stop=4.0, cooldown_ms=0), quiet())
    play(made, [MID - 1_500])
    floor = math.exp(made.both.python.floor)
    play(made, [round(floor) - 10])
    assert made.held == 0
    assert made.both.python.waits
    traded = len(made.log)
    play(made, [round(floor) - 10 - 40 * i for i in range(1, 30)])
    assert len(made.log) == traded


def test_what_would_be_stopped_at_once_is_not_bought(stage: Callable[..., Any]) -> None:
    """A fall below the stop opens nothing, nor does any while the stop is nearer than the entry."""
    for stop, entries in ((4.0, 1), (3.0, 0), (0.1, 0)):
        made = play(stage(MeanReversion, window=40, entry=2.0, stop=stop), quiet())
        before = len(made.log)
        play(made, [MID - 1_500])
        assert len(made.log) == before + entries


def test_a_position_is_not_held_forever(stage: Callable[..., Any]) -> None:
    """After `hold` half-lives, ten samples at least, it is sold wherever the price is."""
    made = play(stage(MeanReversion, window=40, entry=2.0, stop=100.0, hold=0.1), quiet())
    play(made, [MID - 1_500])
    bought = len(made.log)
    play(made, [MID - 1_500] * 9)
    assert len(made.log) == bought
    play(made, [MID - 1_500])
    assert made.held == 0
    assert made.both.python.waits


def test_nothing_above_the_mean_is_sold_short(stage: Callable[..., Any]) -> None:
    """A price far above its mean opens nothing."""
    made = play(stage(MeanReversion, window=40, entry=2.0), quiet())
    traded = len(made.log)
    play(made, [MID + 3_000, MID + 2_000, MID + 4_000])
    assert len(made.log) == traded


def test_a_short_way_back_is_not_worth_it(stage: Callable[..., Any]) -> None:
    """`edge_bps` beyond what the exit promises keeps it out; the mean is some 2.5 bps away here."""
    for edge, entries in ((0.5, 1), (5.0, 0)):
        made = play(stage(MeanReversion, window=40, entry=2.0, edge_bps=edge), [*quiet(), MID - 1_500])
        assert made.held > 0 if entries else made.log == []


def test_a_coarse_tick_is_not_paid_beyond_the_exit(stage: Callable[..., Any]) -> None:
    """However far `cross_bps` reaches, a buy pays no more than the exit brings, and a sale brings no less than that."""
    made = play(stage(MeanReversion, window=40, entry=2.0, cross_bps=100.0), [*quiet(), MID - 1_500])
    strategy = made.both.python
    bought = made.both.asked[-1]
    assert MID - 1_499 < bought[1] == int(math.exp(strategy.target)) < MID
    play(made, [round(math.exp(strategy.target)) + 20] * 3)
    sold = made.both.asked[-1]
    assert (sold[0], sold[1]) == (-1, int(math.exp(strategy.target)))


def test_samples_are_what_was_last_before_them(stage: Callable[..., Any]) -> None:
    """On a grid of 100 ms: the sample of 300 ms is the price before the one that comes then."""
    made = stage(MeanReversion)
    for wait, price in ((0, 1_000), (250, 2_000), (50, 3_000), (10, 4_000)):
        made.wait(wait)
        made.show([(price - 1, 100)], [(price + 1, 100)])
    strategy = made.both.python
    taken = [math.exp(strategy.samples[i]) for i in range(strategy.newest + 1)]
    assert taken == pytest.approx([1_000, 1_000, 1_000, 2_000])


def test_a_long_silence_begins_anew(stage: Callable[..., Any]) -> None:
    """After more than a window without data nothing is made up: the samples are forgotten."""
    made = play(stage(MeanReversion, window=40), quiet())
    made.wait(40 * 100 + 101)
    play(made, [MID])
    assert made.both.python.count == 1
    assert made.both.python.deviation == 0.0


def test_the_plug_in_hands_over_the_class() -> None:
    """What is typed after -p."""
    assert bloor_strategy() is MeanReversion
    assert MeanReversion.name == "mean-reversion"
