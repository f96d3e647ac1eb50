"""Why strategies were halted in a backtest.

Machine code knows only that a handler raised. The same backtest is run once more, up to there, with the strategy's
handlers in Python, which say what and where.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from attrs import evolve

from bloor.backtesting import layout as at
from bloor.backtesting.build import Form, Prepared, StrategySpec
from bloor.backtesting.course import run_course
from bloor.backtesting.memory import DeskMemory
from bloor.strategy.memory import METHODS, Handler

__all__ = ["halted"]


def halted(
    prepared: Prepared, specs: Sequence[StrategySpec], again: Callable[[Sequence[StrategySpec]], Prepared]
) -> tuple[str, ...]:
    """For each desk, why its strategy was halted, where, and when; empty when it was not.

    Args:
        prepared: What was run.
        specs: The strategies.
        again: Prepares the same backtest for these strategies in other forms.
    """
    desks = prepared.memory.desks
    reasons = ["" if python is None else python.reason for python in prepared.python]
    unknown = {_strategy(d) for d, reason in zip(desks, reasons, strict=True) if _raised(d) and not reason}
    for strategy in sorted(unknown):
        for number, reason in enumerate(_traced(specs, again, desks, strategy)):
            reasons[number] = reasons[number] or reason
    return tuple(_said(number, desks, reasons) for number in range(len(desks)))


def _raised(desk: DeskMemory) -> int:
    """The handler that raised, 0 of none."""
    return int(desk.cells[at.DESK_FAULT_HANDLER // 8])


def _strategy(desk: DeskMemory) -> int:
    return int(desk.cells[at.DESK_STRATEGY // 8])


def _traced(
    specs: Sequence[StrategySpec],
    again: Callable[[Sequence[StrategySpec]], Prepared],
    desks: Sequence[DeskMemory],
    strategy: int,
) -> list[str]:
    """What the handlers of one strategy raise in Python, by desk."""
    until_ns = max(int(d.cells[at.DESK_FAULT_NS // 8]) for d in desks if _strategy(d) == strategy)
    forms = list(specs)
    forms[strategy] = evolve(forms[strategy], form=Form.TRACED, until_ns=until_ns)
    traced = again(forms)
    run_course(traced.memory)
    return ["" if python is None else python.reason for python in traced.python]


def _said(number: int, desks: Sequence[DeskMemory], reasons: Sequence[str]) -> str:
    """Why one desk was halted, and when."""
    desk = desks[number]
    if int(desk.cells[at.DESK_STATE // 8]) != at.HALTED:
        return ""
    if not _raised(desk):
        memory = int(desk.cells[at.DESK_MEMORY // 8])
        legs = (n for n, d in enumerate(desks) if int(d.cells[at.DESK_MEMORY // 8]) == memory and _raised(d))
        leg = next(legs)
        instrument = desks[leg].lane.instrument
        return f"in {instrument.venue}:{instrument.symbol}: {_said(leg, desks, reasons)}"
    method = METHODS[Handler(_raised(desk))]
    why = reasons[number] or (f"{method} raised in compiled code and not in Python: an integer beyond 64 bits")
    ns = int(desk.cells[at.DESK_FAULT_NS // 8])
    return f"{why} at {datetime.fromtimestamp(ns // 1000 / 1e6, UTC).isoformat(timespec='microseconds')}"
