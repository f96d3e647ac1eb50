"""The plug-in author's manual: every hook bloor calls.

A plug-in is a module (or object) named by one entry point in the group ``bloor``; the entry point's name is what users
type after ``-p``. A second group, ``bloor.manifest``, says without importing anything what the plug-in is and which API
it was written for::

    [project.entry-points."bloor"]
    momentum = "my_package.momentum"

    [project.entry-points."bloor.manifest"]
    momentum = "strategy:api1"

The manifest's word is the kind: ``venue``, ``feed`` for market data without order entry, ``normalizer``, ``strategy``,
``risk_check``, or a model of the backtest: ``queue_model``, ``latency_model`` or ``fee_model``. Then comes ``api`` and
a number.

In the module, a hook is a function of its name, marked with :data:`hookimpl`::

    from bloor.hookspecs import hookimpl

    ...


    @hookimpl
    def bloor_strategy():
        return Momentum

Hooks run at start-up only. They hand over factories and classes; the host builds, validates, freezes and binds plain
callables, and no hook is called between a received frame and a sent order. Implementing a hook that is not listed here
is an error. A hook may leave out arguments it does not need.

API version 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from attrs import field, frozen

from bloor.model.instrument import Instrument

if TYPE_CHECKING:
    from bloor.backtesting.models import FeeModel, LatencyModel, QueueModel
    from bloor.market.normalizer import CompiledNormalizer, Normalizer
    from bloor.risk.check import RiskCheck
    from bloor.simulation.venue import Outbox, SimulatedVenue, SimulationOptions
    from bloor.strategy.api import Strategy
    from bloor.venue.account import AccountInterface, DeadMan
    from bloor.venue.rest import RestRules
    from bloor.venue.session import Endpoints, FeedSession, OrderSession

__all__ = [
    "API_VERSION",
    "ENTRY_POINT_GROUP",
    "MANIFEST_GROUP",
    "Commission",
    "Diagnosis",
    "ExecutorContext",
    "ExecutorSpec",
    "FeedContext",
    "FeedSpec",
    "Finding",
    "Level3Spec",
    "NormalizerSpec",
    "SimulatedVenueSpec",
    "StandInKeys",
    "hookimpl",
    "hookspec",
]

API_VERSION = 1
ENTRY_POINT_GROUP = "bloor"
MANIFEST_GROUP = "bloor.manifest"

hookspec = pluggy.HookspecMarker("bloor")
#: Marks a function as the implementation of a hook.
hookimpl = pluggy.HookimplMarker("bloor")


# ---- what hooks hand over -------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class FeedContext:
    """What a feed is built from.

    Attributes:
        config: The venue's configuration, an instance of what ``bloor_venue_config`` returned (None without one).
        endpoints: Where the venue is in this mode and environment.
        instruments: What to subscribe to.
        seed: Seeds the jitter of time-outs.
        credentials: The account's keys where the feed needs them (:class:`Level3Spec`), of the venue's own type; never
            printed. None elsewhere.
    """

    config: Any
    endpoints: Endpoints
    instruments: Sequence[Instrument]
    seed: int = 0
    credentials: Any = field(default=None, repr=False)


@frozen(kw_only=True)
class Level3Spec:
    """Market data by order: over a connection of their own, beside the other, and to accounts only.

    The session is told :attr:`~bloor.venue.session.Endpoints.level3` and keys; it redacts what it sends
    (:class:`~bloor.venue.session.DiscreetFeed`). Its frames take the way of the venue's others, in the order in which
    they are received, so one normalizer reads both.

    Attributes:
        wanted: Whether a configuration asks for them. Then books come over this connection, and the session of the
            other brings the rest.
        build: Makes the session of that connection.
        credentials: As :attr:`ExecutorSpec.credentials`.
        stand_in: As :attr:`ExecutorSpec.stand_in`.
    """

    wanted: Callable[[Any], bool]
    build: Callable[[FeedContext], FeedSession]
    credentials: Callable[[Mapping[str, Any]], Any]
    stand_in: StandInKeys


@frozen(kw_only=True)
class FeedSpec:
    """Market data of a venue.

    Attributes:
        venue: The venue's name.
        endpoints: Environment name (``prod``, ``testnet``) -> base URLs.
        build: Makes the session of one connection.
        instruments_path: REST path that lists the instruments of these canonical symbols.
        parse_instruments: Reads its answer; raises RemoteProtocolError with the reason.
        default_symbol: What a run trades when the user names no symbol.
        rest: How the venue's REST interface wants to be used: rate limits, where its time is; None for no rules.
        level3: Market data by order, where the venue has them.
    """

    venue: str
    endpoints: Mapping[str, Endpoints]
    build: Callable[[FeedContext], FeedSession]
    instruments_path: Callable[[Sequence[str]], str]
    parse_instruments: Callable[[bytes], Sequence[Instrument]]
    default_symbol: str
    rest: RestRules | None = None
    level3: Level3Spec | None = None

    def by_order(self, config: Any) -> Level3Spec | None:
        """The market data by order, where there are some and a configuration asks for them."""
        return self.level3 if self.level3 is not None and self.level3.wanted(config) else None


@frozen(kw_only=True)
class NormalizerSpec:
    """How a venue's frames are read.

    Attributes:
        venue: The venue's name.
        build: Makes a reference normalizer.
        instruments: Reads an instrument file in the venue's own form; raises InputFileError.
        compiled: Makes the compiled form of the normalizer, for venues that have one. It takes the frames it is sure
            of; events, books and counts are the same with and without.
    """

    venue: str
    build: Callable[[], Normalizer]
    instruments: Callable[[Path], Sequence[Instrument]]
    compiled: Callable[[], CompiledNormalizer] | None = None


@frozen(kw_only=True)
class ExecutorContext:
    """What an executor is built from.

    Attributes:
        config: The venue's configuration.
        endpoints: Where the venue is.
        credentials: The account's keys as :meth:`ExecutorSpec.credentials` returned them; never printed.
        instruments: What may be traded.
    """

    config: Any
    endpoints: Endpoints
    credentials: Any = field(repr=False)
    instruments: Sequence[Instrument]


@frozen(kw_only=True)
class StandInKeys:
    """How order entry is replayed without the account's keys, which no journal holds.

    Attributes:
        kind: Says in one word what kind of key credentials are; it stands in the header of a journal.
        make: Credentials of that kind which open nothing anywhere, the same each time; raises ConfigError for a kind
            that it does not know. Recorded frames are without key and signature
            (:meth:`~bloor.venue.session.OrderSession.redacted`), so those that are made with them are the same.
    """

    kind: Callable[[Any], str]
    make: Callable[[str], Any]


@frozen(kw_only=True)
class Commission:
    """What a venue takes of each fill on its lowest tier, as fractions of the value: 0.001 is 0.1 %.

    Attributes:
        maker: Of what a resting order receives.
        taker: Of what an order receives that trades at once.
        in_quote: Whether it is always in the quote asset; otherwise a buy pays it in the base asset that it receives.
    """

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    in_quote: bool = False


@frozen(kw_only=True)
class ExecutorSpec:
    """Order entry at a venue.

    Attributes:
        venue: The venue's name.
        build: Makes the session of one connection.
        credentials: Reads the mapping that a simulated venue prints (or a key file holds) into the venue's own type;
            raises ConfigError.
        unknown_after_ns: How long an order may stay unacknowledged before its outcome counts as unknown.
        lost_after_ns: The horizon after which an order that is nowhere found is lost: the order's deadline, the
            venue's processing bound, clock error and stream lag together.
        searches_trades: Whether an order is lost only once the account's trades since it was sent show none of it
            (:meth:`~bloor.venue.session.OrderSession.search_trades`), beside two answers "not found".
        fee_rates: Reads from the venue's configuration what one of a third asset that fees are taken in is worth in
            the quote asset; asset -> rate. Counts where the run has no book that says it.
        stand_in: Keys for a replay; without them a session of this venue cannot be replayed.
        account: Makes what asks about an account before it is traded on (:mod:`bloor.venue.account`); live mode and
            ``bloor check`` need it.
        dead_man: What the venue does about open orders when we fall silent; None when the plug-in does not say.
        commission: What the venue takes of fills; a run on paper takes the same.
    """

    venue: str
    build: Callable[[ExecutorContext], OrderSession]
    credentials: Callable[[Mapping[str, Any]], Any]
    unknown_after_ns: int
    lost_after_ns: int
    searches_trades: bool = False
    fee_rates: Callable[[Any], Mapping[str, Decimal]] | None = None
    stand_in: StandInKeys | None = None
    account: Callable[[ExecutorContext], AccountInterface] | None = None
    dead_man: DeadMan | None = None
    commission: Commission = Commission()


@frozen(kw_only=True)
class SimulatedVenueSpec:
    """A simulated venue that speaks the venue's real wire protocol.

    Attributes:
        venue: The venue's name.
        build: Makes the sans-I/O core from the options and the way its frames leave.
    """

    venue: str
    build: Callable[[SimulationOptions, Outbox], SimulatedVenue]


class Finding(Enum):
    """How something that was looked at is; values are words for a person."""

    PASS = "pass"  # noqa: S105 (a word for a person)
    WARN = "warn"
    FAIL = "fail"
    #: It could not be tried, or does not matter here.
    SKIP = "skip"


@frozen(kw_only=True)
class Diagnosis:
    """One thing that ``bloor plugins doctor`` looked at.

    Attributes:
        subject: What was looked at, in a few words: ``cache``, ``licence file``.
        finding: How it is. With a ``FAIL`` among them the doctor ends with exit code 1.
        text: What was found. It is printed: no key, no secret.
        advice: What to do; empty when nothing is to be done.
    """

    subject: str
    finding: Finding
    text: str
    advice: str = ""


# ---- the five kinds -------------------------------------------------------------------------------------------------


@hookspec
def bloor_feed() -> FeedSpec:  # type: ignore[empty-body]
    """Market data of the plug-in's venue. Called once, when a run or a recorder uses the venue."""


@hookspec
def bloor_normalizer() -> NormalizerSpec:  # type: ignore[empty-body]
    """How the venue's frames are read. Called once, by whatever reads frames: a run, a replay, ``bloor data``."""


@hookspec
def bloor_executor() -> ExecutorSpec:  # type: ignore[empty-body]
    """Order entry at the plug-in's venue. Called once, when a run trades there."""


@hookspec
def bloor_strategy() -> type[Strategy]:  # type: ignore[empty-body]
    """The plug-in's strategy class. Called once, when a run names the plug-in."""


@hookspec
def bloor_risk_check() -> type[RiskCheck]:  # type: ignore[empty-body]
    """The plug-in's risk check. Every installed risk check is called for in every run: it can only deny.

    With a compiled form (:meth:`bloor.risk.check.RiskCheck.compiled`) it costs a few nanoseconds; one check without it
    sends every order of a run through Python.
    """


# ---- beside them ----------------------------------------------------------------------------------------------------


@hookspec
def bloor_venue_config() -> type[Any]:  # type: ignore[empty-body]
    """An attrs class: the type of the section ``[venue.<name>]``. Every attribute needs a default."""


@hookspec
def bloor_simulated_venue() -> SimulatedVenueSpec:  # type: ignore[empty-body]
    """The venue's simulation. Called by ``bloor run`` in sim mode and by ``bloor venue sim``."""


# ---- models of the backtest -----------------------------------------------------------------------------------------


@hookspec
def bloor_queue_model() -> type[QueueModel]:  # type: ignore[empty-body]
    """A guess of how much is ahead of a resting order; called when a backtest names it: ``--queue-model NAME``.

    An attrs class whose fields are its parameters (:func:`bloor.backtesting.models.parameter`). One that says
    ``by_order = True`` is told of each order of others, and refused over data that do not tell of them.
    """


@hookspec
def bloor_latency_model() -> type[LatencyModel]:  # type: ignore[empty-body]
    """How long requests take to the venue and answers back; called when a backtest names it: ``--latency NAME``."""


@hookspec
def bloor_fee_model() -> type[FeeModel]:  # type: ignore[empty-body]
    """What fills cost; called when a backtest names it: ``--fees NAME``. A venue's plug-in gives its own schedule."""


# ---- life cycle -----------------------------------------------------------------------------------------------------


@hookspec
def bloor_session_start(session: Path, mode: str) -> None:
    """A run is about to connect; its session folder exists. An error here stops the run before any order."""


@hookspec
def bloor_session_finish(session: Path, summary: Mapping[str, Any]) -> None:
    """A run has ended and ``summary.json`` is written. An error here is reported and changes nothing."""


@hookspec
def bloor_doctor(config: Any, online: bool) -> Sequence[Diagnosis]:  # type: ignore[empty-body]
    """What the plug-in can say of its own health. Called by ``bloor plugins doctor`` only, in a process of its own.

    ``config`` is the plug-in's section, typed (a venue's, a strategy's parameters, a risk check's limits; None without
    one). Only when ``online`` is true may the network be used, and then no other addresses than those that the plug-in
    trades with. An error here is a finding about the plug-in, and so is taking longer than a minute.
    """
