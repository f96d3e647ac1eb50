"""The market of a seed: one model per listed pair, their events merged in time, depth streams on a 100 ms grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bloor.model.instrument import Instrument
from bloor.simulation.exchange import Exchange, Market
from bloor.simulation.market import SeededMarket
from bloor.simulation.matching import MatchingBook
from bloor_binance.simulated.listing import styles
from bloor_binance.simulated.published import DEPTH_INTERVAL_NS, SeededPublished
from bloor_binance.simulated.streams import StreamHub
from bloor_binance.simulated.ticker_streams import publish_all

__all__ = ["SeededSource"]

#: Events in one advance: a process that was stopped for a while catches up in pieces.
_MAX_EVENTS = 2_000


class SeededSource:
    """Makes the markets of a seed and moves them.

    Args:
        instruments: What is listed.
        seed: Fixes everything.
        hub: Where stream payloads go.
        order_id: Gives ids to participants' orders.
    """

    def __init__(
        self, instruments: Sequence[Instrument], seed: int, hub: StreamHub, order_id: Callable[[], int]
    ) -> None:
        self.published: dict[str, SeededPublished] = {}
        self.markets: dict[str, Market] = {}
        self.finished = False
        self.deadline_ns = 0
        self._models: list[tuple[Market, SeededMarket, SeededPublished]] = []
        self._hub = hub
        self._next_tick_ns = 0
        self._ticks = 0
        for instrument in instruments:
            market = Market(instrument, MatchingBook())
            name = instrument.venue_symbol
            model = SeededMarket(
                instrument,
                market.book,
                styles(instrument.symbol),
                seed=f"{seed} {instrument.venue} {instrument.symbol}",
                path=f"{seed} {instrument.base}",
                order_id=order_id,
            )
            market.driver = model
            published = SeededPublished(market, hub)
            self.markets[name] = market
            self.published[name] = published
            self._models.append((market, model, published))
        self._tickers = [published.tickers for published in self.published.values()]

    def start(self, now_ns: int) -> None:
        """Opens all markets."""
        for _, model, published in self._models:
            model.start(now_ns)
            published.opened()
        self._next_tick_ns = now_ns + DEPTH_INTERVAL_NS
        self._set_deadline()

    def subscribed(self, stream: str, now_ns: int) -> None:
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

    def publish(self, now_ns: int) -> None:
        """Publishes what an account's request changed."""
        for published in self.published.values():
            published.publish(now_ns)

    def _tick(self) -> None:
        self._ticks += 1
        for published in self.published.values():
            published.tick(self._next_tick_ns, self._ticks)
        publish_all(self._hub, self._tickers, self._next_tick_ns, self._ticks)
        self._next_tick_ns += DEPTH_INTERVAL_NS

    def _set_deadline(self) -> None:
        self.deadline_ns = min(self._next_tick_ns, *(model.next_ns for _, model, _ in self._models))
