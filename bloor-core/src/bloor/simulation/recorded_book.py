"""One recorded book: what the venue published, and the matching book that follows it."""

from __future__ import annotations

import heapq
from collections import deque
from functools import lru_cache

from bloor.market.messages import BboMessage, BookMessage, Levels, TradeMessage
from bloor.market.normalizer import SequenceRule
from bloor.market.sync import Action, BookSync
from bloor.model.orders import Side
from bloor.simulation.exchange import RECENT_TRADES, Market, PublicTrade
from bloor.simulation.orders import Outcome, opposite

__all__ = ["RecordedBook"]

_SIDES = (Side.BUY, Side.SELL)


class RecordedBook:
    """Applies recorded messages of one instrument.

    The published levels are exactly the recorded ones, at the recorded number, for REST depth. The matching book
    follows them in whole lots, sooner where best-bid-offer messages run ahead of the changes, and holds our orders
    besides.

    Args:
        market: The instrument and its matching book.
        rule: How the venue numbers changes.
        aggregated: Whether aggregated trades move the queue, since single ones were not recorded.

    Attributes:
        known: Whether a snapshot was spliced.
        last_seq: Number of the latest change in the published levels.
        exch_ns: Venue time of it.
        trades: The latest recorded trades, oldest first.
    """

    def __init__(self, market: Market, rule: SequenceRule, *, aggregated: bool) -> None:
        self.market = market
        self.known = False
        self.last_seq = -1
        self.exch_ns = 0
        self.trades: deque[PublicTrade] = deque(maxlen=RECENT_TRADES)
        self._instrument = market.instrument
        # prices and quantities come again and again
        self._price = lru_cache(1 << 16)(market.instrument.parse_price)
        self._qty = lru_cache(1 << 16)(market.instrument.parse_qty)
        self._book = market.book
        self._sync: BookSync[BookMessage] = BookSync(rule)
        self._limited = rule is not SequenceRule.NONE
        self._aggregated = aggregated
        self._levels: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self._top: BboMessage | None = None
        self._newest_trade = -1

    def depth(self, side: Side, limit: int) -> list[tuple[int, int]]:
        """Up to ``limit`` published levels as ``(ticks, units)``, best first."""
        return heapq.nsmallest(limit, self._levels[side].items(), key=lambda level: -level[0] * side)

    def cut(self, depth: int) -> list[Outcome]:
        """Forgets levels beyond a depth: of those a venue with books of limited depth says nothing any more."""
        outcomes: list[Outcome] = []
        for side in _SIDES:
            levels = self._levels[side]
            while len(levels) > depth:
                worst = (min if side is Side.BUY else max)(levels)
                del levels[worst]
                outcomes += self._book.set_level(side, worst, 0)
        return outcomes

    # -- messages ---------------------------------------------------------------------------------------------------

    def book(self, message: BookMessage) -> list[Outcome]:
        """A snapshot or a change."""
        if message.snapshot:
            limited = self._limited and message.over_stream
            if self._sync.snapshot(message.last_seq, limited=limited) is not Action.LOAD:
                return []
            outcomes = self._load(message)
            while (held := self._sync.release()) is not None:
                outcomes += self._apply(held)
            return outcomes
        action = self._sync.change(message.first_seq, message.last_seq, message.prev_seq, message)
        if action is Action.DROP or not self.known:
            return []
        # after a gap in the recording, what comes is still the best there is to know, until the next snapshot
        return self._apply(message)

    def bbo(self, message: BboMessage) -> list[Outcome]:
        """The venue's own best prices, where they are ahead of the changes."""
        if not self.known or message.seq <= self.last_seq:
            return []
        self._top = message
        return self._follow_top(message)

    def trade(self, message: TradeMessage) -> list[Outcome]:
        """A recorded trade; one that a subscription began with and that was told before is none."""
        if message.aggregated and not self._aggregated:
            return []
        price = self._price(message.price)
        aggressor = Side.BUY if message.taker_side > 0 else Side.SELL
        units = self._qty(message.qty)
        number = int(message.trade_id) if message.trade_id.isdigit() else len(self.trades)
        if message.recent and number <= self._newest_trade:
            return []
        self._newest_trade = max(self._newest_trade, number)
        self.trades.append(PublicTrade(number, price, units, aggressor, message.exch_ns, 0))
        self.market.printed(price)
        if not self.known:
            return []
        return self._book.trade(price, self._lots(units), aggressor, counted=self._counted(message, price, aggressor))

    # -- applying ---------------------------------------------------------------------------------------------------

    def _load(self, message: BookMessage) -> list[Outcome]:
        self.known = True
        outcomes: list[Outcome] = []
        for side, levels in ((Side.BUY, message.bids), (Side.SELL, message.asks)):
            fresh = dict(self._parsed(levels))
            for price in self._levels[side].keys() - fresh.keys():
                outcomes += self._book.set_level(side, price, 0)
            self._levels[side] = fresh
        for side in _SIDES:
            for price, units in self._levels[side].items():
                outcomes += self._book.set_level(side, price, self._lots(units))
        self._stamp(message)
        return outcomes

    def _apply(self, message: BookMessage) -> list[Outcome]:
        changes = {Side.BUY: self._parsed(message.bids), Side.SELL: self._parsed(message.asks)}
        for side in _SIDES:
            for price, units in changes[side]:
                if units:
                    self._levels[side][price] = units
                else:
                    self._levels[side].pop(price, None)
        self._stamp(message)
        ahead = {} if self._top is None else self._tops(self._top)
        outcomes: list[Outcome] = []
        # what goes first makes room: between two messages no recorded book is crossed
        for goes in (True, False):
            for side in _SIDES:
                for price, units in changes[side]:
                    # best prices that are ahead of the changes know more of the best levels
                    known = side in ahead and (price - ahead[side][0]) * side >= 0
                    if not known and goes is not bool(units):
                        outcomes += self._book.set_level(side, price, self._lots(units))
        return outcomes

    def _stamp(self, message: BookMessage) -> None:
        self.last_seq = message.last_seq
        self.exch_ns = message.exch_ns or self.exch_ns
        if self._top is not None and self._top.seq <= self.last_seq:
            self._top = None

    def _follow_top(self, message: BboMessage) -> list[Outcome]:
        """Makes the matching book agree with best prices that are ahead of the changes."""
        outcomes: list[Outcome] = []
        tops = self._tops(message)
        for side in _SIDES:
            self._book.clear_better(side, tops[side][0])
        for side in _SIDES:
            outcomes += self._book.set_level(side, *tops[side])
        return outcomes

    def _tops(self, message: BboMessage) -> dict[Side, tuple[int, int]]:
        return {
            Side.BUY: (self._price(message.bid), self._lots(self._qty(message.bid_qty))),
            Side.SELL: (self._price(message.ask), self._lots(self._qty(message.ask_qty))),
        }

    def _counted(self, message: TradeMessage, price: int, aggressor: Side) -> bool:
        """Whether the levels already reflect a trade: best prices usually come before the trade that made them."""
        if message.exch_ns <= self.exch_ns:
            return True
        return self._top is not None and self._tops(self._top)[opposite(aggressor)][0] == price

    def _parsed(self, levels: Levels) -> list[tuple[int, int]]:
        return [(self._price(price), self._qty(qty)) for price, qty in levels]

    def _lots(self, units: int) -> int:
        """Whole lots: books hold dust that no order can trade."""
        return units - units % self._instrument.lot_units
