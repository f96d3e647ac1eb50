"""Clustered arrival times: a Hawkes process with an exponential kernel.

Intensity ``base + excitement``; every event raises the excitement by ``jump`` and it decays at ``decay`` per second, so
that on average ``base / (1 - jump / decay)`` events arrive per second. Times are drawn by thinning (Y. Ogata, "On
Lewis' simulation method for point processes", IEEE Transactions on Information Theory 27, 1981).
"""

from __future__ import annotations

import math
from random import Random

__all__ = ["Hawkes"]


class Hawkes:
    """A stream of event times.

    Args:
        rng: Draws the times.
        base: Events per second without excitement.
        jump: What one event adds to the intensity, per second.
        decay: How fast excitement decays, per second; above ``jump``.
    """

    def __init__(self, rng: Random, base: float, jump: float, decay: float) -> None:
        if not 0 <= jump < decay or base <= 0:
            raise ValueError(f"expected base > 0 and 0 <= jump < decay, got {base}, {jump}, {decay}")
        self._rng = rng
        self._base = base
        self._jump = jump
        self._decay = decay
        self._excitement = 0.0

    def wait_ns(self) -> int:
        """How long after the last event the next one comes; at least 1 us, so that times grow."""
        waited = 0.0
        while True:
            bound = self._base + self._excitement
            step = self._rng.expovariate(bound)
            waited += step
            self._excitement *= math.exp(-self._decay * step)
            if self._rng.random() * bound <= self._base + self._excitement:
                self._excitement += self._jump
                return max(1000, int(waited * 1e9))
