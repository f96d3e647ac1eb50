"""A backtest: what was asked for is resolved, the course is run, and its result told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.atvenue import is_played, played_rows
from bloor.backtesting.books import ledger_of
from bloor.backtesting.build import Form, LaneSpec, Prepared, StrategySpec, prepare
from bloor.backtesting.course import Logs, run_course
from bloor.backtesting.halting import halted
from bloor.backtesting.memory import RunMemory
from bloor.backtesting.models import FeeModel, parse_fees, parse_latency, parse_queue_model
from bloor.backtesting.rows import StoredRows
from bloor.config import Mode, RawConfig
from bloor.config.sections import BacktestConfig, RunConfig
from bloor.engine.plan import StrategyPlan
from bloor.errors import PluginError, UsageError
from bloor.host.backtest.options import BacktestOptions
from bloor.host.backtest.sources import Data, Lane, find_lanes
from bloor.host.setup import chosen_strategies, default_venue, limits_of
from bloor.model.decimals import units_of
from bloor.model.reporting import Reporting, reporting
from bloor.observe.ledger import Ledger
from bloor.observe.statistics import Statistics, statistics
from bloor.plugins.host import PluginHost
from bloor.risk.check import RiskCheck
from bloor.risk.gate import STRATEGY_HALTED, Denial, Gate
from bloor.risk.limits import build_check

__all__ = ["BacktestOutcome", "Plan", "backtest", "plan_of", "run_plan"]

STOPPED = Denial(STRATEGY_HALTED, "gate")
_SELF_TRADE = {
    "none": at.STP_NONE, "taker": at.STP_TAKER, "maker": at.STP_MAKER, "both": at.STP_BOTH,
    "decrement": at.STP_DECREMENT,
}  # fmt: skip


@frozen(kw_only=True, eq=False)
class Plan:
    """A backtest that is resolved and can be run, as often as is wanted.

    Attributes:
        options: What was asked for.
        raw: The whole configuration.
        run: The section ``[run]``.
        assumed: The section ``[backtest]``.
        plugins: The loaded plug-ins.
        strategies: What is tested.
        data: The instruments and their events.
        lanes: The same with the models of each.
        checks: Risk checks with their limits.
        reporting: In what money is told.
        notices: What the user should be told.
    """

    options: BacktestOptions
    raw: RawConfig
    run: RunConfig
    assumed: BacktestConfig
    plugins: PluginHost
    strategies: tuple[StrategyPlan, ...]
    data: tuple[Lane, ...]
    lanes: tuple[LaneSpec, ...]
    checks: tuple[tuple[type[RiskCheck], Any], ...]
    reporting: Reporting
    notices: tuple[str, ...]

    def specs(self) -> list[StrategySpec]:
        """The strategies."""
        form = Form.DECLARED if self.run.fused else Form.PYTHON
        return [StrategySpec(name=s.name, cls=s.cls, config=s.config, form=form) for s in self.strategies]

    def gate(self) -> Gate | None:
        """A new gate; None without checks."""
        instruments = tuple(lane.instrument for lane in self.lanes)
        checks = [build_check(check, limits, instruments) for check, limits in self.checks]
        return Gate(checks, instruments) if checks else None

    def prepared(self, specs: Sequence[StrategySpec], gate: Gate | None = None) -> Prepared:
        """Makes everything that a run works on.

        Args:
            specs: The strategies, in the forms in which they are to run.
            gate: Its gate; a new one when it is not given.
        """
        return prepare(self.lanes, specs, gate=gate or self.gate(), seed=self.run.seed)


@frozen(kw_only=True, eq=False)
class BacktestOutcome:
    """What came of a backtest.

    Attributes:
        plan: What was run.
        logs: What it wrote.
        ledger: Fills, orders and marks.
        statistics: What they come to.
        halted: For each desk, why its strategy was halted; empty when it was not.
        denials: How many orders each code of the gate has stopped.
        seconds: Wall time of each stage.
        memory: What kernels worked on.
    """

    plan: Plan
    logs: Logs = field(repr=False)
    ledger: Ledger = field(repr=False)
    statistics: Statistics = field(repr=False)
    halted: tuple[str, ...]
    denials: Mapping[str, int]
    seconds: Mapping[str, float]
    memory: RunMemory = field(repr=False)


def plan_of(
    options: BacktestOptions,
    environ: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = str,
) -> Plan:
    """Resolves everything that can be resolved before the first event.

    Raises:
        ConfigError: A key or value is wrong.
        PluginError: A plug-in that is needed cannot be used.
        UsageError: What is asked for does not exist.
        InputFileError: Data cannot be read, or cannot be used.
    """
    environ = os.environ if environ is None else environ
    raw = options.layers(environ)
    core = raw.core()
    assumed = raw.section("backtest", BacktestConfig)
    plugins = PluginHost(allow=core.plugins.allow, block=[*core.plugins.block, *options.blocked])
    raw.check_plugin_sections(_sections(plugins, options))
    strategies = chosen_strategies(plugins, raw, core.run.plugins, options.strategies)
    notices: list[str] = []
    checks = tuple(
        (check, limits_of(check, raw, name, Mode.SIM, notices)) for name, check in plugins.risk_checks().items()
    )
    wanted = Data(
        paths=options.data or core.run.data,
        venue=options.venue,
        symbols=core.run.symbols,
        instruments=options.instruments,
        start=options.start,
        end=options.end,
    )
    found = find_lanes(
        wanted, plugins.normalizer, environ, default_venue=lambda: default_venue(plugins, notices), progress=progress
    )
    told = reporting(
        (lane.instrument.quote for lane in found), currency=core.run.currency, rates=core.run.rates, par=True
    )
    lanes = _lanes(found, assumed, options, plugins, notices)
    return Plan(
        options=options, raw=raw, run=core.run, assumed=assumed, plugins=plugins, strategies=strategies,
        data=tuple(found), lanes=lanes, checks=checks, reporting=told,
        notices=(*notices, *told.notices(), *plugins.warnings),
    )  # fmt: skip


def _sections(plugins: PluginHost, options: BacktestOptions) -> dict[str, list[str]]:
    from bloor.strategy.naming import strategy_name

    sections = plugins.section_names()
    sections["strategy"] += [strategy_name(cls) for cls in options.strategies]
    return sections


def _lanes(
    found: Sequence[Lane],
    assumed: BacktestConfig,
    options: BacktestOptions,
    plugins: PluginHost,
    notices: list[str],
) -> tuple[LaneSpec, ...]:
    latency = parse_latency(options.latency or assumed.latency, plugins)
    queue = parse_queue_model(options.queue_model or assumed.queue_model, plugins)
    fees = {
        venue: _fees(options.fees or assumed.fees, venue, plugins, notices)
        for venue in dict.fromkeys(lane.instrument.venue for lane in found)
    }
    unknown = set(assumed.inventory) - {lane.instrument.base for lane in found}
    if unknown:
        known = ", ".join(sorted({lane.instrument.base for lane in found}))
        raise UsageError(f"backtest.inventory: expected base assets of the data ({known}), got {', '.join(unknown)}")
    return tuple(
        LaneSpec(
            instrument=lane.instrument,
            rows=lane.rows,
            latency=latency,
            queue=queue,
            fees=fees[lane.instrument.venue],
            partial=assumed.partial,
            self_trade=_SELF_TRADE[assumed.self_trade],
            oversell=_may_oversell(lane) if assumed.oversell is None else assumed.oversell,
            inventory=_units(lane, assumed),
            clock_offset_ns=None,
            begin_ns=lane.begin_ns,
            venue_rows=_played(lane, notices),
        )
        for lane in found
    )


def _played(lane: Lane, notices: list[str]) -> StoredRows | None:
    """What the venue is simulated by where the times of the data are those of a recording that was played."""
    if not is_played(lane.survey):
        return None
    name = f"{lane.instrument.venue}:{lane.instrument.symbol}"
    notices.append(f"{name}: the venue's times are those of a recording that was played; those of receipt count")
    return played_rows(lane.rows)


def _may_oversell(lane: Lane) -> bool:
    """Whether the venue trades contracts: a spot account cannot sell what it does not hold."""
    return lane.instrument.venue.endswith(("-usdm", "-coinm", "-perp", "-futures"))


def _units(lane: Lane, assumed: BacktestConfig) -> int:
    held = assumed.inventory.get(lane.instrument.base)
    return 0 if held is None else units_of(held, lane.instrument.qty_decimals)


def _fees(text: str | None, venue: str, plugins: PluginHost, notices: list[str]) -> FeeModel:
    if text is not None:
        return parse_fees(text, plugins)
    try:
        return parse_fees(venue, plugins)
    except (UsageError, PluginError):
        notices.append(f"{venue} has no fee schedule: nothing is charged; --fees 0.001 charges 0.1 %")
        return parse_fees("none", plugins)


def backtest(
    options: BacktestOptions,
    environ: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = str,
) -> BacktestOutcome:
    """Runs a backtest.

    Raises:
        RunError: A strategy asked for a quantity that cannot be counted, or there is no memory for what it asked for.
        Errors of :func:`plan_of`.
    """
    began = time.perf_counter()
    plan = plan_of(options, environ, progress)
    planned = time.perf_counter()
    outcome = run_plan(plan, progress)
    seconds = {"prepare": planned - began, **outcome.seconds}
    return evolve(outcome, seconds=seconds)


def run_plan(plan: Plan, progress: Callable[[str], object] = str) -> BacktestOutcome:
    """Runs a plan."""
    began = time.perf_counter()
    progress("compiling")
    gate = plan.gate()
    prepared = plan.prepared(plan.specs(), gate)
    compiled = time.perf_counter()
    progress("running")
    logs = run_course(prepared.memory, keep_decisions=plan.options.keep_decisions)
    ran = time.perf_counter()
    progress("adding up")
    ledger = ledger_of(
        prepared, logs, plan.specs(), [lane.survey for lane in plan.data], plan.reporting, plan.assumed.capital
    )
    found = statistics(ledger)
    seconds = {"compile": compiled - began, "run": ran - compiled, "results": time.perf_counter() - ran}
    return BacktestOutcome(
        plan=plan,
        logs=logs,
        ledger=ledger,
        statistics=found,
        halted=halted(prepared, plan.specs(), plan.prepared),
        denials=_denials(gate, logs),
        seconds=seconds,
        memory=prepared.memory,
    )


def _denials(gate: Gate | None, logs: Logs) -> dict[str, int]:
    """How many orders each code has stopped."""
    if gate is None:
        return {}
    for verdict, count in logs.denied.items():
        if verdict == at.STRATEGY_HALTED:
            gate.denied[STOPPED] = gate.denied.get(STOPPED, 0) + count
        elif gate.compiled() is not None:  # in Python it has counted its own
            for _ in range(count):
                gate.account(verdict)
    return gate.denied_by_code()
