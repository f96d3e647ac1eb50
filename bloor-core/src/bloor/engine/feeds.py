"""The market-data connections of one venue, and the pipeline that they share.

A venue has one, and a second one beside it where the configuration asks for market data by order
(:class:`~bloor.hookspecs.Level3Spec`): then the books come over that one, and the first brings trades and quotes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import evolve, frozen

from bloor.engine.effects import LEVEL3, Effects, Recorder, feed_conn, level3_conn
from bloor.engine.feedline import FeedLine
from bloor.hookspecs import FeedContext, FeedSpec, NormalizerSpec
from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline, OnEvent

__all__ = ["Feeds", "build_feeds"]


@frozen(eq=False)
class Feeds:
    """The market data of one venue.

    Attributes:
        market: The connection that every venue has.
        level3: The one of its market data by order, if there is one.
    """

    market: FeedLine
    level3: FeedLine | None = None

    @property
    def lines(self) -> Sequence[FeedLine]:
        """Each of them."""
        return (self.market,) if self.level3 is None else (self.market, self.level3)

    @property
    def pipeline(self) -> MarketPipeline:
        """From frames to books and events."""
        return self.market.pipeline

    def of(self, conn: int) -> FeedLine:
        """The one that a connection's number is about."""
        if conn & LEVEL3 and self.level3 is not None:
            return self.level3
        return self.market


def build_feeds(
    number: int,
    feed: FeedSpec,
    normalizer: NormalizerSpec,
    context: FeedContext,
    table: InstrumentTable,
    on_event: OnEvent,
    *,
    level3_credentials: Any,
    effects: Effects,
    recorder: Recorder,
    alert: Callable[[str, str], None],
) -> Feeds:
    """The sessions of a venue's market data, and every instrument's book.

    Args:
        number: Index of the venue.
        feed: Its market data.
        normalizer: How its frames are read.
        context: What its sessions are built from.
        table: The instruments of the run.
        on_event: Called for every event.
        level3_credentials: The keys of its market data by order.
        effects: Carries out what sessions ask for.
        recorder: Where everything is written first.
        alert: Told what a person should know.
    """
    by_order = feed.by_order(context.config)
    shared: dict[str, Any] = {"effects": effects, "recorder": recorder, "alert": alert}
    market = FeedLine(
        feed_conn(number), feed.venue, feed.build(context), normalizer.build, has_books=by_order is None, **shared
    )
    level3 = None
    if by_order is not None:
        session = by_order.build(evolve(context, credentials=level3_credentials))
        level3 = FeedLine(level3_conn(number), feed.venue, session, normalizer.build, **shared)
    feeds = Feeds(market, level3)
    pipeline = market_pipeline(
        normalizer, table, on_event, on_resync=(level3 or market).lost, on_error=_bad_frame(feeds), infer=False
    )
    for line in feeds.lines:
        line.pipeline = pipeline
    for instrument in context.instruments:
        pipeline.track(instrument)
    return feeds


def _bad_frame(feeds: Feeds) -> Callable[[str], None]:
    """Who is told of a frame that cannot be read: the connection that brought it."""
    market, level3 = feeds.market, feeds.level3
    if level3 is None:
        return market.bad_frame

    def told(reason: str) -> None:
        (level3 if level3.is_reading else market).bad_frame(reason)

    return told
