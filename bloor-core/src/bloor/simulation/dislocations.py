"""How one venue's market strays from the common value: a little all the time, and now and then by more than fees.

The deviation of a market is an Ornstein-Uhlenbeck process of a few tenths of a basis point, and *shocks*: a large
participant who trades at one venue only, or a venue that hears of nothing for a moment. A shock comes at once, has a
size with a Pareto tail, and decays exponentially within tenths of a second.

Like :mod:`bloor.simulation.courses`, it is a pure function of its key and the time.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

from bloor.simulation.courses import STEP_NS

__all__ = ["Dislocation"]

#: Length of a block in steps: 15 s.
_BLOCK_STEPS = 15_000_000_000 // STEP_NS
_STEP_S = STEP_NS / 1e9
_BLOCK_S = _BLOCK_STEPS * _STEP_S
#: The small deviation: its own steps, its deviation in log value, and its time constant in seconds.
_EVERY = 5
_SIGMA = 0.3e-4
_KEEPS = math.exp(-_EVERY * _STEP_S / 2.0)
#: Shocks per second; least size in log value, exponent of the tail, and most.
_RATE = 1 / 75
_LEAST, _TAIL, _MOST = 8e-4, 1.4, 140e-4
#: Time constants of their decay in seconds: uniform between these.
_DECAY_S = (0.1, 0.5)


class _Shock(NamedTuple):
    """One: when, in steps from the block's beginning; how large, in log value; its decay per step."""

    step: float
    size: float
    rate: float


class Dislocation:
    """The deviation of one market from the common value.

    Args:
        key: Fixes it.
        scale: Factor on every size, and its square root on how often shocks come; 0 for a market that never strays.
    """

    def __init__(self, key: str, scale: float) -> None:
        self._key = key
        self._scale = scale
        self._index = -1
        self._small: tuple[float, ...] = ()
        self._shocks: list[_Shock] = []

    def at(self, step: int) -> float:
        """The deviation in log value, a number of steps after the opening of the market."""
        if not self._scale:
            return 0.0
        index, offset = divmod(step, _BLOCK_STEPS)
        if index != self._index:
            self._enter(index)
        shocks = sum(
            shock.size * math.exp(-shock.rate * (offset - shock.step))
            for shock in self._shocks
            if offset - shock.step >= 0
        )
        return self._scale * self._small[offset // _EVERY] + max(-_MOST, min(_MOST, self._scale * shocks))

    def _enter(self, index: int) -> None:
        """A new block: those before it have died away but for the last."""
        self._index = index
        rate = _RATE * math.sqrt(self._scale)
        before, former = _draws(self._key, index - 1, rate)
        now, shocks = _draws(self._key, index, rate)
        path = list(accumulate((*before, *now), lambda log, draw: _KEEPS * log + draw))
        self._small = tuple(path[len(before) :])
        self._shocks = [*(shock._replace(step=shock.step - _BLOCK_STEPS) for shock in former), *shocks]


@lru_cache(maxsize=256)
def _draws(key: str, index: int, rate: float) -> tuple[tuple[float, ...], tuple[_Shock, ...]]:
    """What is drawn for a block: increments of the small deviation, and shocks, ``rate`` of them a second."""
    rng = Random(f"{key} block {index}")
    sigma = _SIGMA * math.sqrt(1 - _KEEPS * _KEEPS)
    small = tuple(rng.gauss(0.0, sigma) for _ in range(_BLOCK_STEPS // _EVERY))
    shocks = []
    at_s = rng.expovariate(rate)
    while at_s < _BLOCK_S:
        size = _LEAST * rng.paretovariate(_TAIL) * (1 if rng.random() < 0.5 else -1)
        shocks.append(_Shock(at_s / _STEP_S, size, _STEP_S / rng.uniform(*_DECAY_S)))
        at_s += rng.expovariate(rate)
    return small, tuple(shocks)
