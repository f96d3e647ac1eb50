"""One plug-in examined, in a process of its own: ``python -m bloor.host.doctor.ward NAME [--online]``.

A fresh process says what an import costs, and whatever a plug-in does here, ends with it. The result is one JSON
document on stdout; what the plug-in itself prints goes to stderr.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from bloor.config import RawConfig, read_layers
from bloor.errors import BloorError, PluginError
from bloor.hookspecs import Diagnosis, ExecutorSpec, FeedSpec, Finding
from bloor.plugins.configured import configured_host
from bloor.plugins.host import PluginHost

if TYPE_CHECKING:
    from bloor.plugins.catalog import Installed

__all__ = ["NEEDED", "examine", "main"]

#: What a plug-in of each kind must bring.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "venue": ("bloor_feed", "bloor_normalizer", "bloor_executor"),
    "feed": ("bloor_feed", "bloor_normalizer"),
    "normalizer": ("bloor_normalizer",),
    "strategy": ("bloor_strategy",),
    "risk_check": ("bloor_risk_check",),
    "queue_model": ("bloor_queue_model",),
    "latency_model": ("bloor_latency_model",),
    "fee_model": ("bloor_fee_model",),
    "unknown": (),
}
#: Beyond this an import is slow enough for a word: every command that uses the plug-in waits for it.
SLOW_MS = 1_500.0
#: Questions for the venue's time.
ROUNDS = 3


def examine(name: str, *, online: bool) -> dict[str, Any]:
    """Imports a plug-in, asks every hook, and looks at what it needs.

    Args:
        name: The plug-in.
        online: Whether its venue may be asked for the time, and its own checks may use the network.

    Returns:
        ``hooks``, ``missing``, ``import_ms``, ``hooks_ms``, ``reason`` (empty when it works) and ``checks``.
    """
    found: dict[str, Any] = {
        "hooks": [], "missing": [], "import_ms": None, "hooks_ms": None, "reason": "", "checks": []
    }  # fmt: skip
    host = configured_host()
    try:
        began = time.perf_counter()
        loaded = host.load(name)
        found["import_ms"] = _ms(began)
        found["hooks"] = list(loaded.hooks)
        began = time.perf_counter()
        answers = host.answers(name)
        found["hooks_ms"] = _ms(began)
        found["missing"] = [hook for hook in NEEDED[loaded.installed.kind.value] if hook not in loaded.hooks]
        if found["missing"]:
            kind = loaded.installed.kind.value
            raise PluginError(name, f"a {kind} must implement {found['missing'][0]}")  # noqa: TRY301 (one way out)
        checks = [*_about(host, loaded.installed, found), *_needs(host, name, answers, online=online)]
    except PluginError as error:
        return {**found, "reason": f"{error.cause}{error.hint}"}
    found["checks"] = [_row(check) for check in checks]
    return found


def _about(host: PluginHost, installed: Installed, found: Mapping[str, Any]) -> Iterator[Diagnosis]:
    """What is told of the plug-in itself: deprecations, an old API, a slow import."""
    start = f"plug-in {installed.name!r} from {installed.origin} "
    for warning in host.warnings:
        yield Diagnosis(subject="api", finding=Finding.WARN, text=warning.removeprefix(start))
    if found["import_ms"] > SLOW_MS:
        yield Diagnosis(
            subject="import",
            finding=Finding.WARN,
            text=f"importing it takes {found['import_ms']:.0f} ms",
            advice="import what is heavy inside of the hooks: every command that uses the plug-in waits for it",
        )


def _needs(host: PluginHost, name: str, answers: Mapping[str, Any], *, online: bool) -> Iterator[Diagnosis]:
    """Its section, keys, clock, and what it says itself."""
    raw = read_layers(None, os.environ)
    config: Any = None
    try:
        config = _section(raw, name, answers)
    except BloorError as error:
        yield Diagnosis(subject="configuration", finding=Finding.FAIL, text=str(error))
    feed, executor = answers.get("bloor_feed"), answers.get("bloor_executor")
    if executor is not None:
        yield from _keys(raw, executor, feed)
    if feed is not None and feed.rest is not None and feed.rest.time_path:
        yield from _clock(feed, config) if online else ()
    yield from host.diagnoses(name, config, online=online)


def _section(raw: RawConfig, name: str, answers: Mapping[str, Any]) -> Any:
    """The plug-in's section, typed; None without one. Raises ConfigError."""
    if "bloor_strategy" in answers:
        from bloor.strategy.params import config_class

        return raw.section(("strategy", name), config_class(answers["bloor_strategy"]))
    if "bloor_risk_check" in answers:
        return raw.section(("risk", name), answers["bloor_risk_check"].limits)
    if "bloor_venue_config" in answers:
        return raw.section(("venue", name), answers["bloor_venue_config"])
    return None


def _keys(raw: RawConfig, executor: ExecutorSpec, feed: FeedSpec | None) -> Iterator[Diagnosis]:
    """Keys of every environment: those that are configured must be readable; without any, sim and paper work."""
    from bloor.host.arming import key_source
    from bloor.venue.keys import load_keys

    missing = []
    for env in feed.endpoints if feed is not None else ("prod",):
        configured = raw.configured(("keys", executor.venue, env))
        try:
            executor.credentials(load_keys(executor.venue, env, key_source(raw, executor.venue, env), os.environ))
        except BloorError as error:
            if configured or "no file" not in str(error):
                yield Diagnosis(subject=f"keys ({env})", finding=Finding.FAIL, text=str(error))
            else:
                missing.append(env)
        else:
            yield Diagnosis(subject=f"keys ({env})", finding=Finding.PASS, text="there, and in the venue's form")
    if missing:
        text = f"none for {', '.join(missing)}: sim and paper need none, live does"
        advice = f"name a file of mode 0600 as keys.{executor.venue}.{missing[0]}.file"
        yield Diagnosis(subject="keys", finding=Finding.SKIP, text=text, advice=advice)


def _clock(feed: FeedSpec, config: Any) -> Iterator[Diagnosis]:
    """How far the venue's clock is from ours: the only traffic, to the address that is configured."""
    from bloor.host.account import clock_trouble
    from bloor.host.places import DEFAULT_ENV, endpoints_of
    from bloor.host.rest import RestClient
    from bloor.native.clock import WallClock

    async def ask() -> RestClient:
        base = endpoints_of(feed, config, DEFAULT_ENV).rest
        client = RestClient(feed.venue, base, feed.rest, WallClock())
        try:
            for _ in range(ROUNDS):
                await client.ask_time()
        finally:
            await client.close()
        return client

    client = asyncio.run(ask())
    clock, now_ns = client.clock, client.now()
    if not clock.known:
        yield Diagnosis(subject="clock", finding=Finding.FAIL, text="the venue did not say what time it is")
        return
    offset, error = clock.offset_ns(now_ns) / 1e6, clock.error_ns(now_ns) / 1e6
    trouble = clock_trouble(client, now_ns)
    yield Diagnosis(
        subject="clock",
        finding=Finding.FAIL if trouble else Finding.PASS,
        text=f"the venue's clock is {offset:+.1f} ms from ours, known to {error:.1f} ms",
        advice=trouble,
    )


def _row(diagnosis: Diagnosis) -> dict[str, str]:
    return {
        "check": diagnosis.subject,
        "finding": diagnosis.finding.value,
        "text": diagnosis.text,
        "advice": diagnosis.advice,
    }


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1e3, 1)


def main() -> None:
    """Examines the plug-in that the command line names; prints the result."""
    result = os.dup(1)
    os.dup2(2, 1)  # whatever a plug-in prints must not stand in the document
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # one that ends this process has said its last words before
    document = examine(sys.argv[1], online="--online" in sys.argv[2:])
    with os.fdopen(result, "w", encoding="utf-8") as out:
        json.dump(document, out)


if __name__ == "__main__":
    main()
