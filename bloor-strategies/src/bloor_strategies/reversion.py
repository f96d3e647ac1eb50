"""Whether a series returns to a mean, and where that is: an autoregression, and its Dickey-Fuller statistic.

The last samples of a series are regressed as ``x[t] - x[t-1] = c + phi x[t-1] + e[t]`` by least squares. That is the
first-order autoregression with coefficient ``b = 1 + phi``, sampled from an Ornstein-Uhlenbeck process when
``0 < b < 1``: mean ``m = -c / phi``, standard deviation around it in equilibrium ``s / sqrt(1 - b^2)`` with ``s`` that
of ``e``, half-life ``-ln 2 / ln b`` samples (M. Avellaneda and J.-H. Lee, "Statistical arbitrage in the US equities
market", Quantitative Finance 10 (2010) 761-782, appendix on the estimation of the residual process).

``t``, the ratio of ``phi`` to its standard error, tells that from a random walk, which has ``phi = 0`` (D. A. Dickey
and W. A. Fuller, "Distribution of the estimators for autoregressive time series with a unit root", Journal of the
American Statistical Association 74 (1979) 427-431). Its distribution is not Student's; critical values for any number
of samples are those of J. G. MacKinnon, "Critical values for cointegration tests", Queen's Economics Department working
paper 1227 (2010), table 2, with a constant. One variable: a series that was observed. Two: what is left of a regression
of one series on another with a constant (R. F. Engle and C. W. J. Granger, "Co-integration and error correction:
representation, estimation, and testing", Econometrica 55 (1987) 251-276); since that is zero on average, its
autoregression has no constant once more, and its statistic is that of :func:`unit_root`.

The functions are compiled with the strategies that call them. Samples are in a ring: element ``newest`` is the last
one, those before it have lower indices, around the end.
"""

from __future__ import annotations

import math

from bloor.strategy.arrays import Array

__all__ = ["SHORTEST", "critical", "half_life", "relation", "reversion", "unit_root"]

#: Fewest samples of a regression.
SHORTEST = 10

#: MacKinnon's table 2, with a constant: coefficients of 1, 1/n, 1/n^2 and 1/n^3, at 10 %, 5 % and 1 %; one variable.
_ONE = (
    (-2.56677, -1.5384, -2.809, 0.0),
    (-2.86154, -2.8903, -4.234, -40.040),
    (-3.43035, -6.5393, -16.786, -79.433),
)
#: The same of two variables.
_TWO = (
    (-3.04445, -4.2412, -2.720, 0.0),
    (-3.33613, -6.1101, -6.823, 0.0),
    (-3.89644, -10.9519, -33.527, 0.0),
)


def reversion(samples: Array[float], newest: int, count: int) -> tuple[float, float, float, float]:
    """Fits the autoregression to the last samples.

    Args:
        samples: The ring.
        newest: Index of the last sample.
        count: How many samples there are, at least :data:`SHORTEST` and at most all of the ring.

    Returns:
        ``(b, mean, deviation, t)``: the coefficient, the mean, the standard deviation in equilibrium, and the
        Dickey-Fuller statistic. ``(1.0, 0.0, 0.0, 0.0)`` of a series that returns to no mean: too short, constant,
        or with ``b`` outside of -1 to 1.
    """
    size = len(samples)
    if count < SHORTEST or count > size:
        return 1.0, 0.0, 0.0, 0.0
    pairs = count - 1
    at = (newest + 1 + size - count) % size
    origin = before = samples[at]
    sx = sd = sxx = sxd = sdd = 0.0
    for _ in range(pairs):
        at = at + 1 if at + 1 < size else 0
        x = before - origin
        step = samples[at] - before
        before = samples[at]
        sx += x
        sd += step
        sxx += x * x
        sxd += x * step
        sdd += step * step
    sxx -= sx * sx / pairs
    sxd -= sx * sd / pairs
    sdd -= sd * sd / pairs
    if sxx <= 0.0 or sdd <= 0.0:
        return 1.0, 0.0, 0.0, 0.0
    phi = sxd / sxx
    rest = sdd - phi * sxd
    b = 1.0 + phi
    if not -1.0 < b < 1.0 or rest <= 0.0:
        return 1.0, 0.0, 0.0, 0.0
    variance = rest / (pairs - 2)
    mean = origin + sx / pairs - sd / pairs / phi
    return b, mean, math.sqrt(variance / (1.0 - b * b)), phi / math.sqrt(variance / sxx)


def unit_root(rest: Array[float], newest: int, count: int) -> float:
    """The Dickey-Fuller statistic, without a constant, of what is left of a regression: ``u[t] - u[t-1] = phi u[t-1]``.

    Args:
        rest: A ring.
        newest: Index of the last sample.
        count: How many samples there are.

    Returns:
        The ratio of ``phi`` to its standard error; 0.0, which rules out nothing, without enough samples, or of a rest
        that does not move or that is fitted exactly.
    """
    size = len(rest)
    if count < SHORTEST or count > size:
        return 0.0
    at = (newest + 1 + size - count) % size
    before = rest[at]
    sxx = sxd = sdd = 0.0
    for _ in range(count - 1):
        at = at + 1 if at + 1 < size else 0
        step = rest[at] - before
        sxx += before * before
        sxd += before * step
        sdd += step * step
        before = rest[at]
    if sxx <= 0.0:
        return 0.0
    phi = sxd / sxx
    variance = (sdd - phi * sxd) / (count - 2)
    return phi / math.sqrt(variance / sxx) if variance > 0.0 else 0.0


def relation(y: Array[float], x: Array[float], newest: int, count: int) -> tuple[float, float]:
    """Regresses one series on another: ``y = intercept + slope x + rest`` by least squares over the last samples.

    Args:
        y: A ring.
        x: A ring of the same length; both were written to together.
        newest: Index of the last sample.
        count: How many samples there are.

    Returns:
        ``(intercept, slope)``; ``(0.0, 0.0)`` without enough samples, or of an ``x`` that does not move.
    """
    size = len(x)
    if count < SHORTEST or count > size:
        return 0.0, 0.0
    at = (newest + 1 + size - count) % size
    x0, y0 = x[at], y[at]
    sx = sy = sxx = sxy = 0.0
    for _ in range(count):
        u, v = x[at] - x0, y[at] - y0
        sx += u
        sy += v
        sxx += u * u
        sxy += u * v
        at = at + 1 if at + 1 < size else 0
    sxx -= sx * sx / count
    sxy -= sx * sy / count
    if sxx <= 0.0:
        return 0.0, 0.0
    slope = sxy / sxx
    return y0 + sy / count - slope * (x0 + sx / count), slope


def half_life(b: float) -> float:
    """In how many samples half of a distance from the mean is gone; 0 when ``b`` is not above 0, infinite at 1."""
    if b <= 0.0:
        return 0.0
    return -math.log(2.0) / math.log(b) if b < 1.0 else math.inf


def critical(level: int, variables: int, count: int) -> float:
    """What the Dickey-Fuller statistic must not exceed for a random walk to be ruled out.

    Args:
        level: 1 for 10 %, 2 for 5 %, 3 for 1 %: how often a random walk passes; 0 for no test (infinite).
        variables: 1 for a series that was observed, 2 for what is left of a regression.
        count: Number of samples of the series.
    """
    if level <= 0:
        return math.inf
    c = _ONE[level - 1] if variables == 1 else _TWO[level - 1]
    n = float(count - 1)
    return c[0] + c[1] / n + c[2] / (n * n) + c[3] / (n * n * n)
