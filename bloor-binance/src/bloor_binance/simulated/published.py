"""What the public sees of one seeded market: trades, best prices, depth (web-socket-streams.md).

``u`` of the streams and ``lastUpdateId`` of the REST depth count changed levels, so that a client may splice them by
the published rule, and the best prices of a book that it keeps equal the ``bookTicker`` of the same ``u``.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from bloor.model.orders import Side
from bloor.simulation.exchange import Market, PublicTrade
from bloor.simulation.seeded import SeededView
from bloor.simulation.source import PublicView, Top
from bloor.simulation.tape import Aggregate
from bloor_binance.simulated.intervals import INTERVALS
from bloor_binance.simulated.streams import StreamHub
from bloor_binance.simulated.ticker_streams import TickerStreams
from bloor_binance.simulated.words import price_text, qty_text

__all__ = ["DEPTH_INTERVAL_NS", "Published", "SeededPublished", "TextLevels", "text_levels"]

#: The two speeds of the depth streams in ns, and how many fast ticks a slow one is.
DEPTH_INTERVAL_NS = 100_000_000
SLOW_TICKS = 10
_PARTIAL = (5, 10, 20)

TextLevels = list[list[str]]


class Published(PublicView, Protocol):
    """What public requests ask of one market."""

    @property
    def update_id(self) -> int:
        """Id of the latest change of the public book."""

    def depth(self, limit: int) -> tuple[TextLevels, TextLevels]:
        """Up to ``limit`` bids and asks."""


class _Diff:
    """Levels that changed since a depth stream was last sent."""

    __slots__ = ("sent_id", "touched")

    def __init__(self, sent_id: int) -> None:
        self.sent_id = sent_id
        self.touched: dict[tuple[Side, int], None] = {}


class SeededPublished(SeededView):
    """Turns what happens in a market into stream payloads.

    Args:
        market: The market.
        hub: Where payloads go.

    Attributes:
        tickers: Its streams made of trades.
    """

    def __init__(self, market: Market, hub: StreamHub) -> None:
        super().__init__(market, INTERVALS)
        self._update_id = 1_000_000
        self._hub = hub
        self._name = market.instrument.venue_symbol
        self._stream = self._name.lower()
        self._diffs = {"@depth@100ms": _Diff(self._update_id), "@depth": _Diff(self._update_id)}
        self._best: Top = self.top()
        self._trades: list[PublicTrade] = []
        self.tickers = TickerStreams(market.instrument, self.tape, self.top, hub)

    @property
    def update_id(self) -> int:
        """Id of the latest change of the public book."""
        return self._update_id

    def depth(self, limit: int) -> tuple[TextLevels, TextLevels]:
        """Up to ``limit`` bids and asks, as text."""
        return text_levels(self, limit)

    def opened(self) -> None:
        """The market has its first book: nothing of it is a change."""
        self.market.book.touched.clear()
        self._best = self.top()

    def traded(self, trade: PublicTrade) -> None:
        """A trade happened; it is published with the change it made."""
        self.tape.add(trade)
        self._trades.append(trade)

    def publish(self, ns: int) -> None:
        """Publishes what happened since the last call."""
        touched = self.market.book.touched
        if touched:
            self._update_id += len(touched)
            for diff in self._diffs.values():
                diff.touched.update(touched)
            touched.clear()
            top = self.top()
            if top != self._best:
                self._best = top
                self._hub.publish(f"{self._stream}@bookTicker", lambda _: self._ticker())
        if self._trades:
            trades, self._trades = self._trades, []
            for trade in trades:
                self._hub.publish(f"{self._stream}@trade", partial(self._trade, trade, ns))
            for aggregate in self.tape.fresh():
                self._hub.publish(f"{self._stream}@aggTrade", partial(self._aggregate, aggregate, ns))

    def tick(self, ns: int, number: int) -> None:
        """A tick of the depth streams."""
        self._send_diff("@depth@100ms", ns)
        slow = number % SLOW_TICKS == 0
        if slow:
            self._send_diff("@depth", ns)
        for levels in _PARTIAL:
            for suffix in ("@100ms", "") if slow else ("@100ms",):
                self._hub.publish(f"{self._stream}@depth{levels}{suffix}", partial(self._partial, levels))
        self.tickers.tick(ns, number)

    def _send_diff(self, suffix: str, ns: int) -> None:
        diff = self._diffs[suffix]
        if not diff.touched:
            return
        first, diff.sent_id = diff.sent_id + 1, self._update_id
        levels, diff.touched = diff.touched, {}
        self._hub.publish(self._stream + suffix, partial(self._diff, levels, first, ns))

    # -- payloads ---------------------------------------------------------------------------------------------------

    def _levels(self, side: Side, touched: dict[tuple[Side, int], None]) -> str:
        instrument, book = self.market.instrument, self.market.book
        return ",".join(
            f'["{price_text(instrument, price)}","{qty_text(instrument, book.units_at(side, price))}"]'
            for changed, price in sorted(touched, key=lambda entry: -entry[1] * side)
            if changed is side
        )

    def _trade(self, trade: PublicTrade, ns: int, unit: int) -> bytes:
        i = self.market.instrument
        price, qty = price_text(i, trade.price), qty_text(i, trade.units)
        maker = "true" if trade.aggressor is Side.SELL else "false"
        return (
            f'{{"e":"trade","E":{ns // unit},"s":"{self._name}","t":{trade.trade_id},"p":"{price}",'
            f'"q":"{qty}","T":{trade.ns // unit},"m":{maker},"M":true}}'
        ).encode()

    def _aggregate(self, aggregate: Aggregate, ns: int, unit: int) -> bytes:
        i, a = self.market.instrument, aggregate
        maker = "true" if a.aggressor is Side.SELL else "false"
        return (
            f'{{"e":"aggTrade","E":{ns // unit},"s":"{self._name}","a":{a.number},"p":"{price_text(i, a.price)}",'
            f'"q":"{qty_text(i, a.units)}","f":{a.first_id},"l":{a.last_id},"T":{a.ns // unit},'
            f'"m":{maker},"M":true}}'
        ).encode()

    def _ticker(self) -> bytes:
        i = self.market.instrument
        (bid, bid_units), (ask, ask_units) = self._best
        return (
            f'{{"u":{self._update_id},"s":"{self._name}","b":"{price_text(i, bid)}","B":"{qty_text(i, bid_units)}",'
            f'"a":"{price_text(i, ask)}","A":"{qty_text(i, ask_units)}"}}'
        ).encode()

    def _diff(self, touched: dict[tuple[Side, int], None], first: int, ns: int, unit: int) -> bytes:
        return (
            f'{{"e":"depthUpdate","E":{ns // unit},"s":"{self._name}","U":{first},"u":{self._update_id},'
            f'"b":[{self._levels(Side.BUY, touched)}],"a":[{self._levels(Side.SELL, touched)}]}}'
        ).encode()

    def _partial(self, limit: int, _unit: int) -> bytes:
        bids, asks = self.depth(limit)
        return f'{{"lastUpdateId":{self._update_id},"bids":{_text(bids)},"asks":{_text(asks)}}}'.encode()


def text_levels(view: PublicView, limit: int) -> tuple[TextLevels, TextLevels]:
    """Up to ``limit`` bids and asks of a market as Binance prints them."""
    instrument = view.market.instrument
    bids, asks = (
        [[price_text(instrument, price), qty_text(instrument, units)] for price, units in view.levels(side, limit)]
        for side in (Side.BUY, Side.SELL)
    )
    return bids, asks


def _text(levels: TextLevels) -> str:
    return "[" + ",".join(f'["{price}","{units}"]' for price, units in levels) + "]"
