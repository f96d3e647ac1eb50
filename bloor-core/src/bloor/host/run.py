"""One run from start to end: venue processes, session folder, engine, sockets, and the document at the end.

The order of things, and why: everything that can be refused is refused before a folder is made; the epoch is raised
before the first client order id; kernels are compiled before the first connection; at the end new orders stop, open
ones are cancelled and waited for, and only then are connections closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field, frozen
from loguru import logger

from bloor.config import Mode
from bloor.engine.core import Engine
from bloor.engine.plan import EnginePlan, VenuePlan
from bloor.errors import JournalError, RunError, UsageError
from bloor.execution.endings import is_settled
from bloor.host.account import account_lock
from bloor.host.accounts import LiveAccounts
from bloor.host.affinity import keep_off, own_cpu
from bloor.host.epoch import next_epoch, state_folder
from bloor.host.loop import ended_by_signals, runner, spinning, unless
from bloor.host.options import RunOptions
from bloor.host.outcome import Ears
from bloor.host.paper import PaperShell
from bloor.host.rest import RestClient, get_once, trusting
from bloor.host.setup import Setup, VenueChoice, prepare, select_instruments
from bloor.host.shell import Shell
from bloor.host.simvenue import SimulatedVenueProcess
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.market.view import BookState
from bloor.native.clock import WallClock
from bloor.observe.session import Session
from bloor.observe.summary import live_status, summary
from bloor.simulation.paper import PaperVenue
from bloor.venue.session import Endpoints

__all__ = ["Progress", "RunResult", "run"]

#: Longest wait for the first frame after the connections were opened.
FIRST_FRAME_S = 30.0
#: Longest wait for cancels to be confirmed at the end.
CANCEL_S = 5.0
#: Longest wait for venues to take back a dead-man switch at the end.
CONCLUDE_S = 1.0
#: How often the state is journaled for those who watch.
STATUS_S = 0.25


class Progress:
    """What a run tells about itself while it starts; the default says nothing."""

    def stoppable(self, stop: Callable[[], object]) -> None:
        """From now on ``stop``, called on any thread, ends the run in order, as Ctrl-C does."""

    def step(self, text: str) -> None:
        """Something that may take a while begins."""

    def started(self, session: Path) -> None:
        """The journal exists: it can be followed."""

    def status(self, status: Mapping[str, Any]) -> None:
        """A few times a second: what is journaled for those who watch (:func:`bloor.observe.summary.live_status`)."""

    def ended(self) -> None:
        """Nothing more will come."""


@frozen(kw_only=True)
class RunResult:
    """How a run ended.

    Attributes:
        document: What ``--json`` prints.
        failure: Why the run failed; empty when it did not.
    """

    document: dict[str, Any]
    failure: str

    @property
    def exit_code(self) -> int:
        """0, or 1 for a failed run."""
        return 1 if self.failure else 0


def run(options: RunOptions, progress: Progress | None = None) -> RunResult:
    """Runs until the time is over, the recording has ended, or a signal.

    Raises:
        UsageError: Something that was asked for cannot be; nothing was started.
        RunError: The run could not be started.
    """
    setup = prepare(options, os.environ)
    now = WallClock()
    name = "-".join(s.name for s in setup.strategies)
    path = setup.run.session or Session.default_path(Path("sessions"), name, now())
    session = Session(path)
    progress = progress or Progress()
    try:
        with runner() as loop:
            return loop.run(_Run(setup, session, progress).main())
    except UsageError:
        session.discard()
        raise
    finally:
        progress.ended()
        session.close()


@contextlib.contextmanager
def _quiet_collector() -> Iterator[None]:
    """No garbage collection but when it is asked for: a full one took 40 ms with 105,000 objects."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@define
class _Clocked:
    """Times of a run, seconds of the event loop's clock; and events when a recording was found to be played."""

    first_frame_s: float = 0.0
    stopped_s: float = 0.0
    events_played: int = -1
    stale_ns: dict[str, int] = field(factory=dict)
    last_look_ns: int = field(factory=time.monotonic_ns)


class _Run:
    """One run."""

    def __init__(self, setup: Setup, session: Session, progress: Progress) -> None:
        self._setup = setup
        self._session = session
        self._progress = progress
        self._processes: list[SimulatedVenueProcess] = []
        self._over = asyncio.Event()
        self._times = _Clocked()
        self._opened_ns = WallClock()()
        self._ears = Ears(session)
        self._trusted: ssl.SSLContext | None = None
        self._papers: list[PaperVenue] = []
        self._warmed = False
        self._accounts: LiveAccounts | None = None
        self._shell: Shell
        self._engine: Engine
        self._writer: Writer

    async def main(self) -> RunResult:
        """Everything, with what was started ended again whatever happens."""
        for notice in self._setup.notices:
            logger.warning(notice)
        self._session.write("config.json", self._setup.record())
        loop = asyncio.get_running_loop()
        self._progress.stoppable(lambda: loop.call_soon_threadsafe(self._over.set))
        with ended_by_signals(self._over.set):
            try:
                self._setup.plugins.session_start(self._session.path, self._setup.run.mode.value)
                plans = await unless(self._over, self._reach(), "no venue was reached, nothing was traded")
                self._warm()
                with self._locked():
                    return await self._trade(plans)
            finally:
                await asyncio.gather(*(process.stop() for process in self._processes))

    # ---- start

    async def _reach(self) -> list[VenuePlan]:
        """Starts every simulated venue, and asks every venue for its instruments."""
        if self._setup.run.authority is not None:
            self._trusted = trusting(str(self._setup.run.authority))
        reached = await asyncio.gather(
            *(self._reach_one(choice) for choice in self._setup.venues), return_exceptions=True
        )
        plans = []
        for plan in reached:
            if isinstance(plan, BaseException):
                raise plan
            plans.append(plan)
        self._setup.reporting(i for plan in plans for i in plan.instruments)
        return plans

    async def _reach_one(self, choice: VenueChoice) -> VenuePlan:
        try:
            if choice.endpoints is not None:
                return await self._reach_real(choice, choice.endpoints)
            return await self._reach_simulated(choice)
        except UsageError as error:
            if not choice.shared:
                raise
            # what one venue lists another may not, and what is asked of all of them has to be listed by all
            raise UsageError(
                f"{choice.venue}: {error}; a symbol without a venue is asked of every venue of the run: to trade one "
                f"at some of them only, name each, e.g. --symbol {choice.venue}:{choice.feed.default_symbol}"
            ) from error

    async def _reach_simulated(self, choice: VenueChoice) -> VenuePlan:
        """Starts a simulated venue and asks it for its instruments."""
        run = self._setup.run
        self._progress.step(f"starting the simulated {choice.venue}")
        process = await SimulatedVenueProcess.start(
            choice.venue, symbols=choice.symbols, data=run.data, speed=run.speed, seed=run.seed,
            opened_ns=self._opened_ns, dislocations=self._setup.sim.dislocations,
            log=self._session.path / f"venue-{choice.venue}.log", tls=run.tls,
            meanwhile=self._warm,
        )  # fmt: skip
        self._processes.append(process)
        if process.authority is not None:
            self._trusted = trusting(*(p.authority for p in self._processes if p.authority is not None))
        url = process.endpoints.rest + choice.feed.instruments_path(choice.symbols)
        body = await get_once(url, context=self._trusted)
        listed = choice.feed.parse_instruments(body)
        instruments = select_instruments(choice, listed, recorded=bool(run.data))
        return choice.plan(process.endpoints, process.credentials, instruments)

    async def _reach_real(self, choice: VenueChoice, endpoints: Endpoints) -> VenuePlan:
        """Asks a venue that is there anyway for its instruments."""
        self._progress.step(f"asking {choice.venue} for its instruments")
        client = RestClient(choice.venue, endpoints.rest, choice.feed.rest, WallClock(), context=self._trusted)
        try:
            body = await client.fetch(choice.feed.instruments_path(choice.symbols))
        finally:
            await client.close()
        instruments = select_instruments(choice, choice.feed.parse_instruments(body), recorded=False)
        return choice.plan(endpoints, choice.keys, instruments)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps other live runs of this host off the accounts of this one."""
        with contextlib.ExitStack() as locks:
            for choice in self._setup.venues:
                if choice.keys:
                    folder = state_folder(os.environ)
                    locks.enter_context(account_lock(folder, choice.venue, self._setup.env, choice.keys))
            yield

    def _warm(self) -> None:
        """Loads what is compiled, once."""
        from bloor.market.kernels import warm

        if self._warmed:
            return
        self._warmed = True
        self._progress.step("loading compiled kernels")
        normalizers = {
            choice.venue: choice.normalizer.compiled()
            for choice in self._setup.venues
            if choice.normalizer.compiled is not None
        }
        seconds = warm(lambda what: self._progress.step(f"compiling kernels: {what}"), normalizers)
        logger.debug("kernels ready after {:.2f} s", seconds)

    # ---- run

    async def _trade(self, plans: Sequence[VenuePlan]) -> RunResult:
        plan = self._setup.plan(plans, next_epoch(state_folder(os.environ), time.time_ns()))
        header = orjson.dumps({"config": self._setup.record(), "engine": plan.record()})
        self._shell = self._make_shell(plan)
        if self._setup.run.mode is Mode.LIVE:
            self._accounts = LiveAccounts(plan, self._setup.env, self._shell.rest)
        self._writer = Writer(
            self._session.journal, epoch=plan.epoch, clock=time.monotonic_ns, header=header, wall_ns=self._shell.now()
        )
        for notice in plan.notices():
            logger.warning(notice)
        with self._writer:
            self._progress.step("compiling the way from a frame to an order")
            self._engine = Engine(plan, self._shell, self._writer, self._ears, time.monotonic_ns)
            for name, why in self._engine.fusion.reasons.items():
                logger.info("strategy {} is declared compiled and runs in Python where it cannot be: {}", name, why)
            with self._cpus(), _quiet_collector(), spinning(self._setup.run.spin):
                self._progress.started(self._session.path)
                failure = await self._until_over()
            result = self._finish(failure)
            self._writer.close(self._shell.now())
            return result

    def _make_shell(self, plan: EnginePlan) -> Shell:
        if self._setup.run.mode is not Mode.PAPER:
            return Shell(plan.venues, context=self._trusted, seed=plan.seed)
        self._papers = [
            PaperVenue(
                venue.instruments,
                venue.normalizer.build(),
                self._setup.paper,
                plan.seed + number,
                venue.executor.commission,
            )
            for number, venue in enumerate(plan.venues)
        ]
        return PaperShell(plan.venues, self._papers, context=self._trusted, seed=plan.seed)

    @contextlib.contextmanager
    def _cpus(self) -> Iterator[None]:
        """The trading thread and the simulated venues on CPUs of their own, if so configured."""
        if not self._setup.run.pin:
            yield
            return
        with own_cpu():
            for process in self._processes:
                keep_off(process.pid)
            yield

    async def _until_over(self) -> str:
        """From the first connection to the last; why the run failed, or nothing."""
        loop = asyncio.get_running_loop()
        if self._accounts is not None:
            try:
                await self._accounts.before(self._over, self._progress.step)
            except RunError as error:
                await self._shell.close()
                return str(error)
            self._session.write("accounts.json", {"accounts": self._accounts.documents()})
        tending = loop.create_task(self._shell.tend(self._look))
        failure = ""
        try:
            await self._shell.open(self._engine)
            failure = await self._wait()
            self._times.stopped_s = loop.time()
            self._progress.step("cancelling open orders")
            self._engine.stop(self._shell.now())
            failure = failure or await self._settle()
            await self._conclude()
        except Exception as error:  # noqa: BLE001 (orders must be cancelled and files closed whatever broke)
            logger.opt(exception=True).error("the run broke: {}", error)
            failure = f"{type(error).__name__}: {error}"
        finally:
            if tending.done() and not tending.cancelled() and tending.exception() is not None:
                failure = failure or f"the run loop broke: {tending.exception()}"
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)
            left = "" if self._accounts is None else await self._accounts.after()
            failure = failure or left
            await self._shell.close()
        return failure

    async def _wait(self) -> str:
        """Until the time is over, the recording has ended, a signal came, or something broke."""
        loop = asyncio.get_running_loop()
        opened_s = loop.time()
        polls = 0
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 0.05)
            now_s = loop.time()
            if self._engine.failure is not None:
                return str(self._engine.failure)
            if gone := [process.venue for process in self._processes if process.ended]:
                return f"the simulated {gone[0]} ended by itself; see venue-{gone[0]}.log in the session folder"
            if now_s - opened_s > FIRST_FRAME_S and (silent := self._silent()):
                return f"no market data came from {' and '.join(silent)} within {FIRST_FRAME_S:.0f} s"
            if not self._times.first_frame_s:
                if self._engine.measures.events:
                    self._times.first_frame_s = now_s
                continue
            duration = self._setup.duration_s
            if duration is not None and now_s - self._times.first_frame_s >= duration:
                return ""
            polls += 1
            if self._setup.run.data and polls % 4 == 0 and await self._recording_ended():
                return ""
        return ""

    def _silent(self) -> list[str]:
        """Venues of which no market data was ever read."""
        counters = {line.venue: line.pipeline.counters for line in self._engine.lines}
        return [venue for venue, seen in counters.items() if not seen.book_messages + seen.trades + seen.bbos]

    async def _recording_ended(self) -> bool:
        """Whether all of it was sent, and nothing came since that was asked last: what is under way is waited for."""
        for process in self._processes:
            with contextlib.suppress(RunError):
                body = await get_once(process.endpoints.rest + "/-/status", context=self._trusted)
                if orjson.loads(body).get("finished"):
                    before, self._times.events_played = self._times.events_played, self._engine.measures.events
                    return before == self._times.events_played
        return False

    async def _settle(self) -> str:
        """Waits for cancels, and for fills that a venue has counted; open orders that stay are told."""
        loop = asyncio.get_running_loop()
        until = loop.time() + CANCEL_S
        blotter = self._engine.blotter
        while not is_settled(blotter) and loop.time() < until:  # noqa: ASYNC110 (the engine knows no event loop)
            await asyncio.sleep(0.01)
        left = Counter(order.instrument.venue for order in blotter.open_orders())
        where = " and ".join(f"{count} orders at {venue}" for venue, count in left.items())
        return f"{where} were not confirmed as cancelled within {CANCEL_S:.0f} s" if left else ""

    async def _conclude(self) -> None:
        """Lets venues take back what guards against our silence; one that does not answer keeps it, which is safe."""
        loop = asyncio.get_running_loop()
        until = loop.time() + CONCLUDE_S
        self._engine.conclude(self._shell.now())
        lines = self._engine.lines
        while not all(line.concluded for line in lines) and loop.time() < until:  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.01)

    # ---- between frames

    def _look(self) -> None:
        """Slow work, ten times a second: files, the journal's next segment, status, garbage."""
        self._ears.flush()
        self._tend_journal()
        self._watch_clocks()
        now_ns = time.monotonic_ns()
        if self._times.first_frame_s:
            lost = {desk.instrument.venue for desk in self._engine.desks if desk.book.state != BookState.SYNCED}
            for venue in lost:
                self._times.stale_ns[venue] = self._times.stale_ns.get(venue, 0) + now_ns - self._times.last_look_ns
        if now_ns // int(STATUS_S * 1e9) != self._times.last_look_ns // int(STATUS_S * 1e9):
            self._write_status()
            gc.collect(1)
        self._times.last_look_ns = now_ns

    def _watch_clocks(self) -> None:
        """Stops live trading where the clocks do not let signed requests pass, or were stepped."""
        if self._accounts is None or self._engine.gate.halted:
            return
        if moved := self._accounts.clock_moved(self._shell.now()):
            self._engine.halt(self._shell.now(), f"clock: {moved}")

    def _tend_journal(self) -> None:
        """Prepares the next segment; without room for it trading ends while cancels can still be journaled."""
        try:
            self._writer.tend()
        except JournalError as error:
            if not self._engine.gate.halted:
                self._engine.halt(self._shell.now(), f"journal: {error}")
                self._engine.failed(error)

    def _write_status(self) -> None:
        elapsed = asyncio.get_running_loop().time() - self._times.first_frame_s if self._times.first_frame_s else 0.0
        status = live_status(self._engine, elapsed_s=elapsed, duration_s=self._setup.duration_s)
        self._writer.append(RecordKind.STATUS, 0, self._shell.now(), orjson.dumps(status))
        self._progress.status(status)

    # ---- end

    def _finish(self, failure: str) -> RunResult:
        self._ears.flush()
        halted = [
            f"{d.strategy.name} in {d.instrument.symbol} was halted: {d.halted}" for d in self._engine.desks if d.halted
        ]
        failure = failure or "; ".join(halted)
        started = self._times.first_frame_s
        document = summary(
            self._engine,
            mode=self._setup.run.mode.value,
            session=self._session.path,
            duration_s=self._times.stopped_s - started if started else 0.0,
            stale_ns=self._times.stale_ns,
            versions=self._setup.versions(),
            notices=self._setup.notices,
        )
        if self._setup.run.mode is not Mode.SIM:
            document["env"] = self._setup.env
            document["accounts"] = [
                {"venue": venue.venue, "env": "paper", "balances": paper.balances()}
                for venue, paper in zip(self._engine.plan.venues, self._papers, strict=False)
            ]
            if self._accounts is not None:
                document["accounts"] = self._accounts.documents()
                document["notices"] += self._accounts.notices()
        document["alerts"] = dict(sorted(self._ears.alerts.items()))
        document["failure"] = failure or None
        self._writer.append(RecordKind.STATUS, 0, self._shell.now(), orjson.dumps({"summary": document}))
        self._session.write("summary.json", document)
        for error in self._setup.plugins.session_finish(self._session.path, document):
            logger.error("{}", error)
        return RunResult(document=document, failure=failure)
