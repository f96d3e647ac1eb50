"""A recorded session beside a backtest of it: do both decide the same?

Three times. With the answers that the venue really gave: then every decision has to be the same, bit for bit, or the
backtest handles orders otherwise than a run does. Then the *open loop*: the orders of the session are put to the
simulated venue, each at its time, and what becomes of them is compared; that measures the models, which can be fitted
so that as little differs as can be. And the *closed loop*, a backtest as any other: the strategy reacts to simulated
answers, and what follows from one that differs differs too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from attrs import field, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.atvenue import TRADES, is_played, trade_ids
from bloor.backtesting.build import LaneSpec, StrategySpec, lane_of, prepare
from bloor.backtesting.byorder import tells_orders
from bloor.backtesting.course import run_course
from bloor.backtesting.kernels import answering
from bloor.backtesting.memory import LaneMemory, address, put
from bloor.backtesting.models import Constant, LatencyModel, QueueModel, parse_fees, parse_latency, parse_queue_model
from bloor.backtesting.moments import moments
from bloor.backtesting.script import Asked, put_to_venue
from bloor.backtesting.stream import Key
from bloor.backtesting.survey import SHORTEST_NS
from bloor.engine.core import Engine
from bloor.engine.decisions import SIZE
from bloor.errors import PluginError, UsageError
from bloor.host.backtest.agreement import Agreement, agreement, compared
from bloor.host.backtest.answered import AnsweredEngine, paced
from bloor.host.backtest.fates import Fate, Fates, asked_of, compared_fates, fates_of, fates_told
from bloor.host.backtest.refusals import with_refusals
from bloor.host.backtest.sources import Data, Lane, find_lanes
from bloor.host.replay.run import ReplayResult, replay
from bloor.model.instrument import Instrument
from bloor.model.orders import Fill, Liquidity
from bloor.native.memory import Cells
from bloor.plugins.host import PluginHost
from bloor.risk.gate import Gate
from bloor.risk.limits import build_check

__all__ = ["Parity", "Tried", "parity"]

#: Queue models that are tried when models are fitted; where the data tell orders, the exact one too.
QUEUES = ("risk-averse", "power-prob:n=1", "power-prob:n=2", "power-prob:n=3", "log-prob", "front")


class Tried(NamedTuple):
    """How well a model agrees: shares of orders with the same fate, and of orders that were sent too."""

    open_loop: float
    closed_loop: float


@frozen(kw_only=True)
class Parity:
    """What came of the comparison.

    Attributes:
        recorded: With the answers that the venue gave.
        open_loop: What became of the session's own orders, by the models that were asked for.
        closed_loop: With simulated answers, by the same models.
        fitted: The models that agree best, as options of ``bloor backtest``: by :attr:`open_loop`, and where that is
            equal by :attr:`closed_loop`.
        tried: Every queue model that was tried, and both shares.
    """

    recorded: Agreement
    open_loop: Fates
    closed_loop: Agreement
    fitted: Mapping[str, str] = field(factory=dict)
    tried: Mapping[str, Tried] = field(factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "recorded": self.recorded.as_dict(),
            "open_loop": self.open_loop.as_dict(),
            "closed_loop": self.closed_loop.as_dict(),
            "fitted": dict(self.fitted),
            "tried": {
                name: {"open_loop": round(each.open_loop, 4), "closed_loop": round(each.closed_loop, 4)}
                for name, each in self.tried.items()
            },
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
    progress("the same orders at the simulated venue")
    open_loop = bench.open_loop(latency, queue)
    progress("with simulated answers")
    closed_loop = bench.closed_loop(latency, queue)
    if not fit:
        return Parity(recorded=recorded, open_loop=open_loop, closed_loop=closed_loop)
    tried = {}
    for name in (*(("fifo",) if all(bench.by_order) else ()), *QUEUES):
        progress(f"trying {name}")
        tried[name] = Tried(bench.open_loop(latency, name).share, bench.closed_loop(latency, name).share)
    best = max(tried, key=lambda name: tried[name])
    return Parity(
        recorded=recorded, open_loop=open_loop, closed_loop=closed_loop,
        fitted={"latency": latency or measured, "queue-model": best}, tried=tried,
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
        self.asked = np.frombuffer(bytes(kept.decisions), np.int64).reshape(-1, SIZE // 8)
        self.theirs = compared(self.asked)
        self.orders, self.fills = kept.orders, len(kept.fills)
        self.fates = fates_of(kept.orders, kept.fills)
        if not len(self.theirs):
            raise UsageError(f"{session}: expected a session with decisions, got none: nothing can be compared")
        self.lanes = [self._lane(session, instrument, environ, progress) for instrument in self.plan.instruments]
        way_ns = _way_ns(engine)
        #: what a venue publishes contains our orders, unless it plays a recording, or matches them here on paper
        published = [found.document["mode"] != "paper" and not is_played(lane.survey) for lane in self.lanes]
        self.moments = [
            moments(
                lane.rows, engine.heard.get(index, ()), way_ns=way_ns, offset_ns=self._offset_ns(lane),
                own=_taken(kept.fills, lane), joined=published[index], sent=self._sent(index),
            )
            for index, lane in enumerate(self.lanes)
        ]  # fmt: skip
        self.by_order = [mine and tells_orders(lane.rows) for mine, lane in zip(published, self.lanes, strict=True)]
        #: order-level data say which orders are ours, so those are taken out of them
        self.within = [mine and not by_order for mine, by_order in zip(published, self.by_order, strict=True)]
        self.self_trade = at.STP_MAKER if engine.gave_way else at.STP_TAKER

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

    def closed_loop(self, latency: str | None, queue: str) -> Agreement:
        """With simulated answers; without a latency model, as late as the venue's were."""
        latencies = [self._latency(index, latency) for index in range(len(self.lanes))]
        return self._run(latencies, parse_queue_model(queue, self.plugins), recorded=False)

    def open_loop(self, latency: str | None, queue: str) -> Fates:
        """The session's own orders at the simulated venue."""
        latencies = [self._latency(index, latency) for index in range(len(self.lanes))]
        specs = self._specs(latencies, parse_queue_model(queue, self.plugins), at.NEVER, recorded=False)
        found: dict[int, Fate] = {}
        for spec, requests in zip(specs, self._requests, strict=True):
            found |= fates_told(put_to_venue(lane_of(spec), requests))
        return compared_fates(self.orders, self.fates, found)

    @cached_property
    def _requests(self) -> list[list[Asked]]:
        """What the session asked for in each instrument."""
        return [
            asked_of(self.asked, index, lane.instrument, self.orders, self.fates)
            for index, lane in enumerate(self.lanes)
        ]

    def _latency(self, index: int, latency: str | None) -> LatencyModel:
        """The latency model of a lane."""
        if latency is not None:
            return parse_latency(latency, self.plugins)
        heard = self.engine.heard.get(index, ())
        return paced(heard, self.moments[index], self._offset_ns(self.lanes[index]), self._sent(index)) or Constant()

    def _sent(self, index: int) -> list[Key]:
        """The requests in an instrument in the order in which they were sent; of a replacement, the cancel first."""
        asked = self._requests[index]
        return [(number, each.ns) for each in asked for number in (each.replaces, each.number) if number]

    @staticmethod
    def _offset_ns(lane: Lane) -> int | None:
        """What is taken off the venue's times; None where they are those of a recording."""
        return None if is_played(lane.survey) else lane.survey.clock_offset_ns

    def _specs(
        self, latencies: Sequence[LatencyModel], queue: QueueModel, until: int, *, recorded: bool
    ) -> list[LaneSpec]:
        return [
            LaneSpec(
                instrument=lane.instrument, rows=lane.rows, latency=latency, queue=queue,
                fees=None if recorded else _schedule(lane.instrument.venue, self.plugins), oversell=True,
                clock_offset_ns=lane.survey.clock_offset_ns if recorded else 0, until_ns=until, within=within,
                self_trade=self.self_trade, venue_rows=None if recorded else found.rows,
            )
            for lane, latency, within, found in zip(self.lanes, latencies, self.within, self.moments, strict=True)
        ]  # fmt: skip

    def _run(self, latencies: Sequence[LatencyModel], queue: QueueModel, *, recorded: bool) -> Agreement:
        until = self.engine.stopped_ns - 1 if self.engine.stopped_ns else at.NEVER
        specs = self._specs(latencies, queue, until, recorded=recorded)
        strategies = [StrategySpec(name=s.name, cls=s.cls, config=s.config) for s in self.plan.strategies]
        instruments = tuple(lane.instrument for lane in self.lanes)
        gate = Gate([build_check(check, limits, instruments) for check, limits in self.plan.checks], instruments)
        gate = with_refusals(gate, self.asked, instruments)
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


def _taken(fills: Sequence[Fill], lane: Lane) -> set[int]:
    """Ids of the public trades of an instrument in which an order of ours took.

    Where an account's trades have other ids than the public's, a trade of the same time, price and quantity is ours.
    """
    key = lane.instrument.key
    mine = [fill for fill in fills if fill.instrument.key == key and fill.liquidity == Liquidity.TAKER]
    ids = {int(fill.trade_id) for fill in mine if fill.trade_id.isdecimal()}
    named = {(fill.exch_ns, fill.price_ticks, fill.units) for fill in mine if not fill.trade_id.isdecimal()}
    for piece in lane.rows.pieces if named else ():
        trades = piece[np.isin(piece["kind"], TRADES)]
        told = zip(*(trades[name].tolist() for name in ("exch_ns", "price", "qty")), strict=True)
        ids.update(number for each, number in zip(told, trade_ids(trades).tolist(), strict=True) if each in named)
    return ids


def _way_ns(engine: AnsweredEngine) -> int:
    """Half the shortest round trip of a session."""
    trips = [each.recv_ns - each.sent_ns for heard in engine.heard.values() for each in heard if each.sent_ns]
    return max(1, min(trips, default=2 * SHORTEST_NS) // 2)


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
