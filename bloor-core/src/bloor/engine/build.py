"""From a plan to the parts of an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bloor.engine.desk import Desk
from bloor.engine.effects import Effects, Recorder
from bloor.engine.feedline import FeedLine
from bloor.engine.feeds import Feeds, build_feeds
from bloor.engine.plan import EnginePlan, StrategyPlan, VenuePlan
from bloor.execution.patience import Patience
from bloor.execution.position import PositionAccount
from bloor.hookspecs import ExecutorContext, FeedContext
from bloor.market.pipeline import MarketPipeline
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType
from bloor.risk.gate import Gate
from bloor.risk.limits import build_check
from bloor.strategy.legs import Traits, traits_of
from bloor.venue.session import ConcludingSession, DiscreetSession, ListingSession, OrderSession, SelectiveSession

if TYPE_CHECKING:
    from bloor.engine.core import Engine

__all__ = ["NOT_CONNECTED", "Line", "build_desks", "build_gate", "build_lines", "build_patience"]


#: A denial of our own: there is no way to send an order by.
NOT_CONNECTED = "ORDERS_NOT_CONNECTED"


class Line:
    """One venue in an engine.

    Attributes:
        number: Its index in the plan.
        venue: Its name.
        market: Its market data: session, pipeline, connection.
        feeds: The same, and its market data by order.
        orders: The session of its order entry.
        take_secrets: ``(tag, status, body) -> body`` of an answer to a request of that session, as it may be recorded.
        lists_open_orders: Whether that session, by becoming ready, has said what is open.
        was_ready: Whether orders could be sent after the last frame of the order connection.
    """

    __slots__ = (
        "_selective",
        "feeds",
        "lists_open_orders",
        "market",
        "number",
        "orders",
        "take_secrets",
        "venue",
        "was_ready",
    )

    def __init__(self, number: int, venue: str, feeds: Feeds, orders: OrderSession) -> None:
        self.number = number
        self.venue = venue
        self.feeds = feeds
        self.market: FeedLine = feeds.market
        self.orders = orders
        self.take_secrets: Callable[[str, int, bytes], bytes] = (
            orders.take_secrets if isinstance(orders, DiscreetSession) else _as_it_is
        )
        self._selective = orders if isinstance(orders, SelectiveSession) else None
        self.lists_open_orders = isinstance(orders, ListingSession) and orders.lists_open_orders
        self.was_ready = False

    def refusal(self, instrument: Instrument, order_type: OrderType, now_ns: int) -> str:
        """Why a new order is not to be sent now, as the code of a denial; empty when it can be."""
        if not self.orders.accepting:
            return NOT_CONNECTED
        return "" if self._selective is None else self._selective.refusal(instrument, order_type, now_ns)

    @property
    def concluded(self) -> bool:
        """Whether its order session has nothing left to take back at the end of a run."""
        return not isinstance(self.orders, ConcludingSession) or self.orders.concluded

    @property
    def pipeline(self) -> MarketPipeline:
        """From frames to books and events."""
        return self.market.pipeline


def _as_it_is(_tag: str, _status: int, body: bytes) -> bytes:
    """An answer that holds no secret."""
    return body


def build_gate(plan: EnginePlan) -> Gate:
    """The gate with every check of the plan; it decides in machine code where every check can.

    Raises:
        PluginError: A mandatory control is not covered, or the compiled form of a check is not what it should be.
        ConfigError: A limit does not fit the units of an instrument.
    """
    gate = Gate([build_check(check, limits, plan.instruments) for check, limits in plan.checks], plan.instruments)
    gate.compiled()
    return gate


def build_patience(plan: EnginePlan) -> dict[str, Patience]:
    """How long each venue may be silent."""
    return {
        v.venue: Patience(
            unknown_after_ns=v.executor.unknown_after_ns,
            lost_after_ns=v.executor.lost_after_ns,
            searches_trades=v.executor.searches_trades,
        )
        for v in plan.venues
    }


def build_lines(engine: Engine, effects: Effects, recorder: Recorder) -> list[Line]:
    """The sessions and the pipeline of every venue, every instrument's book made."""
    return [_line(engine, number, venue, effects, recorder) for number, venue in enumerate(engine.plan.venues)]


def _line(engine: Engine, number: int, venue: VenuePlan, effects: Effects, recorder: Recorder) -> Line:
    context = FeedContext(
        config=venue.config,
        endpoints=venue.endpoints,
        instruments=venue.instruments,
        seed=engine.plan.seed + number,
    )
    feeds = build_feeds(
        number, venue.feed, venue.normalizer, context, engine.table, engine.on_event,
        level3_credentials=venue.level3_credentials, effects=effects, recorder=recorder, alert=engine.market_alert,
    )  # fmt: skip
    orders = venue.executor.build(
        ExecutorContext(
            config=venue.config,
            endpoints=venue.endpoints,
            credentials=venue.credentials,
            instruments=venue.instruments,
        )
    )
    return Line(number, venue.venue, feeds, orders)


def build_desks(engine: Engine) -> list[Desk]:
    """A desk for every strategy in every instrument."""
    traits = traits_of(engine.plan.instruments)
    return [
        desk
        for number, strategy in enumerate(engine.plan.strategies)
        for desk in _desks_of(engine, number, strategy, traits)
    ]


def _desks_of(engine: Engine, number: int, strategy: StrategyPlan, traits: Sequence[Traits]) -> list[Desk]:
    """The desks of one strategy: each with an instance of its own, or all with the same one."""
    shared = strategy.cls(strategy.config) if strategy.cls.together else None
    desks = []
    for line in engine.lines:
        for instrument in engine.plan.venues[line.number].instruments:
            index = engine.table.index_of(instrument.venue, instrument.venue_symbol)
            book = line.pipeline.book(instrument.venue_symbol)
            assert book is not None
            own = strategy.cls(strategy.config) if shared is None else shared
            desks.append(
                Desk(
                    engine, own, number, line.number, index, instrument, traits[index], book.view,
                    engine.blotter.exposure(number, index), PositionAccount(instrument),
                )
            )  # fmt: skip
    if shared is not None:
        for leg, desk in enumerate(desks):
            desk.join(leg, tuple(desks))
    return desks
