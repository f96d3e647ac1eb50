"""What a live run needs before anything is connected: keys, limits, and an arm that names venue and environment.

All that is missing is said at once, so that a person does not find out one by one. Nothing is armed by default, and an
arm is for one venue and one environment: ``--arm binance:testnet`` never trades on ``prod``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bloor.config import RawConfig
from bloor.config.layers import Leaf
from bloor.config.sections import KeySource
from bloor.errors import BloorError, ConfigError, UsageError
from bloor.hookspecs import ExecutorSpec, FeedSpec
from bloor.risk.check import RiskCheck
from bloor.risk.limits import missing_limits
from bloor.venue.keys import load_keys

__all__ = ["check_key_sections", "key_source", "level3_keys", "live_keys"]


def check_key_sections(raw: RawConfig) -> None:
    """Refuses whatever stands in ``[keys]`` and is no place of keys, also for venues that are not used now.

    Raises:
        ConfigError: A key is unknown or of the wrong type. No value is shown: it may be a secret in the wrong place.
    """
    keys = raw.tree.get("keys", {})
    for venue, environments in keys.items() if not isinstance(keys, Leaf) else ():
        for env, node in environments.items() if not isinstance(environments, Leaf) else ():
            if isinstance(node, Leaf):
                expected = "a table such as [keys.binance.prod] with file or keyring"
                raise ConfigError(f"keys.{venue}.{env}", expected, "a value that is not shown", node.source)
            key_source(raw, venue, env)


def key_source(raw: RawConfig, venue: str, env: str) -> KeySource:
    """Where the keys of a venue's environment are configured to be.

    Raises:
        ConfigError: The section is wrong.
    """
    return raw.section(("keys", venue, env), KeySource)


def live_keys(
    raw: RawConfig,
    armed: Sequence[str],
    executors: Sequence[ExecutorSpec],
    env: str,
    checks: Sequence[tuple[type[RiskCheck], Any]],
    environ: Mapping[str, str],
) -> dict[str, Mapping[str, Any]]:
    """The keys of every venue of a live run, if everything else is there too.

    Args:
        raw: The configuration.
        armed: What was armed, each ``venue:environment``.
        executors: Order entry of each venue of the run.
        env: The environment.
        checks: Risk checks with their limits.
        environ: Environment variables.

    Returns:
        Venue -> its keys, in the venue's own form.

    Raises:
        UsageError: Something is missing; names all of it.
    """
    found: dict[str, Mapping[str, Any]] = {}
    missing: list[str] = []
    for executor in executors:
        try:
            found[executor.venue] = load_keys(executor.venue, env, key_source(raw, executor.venue, env), environ)
            executor.credentials(found[executor.venue])
        except BloorError as error:
            missing.append(f"keys: {error}")
        if executor.account is None:
            missing.append(f"account: the plug-in of {executor.venue} cannot say what is open there; live needs that")
    for check, limits in checks:
        if unstated := missing_limits(limits):
            missing.append(f"limits: [risk.{check.name}] must state {', '.join(unstated)}")
    missing += _arms(armed, [executor.venue for executor in executors], env)
    if missing:
        lines = "".join(f"\n  {line}" for line in missing)
        raise UsageError(f"--mode live does not start; it needs, and has not:{lines}")
    return found


def level3_keys(raw: RawConfig, feed: FeedSpec, config: Any, env: str, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The keys that market data by order are opened with; none where none are asked for.

    Args:
        raw: The configuration.
        feed: The venue.
        config: Its section, typed.
        env: The environment.
        environ: Environment variables.

    Raises:
        UsageError: There are none.
        ConfigError: They are not of the venue's form.
    """
    level3 = feed.by_order(config)
    if level3 is None:
        return {}
    try:
        keys = load_keys(feed.venue, env, key_source(raw, feed.venue, env), environ)
    except BloorError as error:
        raise UsageError(f"market data of {feed.venue} by order need the keys of an account: {error}") from None
    level3.credentials(keys)
    return keys


def _arms(armed: Sequence[str], venues: Sequence[str], env: str) -> list[str]:
    """What is not armed, and what is armed and not part of the run."""
    wanted = [f"{venue}:{env}" for venue in venues]
    told = f" (armed: {', '.join(armed)})" if armed else ""
    wrong = [
        f"arm: {name} is armed and is not part of this run, which trades on {', '.join(wanted)}"
        for name in armed
        if name not in wanted
    ]
    return wrong + [
        f"arm: {name} is not armed{told}; to trade there with real orders say --arm {name}"
        for name in wanted
        if name not in armed
    ]
