"""Pairs on two markets whose relation is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from bloor.strategy.memory import Handler
from bloor.testing.bothforms import INSTRUMENT, BothForms
from bloor_strategies.pairs import Pairs, bloor_strategy

FIRST, SECOND = 200_000, 6_000_000
Prices = Iterable[tuple[int, int]]


def pair(seed: int, n: int, half_life: float, slope: float = 0.8, deviation_bps: float = 5.0) -> Prices:
    """Two price paths in ticks: the second a random walk, the first on it but for a process of this half-life.

    With an infinite half-life they are two independent walks.
    """
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_normal(n)) * 3e-4
    steps = rng.standard_normal(n)
    rest = np.zeros(n)
    if half_life < math.inf:
        b = 2 ** (-1 / half_life)
        for i in range(1, n):
            rest[i] = b * rest[i - 1] + steps[i] * deviation_bps * 1e-4 * math.sqrt(1 - b * b)
        first = slope * walk + rest
    else:
        first = np.cumsum(steps) * 3e-4
    return [(round(FIRST * math.exp(y)), round(SECOND * math.exp(x))) for y, x in zip(first, walk, strict=True)]


def play(made: Any, prices: Prices, step_ms: int = 100) -> Any:
    """A two-tick book around both prices."""
    for prices_now in prices:
        made.wait(step_ms)
        for leg, price in enumerate(prices_now):
            made.show([(price - 1, 10**12)], [(price + 1, 10**12)], leg)
    return made


def excess(made: Any, prices: Any) -> float:
    """What was earned beyond holding both all the time, in bps of the value of an entry."""
    bought = {leg: log for log, leg in reversed(list(zip(made.log, made.legs, strict=True)))}
    held = sum(lots * (prices[-1][leg] - price) for leg, (_, price, lots) in bought.items())
    return float((made.worth() - held) / (bought[0][2] * bought[0][1]) * 1e4)


TESTED = {"window": 60, "test": 2, "cooldown_ms": 50, "entry": 1.5}


def test_a_cointegrated_pair_earns_beyond_its_holding(stage: Callable[..., Any]) -> None:
    """Half-life of three samples, deviation 5 bps: against holding both it earns before fees, in every market."""
    for seed in range(4):
        prices = pair(seed, 800, 3)
        made = play(stage(Pairs, **TESTED), prices)
        assert len(made.log) > 30
        assert excess(made, prices) > 20


def test_two_independent_walks_are_mostly_left_alone(stage: Callable[..., Any]) -> None:
    """With the test it opens a fraction of what it opens of a pair, and of what it opens of walks without the test."""
    walks = [pair(seed, 800, math.inf) for seed in range(4)]
    tested = sum(len(play(stage(Pairs, **TESTED), walk).log) for walk in walks)
    untested = sum(len(play(stage(Pairs, **{**TESTED, "test": 0}), walk).log) for walk in walks)
    related = sum(len(play(stage(Pairs, **TESTED), pair(seed, 800, 3)).log) for seed in range(4))
    assert tested < untested
    assert tested * 3 < related


def test_the_relation_is_found(stage: Callable[..., Any]) -> None:
    """After 200 samples the slope is that of the two walks, within a tenth; numpy says the same of the same window."""
    prices = pair(3, 260, 3)
    made = play(stage(Pairs, window=200, test=3, entry=10.0), prices)
    strategy = made.both.python
    assert strategy.beta == pytest.approx(0.8, abs=0.1)
    y, x = np.log(np.array(prices[59:-1])).T
    slope, intercept = np.polyfit(x, y, 1)
    assert (strategy.beta, strategy.alpha) == pytest.approx((slope, intercept), rel=1e-6)


def first_at(made: Any, price: float, times: int = 1) -> None:
    """The first leg goes to a price, the second stays."""
    for _ in range(times):
        made.wait(100)
        made.show([(round(price) - 1, 10**12)], [(round(price) + 1, 10**12)])


def now(made: Any, leg: int = 0) -> float:
    """The mid of a leg."""
    return float(made.both.legs[leg].book.mid2 / 2)


def apart(made: Any, bps: float) -> None:
    """The first leg moves away from the relation as it is now, the second does not move."""
    strategy = made.both.python
    fair = strategy.alpha + strategy.mean + strategy.beta * math.log(now(made, 1))
    first_at(made, math.exp(fair + bps * 1e-4))


def fair_of_entry(made: Any, deviations: float = 0.0) -> float:
    """The price of the first leg that the relation of the entry calls fair, or so many deviations from it."""
    strategy = made.both.python
    fair = strategy.held_alpha + strategy.held_mean + strategy.held_beta * math.log(now(made, 1))
    return math.exp(fair + deviations * strategy.held_deviation)


def change(made: Any, **parameters: float) -> None:
    """New parameters of a strategy at work."""
    for form in (made.both.python, made.both.compiled):
        for name, value in parameters.items():
            setattr(form, name, value)


def ready(stage: Callable[..., Any], **parameters: float) -> Any:
    """A pair with a fit, no entry so far; deviation some 5 bps."""
    made = stage(Pairs, **{"window": 60, "test": 0, "entry": 10.0, "stop": 99.0, "cooldown_ms": 50, **parameters})
    play(made, [*pair(1, 100, 2, 1.0)])
    change(made, entry=3.0)
    assert made.both.python.side == 0
    return made


def test_what_is_cheap_is_bought_out_of_what_is_dear(stage: Callable[..., Any]) -> None:
    """The first leg 40 bps cheap: twice of it, nothing of the second; back again: one of each."""
    made = ready(stage)
    one, other = made.holds(0), made.holds(1)
    assert one > 0
    assert other > 0
    apart(made, -40.0)
    assert made.both.python.side == 1
    first_at(made, now(made))
    assert made.holds(0) == pytest.approx(2 * one, rel=0.1)
    assert made.holds(1) == 0
    value = made.holds(0) / 2 * now(made) * INSTRUMENT.lot_units
    assert value == pytest.approx(1_000 * 10**INSTRUMENT.value_decimals, rel=0.1)
    first_at(made, fair_of_entry(made), 3)
    assert made.both.python.side == 0
    assert made.holds(0) == pytest.approx(one, rel=0.1)
    assert made.holds(1) > 0


def test_what_is_dear_is_sold_for_what_is_cheap(stage: Callable[..., Any]) -> None:
    """The first leg 40 bps dear: nothing of it, twice of the second."""
    made = ready(stage)
    apart(made, 40.0)
    assert made.both.python.side == -1
    first_at(made, now(made))
    assert made.holds(0) == 0
    assert made.holds(1) == pytest.approx(2 * made.both.python.part[1], rel=0.3)


def test_without_an_inventory_it_holds_the_cheap_leg_alone(stage: Callable[..., Any]) -> None:
    """With `inventory = 0` it is flat, long the first leg while that is cheap, and flat again."""
    made = ready(stage, inventory=0.0)
    assert (made.holds(0), made.holds(1)) == (0, 0)
    apart(made, -40.0)
    assert made.holds(0) > 0
    assert made.holds(1) == 0
    first_at(made, fair_of_entry(made), 2)
    assert (made.holds(0), made.holds(1)) == (0, 0)
    assert made.both.python.waits is False
    apart(made, 60.0)
    assert made.holds(0) == 0


def test_a_pair_that_goes_on_diverging_is_given_up(stage: Callable[..., Any]) -> None:
    """At `stop` deviations both legs go back to the holding, and it waits."""
    made = ready(stage, stop=15.0)
    one = made.holds(0)
    apart(made, -40.0)
    strategy = made.both.python
    assert strategy.side == 1
    first_at(made, fair_of_entry(made, -16.0), 3)
    assert strategy.side == 0
    assert strategy.waits
    assert made.holds(0) == pytest.approx(one, rel=0.25)
    assert made.holds(1) == strategy.wanted[1] == strategy.part[1]


def test_what_would_be_given_up_at_once_is_not_opened(stage: Callable[..., Any]) -> None:
    """A divergence of `stop` deviations and more opens nothing."""
    made = ready(stage, stop=4.0)
    apart(made, -60.0)
    assert made.both.python.side == 0
    made = ready(stage, stop=99.0)
    apart(made, -60.0)
    assert made.both.python.side == 1


def test_a_leg_that_fails_is_undone(stage: Callable[..., Any]) -> None:
    """The first leg is bought, the second cannot be sold: after `tries` orders the first goes back."""
    made = ready(stage, tries=3, hold=1_000.0, stop=100.0)
    one, other = made.holds(0), made.holds(1)
    made.dead = {1}
    asked = len(made.both.asked)
    apart(made, -40.0)
    change(made, entry=10.0)
    assert made.holds(0) > 1.5 * one
    while made.both.python.side != 0:
        first_at(made, now(made))
    assert sum(made.both.asked_on[asked:]) == 3
    first_at(made, now(made), 2)
    assert made.holds(0) == pytest.approx(one, rel=0.25)
    assert made.holds(1) == other


def test_it_trades_while_the_pair_is_one(stage: Callable[..., Any]) -> None:
    """An entry is closed when the test of now fails at the next weaker level, whatever the score."""
    made = ready(stage, stop=100.0, hold=1_000.0)
    change(made, test=3)
    apart(made, -15.0)
    strategy = made.both.python
    assert strategy.side == 1
    assert strategy.passes(2)
    start = now(made)
    for i in range(1, 40):
        first_at(made, start - 60 * i)
    assert not strategy.passes(2)
    assert strategy.side == 0


def test_it_wants_both_books(stage: Callable[..., Any]) -> None:
    """While one book is lost, nothing is asked for and no sample taken."""
    made = play(stage(Pairs, window=60), pair(1, 30, 3))
    count = made.both.python.count
    made.both.legs[1].levels.load([], [], seq=1, exch_ns=0, recv_ns=0)
    made.wait(500)
    made.show([(FIRST, 1)], [(FIRST + 1, 1)], 0)
    assert made.both.python.count == count


@pytest.mark.parametrize(
    ("others", "said"),
    [([], "two instruments"), ([{"quote": "Q", "symbol": "C-Q"}], "one quote asset"), ([{}, {}], "two instruments")],
)
def test_it_says_what_it_cannot_trade(others: list[dict[str, str]], said: str) -> None:
    """One instrument, three, or two quote assets end in a message that says what to name."""
    from attrs import evolve

    both = BothForms(Pairs, others=[evolve(INSTRUMENT, **{"symbol": "C-B", "base": "C", **other}) for other in others])
    error = both.call(Handler.START)
    assert isinstance(error, ValueError)
    assert said in str(error)


def test_the_plug_in_hands_over_the_class() -> None:
    """What is typed after -p."""
    assert bloor_strategy() is Pairs
    assert Pairs.name == "pairs"
