"""The markets of a recording as a venue publishes them.

An account's orders meet the recorded liquidity but change nothing that the public sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from bloor.market.normalizer import Normalizer
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.exchange import Exchange, Market, PublicTrade
from bloor.simulation.intervals import Interval
from bloor.simulation.recorded import PlayedFrame, RecordedMarket
from bloor.simulation.recorded_book import RecordedBook
from bloor.simulation.source import Top
from bloor.simulation.tape import Tape
from bloor.simulation.venue import SimulationOptions

__all__ = ["RecordedSource", "RecordedView"]


class RecordedView:
    """What the public sees of one recorded market; see :class:`bloor.simulation.source.PublicView`.

    Args:
        market: The market.
        book: What was recorded of its book.
        intervals: What the venue has candlesticks of, by its own names.
    """

    def __init__(self, market: Market, book: RecordedBook, intervals: Mapping[str, Interval]) -> None:
        self.market = market
        self.tape = Tape(intervals)
        self.book = book

    def follow(self) -> list[PublicTrade]:
        """Takes in what was traded since the last call, oldest first, and returns it."""
        fresh: list[PublicTrade] = []
        for trade in reversed(self.book.trades):
            if trade is self.tape.last:
                break
            fresh.append(trade)
        fresh.reverse()
        for trade in fresh:
            self.tape.add(trade)
        return fresh

    def levels(self, side: Side, limit: int) -> list[tuple[int, int]]:
        """Up to ``limit`` recorded levels as ``(ticks, units)``, best first."""
        return self.book.depth(side, limit)

    def top(self) -> Top:
        """Best recorded bid and ask."""
        bids, asks = self.levels(Side.BUY, 1), self.levels(Side.SELL, 1)
        return (bids[0] if bids else (0, 0)), (asks[0] if asks else (0, 0))

    def clock(self, now_ns: int) -> int:
        """The recorded time of the latest trade."""
        return self.tape.last.ns if self.tape.last is not None else now_ns


V = TypeVar("V", bound=RecordedView)


class RecordedSource(Generic[V]):
    """Plays a recording to whoever listens; see :class:`bloor.simulation.source.Source`.

    Time begins to run with the first client that looks: a subscription, or a REST request for market data. Flat out, it
    runs only while somebody listens.

    Args:
        options: The recordings and the pace.
        normalizer: The venue's reference normalizer.
        view: Makes what the public sees of a market.
        played: Called after each frame with it and, where it is about a known market, what the public sees of that.
        listening: Tells whether anybody listens.
        qty_decimals: Decimals of the venue's printed quantities, at least.
        refine: What the venue's rules add to an instrument that was read off a recording.

    Raises:
        InputFileError: A recording that cannot be played.
    """

    def __init__(
        self,
        options: SimulationOptions,
        normalizer: Normalizer,
        view: Callable[[Market, RecordedBook], V],
        played: Callable[[PlayedFrame, V | None], None],
        listening: Callable[[], bool],
        *,
        qty_decimals: int = 0,
        refine: Callable[[Instrument], Instrument] = lambda instrument: instrument,
    ) -> None:
        self._played = played
        self._listening = listening
        self._player = RecordedMarket(options, normalizer, qty_decimals=qty_decimals)
        self.markets = self._player.markets
        for market in self.markets.values():
            market.instrument = refine(market.instrument)
        self.published = {name: view(market, self._player.books[name]) for name, market in self.markets.items()}

    @property
    def deadline_ns(self) -> int:
        """When the next frame is due."""
        return self._player.deadline_ns

    @property
    def finished(self) -> bool:
        """Whether the last frame was played."""
        return self._player.finished

    def start(self, now_ns: int) -> None:
        """Reads up to the first known book."""
        self._player.start()
        for view in self.published.values():
            view.follow()

    def subscribed(self, now_ns: int) -> None:
        """Somebody listens."""
        self._player.begin(now_ns)

    def looked(self, now_ns: int) -> None:
        """Somebody asked for market data."""
        if not self._player.flat_out:
            self._player.begin(now_ns)

    def advance(self, exchange: Exchange, now_ns: int) -> None:
        """Plays what is due."""
        if self._player.flat_out and not self._listening():
            self._player.pause()
            return
        for frame in self._player.play(now_ns):
            book = frame.book
            self._played(frame, None if book is None else self.published[book.market.instrument.venue_symbol])
            if book is not None:
                exchange.absorb(book.market, frame.outcomes, now_ns)

    def resume(self, now_ns: int) -> None:
        """The recording stood still and goes on, if it was playing."""
        if self._player.begun:
            self._player.pause()
            self._player.begin(now_ns)

    def publish(self, now_ns: int) -> None:
        """Orders of an account are not published here."""
