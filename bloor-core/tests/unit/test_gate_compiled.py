"""The gate's compiled form: when there is one, what it answers, how that is counted, and what is refused."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
from attrs import frozen

from bloor.errors import PluginError
from bloor.market.events import NO_PRICE
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.risk import kernel, layout, missing_kernel, rules_kernel
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import WIDEST, CompiledCheck, CompiledGate, wide_cells
from bloor.risk.gate import Denial, Gate
from bloor.risk.limits import LimitsMissing
from bloor.risk.rules import InstrumentRules, Rule

BTC = Instrument(venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=2, qty_decimals=8)


def kernel_file(path: Path, source: str = "") -> ModuleType:
    """A kernel file of a plug-in, written first if there is a source."""
    if source:
        path.write_text(source)
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[path.stem] = module_from_spec(spec)  # as an import does: numba's cache finds it there
    spec.loader.exec_module(module)
    return module


ANSWERS = kernel_file(Path(__file__).parents[1] / "answers_kernel.py")


@frozen
class NoLimits:
    pass


class Odd(RiskCheck):
    """Has no compiled form: answers 1 for odd lots."""

    name: ClassVar[str] = "odd"
    controls: ClassVar[frozenset[Control]] = frozenset(Control)
    limits: ClassVar[type[Any]] = NoLimits
    codes: ClassVar[dict[int, str]] = {1: "LOTS_ODD"}

    def __init__(self) -> None:
        self.asked = 0

    @classmethod
    def sim_limits(cls) -> NoLimits:
        return NoLimits()

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        self.asked += 1
        return order.lots % 2


class Answers(Odd):
    """Answers what stands in its cell, in both forms."""

    name: ClassVar[str] = "answers"
    codes: ClassVar[dict[int, str]] = {1: "CELL_ONE", 65_535: "CELL_LARGEST"}

    def __init__(self) -> None:
        self.cells = np.zeros(1, np.int64)

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        return int(self.cells[0])

    def compiled(self) -> CompiledCheck | None:
        return CompiledCheck((ANSWERS,), self.cells)


def records(lots: int = 2, strategy: int = 0) -> tuple[OrderIntent, BookView, Exposure]:
    order, book = OrderIntent(), BookView()
    order.side, order.type, order.tif = Side.BUY, OrderType.LIMIT, TimeInForce.GTC
    order.price, order.lots, order.units, order.strategy = 100, lots, lots, strategy
    book.best_bid, book.best_ask, book.state = 99, 101, BookState.SYNCED
    return order, book, Exposure()


def ask(gate: Gate, *, lots: int = 2, strategy: int = 0) -> int:
    form = gate.compiled()
    assert form is not None
    order, book, exposure = records(lots, strategy)
    return form.ask(order.address, book.address, exposure.address, 5)


# ---- whether there is one


def test_a_check_without_a_compiled_form() -> None:
    """The gate has none either, and names the check; the Python form goes on."""
    gate = Gate([Odd()], [BTC])
    assert gate.compiled() is None
    assert gate.uncompiled == ("odd",)
    assert gate.decide_in_python(*records(), 5) is None
    assert gate.decide_in_python(*records(lots=3), 5) == Denial("LOTS_ODD", "odd")


def test_a_compiled_gate_is_made_once() -> None:
    """Its cells stay where they are."""
    gate = Gate([Answers()], [BTC])
    form = gate.compiled()
    assert isinstance(form, CompiledGate) and form is gate.compiled()
    assert gate.uncompiled == ()
    assert form.cells[kernel.COUNT] == 2 and form.address == form.cells.ctypes.data


def test_without_a_compiler_there_is_no_compiled_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a coverage run; the Python form decides."""
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    gate = Gate([Answers()], [BTC])
    assert gate.compiled() is None
    assert gate.decide(*records(), 5) is None


class Stricter(InstrumentRules):
    """Changes the Python form only."""

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        return 1


class Renamed(InstrumentRules):
    """Changes neither form."""


def test_a_subclass_that_overrules_the_python_form_has_no_compiled_one() -> None:
    """The compiled form of its base would let orders pass that it denies."""
    limits = InstrumentRules.sim_limits()
    gate = Gate([Stricter(limits, (BTC,)), Renamed(limits, (BTC,))], [BTC], mandatory=frozenset())
    assert gate.uncompiled == ("instrument-rules",)
    assert gate.compiled() is None


def test_missing_limits_deny_in_compiled_code() -> None:
    """The stand-in for a check whose limits nobody stated has a compiled form too."""
    gate = Gate([LimitsMissing(Answers, ("most",))], [BTC])
    assert gate.account(ask(gate)) == Denial("MOST_LIMIT_MISSING", "answers") == gate.decide_in_python(*records(), 5)


# ---- what it answers, and how that is counted


def test_decisions_are_counted_alike() -> None:
    """Passed and denied orders, each code, whichever form decided."""
    check = Answers()
    gate = Gate([check], [BTC])
    for cell, expected in ((0, None), (1, Denial("CELL_ONE", "answers")), (65_535, Denial("CELL_LARGEST", "answers"))):
        check.cells[0] = cell
        assert gate.account(ask(gate)) == expected
        assert gate.decide_in_python(*records(), 5) == expected
    assert gate.account(ask(gate, lots=0)) == Denial("QUANTITY_BELOW_MIN", "instrument-rules")
    assert gate.passed == 2
    assert gate.denied_by_code() == {"CELL_ONE": 2, "CELL_LARGEST": 2, "QUANTITY_BELOW_MIN": 1}


@pytest.mark.parametrize("cell", [2, -1, -7, 65_536, 1 << 40, -(1 << 63)])
def test_an_answer_that_is_no_code_denies(cell: int) -> None:
    """Anything but 0 denies, however large, and is kept for a person."""
    check = Answers()
    check.cells[0] = cell
    gate = Gate([check], [BTC])
    assert ask(gate) >> kernel.NUMBER_SHIFT == 2
    assert gate.account(ask(gate)) == Denial("CHECK_FAILED", "answers") == gate.decide_in_python(*records(), 5)
    assert gate.denied == {Denial("CHECK_FAILED", "answers"): 2}
    assert "expected 0 or one of its codes [1, 65535]" in gate.failures["answers"]


@pytest.mark.parametrize("answer", [kernel.UNDECIDED, 3, 9 << kernel.NUMBER_SHIFT])
def test_what_is_no_decision_is_not_counted(answer: int) -> None:
    """An answer of a latched gate, or of another one, is a mistake of the caller."""
    gate = Gate([Answers()], [BTC])
    with pytest.raises(ValueError, match="expected a decision of a gate of 2 checks"):
        gate.account(answer)
    assert (gate.passed, gate.denied) == (0, {})


def test_decisions_asked_of_the_gate_are_compiled_ones() -> None:
    """Once there is a compiled form it decides; while something is latched, or beyond the end of time, Python does."""
    check = Answers()
    check.check = lambda *_: 1  # type: ignore[method-assign]
    gate = Gate([check], [BTC])
    assert gate.decide(*records(), 5) == Denial("CELL_ONE", "answers")
    assert gate.compiled() is not None
    assert gate.decide(*records(), 5) is None
    assert gate.decide(*records(), 1 << 63) == Denial("CELL_ONE", "answers")
    gate.halt("overfill", 3)
    assert gate.decide(*records(), 5) == Denial("CELL_ONE", "answers")
    gate.resume(3)
    assert gate.decide(*records(), 5) is None
    assert (gate.passed, gate.denied) == (2, {Denial("CELL_ONE", "answers"): 3})


@pytest.mark.parametrize("arguments", [(), (1, 2, 3), (1, 2, 3, "4"), (1, 2, 3, None)])
def test_arguments_that_are_none(arguments: Any) -> None:
    """A call by address checks what it can."""
    form = Gate([Answers()], [BTC]).compiled()
    assert form is not None
    with pytest.raises(TypeError):
        form.ask(*arguments)


# ---- latches


def test_every_latch_stops_compiled_decisions() -> None:
    """While anything is latched the Python form decides; afterwards the compiled one does again."""
    gate = Gate([Answers()], [BTC])
    assert ask(gate) == 0
    gate.halt("loss")
    assert ask(gate) == kernel.UNDECIDED
    gate.reduce_only = "loss"
    gate.resume()
    assert ask(gate) == kernel.UNDECIDED
    gate.halt("overfill", 3)
    gate.reduce_only = ""
    assert ask(gate, strategy=0) == kernel.UNDECIDED
    gate.resume()
    assert gate.halted_strategies == {3: "overfill"}
    assert ask(gate) == kernel.UNDECIDED
    gate.resume(3)
    assert ask(gate) == 0
    assert (gate.halted, gate.reduce_only, dict(gate.halted_strategies)) == ("", "", {})


def test_latches_of_strategies_are_set_through_the_gate_only() -> None:
    """What is read cannot be changed behind the back of the compiled form."""
    gate = Gate([Answers()], [BTC])
    with pytest.raises(TypeError):
        gate.halted_strategies[1] = "no"  # type: ignore[index]
    with pytest.raises(AttributeError):
        gate.halted = "no"  # type: ignore[misc]


# ---- what is refused


class Given(Answers):
    """Gives any compiled form."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.form = form

    def compiled(self) -> CompiledCheck | None:
        if isinstance(self.form, Exception):
            raise self.form
        return self.form  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (ZeroDivisionError("oops"), r"compiled\(\) raised ZeroDivisionError: oops"),
        (7, r"expected a CompiledCheck or None from compiled\(\), got 7"),
    ],
)
def test_a_form_that_is_none(form: Any, told: str) -> None:
    """The gate cannot be made; the message names the check and what to do."""
    with pytest.raises(PluginError, match=rf"plug-in 'answers': compiled form: {told}; return None"):
        Gate([Given(form)], [BTC])


def test_kernels_that_cannot_be_used(tmp_path: Path) -> None:
    """No entry, other arguments, what numba does not compile: each with the file and what was expected."""
    cells = np.zeros(1, np.int64)
    wrong = {
        "no_entry": ("x = 1\n", r"expected check\(cells, intent, book, exposure, now_ns\) in the last kernel file"),
        "few": ("def check(cells):\n    return 0\n", r"expected check\(cells"),
        "text": (
            "def check(a, b, c, d, e):\n    return 'no'\n",
            r"expected kernels that numba compiles, got in .*text",
        ),
    }
    for name, (source, told) in wrong.items():
        gate = Gate([Given(CompiledCheck((kernel_file(tmp_path / f"{name}.py", source),), cells))], [BTC])
        with pytest.raises(PluginError, match=told):
            gate.compiled()
    with pytest.raises(PluginError, match="no modules"):
        Gate([Given(CompiledCheck((), cells))], [BTC]).compiled()


def test_denial_numbers_that_do_not_fit() -> None:
    """Compiled code tells a number in 16 bits."""

    class Large(Answers):
        codes: ClassVar[dict[int, str]] = {70_000: "TOO_LARGE"}

    with pytest.raises(PluginError, match=r"expected denial numbers of 1 to 65535, got \[70000\]"):
        Gate([Large()], [BTC]).compiled()


@pytest.mark.parametrize(
    "cells", [[1], np.zeros(2), np.zeros((2, 2), np.int64), np.zeros(4, np.int64)[::2], np.zeros(2, np.int32)]
)
def test_cells_that_are_none(cells: Any) -> None:
    """Memory that compiled code would read as something else is refused where it is given."""
    with pytest.raises(TypeError, match="expected a contiguous"):
        CompiledCheck((missing_kernel,), cells)


def test_limits_in_two_cells() -> None:
    """Upper and lower half, signed; what does not fit is refused."""
    assert wide_cells(5) == (0, 5)
    assert wide_cells(-1) == (-1, -1)
    assert wide_cells(1 << 63) == (0, -(1 << 63))
    assert wide_cells(WIDEST) == ((1 << 63) - 1, -1)
    with pytest.raises(OverflowError, match="clamp it"):
        wide_cells(WIDEST + 1)


# ---- numbers that kernels repeat


@pytest.mark.parametrize("record", [OrderIntent, BookView, Exposure])
def test_the_layout_is_that_of_the_records(record: Any) -> None:
    """Every field has its number of cells, and every cell its field."""
    for name, (_, offset) in record.DTYPE.fields.items():
        assert getattr(layout, name.upper()) * 8 == offset


def test_kernels_know_the_numbers_of_the_house() -> None:
    """Enums cannot be asked by compiled code."""
    assert layout.SYNCED == BookState.SYNCED
    assert [*range(rules_kernel.TYPE_FIRST, rules_kernel.TYPE_LAST + 1)] == sorted(OrderType)
    assert [*range(rules_kernel.TIF_FIRST, rules_kernel.TIF_LAST + 1)] == sorted(TimeInForce)
    assert rules_kernel.POST_ONLY == OrderType.POST_ONLY
    assert rules_kernel.NO_PRICE == NO_PRICE
    named = {
        rule for rule in Rule if getattr(rules_kernel, rule.name, rule) == rule and hasattr(rules_kernel, rule.name)
    }
    # the others stand in an instrument's row
    assert set(Rule) - named == {Rule.INSTRUMENT_NOT_TRADING, Rule.INSTRUMENT_INFERRED}
