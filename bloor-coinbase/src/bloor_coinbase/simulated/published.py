"""What the public hears of one seeded market (docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels").

Every change of the book goes out at once, with the time of the matching engine, and a ``ticker`` with every trade;
trades go out every 250 ms, candles every second, and ``ticker_batch`` every five. Trades show the side of the *maker*.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from bloor.model.orders import Side
from bloor.simulation.exchange import Market, PublicTrade
from bloor.simulation.seeded import SeededView
from bloor_coinbase.simulated import events
from bloor_coinbase.simulated.connections import Connections
from bloor_coinbase.simulated.intervals import INTERVALS

__all__ = ["TICK_NS", "SeededPublished"]

#: Time between two messages of trades.
TICK_NS = 250_000_000
#: How many ticks apart the slower channels are.
CANDLE_TICKS, BATCH_TICKS = 4, 20


class SeededPublished(SeededView):
    """Turns what happens in a market into events; see :class:`bloor.simulation.seeded.Publisher`.

    Args:
        market: The market.
        connections: Where events go.
    """

    def __init__(self, market: Market, connections: Connections) -> None:
        super().__init__(market, INTERVALS)
        self._connections = connections
        self._book = market.instrument.venue_symbol
        self._trades: list[PublicTrade] = []
        self._traded = False

    def opened(self) -> None:
        """The market has its first book: nothing of it is a change."""
        self.market.book.touched.clear()

    def traded(self, trade: PublicTrade) -> None:
        """A trade happened."""
        self.tape.add(trade)
        self._trades.append(trade)
        self._traded = True

    def publish(self, ns: int) -> None:
        """Tells what changed since the last call; a trade moves the ticker at once."""
        touched = self.market.book.touched
        if touched:
            changed = list(touched)
            touched.clear()
            self._connections.publish("level2", self._book, lambda: self._update(changed, ns), ns)
        if self._traded:
            self._traded = False
            self._connections.publish("ticker", self._book, lambda: self._ticker(ns), ns)

    def tick(self, ns: int, number: int) -> None:
        """What is told at intervals."""
        if self._trades:
            trades, self._trades = self._trades, []
            self._connections.publish("market_trades", self._book, lambda: self._trade_event("update", trades), ns)
        if number % CANDLE_TICKS == 0 and self.tape.last is not None:
            self._connections.publish("candles", self._book, lambda: self._candles("update", 1, ns), ns)
        if number % BATCH_TICKS == 0 and self.tape.last is not None:
            self._connections.publish("ticker_batch", self._book, lambda: self._ticker(ns, best=False), ns)

    def snapshot(self, channel: str, ns: int) -> bytes | None:
        """The first event of a channel; None where there is nothing yet."""
        if channel == "level2":
            return events.book_snapshot(self, ns)
        if self.tape.last is None:
            return None
        if channel == "market_trades":
            return self._trade_event("snapshot", self.tape.recent(events.SNAPSHOT_TRADES))
        if channel == "candles":
            return self._candles("snapshot", events.SNAPSHOT_CANDLES, ns)
        return self._ticker(ns, kind="snapshot", best=channel == "ticker")

    # -- events -----------------------------------------------------------------------------------------------------

    def _update(self, changed: Iterable[tuple[Side, int]], ns: int) -> bytes:
        book = self.market.book
        levels = [(side, price, book.units_at(side, price), ns) for side, price in changed]
        return events.book_update(self.market.instrument, levels)

    def _trade_event(self, kind: str, trades: Iterable[PublicTrade]) -> bytes:
        return events.trades(self.market.instrument, kind, trades)

    def _candles(self, kind: str, count: int, ns: int) -> bytes:
        return orjson.dumps({"type": kind, "candles": events.candles(self, count, ns)})

    def _ticker(self, ns: int, *, kind: str = "update", best: bool = True) -> bytes:
        return orjson.dumps({"type": kind, "tickers": [events.ticker(self, ns, best=best)]})
