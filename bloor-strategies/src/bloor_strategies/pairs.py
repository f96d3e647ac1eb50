"""Pairs trading by cointegration: two instruments, the one that has become cheap against the other, from an inventory.

Of two instruments of one quote asset, ``y`` the first that the run names and ``x`` the second, the logarithms of the
mid prices are sampled every ``sample_ms``. Over the last ``window`` samples

1. ``log y = alpha + beta log x + u`` is fitted by least squares, and it is tested whether ``u`` returns to its mean:
   the two steps of R. F. Engle and C. W. J. Granger, "Co-integration and error correction: representation, estimation,
   and testing", Econometrica 55 (1987) 251-276, with the critical values of J. G. MacKinnon (2010) for two variables;
2. ``u`` is fitted by an Ornstein-Uhlenbeck process, whose mean and standard deviation make its score ``z``
   (:mod:`bloor_strategies.reversion`).

The rule is that of E. Gatev, W. N. Goetzmann and K. G. Rouwenhorst, "Pairs trading: performance of a relative-value
arbitrage rule", Review of Financial Studies 19 (2006) 797-827: open a pair when it has diverged (there by two standard
deviations), close it when it has come back. Here the relation is estimated all the time, and an entry asks that the
test passes at the level of ``test``, that half a distance is gone within ``half_life`` samples, that ``beta`` is
between 0.1 and 10 and ``|z|`` below ``stop``, and for a way back of at least ``edge_bps`` more than both spreads. The
entry fixes the relation of its exit: the pair is closed when ``|z|`` has come back to ``leave``, has grown to ``stop``,
after ``hold`` half-lives (ten samples at least), or when the pair of now does not pass the test at the next weaker
level any more. After such an end without success it waits until ``|z|`` of now has been back at ``leave``, or at a
tenth.

**Spot accounts cannot go short.** So the pair is traded around a holding of both: ``inventory`` times ``value`` of
``y`` and ``beta`` times as much of ``x``, bought when the first fit is there. When ``y`` is cheap (``z < 0``),
``value`` of ``y`` is bought and ``beta`` times that of ``x`` sold, out of the holding; when it is dear, the other way
around. Against holding both all the time that earns what the long-short pair does. With ``inventory = 0`` nothing can
be sold against what is bought: the cheap leg alone is held, long or flat, and the market's moves with it.

**A leg that fails.** Both legs' orders are immediate-or-cancel, through the touch by ``cross_bps`` at most. What did
not trade is asked for again after ``cooldown_ms``. When after ``tries`` orders a leg of an entry is still not where it
should be, the pair is given up, and what the other leg has traded is undone. Both books must be in sync.
"""

from __future__ import annotations

import math

from bloor.hookspecs import hookimpl
from bloor.market.view import BookState, BookView
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param
from bloor_strategies.prices import reach
from bloor_strategies.reversion import critical, half_life, relation, reversion, unit_root
from bloor_strategies.sampling import Sampled

__all__ = ["Pairs"]

SYNCED = BookState.SYNCED
#: Most samples of a window.
_WINDOW = 256
#: Fewest samples that a pair may be held.
_HOLD = 10.0
#: What ``beta`` must be between.
_FLATTEST, _STEEPEST = 0.1, 10.0
#: A leg is where it should be when less than this part of an entry is missing: one in so many.
_PART = 4


class Pairs(Sampled):
    """Trades a cointegrated pair around an inventory of both, or its cheap leg alone; see the module."""

    name = "pairs"
    compiled = True
    together = True

    window: int = param(40, low=20, high=_WINDOW, doc="samples in the fit")
    entry: float = param(1.5, low=0.0, high=10.0, doc="score from which a pair is opened, in standard deviations")
    leave: float = param(0.25, low=-10.0, high=10.0, doc="score at which it is closed, in standard deviations")
    stop: float = param(4.0, low=0.1, high=100.0, doc="score at which it is given up, in standard deviations")
    hold: float = param(10.0, low=0.1, high=1_000.0, doc="longest time a pair is held, in half-lives of the fit")
    half_life: float = param(30.0, low=0.1, high=10_000.0, doc="longest half-life of an entry, in samples")
    test: int = param(1, low=0, high=3, doc="no cointegration ruled out at: 0 no level, 1 10 %, 2 5 %, 3 1 %")
    edge_bps: float = param(0.0, low=0.0, high=1_000.0, doc="shortest way to the exit beyond both spreads, in bps")
    inventory: float = param(1.0, low=0.0, high=20.0, doc="holding of each leg between trades, in units of value")
    value: float = param(1_000.0, low=0.001, high=1e9, doc="value of the first leg of an entry, in the quote asset")
    cross_bps: float = param(0.5, low=0.0, high=100.0, doc="how far through the touch an order may pay, in bps")
    cooldown_ms: int = param(250, low=0, high=3_600_000, doc="shortest time between two orders of a leg, in ms")
    tries: int = param(5, low=1, high=1_000, doc="orders of a leg until an entry is given up")

    ys: Array[float] = array(_WINDOW)
    xs: Array[float] = array(_WINDOW)
    rest: Array[float] = array(_WINDOW)
    newest: int = -1
    count: int = 0
    last_y: float = 0.0
    last_x: float = 0.0

    #: The relation of now.
    alpha: float = 0.0
    beta: float = 0.0
    b: float = 1.0
    mean: float = 0.0
    deviation: float = 0.0
    statistic: float = 0.0

    #: 1 while y is held instead of x, -1 the other way around; its relation, and its end.
    side: int = 0
    begun: bool = False
    waits: bool = False
    held_alpha: float = 0.0
    held_beta: float = 0.0
    held_mean: float = 0.0
    held_deviation: float = 0.0
    until_ns: int = 0

    #: Of each leg: what it should hold, what an entry changes it by, orders since that changed, time of the last one.
    wanted: Array[int] = array(2)
    part: Array[int] = array(2)
    asked: Array[int] = array(2)
    asked_ns: Array[int] = array(2)

    # ---- what it is told --------------------------------------------------------------------------------------------

    def on_start(self, orders: Orders) -> None:
        """Refuses anything but two instruments of one quote asset."""
        if orders.legs != 2:
            raise ValueError("pairs trades two instruments: name two, --symbol ETH-USDT --symbol SOL-USDT")
        if orders.of(0).quote != orders.of(1).quote:
            raise ValueError("pairs trades two instruments of one quote asset; these have different ones")

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Samples both prices, decides, and brings both legs to what they should hold."""
        first, second = orders.of(0), orders.of(1)
        if not is_there(first.book) or not is_there(second.book):
            return
        y, x = math.log(first.book.mid2 / 2.0), math.log(second.book.mid2 / 2.0)
        self.sample(y, x, orders.now_ns)
        if self.deviation > 0.0 and not self.begun and _FLATTEST <= self.beta <= _STEEPEST:
            self.begun = True
            self.held_beta = self.beta
            self.turn(0, first, second)
        if self.begun:
            self.decide(y, x, first, second)
            self.steer(0, first)
            self.steer(1, second)

    # ---- the relation -----------------------------------------------------------------------------------------------

    def sample(self, y: float, x: float, now_ns: int) -> None:
        """Takes the samples that are due, and fits anew."""
        due = self.due(now_ns, self.window)
        if due < 0:
            self.count = 0
            self.deviation = 0.0
            self.keep(y, x)
        elif due > 0:
            for _ in range(due):
                self.keep(self.last_y, self.last_x)
            if self.count == self.window:
                self.fit()
        self.last_y, self.last_x = y, x

    def keep(self, y: float, x: float) -> None:
        """One sample more."""
        self.newest = (self.newest + 1) % _WINDOW
        self.ys[self.newest], self.xs[self.newest] = y, x
        self.count = min(self.count + 1, self.window)

    def fit(self) -> None:
        """The two steps: the relation, and whether what is left of it returns."""
        self.alpha, self.beta = relation(self.ys, self.xs, self.newest, self.count)
        at = self.newest + 1 + _WINDOW - self.count
        for i in range(self.count):
            self.rest[i] = self.ys[(at + i) % _WINDOW] - self.alpha - self.beta * self.xs[(at + i) % _WINDOW]
        self.b, self.mean, self.deviation, _ = reversion(self.rest, self.count - 1, self.count)
        self.statistic = unit_root(self.rest, self.count - 1, self.count)

    def passes(self, level: int) -> bool:
        """Whether the pair of now is cointegrated, as far as the test tells at a level."""
        return self.deviation > 0.0 and self.statistic <= critical(level, 2, self.count)

    # ---- the rule ---------------------------------------------------------------------------------------------------

    def decide(self, y: float, x: float, first: Orders, second: Orders) -> None:
        """Opens or closes the pair."""
        if self.side != 0:
            z = self.side * (y - self.held_alpha - self.held_beta * x - self.held_mean) / self.held_deviation
            failed = z <= -self.stop or first.now_ns >= self.until_ns or not self.passes(self.test - 1)
            if z >= -self.leave or failed:
                self.waits = z < -self.leave
                self.turn(0, first, second)
            return
        if self.deviation <= 0.0:
            return
        z = (y - self.alpha - self.beta * x - self.mean) / self.deviation
        if self.waits:
            self.waits = abs(z) > max(self.leave, 0.1)
        elif self.entry <= abs(z) < self.stop and self.is_worth_it(abs(z), first.book, second.book):
            self.held_alpha, self.held_beta = self.alpha, self.beta
            self.held_mean, self.held_deviation = self.mean, self.deviation
            longest = max(self.hold * half_life(self.b), _HOLD) * (self.sample_ms * 1e6)
            self.until_ns = first.now_ns + int(min(longest, 1e18))
            self.turn(1 if z < 0.0 else -1, first, second)

    def is_worth_it(self, z: float, first: BookView, second: BookView) -> bool:
        """Whether the pair is one, comes back soon, and farther than the spreads."""
        if not self.passes(self.test) or half_life(self.b) > self.half_life:
            return False
        if not _FLATTEST <= self.beta <= _STEEPEST:
            return False
        spreads = 2.0 * first.spread / first.mid2 + self.beta * 2.0 * second.spread / second.mid2
        return ((z - self.leave) * self.deviation - spreads) * 1e4 >= self.edge_bps

    def turn(self, side: int, first: Orders, second: Orders) -> None:
        """Sets what both legs should hold."""
        self.side = side
        self.part[0] = first.lots_for(self.value, first.book.best_ask)
        self.part[1] = second.lots_for(self.value * self.held_beta, second.book.best_ask)
        for leg in range(2):
            share = self.inventory + (side if leg == 0 else -side)
            self.wanted[leg] = int(max(0.0, share) * self.part[leg])
            self.asked[leg] = 0

    # ---- the orders -------------------------------------------------------------------------------------------------

    def steer(self, leg: int, desk: Orders) -> None:
        """Brings a leg to what it should hold, a request at a time; gives an entry up when it does not get there."""
        if desk.open_orders > 0 or desk.now_ns - self.asked_ns[leg] < self.cooldown_ms * 1_000_000:
            return
        missing = self.wanted[leg] - desk.sellable_lots
        if abs(missing) < desk.min_lots or abs(missing) * _PART < self.part[leg]:
            return
        if self.side != 0 and self.asked[leg] >= self.tries:
            self.waits = True
            self.turn(0, desk.of(0), desk.of(1))
            return
        self.asked[leg] += 1
        self.asked_ns[leg] = desk.now_ns
        bid, ask = desk.book.best_bid, desk.book.best_ask
        if missing > 0:
            desk.buy(ask + reach(ask, self.cross_bps), missing, ioc=True)
        else:
            desk.sell(max(1, bid - reach(bid, self.cross_bps)), -missing, ioc=True)


def is_there(book: BookView) -> bool:
    """Whether a book can be traded on."""
    return book.state == SYNCED and book.two_sided


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``pairs``."""
    return Pairs
