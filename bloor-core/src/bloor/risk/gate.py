"""The one mandatory gate: every new order passes all of it, and there is no other way to the wire.

Hot path: :meth:`Gate.decide` with the six usual checks costs 4 us, 0.3 us once it has a compiled form
(:meth:`Gate.compiled`), which compiled code asks in 0.06 us. It denies, it never raises: a check that raises denies
with ``CHECK_FAILED``. Cancels are never gated: whatever may be wrong, an order can always be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from bloor.errors import PluginError
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.native.caching import jit_is_off
from bloor.risk import kernel
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, CompiledGate, compile_gate, form_of, gate_cells
from bloor.risk.rules import InstrumentRules, RulesLimits

__all__ = ["CHECK_FAILED", "HALTED", "MANDATORY", "REDUCE_ONLY", "STRATEGY_HALTED", "Denial", "Gate"]

#: Denies everything: the gate is halted.
HALTED = "HALTED"
#: Denies everything of one strategy.
STRATEGY_HALTED = "STRATEGY_HALTED"
#: Denies what could make a position larger.
REDUCE_ONLY = "REDUCE_ONLY"
#: A check raised, or answered with a number that is none of its codes.
CHECK_FAILED = "CHECK_FAILED"

#: What must be covered by the loaded checks.
MANDATORY = frozenset(Control)

#: Name under which the gate's own denials are counted.
GATE = "gate"


class Denial(NamedTuple):
    """Why an order was denied: a code ``CATEGORY_CONDITION`` and the check that said it."""

    code: str
    check: str


class Gate:
    """All pre-trade checks of a run, in a row; the first that denies decides.

    Attributes:
        denied: How many orders each :class:`Denial` has stopped.
        passed: How many orders passed.
        failures: What was last wrong with each check that raised, or answered what is none of its codes.
        rules: The gate's own first check.
    """

    __slots__ = (
        "_ask",
        "_calls",
        "_cells",
        "_compiled",
        "_forms",
        "_halted",
        "_halted_strategies",
        "_latched",
        "_reduce_only",
        "checks",
        "denied",
        "failures",
        "passed",
        "rules",
    )

    def __init__(
        self,
        checks: Sequence[RiskCheck],
        instruments: Sequence[Instrument],
        *,
        mandatory: frozenset[Control] = MANDATORY,
    ) -> None:
        """Refuses to exist without every mandatory control.

        Args:
            checks: The loaded checks, in the order in which they are asked. A message rate limit belongs last, so that
                only orders that would be sent use it up; one that is not last is moved there.
            instruments: The run's instruments; the index of an :class:`OrderIntent` points into it.
            mandatory: The controls that must be covered.

        Raises:
            PluginError: A control is not covered; names it and what to install. Or what a check gives for its
                compiled form is none.
        """
        self.rules = InstrumentRules(RulesLimits(), tuple(instruments))
        self.checks: tuple[RiskCheck, ...] = (
            self.rules,
            *sorted(checks, key=lambda check: Control.MESSAGE_RATE in check.controls),
        )
        missing = mandatory - frozenset().union(*(check.controls for check in self.checks))
        if missing:
            raise _not_covered(missing, checks)
        self._calls = tuple(
            (check, check.check, {number: Denial(code, check.name) for number, code in check.codes.items()})
            for check in self.checks
        )
        self.denied: dict[Denial, int] = {}
        self.passed = 0
        self.failures: dict[str, str] = {}
        self._halted = ""
        self._halted_strategies: dict[int, str] = {}
        self._reduce_only = ""
        self._latched = False
        self._forms: tuple[CompiledCheck | None, ...] = tuple(form_of(check) for check in self.checks)
        self._cells = gate_cells(len(self.checks))
        self._compiled: CompiledGate | None = None
        self._ask: Callable[[int, int, int, int], int] | None = None

    def decide(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> Denial | None:
        """Whether an order may be sent now; asks machine code where :meth:`compiled` has made some.

        Args:
            order: What the strategy asks for.
            book: The book of its instrument.
            exposure: What the strategy holds and has open there, without this order.
            now_ns: Time of the event, wall ns since the epoch.

        Returns:
            None to send it, or the reason not to.
        """
        if self._ask is None:
            return self.decide_in_python(order, book, exposure, now_ns)
        try:
            answer = self._ask(order.address, book.address, exposure.address, now_ns)
        except OverflowError:  # a time beyond 63 bits
            return self.decide_in_python(order, book, exposure, now_ns)
        return self.account(answer)

    def decide_in_python(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> Denial | None:
        """The reference form of :meth:`decide`: the same answers, one check after the other."""
        denial = self._stopped(order, exposure) if self._latched else None
        if denial is None:
            for check, ask, denials in self._calls:
                try:
                    number = ask(order, book, exposure, now_ns)
                    if number == 0:
                        continue
                    denial = denials.get(number) or self._failed(check, _no_code(check, repr(number)))
                except Exception as error:  # noqa: BLE001 (whatever a plug-in raises: fail closed)
                    denial = self._failed(check, f"{type(error).__name__}: {error}")
                break
            else:
                self.passed += 1
                return None
        self.denied[denial] = self.denied.get(denial, 0) + 1
        return denial

    # ---- the compiled form

    @property
    def uncompiled(self) -> tuple[str, ...]:
        """Names of the checks that have no compiled form."""
        return tuple(check.name for check, form in zip(self.checks, self._forms, strict=True) if form is None)

    def compiled(self) -> CompiledGate | None:
        """The compiled form of this gate, over the same memory; None when a check has none, or numba may not compile.

        Compiles, or reads from disk, when it is first called; from then on :meth:`decide` asks it too.

        Raises:
            PluginError: A check's compiled form is not what it should be.
        """
        if self._compiled is None:
            forms = [(check, form) for check, form in zip(self.checks, self._forms, strict=True) if form is not None]
            if len(forms) < len(self.checks) or jit_is_off():
                return None
            self._compiled = compile_gate(forms, self._cells)
            self._latch()
        return self._compiled

    def account(self, answer: int) -> Denial | None:
        """Counts a decision of the compiled form as :meth:`decide` counts its own.

        Args:
            answer: What :func:`bloor.risk.kernel.decide` gave.

        Returns:
            None when the order passed, or the reason why not.

        Raises:
            ValueError: It is no decision (:data:`~bloor.risk.kernel.UNDECIDED`): :meth:`decide` has to make it.
        """
        if answer == 0:
            self.passed += 1
            return None
        index, number = (answer >> kernel.NUMBER_SHIFT) - 1, answer & kernel.NUMBER_MASK
        if not 0 <= index < len(self._calls):
            raise ValueError(f"expected a decision of a gate of {len(self._calls)} checks, got {answer}")
        check, _, denials = self._calls[index]
        denial = denials.get(number) or self._failed(
            check, _no_code(check, str(number) if number else "a larger number")
        )
        self.denied[denial] = self.denied.get(denial, 0) + 1
        return denial

    # ---- latches: a person, a service or the engine sets them

    @property
    def halted(self) -> str:
        """Why the gate is halted; empty while it is not."""
        return self._halted

    @property
    def halted_strategies(self) -> Mapping[int, str]:
        """Index of a strategy -> why its orders are denied."""
        return MappingProxyType(self._halted_strategies)

    @property
    def reduce_only(self) -> str:
        """Why only orders that reduce a position pass; empty while all may."""
        return self._reduce_only

    @reduce_only.setter
    def reduce_only(self, reason: str) -> None:
        self._reduce_only = reason
        self._latch()

    def halt(self, reason: str, strategy: int | None = None) -> None:
        """Denies everything from now on, or everything of one strategy. The first reason is kept."""
        if strategy is not None:
            self._halted_strategies.setdefault(strategy, reason)
        elif not self._halted:
            self._halted = reason
        self._latch()

    def resume(self, strategy: int | None = None) -> None:
        """Ends a halt; only ever on the word of a person. Ends the halt of one strategy when it is named."""
        if strategy is None:
            self._halted = ""
        else:
            self._halted_strategies.pop(strategy, None)
        self._latch()

    def _latch(self) -> None:
        """Says, to both forms, whether any latch is set."""
        self._latched = bool(self._halted or self._halted_strategies or self._reduce_only)
        self._cells[kernel.LATCHED] = self._latched
        self._ask = None if self._latched or self._compiled is None else self._compiled.ask

    def denied_by_code(self) -> dict[str, int]:
        """How many orders each code has stopped."""
        counts: dict[str, int] = {}
        for denial, count in self.denied.items():
            counts[denial.code] = counts.get(denial.code, 0) + count
        return counts

    def _stopped(self, order: OrderIntent, exposure: Exposure) -> Denial | None:
        """What a latch says of an order."""
        if self._halted:
            return Denial(HALTED, GATE)
        if order.strategy in self._halted_strategies:
            return Denial(STRATEGY_HALTED, GATE)
        if self._reduce_only and not reduces(order, exposure):
            return Denial(REDUCE_ONLY, GATE)
        return None

    def _failed(self, check: RiskCheck, reason: str) -> Denial:
        self.failures[check.name] = reason
        return Denial(CHECK_FAILED, check.name)


def _no_code(check: RiskCheck, got: str) -> str:
    return f"expected 0 or one of its codes {sorted(check.codes)}, got {got}"


def reduces(order: OrderIntent, exposure: Exposure) -> bool:
    """Whether an order can only bring the position nearer to zero, even if every open order fills first."""
    if order.side > 0:
        return exposure.position + exposure.open_buy + order.units <= 0
    return exposure.position - exposure.open_sell - order.units >= 0


def _not_covered(missing: frozenset[Control], checks: Sequence[RiskCheck]) -> PluginError:
    names = ", ".join(sorted(control.value for control in missing))
    loaded = ", ".join(sorted(check.name for check in checks)) or "none"
    return PluginError(
        "risk gate",
        f"expected a risk check for each mandatory control, got none for: {names} (loaded checks: {loaded})",
        hint="; install bloor-risk, unblock its checks, or load a plug-in that covers them; nothing is sent without",
    )
