"""Proof that no decision of a backtest depends on what comes later.

The same backtest is run again on data that end earlier: the strategy's events up to a moment, and of the venue's side
what happened there up to it. Every decision before that moment has to be the same, bit for bit. What is known of the
data as a whole is the instrument, its ticks and lots; the venue's clock is learned on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from bloor.host.backtest.options import BacktestOptions
from bloor.host.backtest.run import Plan, plan_of, run_plan
from bloor.native.memory import Cells

__all__ = ["SHARES", "Lookahead", "check_lookahead"]

#: After which parts of the decisions the data are cut off.
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
#: The cell of a decision with its time.
TIME = 5


@frozen(kw_only=True)
class Lookahead:
    """What came of the proof.

    Attributes:
        cuts: Moments at which the data were cut off, ns since the epoch.
        compared: How many decisions were compared at each.
        first: For each, the number of the first decision that differs; -1 when none does.
    """

    cuts: Sequence[int]
    compared: Sequence[int]
    first: Sequence[int]

    @property
    def same(self) -> bool:
        """Whether no decision differs."""
        return all(number < 0 for number in self.first)

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON; the number of a decision that differs is null where none does."""
        cuts = [
            {"cut_ns": cut, "compared": count, "first_difference": None if first < 0 else first}
            for cut, count, first in zip(self.cuts, self.compared, self.first, strict=True)
        ]
        return {"same": self.same, "cuts": cuts}

    @property
    def text(self) -> str:
        """What a person should know."""
        if self.same:
            counts = ", ".join(f"{count:,}" for count in self.compared)
            return (
                f"no look-ahead: with data cut off at {len(self.cuts)} moments, {counts} earlier decisions are the same"
            )
        cut, number = next((c, n) for c, n in zip(self.cuts, self.first, strict=True) if n >= 0)
        return f"LOOK-AHEAD: decision {number} is another when the data end at {cut} ns, which is later"


def check_lookahead(
    options: BacktestOptions,
    environ: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = str,
) -> Lookahead:
    """Runs a backtest whole, and again on data that end earlier.

    Raises:
        Errors of :func:`bloor.host.backtest.run.backtest`.
    """
    plan = plan_of(evolve(options, keep_decisions=True), environ, progress)
    whole = run_plan(plan, progress)
    cuts = _cuts(whole.logs.decisions, whole.ledger.begin_ns, whole.ledger.end_ns)
    compared, first = [], []
    for cut in cuts:
        progress(f"cutting off at {cut}")
        part = run_plan(cut_off(plan, cut), progress)
        ours, theirs = _before(whole.logs.decisions, cut), _before(part.logs.decisions, cut)
        compared.append(len(ours))
        first.append(_difference(ours, theirs))
    return Lookahead(cuts=cuts, compared=compared, first=first)


def _cuts(decisions: Cells, begin: int, end: int) -> list[int]:
    """Moments between which about as many decisions lie; in time, where there is none."""
    if not len(decisions):
        return [begin + int((end - begin) * share) for share in SHARES]
    return sorted({int(decisions[int(len(decisions) * share), TIME]) for share in SHARES})


def cut_off(plan: Plan, ns: int) -> Plan:
    """The same backtest, of which nothing after a moment is known."""
    lanes = tuple(evolve(lane, until_ns=ns) for lane in plan.lanes)
    return evolve(plan, lanes=lanes)


def _before(decisions: Cells, ns: int) -> Cells:
    early: Cells = decisions[decisions[:, TIME] < ns]
    return early


def _difference(ours: Cells, theirs: Cells) -> int:
    """Number of the first decision that is not the same; -1 when all are."""
    count = min(len(ours), len(theirs))
    other = np.flatnonzero((ours[:count] != theirs[:count]).any(axis=1))
    if len(other):
        return int(other[0])
    return -1 if len(ours) == len(theirs) else count
