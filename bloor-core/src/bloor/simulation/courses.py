"""Courses: random paths on a fixed grid of time, each value of which can be had without those before it.

A course is a path in log value, 0 at the start of every day of the market. A day is cut into blocks of
:data:`BLOCK_S` seconds; where each block begins is an *anchor*, and anchors of a day are drawn together. Inside a block
phases follow each other: *trending* ones drift at a constant rate, *ranging* ones are pulled back to where they began
(an Ornstein-Uhlenbeck process), and each step adds Gaussian noise; the whole is tilted so that it ends on the next
anchor. Phases last about a second and trends mostly turn, so that a trend follower has work every few seconds.

Anchors either *walk* (a Brownian motion, bent so that the day ends where it began) or *return* (an Ornstein-Uhlenbeck
process around 0, led there at the end of the day). Everything is a pure function of the course's key and the time:
whoever computes it, in whatever process, has the same.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import accumulate
from random import Random

from attrs import frozen

__all__ = ["BLOCK_S", "DAY_S", "STEP_NS", "Course", "CoursePath"]

#: Length of a step.
STEP_NS = 20_000_000
_STEP_S = STEP_NS / 1e9
#: Length of a block, and of a day of the market, in seconds.
BLOCK_S, DAY_S = 15, 86_400
_BLOCK_STEPS = BLOCK_S * 1_000_000_000 // STEP_NS
_DAY_BLOCKS = DAY_S // BLOCK_S
#: Trend speed per second in log value: uniform between these (1.5 to 2.8 basis points).
_DRIFT = (1.5e-4, 2.8e-4)
#: Sigma of the log-normal factor on it: now and then a market runs.
_BURST = 0.35
#: Pull per second of a ranging phase.
_PULL = 0.8
#: Length of a phase in seconds: at least, and mean of the exponential part.
_PHASE_S = (0.6, 0.2)
#: Probability that a phase trends, and that a trend turns against the one before.
_TREND, _TURN = 0.97, 0.99


@frozen(kw_only=True)
class Course:
    """How a path moves.

    Attributes:
        spread: Deviation of its anchors in log value: per square root of a day where they walk, of the stationary
            distribution where they return.
        return_s: Time constant of their return in seconds; 0 for anchors that walk.
        trends: Speed of its trends, as a multiple of that of a coin; 0 for a path without phases.
        noise: Noise per square root of a second, in log value.
    """

    spread: float
    return_s: float = 0.0
    trends: float = 0.0
    noise: float = 0.0


class CoursePath:
    """One path.

    Args:
        course: How it moves.
        key: Fixes it; paths of one key are equal.
    """

    def __init__(self, course: Course, key: str) -> None:
        self._course = course
        self._key = key
        self._index = -1
        self._block: tuple[float, ...] = ()

    def at(self, step: int) -> float:
        """The log value a number of steps after the opening of the market."""
        index, offset = divmod(step, _BLOCK_STEPS)
        if index != self._index:
            self._index, self._block = index, _block(self._course, self._key, index)
        return self._block[offset]


@lru_cache(maxsize=256)
def _block(course: Course, key: str, index: int) -> tuple[float, ...]:
    """Log values of a block, at the beginning of each of its steps."""
    day, number = divmod(index, _DAY_BLOCKS)
    left, right = _anchors(course, key, day)[number : number + 2]
    rng = Random(f"{key} block {index}")
    moved = _phases(course, rng) if course.trends else _noise(course, rng)
    tilt = (right - left - moved[-1]) / _BLOCK_STEPS
    return tuple(left + log + tilt * step for step, log in enumerate(moved[:-1]))


@lru_cache(maxsize=64)
def _anchors(course: Course, key: str, day: int) -> list[float]:
    """Log values at the beginning of each block of a day, and at its end; the first and the last are 0."""
    rng = Random(f"{key} day {day}")
    keeps = math.exp(-BLOCK_S / course.return_s) if course.return_s else 1.0
    sigma = course.spread * (math.sqrt(1 - keeps * keeps) if course.return_s else math.sqrt(1 / _DAY_BLOCKS))
    draws = (rng.gauss(0.0, sigma) for _ in range(_DAY_BLOCKS))
    free = list(accumulate(draws, lambda log, draw: keeps * log + draw, initial=0.0))
    if course.return_s:
        return [log - free[-1] * keeps ** (_DAY_BLOCKS - number) for number, log in enumerate(free)]
    return [log - free[-1] * number / _DAY_BLOCKS for number, log in enumerate(free)]


def _noise(course: Course, rng: Random) -> list[float]:
    sigma = course.noise * math.sqrt(_STEP_S)
    return list(accumulate((rng.gauss(0.0, sigma) for _ in range(_BLOCK_STEPS)), initial=0.0))


def _phases(course: Course, rng: Random) -> list[float]:
    """Log values from 0 on, at the beginning of each step and at the end of the last."""
    sigma = course.noise * math.sqrt(_STEP_S)
    log, up = 0.0, rng.random() < 0.5
    moved = [log]
    while len(moved) <= _BLOCK_STEPS:
        length = int((_PHASE_S[0] + rng.expovariate(1 / _PHASE_S[1])) / _STEP_S)
        speed = course.trends * rng.uniform(*_DRIFT) * math.exp(rng.gauss(0.0, _BURST))
        trends = rng.random() < _TREND
        if trends:
            up ^= rng.random() < _TURN
        drift, anchor, pull = (speed if up else -speed), log, 0.0 if trends else _PULL
        for _ in range(min(length, _BLOCK_STEPS + 1 - len(moved))):
            log += (pull * (anchor - log) if pull else drift) * _STEP_S + rng.gauss(0.0, sigma)
            moved.append(log)
    return moved
