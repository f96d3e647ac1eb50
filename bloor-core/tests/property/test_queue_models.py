"""Queue models: the published formulas, the same in both forms, and what must hold of any of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bloor.backtesting.models import (
    QUEUE_MODELS,
    Back,
    Front,
    LogProb,
    LogProb2,
    PowerProb,
    PowerProb2,
    PowerProb3,
    QueueModel,
    RiskAverse,
)
from bloor.backtesting.models.probable_kernel import AHEAD
from bloor.backtesting.models.queue import QUEUE_CELLS
from bloor.model.instrument import Instrument
from bloor.native.caching import jit_is_off

INSTRUMENT = Instrument(
    venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=2, qty_decimals=3
)
exponents = st.one_of(st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0, 10.0]), st.floats(0.1, 10.0))
sizes = st.one_of(st.integers(0, 30), st.integers(0, 10**6), st.integers(0, 1 << 53))
#: A trade of so many units, or the level goes to so many.
steps = st.lists(st.tuples(st.booleans(), sizes), max_size=30)
probable = st.one_of(
    st.builds(PowerProb, n=exponents),
    st.builds(PowerProb2, n=exponents),
    st.builds(PowerProb3, n=exponents),
    st.just(LogProb()),
    st.just(LogProb2()),
)
published = st.one_of(
    st.builds(PowerProb, n=exponents, bounded=st.just(False)),
    st.builds(PowerProb2, n=exponents, bounded=st.just(False)),
    st.builds(PowerProb3, n=exponents, bounded=st.just(False)),
    st.just(LogProb(bounded=False)),
    st.just(LogProb2(bounded=False)),
)
models = st.one_of(st.sampled_from([RiskAverse(), Front(), Back()]), probable)

# ---- the formulas as hftbacktest publishes them, in IEEE 754 ---------------------------------------------------------


def shares(model: Any) -> Callable[[float, float], float]:
    """The probability of a decrease behind the order, of what is ahead and behind."""

    # of the math module, which are libm's: numpy has vector forms of its own, that may differ in the last bit
    def power(x: float) -> float:
        return math.pow(x, model.n) if x >= 0.0 or model.n == int(model.n) or math.isnan(x) else math.nan

    def logarithm(x: float) -> float:
        return math.log(1.0 + x) if x > -1.0 else math.nan if x < -1.0 or math.isnan(x) else -math.inf

    def over(a: float, b: float) -> float:
        return float(np.float64(a) / np.float64(b))

    scale = 10.0**INSTRUMENT.qty_decimals
    forms: dict[type[QueueModel], Callable[[float, float], float]] = {
        PowerProb: lambda f, b: over(power(b), power(b) + power(f)),
        PowerProb2: lambda f, b: over(power(b), power(b + f)),
        PowerProb3: lambda f, b: 1.0 - power(over(f, f + b)),
        LogProb: lambda f, b: over(logarithm(b / scale), logarithm(b / scale) + logarithm(f / scale)),
        LogProb2: lambda f, b: over(logarithm(b / scale), logarithm(b / scale + f / scale)),
    }
    return forms[type(model)]


class Published:
    """An order's queue as hftbacktest's ProbQueueModel keeps it."""

    def __init__(self, model: QueueModel, level: int) -> None:
        self._share = shares(model)
        self.front = float(level)
        self._traded = 0.0

    def trade(self, units: int) -> int:
        self.front -= float(units)
        self._traded += float(units)
        past = math.floor(-self.front)
        past += -self.front - past >= 0.5
        if past > 0:
            self.front = 0.0
            return past
        return 0

    def change(self, before: int, after: int) -> None:
        left = float(before) - float(after) - self._traded
        self._traded = 0.0
        if left < 0.0:
            self.front = min(self.front, float(after))
            return
        behind = float(before) - self.front
        with np.errstate(all="ignore"):
            share = self._share(self.front, behind)
        if math.isinf(share):
            share = 1.0
        missing = behind - share * left
        estimate = self.front - (1.0 - share) * left + (0.0 if math.isnan(missing) else min(missing, 0.0))
        self.front = estimate if estimate < after else float(after)


# ---- the two forms of a model ----------------------------------------------------------------------------------------


class Queue:
    """An order's cells, with a model that works on them: the kernels as they stand, or compiled."""

    def __init__(self, model: QueueModel, *, compiled: bool) -> None:
        if compiled:
            self._entries = model.entries(INSTRUMENT)
            self.params, self._call = self._entries.params, self._entries.entries.call
        else:
            self._cells = model.cells(INSTRUMENT)
            kernel = model.kernels[-1]
            self.params = int(self._cells.ctypes.data)
            self._call = {name: getattr(kernel, name) for name in ("placed", "traded", "changed")}
        self.cells = np.zeros(QUEUE_CELLS, np.int64)
        self.address = int(self.cells.ctypes.data)

    def __call__(self, what: str, a: int, b: int = 0) -> int:
        return int(self._call[what](self.params, self.address, a, b))

    @property
    def ahead(self) -> float:
        """The estimate of a probabilistic model."""
        return float(self.cells.view(np.float64)[AHEAD])


def told(level: int, steps: list[tuple[bool, int]]) -> Iterator[tuple[bool, int, int]]:
    """``(whether a trade, units or before, after)`` of each step, the level followed."""
    for is_trade, size in steps:
        if is_trade:
            yield True, max(size, 1), 0
        else:
            yield False, level, size
            level = size


@pytest.mark.skipif(jit_is_off(), reason="compares compiled code")
@given(st.one_of(models, published), sizes, steps)
def test_compiled_as_in_python(model: QueueModel, level: int, steps: list[tuple[bool, int]]) -> None:
    """The compiled functions answer and remember the same bits as the kernels under a debugger."""
    queues = [Queue(model, compiled=compiled) for compiled in (False, True)]
    assert [queue("placed", level) for queue in queues] == [0, 0]
    for is_trade, a, b in told(level, steps):
        answers = [queue("traded" if is_trade else "changed", a, b) for queue in queues]
        assert answers[0] == answers[1]
        assert queues[0].cells.tolist() == queues[1].cells.tolist()


@given(published, sizes, steps)
@example(PowerProb(n=2.5, bounded=False), 11, [(False, 0), (False, 5), (False, 3)])  # below 0, and then no number
@example(LogProb(bounded=False), 10**6, [(False, 10**7), (False, 0), (False, 5000), (False, 10), (True, 1)])
def test_unbounded_as_published(model: QueueModel, level: int, steps: list[tuple[bool, int]]) -> None:
    """Without bounds, every estimate and every answer is that of the published formula, to the last bit."""
    queue, reference = Queue(model, compiled=not jit_is_off()), Published(model, level)
    queue("placed", level)
    for is_trade, a, b in told(level, steps):
        if is_trade:
            assert queue("traded", a) == reference.trade(a)
        else:
            queue("changed", a, b)
            reference.change(a, b)
        assert queue.ahead == reference.front


@given(probable, sizes, steps)
def test_bounded_between_nothing_and_the_level(model: QueueModel, level: int, steps: list[tuple[bool, int]]) -> None:
    """What is ahead is never below 0, never above the level that was told last, and never less known than a number."""
    queue = Queue(model, compiled=not jit_is_off())
    queue("placed", level)
    for is_trade, a, b in told(level, steps):
        queue("traded" if is_trade else "changed", a, b)
        level = level if is_trade else b
        assert 0.0 <= queue.ahead <= level


@given(models, sizes, steps)
def test_a_trade_only_brings_forward(model: QueueModel, level: int, steps: list[tuple[bool, int]]) -> None:
    """A trade fills at most what traded, and an order that one trade reached is reached whole by the next."""
    queue = Queue(model, compiled=not jit_is_off())
    queue("placed", level)
    reached = False
    for is_trade, a, b in told(level, steps):
        if not is_trade:
            queue("changed", a, b)
            continue
        past = queue("traded", a)
        assert 0 <= past <= a
        if reached:
            assert past == a
        reached = past > 0


@given(models, sizes, steps, st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_larger_trade_reaches_further(
    model: QueueModel, level: int, steps: list[tuple[bool, int]], units: int, more: int
) -> None:
    """Of two trades after the same history, the larger one fills at least as much."""
    answers = []
    for size in (units, units + more):
        queue = Queue(model, compiled=not jit_is_off())
        queue("placed", level)
        for is_trade, a, b in told(level, steps):
            queue("traded" if is_trade else "changed", a, b)
        answers.append(queue("traded", size))
    assert answers[0] <= answers[1]


@given(models, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_without_changes_only_the_level_is_ahead(model: QueueModel, level: int, added: int, units: int) -> None:
    """Who joins later stands behind: a trade has to go through what was there first, and no more."""
    queue = Queue(model, compiled=not jit_is_off())
    queue("placed", level)
    queue("changed", level, level + added)
    expected = {"front": units, "back": 0}.get(model.name, max(0, units - level))
    assert queue("traded", units) == expected


def test_every_model_says_what_it_does() -> None:
    """Each has its name, its own class and a docstring that the documentation can show."""
    for name, cls in QUEUE_MODELS.items():
        assert cls.name == name
        assert cls.__doc__
        assert isinstance(cls().cells(INSTRUMENT), np.ndarray)
