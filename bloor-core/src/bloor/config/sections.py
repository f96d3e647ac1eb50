"""The sections that bloor itself reads: ``[run]``, ``[sim]``, ``[paper]``, ``[backtest]``, ``[keys]`` and others.

Sections of plug-ins are typed by the plug-ins: ``[strategy.<name>]`` by the strategy's parameters, ``[risk.<name>]`` by
the check's limits, ``[venue.<name>]`` by what ``bloor_venue_config`` returns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from attrs import field, frozen, validators

from bloor.config.duration import Duration
from bloor.config.structure import register_text

__all__ = [
    "AllowedDistribution",
    "BacktestConfig",
    "KeySource",
    "LogConfig",
    "LogLevel",
    "Mode",
    "PaperConfig",
    "PluginsConfig",
    "RunConfig",
    "SimConfig",
]


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


def _worth(_: Any, attribute: Any, value: Mapping[str, Decimal]) -> None:
    if any(rate <= 0 or int(rate.as_tuple().exponent) < -18 for rate in value.values()):
        raise ValueError(f"{attribute.name!r} must be above 0, with at most 18 decimals: {value}")


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
        spin: Whether the event loop never sleeps: it then takes a CPU whole, and hears of a frame sooner.
        fused: Whether strategies that are declared compiled run as machine code; their decisions are the same.
        tls: Whether simulated venues are reached over TLS, as the real ones are.
        armed: What a live run may trade on, each as ``venue:environment``, e.g. ``binance:prod``; nothing is armed
            unless it is named.
        authority: A PEM file with a certificate authority to trust beside the system's, in paper and live mode.
        currency: What sums of money are told in; None for the quote asset of all instruments, or USD where it is one of
            several, or else that of the first.
        rates: What one of another quote asset is worth in it, by asset. For the whole run, and for sums only: prices,
            fills and limits stay in the quote asset. In sim and paper mode dollars and tokens that are meant to be
            worth one count as one where nothing is stated.
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
    spin: bool = False
    fused: bool = True
    tls: bool = False
    armed: tuple[str, ...] = ()
    authority: Path | None = None
    currency: str | None = None
    rates: Mapping[str, Decimal] = field(factory=dict, validator=_worth)


@frozen(kw_only=True)
class SimConfig:
    """The section ``[sim]``: the market that simulated venues share.

    Attributes:
        dislocations: Factor on how far prices stray from each other and return: those of one asset at several venues,
            those of three pairs of three assets, those of dollars and of assets that are cointegrated. 0 for not at
            all; 10 makes what is worth trading plentiful.
    """

    dislocations: float = field(default=1.0, validator=[validators.ge(0), validators.le(100)])


def _balances(_: Any, attribute: Any, value: Mapping[str, Decimal]) -> None:
    wrong = [f"{a} {amount}" for a, amount in value.items() if amount < 0 or int(amount.as_tuple().exponent) < -18]
    if wrong:
        told = ", ".join(wrong)
        raise ValueError(f"{attribute.name!r} must be amounts of at least 0 with at most 18 decimals: {told}")


def _rate(_: Any, attribute: Any, value: Decimal) -> None:
    if not 0 <= value < 1 or value * 1_000_000 % 1:
        raise ValueError(f"{attribute.name!r} must be from 0 to below 1, with at most 6 decimals: {value}")


def _above_0(_: Any, attribute: Any, value: Decimal) -> None:
    if value <= 0:
        raise ValueError(f"{attribute.name!r} must be above 0: {value}")


_LATENCY, _JITTER = Duration(5_000_000), Duration(2_000_000)


@frozen(kw_only=True)
class PaperConfig:
    """The section ``[paper]``: the account and the network that a paper run pretends to have.

    Attributes:
        balances: What the account holds at the start, by asset; without any 100,000 of each quote asset.
        maker_fee: Fee on what a resting order receives, as a fraction: 0.001 is 0.1 %; None for what the venue takes on
            its lowest tier.
        taker_fee: Fee on what an order receives that trades at once; likewise.
        order_latency: How long a new order takes to the matching engine.
        cancel_latency: How long any other request takes there.
        ack_latency: How long an answer takes back.
        jitter: Longest that chance adds to each of the three, drawn evenly.
    """

    balances: Mapping[str, Decimal] = field(factory=dict, validator=_balances)
    maker_fee: Decimal | None = field(default=None, validator=validators.optional(_rate))
    taker_fee: Decimal | None = field(default=None, validator=validators.optional(_rate))
    order_latency: Duration = _LATENCY
    cancel_latency: Duration = _LATENCY
    ack_latency: Duration = _LATENCY
    jitter: Duration = _JITTER


@frozen(kw_only=True)
class BacktestConfig:
    """The section ``[backtest]``: what a backtest assumes of the venue and of the account.

    Attributes:
        fees: The fee model and its parameters, as after ``--fees``; None for the schedule of each venue.
        latency: The latency model, as after ``--latency``.
        queue_model: The queue model, as after ``--queue-model``.
        partial: Whether fills are limited to what really traded, and what orders of ours took stays taken; without, any
            fill fills an order whole, as some other backtests do.
        oversell: Whether more may be sold than is held; None for what the venue is: a spot account cannot.
        self_trade: What ends when an order would trade with one of ours: ``taker``, ``maker``, ``both`` or ``none``;
            with ``decrement`` both lose what they would have traded, and the smaller ends.
        inventory: What strategies hold of an asset when they begin, by asset: each gets as much in each instrument.
        capital: What returns and relative drawdowns are counted from, in the reporting currency; None for none.
    """

    fees: str | None = None
    latency: str = "constant"
    queue_model: str = "risk-averse"
    partial: bool = True
    oversell: bool | None = None
    self_trade: str = field(default="taker", validator=validators.in_(("taker", "maker", "both", "none", "decrement")))
    inventory: Mapping[str, Decimal] = field(factory=dict, validator=_balances)
    capital: Decimal | None = field(default=None, validator=validators.optional(_above_0))


@frozen(kw_only=True)
class KeySource:
    """The section ``[keys.<venue>.<environment>]``: where an account's keys are. Keys themselves never stand here.

    Attributes:
        file: A file of mode 0600 that holds them.
        keyring: Name of an entry of the service ``bloor`` in the system's keyring.
    """

    file: Path | None = None
    keyring: str | None = None


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
