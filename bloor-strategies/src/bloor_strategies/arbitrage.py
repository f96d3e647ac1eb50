"""Arbitrage between venues: buy where a base asset is cheap and sell it where it is dear, at the same moment.

The law of one price: one asset has one price wherever it trades, up to what it costs to trade. Between exchanges of
coins it failed again and again, by more than fees, and for hours: I. Makarov and A. Schoar, "Trading and arbitrage in
cryptocurrency markets", Journal of Financial Economics 135 (2020) 293-319. Of two or three legs of one base asset, with
``bid`` and ``ask`` at the top of each book and taker fees ``f``, buying at ``b`` and selling at ``s`` gains ::

    edge = bid_s(1 - f_s) / (ask_b(1 + f_b)) - 1

of what is paid. At ``edge_bps + margin_bps`` or more both orders are sent at once, immediate-or-cancel, each through
the touch by half of ``margin_bps`` at most: when both trade, they gain ``edge_bps`` or more. The quantity is the least
of both top sizes, ``value``, and what is held where it is sold.

**Dollars of several kinds.** Prices of a leg whose quote asset is not that of the first leg are divided by a basis: the
mean, over ``basis_s`` seconds, of the ratio of its mid price to that of the first leg, exponentially weighted, first
used when it is that old. So a token that trades at 0.999 dollars is no opportunity all day. ``basis_s = 0`` counts
every quote asset at par.

**A spot account sells what it holds.** At the start ``inventory`` times ``value`` is bought at every venue, what is
held there already counted; the sum is the target. From then on each arbitrage moves some of it from the dear venue to
the cheap one, and the sum stays. Where nothing is left nothing is sold, until prices are the other way around; nothing
is transferred between venues. With ``inventory = 0`` nothing is bought first, and it trades what it was given.

**A leg that fails.** No order is sent while one is open. When the sum of what is held differs from the target by a
value of more than ``imbalance`` (fees taken in the base asset included), nothing is added; after ``patience_ms`` the
difference is sold or bought at the best venue, through the touch by ``hedge_bps`` at most, again and again until it is
gone. Each failure in a row doubles the wait for the next arbitrage.
"""

from __future__ import annotations

import math

from bloor.hookspecs import hookimpl
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param
from bloor_strategies.prices import reach
from bloor_strategies.tops import LEGS, Tops

__all__ = ["Arbitrage"]

#: Orders of a leg until what it should hold at first is what it holds.
_TRIES = 20
#: The wait doubles so many times at most.
_DOUBLINGS = 10
#: Amounts that differ by so much of a lot are the same.
_SAME = 1e-6


class Arbitrage(Tops):
    """Trades one base asset at two or three venues against each other, around an inventory; see the module."""

    name = "arbitrage"
    compiled = True
    together = True

    fee0_bps: float = param(10.0, low=0.0, high=500.0, doc="taker fee of the first leg, in bps")
    fee1_bps: float = param(40.0, low=0.0, high=500.0, doc="taker fee of the second leg, in bps")
    fee2_bps: float = param(40.0, low=0.0, high=500.0, doc="taker fee of the third leg, in bps")
    edge_bps: float = param(1.0, low=0.0, high=300.0, doc="least gain of an arbitrage after fees, in bps")
    margin_bps: float = param(2.0, low=0.0, high=200.0, doc="what both prices may move until orders arrive, in bps")
    believe_bps: float = param(300.0, low=1.0, high=10_000.0, doc="edge, or basis, that is not believed, in bps")
    basis_s: float = param(20.0, low=0.0, high=86_400.0, doc="time constant of other quote assets' basis; 0 par, in s")
    value: float = param(1_000.0, low=0.001, high=1e9, doc="most value of an arbitrage, in the quote asset")
    least: float = param(10.0, low=0.0, high=1e6, doc="least value of an order, in the quote asset")
    inventory: float = param(2.0, low=0.0, high=20.0, doc="what is bought at each venue at first, in units of value")
    imbalance: float = param(20.0, low=0.0, high=1e6, doc="value of a net position that is hedged, in the quote asset")
    hedge_bps: float = param(2.0, low=0.0, high=100.0, doc="how far through the touch a hedge may pay, in bps")
    patience_ms: int = param(100, low=0, high=60_000, doc="wait before a hedge, and between two, in ms")
    cooldown_ms: int = param(50, low=0, high=60_000, doc="shortest time between two arbitrages, in ms")

    #: Of each leg: logarithm of its basis, since when and until when that was learned.
    basis: Array[float] = array(LEGS)
    learned_from_ns: Array[int] = array(LEGS)
    learned_ns: Array[int] = array(LEGS)

    #: Of each leg while the inventory is bought: what it should hold in lots, orders for it, whether it is there.
    wanted: Array[int] = array(LEGS)
    tries: Array[int] = array(LEGS)
    built: Array[int] = array(LEGS)

    #: What should be held in all, in the base asset; meant once ``begun``, and when that was.
    target: float = 0.0
    begun: bool = False
    begun_ns: int = 0

    #: Time of the last request; whether it was an arbitrage; how many in a row failed.
    asked_ns: int = 0
    attempted: bool = False
    failures: int = 0

    # ---- what it is told --------------------------------------------------------------------------------------------

    def on_start(self, orders: Orders) -> None:
        """Refuses anything but two or three instruments of one base asset."""
        if orders.legs < 2 or orders.legs > LEGS:
            raise ValueError(
                "arbitrage trades two or three instruments: name them, --symbol binance:BTC-USDT "
                "--symbol kraken:BTC-USDT"
            )
        if orders.base != orders.of(0).base:
            raise ValueError("arbitrage trades instruments of one base asset; these have different ones")

    def act(self, orders: Orders) -> None:
        """Learns the basis; then buys the inventory, or hedges, or trades."""
        resting = 0
        for leg in range(orders.legs):
            self.learn(orders.of(leg), orders.of(0))
            resting += orders.of(leg).open_orders
        if resting > 0:
            return
        if not self.begun:
            self.build(orders)
            return
        net = self.net(orders)
        exceeds = self.is_worth(abs(net), orders, max(self.imbalance, self.least))
        if self.attempted:
            self.failures = self.failures + 1 if exceeds else 0
            self.attempted = False
        if exceeds:
            self.hedge(net, orders)
        elif orders.now_ns - self.asked_ns >= (self.cooldown_ms << min(self.failures, _DOUBLINGS)) * 1_000_000:
            self.seek(orders)

    # ---- prices -----------------------------------------------------------------------------------------------------

    def learn(self, desk: Orders, first: Orders) -> None:
        """Takes the ratio of a leg's mid price to that of the first into its basis."""
        if desk.quote == first.quote or self.basis_s <= 0.0:
            return
        if not self.sees(desk) or not self.sees(first):
            return
        now, leg = desk.now_ns, desk.leg
        ratio = math.log(self.mid2(desk) * desk.tick / (self.mid2(first) * first.tick))
        passed = (now - self.learned_ns[leg]) * 1e-9
        if self.learned_ns[leg] == 0 or passed > self.basis_s:
            self.learned_from_ns[leg] = now
            self.basis[leg] = ratio
        elif passed > 0.0:
            over = min((now - self.learned_from_ns[leg]) * 1e-9, self.basis_s)
            self.basis[leg] += (ratio - self.basis[leg]) * passed / over
        self.learned_ns[leg] = now

    def mid2(self, desk: Orders) -> int:
        """Twice the mid price of a leg, in ticks."""
        return self.bid[desk.leg] + self.ask[desk.leg]

    def trades(self, desk: Orders, first: Orders) -> bool:
        """Whether a leg's prices can be compared with others."""
        if not self.sees(desk):
            return False
        if desk.quote == first.quote or self.basis_s <= 0.0:
            return True
        leg = desk.leg
        if self.learned_ns[leg] - self.learned_from_ns[leg] < self.basis_s * 1e9:
            return False
        return abs(self.basis[leg]) * 1e4 <= self.believe_bps

    def worth(self, desk: Orders) -> float:
        """A tick of a leg, in the first leg's quote asset."""
        return desk.tick * math.exp(-self.basis[desk.leg])

    def fee(self, leg: int) -> float:
        """The taker fee of a leg, as a part of one."""
        if leg == 0:
            return self.fee0_bps * 1e-4
        return (self.fee1_bps if leg == 1 else self.fee2_bps) * 1e-4

    def gain(self, bought: Orders, sold: Orders) -> float:
        """What buying at one leg and selling at another leaves after fees, in bps of what is paid."""
        paid = self.ask[bought.leg] * self.worth(bought) * (1.0 + self.fee(bought.leg))
        got = self.bid[sold.leg] * self.worth(sold) * (1.0 - self.fee(sold.leg))
        return (got / paid - 1.0) * 1e4

    # ---- the inventory ----------------------------------------------------------------------------------------------

    def build(self, orders: Orders) -> None:
        """Buys what each leg should hold at first; begins when it is there."""
        missing = 0
        for leg in range(orders.legs):
            if self.built[leg] == 0:
                self.bring(orders.of(leg))
                missing += 1 - self.built[leg]
        if missing == 0:
            for leg in range(orders.legs):
                self.target += orders.of(leg).sellable_lots * orders.of(leg).lot
            self.begun, self.begun_ns = True, orders.now_ns

    def bring(self, desk: Orders) -> None:
        """Asks for what a leg lacks, or finds that it is there."""
        leg = desk.leg
        if not self.sees(desk):
            return
        ask = self.ask[desk.leg]
        if self.tries[leg] == 0:
            self.wanted[leg] = desk.lots_for(self.inventory * self.value, ask)
        lots = self.wanted[leg] - desk.sellable_lots
        if lots < desk.min_lots or lots * desk.lot * ask * desk.tick < self.least or self.tries[leg] >= _TRIES:
            self.built[leg] = 1
        elif self.tries[leg] == 0 or desk.now_ns - self.asked_ns >= self.patience_ms * 1_000_000:
            self.tries[leg] += 1
            self.asked_ns = desk.now_ns
            desk.buy(ask + reach(ask, self.hedge_bps), lots, ioc=True)

    def net(self, orders: Orders) -> float:
        """What is held in all beyond the target, in the base asset; while no order is open."""
        held = 0.0
        for leg in range(orders.legs):
            held += orders.of(leg).sellable_lots * orders.of(leg).lot
        return held - self.target

    def is_worth(self, amount: float, orders: Orders, value: float) -> bool:
        """Whether so much of the base asset is worth more than a value, at the dearest ask."""
        for leg in range(orders.legs):
            desk = orders.of(leg)
            if self.sees(desk) and amount * self.ask[desk.leg] * self.worth(desk) > value:
                return True
        return False

    # ---- the orders -------------------------------------------------------------------------------------------------

    def hedge(self, net: float, orders: Orders) -> None:
        """Sells or buys a net position where that is best, after a while."""
        if orders.now_ns - self.asked_ns < self.patience_ms * 1_000_000:
            return
        chosen, best = -1, 0.0
        for leg in range(orders.legs):
            desk = orders.of(leg)
            if not self.sees(desk) or self.hedgeable(net, desk) < desk.min_lots:
                continue
            if net > 0.0:
                price = self.bid[desk.leg] * self.worth(desk) * (1.0 - self.fee(leg))
            else:
                price = -self.ask[desk.leg] * self.worth(desk) * (1.0 + self.fee(leg))
            if chosen < 0 or price > best:
                chosen, best = leg, price
        if chosen < 0:
            return
        self.asked_ns = orders.now_ns
        desk = orders.of(chosen)
        lots, bid, ask = self.hedgeable(net, desk), self.bid[desk.leg], self.ask[desk.leg]
        if net > 0.0:
            desk.sell(max(1, bid - reach(bid, self.hedge_bps)), lots, ioc=True)
        else:
            desk.buy(ask + reach(ask, self.hedge_bps), lots, ioc=True)

    def hedgeable(self, net: float, desk: Orders) -> int:
        """How many lots of a net position a leg can take."""
        lots = int(min(abs(net) / desk.lot + _SAME, 1e15))
        return min(lots, desk.sellable_lots) if net > 0.0 else lots

    def seek(self, orders: Orders) -> None:
        """Trades the pair of legs that gains most, when that is enough."""
        first = orders.of(0)
        cheap, dear, best = -1, -1, self.edge_bps + self.margin_bps
        for one in range(orders.legs):
            bought = orders.of(one)
            if not self.trades(bought, first):
                continue
            for other in range(orders.legs):
                sold = orders.of(other)
                if other == one or not self.trades(sold, first):
                    continue
                gain = self.gain(bought, sold)
                if best <= gain <= self.believe_bps and self.is_enough(bought, sold):
                    cheap, dear, best = one, other, gain
        if cheap >= 0:
            self.take(orders.of(cheap), orders.of(dear))

    def amount(self, bought: Orders, sold: Orders) -> float:
        """How much of the base asset is traded: by the top sizes, the value, what is held, and the coarser lots."""
        amount = min(self.ask_qty[bought.leg] * bought.unit, self.bid_qty[sold.leg] * sold.unit)
        amount = min(amount, self.value / (self.ask[bought.leg] * self.worth(bought)), sold.sellable_lots * sold.lot)
        coarser = max(bought.lot, sold.lot)
        return int(min(amount / coarser + _SAME, 1e15)) * coarser

    def is_enough(self, bought: Orders, sold: Orders) -> bool:
        """Whether what can be traded is as much as the venues take."""
        amount = self.amount(bought, sold)
        if amount < bought.min_lots * bought.lot * (1.0 - _SAME) or amount < sold.min_lots * sold.lot * (1.0 - _SAME):
            return False
        return amount > 0.0 and amount * self.bid[sold.leg] * self.worth(sold) >= self.least

    def take(self, bought: Orders, sold: Orders) -> None:
        """Sends both orders; none of the second leg when the first one's was denied."""
        amount, share = self.amount(bought, sold), self.margin_bps * 0.5e-4
        self.asked_ns, self.attempted = bought.now_ns, True
        bid, ask = self.bid[sold.leg], self.ask[bought.leg]
        if bought.buy(ask + int(ask * share), int(amount / bought.lot + 0.5), ioc=True) != 0:
            sold.sell(max(1, bid - int(bid * share)), int(amount / sold.lot + 0.5), ioc=True)


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``arbitrage``."""
    return Arbitrage
