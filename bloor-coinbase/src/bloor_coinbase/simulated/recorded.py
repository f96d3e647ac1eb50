"""The market of a recording, as Advanced Trade would publish it.

Frames cannot go out as they were recorded: numbers count the frames of each connection, and recordings of the older
Exchange feed have another form. What was recorded is told anew, with the recorded times: changes of books as they come,
trades as they come, tickers with them.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import orjson
from attrs import evolve

from bloor.market.messages import BookMessage
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.exchange import Market
from bloor.simulation.playback import RecordedSource, RecordedView
from bloor.simulation.recorded import PlayedFrame
from bloor.simulation.recorded_book import RecordedBook
from bloor.simulation.recording_contents import decoded
from bloor.simulation.venue import SimulationOptions
from bloor_coinbase.normalizer import CoinbaseNormalizer
from bloor_coinbase.simulated import events
from bloor_coinbase.simulated.connections import Connections
from bloor_coinbase.simulated.intervals import INTERVALS

__all__ = ["RecordedPublished", "recorded_source"]

#: Quote assets of which one is about a dollar: the smallest order there.
_DOLLARS = frozenset({"USD", "USDC", "USDT", "EUR", "GBP", "DAI"})


class RecordedPublished(RecordedView):
    """What the public hears of one recorded market.

    Args:
        market: The market.
        book: What was recorded of its book.
        connections: Where events go.
    """

    def __init__(self, market: Market, book: RecordedBook, connections: Connections) -> None:
        super().__init__(market, book, INTERVALS)
        self._connections = connections
        self._name = market.instrument.venue_symbol

    def changed(self, message: BookMessage, ns: int) -> None:
        """A book message was played."""
        if message.snapshot:
            exch_ns = message.exch_ns or ns
            self._connections.publish("level2", self._name, lambda: events.book_snapshot(self, exch_ns), ns)
        elif message.bids or message.asks:
            self._connections.publish("level2", self._name, lambda: self._update(message, ns), ns)

    def traded(self, ns: int) -> None:
        """Tells what was traded since the last call."""
        trades = self.follow()
        if trades:
            instrument = self.market.instrument
            self._connections.publish(
                "market_trades", self._name, lambda: events.trades(instrument, "update", trades), ns
            )
            for channel in ("ticker", "ticker_batch"):
                self._connections.publish(channel, self._name, partial(self._ticker, channel, "update"), ns)
            self._connections.publish("candles", self._name, lambda: self._candles("update", 1), ns)

    def snapshot(self, channel: str, ns: int) -> bytes | None:
        """The first event of a channel; None where there is nothing yet."""
        if channel == "level2":
            return events.book_snapshot(self, self.clock(ns)) if self.book.known else None
        if self.tape.last is None:
            return None
        if channel == "market_trades":
            recent = self.tape.recent(events.SNAPSHOT_TRADES)
            return events.trades(self.market.instrument, "snapshot", recent)
        if channel == "candles":
            return self._candles("snapshot", events.SNAPSHOT_CANDLES)
        return self._ticker(channel, "snapshot")

    def _update(self, message: BookMessage, ns: int) -> bytes:
        instrument, exch_ns = self.market.instrument, message.exch_ns or ns
        levels = [
            (side, instrument.parse_price(price), instrument.parse_qty(qty), exch_ns)
            for side, changed in ((Side.BUY, message.bids), (Side.SELL, message.asks))
            for price, qty in changed
        ]
        return events.book_update(instrument, levels)

    def _ticker(self, channel: str, kind: str) -> bytes:
        shown = events.ticker(self, self.clock(0), best=channel == "ticker")
        return orjson.dumps({"type": kind, "tickers": [shown]})

    def _candles(self, kind: str, count: int) -> bytes:
        return orjson.dumps({"type": kind, "candles": events.candles(self, count, self.clock(0))})


def recorded_source(options: SimulationOptions, connections: Connections) -> RecordedSource[RecordedPublished]:
    """The source that plays recordings.

    Raises:
        InputFileError: A recording that cannot be played.
    """
    normalizer = CoinbaseNormalizer()

    def played(frame: PlayedFrame, view: RecordedPublished | None) -> None:
        if view is None:
            return
        ns = connections.now_ns
        if connections.wants("level2", view.market.instrument.venue_symbol):
            for message in decoded(frame.line, normalizer):
                if isinstance(message, BookMessage):
                    view.changed(message, ns)
        view.traded(ns)

    return RecordedSource(
        options,
        normalizer,
        lambda market, book: RecordedPublished(market, book, connections),
        played,
        lambda: connections.listening,
        qty_decimals=8,
        refine=_refined,
    )


def _refined(instrument: Instrument) -> Instrument:
    """The venue's rules for an instrument that was read off a recording."""
    return evolve(instrument, min_notional=Decimal(1)) if instrument.quote in _DOLLARS else instrument
