"""``bloor.run`` and ``bloor.record``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bloor.api.arguments import Paths, Texts, check_classes, path_of, paths_of, seconds_of, sets_of, texts_of
from bloor.api.results import RecordResult, RunResult
from bloor.api.told import Told, looked_at
from bloor.api.waiting import Work, bloor_errors
from bloor.config import Mode
from bloor.config.structure import read_value
from bloor.host.options import RunOptions
from bloor.host.record import RecordOptions
from bloor.host.record import record as record_host
from bloor.host.run import run as run_host
from bloor.strategy.api import Strategy

__all__ = ["record", "run"]


def run(
    plugins: Texts = (),
    *,
    strategies: type[Strategy] | Sequence[type[Strategy]] = (),
    venues: Texts = (),
    symbols: Texts = (),
    mode: str | None = None,
    env: str | None = None,
    duration: str | float | timedelta | None = None,
    config: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    data: Paths = (),
    speed: float | None = None,
    seed: int | None = None,
    session: str | Path | None = None,
    arm: Texts = (),
    ca: str | Path | None = None,
    spin: bool = False,
    progress: bool | None = None,
) -> RunResult:
    """Trades, as ``bloor run`` does, and waits for the end. An interrupt ends it in order, with its result.

    Args:
        plugins: Strategies to run, by name; ``no:NAME`` blocks a plug-in.
        strategies: Strategy classes to run that belong to no plug-in: written in a notebook, for instance. A class
            without a ``name`` is named after itself, ``MyIdea`` as ``my-idea``; its section is ``strategy.my-idea``.
        venues: Venues to trade on.
        symbols: ``BTC-USDT``, or ``binance:BTC-USDT``.
        mode: ``sim``, ``paper`` or ``live``.
        env: The venue's environment.
        duration: ``"15s"``, ``"5m"``, or seconds.
        config: A configuration file; ``./bloor.toml`` is read if not given.
        set: Configuration values by dotted path: ``{"strategy.momentum.fast": 10}``.
        data: Recordings that drive the simulated venue.
        speed: Recorded seconds per second; 0 is flat out.
        seed: Seeds the simulated market.
        session: The session folder to make.
        arm: What a live run may trade on, ``venue:environment``.
        ca: A certificate authority (PEM) to trust beside the system's.
        spin: Whether the event loop never sleeps: takes a CPU whole, and hears of a frame sooner.
        progress: Whether to show on stderr how it goes; None for where somebody looks: a notebook or a terminal.

    Returns:
        The result; a run that began and failed says why in ``failure``.

    Raises:
        UsageError: Something that was asked for cannot be; nothing was started. ConfigError and PluginError are such.
        RunError: The run could not be started.
    """
    with bloor_errors():
        names = texts_of(plugins)
        classes = (strategies,) if isinstance(strategies, type) else tuple(strategies)
        check_classes(classes)
        options = RunOptions(
            plugins=tuple(name for name in names if not name.startswith("no:")),
            blocked=tuple(name.removeprefix("no:") for name in names if name.startswith("no:")),
            strategies=classes,
            venues=texts_of(venues),
            symbols=texts_of(symbols),
            mode=None if mode is None else read_value(Mode, mode, "mode", "run.mode"),
            env=env,
            duration_s=seconds_of(duration),
            config=path_of(config),
            sets=tuple(sets_of(set or {})),
            data=paths_of(data),
            speed=speed,
            seed=seed,
            session=path_of(session),
            armed=texts_of(arm),
            authority=path_of(ca),
            spin=spin,
        )
        told = Told(shown=looked_at() if progress is None else progress)
        work = Work(lambda: run_host(options, told))
        told.hand_on = work.stoppable
        try:
            result = work.wait(told.show)
        finally:
            told.done()
        document = result.document
        return RunResult(
            document=document, failure=result.failure, session=Path(document["session"]), strategies=classes
        )


def record(
    venue: str,
    out: str | Path,
    *,
    symbols: Texts = (),
    duration: str | float | timedelta | None = None,
    env: str = "prod",
    config: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    ca: str | Path | None = None,
    progress: bool | None = None,
) -> RecordResult:
    """Keeps a venue's market data as it comes, as ``bloor record`` does, until the time is over or an interrupt.

    Args:
        venue: Whose market data to keep.
        out: The folder; one with a recording is continued.
        symbols: What to record.
        duration: ``"30s"``, ``"5m"``, or seconds; until an interrupt if not given.
        env: The venue's environment.
        config: A configuration file; ``./bloor.toml`` is read if not given.
        set: Configuration values by dotted path.
        ca: A certificate authority (PEM) to trust beside the system's.
        progress: Whether to show on stderr how it goes; None for where somebody looks.

    Raises:
        UsageError: Something that was asked for cannot be.
        RunError: The venue cannot be reached.
    """
    with bloor_errors():
        folder = Path(out)
        options = RecordOptions(
            venue=venue,
            symbols=texts_of(symbols),
            out=folder,
            duration_s=seconds_of(duration),
            env=env,
            config=path_of(config),
            sets=tuple(sets_of(set or {})),
            authority=path_of(ca),
        )
        told = Told(shown=looked_at() if progress is None else progress)
        work = Work(lambda: record_host(options, told.recorded, work.stoppable))
        try:
            result = work.wait(told.show)
        finally:
            told.done()
        return RecordResult(document=result.document, failure=result.failure, out=folder.resolve())


# ---- what is given, as options take it ------------------------------------------------------------------------------
