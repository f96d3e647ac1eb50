"""``bloor check VENUE``: whether this machine, these keys and this account are fit to trade at a venue, step by step.

Nothing is traded: the only order is one that the venue is asked to try out. Each step says what was found, and where
that is not right, what to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

from bloor.errors import UsageError
from bloor.host.arming import check_key_sections
from bloor.host.checking import CheckedVenue, Finding, Step, VenueCheck
from bloor.host.loop import runner
from bloor.host.options import RunOptions
from bloor.host.places import DEFAULT_ENV, endpoints_of
from bloor.host.rest import RestClient, trusting
from bloor.model.symbols import parse_symbol
from bloor.native.clock import WallClock
from bloor.plugins.host import PluginHost

__all__ = ["CheckOptions", "CheckResult", "check"]


@frozen(kw_only=True)
class CheckOptions:
    """What the user asked of ``bloor check``.

    Attributes:
        venue: Venue name.
        env: Its environment; None for the configured one.
        symbols: Canonical symbols; empty for the venue's default.
        config: The configuration file.
        sets: Texts ``path.to.key=value``.
        authority: A PEM file with a certificate authority to trust beside the system's.
    """

    venue: str
    env: str | None = None
    symbols: tuple[str, ...] = ()
    config: Path | None = None
    sets: tuple[str, ...] = ()
    authority: Path | None = None


@frozen(kw_only=True)
class CheckResult:
    """How it ended.

    Attributes:
        document: What ``--json`` prints.
        passed: Whether no step failed.
    """

    document: dict[str, Any]
    passed: bool


def check(options: CheckOptions, told: Callable[[Step], None] = lambda _: None) -> CheckResult:
    """Takes every step.

    Args:
        options: What is asked.
        told: Hears of each step as it is done.

    Raises:
        UsageError: Something that was asked for cannot be.
        PluginError: The venue's plug-in cannot be used.
        ConfigError: A key or value is wrong.
        RunError: The certificate authority cannot be read.
    """
    subject = _subject(options)
    with runner() as loop:
        return loop.run(_all(subject, told))


def _subject(options: CheckOptions) -> CheckedVenue:
    said = RunOptions(
        config=options.config, sets=options.sets, venues=(options.venue,), symbols=options.symbols, env=options.env,
        authority=options.authority,
    )  # fmt: skip
    raw = said.layers(os.environ)
    core = raw.core()
    plugins = PluginHost(allow=core.plugins.allow, block=core.plugins.block)
    raw.check_plugin_sections(plugins.section_names())
    check_key_sections(raw)
    feed, executor = plugins.feed(options.venue), plugins.executor(options.venue)
    config_type = plugins.venue_config(options.venue)
    config = None if config_type is None else raw.section(("venue", options.venue), config_type)
    env = core.run.env or DEFAULT_ENV
    symbols = []
    for text in core.run.symbols:
        venue, symbol = parse_symbol(text)
        if venue not in (None, options.venue):
            raise UsageError(f"--symbol {text}: expected a symbol of {options.venue}, got one of {venue}")
        symbols.append(symbol)
    authority = core.run.authority
    return CheckedVenue(
        env=env,
        raw=raw,
        feed=feed,
        normalizer=plugins.normalizer(options.venue),
        executor=executor,
        config=config,
        endpoints=endpoints_of(feed, config, env),
        symbols=tuple(symbols),
        context=None if authority is None else trusting(str(authority)),
    )


async def _all(subject: CheckedVenue, told: Callable[[Step], None]) -> CheckResult:
    client = RestClient(subject.venue, subject.endpoints.rest, subject.feed.rest, WallClock(), context=subject.context)
    steps: list[Step] = []
    try:
        async for step in VenueCheck(subject, client).steps():
            steps.append(step)
            told(step)
    finally:
        await client.close()
    passed = not any(step.finding is Finding.FAIL for step in steps)
    document = {
        "venue": subject.venue,
        "env": subject.env,
        "endpoints": subject.endpoints._asdict(),
        "passed": passed,
        "steps": [step.document() for step in steps],
    }
    return CheckResult(document=document, passed=passed)
