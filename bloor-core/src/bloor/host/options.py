"""What the user asked of ``bloor run``, before configuration and plug-ins are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from bloor.config import Mode, RawConfig, read_layers
from bloor.strategy.api import Strategy

__all__ = ["RunOptions"]


@frozen(kw_only=True)
class RunOptions:
    """The options of one run. None and empty mean that the user said nothing: the configuration decides.

    Attributes:
        plugins: Names given with ``-p``, in order: strategies and whatever else is to be loaded.
        blocked: Names given with ``-p no:NAME``.
        venues: Venue names.
        symbols: Canonical symbols, venue-qualified or not.
        mode: What to trade on.
        env: The venue's environment, ``prod`` or ``testnet``.
        duration_s: How long to run, seconds from the first frame.
        config: The configuration file.
        sets: Texts ``path.to.key=value``.
        data: Recordings that drive a simulated venue.
        speed: Recorded seconds per second; 0 is flat out.
        seed: Seeds the simulated market.
        session: The session folder to make.
        armed: What a live run may trade on, each ``venue:environment``.
        authority: A PEM file with a certificate authority to trust beside the system's.
        strategies: Strategy classes that belong to no plug-in, to run beside those that were named.
        spin: Whether the event loop never sleeps.
        json: Whether the only output is one JSON document.
    """

    plugins: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    mode: Mode | None = None
    env: str | None = None
    duration_s: float | None = None
    config: Path | None = None
    sets: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    speed: float | None = None
    seed: int | None = None
    session: Path | None = None
    armed: tuple[str, ...] = ()
    authority: Path | None = None
    strategies: tuple[type[Strategy], ...] = ()
    spin: bool = False
    json: bool = False

    def layers(self, environ: Mapping[str, str]) -> RawConfig:
        """The configuration of this run, these options being its topmost layer.

        ``raw.core().run`` is then what is to be done: options < nothing, ``--set`` < options, and so on down.

        Raises:
            ConfigError: A key or value is wrong.
            InputFileError: The configuration file cannot be read.
            UsageError: A ``--set`` is malformed.
        """
        said: dict[str, tuple[str, Any]] = {
            "plugins": ("-p", list(self.plugins)),
            "venues": ("--venue", list(self.venues)),
            "symbols": ("--symbol", list(self.symbols)),
            "data": ("--data", [str(path) for path in self.data]),
            "mode": ("--mode", self.mode and self.mode.value),
            "env": ("--env", self.env),
            "duration": ("--duration", None if self.duration_s is None else f"{round(self.duration_s * 1e9)}ns"),
            "speed": ("--speed", self.speed),
            "seed": ("--seed", self.seed),
            "session": ("--session", None if self.session is None else str(self.session)),
            "armed": ("--arm", list(self.armed)),
            "spin": ("--spin", self.spin or None),
            "authority": ("--ca", None if self.authority is None else str(self.authority)),
        }
        options = {f"run.{key}": given for key, given in said.items() if given[1] not in (None, [])}
        return read_layers(self.config, environ, self.sets, options)
