"""The cards of a queue model: it never fills more than traded, keeps to its own cells, and is one in both forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import attrs
import numpy as np

from bloor.backtesting.models import QueueModel
from bloor.backtesting.models.queue import ORDER_FUNCTIONS, QUEUE_CELLS, QUEUE_FUNCTIONS
from bloor.model.instrument import Instrument
from bloor.native.caching import jit_is_off
from bloor.native.memory import Cells
from bloor.testing.cards.base import Cards, does_not_apply
from bloor.testing.examples import for_examples, strategies
from bloor.testing.instruments import SHAPES
from bloor.testing.modelling import check_class, check_parameters, variants

__all__ = ["QueueModelCards"]

#: Trades of rising size.
SIZES = (1, 3, 10, 60, 200, 5000, 10**6, 10**9)
#: Cells around those of an order, and what stands in them.
AROUND, CANARY = 4, -0x5A5A5A5A5A5A5A5A


class QueueModelCards(Cards):
    """What every queue model promises.

    Attributes:
        parameters: Values of the parameters that have no default.
    """

    kind: ClassVar[str] = "queue model"
    hook: ClassVar[str] = "bloor_queue_model"
    parameters: ClassVar[Mapping[str, Any]] = {}

    @property
    def model(self) -> type[QueueModel]:
        """The plug-in's class."""
        cls: type[QueueModel] = self.host.answers(self.plugin)[self.hook]
        return cls

    def capabilities(self) -> dict[str, bool | str]:
        """Its parameters."""
        known: Any = self.model
        return {"parameters": ", ".join(field.name for field in attrs.fields(known)) or "none"}

    def test_q01_its_class_says_what_it_is(self) -> None:
        """The class has the plug-in's name, a docstring, and cannot be changed.

        Results name the model by it; the text is what ``bloor plugins info`` shows.
        """
        check_class(self.model, self.plugin, self.parameters)

    def test_q02_its_parameters_are_documented_and_bounded(self) -> None:
        """Every parameter says what it means; every number has bounds, and what is beyond them is refused.

        A mistyped zero should be refused when the backtest starts.
        """
        check_parameters(self.model, self.parameters)

    def test_q03_it_makes_cells_for_every_instrument(self) -> None:
        """The parameters of each instrument are int64 cells, new ones each time, and the same each time.

        Compiled code reads them by their address.
        """
        for model in variants(self.model, self.parameters):
            for instrument in SHAPES:
                one, other = model.cells(instrument), model.cells(instrument)
                good = isinstance(one, np.ndarray) and one.dtype == np.int64 and one.ndim == 1 and one.size
                assert good and one.flags.c_contiguous, f"{model}.cells(): expected (n,) int64, n above 0, got {one!r}"
                assert one is not other and not np.shares_memory(one, other), f"{model}.cells(): expected new cells"
                assert one.tolist() == other.tolist(), f"{model}.cells(): expected the same numbers each time"

    def test_q04_it_fills_at_most_what_traded(self) -> None:
        """Whatever happened before, a trade fills 0 units or more, and no more than traded.

        Tried with random histories, and each parameter at its bounds.
        """

        def check(queue: Asked, history: History) -> None:
            for what, a, _, answer in queue.told(history):
                assert what != "traded" or 0 <= answer <= a, f"{queue.model}: {a} units traded, and {answer} are filled"

        self._tried(check)

    def test_q05_a_larger_trade_reaches_further(self) -> None:
        """Of trades after the same history, a larger one fills at least as much.

        Else it would pay to trade less.
        """

        def check(queue: Asked, history: History) -> None:
            filled = []
            for size in SIZES:
                order = queue.beside()
                for _ in order.told(history):
                    pass
                filled.append(order.ask("traded", size))
            assert filled == sorted(filled), f"{queue.model}: trades of {SIZES} units fill {filled}"

        self._tried(check)

    def test_q06_it_keeps_to_the_cells_of_the_order(self) -> None:
        """Nothing is written beside the order's four cells, and none of the parameters.

        Orders lie side by side in memory, and all of an instrument share the parameters.
        """

        def check(queue: Asked, history: History) -> None:
            before = queue.parameters.copy()
            for what, *_ in queue.told(history):
                assert queue.untouched, f"{queue.model}: {what}() wrote beside the {QUEUE_CELLS} cells of the order"
                assert queue.parameters.tolist() == before.tolist(), f"{queue.model}: {what}() changed the parameters"

        self._tried(check)

    def test_q07_an_order_is_its_own(self) -> None:
        """Of two orders with the same history, told in turns, each is answered the same.

        A model that remembers elsewhere would mix them up.
        """

        def check(queue: Asked, history: History) -> None:
            other = queue.beside()
            for one, two in zip(queue.told(history), other.told(history), strict=True):
                assert one == two, f"{queue.model}: of two orders, one is answered {one} and the other {two}"

        self._tried(check)

    def test_q08_both_forms_are_one(self) -> None:
        """The compiled functions answer and remember what the kernels do as they stand.

        Backtests run the compiled ones; a person debugs the others.
        """
        if jit_is_off():
            does_not_apply("numba is told not to compile")

        def check(queue: Asked, history: History) -> None:
            compiled = queue.beside(compiled=True)
            for one, two in zip(queue.told(history), compiled.told(history), strict=True):
                assert one == two, f"{queue.model}: {one} as it stands, {two} compiled"
                assert queue.cells.tolist() == compiled.cells.tolist(), f"{queue.model}: cells differ after {one}"

        self._tried(check)

    def _tried(self, check: Callable[[Asked, History], None]) -> None:
        """Calls a check with histories, for the model with its parameters as given and at their bounds."""
        st = strategies()
        sizes = st.one_of(st.integers(0, 30), st.integers(0, 10**9))
        histories = st.tuples(sizes, st.lists(st.one_of(sizes, sizes.map(lambda n: -n)), max_size=20))
        for model in variants(self.model, self.parameters):
            for_examples(_about(model, check), histories, daily=25)


def _about(model: QueueModel, check: Callable[[Asked, History], None]) -> Callable[[History], None]:
    """A check of a new order with a history."""

    def asked(history: History) -> None:
        check(Asked(model), history)

    return asked


#: The level that an order joins, and what happens then: above 0 the level goes there, below 0 so much trades.
History = tuple[int, list[int]]


class Asked:
    """An order's cells among others, and a model that is asked about it."""

    def __init__(self, model: QueueModel, *, compiled: bool = False, instrument: Instrument = SHAPES[0]) -> None:
        self.model = model
        if compiled:
            entries = model.entries(instrument)
            self.parameters: Cells = entries.cells
            self._call: Mapping[str, Any] = entries.entries.call
        else:
            self.parameters = model.cells(instrument)
            functions = QUEUE_FUNCTIONS + (ORDER_FUNCTIONS if model.by_order else ())
            self._call = {name: getattr(model.kernels[-1], name) for name, _ in functions}
        self._memory = np.full(QUEUE_CELLS + 2 * AROUND, CANARY, np.int64)
        self.cells[:] = 0

    def beside(self, *, compiled: bool = False) -> Asked:
        """Another order, asked with the same parameters."""
        other = Asked(self.model, compiled=compiled)
        if not compiled:
            other.parameters = self.parameters
        return other

    @property
    def cells(self) -> Cells:
        """The order's cells."""
        return self._memory[AROUND:-AROUND]

    @property
    def untouched(self) -> bool:
        """Whether the cells around are as they were."""
        return bool((self._memory[:AROUND] == CANARY).all() and (self._memory[-AROUND:] == CANARY).all())

    def ask(self, what: str, a: int, b: int = 0) -> int:
        """One of the functions."""
        return int(self._call[what](int(self.parameters.ctypes.data), int(self.cells.ctypes.data), a, b))

    def told(self, history: History) -> Iterator[tuple[str, int, int, int]]:
        """Tells a history, step by step: the function, its two arguments, its answer."""
        level, steps = history
        yield "placed", level, 0, self.ask("placed", level)
        for step in steps:
            if step < 0:
                yield "traded", -step, 0, self.ask("traded", -step)
            else:
                yield "changed", level, step, self.ask("changed", level, step)
                if self.model.by_order:
                    yield "order_changed", step - level, 1, self.ask("order_changed", step - level, 1)
                level = step
