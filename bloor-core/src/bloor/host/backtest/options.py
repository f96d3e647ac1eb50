"""The options of a backtest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from bloor.config import RawConfig
from bloor.host.options import RunOptions
from bloor.strategy.api import Strategy

__all__ = ["BacktestOptions"]


@frozen(kw_only=True)
class BacktestOptions:
    """What was asked for. None and empty mean that the user said nothing: the configuration decides.

    Attributes:
        plugins: Names given with ``-p``: strategies and whatever else is to be loaded.
        blocked: Names given with ``-p no:NAME``.
        strategies: Strategy classes that belong to no plug-in.
        data: Catalogues, recordings, dumps and session folders.
        venue: Whose data recordings are.
        symbols: Canonical symbols, venue-qualified or not; empty for all in the data.
        instruments: A file of instruments as the venue's REST lists them.
        start: Earliest time, an ISO date or time (UTC).
        end: Latest time; a date without a time means its end.
        seed: Seeds models that draw numbers.
        config: The configuration file.
        sets: Texts ``path.to.key=value``.
        fees: The fee model.
        latency: The latency model.
        queue_model: The queue model.
        keep_decisions: Whether every decision is kept, and not only its hash.
    """

    plugins: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    strategies: tuple[type[Strategy], ...] = ()
    data: tuple[Path, ...] = ()
    venue: str | None = None
    symbols: tuple[str, ...] = ()
    instruments: Path | None = None
    start: str | None = None
    end: str | None = None
    seed: int | None = None
    config: Path | None = None
    sets: tuple[str, ...] = ()
    fees: str | None = None
    latency: str | None = None
    queue_model: str | None = None
    keep_decisions: bool = False

    def layers(self, environ: Mapping[str, str]) -> RawConfig:
        """The configuration of this backtest; see :meth:`~bloor.host.options.RunOptions.layers`."""
        run = RunOptions(
            plugins=self.plugins,
            blocked=self.blocked,
            symbols=self.symbols,
            seed=self.seed,
            config=self.config,
            sets=self.sets,
            strategies=self.strategies,
        )
        return run.layers(environ)
