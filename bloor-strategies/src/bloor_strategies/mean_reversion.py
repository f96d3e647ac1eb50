"""Mean reversion: buy what is far below the mean that it has been returning to, sell it on the way back; long or flat.

The logarithm of the mid price, sampled every ``sample_ms``, is fitted by an Ornstein-Uhlenbeck process over the last
``window`` samples (:mod:`bloor_strategies.reversion`). The signal is its distance from the fitted mean in standard
deviations of the equilibrium, the *s-score* of M. Avellaneda and J.-H. Lee, "Statistical arbitrage in the US equities
market", Quantitative Finance 10 (2010) 761-782, whose rule for a long position is: open it when ``s < -1.25``, close it
when ``s > -0.50``, and only where the process returns fast enough for the window. They apply it to the residuals of
stocks, daily; here it is the price itself, at any pace.

An entry asks for ``s <= -entry``, a half-life of at most ``half_life`` samples, a Dickey-Fuller statistic that rules
out a random walk at the level of ``test`` (0, the default, asks for no test), and a way of at least ``edge_bps`` from
the best ask, which it pays, to the bid at which it will sell. With a test it mostly stays out of a random walk: one
window in ten, twenty or hundred passes by chance.

The entry fixes the levels of its exit, as T. Leung and X. Li, "Optimal mean reversion trading with transaction costs
and stop-loss exit", International Journal of Theoretical and Applied Finance 18 (2015) 1550020, do for one process:
what was bought is sold when the best bid has come back to ``mean - leave * deviation``, when it has fallen to
``mean - stop * deviation``, or after ``hold`` half-lives, at least ten samples. After a stop, or a position that was
held too long, no entry is made before the price has been back at the mean of the present fit; and none is made where
the bid is at the stop already (the region of entry of Leung and Li ends above it, too). Orders pay through the touch by
``cross_bps`` at most, rounded up to a tick, but a buy no more than ``edge_bps`` below the exit's price, and a sale
without loss no less than that.

A spot account cannot go short: a price far above its mean opens nothing.
"""

from __future__ import annotations

import math

from bloor.hookspecs import hookimpl
from bloor.market.view import BookView
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param
from bloor_strategies.prices import reach
from bloor_strategies.reversion import critical, half_life, reversion
from bloor_strategies.sampling import Sampled

__all__ = ["MeanReversion"]

#: Most samples of a window.
_WINDOW = 512
#: Fewest samples that a position may be held.
_HOLD = 10.0


class MeanReversion(Sampled):
    """Buys below a fitted mean and sells on the way back, long or flat; see the module."""

    name = "mean-reversion"
    compiled = True

    window: int = param(40, low=20, high=_WINDOW, doc="samples in the fit")
    entry: float = param(1.25, low=0.0, high=10.0, doc="how far below the mean it buys, in standard deviations")
    leave: float = param(0.5, low=-10.0, high=10.0, doc="how far below the mean it sells, in standard deviations")
    stop: float = param(4.0, low=0.1, high=100.0, doc="how far below the mean it gives up, in standard deviations")
    hold: float = param(10.0, low=0.1, high=1_000.0, doc="longest time a position is held, in half-lives of the fit")
    half_life: float = param(30.0, low=0.1, high=10_000.0, doc="longest half-life of an entry, in samples")
    test: int = param(0, low=0, high=3, doc="random walk ruled out at: 0 no level, 1 10 %, 2 5 %, 3 1 %")
    edge_bps: float = param(0.0, low=0.0, high=1_000.0, doc="shortest way from the best ask to the exit, in bps")
    cross_bps: float = param(0.5, low=0.0, high=100.0, doc="how far through the touch an order may pay, in bps")
    value: float = param(2_000.0, low=0.001, high=1e9, doc="value of an entry, in the quote asset")
    cooldown_ms: int = param(250, low=0, high=3_600_000, doc="shortest time between two orders, in ms")

    samples: Array[float] = array(_WINDOW)
    newest: int = -1
    count: int = 0
    last: float = 0.0

    b: float = 1.0
    mean: float = 0.0
    deviation: float = 0.0
    statistic: float = 0.0
    waits: bool = False
    target: float = 0.0
    floor: float = 0.0
    until_ns: int = 0
    last_order_ns: int = 0

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Samples the mid price and acts on where it is."""
        if not book.two_sided:
            return
        x = math.log(book.mid2 / 2.0)
        self.sample(x, orders.now_ns)
        if self.deviation > 0.0 and x >= self.mean:
            self.waits = False
        if orders.open_orders > 0 or orders.now_ns - self.last_order_ns < self.cooldown_ms * 1_000_000:
            return
        if orders.sellable_lots >= orders.min_lots:
            self.sell(book, orders)
        elif self.is_low(x, math.log(float(book.best_ask))):
            self.buy(book, orders)

    def sample(self, x: float, now_ns: int) -> None:
        """Takes the samples that are due, and fits anew."""
        due = self.due(now_ns, self.window)
        if due < 0:
            self.count = 0
            self.deviation = 0.0
            self.keep(x)
        elif due > 0:
            for _ in range(due):
                self.keep(self.last)
            if self.count == self.window:
                self.b, self.mean, self.deviation, self.statistic = reversion(self.samples, self.newest, self.count)
        self.last = x

    def keep(self, x: float) -> None:
        """One sample more."""
        self.newest = (self.newest + 1) % _WINDOW
        self.samples[self.newest] = x
        self.count = min(self.count + 1, self.window)

    def is_low(self, x: float, ask: float) -> bool:
        """Whether the price is low enough, returns to its mean, and does so from the ask to the exit."""
        if self.waits or self.deviation <= 0.0 or x > self.mean - self.entry * self.deviation:
            return False
        if half_life(self.b) > self.half_life or self.statistic > critical(self.test, 1, self.count):
            return False
        return (self.mean - self.leave * self.deviation - ask) * 1e4 >= self.edge_bps

    def buy(self, book: BookView, orders: Orders) -> None:
        """Buys, and fixes where that will be sold."""
        lots = orders.lots_for(self.value, book.best_ask)
        if lots < orders.min_lots:
            return
        self.target = self.mean - self.leave * self.deviation
        self.floor = self.mean - self.stop * self.deviation
        if math.log(float(book.best_bid)) <= self.floor:
            return
        longest = max(self.hold * half_life(self.b), _HOLD) * (self.sample_ms * 1e6)
        self.until_ns = orders.now_ns + int(min(longest, 1e18))
        self.last_order_ns = orders.now_ns
        highest = int(math.exp(self.target - self.edge_bps * 1e-4))
        price = min(book.best_ask + reach(book.best_ask, self.cross_bps), highest)
        orders.buy(max(price, book.best_ask), lots, ioc=True)

    def sell(self, book: BookView, orders: Orders) -> None:
        """Sells what is held when it has come back, or when it will not."""
        bid = math.log(float(book.best_bid))
        lost = bid <= self.floor or orders.now_ns >= self.until_ns
        if bid >= self.target or lost:
            self.waits = self.waits or lost
            self.last_order_ns = orders.now_ns
            price = max(1, book.best_bid - reach(book.best_bid, self.cross_bps))
            if not lost:
                price = min(max(price, int(math.exp(self.target))), book.best_bid)
            orders.sell(price, orders.sellable_lots, ioc=True)


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``mean-reversion``."""
    return MeanReversion
