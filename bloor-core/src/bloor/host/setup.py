"""From what the user asked to a plan: plug-ins loaded, sections typed, venues and symbols chosen; nothing connected."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, Protocol

from attrs import evolve, field, frozen

from bloor import __version__
from bloor.config import Mode, RawConfig
from bloor.config.fingerprint import fingerprint, plain
from bloor.config.sections import PaperConfig, RunConfig, SimConfig
from bloor.engine.plan import EnginePlan, StrategyPlan, VenuePlan
from bloor.errors import InputFileError, RemoteProtocolError, UsageError, nearest
from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec
from bloor.host.affinity import cpus
from bloor.host.arming import check_key_sections, level3_keys, live_keys
from bloor.host.options import RunOptions
from bloor.host.places import DEFAULT_ENV, endpoints_of, overridden
from bloor.market.recorded_folder import journal_folder
from bloor.model.instrument import Instrument
from bloor.model.reporting import Reporting, reporting
from bloor.model.symbols import parse_symbol
from bloor.plugins.catalog import Kind
from bloor.plugins.code import class_sha256, code_sha256
from bloor.plugins.host import PluginHost
from bloor.risk.check import RiskCheck
from bloor.risk.limits import missing_limits, resolve_limits
from bloor.simulation.paper import longest_round_trip_ns
from bloor.strategy.api import Strategy
from bloor.strategy.naming import strategy_name
from bloor.venue.paper import paper_executor
from bloor.venue.session import Endpoints

__all__ = [
    "Setup",
    "VenueChoice",
    "chosen_strategies",
    "default_venue",
    "limits_of",
    "prepare",
    "select_instruments",
]

#: What a run in sim mode takes when no duration is given, seconds from the first frame.
SIM_DURATION_S = 30.0
#: Taken with a notice when several venues are installed and none is named.
FALLBACK_VENUE = "binance"


@frozen(kw_only=True)
class VenueChoice:
    """One venue that a run uses, before it is reached.

    Attributes:
        feed: Its market data.
        normalizer: How its frames are read.
        executor: Its order entry.
        config: Its section, typed; None when the plug-in has none.
        symbols: Canonical symbols to trade there; empty for what the recording or the venue has.
        shared: Those of them that name no venue, in a run on several: each of its venues is asked for them.
        endpoints: Where the real venue is; None for a simulated one, which says so itself.
        keys: What opens an account there, in live mode.
        level3_keys: What opens its market data by order, where that is not the account that is traded with.
    """

    feed: FeedSpec
    normalizer: NormalizerSpec
    executor: ExecutorSpec
    config: Any
    symbols: tuple[str, ...]
    shared: tuple[str, ...] = ()
    endpoints: Endpoints | None = None
    keys: Mapping[str, Any] = field(factory=dict, repr=False)
    level3_keys: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def venue(self) -> str:
        """The venue's name."""
        return self.feed.venue

    def plan(
        self, endpoints: Endpoints, credentials: Mapping[str, Any], instruments: Sequence[Instrument]
    ) -> VenuePlan:
        """The venue, reached.

        Raises:
            ConfigError: The credentials are not of the venue's form.
        """
        account, level3 = self.executor.credentials(credentials), self.feed.by_order(self.config)
        own = level3 is not None and self.level3_keys
        return VenuePlan(
            feed=self.feed,
            normalizer=self.normalizer,
            executor=self.executor,
            config=self.config,
            endpoints=endpoints,
            credentials=account,
            instruments=tuple(instruments),
            level3_credentials=level3.credentials(own) if level3 is not None and own else account,
        )


@frozen(kw_only=True)
class Setup:
    """A run that is ready to be connected.

    Attributes:
        run: The section ``[run]``, the command's options on top.
        sim: The section ``[sim]``.
        paper: The section ``[paper]``.
        env: The environment of real venues.
        raw: The whole configuration.
        plugins: The loaded plug-ins.
        venues: Where to trade.
        strategies: What to run.
        checks: Risk checks with their limits.
        notices: What the user should be told.
        duration_s: Seconds from the first frame; None for until Ctrl-C.
    """

    run: RunConfig
    sim: SimConfig
    paper: PaperConfig
    env: str
    raw: RawConfig
    plugins: PluginHost
    venues: tuple[VenueChoice, ...]
    strategies: tuple[StrategyPlan, ...]
    checks: tuple[tuple[type[RiskCheck], Any], ...]
    notices: tuple[str, ...]
    duration_s: float | None

    def plan(self, venues: Sequence[VenuePlan], epoch: int) -> EnginePlan:
        """The engine's plan, once every venue is reached.

        Raises:
            ConfigError: Sums of money cannot be told in one currency.
        """
        return EnginePlan(
            venues=tuple(venues), strategies=self.strategies, checks=self.checks, epoch=epoch, seed=self.run.seed,
            fused=self.run.fused, reporting=self.reporting(i for venue in venues for i in venue.instruments),
        )  # fmt: skip

    def reporting(self, instruments: Iterable[Instrument]) -> Reporting:
        """In what the money of a run with these instruments is told; where nothing is at stake, a dollar is a dollar.

        Raises:
            ConfigError: What a quote asset is worth is not known.
        """
        run = self.run
        return reporting(
            (i.quote for i in instruments),
            currency=run.currency and run.currency.upper(),
            rates={asset.upper(): rate for asset, rate in run.rates.items()},
            par=run.mode is not Mode.LIVE,
        )

    def sections(self) -> dict[str, Any]:
        """Every typed section of this run, defaults included, as plain data; secrets are masked."""
        typed: dict[str, Any] = {"run": self.run}
        if self.run.mode is Mode.SIM:
            typed["sim"] = self.sim
        if self.run.mode is Mode.PAPER:
            typed["paper"] = self.paper
        typed |= {f"venue.{v.venue}": v.config for v in self.venues if v.config is not None}
        typed |= {f"strategy.{s.name}": s.config for s in self.strategies}
        typed |= {f"risk.{check.name}": limits for check, limits in self.checks}
        return {name: plain(section, tuple(name.split("."))) for name, section in typed.items()}

    def record(self) -> dict[str, Any]:
        """What stands in ``config.json`` and in the journal's header."""
        sections = self.sections()
        return {
            "sections": sections,
            "sources": self.raw.provenance(),
            "hash": fingerprint({n: s for n, s in sections.items() if n != "run"}),
            "versions": self.versions(),
            "code": self.code(),
        }

    def code(self) -> dict[str, str]:
        """Hashes over the sources of bloor, of every loaded distribution, and of strategies that belong to none."""
        found = {"bloor-core": code_sha256("bloor")}
        for loaded in self.plugins.loaded.values():
            found[loaded.installed.distribution] = code_sha256(loaded.installed.package)
        unpackaged = (s for s in self.strategies if s.name not in self.plugins.loaded)
        return found | {f"strategy {s.name}": class_sha256(s.cls) for s in unpackaged}

    def versions(self) -> dict[str, str]:
        """Versions of Python, bloor and every distribution whose plug-ins are loaded."""
        found = {"python": sys.version.split()[0], "bloor-core": __version__}
        for loaded in self.plugins.loaded.values():
            found[loaded.installed.distribution] = loaded.installed.version
        for name in ("numba", "numpy", "picows"):
            found[name] = metadata.version(name)
        return found


def prepare(options: RunOptions, environ: Mapping[str, str]) -> Setup:
    """Resolves everything that can be resolved before a connection is made.

    Raises:
        ConfigError: A key or value is wrong.
        PluginError: A plug-in that the run needs cannot be used.
        UsageError: What is asked for does not exist.
    """
    raw = options.layers(environ)
    core = raw.core()
    run = core.run
    sim, paper = raw.section("sim", SimConfig), raw.section("paper", PaperConfig)
    plugins = PluginHost(allow=core.plugins.allow, block=[*core.plugins.block, *options.blocked])
    sections = plugins.section_names()
    sections["strategy"] += [strategy_name(cls) for cls in options.strategies]
    raw.check_plugin_sections(sections)
    check_key_sections(raw)
    strategies = chosen_strategies(plugins, raw, run.plugins, options.strategies)
    notices: list[str] = []
    venues = _venues(plugins, raw, run, notices)
    _check_data(run, venues)
    _check_spin(run)
    checks = tuple(
        (check, limits_of(check, raw, name, run.mode, notices)) for name, check in plugins.risk_checks().items()
    )
    env = run.env or DEFAULT_ENV
    if run.mode is Mode.SIM:
        _say_unused(venues, notices)
    else:
        venues = tuple(evolve(v, endpoints=endpoints_of(v.feed, v.config, env)) for v in venues)
    if run.mode is Mode.PAPER:
        round_trip_ns = longest_round_trip_ns(paper)
        venues = tuple(
            evolve(
                v,
                executor=paper_executor(v.venue, round_trip_ns, v.executor.commission),
                level3_keys=level3_keys(raw, v.feed, v.config, env, environ),
            )
            for v in venues
        )
    if run.mode is Mode.LIVE:
        keys = live_keys(raw, run.armed, [v.executor for v in venues], env, checks, environ)
        venues = tuple(evolve(v, keys=keys[v.venue]) for v in venues)
    if run.duration is not None:
        duration: float | None = run.duration.seconds
    else:
        duration = SIM_DURATION_S if run.mode is Mode.SIM else None
    return Setup(
        run=run,
        sim=sim,
        paper=paper,
        env=env,
        raw=raw,
        plugins=plugins,
        venues=venues,
        strategies=strategies,
        checks=checks,
        notices=(*notices, *plugins.warnings),
        duration_s=duration,
    )


def limits_of(check: type[RiskCheck], raw: RawConfig, name: str, mode: Mode, notices: list[str]) -> Any:
    """The limits of a check. On paper nothing is at stake, so that what nobody stated is as in sim mode, and told."""
    leaves = _leaves(raw, name)
    limits = resolve_limits(check, leaves, mode)
    missing = missing_limits(limits) if mode is Mode.PAPER else ()
    if not missing:
        return limits
    full = resolve_limits(check, leaves, Mode.SIM)
    taken = ", ".join(f"{name} = {plain(getattr(full, name))}" for name in missing)
    notices.append(f"[risk.{check.name}] states no limit for {', '.join(missing)}: paper takes {taken}; live needs it")
    return full


def _say_unused(venues: Iterable[VenueChoice], notices: list[str]) -> None:
    named = ((venue.venue, ", ".join(overridden(venue.config))) for venue in venues)
    notices += [
        f"[venue.{venue}] {keys}: not used in sim mode, which starts its own venue" for venue, keys in named if keys
    ]


def _check_data(run: RunConfig, venues: Sequence[VenueChoice]) -> None:
    if run.data and run.mode is not Mode.SIM:
        raise UsageError(f"--data: a recording drives a simulated venue; --mode {run.mode.value} trades at a real one")
    if run.data and len(venues) > 1:
        raise UsageError("--data: a recording drives one venue; name it with --venue")
    for path in run.data:
        if path.is_dir() and journal_folder(path) is not None:
            continue
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise InputFileError(str(path), f"cannot be read: {error.strerror}") from error


def _check_spin(run: RunConfig) -> None:
    if run.spin and cpus() < 2:
        raise UsageError(
            "run.spin: expected at least 2 CPUs, since an event loop that never sleeps takes one of them whole, and "
            "venues and the system need another; this process may use 1; run without --spin"
        )


def _leaves(raw: RawConfig, name: str) -> Mapping[str, Any]:
    risk = raw.tree.get("risk", {})
    assert isinstance(risk, Mapping)
    section = risk.get(name.replace("_", "-"), {})
    assert isinstance(section, Mapping)
    return section


def chosen_strategies(
    plugins: PluginHost, raw: RawConfig, names: Sequence[str], given: Sequence[type[Strategy]]
) -> tuple[StrategyPlan, ...]:
    """The strategies that were named, and those that were given, with their parameters.

    Raises:
        UsageError: There is none, or two have one name.
        ConfigError: A parameter is wrong.
        PluginError: A plug-in cannot be used.
    """
    from bloor.strategy.params import config_class

    plans = []
    for name in names:
        loaded = plugins.load(name)
        if "bloor_strategy" in loaded.hooks:
            cls = plugins.strategy(name)
            plans.append(StrategyPlan(name=name, cls=cls, config=raw.section(("strategy", name), config_class(cls))))
    for cls in given:
        name = strategy_name(cls)
        if name in plugins.catalog.entries or name in (plan.name for plan in plans):
            raise UsageError(f"strategies: {cls.__name__}: {name!r} is the name of another; give it a name of its own")
        plans.append(StrategyPlan(name=name, cls=cls, config=raw.section(("strategy", name), config_class(cls))))
    if not plans:
        installed = ", ".join(plugins.catalog.names(Kind.STRATEGY)) or "none; pip install bloor-strategies"
        raise UsageError(f"-p: expected the name of at least one strategy (installed: {installed})")
    return tuple(plans)


def _venues(plugins: PluginHost, raw: RawConfig, run: RunConfig, notices: list[str]) -> tuple[VenueChoice, ...]:
    wanted: dict[str, list[str]] = {venue: [] for venue in run.venues}
    loose: list[str] = []
    for text in run.symbols:
        venue, symbol = parse_symbol(text)
        if venue is None:
            loose.append(symbol)
        elif run.venues and venue not in wanted:
            raise UsageError(f"--symbol {text}: venue {venue!r} is not among --venue{nearest(venue, wanted)}")
        else:
            wanted.setdefault(venue, []).append(symbol)
    if not wanted:
        wanted[default_venue(plugins, notices)] = []
    choices = []
    shared = tuple(dict.fromkeys(loose)) if len(wanted) > 1 else ()
    for name, symbols in wanted.items():
        config_type = plugins.venue_config(name)
        choices.append(
            VenueChoice(
                feed=plugins.feed(name),
                normalizer=plugins.normalizer(name),
                executor=plugins.executor(name),
                config=None if config_type is None else raw.section(("venue", name), config_type),
                symbols=tuple(dict.fromkeys([*symbols, *loose])),
                shared=shared,
            )
        )
    return tuple(choices)


def default_venue(plugins: PluginHost, notices: list[str]) -> str:
    """The venue that is meant where nobody named one.

    Raises:
        UsageError: None is installed.
    """
    installed = plugins.installed_venues()
    if len(installed) == 1:
        return installed[0]
    if not installed:
        raise UsageError("--venue: no venue plug-in is installed; try: pip install bloor-binance")
    venue = FALLBACK_VENUE if FALLBACK_VENUE in installed else installed[0]
    notices.append(f"several venues are installed ({', '.join(installed)}); taking {venue}; --venue chooses another")
    return venue


class Chosen(Protocol):
    """A venue and what is wanted of it; :class:`VenueChoice` is one."""

    @property
    def venue(self) -> str:
        """Its name."""

    @property
    def feed(self) -> FeedSpec:
        """Its market data."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Canonical symbols; empty for what the recording or the venue has."""


def select_instruments(choice: Chosen, listed: Sequence[Instrument], *, recorded: bool) -> list[Instrument]:
    """The instruments to trade out of what the venue lists.

    Args:
        choice: The venue; its symbols, or without any the recording's, or the venue's default.
        listed: What it lists.
        recorded: Whether it is driven by a recording: then its first instrument is the default.

    Raises:
        UsageError: A symbol is not listed, or is not trading.
        RemoteProtocolError: The venue lists nothing.
    """
    if not listed:
        raise RemoteProtocolError(f"{choice.venue} lists no instrument")
    by_symbol = {i.symbol: i for i in listed}
    symbols = choice.symbols or ((listed[0].symbol,) if recorded else (choice.feed.default_symbol,))
    for symbol in symbols:
        if symbol not in by_symbol:
            known = ", ".join(sorted(by_symbol)[:10])
            raise UsageError(
                f"--symbol {symbol}: {choice.venue} does not list it{nearest(symbol, by_symbol)}; it has {known}"
            )
        if not by_symbol[symbol].trading:
            raise UsageError(f"--symbol {symbol}: {choice.venue} does not trade it at the moment")
    return [by_symbol[symbol] for symbol in symbols]
