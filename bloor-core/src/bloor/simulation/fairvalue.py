"""The value that a simulated market believes in: phases of trend and of return, from a seed.

A path in log price on a fixed grid of time since the market opened. Phases follow each other: *trending* ones drift at
a constant rate, *ranging* ones are pulled back to where they began (an Ornstein-Uhlenbeck process). Each step adds
Gaussian noise. Phases last about a second and trends mostly turn, so that a trend follower has work every few seconds;
far from the opening price, trends lean back to it, so that a long session stays in range.
"""

from __future__ import annotations

import math
from random import Random

__all__ = ["FairValue"]

#: Length of a step.
STEP_NS = 20_000_000
_STEP_S = STEP_NS / 1e9
#: Noise per square root of a second, in log price (0.2 basis points).
_NOISE = 0.2e-4
#: Trend speed per second in log price: uniform between these (1.5 to 2.8 basis points).
_DRIFT = (1.5e-4, 2.8e-4)
#: Sigma of the log-normal factor on it: now and then a market runs.
_BURST = 0.35
#: Pull per second of a ranging phase.
_PULL = 0.8
#: Length of a phase in seconds: at least, and mean of the exponential part.
_PHASE_S = (0.6, 0.2)
#: Probability that a phase trends.
_TREND = 0.97
#: How much likelier than by chance a trend turns against the one before.
_TURN = 0.49
#: Log distance from the opening price at which trends always lead back.
_RANGE = 0.03


class FairValue:
    """A seeded path.

    Attributes:
        drift: Drift of the present phase in log price per second; 0 in a ranging phase.
    """

    def __init__(self, rng: Random, price: float) -> None:
        self._rng = rng
        self._open = math.log(price)
        self._log = self._open
        self._anchor = self._open
        self._steps = 0
        self._phase_ends = 0
        self._value = price
        self.drift = 0.0
        self._last_drift = 0.0

    def at(self, elapsed_ns: int) -> float:
        """The value ``elapsed_ns`` after the opening; times must not go back.

        Returns:
            The price, in the quote asset.
        """
        target = elapsed_ns // STEP_NS
        if target > self._steps:
            while self._steps < target:
                self._step()
            self._value = math.exp(self._log)
        return self._value

    def _step(self) -> None:
        self._steps += 1
        if self._steps >= self._phase_ends:
            self._next_phase()
        pull = 0.0 if self.drift else _PULL * (self._anchor - self._log)
        self._log += (self.drift + pull) * _STEP_S + self._rng.gauss(0.0, _NOISE * math.sqrt(_STEP_S))

    def _next_phase(self) -> None:
        rng = self._rng
        self._phase_ends = self._steps + int((_PHASE_S[0] + rng.expovariate(1 / _PHASE_S[1])) / _STEP_S)
        self._anchor = self._log
        speed = rng.uniform(*_DRIFT) * math.exp(rng.gauss(0.0, _BURST))
        lean = (self._open - self._log) / _RANGE
        turn = -_TURN if self._last_drift > 0 else _TURN
        up = rng.random() < 0.5 + turn + 0.5 * max(-1.0, min(1.0, lean))
        trends = rng.random() < _TREND
        self.drift = (speed if up else -speed) if trends else 0.0
        self._last_drift = self.drift or self._last_drift
