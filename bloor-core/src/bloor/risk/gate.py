"""The one mandatory gate: every new order passes all of it, and there is no other way to the wire.

Hot path: :meth:`Gate.decide` with the six usual checks costs a few microseconds. It denies, it never raises: a check
that raises denies with ``CHECK_FAILED``. Cancels are never gated: whatever may be wrong, an order can always be taken
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bloor.errors import PluginError
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
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
        halted: Why the gate is halted; empty while it is not.
        halted_strategies: Index of a strategy -> why its orders are denied.
        reduce_only: Why only orders that reduce a position pass; empty while all may.
        failures: Text of the last exception of each check that raised.
        rules: The gate's own first check.
    """

    __slots__ = (
        "_calls",
        "checks",
        "denied",
        "failures",
        "halted",
        "halted_strategies",
        "passed",
        "reduce_only",
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
            PluginError: A control is not covered; names it and what to install.
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
        self.halted = ""
        self.halted_strategies: dict[int, str] = {}
        self.reduce_only = ""
        self.failures: dict[str, str] = {}

    def decide(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> Denial | None:
        """Whether an order may be sent now.

        Args:
            order: What the strategy asks for.
            book: The book of its instrument.
            exposure: What the strategy holds and has open there, without this order.
            now_ns: Time of the event, wall ns since the epoch.

        Returns:
            None to send it, or the reason not to.
        """
        denial = self._latched(order, exposure)
        if denial is None:
            for check, ask, denials in self._calls:
                try:
                    number = ask(order, book, exposure, now_ns)
                except Exception as error:  # noqa: BLE001 (whatever a plug-in raises: fail closed)
                    self.failures[check.name] = f"{type(error).__name__}: {error}"
                    number = -1
                if number:
                    denial = denials.get(number) or self._failed(check, number)
                    break
            else:
                self.passed += 1
                return None
        self.denied[denial] = self.denied.get(denial, 0) + 1
        return denial

    # ---- latches: a person, a service or the engine sets them

    def halt(self, reason: str, strategy: int | None = None) -> None:
        """Denies everything from now on, or everything of one strategy. The first reason is kept."""
        if strategy is not None:
            self.halted_strategies.setdefault(strategy, reason)
        elif not self.halted:
            self.halted = reason

    def resume(self, strategy: int | None = None) -> None:
        """Ends a halt; only ever on the word of a person. Ends the halt of one strategy when it is named."""
        if strategy is None:
            self.halted = ""
        else:
            self.halted_strategies.pop(strategy, None)

    def denied_by_code(self) -> dict[str, int]:
        """How many orders each code has stopped."""
        counts: dict[str, int] = {}
        for denial, count in self.denied.items():
            counts[denial.code] = counts.get(denial.code, 0) + count
        return counts

    def _latched(self, order: OrderIntent, exposure: Exposure) -> Denial | None:
        if self.halted:
            return Denial(HALTED, GATE)
        if self.halted_strategies and order.strategy in self.halted_strategies:
            return Denial(STRATEGY_HALTED, GATE)
        if self.reduce_only and not reduces(order, exposure):
            return Denial(REDUCE_ONLY, GATE)
        return None

    def _failed(self, check: RiskCheck, number: int) -> Denial:
        if number != -1:
            self.failures[check.name] = f"expected 0 or one of its codes {sorted(check.codes)}, got {number!r}"
        return Denial(CHECK_FAILED, check.name)


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
