"""The sections that bloor itself reads: ``[run]``, ``[plugins]`` and ``[log]``.

Sections of plug-ins are typed by the plug-ins: ``[strategy.<name>]`` by the strategy's parameters, ``[risk.<name>]`` by
the check's limits, ``[venue.<name>]`` by what ``bloor_venue_config`` returns.
"""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Any

from attrs import field, frozen, validators

from bloor.config.duration import Duration
from bloor.config.structure import register_text

__all__ = ["AllowedDistribution", "LogConfig", "LogLevel", "Mode", "PluginsConfig", "RunConfig"]


class Mode(Enum):
    """What a run trades on."""

    #: A simulated venue that the host starts itself.
    SIM = "sim"
    #: Real market data, orders matched locally.
    PAPER = "paper"
    #: Real market data and real orders.
    LIVE = "live"


class LogLevel(Enum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@frozen(kw_only=True)
class RunConfig:
    """The section ``[run]``.

    Attributes:
        mode: What the run trades on.
        env: The venue's environment, ``prod`` or ``testnet``; None for what the mode takes.
        plugins: Strategies to run when the command names none.
        venues: Venues to connect to; empty leaves the choice to the host.
        symbols: Canonical symbols, venue-qualified or not; empty for the venue's default.
        duration: How long to run from the first frame; None for the mode's own (30 s in sim, else until Ctrl-C).
        data: Recordings that drive a simulated venue.
        speed: Recorded seconds per second; 0 is flat out.
        seed: Seeds the simulated market and every jitter.
        session: Where the session folder is made; None for a new one.
        pin: Whether the trading thread gets a CPU that the processes bloor starts itself keep off.
        tls: Whether simulated venues are reached over TLS, as the real ones are.
    """

    mode: Mode = Mode.SIM
    env: str | None = None
    plugins: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    duration: Duration | None = None
    data: tuple[Path, ...] = ()
    speed: float = field(default=1.0, validator=validators.ge(0))
    seed: int = field(default=1, validator=[validators.ge(0), validators.le((1 << 63) - 1)])
    session: Path | None = None
    pin: bool = True
    tls: bool = False


@frozen(kw_only=True)
class AllowedDistribution:
    """An entry of ``[plugins] allow``: a distribution whose plug-ins may be imported.

    Attributes:
        distribution: Its name, compared as Python packaging does (case, ``-``, ``_`` and ``.`` do not matter).
        version: The only version that may be imported; None for any.
        record_sha256: SHA-256 of its ``RECORD``, in hex; None when it is not pinned.
    """

    distribution: str
    version: str | None = None
    record_sha256: str | None = None


_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:==([A-Za-z0-9.!+_-]+))?\Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z", re.ASCII)


def _allowed(value: Any) -> AllowedDistribution:
    """``"dist"``, ``"dist==version"`` or ``{distribution, version, record_sha256}``."""
    table = value
    if isinstance(value, str):
        match = _REQUIREMENT.match(value)
        table = {"distribution": match[1], "version": match[2]} if match else None
    if not isinstance(table, dict) or "distribution" not in table:
        raise ValueError('expected "name", "name==version" or {distribution, version, record_sha256}')
    keys = set(table) - {"distribution", "version", "record_sha256"}
    if keys or not all(isinstance(text, str) for text in table.values() if text is not None):
        raise ValueError(f"expected the strings distribution, version and record_sha256, got {sorted(table)}")
    digest = table.get("record_sha256")
    if digest is not None and not _SHA256.match(digest):
        raise ValueError("expected record_sha256 to be 64 hexadecimal digits")
    return AllowedDistribution(**table)


register_text(AllowedDistribution, _allowed, 'a distribution: "name", "name==version" or a table')


@frozen(kw_only=True)
class PluginsConfig:
    """The section ``[plugins]``.

    Attributes:
        allow: The only distributions whose plug-ins may be imported; None allows every installed one.
        block: Names of plug-ins that are never loaded.
    """

    allow: tuple[AllowedDistribution, ...] | None = None
    block: tuple[str, ...] = ()


@frozen(kw_only=True)
class LogConfig:
    """The section ``[log]``.

    Attributes:
        level: How much is logged to stderr.
    """

    level: LogLevel = LogLevel.INFO
