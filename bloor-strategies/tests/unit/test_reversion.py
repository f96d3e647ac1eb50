"""The autoregression and the Dickey-Fuller statistic against what is known of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bloor_strategies.reversion import critical, half_life, relation, reversion, unit_root


def ring(values: np.ndarray, size: int = 512, first: int = 0) -> tuple[memoryview, int, int]:
    """The values in a ring, from an index on."""
    cells = np.zeros(size)
    for i, value in enumerate(values):
        cells[(first + i) % size] = value
    return memoryview(cells.data), (first + len(values) - 1) % size, len(values)


def walk(seed: int, n: int, b: float, mean: float = 0.0) -> np.ndarray:
    """A first-order autoregression with steps of deviation 1."""
    steps = np.random.default_rng(seed).standard_normal(n + 200)
    x = np.zeros(n + 200)
    for i in range(1, len(x)):
        x[i] = b * x[i - 1] + steps[i]
    return x[200:] + mean


@pytest.mark.parametrize("b", [0.3, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("first", [0, 400])
def test_the_fit_is_that_of_least_squares(b: float, first: int) -> None:
    """Coefficient, mean, deviation and statistic are those of numpy's least squares on the same samples."""
    x = walk(1, 300, b, mean=11.0)
    found = reversion(*ring(x, first=first))
    table = np.column_stack([np.ones(299), x[:-1]])
    (c, phi), [rest], *_ = np.linalg.lstsq(table, np.diff(x), rcond=None)
    variance = rest / (299 - 2)
    error = math.sqrt(variance * np.linalg.inv(table.T @ table)[1, 1])
    expected = (1 + phi, -c / phi, math.sqrt(variance / (1 - (1 + phi) ** 2)), phi / error)
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_hand_made_series() -> None:
    """1, 0 in turn: each step is minus twice the distance from the mean, so b is -1, which returns to no mean."""
    assert reversion(*ring(np.array([1.0, 0.0] * 10))) == (1.0, 0.0, 0.0, 0.0)
    # 8, 4, 2, 1, ... is b = 1/2 without error; the last sample has one
    x = 2.0 ** -np.arange(11)
    x[-1] += 0.125
    b, mean, deviation, t = reversion(*ring(x))
    assert 0.4 < b < 0.6
    assert mean == pytest.approx(0.0, abs=0.1)
    assert deviation > 0
    assert t < -10


def test_what_does_not_return() -> None:
    """A constant, a straight line, too few samples, more samples than the ring has: no mean."""
    nothing = (1.0, 0.0, 0.0, 0.0)
    assert reversion(*ring(np.full(50, 3.3))) == nothing
    assert reversion(*ring(np.arange(50.0))) == nothing
    assert reversion(*ring(walk(1, 9, 0.5))) == nothing
    cells, newest, _ = ring(walk(1, 50, 0.5))
    assert reversion(cells, newest, 600) == nothing


def test_the_half_life_is_the_one_that_the_process_has() -> None:
    """b = 2^(-1/7) has one of seven samples, and it is found in a long window."""
    b = 2 ** (-1 / 7)
    assert half_life(b) == pytest.approx(7.0)
    found = [half_life(reversion(*ring(walk(seed, 512, b)))[0]) for seed in range(20)]
    assert 5.0 < float(np.median(found)) < 9.0
    assert half_life(-0.5) == 0.0
    assert half_life(1.0) == math.inf


def test_the_deviation_is_that_of_the_equilibrium() -> None:
    """Of an autoregression with steps of deviation 1 it is 1 / sqrt(1 - b^2)."""
    found = [reversion(*ring(walk(seed, 512, 0.8)))[2] for seed in range(20)]
    assert float(np.median(found)) == pytest.approx(1 / math.sqrt(1 - 0.64), rel=0.05)


def wandering() -> tuple[np.ndarray, np.ndarray]:
    """Two series of 60 samples without any chance: one wanders, the other follows it."""
    n = np.arange(60)
    x = np.cumsum(np.sin(n * n * 0.7))
    return 2.0 + 0.8 * x + 0.5 * np.cos(n * 1.3) + 0.3 * np.sin(n * n * 0.31), x


def test_the_statistic_is_that_of_an_econometric_package() -> None:
    """Those that statsmodels 0.15 finds: ``adfuller(..., maxlag=0, regression="c")`` of a walk and of what returns."""
    y, x = wandering()
    assert reversion(*ring(x))[3] == pytest.approx(-1.4488341065574524, rel=1e-9)
    assert reversion(*ring(y - 0.8 * x))[3] == pytest.approx(-6.696928420741746, rel=1e-9)


def test_the_test_of_a_pair_is_that_of_an_econometric_package() -> None:
    """Statistic and critical values of statsmodels 0.15, ``coint(y, x, trend="c", maxlag=0)``; anywhere in the ring."""
    y, x = wandering()
    for first in (0, 490):
        cells, newest, count = ring(y, first=first)
        intercept, slope = relation(cells, ring(x, first=first)[0], newest, count)
        statistic = unit_root(*ring(y - intercept - slope * x, first=first))
        assert statistic == pytest.approx(-6.7276364440475405, rel=1e-9)
    found = [critical(level, 2, count) for level in (3, 2, 1)]
    assert found == pytest.approx([-4.09169685, -3.44165109, -3.11711613], abs=1e-8)
    assert unit_root(*ring(np.zeros(40))) == unit_root(*ring(y[:9])) == 0.0


def test_critical_values_are_the_published_ones() -> None:
    """MacKinnon's table of 2010: asymptotic values, and those that statsmodels 0.15 prints of 59 differences."""
    big = 10**9
    assert [round(critical(level, 1, big), 2) for level in (1, 2, 3)] == [-2.57, -2.86, -3.43]
    assert [round(critical(level, 2, big), 2) for level in (1, 2, 3)] == [-3.04, -3.34, -3.90]
    printed = [-2.5936515282964665, -2.911939409384601, -3.5463945337644063]
    assert [critical(level, 1, 60) for level in (1, 2, 3)] == pytest.approx(printed, rel=1e-12)
    assert critical(0, 1, 50) == math.inf


def test_a_random_walk_passes_as_often_as_the_level_says() -> None:
    """Of 2,000 walks of 100 samples some 10 %, 5 % and 1 % lie below the critical value."""
    statistics = np.array([reversion(*ring(walk(seed, 100, 1.0)))[3] for seed in range(2_000)])
    for level, share in ((1, 0.10), (2, 0.05), (3, 0.01)):
        passed = float(np.mean(statistics < critical(level, 1, 100)))
        assert passed == pytest.approx(share, abs=3 * math.sqrt(share * (1 - share) / 2_000))


def test_a_process_that_returns_is_told_from_a_walk() -> None:
    """With a half-life of three samples in a hundred, the test at 5 % passes nearly always."""
    b = 2 ** (-1 / 3)
    passed = [reversion(*ring(walk(seed, 100, b)))[3] < critical(2, 1, 100) for seed in range(200)]
    assert np.mean(passed) > 0.8


@pytest.mark.parametrize("first", [0, 450])
def test_a_relation_is_that_of_least_squares(first: int) -> None:
    """Intercept and slope are those of numpy's fit of the same samples."""
    x = walk(1, 200, 1.0, mean=7.0)
    y = 3.0 + 0.8 * x + walk(2, 200, 0.5)
    slope, intercept = np.polyfit(x, y, 1)
    cells, newest, count = ring(y, first=first)
    assert relation(cells, ring(x, first=first)[0], newest, count) == pytest.approx((intercept, slope))
    assert relation(cells, ring(np.full(200, 2.0), first=first)[0], newest, count) == (0.0, 0.0)


def rest_of(y: np.ndarray, x: np.ndarray) -> float:
    """The statistic of what is left of a regression."""
    cells, newest, count = ring(y)
    intercept, slope = relation(cells, ring(x)[0], newest, count)
    return unit_root(*ring(y - intercept - slope * x))


def test_independent_walks_pass_as_often_as_the_level_says() -> None:
    """Of 2,000 pairs of independent walks of 100 samples some 10 %, 5 % and 1 % look cointegrated."""
    statistics = np.array([rest_of(walk(seed, 100, 1.0), walk(seed + 10_000, 100, 1.0)) for seed in range(2_000)])
    for level, share in ((1, 0.10), (2, 0.05), (3, 0.01)):
        passed = float(np.mean(statistics < critical(level, 2, 100)))
        assert passed == pytest.approx(share, abs=3 * math.sqrt(share * (1 - share) / 2_000))


def test_a_cointegrated_pair_is_found() -> None:
    """Where what is left returns with a half-life of two samples, the test at 5 % passes nearly always."""
    found = []
    for seed in range(100):
        x = walk(seed, 100, 1.0)
        found.append(rest_of(0.8 * x + walk(seed + 10_000, 100, 2 ** (-1 / 2)), x) < critical(2, 2, 100))
    assert np.mean(found) > 0.9
