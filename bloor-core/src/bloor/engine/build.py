"""From a plan to the parts of an engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bloor.engine.desk import Desk
from bloor.engine.plan import EnginePlan, VenuePlan
from bloor.errors import UsageError
from bloor.execution.patience import Patience
from bloor.execution.position import PositionAccount
from bloor.hookspecs import ExecutorContext, FeedContext
from bloor.market.book import OrderBook
from bloor.market.events import EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline, Resync
from bloor.risk.gate import Gate
from bloor.risk.limits import build_check
from bloor.venue.session import FeedSession, OrderSession

if TYPE_CHECKING:
    from bloor.engine.core import Engine

__all__ = ["Line", "build_desks", "build_gate", "build_lines", "build_patience"]


class Line:
    """One venue in an engine.

    Attributes:
        number: Its index in the plan.
        venue: Its name.
        feed: The session of its market data.
        orders: The session of its order entry.
        pipeline: From its frames to books and events.
        lost: Venue symbols of books that lost their synchronisation during the present input.
        was_ready: Whether orders could be sent after the last frame of the order connection.
    """

    __slots__ = ("feed", "lost", "number", "orders", "pipeline", "venue", "was_ready")

    def __init__(
        self,
        number: int,
        venue: str,
        feed: FeedSession,
        orders: OrderSession,
        pipeline: Callable[[Line], MarketPipeline],
    ) -> None:
        self.number = number
        self.venue = venue
        self.feed = feed
        self.orders = orders
        self.lost: list[str] = []
        self.was_ready = False
        self.pipeline = pipeline(self)


def build_gate(plan: EnginePlan) -> Gate:
    """The gate with every check of the plan.

    Raises:
        PluginError: A mandatory control is not covered.
        ConfigError: A limit does not fit the units of an instrument.
    """
    return Gate([build_check(check, limits, plan.instruments) for check, limits in plan.checks], plan.instruments)


def build_patience(plan: EnginePlan) -> dict[str, Patience]:
    """How long each venue may be silent."""
    return {
        v.venue: Patience(unknown_after_ns=v.executor.unknown_after_ns, lost_after_ns=v.executor.lost_after_ns)
        for v in plan.venues
    }


def build_lines(
    plan: EnginePlan,
    table: InstrumentTable,
    on_event: Callable[[EventView, OrderBook | None], None],
    on_resync: Callable[[Line, str, Resync], None],
    on_error: Callable[[Line, str], None],
) -> list[Line]:
    """The sessions and the pipeline of every venue, every instrument's book made."""

    def line(number: int, venue: VenuePlan) -> Line:
        def pipeline(line: Line) -> MarketPipeline:
            return MarketPipeline(
                venue.normalizer.build(),
                table,
                on_event,
                on_resync=partial(on_resync, line),
                on_error=partial(on_error, line),
                infer=False,
            )

        feed = venue.feed.build(
            FeedContext(
                config=venue.config, endpoints=venue.endpoints, instruments=venue.instruments, seed=plan.seed + number
            )
        )
        orders = venue.executor.build(
            ExecutorContext(
                config=venue.config,
                endpoints=venue.endpoints,
                credentials=venue.credentials,
                instruments=venue.instruments,
            )
        )
        made = Line(number, venue.venue, feed, orders, pipeline)
        for instrument in venue.instruments:
            made.pipeline.track(instrument)
        return made

    return [line(number, venue) for number, venue in enumerate(plan.venues)]


def build_desks(engine: Engine) -> list[Desk]:
    """A desk for every strategy in every instrument.

    Raises:
        UsageError: The instruments have different quote assets, so that there is no one reporting currency.
    """
    plan, blotter, table = engine.plan, engine.blotter, engine.table
    quotes = sorted({i.quote for i in plan.instruments})
    if len(quotes) > 1:
        raise UsageError(
            f"--symbol: expected instruments with one quote asset, got {', '.join(quotes)}; run them in separate runs"
        )
    desks = []
    for number, strategy in enumerate(plan.strategies):
        for line in engine.lines:
            for instrument in plan.venues[line.number].instruments:
                index = table.index_of(instrument.venue, instrument.venue_symbol)
                book = line.pipeline.book(instrument.venue_symbol)
                assert book is not None
                desks.append(
                    Desk(
                        engine, strategy.cls(strategy.config), number, line.number, index, instrument, book,
                        blotter.exposure(number, index), PositionAccount(instrument),
                    )
                )  # fmt: skip
    return desks
