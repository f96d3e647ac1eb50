"""Two resting quotes about the mid, kept where a model wants them; what the market makers here have in common.

A model says two numbers, in basis points of the mid: how far both quotes are from the mid while the inventory is what
it should be, and by how much each order of inventory beyond that moves both of them down. Here they become orders:

- at most one buy and one sell order, both post-only, never through the mid and never through one another;
- a quote that is more than ``tolerance_bps`` from where it should be is cancelled, and placed anew once it is gone: so
  inventory is never promised twice, and no venue needs to know how to replace an order;
- at most one request for each side in ``interval_ms``, refusals and denials included;
- no quote is nearer to the mid than ``least_bps``, and none is made farther from it than ``farthest_bps``.

**Spot accounts.** Inventory is what can be sold: what was bought, less fees taken in the base asset, and what the
account was given. It is counted in orders, and the model sees how far it is from ``target``. Nothing is ever sold
short: without inventory there is no sell order. From an empty account the first quotes are buys, moved up by the
skew of an inventory that is ``target`` orders too small: so it acquires its inventory as a maker, too. It buys no more
when another order would take it past ``most``, and steers to no more than that.
"""

from __future__ import annotations

import math

from bloor.execution.life import Status
from bloor.market.events import EventView
from bloor.market.view import BookState, BookView
from bloor.model.orders import Side
from bloor.strategy.api import Orders, OrderUpdate
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param
from bloor_strategies.measured import Measured

__all__ = ["ASK", "BID", "Quoting"]

#: Index of each side in the arrays.
BID, ASK = 0, 1
SIDES = (Side.BUY, Side.SELL)
#: How long a side waits after a request of it that was denied or refused.
PAUSE_NS = 1_000_000_000
SYNCED = BookState.SYNCED
REJECTED, EXPIRED = Status.REJECTED, Status.EXPIRED


class Quoting(Measured):
    """Two post-only quotes at the least distance from the mid, until a model says better; see the module."""

    value: float = param(1_000.0, low=0.001, high=1e9, doc="value of an order, in the quote asset")
    target: float = param(2.0, low=0.0, high=1_000.0, doc="inventory that it steers to, in orders")
    most: float = param(4.0, low=1.0, high=1_000.0, doc="inventory that it does not buy beyond, in orders")
    least_bps: float = param(0.0, low=0.0, high=1_000.0, doc="least distance of a quote from the mid, in bps")
    farthest_bps: float = param(100.0, low=0.01, high=1_000.0, doc="a quote farther than this is not made, in bps")
    tolerance_bps: float = param(0.2, low=0.0, high=1_000.0, doc="how far off a quote may rest, in bps")
    interval_ms: int = param(200, low=1, high=3_600_000, doc="shortest time between two requests for a side, in ms")
    warm_s: float = param(2.0, low=0.0, high=86_400.0, doc="how long to measure before the first quote, in seconds")

    stopped: bool = False
    number: Array[int] = array(2)
    price: Array[int] = array(2)
    due_ns: Array[int] = array(2)

    def terms(self) -> tuple[float, float]:
        """What the model says: distance of both quotes from the mid, and skew for each order of inventory, in bps."""
        return self.least_bps, 0.0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Counts how deep it reached; the quotes follow the book."""
        self.saw(trade.price, trade.side)

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Looks after the quotes."""
        self.quote(book, orders)

    def on_order(self, order: OrderUpdate, book: BookView, orders: Orders) -> None:
        """A quote that is gone is made anew."""
        if not order.closed:
            return
        for i in range(2):
            if self.number[i] == order.number:
                self.number[i] = 0
                if order.filled == 0 and (order.status == REJECTED or order.status == EXPIRED):
                    self.due_ns[i] = max(self.due_ns[i], orders.now_ns + PAUSE_NS)
                self.quote(book, orders)
                return

    def on_stop(self, orders: Orders) -> None:
        """No quote any more."""
        self.stopped = True

    def quote(self, book: BookView, orders: Orders) -> None:
        """Measures, and brings both quotes where they should be."""
        if self.stopped or book.state != SYNCED or not book.two_sided:
            return
        mid = self.middle(book, orders)
        if mid <= 0.0:
            return
        self.sample(mid, orders.now_ns)
        lots = orders.lots_for(self.value, book.best_ask)
        if self.watched_s < self.warm_s or lots < orders.min_lots:
            return
        sellable = orders.sellable_lots
        if self.number[ASK] != 0:
            sellable += orders.open_sell // orders.lot_units
        held = sellable / lots
        half, skew = self.terms()
        shift = skew * (held - min(self.target, self.most))
        bid = self.below(mid, half + shift, book.best_ask) if held + 1.0 <= self.most else 0
        ask = self.above(mid, half - shift, book.best_bid) if 2 * sellable >= lots else 0
        for i in range(2):
            self.keep(i, bid if i == BID else ask, lots if i == BID else min(lots, sellable), mid, orders)

    def middle(self, book: BookView, orders: Orders) -> float:
        """The mid in ticks, a best price left out that is nobody's but ours: or the quotes would follow themselves."""
        bid = self.beyond(BID, book.best_bid, book.bid_qty == orders.open_buy, book)
        ask = self.beyond(ASK, book.best_ask, book.ask_qty == orders.open_sell, book)
        return (bid + ask) * 0.5

    def beyond(self, i: int, best: int, alone: bool, book: BookView) -> int:
        """The best price of a side, or the next one where the best is our quote, ``alone`` there."""
        if self.number[i] == 0 or best != self.price[i] or not alone:
            return best
        price, units = book.level(SIDES[i], 1)
        return price if units > 0 else best

    def below(self, mid: float, distance: float, best_ask: int) -> int:
        """The price in ticks of a buy order at a distance in bps; 0 for none."""
        distance = max(distance, self.least_bps)
        if distance > self.farthest_bps:
            return 0
        price = min(math.floor(mid - distance * mid * 1e-4), best_ask - 1)
        if self.number[ASK] != 0:
            price = min(price, self.price[ASK] - 1)
        return max(price, 0)

    def above(self, mid: float, distance: float, best_bid: int) -> int:
        """The price in ticks of a sell order at a distance in bps; 0 for none."""
        distance = max(distance, self.least_bps)
        if distance > self.farthest_bps:
            return 0
        price = max(math.ceil(mid + distance * mid * 1e-4), best_bid + 1)
        if self.number[BID] != 0:
            price = max(price, self.price[BID] + 1)
        return price

    def keep(self, i: int, wanted: int, lots: int, mid: float, orders: Orders) -> None:
        """Brings the quote of one side to the price wanted, 0 for none, as far as the pace allows."""
        now = orders.now_ns
        if now < self.due_ns[i]:
            return
        next_ns = now + self.interval_ms * 1_000_000
        if self.number[i] != 0:
            if wanted == 0 or abs(wanted - self.price[i]) > self.tolerance_bps * mid * 1e-4:
                self.due_ns[i] = next_ns
                orders.cancel(self.number[i])
        elif wanted > 0 and lots >= orders.min_lots:
            number = orders.buy(wanted, lots, post_only=True) if i == BID else orders.sell(wanted, lots, post_only=True)
            self.number[i], self.price[i] = number, wanted
            self.due_ns[i] = next_ns if number != 0 else now + PAUSE_NS
