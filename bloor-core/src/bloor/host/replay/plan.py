"""From the header of a journal to the plan of an engine, with the plug-ins that are installed now.

Keys are in no journal, and neither is what they sign. Each venue's plug-in hands over keys that stand in for them
(:class:`~bloor.hookspecs.StandInKeys`), so that the same frames are made again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any

import orjson
from attrs import frozen

from bloor import __version__
from bloor.config import Mode
from bloor.config.fingerprint import plain
from bloor.config.layers import Leaf, Tree
from bloor.config.sections import PaperConfig
from bloor.config.structure import structure
from bloor.engine.plan import EnginePlan, StrategyPlan, VenuePlan
from bloor.errors import PluginError, UsageError
from bloor.model.instrument import Instrument
from bloor.model.reporting import Reporting
from bloor.plugins.catalog import Kind
from bloor.plugins.code import class_sha256, code_sha256
from bloor.plugins.host import PluginHost
from bloor.risk.limits import resolve_limits
from bloor.simulation.paper import longest_round_trip_ns
from bloor.strategy.api import Strategy
from bloor.strategy.naming import strategy_name
from bloor.strategy.params import config_class
from bloor.venue.paper import paper_executor
from bloor.venue.session import Endpoints

__all__ = ["Header", "ReplayPlan", "read_header", "replay_plan"]

SOURCE = "the session's header"


@frozen(kw_only=True)
class Header:
    """What the first record of a run's journal says.

    Attributes:
        mode: What the run traded on.
        sections: Every typed section, as plain data, in order.
        versions: Of everything that took part.
        code: Hashes over the sources of what took part.
        engine: What :meth:`bloor.engine.plan.EnginePlan.record` made.
    """

    mode: str
    sections: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    code: Mapping[str, str]
    engine: Mapping[str, Any]


@frozen(kw_only=True)
class ReplayPlan:
    """A plan that was made from a header.

    Attributes:
        engine: What the engine is built from.
        changes: What is installed now and is not what took part then, one sentence each.
    """

    engine: EnginePlan
    changes: tuple[str, ...]


def read_header(payload: bytes, where: str) -> Header:
    """Reads the header.

    Args:
        payload: The payload of the ``HEADER`` record.
        where: Whose it is, for messages.

    Raises:
        UsageError: It is not the header of a run.
    """
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: expected JSON in the header of the journal: {error}") from None
    if isinstance(document, dict) and "record" in document:
        raise UsageError(
            f"{where}: expected the session of a run, got a recording of market data; "
            "read it with bloor data normalize, or give it to bloor run --data"
        )
    try:
        config, engine = document["config"], document["engine"]
        header = Header(
            mode=config["sections"]["run"]["mode"],
            sections=config["sections"],
            versions=config["versions"],
            code=config["code"],
            engine=engine,
        )
        missing = {"node", "epoch", "seed", "venues", "strategies"} - set(engine)
    except (KeyError, TypeError) as error:
        raise UsageError(_too_old(where, error)) from None
    if missing:
        raise UsageError(_too_old(where, ", ".join(sorted(missing))))
    return header


def _too_old(where: str, what: object) -> str:
    return f"{where}: the header of the journal lacks {what}: it was written by another version of bloor; use that one"


def replay_plan(header: Header, plugins: PluginHost, strategies: Sequence[type[Strategy]] = ()) -> ReplayPlan:
    """Loads what took part and builds it as it was configured.

    Args:
        header: The journal's header.
        plugins: A host that has not loaded risk checks yet.
        strategies: Classes of strategies that belong to no plug-in, looked up by name.

    Raises:
        PluginError: Something that took part is not installed, or cannot be replayed.
        ConfigError: What is installed does not take the configuration that is recorded.
    """
    changes: list[str] = []
    venues = [_venue(header, plugins, record, changes) for record in header.engine["venues"]]
    made = [_strategy(header, plugins, name, strategies, changes) for name in header.engine["strategies"]]
    told: dict[str, Any] = {}
    if "reporting" in header.engine:  # before it there was one quote asset
        told["reporting"] = Reporting.from_record(header.engine["reporting"])
    engine = EnginePlan(
        venues=tuple(venues),
        strategies=tuple(made),
        checks=_checks(header, plugins, changes),
        node=header.engine["node"],
        epoch=header.engine["epoch"],
        seed=header.engine["seed"],
        **told,
    )
    return ReplayPlan(
        engine=engine,
        changes=(*_version_changes(header, plugins, engine), *changes),
    )


def _venue(header: Header, plugins: PluginHost, record: Mapping[str, Any], changes: list[str]) -> VenuePlan:
    name = record["venue"]
    executor = plugins.executor(name)
    if header.mode == Mode.PAPER.value:
        paper: PaperConfig = _section(header, "paper", _structured(PaperConfig), changes)
        executor = paper_executor(name, longest_round_trip_ns(paper))
    stand_in = executor.stand_in
    if stand_in is None or record["keys"] is None:
        origin = plugins.load(name).installed.origin
        hint = "; its executor needs stand_in keys (bloor.hookspecs.StandInKeys)"
        raise PluginError(name, "cannot be replayed without the account's keys", origin, hint)
    config_type, feed = plugins.venue_config(name), plugins.feed(name)
    section = f"venue.{name}"
    level3 = feed.level3.stand_in.make(record["level3"]) if feed.level3 is not None and "level3" in record else None
    return VenuePlan(
        feed=feed,
        normalizer=plugins.normalizer(name),
        executor=executor,
        config=None if config_type is None else _section(header, section, _structured(config_type), changes),
        endpoints=Endpoints(*record["endpoints"]),
        credentials=stand_in.make(record["keys"]),
        instruments=tuple(Instrument.from_record(one) for one in record["instruments"]),
        level3_credentials=level3,
    )


def _strategy(
    header: Header, plugins: PluginHost, name: str, given: Sequence[type[Strategy]], changes: list[str]
) -> StrategyPlan:
    mine = {strategy_name(cls): cls for cls in given}
    if name in mine:
        cls = mine[name]
    elif name not in plugins.catalog.entries and f"strategy {name}" in header.code:
        hint = "; give the class itself: bloor.replay(..., strategies=[...])"
        raise PluginError(name, "was a class of the program that ran it, and no plug-in", hint=hint)
    else:
        cls = plugins.strategy(name)
    section = f"strategy.{name}"
    return StrategyPlan(name=name, cls=cls, config=_section(header, section, _structured(config_class(cls)), changes))


def _checks(header: Header, plugins: PluginHost, changes: list[str]) -> tuple[tuple[type[Any], Any], ...]:
    """The risk checks that took part and no others, in the order in which they were asked."""
    names = [section.removeprefix("risk.") for section in header.sections if section.startswith("risk.")]
    for other in plugins.catalog.names(Kind.RISK_CHECK):
        if other not in names:
            plugins.block(other)
            changes.append(f"the risk check {other} is installed now and took no part")
    for name in names:
        plugins.load(name)
    found = plugins.risk_checks()

    def limits(check: type[Any]) -> Callable[[Mapping[str, Any], tuple[str, ...]], Any]:
        return lambda values, _: resolve_limits(check, values, Mode(header.mode))

    return tuple((found[name], _section(header, f"risk.{name}", limits(found[name]), changes)) for name in names)


# ---- configuration --------------------------------------------------------------------------------------------------


def _structured(cls: type[Any]) -> Callable[[Mapping[str, Any], tuple[str, ...]], Any]:
    return lambda values, path: structure(_tree(values), cls, path)


def _section(
    header: Header, name: str, build: Callable[[Mapping[str, Any], tuple[str, ...]], Any], changes: list[str]
) -> Any:
    """One section, typed again; what it then has beyond the record is told."""
    recorded = header.sections.get(name, {})
    table, _, plugin = name.partition(".")
    path = (table, plugin)
    section = build({key: value for key, value in recorded.items() if value is not None}, path)
    for key, value in plain(section, path).items():
        if key not in recorded:
            changes.append(f"[{name}] has {key} now, which was not there; {value!r} is taken")
    return section


def _tree(values: Mapping[str, Any]) -> Tree:
    return {
        key: _tree(value) if isinstance(value, Mapping) else Leaf(value, SOURCE)
        for key, value in values.items()
        if value is not None
    }


# ---- what has changed since -----------------------------------------------------------------------------------------


def _version_changes(header: Header, plugins: PluginHost, engine: EnginePlan) -> list[str]:
    changes = []
    for name, then in header.versions.items():
        now = _version(name)
        if now != then:
            changes.append(f"{name} was {then}, is {now or 'not installed'}")
    code = {"bloor-core": code_sha256("bloor")}
    code |= {each.installed.distribution: code_sha256(each.installed.package) for each in plugins.loaded.values()}
    code |= {f"strategy {s.name}": class_sha256(s.cls) for s in engine.strategies}
    told = {change.partition(" ")[0] for change in changes}
    for name, then in header.code.items():
        if name not in told and then and code.get(name) and code[name] != then:
            changes.append(f"the code of {name} is not what it was, though its version is")
    return changes


def _version(name: str) -> str | None:
    if name == "python":
        return sys.version.split()[0]
    if name == "bloor-core":
        return __version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
