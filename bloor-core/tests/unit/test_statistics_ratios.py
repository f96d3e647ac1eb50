"""Sharpe, Sortino and drawdown against empyrical, and what is not defined."""

from __future__ import annotations

from decimal import Decimal

import empyrical
import numpy as np
import pytest

from bloor.observe.equity import Curve, drawdown_of
from bloor.observe.ratios import DAY_NS, ratios_of, sharpe, sortino, step_of

SERIES = {
    "a hand-made one": [0.01, -0.02, 0.015, 0.0, -0.005, 0.02],
    "losses only": [-0.01, -0.02, -0.03],
    "one loss": [0.01, 0.02, -0.001, 0.03],
    **{f"random {seed}": np.random.default_rng(seed).normal(0.0004, 0.01, 400).tolist() for seed in range(5)},
    "heavy tails": (np.random.default_rng(9).standard_t(2, 1000) * 0.003).tolist(),
}


def curve(equity: list[float], step_ns: int = DAY_NS) -> Curve:
    values = np.array(equity, float)
    times = np.arange(len(values), dtype=np.int64) * step_ns
    none = np.zeros(len(values))
    return Curve(time_ns=times, equity=values, gross=none, net=none, held=none > 0)


@pytest.mark.parametrize("returns", SERIES.values(), ids=SERIES)
def test_sharpe_and_sortino_are_those_of_empyrical(returns):
    """Same numbers as a library that many people have checked, annualised with 365 days."""
    values = np.array(returns)
    assert sharpe(values, 365) == pytest.approx(empyrical.sharpe_ratio(values, annualization=365), rel=1e-10)
    assert sortino(values, 365) == pytest.approx(empyrical.sortino_ratio(values, annualization=365), rel=1e-10)


@pytest.mark.parametrize("returns", SERIES.values(), ids=SERIES)
def test_the_relative_drawdown_is_that_of_empyrical(returns):
    """The largest loss of the capital since its peak, of a capital that grows with the returns."""
    capital = 1000.0
    equity = capital * np.cumprod(np.concatenate(([1.0], 1 + np.array(returns)))) - capital
    drawdown = drawdown_of(curve(equity.tolist()), Decimal(1000))
    assert drawdown is not None
    assert drawdown.relative == pytest.approx(-empyrical.max_drawdown(np.array(returns)), rel=1e-10)


def test_a_ratio_without_risk_or_samples_is_none():
    """No samples, one, equal ones and no losses give None instead of an infinite or absurd number."""
    assert sharpe(np.array([]), 365) is None
    assert sharpe(np.array([0.1]), 365) is None
    assert sharpe(np.array([0.1] * 50), 365) is None
    assert sharpe(np.zeros(50), 365) is None
    assert sortino(np.array([0.1, 0.2]), 365) is None


def test_samples_are_as_far_apart_as_thirty_of_them_allow():
    """Days for a month, hours for two days, minutes for half an hour, seconds below, nothing below half a minute."""
    seconds = 1_000_000_000
    steps = [step_of(0, length * seconds) for length in (30 * 86_400, 2 * 86_400, 1800, 1799, 30, 29)]
    assert steps == [86_400 * seconds, 3600 * seconds, 60 * seconds, seconds, seconds, None]


def test_ratios_of_a_run_state_their_samples():
    """Forty days are sampled by the day; the ratio of money is the ratio of returns on any capital."""
    steps = np.random.default_rng(3).normal(2, 30, 40)
    run = curve([0.0, *np.cumsum(steps).tolist()])
    ratios = ratios_of(run, drawdown_of(run))
    assert (ratios.step_s, ratios.samples) == (86_400, 40)
    assert ratios.sharpe == pytest.approx(empyrical.sharpe_ratio(steps / 1e5, annualization=365))
    assert ratios.sortino == pytest.approx(empyrical.sortino_ratio(steps / 1e5, annualization=365))
    daily = steps.mean() / steps.std(ddof=1)
    assert ratios.sharpe_error == pytest.approx(np.sqrt((1 + daily**2 / 2) / 40 * 365))
    drawdown = drawdown_of(run)
    assert drawdown is not None
    assert ratios.calmar == pytest.approx(steps.sum() / 40 * 365 / drawdown.depth)
    assert ratios.recovery == pytest.approx(steps.sum() / drawdown.depth)


def test_a_short_run_has_no_annual_figures():
    """A minute has no Calmar ratio, twenty seconds have no Sharpe ratio."""
    short = curve([0.0, 5.0, 3.0, 6.0], 5_000_000_000)
    ratios = ratios_of(short, drawdown_of(short))
    assert (ratios.calmar, ratios.sharpe, ratios.sharpe_error, ratios.sortino, ratios.samples) == (*[None] * 4, 0)
    assert ratios.recovery == 3.0


def test_a_drawdown_has_its_peak_bottom_and_recovery():
    """The deepest fall, from the last moment at the peak to the first one back at it."""
    run = curve([0, 5, 5, 3, 1, 4, 5, 7, 6, 8], 10)
    drawdown = drawdown_of(run)
    assert drawdown is not None
    assert (drawdown.depth, drawdown.begin_ns, drawdown.bottom_ns, drawdown.recovery_ns) == (4, 20, 40, 60)
    assert (drawdown.longest_ns, drawdown.relative) == (40, None)


def test_a_drawdown_may_not_recover_or_not_be():
    """A run that ends below its peak has no recovery; one that only rises has no drawdown."""
    drawdown = drawdown_of(curve([0, 4, -2, 3], 10), Decimal(6))
    assert drawdown is not None
    assert (drawdown.depth, drawdown.recovery_ns, drawdown.longest_ns, drawdown.relative) == (6, None, 20, 0.6)
    assert drawdown_of(curve([0, 1, 1, 2])) is None
