"""``bloor record``: market data of one venue into a folder, as it comes, until it is told to stop.

::

    DIR/
        journal/            every frame with its receive time, every REST answer (bloor.journal)
        recording.json      what was recorded, when it ended on purpose

A frame is in the page cache before anything is done with it, so the death of the process loses none; and as long as
the machine lives, no more than that is promised. Recording into a folder that has a recording goes on in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from attrs import field, frozen
from loguru import logger

from bloor import __version__
from bloor.engine.recording import Recording, RecordingPlan
from bloor.errors import JournalError, UsageError
from bloor.hookspecs import FeedSpec, NormalizerSpec
from bloor.host.arming import level3_keys
from bloor.host.loop import ended_by_signals, runner, unless
from bloor.host.options import RunOptions
from bloor.host.places import DEFAULT_ENV, endpoints_of
from bloor.host.rest import RestClient, trusting
from bloor.host.setup import select_instruments
from bloor.host.shell import Shell
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.market.events import EventKind
from bloor.model.symbols import parse_symbol
from bloor.native.clock import WallClock
from bloor.plugins.host import PluginHost
from bloor.venue.session import Endpoints

__all__ = ["RecordOptions", "RecordResult", "record"]

#: Bytes of one segment of the journal; two are on the disk from the start.
SEGMENT_BYTES = 32 << 20
#: How often deadlines of the disk and of those who watch are looked at, seconds.
LOOK_S = 0.1
#: Alerts of one code that are logged; further ones are counted.
LOGGED = 20


@frozen(kw_only=True)
class RecordOptions:
    """What the user asked of ``bloor record``.

    Attributes:
        venue: Venue name.
        symbols: Canonical symbols, venue-qualified or not; empty for the venue's default.
        out: The folder.
        duration_s: How long, seconds from the first frame; None for until it is interrupted.
        env: The venue's environment.
        config: The configuration file.
        sets: Texts ``path.to.key=value``.
        authority: A PEM file with a certificate authority to trust beside the system's.
    """

    venue: str
    symbols: tuple[str, ...] = ()
    out: Path
    duration_s: float | None = None
    env: str = DEFAULT_ENV
    config: Path | None = None
    sets: tuple[str, ...] = ()
    authority: Path | None = None


@frozen(kw_only=True)
class RecordResult:
    """How a recording ended.

    Attributes:
        document: What ``--json`` prints.
        failure: Why it failed; empty when it did not.
    """

    document: dict[str, Any]
    failure: str


@frozen(kw_only=True)
class _Venue:
    """The venue, before it is reached."""

    feed: FeedSpec
    normalizer: NormalizerSpec
    config: Any
    endpoints: Endpoints
    symbols: tuple[str, ...]
    versions: Mapping[str, str]
    level3_keys: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def venue(self) -> str:
        """Its name."""
        return self.feed.venue


def record(
    options: RecordOptions,
    watch: Callable[[dict[str, Any]], None] | None = None,
    stoppable: Callable[[Callable[[], object]], None] | None = None,
) -> RecordResult:
    """Records until the time is over or a signal comes.

    Args:
        options: What is asked.
        watch: Told the state ten times a second.
        stoppable: Given a function that, called on any thread, ends the recording in order.

    Raises:
        UsageError: Something that was asked for cannot be.
        ConfigError: A key or value is wrong.
        PluginError: The venue's plug-in cannot be used.
        RunError: The venue cannot be reached.
    """
    venue = _venue(options)
    context = trusting(*([] if options.authority is None else [str(options.authority)]))
    with runner() as loop:
        return loop.run(
            _Record(options, venue, context, watch or (lambda _: None), stoppable or (lambda _: None)).main()
        )


def _venue(options: RecordOptions) -> _Venue:
    raw = RunOptions(config=options.config, sets=options.sets, venues=(options.venue,)).layers(os.environ)
    core = raw.core()
    plugins = PluginHost(allow=core.plugins.allow, block=core.plugins.block)
    raw.check_plugin_sections(plugins.section_names())
    feed, normalizer = plugins.feed(options.venue), plugins.normalizer(options.venue)
    config_type = plugins.venue_config(options.venue)
    config = None if config_type is None else raw.section(("venue", options.venue), config_type)
    symbols = []
    for text in options.symbols:
        venue, symbol = parse_symbol(text)
        if venue not in (None, options.venue):
            raise UsageError(f"--symbol {text}: expected a symbol of {options.venue}, got one of {venue}")
        symbols.append(symbol)
    installed = plugins.catalog.find(options.venue)
    return _Venue(
        feed=feed,
        normalizer=normalizer,
        config=config,
        endpoints=endpoints_of(feed, config, options.env),
        symbols=tuple(dict.fromkeys(symbols)),
        level3_keys=level3_keys(raw, feed, config, options.env, os.environ),
        versions={
            "python": sys.version.split()[0],
            "bloor-core": __version__,
            installed.distribution: installed.version,
        },
    )


class _Record:
    """One recording."""

    def __init__(
        self,
        options: RecordOptions,
        venue: _Venue,
        context: ssl.SSLContext,
        watch: Callable[[dict[str, Any]], None],
        stoppable: Callable[[Callable[[], object]], None],
    ) -> None:
        self._options = options
        self._venue = venue
        self._context = context
        self._watch = watch
        self._stoppable = stoppable
        self._now = WallClock()
        self._over = asyncio.Event()
        self._alerts: Counter[str] = Counter()

    async def main(self) -> RecordResult:
        """From the list of instruments to the last frame."""
        loop = asyncio.get_running_loop()
        self._stoppable(lambda: loop.call_soon_threadsafe(self._over.set))
        with ended_by_signals(self._over.set):
            plan = await unless(self._over, self._reach(), "nothing was recorded")
            from bloor.market.kernels import warm

            warm()
            return await self._take(plan)

    async def _reach(self) -> RecordingPlan:
        venue = self._venue
        client = RestClient(venue.venue, venue.endpoints.rest, venue.feed.rest, self._now, context=self._context)
        try:
            body = await client.fetch(venue.feed.instruments_path(venue.symbols))
        finally:
            await client.close()
        listed = venue.feed.parse_instruments(body)
        instruments = select_instruments(venue, listed, recorded=False)
        level3 = venue.feed.by_order(venue.config)
        return RecordingPlan(
            feed=venue.feed,
            normalizer=venue.normalizer,
            config=venue.config,
            endpoints=venue.endpoints,
            instruments=tuple(instruments),
            seed=os.getpid(),
            level3_credentials=None if level3 is None else level3.credentials(venue.level3_keys),
        )

    async def _take(self, plan: RecordingPlan) -> RecordResult:
        shell = Shell((plan,), orders=False, context=self._context, seed=plan.seed)
        header = orjson.dumps({"record": plan.record(), "versions": dict(self._venue.versions)})
        writer = Writer(
            self._options.out / "journal", epoch=0, clock=time.monotonic_ns, header=header,
            wall_ns=shell.now(), segment_bytes=SEGMENT_BYTES,
        )  # fmt: skip
        failure = ""
        with writer:
            recording = Recording(plan, shell, writer, self._alert)
            tending = asyncio.get_running_loop().create_task(shell.tend(lambda: None))
            try:
                await shell.open(recording)
                failure = await self._until_over(recording, writer, tending)
            finally:
                tending.cancel()
                await asyncio.gather(tending, return_exceptions=True)
                await shell.close()
            document = self._state(recording)
            document |= {"stopped": "failed" if failure else "interrupted" if self._over.is_set() else "duration"}
            document |= {"versions": dict(self._venue.versions), "failure": failure or None}
            if not failure:
                writer.append(RecordKind.STATUS, 0, shell.now(), orjson.dumps({"summary": document}))
            writer.close(None if failure else shell.now())
        (self._options.out / "recording.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return RecordResult(document=document, failure=failure)

    async def _until_over(self, recording: Recording, writer: Writer, tending: asyncio.Task[None]) -> str:
        duration_ns = None if self._options.duration_s is None else round(self._options.duration_s * 1e9)
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), LOOK_S)
            try:
                writer.tend()
            except JournalError as error:
                return str(error)
            if recording.failure is not None:
                return f"{type(recording.failure).__name__}: {recording.failure}"
            if tending.done():
                broke = tending.exception()
                return f"{type(broke).__name__}: {broke}"
            self._watch(self._state(recording))
            first_ns = recording.first_ns
            if duration_ns is not None and first_ns and self._now() - first_ns >= duration_ns:
                return ""
        return ""

    def _state(self, recording: Recording) -> dict[str, Any]:
        """What there is so far."""
        events, counters = recording.events, recording.market.pipeline.counters
        return {
            "venue": recording.plan.venue,
            "instruments": [i.symbol for i in recording.plan.instruments],
            "out": str(self._options.out),
            "duration_s": (recording.last_ns - recording.first_ns) / 1e9,
            "frames": recording.frames,
            "bytes": recording.size,
            "trades": events[EventKind.TRADE] + events[EventKind.AGG_TRADE],
            "quotes": events[EventKind.BBO],
            "books": events[EventKind.BOOK],
            "gaps": counters.gaps,
            "errors": counters.errors,
            "synchronised": recording.synchronised,
            "replaced": recording.market.replaced,
            "alerts": dict(sorted(self._alerts.items())),
        }

    def _alert(self, code: str, text: str) -> None:
        self._alerts[code] += 1
        if self._alerts[code] <= LOGGED:
            logger.log("INFO" if code == "replacing" else "WARNING", "{}: {}", code, text)
        if self._alerts[code] == LOGGED:
            logger.warning("{}: further ones are counted, not logged", code)
