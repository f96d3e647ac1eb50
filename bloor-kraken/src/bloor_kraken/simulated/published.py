"""What the public sees of one market, whether a seed or a recording moves it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from attrs import evolve

from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.exchange import Market, PublicTrade
from bloor.simulation.playback import RecordedSource, RecordedView
from bloor.simulation.recorded import PlayedFrame
from bloor.simulation.recorded_book import RecordedBook
from bloor.simulation.seeded import SeededSource, SeededView
from bloor.simulation.source import PublicView
from bloor.simulation.venue import SimulationOptions
from bloor_kraken.normalizer import KrakenNormalizer
from bloor_kraken.simulated.channels import Deliver, MarketChannels
from bloor_kraken.simulated.intervals import INTERVALS
from bloor_kraken.simulated.listing import COST_MINIMUMS, DEFAULT_SYMBOLS, QTY_DECIMALS, listing, styles
from bloor_kraken.simulated.order_windows import stamp_new

__all__ = ["Published", "RecordedPublished", "SeededPublished", "recorded_source", "seeded_source"]

#: How often a seeded market looks at what is periodic.
TICK_NS = 1_000_000_000


class Published(PublicView, Protocol):
    """What requests and connections ask of one market."""

    channels: MarketChannels


class SeededPublished(SeededView):
    """A seeded market, accounts' orders among it.

    Args:
        market: The market.
        deliver: Where frames go.
        order_type: Tells the type of a taker's order.
        order_id: Tells the id of an order by its number.
    """

    def __init__(
        self, market: Market, deliver: Deliver, order_type: Callable[[int], str], order_id: Callable[[int], str]
    ) -> None:
        super().__init__(market, INTERVALS)
        self.channels = MarketChannels(self, deliver, order_type, order_id)
        self._trades: list[PublicTrade] = []
        self._first: list[tuple[Side, int]] = []

    def opened(self) -> None:
        """The market has its first book: nothing of it is a change."""
        self._first = list(self.market.book.touched)
        self.market.book.touched.clear()

    def traded(self, trade: PublicTrade) -> None:
        """A trade happened; it is published with the change it made."""
        self.tape.add(trade)
        self._trades.append(trade)

    def publish(self, ns: int) -> None:
        """Publishes what happened since the last call."""
        touched = self.market.book.touched
        if touched or self._trades:
            stamp_new(self.market.book, (*self._first, *touched), ns)
            self._first.clear()
            touched.clear()
            trades, self._trades = self._trades, []
            self.channels.changed(ns, trades)

    def tick(self, ns: int, number: int) -> None:
        """Nothing of a market is periodic here."""


class RecordedPublished(RecordedView):
    """A recorded market.

    Args:
        market: The market.
        book: What was recorded of its book.
        deliver: Where frames go.
        order_type: Tells the type of a taker's order.
    """

    def __init__(self, market: Market, book: RecordedBook, deliver: Deliver, order_type: Callable[[int], str]) -> None:
        super().__init__(market, book, INTERVALS)
        self.channels = MarketChannels(self, deliver, order_type)

    def played(self, ns: int) -> None:
        """A recorded frame was about this market."""
        self.channels.changed(self.book.exch_ns or ns, self.follow())


def seeded_source(
    options: SimulationOptions,
    deliver: Deliver,
    order_type: Callable[[int], str],
    order_id: Callable[[int], str],
    participant: Callable[[], int],
) -> SeededSource[SeededPublished]:
    """The markets of a seed.

    Raises:
        UsageError: A symbol has no seeded market.
    """
    return SeededSource(
        listing(options.symbols or DEFAULT_SYMBOLS),
        styles,
        options,
        participant,
        lambda market: SeededPublished(market, deliver, order_type, order_id),
        tick_ns=TICK_NS,
    )


def recorded_source(
    options: SimulationOptions, deliver: Deliver, order_type: Callable[[int], str], clock: Callable[[], int]
) -> RecordedSource[RecordedPublished]:
    """The markets of a recording, published anew: its frames are of one depth, and may be of version 1.

    Raises:
        InputFileError: It cannot be played.
    """

    def played(_frame: PlayedFrame, published: RecordedPublished | None) -> None:
        if published is not None:
            published.played(clock())

    source = RecordedSource(
        options,
        KrakenNormalizer(),
        lambda market, book: RecordedPublished(market, book, deliver, order_type),
        played,
        lambda: any(published.channels.listening for published in source.published.values()),
        qty_decimals=QTY_DECIMALS,
        refine=_refined,
    )
    return source


def _refined(instrument: Instrument) -> Instrument:
    """With the smallest order that Kraken takes there, and every quantity it prints."""
    smallest = COST_MINIMUMS.get(instrument.quote)
    return evolve(instrument, lot_units=1, max_lots=0, min_notional=Decimal(smallest)) if smallest else instrument
