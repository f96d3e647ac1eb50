"""A strategy whose parameters and state are cells of one record."""

from __future__ import annotations

from typing import Any, ClassVar

import numba
import pytest

from bloor.errors import UsageError
from bloor.strategy.api import Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.memory import Handler, in_memory, layout_of
from bloor.strategy.params import config_class, param
from bloor.testing.bothforms import BothForms


class Base(Strategy):
    """Has state of its own."""

    share: float = param(0.5, low=0.0, high=1.0, doc="part")
    seen: int = 7


class Mine(Base):
    """Inherits it."""

    name = "mine"
    STEP: ClassVar[int] = 3

    span: int = param(5, low=1, high=9, doc="trades")
    is_open: bool = False
    mean: float = 0.0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        self.seen += trade.qty * self.STEP
        self.mean += self.seen / trade.side
        self.is_open = True


def test_layout() -> None:
    """Parameters come first, bases before what inherits from them; constants of the class are no state."""
    assert list(layout_of(Mine).kinds.items()) == [
        ("share", float), ("span", int), ("seen", int), ("is_open", bool), ("mean", float)
    ]  # fmt: skip


def test_attributes_are_cells() -> None:
    """What Python assigns is in the memory, and the reverse, inherited attributes too."""
    mine = in_memory(Mine)(config_class(Mine)(span=8))
    assert (mine.share, mine.span, mine.seen, mine.is_open) == (0.5, 8, 7, False)
    mine.seen, mine.is_open, mine.mean = -3, True, 2
    assert mine.memory[0].tolist() == (0.5, 8, -3, True, 2.0)
    mine.memory["span"] = 9
    assert mine.span == 9
    assert mine.address == mine.memory.ctypes.data


def test_it_is_the_same_strategy() -> None:
    """The class in memory is a subclass of the same name, one for each class, its instances apart."""
    made = in_memory(Mine)
    assert made is in_memory(Mine)
    assert issubclass(made, Mine)
    assert (made.__name__, made.__module__, made.name) == ("Mine", Mine.__module__, "mine")
    one, other = made(), made()
    one.seen = 1
    assert other.seen == 7


def test_values_of_another_type_are_refused() -> None:
    """A float has no place in an int, nor an integer of more than 63 bits."""
    mine = in_memory(Mine)()
    with pytest.raises(TypeError):
        mine.seen = 1.5
    with pytest.raises(ValueError, match=r"."):
        mine.seen = 1 << 63


def test_a_state_is_kept_and_brought_back() -> None:
    """A copy of the memory is a state to go back to."""
    mine = in_memory(Mine)()
    before = mine.memory.copy()
    mine.seen, mine.is_open = 99, True
    mine.memory[:] = before
    assert (mine.seen, mine.is_open) == (7, False)


def test_not_compiled_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """With numba told not to compile, the same handlers run as Python on the same memory, exceptions answered too."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)

    class Plain(Mine):
        """A class that nothing was compiled for."""

        last: int = 0

        @property
        def twice(self) -> int:
            return self.seen * 2

        @staticmethod
        def half(x: int) -> int:
            return x // 2

        def own(self, x: int) -> int:
            return self.half(self.twice) + x

        def on_book(self, book: Any, orders: Any) -> None:
            self.last = orders.buy(book.best_ask, self.own(book.spread) + orders.sellable_lots, ioc=True)

        def on_timer(self, orders: Any) -> None:
            orders.now_ns = 1

    both = BothForms(Plain)
    both.trade.qty, both.trade.side = 2, 1
    both.exposure.position, both.book.best_ask, both.book.best_bid = 5_000, 7, 4
    assert both.call(Handler.TRADE, both.trade) is None
    assert both.call(Handler.BOOK) is None
    assert both.asked == [(1, 7, both.compiled.seen + 3 + 5, 1, 2)]
    both.trade.side = 0
    assert isinstance(both.call(Handler.TRADE, both.trade), ZeroDivisionError)
    assert isinstance(both.call(Handler.TIMER), AttributeError)
    assert both.call(Handler.STOP) is None


class Several(Mine):
    """Has arrays too."""

    window: Array[float] = array(3)
    late: bool = True
    flags: Array[bool] = array(2)


def test_arrays_lie_behind_the_rest() -> None:
    """Arrays are cells of the same record, each instance's its own, and keep their length."""
    layout = layout_of(Several)
    assert dict(layout.arrays) == {"window": (float, 3), "flags": (bool, 2)}
    assert layout.dtype.names == ("share", "span", "seen", "is_open", "mean", "late", "window", "flags")
    one, other = in_memory(Several)(), in_memory(Several)()
    one.window[1], one.flags[-1] = 2, True
    assert one.memory["window"][0].tolist() == [0.0, 2.0, 0.0]
    assert (list(one.flags), list(other.flags), list(other.window)) == ([False, True], [False, False], [0.0] * 3)
    with pytest.raises(AttributeError):
        one.window = [1.0]


def test_arrays_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """With numba told not to compile they are the same memory."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)

    class Window(Strategy):
        """A class that nothing was compiled for."""

        window: Array[int] = array(3)
        flags: Array[bool] = array(2)
        total: int = 0

        def on_book(self, book: Any, orders: Any) -> None:
            self.window[self.total % 3] += book.level(1, 0)[1] + 1
            self.flags[1] = True
            self.total += sum(self.window) + sum(self.flags)

    both = BothForms(Window)
    both.levels.load([(100, 5)], [])
    for _ in range(3):
        assert both.call(Handler.BOOK) is None
    assert both.compiled.total > 0


def test_no_state_at_all() -> None:
    """A strategy without attributes is one too."""

    class Empty(Strategy):
        pass

    assert in_memory(Empty)().memory.dtype.names is None or not in_memory(Empty)().memory.dtype.names


def test_a_default_of_another_type_is_refused() -> None:
    """What a class declares is what it begins with."""

    class Wrong(Strategy):
        seen: int = 1.5  # type: ignore[assignment]

    with pytest.raises(UsageError, match=r"Wrong\.seen: expected a default of type int, got 1\.5"):
        in_memory(Wrong)


def test_parameters_may_not_have_our_names() -> None:
    """A parameter that would hide the memory is refused as an attribute is."""

    class Wrong(Strategy):
        memory: int = param(1, low=0, doc="of nothing")

    with pytest.raises(UsageError, match=r"Wrong\.memory: the name is used by the class in memory; choose another"):
        in_memory(Wrong)


def test_names_of_ours_are_refused() -> None:
    """An attribute that would hide the memory is refused."""

    class Wrong(Strategy):
        memory: int = 1

    with pytest.raises(UsageError, match=r"Wrong\.memory: the name is used by the class in memory; choose another"):
        in_memory(Wrong)


def test_an_exception_is_an_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """A handler that raises answers 1, keeps what it did before, and prints nothing."""
    both = BothForms(Mine)
    both.trade.qty, both.trade.side = 2, 0
    assert isinstance(both.call(Handler.TRADE, both.trade), ZeroDivisionError)
    assert both.compiled.seen == 13
    both.trade.side = 1
    assert both.call(Handler.TRADE, both.trade) is None
    assert capfd.readouterr() == ("", "")
