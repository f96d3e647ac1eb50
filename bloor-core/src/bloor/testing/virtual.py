"""The whole line in virtual time, for tests: plug-ins by name, one thread, a seed that fixes everything.

::

    run = VirtualRun(["momentum"], venue="binance", seed=7)
    run.for_seconds(60)
    assert run.engine.blotter.tally().filled > 10
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bloor.engine.core import Engine
from bloor.engine.effects import feed_conn, order_conn
from bloor.engine.plan import VenuePlan
from bloor.execution.endings import is_settled
from bloor.host.options import RunOptions
from bloor.host.setup import Setup, VenueChoice, prepare, select_instruments
from bloor.journal.segment import SEGMENT_BYTES
from bloor.journal.writer import Writer
from bloor.model.orders import Fill
from bloor.simulation.venue import Outbox, SimulatedVenue, SimulationOptions
from bloor.simulation.world import Latency, VirtualWorld
from bloor.strategy.api import Strategy
from bloor.venue.session import Endpoints

__all__ = ["MemoryJournal", "VirtualRun"]

HOST = "virtual://"
#: Longest wait for venues to take back a dead-man switch at the end.
CONCLUDE_NS = 1_000_000_000


class MemoryJournal:
    """A recorder that keeps its records in a list: ``(kind, conn, wall ns, payload)``."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, int, bytes]] = []

    def append(self, kind: int, conn: int, wall_ns: int, payload: bytes) -> None:
        """Keeps one record."""
        self.records.append((int(kind), conn, wall_ns, payload))


class VirtualRun:
    """One run in virtual time; it is the engine's observer.

    Attributes:
        setup: What was resolved from the options.
        world: Venues, network and clock.
        engine: The decision core.
        journal: Every input and decision, unless they are written to a folder.
        writer: What writes them to a folder; None when nothing does.
        fills: Every fill, in order.
        alerts: ``(code, text)`` of every alert.
    """

    def __init__(
        self,
        plugins: Sequence[str] = (),
        *,
        strategies: Sequence[type[Strategy]] = (),
        venue: str | Sequence[str] = "binance",
        symbols: Sequence[str] = (),
        sets: Sequence[str] = (),
        data: Sequence[Path] = (),
        speed: float = 1.0,
        seed: int = 1,
        latency: Latency = Latency(),  # noqa: B008 (immutable)
        faults: str = "",
        fee_asset: str = "",
        key: str = "",
        journal: Path | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Builds it, at the start of its time.

        Args:
            plugins: Names of the strategies.
            strategies: Strategy classes, beside those of plug-ins.
            venue: Where they trade: a venue, or several.
            symbols: What they trade; empty for the venue's default.
            sets: ``section.key=value`` of the configuration.
            data: Recordings that drive the market.
            speed: Recorded seconds per second.
            seed: Fixes everything. Several venues share one market, opened at the start; ``sim.dislocations`` in
                ``sets`` says how far they stray from it.
            latency: One-way network delays.
            faults: What the venue does wrong; see :mod:`bloor.simulation.faults`.
            fee_asset: A third asset that the venue takes its fees in.
            journal: A folder to write the journal to, instead of keeping it in a list; then compiled strategies run as
                machine code, see :mod:`bloor.engine.fused`. :meth:`close` ends it.
            segment_bytes: Size of that journal's segments.
            key: Which of the account's keys is used, by its name in the venue's credentials; empty for the best.
        """
        names = (venue,) if isinstance(venue, str) else tuple(venue)
        options = RunOptions(
            plugins=tuple(plugins), strategies=tuple(strategies), venues=names, symbols=tuple(symbols),
            sets=tuple(sets), data=tuple(data),
            speed=speed, seed=seed,
        )  # fmt: skip
        self.fills: list[Fill] = []
        self.alerts: list[tuple[str, str]] = []
        self.journal = MemoryJournal()
        self.setup: Setup = prepare(options, {})
        self.world = VirtualWorld(
            *(
                self._core(
                    name,
                    SimulationOptions(
                        seed=seed, dislocations=self.setup.sim.dislocations, symbols=choice.symbols,
                        recordings=tuple(data), speed=speed, faults=faults, fee_asset=fee_asset,
                    ),
                )
                for name, choice in zip(names, self.setup.venues, strict=True)
            ),
            latency=latency,
            seed=seed,
        )  # fmt: skip
        plans = [self._reached(line, choice, key, recorded=bool(data)) for line, choice in enumerate(self.setup.venues)]
        plan = self.setup.plan(plans, epoch=1)
        self.writer = (
            None if journal is None else Writer(journal, epoch=1, clock=self.world.clock, segment_bytes=segment_bytes)
        )
        self.engine = Engine(plan, self.world, self.writer or self.journal, self, lambda: self.world.now_ns)
        conns = [make(line) for line in range(len(plan.venues)) for make in (feed_conn, order_conn)]
        conns += [feed.conn for line in self.engine.lines for feed in line.feeds.lines[1:]]
        self.world.attach(self.engine, {conn: self.engine.url(conn).removeprefix(HOST) for conn in conns})

    def _core(self, name: str, options: SimulationOptions) -> Callable[[Outbox], SimulatedVenue]:
        """What makes the core of a simulated venue."""
        spec = self.setup.plugins.simulated_venue(name)
        return lambda outbox: spec.build(options, outbox)

    def _reached(self, line: int, choice: VenueChoice, key: str, *, recorded: bool) -> VenuePlan:
        """A venue's plan, as the host makes it."""
        core = self.world.venues[line]
        paths = core.paths()
        endpoints = Endpoints(**{name: HOST + path for name, path in paths.items()})
        listed = choice.feed.parse_instruments(self.world.fetch(choice.feed.instruments_path(choice.symbols), line))
        keys = core.credentials()
        return choice.plan(
            endpoints, {key: keys[key]} if key else keys, select_instruments(choice, listed, recorded=recorded)
        )

    def filled(self, fill: Fill) -> None:
        """Keeps a fill."""
        self.fills.append(fill)

    def alert(self, code: str, text: str) -> None:
        """Keeps an alert."""
        self.alerts.append((code, text))

    def for_seconds(self, seconds: float) -> None:
        """Lets the world go on for a while of virtual time, or to the end of the recording."""
        until = self.world.now_ns + round(seconds * 1e9)
        self.world.run(until, stop=lambda: self.world.finished)

    def close(self) -> None:
        """Ends the journal that is written to a folder."""
        if self.writer is not None:
            self.writer.close()

    def finish(self, seconds: float = 5.0) -> None:
        """Ends the run as the host does: stop, then wait until no order is open and no fill is missing."""
        self.engine.stop(self.world.now_ns)
        self.world.run(self.world.now_ns + round(seconds * 1e9), stop=lambda: is_settled(self.engine.blotter))
        self.engine.conclude(self.world.now_ns)
        self.world.run(self.world.now_ns + CONCLUDE_NS, stop=lambda: all(line.concluded for line in self.engine.lines))
