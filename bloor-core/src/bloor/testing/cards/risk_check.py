"""The cards of a risk check: it can only deny, it is pure, its limits are bounded, and both of its forms are one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import attrs
import pytest

from bloor.config import Mode
from bloor.config.fingerprint import plain
from bloor.errors import BloorError, ConfigError
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, RiskCheck
from bloor.risk.compiled import form_of
from bloor.risk.gate import CHECK_FAILED, Gate
from bloor.risk.kernel import NUMBER_MASK
from bloor.risk.limits import build_check, missing_limits, resolve_limits
from bloor.testing.asking import Asked, BothChecks, asked, numeric_limits, ordinary, tightened
from bloor.testing.cards.base import Cards, does_not_apply
from bloor.testing.examples import for_examples, strategies
from bloor.testing.instruments import SHAPES
from bloor.testing.sealed import sealed

__all__ = ["RiskCheckCards"]


class RiskCheckCards(Cards):
    """What every risk check promises."""

    kind: ClassVar[str] = "risk check"
    hook: ClassVar[str] = "bloor_risk_check"

    @property
    def check(self) -> type[RiskCheck]:
        """The plug-in's class."""
        cls: type[RiskCheck] = self.host.answers(self.plugin)[self.hook]
        return cls

    def made(self, limits: Any = None, instruments: tuple[Instrument, ...] = SHAPES) -> RiskCheck:
        """A check, by default with the limits of sim mode."""
        return self.check(self.check.sim_limits() if limits is None else limits, instruments)

    def capabilities(self) -> dict[str, bool | str]:
        """Its compiled form, and the mandatory controls that it covers."""
        controls = ", ".join(sorted(control.value for control in self.check.controls))
        return {"compiled form": form_of(self.made()) is not None, "controls": controls or "none"}

    def test_r01_its_class_says_what_it_is(self) -> None:
        """The class has the plug-in's name and a docstring, and covers controls that exist.

        A person who is denied an order looks for the check by this name, and reads this text.
        """
        check = self.check
        assert check.name == self.plugin, (
            f"{check.__name__}.name: expected {self.plugin!r}, the name of its entry point, got {check.name!r}"
        )
        assert (check.__doc__ or "").strip(), f"{check.__name__}: expected a docstring that says what it denies"
        strange = check.controls - frozenset(Control)
        assert not strange, f"{check.__name__}.controls: expected members of Control, got {strange}"

    def test_r02_its_reasons_are_codes(self) -> None:
        """Every denial has a number of its own and a reason of the form ``CATEGORY_CONDITION``.

        Denials are counted and journaled by these words; programs and people sort by them.
        """
        codes = self.check.codes
        wrong = {n: reason for n, reason in codes.items() if not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", reason)}
        assert not wrong, f"codes: expected reasons such as QUANTITY_ABOVE_MAX, got {wrong}"
        assert len(set(codes.values())) == len(codes), f"codes: expected each reason once, got {codes}"
        beyond = [n for n in codes if not 0 < n <= NUMBER_MASK]
        assert not beyond, f"codes: expected numbers of 1 to {NUMBER_MASK}, got {beyond}"

    def test_r03_its_limits_are_documented(self) -> None:
        """The docstring of the limits class names every limit under ``Attributes:`` and says what it means.

        ``bloor plugins info`` and the configuration reference show this text to whoever sets the limit.
        """
        limits = self.check.limits
        text = inspect.getdoc(limits) or ""
        _, found, listed = text.partition("Attributes:")
        missing = [f.name for f in attrs.fields(limits) if not re.search(rf"^\s*{f.name}: \S", listed, re.MULTILINE)]
        assert found and not missing, (
            f"{limits.__name__}: expected 'Attributes:' in its docstring with a line 'name: meaning' for each limit, "
            f"missing: {', '.join(missing) or 'all'}"
        )

    def test_r04_a_limit_that_nobody_stated_denies(self) -> None:
        """Where the default of a limit is None, a check made without it denies everything and refuses to be made alone.

        A missing limit never means unlimited: outside of sim mode nothing fills it in.
        """
        given = resolve_limits(self.check, {}, Mode.LIVE)
        missing = missing_limits(given)
        if not missing:
            does_not_apply("every limit has a default of its own")
        stand_in = build_check(self.check, given, SHAPES)
        assert stand_in.check(*ordinary(SHAPES[0], 0)) != 0, f"made without {missing}, it lets an order pass"
        for name in missing:
            partial = attrs.evolve(self.check.sim_limits(), **{name.lstrip("_"): None})
            with pytest.raises(ConfigError) as caught:
                self.check(partial, SHAPES)
            assert self.plugin in str(caught.value) and name in str(caught.value), (
                f"without {name}: expected a ConfigError that names risk.{self.plugin}.{name}, got {caught.value}; use "
                "bloor.risk.limits.stated()"
            )

    def test_r05_its_limits_are_bounded(self) -> None:
        """A number below zero, one that is none, and an infinite one are refused with the limit's name.

        A limit that is read wrongly protects nobody; NaN compares false with everything.
        """
        refused: dict[str, list[str]] = {}
        for name, _ in numeric_limits(self.check):
            for value in ("-1", "NaN", "Infinity", "ten", "", "-1s"):
                try:
                    self.made(resolve_limits(self.check, {name: value}, Mode.SIM))
                except BloorError as error:
                    assert name in str(error), f"{name} = {value!r}: expected a message that names it, got: {error}"
                else:
                    refused.setdefault(name, []).append(value)
        assert not refused, (
            f"expected a ConfigError for every value below, and they were taken: {refused}; give each attribute of "
            f"{self.check.limits.__name__} a validator"
        )

    def test_r06_its_sim_limits_are_read_back(self) -> None:
        """``sim_limits()`` states every limit, and written into a configuration it is read back the same.

        What a run was limited by stands in its ``config.json`` as text, and must mean the same when used again.
        """
        limits = self.check.sim_limits()
        assert isinstance(limits, self.check.limits), (
            f"sim_limits(): expected a {self.check.limits.__name__}, got {limits!r}"
        )
        assert not missing_limits(limits), f"sim_limits(): expected every limit, got none for {missing_limits(limits)}"
        again = resolve_limits(self.check, plain(limits), Mode.LIVE)
        assert again == limits, f"written as text and read again, {limits} became {again}"

    def test_r07_ordinary_orders_pass_in_sim_mode(self) -> None:
        """With its sim limits, the smallest buy and sell order at the touch of a fresh book pass, in any instrument.

        A check that is installed is asked in every run: one that denies what is ordinary stops everybody's first run.
        """
        for index, instrument in enumerate(SHAPES):
            for side in (1, -1):
                question = ordinary(instrument, index, side=side)
                answer = self.made().check(*question)
                assert answer == 0, (
                    f"denied with {self.check.codes.get(answer, answer)!r}: {question.order}, {question.book}, "
                    f"{question.exposure} in {instrument}; make sim_limits() wide enough for it"
                )

    def test_r08_it_answers_with_its_codes_only(self) -> None:
        """Whatever stands in the records, it answers 0 or the number of one of its codes, and never raises.

        The gate takes an exception, or another number, for a denial (``CHECK_FAILED``): safe, but nobody learns why.
        """
        allowed = {0, *self.check.codes}
        limits = tightened(self.check)

        def answers(which: int, questions: list[Asked]) -> None:
            check = self.made(limits[which])
            for question in questions:
                answer = check.check(*question)
                assert type(answer) is int and answer in allowed, (
                    f"expected 0 or one of {sorted(self.check.codes)}, got {answer!r} for {question}"
                )

        st = strategies()
        questions = st.lists(asked(len(SHAPES)), min_size=1, max_size=8)
        for_examples(answers, st.integers(0, len(limits) - 1), questions, daily=60)

    def test_r09_it_only_looks(self) -> None:
        """It changes nothing of the order, the book and the exposure that it is shown.

        They are the memory that the run itself works on: a check can only deny.
        """

        def looks(question: Asked) -> None:
            before = [record.array.tobytes() for record in question[:3]]
            self.made().check(*question)
            after = [record.array.tobytes() for record in question[:3]]
            changed = [type(r).__name__ for r, b, a in zip(question[:3], before, after, strict=True) if b != a]
            assert not changed, f"check() changed the {', '.join(changed)} that it was shown"

        for_examples(looks, asked(len(SHAPES)), daily=40)

    def test_r10_it_is_pure(self) -> None:
        """Two checks of the same limits give the same answers to the same questions, without clock, chance or files.

        A replay asks again, and must be told the same; what is remembered belongs to the instance.
        """

        def twice(questions: list[Asked]) -> None:
            one, other = self.made(), self.made()
            first = [one.check(*question.copy()) for question in questions]
            with sealed(f"{self.check.__name__}.check"):
                second = [other.check(*question.copy()) for question in questions]
            assert first == second, f"answered {first}, and another instance {second}"

        for_examples(twice, strategies().lists(asked(len(SHAPES)), min_size=1, max_size=12), daily=30)

    def test_r11_it_can_deny(self) -> None:
        """With its limits made small, some order is denied.

        A check that never denies is a promise without anything behind it.
        """
        seen: set[int] = set()
        for limits in tightened(self.check):
            check = self.made(limits)
            for index, instrument in enumerate(SHAPES):
                seen |= {check.check(*question) for question in _large(instrument, index)}
        assert seen - {0}, (
            "no order was denied, neither large ones, nor many at once, nor from a book that is old, crossed or out of "
            "sync, under the tightest limits that it takes"
        )

    def test_r12_both_forms_are_one(self) -> None:
        """The compiled form answers and remembers what the Python form does, for any limits, records and sequences.

        A run asks now one and now the other. Applies to checks with :meth:`~bloor.risk.check.RiskCheck.compiled`.
        """
        if form_of(self.made()) is None:
            does_not_apply("it has no compiled form; with one the gate decides in 0.06 us")
        limits = tightened(self.check)

        def same(which: int, questions: list[Asked]) -> None:
            both = BothChecks(self.check, limits[which])
            for question in questions:
                both.same(question)

        st = strategies()
        questions = st.lists(asked(len(SHAPES)), min_size=1, max_size=12)
        for_examples(same, st.integers(0, len(limits) - 1), questions, daily=100)

    def test_r13_both_forms_are_one_near_the_limits(self) -> None:
        """They agree on orders, spreads and ages of a book just below, at and above what the limits allow.

        Most mistakes are off by one unit, and random numbers seldom come there.
        """
        if form_of(self.made()) is None:
            does_not_apply("it has no compiled form; with one the gate decides in 0.06 us")
        for limits in tightened(self.check):
            both = BothChecks(self.check, limits)
            make = partial(self.made, limits)
            for index, instrument in enumerate(SHAPES):
                for question in _large(instrument, index):
                    both.same(question)
                for question in _edges(make, instrument, index):
                    both.same(question)

    def test_r14_the_gate_takes_it(self) -> None:
        """A gate with this check passes an ordinary order, and counts what it denies under the check's own name.

        Here the check meets the rules of the gate, and its machine code where every check has a compiled form.
        """
        gate = Gate([self.made()], SHAPES, mandatory=frozenset())
        denial = gate.decide(*ordinary(SHAPES[0], 0))
        assert denial is None, f"the gate denied an ordinary order: {denial}"
        for limits in tightened(self.check):
            gate = Gate([self.made(limits)], SHAPES, mandatory=frozenset())
            for question in _large(SHAPES[0], 0):
                denial = gate.decide(*question)
                if denial is not None and denial.check == self.plugin:
                    assert denial.code != CHECK_FAILED, f"it failed in the gate: {gate.failures}"
                    assert denial.code in self.check.codes.values(), f"denied with an unknown code: {denial}"
                    return
        does_not_apply("the gate's own rules came first in everything that this check denies")


def _large(instrument: Instrument, index: int) -> list[Asked]:
    """Orders and circumstances that some check should object to, and many ordinary orders in one moment."""
    found = []
    for side in (1, -1):
        for power in (3, 9, 15):
            question = ordinary(instrument, index, side=side)
            question.order.lots = min(10**power, (1 << 62) // instrument.lot_units)
            question.order.units = question.order.lots * instrument.lot_units
            found.append(question)
        for factor in (0, 2, 100):
            question = ordinary(instrument, index, side=side)
            question.order.price = min(question.order.price * factor, 1 << 62)
            found.append(question)
        for state, age_ns in ((BookState.UNSYNCED, 0), (BookState.SYNCED, 10**13), (BookState.SYNCED, -(10**13))):
            question = ordinary(instrument, index, side=side)
            question.book.state, question.book.recv_ns = int(state), question.now_ns - age_ns
            found.append(question)
        question = ordinary(instrument, index, side=side)
        question.exposure.position, question.exposure.open_orders = side * 10**15, 10**6
        question.exposure.open_buy = question.exposure.open_sell = 10**15
        found.append(question)
        question = ordinary(instrument, index, side=side)
        question.exposure.inventory = 0
        found.append(question)
    return found + [ordinary(instrument, index) for _ in range(60)]


#: What is moved until a check denies: of which record, which field, and by which sign.
_MOVED = (
    ("order", "units", 1), ("order", "price", 1), ("book", "best_ask", 1), ("book", "best_bid", -1),
    ("book", "recv_ns", -1), ("book", "exch_ns", -1),
)  # fmt: skip


def _edges(make: Callable[[], RiskCheck], instrument: Instrument, index: int) -> list[Asked]:
    """Around the largest quantity, price, spread and age that pass; found by bisection."""
    found = []
    for record, name, sign in _MOVED:
        for side in (1, -1):

            def moved(by: int, *, where: tuple[str, str, int] = (record, name, sign), side: int = side) -> Asked:
                question = ordinary(instrument, index, side=side)
                fields = getattr(question, where[0])
                setattr(fields, where[1], getattr(fields, where[1]) + where[2] * by)
                return question

            low, high = 0, 1 << 61
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if make().check(*moved(middle)) == 0 else (low, middle)
            found += [moved(low - 1), moved(low), moved(low + 1)]
    return found
