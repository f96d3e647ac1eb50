"""The markets of a seed: one model per listed pair, their events merged in time, and a tick for what is periodic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.exchange import Exchange, Market
from bloor.simulation.intervals import Interval
from bloor.simulation.market import MarketStyle, SeededMarket
from bloor.simulation.matching import MatchingBook
from bloor.simulation.source import Top
from bloor.simulation.tape import Tape
from bloor.simulation.venue import SimulationOptions

__all__ = ["Publisher", "SeededSource", "SeededView"]

#: Events in one advance: a process that was stopped for a while catches up in pieces.
_MAX_EVENTS = 2_000


class SeededView:
    """What the public sees of one seeded market, accounts' orders among it.

    See :class:`bloor.simulation.source.PublicView`; a venue's publisher is usually made from it.

    Args:
        market: The market.
        intervals: What the venue has candlesticks of, by its own names.
    """

    def __init__(self, market: Market, intervals: Mapping[str, Interval]) -> None:
        self.market = market
        self.tape = Tape(intervals)

    def levels(self, side: Side, limit: int) -> list[tuple[int, int]]:
        """Up to ``limit`` levels as ``(ticks, units)``, best first."""
        return self.market.book.depth(side, limit)

    def top(self) -> Top:
        """Best bid and best ask."""
        bid, ask = self.market.book.bids.best, self.market.book.asks.best
        return ((bid.price, bid.units) if bid else (0, 0)), ((ask.price, ask.units) if ask else (0, 0))

    def clock(self, now_ns: int) -> int:
        """A seeded market lives now."""
        return now_ns


class Publisher(Protocol):
    """What a venue's package makes of one market."""

    def opened(self) -> None:
        """The market has its first book: nothing of it is a change."""

    def publish(self, ns: int) -> None:
        """Publishes what happened since the last call."""

    def tick(self, ns: int, number: int) -> None:
        """A tick, counted from 1."""


P = TypeVar("P", bound=Publisher)


class SeededSource(Generic[P]):
    """Makes the markets of a seed and moves them; see :class:`bloor.simulation.source.Source`.

    Args:
        instruments: What is listed.
        style: How the market of a canonical symbol behaves.
        options: Its seed fixes everything.
        order_id: Gives ids to participants' orders.
        publisher: Makes what the public sees of a market.
        tick_ns: Time between two ticks.
        ticked: Called after the publishers' ticks, with the time and the tick's number.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        style: Callable[[str], MarketStyle],
        options: SimulationOptions,
        order_id: Callable[[], int],
        publisher: Callable[[Market], P],
        *,
        tick_ns: int,
        ticked: Callable[[int, int], None] = lambda _ns, _number: None,
    ) -> None:
        self.published: dict[str, P] = {}
        self.markets: dict[str, Market] = {}
        self.finished = False
        self.deadline_ns = 0
        self._models: list[tuple[Market, SeededMarket, P]] = []
        self._tick_ns = tick_ns
        self._ticked = ticked
        self._next_tick_ns = 0
        self._ticks = 0
        for instrument in instruments:
            market = Market(instrument, MatchingBook())
            name = instrument.venue_symbol
            model = SeededMarket(instrument, market.book, style(instrument.symbol), options, order_id)
            market.driver = model
            published = publisher(market)
            self.markets[name] = market
            self.published[name] = published
            self._models.append((market, model, published))

    def start(self, now_ns: int) -> None:
        """Opens all markets."""
        for _, model, published in self._models:
            model.start(now_ns)
            published.opened()
        self._next_tick_ns = now_ns + self._tick_ns
        self._set_deadline()

    def subscribed(self, now_ns: int) -> None:
        """Somebody listens: a seeded market does not care."""

    def looked(self, now_ns: int) -> None:
        """Somebody asked for market data: a seeded market does not care."""

    def advance(self, exchange: Exchange, now_ns: int) -> None:
        """Everything that is due, in order of time."""
        for _ in range(_MAX_EVENTS):
            if self.deadline_ns > now_ns:
                return
            market, model, published = min(self._models, key=lambda entry: entry[1].next_ns)
            if model.next_ns < self._next_tick_ns:
                ns = model.next_ns
                exchange.absorb(market, model.step(), ns)
                published.publish(ns)
            else:
                self._tick()
            self._set_deadline()

    def resume(self, now_ns: int) -> None:
        """The markets stood still and go on."""
        for _, model, _ in self._models:
            model.next_ns = max(model.next_ns, now_ns)
        self._next_tick_ns = max(self._next_tick_ns, now_ns)
        self._set_deadline()

    def publish(self, now_ns: int) -> None:
        """Publishes what an account's request changed."""
        for published in self.published.values():
            published.publish(now_ns)

    def _tick(self) -> None:
        self._ticks += 1
        for published in self.published.values():
            published.tick(self._next_tick_ns, self._ticks)
        self._ticked(self._next_tick_ns, self._ticks)
        self._next_tick_ns += self._tick_ns

    def _set_deadline(self) -> None:
        self.deadline_ns = min(self._next_tick_ns, *(model.next_ns for _, model, _ in self._models))
