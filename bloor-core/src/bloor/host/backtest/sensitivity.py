"""How the result of a backtest changes with what it assumes.

Two assumptions move results more than any other: how long orders are on their way, and when, within the time that a
venue gathers changes of its book into one message, these changes really happened. The same backtest is run again with
others; a result that is good only with one of them is not to be believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from attrs import evolve, frozen

from bloor.backtesting.models import LatencyModel
from bloor.host.backtest.run import BacktestOutcome, Plan, run_plan
from bloor.native.memory import Cells
from bloor.observe.page import Sheet

__all__ = ["sensitivities", "sheet_of"]

#: Latencies are multiplied by these.
FACTORS = (0.5, 2.0, 5.0)
#: Changes of the book are taken to have happened so much before their message, ns.
EARLIER_NS = (50_000_000, 100_000_000)


@frozen(kw_only=True)
class _Longer(LatencyModel):
    """The latencies of another model, longer or shorter by a factor."""

    name: ClassVar[str] = "longer"

    of: LatencyModel
    factor: float

    def samples(self, seed: int) -> tuple[Cells, Cells]:
        """See :meth:`~bloor.backtesting.models.LatencyModel.samples`."""
        entry, response = self.of.samples(seed)
        return _scaled(entry, self.factor), _scaled(response, self.factor)


def _scaled(samples: Cells, factor: float) -> Cells:
    found: Cells = (samples * factor).astype(samples.dtype)
    found[found < 1] = 1
    return found


def sensitivities(outcome: BacktestOutcome, progress: Callable[[str], object] = str) -> list[dict[str, Any]]:
    """Runs a backtest again with other assumptions.

    Args:
        outcome: What came of it as it was asked for; the first row.
        progress: Told what takes a while.

    Returns:
        Rows of ``assumption``, ``fills``, ``pnl_net``, ``fees``, ``maker_ratio`` and ``hash``.
    """
    rows = [_row("as asked for", outcome)]
    for name, plan in _variants(outcome.plan).items():
        progress(f"running with {name}")
        rows.append(_row(name, run_plan(plan)))
    return rows


def _variants(plan: Plan) -> Mapping[str, Plan]:
    found = {}
    for factor in FACTORS:
        lanes = tuple(evolve(lane, latency=_Longer(of=lane.latency, factor=factor)) for lane in plan.lanes)
        found[f"latency times {factor:g}"] = evolve(plan, lanes=lanes)
    for shift in EARLIER_NS:
        lanes = tuple(evolve(lane, book_shift_ns=shift) for lane in plan.lanes)
        found[f"book changes {shift // 1_000_000} ms before their message"] = evolve(plan, lanes=lanes)
    return found


def _row(name: str, outcome: BacktestOutcome) -> dict[str, Any]:
    found = outcome.statistics
    return {
        "assumption": name,
        "fills": found.fills,
        "pnl_net": f"{found.profit.net:f}",
        "fees": f"{found.profit.fees:f}",
        "maker_ratio": found.maker_ratio,
        "hash": outcome.logs.hash,
    }


def sheet_of(rows: list[dict[str, Any]], currency: str) -> Sheet:
    """The rows as a table of the page."""
    cells = [
        (
            row["assumption"], row["fills"], float(row["pnl_net"]), float(row["fees"]),
            "-" if row["maker_ratio"] is None else f"{row['maker_ratio']:.0%}",
        )
        for row in rows
    ]  # fmt: skip
    return Sheet(
        columns=("assumption", "fills", f"P&L net, {currency}", f"fees, {currency}", "maker ratio"),
        rows=cells,
        note="A result that holds under one assumption only is not to be believed.",
    )
