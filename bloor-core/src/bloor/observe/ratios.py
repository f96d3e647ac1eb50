"""Return against risk: Sharpe, Sortino, Calmar.

Returns are changes of the equity over equal steps of time, in money. A ratio of them is the same as one of returns on
any fixed capital; profits are not counted as invested again, which is how a desk with fixed order sizes works. The
rate without risk is 0. A year has 365 days, for these markets never close.

A ratio that is not defined is None: no changes, no losses, or too few samples. It is never infinite and never NaN.
"""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from bloor.observe.equity import Curve, Drawdown

__all__ = ["Ratios", "ratios_of", "sharpe", "sortino", "step_of"]

Floats = NDArray[np.float64]

DAY_NS = 86_400_000_000_000
YEAR_NS = 365 * DAY_NS
#: Steps that samples may be apart, longest first: a day, an hour, a minute, a second.
STEPS_NS = (DAY_NS, DAY_NS // 24, DAY_NS // 1440, DAY_NS // 86_400)
#: Fewer samples tell nothing of a deviation.
SAMPLES_MIN = 30


@frozen(kw_only=True)
class Ratios:
    """Ratios of return to risk, with what they were sampled from.

    Attributes:
        step_s: Seconds between samples; None when the run is too short for any.
        samples: How many steps.
        sharpe: :func:`sharpe`, annualised.
        sharpe_error: Standard error of it, for independent steps: ``sqrt((1 + s**2 / 2) / samples)`` of the ratio ``s``
            of one step, annualised (A. Lo, *The Statistics of Sharpe Ratios*, 2002, eq. 9). A ratio smaller than twice
            this is not told from none.
        sortino: :func:`sortino`, annualised.
        calmar: Profit of a year at the run's pace by the maximum drawdown (T. Young, 1991); None for runs of less than
            a day, of which no year can be told.
        recovery: Profit by the maximum drawdown, nothing annualised.
    """

    step_s: float | None
    samples: int
    sharpe: float | None
    sharpe_error: float | None
    sortino: float | None
    calmar: float | None
    recovery: float | None


def _ratio(mean: float, risk: float, per_year: float) -> float | None:
    """None where the risk is no more than the rounding of the numbers it was computed from."""
    return mean / risk * math.sqrt(per_year) if risk > 1e-12 * abs(mean) else None


def sharpe(returns: Floats, per_year: float) -> float | None:
    """``mean / std * sqrt(per_year)``, the deviation with ``n - 1`` (W. Sharpe, *The Sharpe Ratio*, 1994).

    Args:
        returns: One a step; float64.
        per_year: Steps in a year.

    Returns:
        None for fewer than two, or when all are the same.
    """
    if len(returns) < 2:
        return None
    return _ratio(float(returns.mean()), float(returns.std(ddof=1)), per_year)


def sortino(returns: Floats, per_year: float) -> float | None:
    """``mean / sqrt(mean(min(r, 0)**2)) * sqrt(per_year)`` (F. Sortino and L. Price, 1994), with a target of 0.

    Args:
        returns: One a step; float64.
        per_year: Steps in a year.

    Returns:
        None for fewer than two, or when none is negative.
    """
    if len(returns) < 2:
        return None
    return _ratio(float(returns.mean()), math.sqrt(float((np.minimum(returns, 0) ** 2).mean())), per_year)


def step_of(begin_ns: int, end_ns: int) -> int | None:
    """The longest of a day, an hour, a minute and a second that is at least 30 times in a run, in ns; or None."""
    return next((step for step in STEPS_NS if (end_ns - begin_ns) // step >= SAMPLES_MIN), None)


def ratios_of(curve: Curve, drawdown: Drawdown | None) -> Ratios:
    """The ratios of a run, from its equity every step (:func:`step_of`) since its begin.

    The rest after the last whole step is left out of Sharpe and Sortino.
    """
    begin, end = int(curve.time_ns[0]), int(curve.time_ns[-1])
    step = step_of(begin, end)
    profit = float(curve.equity[-1])
    recovery = profit / drawdown.depth if drawdown else None
    calmar = recovery * YEAR_NS / (end - begin) if recovery is not None and end - begin >= DAY_NS else None
    if step is None:
        return Ratios(
            step_s=None, samples=0, sharpe=None, sharpe_error=None, sortino=None, calmar=calmar, recovery=recovery
        )
    returns = np.diff(curve.at(np.arange(begin, end + 1, step)))
    per_year = YEAR_NS / step
    ratio = sharpe(returns, per_year)
    error = None if ratio is None else math.sqrt((per_year + ratio**2 / 2) / len(returns))
    return Ratios(
        step_s=step / 1e9,
        samples=len(returns),
        sharpe=ratio,
        sharpe_error=error,
        sortino=sortino(returns, per_year),
        calmar=calmar,
        recovery=recovery,
    )
