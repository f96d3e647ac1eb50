"""Momentum: follow the trend of trade prices, long or flat.

Two exponential moving averages of the trade price, counted in trades. When the fast one rises above the slow one by
more than ``threshold`` (in units of the recent mean absolute move per trade, so that the same number suits any
instrument), buy; when it falls below by the same, sell what was bought. A spot account cannot go short: below, the
strategy is flat. The shorter of the two spans is the fast one's, whichever is called so.

Orders are limit orders through the touch by ``cross_bps`` at most, immediate-or-cancel: what does not trade at once
is gone, and the strategy never rests in the book.

Source of the rule: the crossover of two moving averages with a band, as in W. Brock, J. Lakonishok and B. LeBaron,
"Simple technical trading rules and the stochastic properties of stock returns", Journal of Finance 47 (1992) 1731-1764.
Their averages are simple ones of daily closes and their band is a part of the price; here the averages are
exponential, ``2 / (span + 1)`` the weight of the last trade, and the band follows the market.
"""

from __future__ import annotations

from bloor.hookspecs import hookimpl
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.params import param
from bloor_strategies.prices import reach

__all__ = ["Momentum"]


class Momentum(Strategy):
    """Trend following on trades, long or flat; see the module."""

    name = "momentum"
    compiled = True

    fast: int = param(5, low=1, high=10_000, doc="span of the fast average, in trades")
    slow: int = param(20, low=2, high=100_000, doc="span of the slow average, in trades")
    threshold: float = param(0.4, low=0.0, high=100.0, doc="entry and exit band, in mean absolute moves per trade")
    cross_bps: float = param(0.8, low=0.0, high=100.0, doc="how far through the touch an order may pay, in bps")
    value: float = param(2_000.0, low=0.001, high=1e9, doc="value of an entry, in the quote asset")
    cooldown_ms: int = param(250, low=0, high=3_600_000, doc="shortest time between two orders, in ms")

    seen: int = 0
    ema_fast: float = 0.0
    ema_slow: float = 0.0
    move: float = 0.0
    last_price: int = 0
    last_order_ns: int = 0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Updates the averages and acts on their distance."""
        price = trade.price
        slow = max(self.fast, self.slow)
        if self.seen == 0:
            self.ema_fast = self.ema_slow = float(price)
        else:
            self.ema_fast += (price - self.ema_fast) * 2.0 / (min(self.fast, self.slow) + 1.0)
            self.ema_slow += (price - self.ema_slow) * 2.0 / (slow + 1.0)
            self.move += (abs(price - self.last_price) - self.move) * 2.0 / (slow + 1.0)
        self.last_price = price
        self.seen += 1
        if self.seen <= slow or orders.open_orders > 0 or not book.two_sided:
            return
        if orders.now_ns - self.last_order_ns < self.cooldown_ms * 1_000_000:
            return
        edge = self.ema_fast - self.ema_slow
        band = self.threshold * self.move
        if edge > band and orders.sellable_lots < orders.min_lots:
            lots = orders.lots_for(self.value, book.best_ask)
            if lots >= orders.min_lots:
                self.last_order_ns = orders.now_ns
                orders.buy(book.best_ask + reach(book.best_ask, self.cross_bps), lots, ioc=True)
        elif edge < -band and orders.sellable_lots >= orders.min_lots:
            self.last_order_ns = orders.now_ns
            orders.sell(book.best_bid - reach(book.best_bid, self.cross_bps), orders.sellable_lots, ioc=True)


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``momentum``."""
    return Momentum
