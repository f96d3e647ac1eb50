"""What market makers measure of a market: its volatility, and how deep arriving orders reach.

Everything is in basis points of the mid, so that the same parameters suit any instrument.

**Volatility** is that of arithmetic Brownian motion, in bps per square root of a second: the mid is sampled every
``sample_ms`` (when the first event after that comes), and ``sigma**2`` is the sum of squared moves over the sum of
times, both forgotten exponentially with the time constant ``memory_s``.

**Arrivals.** Models of market making take it that orders reach a quote at the distance ``d`` from the mid with the
intensity ``A * exp(-k * d)`` on each side. How deep the deepest trade of each side reached in a sample is counted in
bins whose edges grow geometrically from half a tick; the counts are forgotten as above. A regression of the logarithm
of "orders per second and side that reached at least this far" on the distance, weighted by the number of those orders,
gives ``k`` (minus its slope) and ``A`` (the exponential of its intercept). Counting the deepest trade of a short
interval and fitting a straight line to the logarithm is the procedure of the tutorial "Guéant-Lehalle-Fernandez-Tapia
Market Making Model and Grid Trading" of hftbacktest. Here both sides are counted apart, and weights and geometric bins
are added, so that sparse far orders do not decide.
"""

from __future__ import annotations

import math

from bloor.strategy.api import Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param

__all__ = ["BINS", "NEAREST", "RATIO", "Measured"]

#: Bins of the depth of arriving orders.
BINS = 48
#: Ratio of the edges of a bin.
RATIO = 1.25
#: Nearest edge, in ticks: a quote cannot be nearer to the mid of a book one tick wide.
NEAREST = 0.5
#: Fewest orders, and fewest bins with orders, that a line is fitted to.
ENOUGH, ENOUGH_BINS = 10.0, 3
#: Between these ``A`` and ``k`` stay, as their parameters do.
LEAST_A, MOST_A = 1e-6, 1e6
LEAST_K, MOST_K = 1e-4, 1e4


class Measured(Strategy):
    """A strategy that knows how volatile its market is and how deep orders reach; see the module."""

    memory_s: float = param(60.0, low=1.0, high=86_400.0, doc="time constant of what is measured, in seconds")
    sample_ms: int = param(100, low=1, high=60_000, doc="shortest time between two samples of the mid, in ms")
    learn: bool = param(True, doc="whether A and k are measured; if not, and until they are, the next two hold")
    arrivals: float = param(
        1.0, low=LEAST_A, high=MOST_A, doc="A: orders per second and side that would reach a quote at the mid"
    )
    decay: float = param(
        1.0, low=LEAST_K, high=MOST_K, doc="k: how fast arrivals fall with the distance from the mid, per bp"
    )

    mid: float = 0.0
    sampled_ns: int = 0
    watched_s: float = 0.0
    moves: float = 0.0
    seconds: float = 0.0
    reach_buy: float = 0.0
    reach_sell: float = 0.0
    fitted: bool = False
    intensity: float = 0.0
    steepness: float = 0.0
    depths: Array[float] = array(BINS)

    @property
    def sigma(self) -> float:
        """Volatility in bps per square root of a second; 0 before the second sample."""
        return math.sqrt(self.moves / self.seconds) if self.seconds > 0.0 else 0.0

    @property
    def rate(self) -> float:
        """``A``, per second and side."""
        return self.intensity if self.learn and self.fitted else self.arrivals

    @property
    def slope(self) -> float:
        """``k``, per bp."""
        return self.steepness if self.learn and self.fitted else self.decay

    def saw(self, price: int, side: int) -> None:
        """Notes how deep a trade reached from the mid that the present sample began with.

        Args:
            price: Its price in ticks.
            side: The taker's: +1 bought, -1 sold.
        """
        if self.sampled_ns == 0:
            return
        if side > 0:
            self.reach_buy = max(self.reach_buy, price - self.mid)
        elif side < 0:
            self.reach_sell = max(self.reach_sell, self.mid - price)

    def sample(self, mid: float, now_ns: int) -> None:
        """Takes a sample of the mid, if it is time to.

        Args:
            mid: In ticks, above 0.
            now_ns: Time of the event.
        """
        if self.sampled_ns == 0:
            self.mid, self.sampled_ns = mid, now_ns
            return
        waited_ns = now_ns - self.sampled_ns
        if waited_ns < self.sample_ms * 1_000_000:
            return
        waited = waited_ns * 1e-9
        fade = math.exp(-waited / self.memory_s)
        move = (mid - self.mid) / self.mid * 1e4
        self.moves = self.moves * fade + move * move
        self.seconds = self.seconds * fade + waited
        self.watched_s += waited
        for i in range(BINS):
            self.depths[i] *= fade
        for side in range(2):
            self.count(self.reach_buy if side == 0 else self.reach_sell)
        self.reach_buy = self.reach_sell = 0.0
        self.mid, self.sampled_ns = mid, now_ns
        if self.learn:
            self.fit()

    def count(self, reach: float) -> None:
        """Counts an order that reached so many ticks from the mid; less than half a tick is none."""
        if reach >= NEAREST:
            self.depths[min(int(math.log(reach / NEAREST) / math.log(RATIO) + 1e-9), BINS - 1)] += 1.0

    def fit(self) -> None:
        """Fits ``A`` and ``k`` to what was counted; without enough of it they stay what they are."""
        weight = of_x = of_y = of_xx = of_xy = reached = 0.0
        used = 0
        edge = NEAREST * RATIO ** (BINS - 1) / self.mid * 1e4
        for i in range(BINS - 1, -1, -1):
            reached += self.depths[i]
            if self.depths[i] > 0.1 and reached >= 1.0:
                y = math.log(reached / (2.0 * self.seconds))
                used += 1
                weight += reached
                of_x += reached * edge
                of_y += reached * y
                of_xx += reached * edge * edge
                of_xy += reached * edge * y
            edge /= RATIO
        if used < ENOUGH_BINS or reached < ENOUGH:
            return
        mean_x, mean_y = of_x / weight, of_y / weight
        spread = of_xx / weight - mean_x * mean_x
        if spread <= 0.0:
            return
        k = -(of_xy / weight - mean_x * mean_y) / spread
        self.steepness = min(max(k, LEAST_K), MOST_K)
        self.intensity = math.exp(min(max(mean_y + self.steepness * mean_x, math.log(LEAST_A)), math.log(MOST_A)))
        self.fitted = True
