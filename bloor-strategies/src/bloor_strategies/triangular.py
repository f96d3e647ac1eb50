"""Triangular arbitrage at one venue: three orders that end in the asset they began with, and more of it.

Of three instruments among three assets, the *home* asset is the quote of two. With USDT, BTC and ETH, from the
instruments ``main`` BTC-USDT, ``cross`` ETH-BTC and ``other`` ETH-USDT, named in any order, and a taker fee ``f`` ::

    forward:  buy main, buy cross, sell other    rate = bid_other / (ask_main ask_cross) (1 - f)^3
    backward: buy other, sell cross, sell main   rate = bid_main bid_cross / ask_other (1 - f)^3

A rate above 1 is a gain: Y. Aiba, N. Hatano, H. Takayasu, K. Marumo and T. Shimizu, "Triangular arbitrage as an
interaction among foreign exchange rates", Physica A 310 (2002) 467-479, whose product of three rates this is, with
fees. When it exceeds 1 by ``edge_bps + margin_bps``, the three orders are sent at once, immediate-or-cancel, each
through the touch by a third of ``margin_bps`` at most: when all trade, they gain ``edge_bps`` or more, before lots are
rounded.

**Quantities.** The amount of the asset that only bases have (ETH) is the least of the three top sizes, ``value``, and
what is held, in whole lots of the coarser of its two instruments. From it follow the other orders, fees included: what
one leg pays is what another brings, to the nearest lot.

**Three orders at once need a holding** of the two assets that are not the home asset, since no order waits for what
another one brings, and a spot account sells in each instrument what was bought in it. At the start ``inventory`` times
``value`` of the base of each instrument is bought, that of ``cross`` with more of the base of ``main``. The sum of each
asset stays: a cycle forward sells at ``other`` and buys as much at ``cross``, one backward the other way around. After
``inventory`` cycles more in one direction, nothing is left to be sold there, and only the other direction is traded.

**A leg that fails.** No order is sent while one is open. When what is held of an asset then differs from its target by
a value of more than ``imbalance``, no cycle begins; after ``patience_ms`` the difference is bought or sold for the home
asset, through the touch by ``hedge_bps`` at most, again and again until it is gone. That also brings back the lots that
were rounded away and the fees that were taken. Each failure in a row doubles the wait for the next cycle.
"""

from __future__ import annotations

from bloor.hookspecs import hookimpl
from bloor.market.view import BookView
from bloor.model.orders import Fill
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.params import param
from bloor_strategies.prices import reach
from bloor_strategies.tops import LEGS, Tops

__all__ = ["Triangular"]

#: Orders of an asset until what should be held at first is what is held.
_TRIES = 20
#: The wait doubles so many times at most.
_DOUBLINGS = 10
#: Amounts that differ by so much of a lot are the same.
_SAME = 1e-6
#: Most lots of an order.
_MOST = 1e15


class Triangular(Tops):
    """Trades three assets of one venue in a circle, three orders at once, from an inventory; see the module."""

    name = "triangular"
    compiled = True
    together = True

    fee_bps: float = param(10.0, low=0.0, high=500.0, doc="taker fee, in bps")
    received: bool = param(True, doc="whether the venue takes its fee from what is received; else in the quote asset")
    edge_bps: float = param(1.0, low=0.0, high=300.0, doc="least gain of a cycle after fees, in bps")
    margin_bps: float = param(3.0, low=0.0, high=200.0, doc="what three prices may move until orders arrive, in bps")
    believe_bps: float = param(300.0, low=1.0, high=10_000.0, doc="gain that is not believed, in bps")
    value: float = param(1_000.0, low=0.001, high=1e9, doc="most value of a cycle, in the home asset")
    least: float = param(10.0, low=0.0, high=1e6, doc="least value of an order, in the home asset")
    inventory: float = param(
        3.0, low=0.0, high=20.0, doc="what is bought in each instrument at first, in units of value"
    )
    imbalance: float = param(20.0, low=0.0, high=1e6, doc="value of a difference that is hedged, in the home asset")
    hedge_bps: float = param(2.0, low=0.0, high=100.0, doc="how far through the touch a hedge may pay, in bps")
    patience_ms: int = param(100, low=0, high=60_000, doc="wait before a hedge, and between two, in ms")
    cooldown_ms: int = param(50, low=0, high=60_000, doc="shortest time between two cycles, in ms")

    #: Which leg is which, once the first was started.
    main: int = -1
    cross: int = -1
    other: int = -1

    #: What the cross has turned of the base of ``main`` into its own, fees included; less what it turned back.
    turned: float = 0.0

    #: What each leg should hold at first, in lots, and how often orders for it were sent.
    wanted_main: int = 0
    wanted_cross: int = 0
    wanted_other: int = 0
    tries: int = 0

    #: What should be held of the bases of ``main`` and of ``other``; meant once ``begun``, and when that was.
    target_main: float = 0.0
    target_other: float = 0.0
    begun: bool = False
    begun_ns: int = 0

    #: Time of the last request; whether it was a cycle; how many in a row failed.
    asked_ns: int = 0
    attempted: bool = False
    failures: int = 0

    # ---- what it is told --------------------------------------------------------------------------------------------

    def on_start(self, orders: Orders) -> None:
        """Finds which leg is which; refuses what is no triangle."""
        if orders.legs != LEGS:
            raise ValueError(
                "triangular trades three instruments: name three, --symbol BTC-USDT --symbol ETH-BTC --symbol ETH-USDT"
            )
        for one in range(LEGS):
            if orders.of(one).venue != orders.venue:
                raise ValueError("triangular trades at one venue; these instruments are at several")
            for two in range(LEGS):
                for three in range(LEGS):
                    if is_triangle(orders.of(one), orders.of(two), orders.of(three)):
                        self.main, self.cross, self.other = one, two, three
        if self.main < 0:
            raise ValueError(
                "triangular trades three assets in a circle: one the quote of two instruments, whose bases are "
                "the base and the quote of the third, as BTC-USDT, ETH-BTC, ETH-USDT"
            )

    def on_fill(self, fill: Fill, book: BookView, orders: Orders) -> None:
        """Counts what the cross turns of one asset into another, which the position of ``main`` does not know of."""
        if orders.leg == self.cross:
            paid = fill.units * orders.unit * fill.price_ticks * orders.tick
            self.turned += fill.side * paid
            if fill.side < 0 or not self.received:
                self.turned += paid * self.fee_bps * 1e-4

    def act(self, orders: Orders) -> None:
        """Buys the inventory, or hedges, or trades."""
        main, cross, other = orders.of(self.main), orders.of(self.cross), orders.of(self.other)
        if main.open_orders + cross.open_orders + other.open_orders > 0 or not self.all_seen(main, cross, other):
            return
        if not self.begun:
            self.build(main, cross, other)
            return
        away_main = self.held_main(main) - self.target_main
        away_other = self.held_other(cross, other) - self.target_other
        if self.is_away(away_main, main) or self.is_away(away_other, other):
            self.fail()
            self.restore(away_main, main, away_other, cross, other)
            return
        if self.attempted:
            self.attempted, self.failures = False, 0
        if orders.now_ns - self.asked_ns >= (self.cooldown_ms << min(self.failures, _DOUBLINGS)) * 1_000_000:
            self.seek(main, cross, other)

    # ---- what it holds ----------------------------------------------------------------------------------------------

    def all_seen(self, main: Orders, cross: Orders, other: Orders) -> bool:
        """Whether all three tops may be traded on."""
        return self.sees(main) and self.sees(cross) and self.sees(other)

    def held_main(self, main: Orders) -> float:
        """What is held of the base of ``main``, which the cross pays with; while no order is open, as the next."""
        return main.sellable_lots * main.lot - self.turned

    def held_other(self, cross: Orders, other: Orders) -> float:
        """What is held of the base of ``other``, which is that of the cross."""
        return cross.sellable_lots * cross.lot + other.sellable_lots * other.lot

    def build(self, main: Orders, cross: Orders, other: Orders) -> None:
        """Buys what each leg should hold at first; begins when it is there."""
        if self.tries == 0:
            value = self.inventory * self.value
            self.wanted_main = main.lots_for(2.0 * value, self.ask[main.leg])
            self.wanted_other = other.lots_for(value, self.ask[other.leg])
            self.wanted_cross = int(min(self.wanted_other * other.lot / cross.lot + _SAME, _MOST))
        elif main.now_ns - self.asked_ns < self.patience_ms * 1_000_000:
            return
        price = self.ask[other.leg] * other.tick
        lots = self.missing(self.wanted_main, main, self.ask[main.leg] * main.tick)
        more = self.missing(self.wanted_other, other, price)
        turned = self.missing(self.wanted_cross, cross, price)
        if lots + more + turned == 0 or self.tries >= _TRIES:
            self.target_main, self.target_other = self.held_main(main), self.held_other(cross, other)
            self.begun, self.begun_ns = True, main.now_ns
            return
        self.tries += 1
        self.asked_ns = main.now_ns
        if more > 0:
            other.buy(self.ask[other.leg] + reach(self.ask[other.leg], self.hedge_bps), more, ioc=True)
        if lots > 0:
            main.buy(self.ask[main.leg] + reach(self.ask[main.leg], self.hedge_bps), lots, ioc=True)
        elif turned > 0:
            cross.buy(self.ask[cross.leg] + reach(self.ask[cross.leg], self.hedge_bps), turned, ioc=True)

    def missing(self, wanted: int, desk: Orders, price: float) -> int:
        """How many lots a leg lacks, 0 when they are not worth an order; ``price`` of the base in the home asset."""
        lots = wanted - desk.sellable_lots
        return lots if lots >= desk.min_lots and lots * desk.lot * price >= self.least else 0

    def is_away(self, amount: float, desk: Orders) -> bool:
        """Whether a difference from a target is worth an order that the venue takes."""
        if int(min(abs(amount) / desk.lot + _SAME, _MOST)) < desk.min_lots:
            return False
        return abs(amount) * self.ask[desk.leg] * desk.tick > max(self.imbalance, self.least)

    def fail(self) -> None:
        """A cycle that did not come back to its targets."""
        if self.attempted:
            self.attempted = False
            self.failures += 1

    def restore(self, away_main: float, main: Orders, away_other: float, cross: Orders, other: Orders) -> None:
        """Brings both assets back to their targets: by the home asset, or what is only held at the cross by that."""
        if main.now_ns - self.asked_ns < self.patience_ms * 1_000_000:
            return
        self.asked_ns = main.now_ns
        if self.is_away(away_main, main):
            self.trade(away_main, main)
        if self.is_away(away_other, other):
            self.trade(away_other, cross if away_other > 0.0 and other.sellable_lots < other.min_lots else other)

    def trade(self, away: float, desk: Orders) -> None:
        """Sells what is too much, as far as it is held there, or buys what is missing."""
        lots = int(min(abs(away) / desk.lot + _SAME, _MOST))
        bid, ask = self.bid[desk.leg], self.ask[desk.leg]
        if away < 0.0:
            desk.buy(ask + reach(ask, self.hedge_bps), lots, ioc=True)
        elif min(lots, desk.sellable_lots) >= desk.min_lots:
            desk.sell(max(1, bid - reach(bid, self.hedge_bps)), min(lots, desk.sellable_lots), ioc=True)

    # ---- the cycles -------------------------------------------------------------------------------------------------

    def seek(self, main: Orders, cross: Orders, other: Orders) -> None:
        """Trades the direction that gains enough."""
        kept, least = (1.0 - self.fee_bps * 1e-4) ** 3, self.edge_bps + self.margin_bps
        one, two, three = main.leg, cross.leg, other.leg
        ratio = other.tick / (main.tick * cross.tick)
        forward = (self.bid[three] / (float(self.ask[one]) * self.ask[two]) * ratio * kept - 1.0) * 1e4
        backward = (float(self.bid[one]) * self.bid[two] / self.ask[three] / ratio * kept - 1.0) * 1e4
        if least <= forward <= self.believe_bps:
            self.go_forward(main, cross, other)
        elif least <= backward <= self.believe_bps:
            self.go_backward(main, cross, other)

    def grown(self) -> float:
        """How much more is bought than is needed, when the fee is taken from it."""
        return 1.0 / (1.0 - self.fee_bps * 1e-4) if self.received else 1.0

    def go_forward(self, main: Orders, cross: Orders, other: Orders) -> None:
        """Buys ``main``, buys ``cross`` with it, sells ``other``."""
        grown, price = self.grown(), self.ask[cross.leg] * cross.tick
        paid = price if self.received else price * (1.0 + self.fee_bps * 1e-4)
        most = min(self.bid_qty[other.leg] * other.unit, self.ask_qty[cross.leg] * cross.unit / grown)
        most = min(most, self.ask_qty[main.leg] * main.unit / (grown * paid * grown))
        most = min(most, other.sellable_lots * other.lot, self.held_main(main) / (grown * paid))
        amount = whole(min(most, self.value / (self.bid[other.leg] * other.tick)), cross, other)
        lots, turned = lots_of(amount * grown * paid * grown, main), lots_of(amount * grown, cross)
        back = lots_of(amount, other)
        if self.is_enough(lots, main) and self.is_enough(back, other) and turned >= cross.min_lots:
            self.note(main)
            if main.buy(self.up(main), lots, ioc=True) != 0 and cross.buy(self.up(cross), turned, ioc=True) != 0:
                other.sell(self.down(other), back, ioc=True)

    def go_backward(self, main: Orders, cross: Orders, other: Orders) -> None:
        """Buys ``other``, sells it as ``cross``, sells what that brings at ``main``."""
        grown, brought = self.grown(), self.bid[cross.leg] * cross.tick * (1.0 - self.fee_bps * 1e-4)
        most = min(self.ask_qty[other.leg] * other.unit / grown, self.bid_qty[cross.leg] * cross.unit)
        most = min(most, self.bid_qty[main.leg] * main.unit / brought)
        most = min(most, cross.sellable_lots * cross.lot)
        most = min(most, self.held_main(main) / brought, main.sellable_lots * main.lot / brought)
        amount = whole(min(most, self.value / (self.ask[other.leg] * other.tick * grown)), cross, other)
        lots, turned, back = lots_of(amount * brought, main), lots_of(amount, cross), lots_of(amount * grown, other)
        if self.is_enough(lots, main) and self.is_enough(back, other) and turned >= cross.min_lots:
            self.note(main)
            if other.buy(self.up(other), back, ioc=True) != 0 and cross.sell(self.down(cross), turned, ioc=True) != 0:
                main.sell(self.down(main), lots, ioc=True)

    def is_enough(self, lots: int, desk: Orders) -> bool:
        """Whether an order for the home asset is as much as the venue takes."""
        return lots >= desk.min_lots and lots * desk.lot * self.bid[desk.leg] * desk.tick >= self.least

    def note(self, desk: Orders) -> None:
        """A cycle begins."""
        self.asked_ns, self.attempted = desk.now_ns, True

    def up(self, desk: Orders) -> int:
        """The most that a leg of a cycle pays."""
        return self.ask[desk.leg] + int(self.ask[desk.leg] * self.margin_bps / 3e4)

    def down(self, desk: Orders) -> int:
        """The least that a leg of a cycle takes."""
        return max(1, self.bid[desk.leg] - int(self.bid[desk.leg] * self.margin_bps / 3e4))


def is_triangle(main: Orders, cross: Orders, other: Orders) -> bool:
    """Whether three instruments are what their names say: ``A-H``, ``C-A`` and ``C-H``, of three assets."""
    closes = main.quote == other.quote and cross.quote == main.base and cross.base == other.base
    return closes and main.base != other.base and main.base != main.quote and other.base != other.quote


def whole(amount: float, one: Orders, other: Orders) -> float:
    """An amount in whole lots of the coarser of two instruments."""
    coarser = max(one.lot, other.lot)
    return int(max(0.0, min(amount / coarser + _SAME, _MOST))) * coarser


def lots_of(amount: float, desk: Orders) -> int:
    """An amount in lots, to the nearest."""
    return int(min(amount / desk.lot + 0.5, _MOST))


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``triangular``."""
    return Triangular
