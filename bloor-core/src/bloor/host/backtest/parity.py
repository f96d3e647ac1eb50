"""A recorded session beside a backtest of it: do both decide the same?

Twice. Once with the answers that the venue really gave: then every decision has to be the same, bit for bit, or the
backtest handles orders otherwise than a run does. And once with simulated answers: what differs then is what the models
assume, and the models can be fitted so that as little differs as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.atvenue import is_played, venue_rows
from bloor.backtesting.build import LaneSpec, StrategySpec, prepare
from bloor.backtesting.course import run_course
from bloor.backtesting.kernels import answering
from bloor.backtesting.memory import LaneMemory, address, put
from bloor.backtesting.models import Constant, LatencyModel, QueueModel, parse_fees, parse_latency, parse_queue_model
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.survey import SHORTEST_NS
from bloor.engine.core import Engine
from bloor.engine.decisions import SIZE
from bloor.errors import PluginError, UsageError
from bloor.host.backtest.agreement import Agreement, agreement, compared
from bloor.host.backtest.answered import AnsweredEngine, paced
from bloor.host.backtest.sources import Data, Lane, find_lanes
from bloor.host.replay.run import ReplayResult, replay
from bloor.model.instrument import Instrument
from bloor.model.orders import Fill, Liquidity
from bloor.native.memory import Cells
from bloor.plugins.host import PluginHost
from bloor.risk.gate import Gate
from bloor.risk.limits import build_check

__all__ = ["Parity", "parity"]

#: Queue models that are tried when models are fitted.
QUEUES = ("risk-averse", "power-prob:n=1", "power-prob:n=2", "power-prob:n=3", "log-prob", "front")


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
    watched: list[AnsweredEngine] = []

    def make(*arguments: Any, **named: Any) -> Engine:
        watched.append(AnsweredEngine(*arguments, **named))
        return watched[-1]

    found = replay(session, host(), keep=True, make_engine=make)
    bench = _Bench(session, found, watched[0], host(), environ, progress)
    queue = queue_model or "risk-averse"
    measured = f"measured:session={session}"
    progress("with the answers that were recorded")
    recorded = bench.with_recorded()
    progress("with simulated answers")
    simulated = bench.with_models(latency, queue)
    if not fit:
        return Parity(recorded=recorded, simulated=simulated)
    tried = {}
    for name in QUEUES:
        progress(f"trying {name}")
        tried[name] = bench.with_models(latency, name)
    best = max(tried, key=lambda name: (tried[name].share, tried[name].same))
    return Parity(
        recorded=recorded, simulated=simulated, fitted={"latency": latency or measured, "queue-model": best},
        tried={name: round(each.share, 4) for name, each in tried.items()},
    )  # fmt: skip


class _Bench:
    """One session, and the backtests of it."""

    def __init__(
        self,
        session: Path,
        found: ReplayResult,
        engine: AnsweredEngine,
        plugins: PluginHost,
        environ: Mapping[str, str],
        progress: Callable[[str], object],
    ) -> None:
        self.plan = found.plan.engine
        self.engine, self.plugins = engine, plugins
        kept = found.kept
        assert kept is not None
        self.theirs = compared(np.frombuffer(bytes(kept.decisions), np.int64).reshape(-1, SIZE // 8))
        self.fills = len(kept.fills)
        if not len(self.theirs):
            raise UsageError(f"{session}: expected a session with decisions, got none: nothing can be compared")
        self.lanes = [self._lane(session, instrument, environ, progress) for instrument in self.plan.instruments]
        way_ns = _way_ns(engine)
        self.venue_rows = [
            venue_rows(lane.rows, lane.survey, way_ns=way_ns, own=_taken(kept.fills, lane.instrument))
            for lane in self.lanes
        ]
        self.self_trade = at.STP_MAKER if engine.gave_way else at.STP_TAKER
        #: what a venue publishes contains our orders, unless it plays a recording, or matches them here on paper
        self.within = [found.document["mode"] != "paper" and not is_played(lane.survey) for lane in self.lanes]

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
        return self._run([parse_latency("1ns", self.plugins)] * len(self.lanes), queue, recorded=True)

    def with_models(self, latency: str | None, queue: str) -> Agreement:
        """With simulated answers; without a latency model, as late as the venue's were."""
        latencies = [self._latency(index, latency) for index in range(len(self.lanes))]
        return self._run(latencies, parse_queue_model(queue, self.plugins), recorded=False)

    def _latency(self, index: int, latency: str | None) -> LatencyModel:
        """The latency model of a lane."""
        if latency is not None:
            return parse_latency(latency, self.plugins)
        lane = self.lanes[index]
        heard, rows = self.engine.heard.get(index, ()), self.venue_rows[index]
        if is_played(lane.survey):
            return paced(heard, moments=_moments(rows)) or Constant()
        return paced(heard, lane.survey.clock_offset_ns) or Constant()

    def _run(self, latencies: Sequence[LatencyModel], queue: QueueModel, *, recorded: bool) -> Agreement:
        until = self.engine.stopped_ns - 1 if self.engine.stopped_ns else at.NEVER
        specs = [
            LaneSpec(
                instrument=lane.instrument, rows=lane.rows, latency=latency, queue=queue,
                fees=None if recorded else _schedule(lane.instrument.venue, self.plugins), oversell=True,
                clock_offset_ns=lane.survey.clock_offset_ns, until_ns=until, within=within, self_trade=self.self_trade,
                venue_rows=None if recorded else at_venue,
            )
            for lane, latency, within, at_venue in zip(
                self.lanes, latencies, self.within, self.venue_rows, strict=True
            )
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
        ours = compared(logs.decisions[: logs.own])
        return agreement(self.theirs, ours, (self.fills, len(logs.fills)), until, instruments)


def _taken(fills: Sequence[Fill], instrument: Instrument) -> list[int]:
    """Ids of the trades of an instrument in which an order of ours took."""
    mine = [fill for fill in fills if fill.instrument.key == instrument.key and fill.liquidity == Liquidity.TAKER]
    return [int(fill.trade_id) for fill in mine if fill.trade_id.isdecimal()]


def _way_ns(engine: AnsweredEngine) -> int:
    """Half the shortest round trip of a session."""
    trips = [each.recv_ns - each.sent_ns for heard in engine.heard.values() for each in heard if each.sent_ns]
    return max(1, min(trips, default=2 * SHORTEST_NS) // 2)


def _moments(rows: StoredRows) -> tuple[Cells, Cells]:
    """When each event was received, never falling, and when it happened."""
    pieces = [piece[piece["recv_ns"] > 0] for piece in rows.pieces]
    received = np.maximum.accumulate(np.concatenate([piece["recv_ns"] for piece in pieces]))
    return received, np.concatenate([piece["exch_ns"] for piece in pieces])


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
