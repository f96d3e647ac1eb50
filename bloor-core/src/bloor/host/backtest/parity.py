"""A recorded session beside a backtest of it: do both decide the same?

Twice. Once with the answers that the venue really gave: then every decision has to be the same, bit for bit, or the
backtest handles orders otherwise than a run does. And once with simulated answers: what differs then is what the models
assume, and the models can be fitted so that as little differs as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, StrategySpec, prepare
from bloor.backtesting.course import run_course
from bloor.backtesting.kernels import answering
from bloor.backtesting.memory import LaneMemory, address, put
from bloor.backtesting.models import LatencyModel, QueueModel, parse_fees, parse_latency, parse_queue_model
from bloor.engine.core import Engine
from bloor.engine.decisions import SIZE, DecisionKind
from bloor.engine.desk import Desk
from bloor.errors import PluginError, UsageError
from bloor.execution.fees import base_fee_units
from bloor.execution.life import Status
from bloor.execution.outcomes import Filled, Outcome, Updated
from bloor.host.backtest.sources import Data, Lane, find_lanes
from bloor.host.replay.run import ReplayResult, replay
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity
from bloor.native.memory import Cells
from bloor.plugins.host import PluginHost
from bloor.risk.gate import Gate
from bloor.risk.limits import build_check

__all__ = ["Agreement", "Parity", "parity"]

#: Decisions that are compared: those that a strategy asks for.
KINDS = tuple(int(k) for k in (DecisionKind.PLACE, DecisionKind.DENY, DecisionKind.CANCEL, DecisionKind.REPLACE,
                               DecisionKind.AMEND))  # fmt: skip
#: Queue models that are tried when models are fitted.
QUEUES = ("risk-averse", "power-prob:n=1", "power-prob:n=2", "power-prob:n=3", "log-prob", "front")
_ENDS = {Status.CANCELLED: at.CANCELLED, Status.EXPIRED: at.EXPIRED, Status.REJECTED: at.REJECTED}
_NAMES = {number: kind.name.lower() for kind in DecisionKind if (number := int(kind)) in KINDS}


@frozen(kw_only=True)
class Agreement:
    """How far two runs decided the same.

    Attributes:
        orders: Orders of the session.
        matched: How many of them the backtest placed too: at the same time, of the same side, price and quantity.
        decisions: Decisions of the session.
        same: How many of them are the same, from the first on.
        first: The first that differs, in words; empty when none does.
        fills: Fills of the session and of the backtest.
    """

    orders: int
    matched: int
    decisions: int
    same: int
    first: str
    fills: tuple[int, int]

    @property
    def share(self) -> float:
        """Matched orders by orders; 1 without any."""
        return self.matched / self.orders if self.orders else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "orders": self.orders, "matched": self.matched, "share": round(self.share, 4),
            "decisions": self.decisions, "same": self.same, "first_difference": self.first,
            "fills": list(self.fills),
        }  # fmt: skip


@frozen(kw_only=True)
class Parity:
    """What came of the comparison.

    Attributes:
        recorded: With the answers that the venue gave.
        simulated: With simulated answers, by the models that were asked for.
        fitted: The models that agree best, as options of ``bloor backtest``.
        tried: Every queue model that was tried, and the share of orders that matched.
    """

    recorded: Agreement
    simulated: Agreement
    fitted: Mapping[str, str] = field(factory=dict)
    tried: Mapping[str, float] = field(factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "recorded": self.recorded.as_dict(),
            "simulated": self.simulated.as_dict(),
            "fitted": dict(self.fitted),
            "tried": dict(self.tried),
        }


class _Watched(Engine):
    """An engine that notes when its desks start and what venues answer.

    Attributes:
        starts: When each desk was started.
        stopped_ns: When the run was told to stop; 0 when it never was.
        answers: For each instrument, rows ``RECORDED_`` of :mod:`bloor.backtesting.layout`.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.starts: dict[int, int] = {}
        self.given: dict[int, int] = {}
        self.stopped_ns = 0
        self.answers: dict[int, list[tuple[int, ...]]] = {}
        self._traded: dict[int, int] = {}
        self._paid: dict[tuple[int, int], Decimal] = {}
        self._over: set[int] = set()
        super().__init__(*arguments, **named)

    def stop(self, now_ns: int) -> None:
        """Notes when."""
        self.stopped_ns = now_ns
        super().stop(now_ns)

    def _start(self, desk: Desk) -> None:
        super()._start(desk)
        number = self.desks.index(desk)
        if desk.started and number not in self.starts:
            self.starts[number] = self.now_ns
            self.given[number] = desk.exposure.inventory

    def _outcomes(self, outcomes: Iterable[Outcome]) -> None:
        listed = list(outcomes)
        for outcome in listed:
            if isinstance(outcome, Filled):
                self._note_fill(outcome)
            elif isinstance(outcome, Updated):
                self._note_update(outcome)
        super()._outcomes(listed)

    def _note(self, index: int, *row: int) -> None:
        self.answers.setdefault(index, []).append((self.now_ns, *row, 0)[: at.RECORDED_BYTES // 8])

    def _note_fill(self, outcome: Filled) -> None:
        order, fill = outcome.order, outcome.fill
        traded = self._traded.get(order.number, 0) + fill.units
        self._traded[order.number] = traded
        last = int(traded >= order.lots * order.instrument.lot_units)
        kept, key = 0, (order.strategy, order.instrument_index)
        if fill.fee_asset == order.instrument.base:
            before = self._paid.get(key, Decimal(0))
            self._paid[key] = before + fill.fee
            kept = base_fee_units(self._paid[key], order.instrument) - base_fee_units(before, order.instrument)
        if last:
            self._over.add(order.number)
        maker = int(fill.liquidity == Liquidity.MAKER)
        self._note(
            order.instrument_index,
            order.number,
            at.FILLED,
            fill.price_ticks,
            fill.units,
            maker,
            last,
            fill.exch_ns,
            kept,
        )

    def _note_update(self, outcome: Updated) -> None:
        order, status = outcome.order, Status(outcome.order.status)
        if order.number in self._over:
            return
        if status in _ENDS and order.closed:
            self._over.add(order.number)
            self._note(order.instrument_index, order.number, _ENDS[status], 0, 0, 0, 1, self.now_ns, 0)
        elif status is Status.NEW:
            self._note(order.instrument_index, order.number, at.ACKED, 0, 0, 0, 0, self.now_ns, 0)


def parity(
    session: Path,
    host: Callable[[], PluginHost],
    environ: Mapping[str, str],
    *,
    latency: str | None = None,
    queue_model: str | None = None,
    fit: bool = False,
    progress: Callable[[str], object] = str,
) -> Parity:
    """Compares a session with backtests of it.

    Args:
        session: The session folder of a run.
        host: Makes a host of plug-ins that has loaded nothing.
        environ: The environment.
        latency: The latency model; None for what was measured in the session.
        queue_model: The queue model; None for the default.
        fit: Whether queue models are tried for the one that agrees best.
        progress: Told what takes a while.

    Raises:
        UsageError: It is not the session of a run, or has nothing to compare.
        PluginError: A plug-in that took part is not installed.
    """
    progress("replaying the session")
    watched: list[_Watched] = []

    def make(*arguments: Any, **named: Any) -> Engine:
        watched.append(_Watched(*arguments, **named))
        return watched[-1]

    found = replay(session, host(), keep=True, make_engine=make)
    bench = _Bench(session, found, watched[0], host(), environ, progress)
    queue = queue_model or "risk-averse"
    measured = latency or f"measured:session={session}"
    progress("with the answers that were recorded")
    recorded = bench.with_recorded()
    progress("with simulated answers")
    simulated = bench.with_models(measured, queue)
    if not fit:
        return Parity(recorded=recorded, simulated=simulated)
    tried = {}
    for name in QUEUES:
        progress(f"trying {name}")
        tried[name] = bench.with_models(measured, name)
    best = max(tried, key=lambda name: (tried[name].share, tried[name].same))
    return Parity(
        recorded=recorded, simulated=simulated, fitted={"latency": measured, "queue-model": best},
        tried={name: round(each.share, 4) for name, each in tried.items()},
    )  # fmt: skip


class _Bench:
    """One session, and the backtests of it."""

    def __init__(
        self,
        session: Path,
        found: ReplayResult,
        engine: _Watched,
        plugins: PluginHost,
        environ: Mapping[str, str],
        progress: Callable[[str], object],
    ) -> None:
        self.plan = found.plan.engine
        self.engine, self.plugins = engine, plugins
        kept = found.kept
        assert kept is not None
        self.theirs = _compared(np.frombuffer(bytes(kept.decisions), np.int64).reshape(-1, SIZE // 8))
        self.fills = len(kept.fills)
        if not len(self.theirs):
            raise UsageError(f"{session}: expected a session with decisions, got none: nothing can be compared")
        self.lanes = [self._lane(session, instrument, environ, progress) for instrument in self.plan.instruments]

    def _lane(
        self, session: Path, instrument: Instrument, environ: Mapping[str, str], progress: Callable[[str], object]
    ) -> Lane:
        data = Data(paths=[session], venue=instrument.venue, symbols=[instrument.symbol])
        [lane] = find_lanes(
            data, self.plugins.normalizer, environ, default_venue=lambda: instrument.venue, progress=progress
        )
        return lane.counted_in(instrument)

    def with_recorded(self) -> Agreement:
        """With the answers that the venue gave."""
        queue = parse_queue_model("risk-averse", self.plugins)
        return self._run(parse_latency("1ns", self.plugins), queue, recorded=True)

    def with_models(self, latency: str, queue: str) -> Agreement:
        """With simulated answers."""
        return self._run(parse_latency(latency, self.plugins), parse_queue_model(queue, self.plugins), recorded=False)

    def _run(self, latency: LatencyModel, queue: QueueModel, *, recorded: bool) -> Agreement:
        until = self.engine.stopped_ns - 1 if self.engine.stopped_ns else at.NEVER
        specs = [
            LaneSpec(
                instrument=lane.instrument, rows=lane.rows, latency=latency, queue=queue,
                fees=None if recorded else _schedule(lane.instrument.venue, self.plugins), oversell=True,
                clock_offset_ns=lane.survey.clock_offset_ns, until_ns=until,
            )
            for lane in self.lanes
        ]  # fmt: skip
        strategies = [StrategySpec(name=s.name, cls=s.cls, config=s.config) for s in self.plan.strategies]
        instruments = tuple(lane.instrument for lane in self.lanes)
        gate = Gate([build_check(check, limits, instruments) for check, limits in self.plan.checks], instruments)
        prepared = prepare(specs, strategies, gate=gate, seed=self.plan.seed)
        for number, desk in enumerate(prepared.memory.desks):
            if number in self.engine.starts:
                put(desk.cells, at.DESK_START, self.engine.starts[number] + 1)
                desk.exposure.inventory = self.engine.given[number]
            else:
                put(desk.cells, at.DESK_START, at.NEVER - 1)
        alive = []
        if recorded:
            for index, lane in enumerate(prepared.memory.lanes):
                alive.append(_play(lane, self.engine.answers.get(index, [])))
        logs = run_course(prepared.memory, keep_decisions=True)
        ours = _compared(logs.decisions[: logs.own])
        return _agreement(self.theirs, ours, (self.fills, len(logs.fills)), until, instruments)


def _schedule(venue: str, plugins: PluginHost) -> Any:
    try:
        return parse_fees(venue, plugins)
    except (UsageError, PluginError):
        return None


def _play(lane: LaneMemory, answers: Sequence[tuple[int, ...]]) -> Cells:
    """Lets recorded answers take the place of the venue's simulation; keep what it gives alive."""
    width = at.RECORDED_BYTES // 8
    rows = np.zeros((len(answers), width), np.int64)
    for number, answer in enumerate(answers):
        rows[number, : len(answer)] = answer
    put(lane.cells, at.RECORDED, address(rows))
    put(lane.cells, at.RECORDED_COUNT, len(rows))
    put(lane.cells, at.ADVANCE, answering().address["recorded"])
    put(lane.cells, at.LIVE_COUNT, 1)  # it is asked for answers at every moment
    put(lane.cells, at.REACTS, 1)
    return rows


def _compared(decisions: Cells) -> Cells:
    """The decisions that are compared, without codes and client ids."""
    rows = decisions[np.isin(decisions[:, 0] & 255, KINDS)][:, :6].copy()
    rows[:, 1] &= (1 << 32) - 1
    return rows


def _agreement(
    theirs: Cells, ours: Cells, fills: tuple[int, int], until: int, instruments: Sequence[Instrument]
) -> Agreement:
    theirs, ours = theirs[theirs[:, 5] <= until], ours[ours[:, 5] <= until]
    count = min(len(theirs), len(ours))
    other = np.flatnonzero((theirs[:count] != ours[:count]).any(axis=1))
    same = int(other[0]) if len(other) else count
    first = ""
    if same < max(len(theirs), len(ours)):
        first = (
            f"decision {same}: {_said(theirs, same, instruments)} in the session, {_said(ours, same, instruments)} here"
        )
    placed = _keys(theirs)
    return Agreement(
        orders=len(placed),
        matched=len(placed & _keys(ours)),
        decisions=len(theirs),
        same=same,
        first=first,
        fills=fills,
    )


def _keys(rows: Cells) -> set[tuple[int, ...]]:
    """Orders, each as everything that was asked for, and when."""
    placed = rows[np.isin(rows[:, 0] & 255, (int(DecisionKind.PLACE), int(DecisionKind.REPLACE)))]
    return {tuple(int(x) for x in (r[0], r[1], r[3], r[4], r[5])) for r in placed}


def _said(rows: Cells, number: int, instruments: Sequence[Instrument]) -> str:
    if number >= len(rows):
        return "none"
    row = rows[number]
    head = int(row[0])
    instrument = instruments[head >> 32]
    side = "buy" if head >> 8 & 255 == 1 else "sell"
    return (
        f"{_NAMES[head & 255]} {side} {instrument.format_lots(int(row[4]))} {instrument.symbol} at "
        f"{instrument.format_price(int(row[3]))} at {int(row[5])} ns"
    )
