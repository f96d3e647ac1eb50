"""Arrays in a strategy's state do in compiled code what they do in Python."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bloor.strategy.api import Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.memory import Handler, in_memory
from bloor.testing.bothforms import BothForms


def spread_of(values: Any) -> float:
    """A function that is given an array."""
    low = high = values[0]
    for x in values:
        low = min(low, x)
        high = max(high, x)
    return float(high - low)


class Windows(Strategy):
    """Keeps the last numbers."""

    seen: int = 0
    window: Array[float] = array(5)
    counts: Array[int] = array(3)
    flags: Array[bool] = array(7)
    mean: float = 0.0
    spread: float = 0.0
    total: int = 0
    ups: int = 0

    def push(self, value: float) -> None:
        """A method that writes."""
        self.window[self.seen % len(self.window)] = value
        self.seen += 1

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Writes, then reads everything."""
        self.push(trade.price / 7)
        self.counts[trade.side] += trade.qty
        self.flags[self.seen % len(self.flags)] = trade.side > 0
        self.mean = sum(self.window) / min(self.seen, len(self.window))
        self.spread = spread_of(self.window)
        window = self.window
        window[-1] = window[0] + self.seen
        for i, (x, flag) in enumerate(zip(self.counts, self.flags)):  # noqa: B905 (compiled code knows no other)
            self.total += i * x if flag else -1
        self.ups = sum(self.flags) + sum(self.counts)

    def on_bbo(self, bbo: Any, book: Any, orders: Any) -> None:
        """Reads and writes wherever it is told."""
        self.mean = self.window[bbo.price]
        self.counts[bbo.price2] = bbo.qty

    def on_timer(self, orders: Any) -> None:
        """Goes on after an index out of range."""
        try:
            self.flags[7] = True
        except Exception:  # noqa: BLE001
            self.ups += 1
        for i in range(len(self.counts)):
            self.counts[i] = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """A sum that rounds."""
        self.mean = sum(self.window)


number = st.integers(0, 1 << 40)
step = st.tuples(
    st.sampled_from([Handler.TRADE, Handler.BBO, Handler.TIMER]), number, number, st.sampled_from([-1, 0, 1]),
    st.integers(-9, 9), st.integers(-5, 5),
)  # fmt: skip


@given(st.lists(step, max_size=30))
def test_any_use(steps: list[tuple[Handler, int, int, int, int, int]]) -> None:
    """The same elements after every event, and an index out of range raises in both."""
    both = BothForms(Windows)
    for handler, a, b, side, i, j in steps:
        both.trade.price, both.trade.qty, both.trade.side = a, b, side
        if handler is Handler.BBO:
            both.trade.price, both.trade.price2 = i, j
        raised = both.call(handler, None if handler is Handler.TIMER else both.trade)
        out = handler is Handler.BBO and not (-5 <= i < 5 and -3 <= j < 3)
        assert isinstance(raised, IndexError) == out


@given(st.lists(st.floats(), min_size=5, max_size=5))
def test_sums_round_as_pythons(values: list[float]) -> None:
    """``sum`` gives Python's result to the last bit."""
    both = BothForms(Windows)
    for instance in (both.python, both.compiled):
        instance.memory["window"] = values
    both.call(Handler.BOOK)
    assert repr(both.python.mean) == repr(sum(values))


@given(st.integers(-9, 9), number)
def test_ordinary_and_in_memory(index: int, value: int) -> None:
    """A strategy that is not compiled has the same arrays."""
    found = []
    for strategy in (Windows(), in_memory(Windows)()):
        try:
            strategy.counts[index] = value
        except IndexError:
            found.append(None)
        else:
            found.append((list(strategy.counts), len(strategy.window), sum(strategy.counts)))
    assert found[0] == found[1]
    assert (found[0] is None) == (not -3 <= index < 3)
