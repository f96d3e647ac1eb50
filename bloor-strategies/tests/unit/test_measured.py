"""What market makers measure, on markets of known volatility and arrivals."""

from __future__ import annotations

import math
from random import Random

import pytest

from bloor.strategy.params import config_class
from bloor_strategies.measured import BINS, NEAREST, RATIO, Measured

SECOND = 1_000_000_000


def measured(**parameters: float) -> Measured:
    """An instance with parameters."""
    return Measured(config_class(Measured)(**parameters))


def test_the_volatility_of_known_moves() -> None:
    """A mid that moves by two basis points every second has a volatility of two per square root of a second."""
    market = measured(memory_s=60.0)
    for n in range(200):
        market.sample(1e6 + 200 * (n % 2), (n + 1) * SECOND)
    assert market.sigma == pytest.approx(2.0, rel=1e-3)


def test_volatility_does_not_depend_on_how_often_it_is_sampled() -> None:
    """A random walk has the same volatility in samples of 0.1 s and of 1 s."""
    found = []
    for sample_ms in (100, 1_000):
        chance, market, mid = Random(7), measured(sample_ms=sample_ms, memory_s=10_000.0), 1e6
        for n in range(40_000):
            mid += chance.gauss(0.0, 1.5 * math.sqrt(0.05)) * 100.0
            market.sample(mid, (n + 1) * SECOND // 20)
        found.append(market.sigma)
    assert found == pytest.approx([1.5, 1.5], rel=0.05)


def test_what_is_long_past_is_forgotten() -> None:
    """After many time constants only the new volatility counts."""
    market = measured(memory_s=5.0)
    for n in range(200):
        market.sample(1e6 + (1_000 if n < 100 else 100) * (n % 2), (n + 1) * SECOND)
    assert market.sigma == pytest.approx(1.0, rel=1e-3)


def test_nothing_is_known_before_the_second_sample() -> None:
    """Volatility is 0 and the parameters hold."""
    market = measured(arrivals=3.0, decay=0.25)
    market.saw(1_000_100, 1)
    market.sample(1e6, SECOND)
    assert (market.sigma, market.rate, market.slope) == (0.0, 3.0, 0.25)


@pytest.mark.parametrize(("a", "k"), [(2.0, 0.5), (1.0, 4.0), (5.0, 0.1)])
def test_known_arrivals_are_found(a: float, k: float) -> None:
    """Orders of both sides that reach beyond d bps with the intensity A exp(-k d): the fit finds A and k."""
    chance, market, mid, now = Random(1), measured(memory_s=3_600.0, sample_ms=50), 1e6, 0
    market.sample(mid, SECOND)
    for step in range(60_000):
        now = SECOND + step * SECOND // 20
        for side in (1, -1):
            if chance.random() < a / 20:
                market.saw(round(mid + side * chance.expovariate(k) * 100.0), side)
        market.sample(mid, now)
    assert market.fitted
    assert market.slope == pytest.approx(k, rel=0.1)
    assert market.rate == pytest.approx(a, rel=0.15)


def test_the_deepest_trade_of_a_side_counts_once_a_sample() -> None:
    """An order that took three levels is one order, as deep as its last trade; the other side is counted apart."""
    market = measured()
    market.sample(1_000.0, SECOND)
    for price, side in ((1_001, 1), (1_003, 1), (1_002, 1), (998, -1)):
        market.saw(price, side)
    market.sample(1_000.0, 2 * SECOND)
    where = [int(math.log(reach / NEAREST) / math.log(RATIO)) for reach in (3.0, 2.0)]
    assert [i for i in range(BINS) if market.depths[i]] == sorted(where)


def test_a_few_trades_are_not_enough_to_fit() -> None:
    """With one depth only, or a handful of orders, the parameters go on holding."""
    market = measured(decay=0.7)
    for n in range(100):
        market.sample(1e6, (n + 1) * SECOND)
        market.saw(1_000_100, 1)
    assert not market.fitted
    assert market.slope == 0.7


def test_it_measures_nothing_that_it_is_told() -> None:
    """With `learn` off, A and k are the parameters whatever trades."""
    chance, market = Random(3), measured(learn=False, arrivals=2.5, decay=0.4)
    for n in range(2_000):
        market.sample(1e6, (n + 1) * SECOND // 10)
        market.saw(1_000_000 + int(chance.expovariate(0.01)), 1)
    assert (market.rate, market.slope) == (2.5, 0.4)
