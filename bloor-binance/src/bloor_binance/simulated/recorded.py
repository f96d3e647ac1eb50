"""The market of a recording: its frames go out verbatim, its book answers REST.

An account's orders meet the recorded liquidity but change nothing that the public sees.
"""

from __future__ import annotations

import re
from decimal import Decimal

import orjson
from attrs import evolve

from bloor.model.orders import Side
from bloor.simulation.exchange import Exchange, Market
from bloor.simulation.recorded import RecordedMarket
from bloor.simulation.recorded_book import RecordedBook
from bloor.simulation.venue import SimulationOptions
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.simulated.listing import QTY_DECIMALS
from bloor_binance.simulated.published import TextLevels
from bloor_binance.simulated.streams import StreamHub
from bloor_binance.simulated.tape import Tape
from bloor_binance.simulated.words import price_text, qty_text

__all__ = ["RecordedPublished", "RecordedSource", "stream_frame"]

_COMBINED = re.compile(rb'\s*\{\s*"stream"\s*:\s*"([^"\\]*)"\s*,\s*"data"\s*:\s*(.*\S)\s*\}\s*\Z', re.DOTALL)
#: Stream of a bare frame by its event kind.
_SUFFIXES = {"trade": "@trade", "aggTrade": "@aggTrade", "depthUpdate": "@depth@100ms", "bookTicker": "@bookTicker"}
#: Quote assets of which one is about a dollar: the smallest order there.
_DOLLARS = frozenset({"USDT", "USDC", "BUSD", "TUSD", "FDUSD", "DAI", "USD", "EUR"})


def stream_frame(payload: bytes) -> tuple[str, bytes, bytes] | None:
    """``(stream, combined form, raw form)`` of a recorded frame, its JSON as it was; None when no stream sent it."""
    match = _COMBINED.match(payload)
    if match is not None:
        return match[1].decode(), payload, match[2]
    frame = orjson.loads(payload)
    if not isinstance(frame, dict):
        return None
    if isinstance(frame.get("stream"), str) and "data" in frame:
        return frame["stream"], payload, orjson.dumps(frame["data"])
    symbol = frame.get("s")
    suffix = _SUFFIXES.get(frame.get("e", "bookTicker" if "u" in frame and "B" in frame else ""))
    if suffix is None or not isinstance(symbol, str):
        return None
    stream = symbol.lower() + suffix
    return stream, b'{"stream":"%s","data":%s}' % (stream.encode(), payload), payload


class RecordedPublished:
    """What the public sees of one recorded market."""

    def __init__(self, market: Market, book: RecordedBook) -> None:
        self.market = market
        self.tape = Tape()
        self._book = book

    def follow(self) -> None:
        """Takes in what was recorded since the last call, one trade at most once playing."""
        trades = self._book.trades
        if trades and trades[-1] is not self.tape.last:
            for trade in trades if self.tape.last is None else [trades[-1]]:
                self.tape.add(trade)

    def clock(self, now_ns: int) -> int:
        """The recorded time of the latest trade."""
        return self.tape.last.ns if self.tape.last is not None else now_ns

    @property
    def update_id(self) -> int:
        """Number of the latest recorded change."""
        return self._book.last_seq

    def depth(self, limit: int) -> tuple[TextLevels, TextLevels]:
        """Up to ``limit`` recorded bids and asks."""
        instrument = self.market.instrument
        bids, asks = (
            [
                [price_text(instrument, price), qty_text(instrument, units)]
                for price, units in self._book.depth(side, limit)
            ]
            for side in (Side.BUY, Side.SELL)
        )
        return bids, asks

    def top(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Best recorded bid and ask."""
        bids, asks = self._book.depth(Side.BUY, 1), self._book.depth(Side.SELL, 1)
        return (bids[0] if bids else (0, 0)), (asks[0] if asks else (0, 0))


class RecordedSource:
    """Plays a recording to whoever listens.

    Time begins to run with the first client that looks: a subscription, or a REST request for market data. Flat out, it
    runs only while somebody listens.
    """

    def __init__(self, options: SimulationOptions, hub: StreamHub) -> None:
        self._hub = hub
        self._player = RecordedMarket(options, BinanceSpotNormalizer(), qty_decimals=QTY_DECIMALS)
        self.markets = self._player.markets
        for market in self.markets.values():
            if market.instrument.quote in _DOLLARS:
                market.instrument = evolve(market.instrument, min_notional=Decimal(5))
        self.published = {
            name: RecordedPublished(market, self._player.books[name]) for name, market in self.markets.items()
        }

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
        for published in self.published.values():
            published.follow()

    def subscribed(self, stream: str, now_ns: int) -> None:
        """Somebody listens."""
        self._player.begin(now_ns)

    def looked(self, now_ns: int) -> None:
        """Somebody asked for market data."""
        if not self._player.flat_out:
            self._player.begin(now_ns)

    def advance(self, exchange: Exchange, now_ns: int) -> None:
        """Plays what is due."""
        if self._player.flat_out and not self._hub.listening:
            self._player.pause()
            return
        for played in self._player.play(now_ns):
            frame = stream_frame(played.line.payload)
            if frame is not None:
                self._hub.publish_recorded(*frame)
            if played.book is not None:
                self.published[played.book.market.instrument.venue_symbol].follow()
                exchange.absorb(played.book.market, played.outcomes, now_ns)

    def publish(self, now_ns: int) -> None:
        """Orders of an account are not published here."""
