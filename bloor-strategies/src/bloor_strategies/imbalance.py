"""Order-book imbalance: buy when the bids outweigh the asks and the flow agrees, long or flat.

Two signals, both of the book alone:

* The *volume imbalance* of the best ``levels`` levels, ``rho = (B - A) / (B + A)`` with ``B`` and ``A`` the units that
  bid and ask: between -1 (all on the ask) and 1. It predicts the sign of the next market order and the price change
  after it: A. Cartea, R. Donnelly and S. Jaimungal, "Enhancing trading strategies with order book signals", Applied
  Mathematical Finance 25 (2018) 1-35, where the measure is defined and its regimes are studied on Nasdaq data.
* The *order flow imbalance* of the best prices. Between two of them, bid ``P`` with quantity ``q`` and ask ``P'`` with
  ``q'``, an event contributes::

      e = 1{P >= P_before} q - 1{P <= P_before} q_before - 1{P' <= P'_before} q' + 1{P' >= P'_before} q'_before

  as in R. Cont, A. Kukanov and S. Stoikov, "The price impact of order book events", Journal of Financial Econometrics
  12 (2014) 47-88, section 2. Here the sum forgets: contributions halve in ``flow_ms``. Divided by twice the mean
  quantity at the best prices it is a number of ticks: how far that flow moves the price in their stylised book.

The imbalance comes with every change of the book. The flow is counted from the venue's own messages of best bid and
offer where it sends any, otherwise from the book.

An entry asks for ``rho >= entry``, a flow of at least ``flow`` ticks, and a spread of at most ``spread_bps``; it takes
the best ask. What was bought is sold to the best bid when ``rho <= -leave``, or after ``hold_ms``. A spot account
cannot go short: an imbalance towards the ask ends a position and opens none.
"""

from __future__ import annotations

from bloor.hookspecs import hookimpl
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.model.orders import Side
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.params import param
from bloor_strategies.prices import reach

__all__ = ["Imbalance"]

#: How much one message weighs in the mean quantity at the best prices.
_DEPTH_WEIGHT = 0.01


class Imbalance(Strategy):
    """Takes in the direction of the order book's imbalance, long or flat; see the module."""

    name = "imbalance"
    compiled = True

    levels: int = param(3, low=1, high=50, doc="levels on each side whose units are compared")
    entry: float = param(0.6, low=0.0, high=1.0, doc="imbalance from which it buys, 1 is all units on the bid")
    leave: float = param(0.2, low=-1.0, high=1.0, doc="imbalance towards the ask from which it sells, 1 is all units")
    flow: float = param(0.0, low=-1e3, high=1e3, doc="smallest order flow imbalance of an entry, in ticks of impact")
    flow_ms: int = param(500, low=1, high=3_600_000, doc="time in which the flow's memory halves, in ms")
    spread_bps: float = param(1.0, low=0.001, high=1_000.0, doc="widest spread of an entry, in bps")
    hold_ms: int = param(5_000, low=1, high=86_400_000, doc="longest time a position is held, in ms")
    cross_bps: float = param(0.5, low=0.0, high=100.0, doc="how far through the touch an order may pay, in bps")
    value: float = param(2_000.0, low=0.001, high=1e9, doc="value of an entry, in the quote asset")
    cooldown_ms: int = param(500, low=0, high=3_600_000, doc="shortest time between two orders, in ms")

    quoted: bool = False
    bid: int = 0
    bid_qty: float = 0.0
    ask: int = 0
    ask_qty: float = 0.0
    net_flow: float = 0.0
    depth: float = 0.0
    flow_ns: int = 0
    bought_ns: int = 0
    last_order_ns: int = 0

    def on_bbo(self, bbo: EventView, book: BookView, orders: Orders) -> None:
        """Counts the flow."""
        if not book.two_sided:
            self.bid = 0
            return
        self.quoted = True
        self.count(bbo.price, float(bbo.qty), bbo.price2, float(bbo.qty2), orders.now_ns)

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Measures the imbalance and acts on it."""
        if not book.two_sided:
            self.bid = 0
            return
        if not self.quoted:
            self.count(book.best_bid, float(book.bid_qty), book.best_ask, float(book.ask_qty), orders.now_ns)
        if orders.open_orders > 0 or orders.now_ns - self.last_order_ns < self.cooldown_ms * 1_000_000:
            return
        rho = self.imbalance(book)
        if orders.sellable_lots >= orders.min_lots:
            if rho <= -self.leave or orders.now_ns - self.bought_ns >= self.hold_ms * 1_000_000:
                self.last_order_ns = orders.now_ns
                price = max(1, book.best_bid - reach(book.best_bid, self.cross_bps))
                orders.sell(price, orders.sellable_lots, ioc=True)
        elif rho >= self.entry and self.impact() >= self.flow and self.is_narrow(book):
            lots = orders.lots_for(self.value, book.best_ask)
            if lots >= orders.min_lots:
                self.last_order_ns = self.bought_ns = orders.now_ns
                orders.buy(book.best_ask + reach(book.best_ask, self.cross_bps), lots, ioc=True)

    def imbalance(self, book: BookView) -> float:
        """``rho`` of the best levels; 0 where there is nothing to compare."""
        bids = asks = 0.0
        for n in range(self.levels):
            bids += book.level(Side.BUY, n)[1]
            asks += book.level(Side.SELL, n)[1]
        return (bids - asks) / (bids + asks) if bids + asks > 0.0 else 0.0

    def impact(self) -> float:
        """The flow in ticks: how far it moves the price of a book that is as deep everywhere as at its best prices."""
        return self.net_flow / (2.0 * self.depth) if self.depth > 0.0 else 0.0

    def is_narrow(self, book: BookView) -> bool:
        """Whether the spread allows an entry."""
        return book.spread * 2e4 <= self.spread_bps * book.mid2

    def count(self, bid: int, bid_qty: float, ask: int, ask_qty: float, now_ns: int) -> None:
        """Adds what the best prices have become since the last call to the flow."""
        depth = (bid_qty + ask_qty) / 2.0
        if self.bid == 0:
            self.net_flow = 0.0
            self.depth = depth
        else:
            self.net_flow *= 0.5 ** ((now_ns - self.flow_ns) / (self.flow_ms * 1e6))
            self.net_flow += self.contribution(bid, bid_qty, ask, ask_qty)
            self.depth += (depth - self.depth) * _DEPTH_WEIGHT
        self.bid, self.bid_qty, self.ask, self.ask_qty, self.flow_ns = bid, bid_qty, ask, ask_qty, now_ns

    def contribution(self, bid: int, bid_qty: float, ask: int, ask_qty: float) -> float:
        """``e`` of one change of the best prices, in units."""
        e = 0.0
        if bid >= self.bid:
            e += bid_qty
        if bid <= self.bid:
            e -= self.bid_qty
        if ask <= self.ask:
            e -= ask_qty
        if ask >= self.ask:
            e += self.ask_qty
        return e


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``imbalance``."""
    return Imbalance
