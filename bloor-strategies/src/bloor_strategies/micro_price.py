"""The micro-price: quote around the expected future mid, learned from the book while it runs; long or flat.

S. Stoikov, "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18 (2018) 1959-1966.
The micro-price is the limit of the expected mid price after ever more of its moves, given the best prices and their
quantities now: ``M + G*(I, S)`` with the mid ``M``, the imbalance ``I = Qb / (Qb + Qa)`` and the spread ``S``. With
finitely many states ``x`` of imbalance and spread (the paper's section 3), ``Q`` the probabilities of a step that
leaves the mid, ``T`` those of one that moves it, both by the state that follows, and ``k`` the expected move of the
mid in a step (the paper's ``R K``), the paper has::

    G1 = (1 - Q)^-1 k,    B = (1 - Q)^-1 T,    G* = G1 + B G1 + B^2 G1 + ...

which is the solution of ``G* = k + (Q + T) G*``: one equation for each state, of the mean move and of the mean of
``G*`` over the states that follow. Those means are counted here as messages come, and each message solves the equation
of the state that it left and of one other state in turn (Gauss-Seidel). So the estimate needs no matrix inversion and
comes to the paper's when the counts stand still.

As in the paper, data are made symmetric: a book and its mirror image count as one state, with the sign of ``G*``
turned. So there are ``bins`` states of imbalance on one side of balance, times ``spreads`` of the spread (the last
holds all wider ones), and only differences are counted: ``net[x, y]`` is how often ``y`` followed ``x`` less how often
its mirror image did. Where the mid of the paper moves by a tick at most, here a move counts for ``jump`` ticks at
most. A state whose count reaches ``recent`` is halved: the past fades. States that were left fewer than
:data:`LEAST` times have no estimate, and nothing is quoted in them.

Quotes. The best buying price is the micro-price less ``maker_bps``, the best selling price the micro-price plus the
same. A buy order rests (post-only) at the best bid or better while that is not above its price, and is cancelled when
it is; so a sell order of what is held. Where the opposite best price is better than the micro-price by ``taker_bps``,
it is taken. No order is placed where it would meet the other one. The position is built up to ``value`` and sold: long
or flat on a spot account, which cannot go short.

Every message of best bid and offer counts, where the venue sends any; otherwise every change of the book.
"""

from __future__ import annotations

import math

from bloor.hookspecs import hookimpl
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.strategy.api import Orders, OrderUpdate, Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param

__all__ = ["LEAST", "MicroPrice"]

#: Most states of imbalance on one side, most states of the spread, and most states.
_BINS, _SPREADS = 6, 4
_STATES = _BINS * _SPREADS
#: How often a state was left for another before it has an estimate.
LEAST = 20
#: A position is filled up when at least this part of it is missing: one in so many.
LEAST_PART = 4


class MicroPrice(Strategy):
    """Quotes around Stoikov's micro-price and takes what is far from it, long or flat; see the module."""

    name = "micro-price"
    compiled = True

    bins: int = param(5, low=1, high=_BINS, doc="states of the imbalance on one side of balance")
    spreads: int = param(3, low=1, high=_SPREADS, doc="states of the spread, in ticks; the last holds wider")
    jump: int = param(20, low=1, high=10_000, doc="most that one move of the mid counts for, in ticks")
    recent: int = param(5_000, low=100, high=10_000_000, doc="changes of a state until its counts are halved")
    warmup: int = param(100, low=0, high=1_000_000, doc="changes of the best prices before the first order")
    maker_bps: float = param(0.0, low=-20.0, high=200.0, doc="least distance of a quote from the estimate, in bps")
    taker_bps: float = param(0.5, low=-20.0, high=200.0, doc="least advantage of what is taken, in bps")
    value: float = param(2_000.0, low=0.001, high=1e9, doc="value of a full position, in the quote asset")
    pause_ms: int = param(250, low=0, high=3_600_000, doc="shortest time between two orders of a side, in ms")

    net: Array[float] = array(_STATES * _STATES)
    moved: Array[float] = array(_STATES)
    left: Array[float] = array(_STATES)
    ahead: Array[float] = array(_STATES)
    state: int = -1
    sign: int = 0
    mid2: int = 0
    turn: int = 0
    changes: int = 0
    quoted: bool = False
    bid: int = 0
    bid_qty: int = 0
    ask: int = 0
    ask_qty: int = 0

    #: Numbers of the orders that are open, 0 for none; their prices, 0 for an order that takes; when they were sent.
    buy_number: int = 0
    buy_price: int = 0
    buy_ns: int = 0
    buy_leaves: bool = False
    sell_number: int = 0
    sell_price: int = 0
    sell_ns: int = 0
    sell_leaves: bool = False

    # ---- what it is told --------------------------------------------------------------------------------------------

    def on_bbo(self, bbo: EventView, book: BookView, orders: Orders) -> None:
        """Learns from the venue's best bid and offer, and quotes by it."""
        self.quoted = True
        if book.two_sided and bbo.price > 0 and bbo.price2 > bbo.price:
            self.see(bbo.price, bbo.qty, bbo.price2, bbo.qty2, book, orders)
        else:
            self.state = -1
            self.withdraw(orders)

    def on_book(self, book: BookView, orders: Orders) -> None:
        """The same of the book, where the venue sends nothing else."""
        if not book.two_sided or book.best_ask <= book.best_bid:
            self.state = -1
            self.withdraw(orders)
        elif not self.quoted:
            self.see(book.best_bid, book.bid_qty, book.best_ask, book.ask_qty, book, orders)

    def on_order(self, order: OrderUpdate, book: BookView, orders: Orders) -> None:
        """Forgets an order that has ended."""
        if order.closed and order.number == self.buy_number:
            self.buy_number = 0
        if order.closed and order.number == self.sell_number:
            self.sell_number = 0

    def see(self, bid: int, bid_qty: int, ask: int, ask_qty: int, book: BookView, orders: Orders) -> None:
        """Learns from new best prices, and quotes."""
        changed = bid != self.bid or ask != self.ask or bid_qty != self.bid_qty or ask_qty != self.ask_qty
        if changed or self.state < 0:
            self.bid, self.bid_qty, self.ask, self.ask_qty = bid, bid_qty, ask, ask_qty
            self.learn()
        if self.changes > self.warmup and self.left[self.state] - self.stayed(self.state) >= LEAST:
            micro = self.micro_price()
            self.quote_buy(micro, min(ask, book.best_ask) - 1, orders)
            self.quote_sell(micro, max(bid, book.best_bid) + 1, orders)
        else:
            self.withdraw(orders)

    # ---- the estimate -----------------------------------------------------------------------------------------------

    def learn(self) -> None:
        """Counts one step from the last state to the one of the best prices."""
        before, sign, mid2 = self.state, self.sign, self.mid2
        balance = float(self.bid_qty) - float(self.ask_qty)
        both = float(self.bid_qty) + float(self.ask_qty)
        tilt = abs(balance) / both if both > 0.0 else 0.0
        spread = min(self.ask - self.bid, self.spreads) - 1
        self.state = spread * self.bins + min(int(tilt * self.bins), self.bins - 1)
        self.sign = 1 if balance > 0.0 else (-1 if balance < 0.0 else 0)
        self.mid2 = self.bid + self.ask
        self.changes += 1
        if before < 0:
            return
        if sign != 0:
            move = max(-2 * self.jump, min(2 * self.jump, self.mid2 - mid2))
            self.net[before * _STATES + self.state] += float(sign * self.sign)
            self.moved[before] += float(sign * move)
            self.left[before] += 1.0
            if self.left[before] >= self.recent:
                self.fade(before)
            self.solve(before)
        self.turn = (self.turn + 1) % (self.bins * self.spreads)
        self.solve(self.turn)

    def solve(self, x: int) -> None:
        """The equation of one state, for what is ahead of its mid, in half ticks."""
        away = self.left[x] - self.stayed(x)
        if away < LEAST:
            self.ahead[x] = 0.0
            return
        total = self.moved[x]
        for y in range(self.bins * self.spreads):
            if y != x:
                total += self.net[x * _STATES + y] * self.ahead[y]
        self.ahead[x] = total / away

    def stayed(self, x: int) -> float:
        """How often a state followed itself, less how often its mirror image did."""
        return self.net[x * _STATES + x]

    def fade(self, x: int) -> None:
        """Halves the counts of a state."""
        self.left[x] *= 0.5
        self.moved[x] *= 0.5
        for y in range(self.bins * self.spreads):
            self.net[x * _STATES + y] *= 0.5

    def micro_price(self) -> float:
        """The micro-price of the best prices, in ticks."""
        return (self.mid2 + self.sign * self.ahead[self.state]) / 2.0

    # ---- the quotes -------------------------------------------------------------------------------------------------

    def quote_buy(self, micro: float, highest: int, orders: Orders) -> None:
        """Keeps the buy order where the micro-price allows it, and where it rests."""
        own = self.sell_price if self.sell_number != 0 else 0
        price = min(math.floor(micro * (1.0 - self.maker_bps * 1e-4)), highest if own == 0 else min(highest, own - 1))
        take = self.ask <= micro * (1.0 - self.taker_bps * 1e-4) and (own == 0 or self.ask < own)
        rested = orders.now_ns - self.buy_ns >= self.pause_ms * 1_000_000
        if self.buy_number != 0:
            if take or price < self.buy_price or (price > self.buy_price and rested):
                self.cancel_buy(orders)
            return
        if not (take or price >= self.bid) or price < 1 or not rested:
            return
        price = self.ask if take else price
        full = orders.lots_for(self.value, price)
        lots = full - orders.sellable_lots - orders.open_sell // orders.lot_units
        if lots >= orders.min_lots and lots * LEAST_PART >= full:
            self.buy_ns = orders.now_ns
            self.buy_price = 0 if take else price
            self.buy_leaves = False
            self.buy_number = orders.buy(price, lots, post_only=not take, ioc=take)

    def quote_sell(self, micro: float, lowest: int, orders: Orders) -> None:
        """Keeps the sell order of what is held where the micro-price allows it, and where it rests."""
        own = self.buy_price if self.buy_number != 0 else 0
        price = max(math.ceil(micro * (1.0 + self.maker_bps * 1e-4)), lowest, own + 1)
        take = self.bid >= micro * (1.0 + self.taker_bps * 1e-4) and self.bid > own
        rested = orders.now_ns - self.sell_ns >= self.pause_ms * 1_000_000
        if self.sell_number != 0:
            if take or price > self.sell_price or (price < self.sell_price and rested):
                self.cancel_sell(orders)
            return
        if not (take or price <= self.ask) or not rested:
            return
        price = self.bid if take else price
        lots = orders.sellable_lots
        if lots >= orders.min_lots:
            self.sell_ns = orders.now_ns
            self.sell_price = 0 if take else price
            self.sell_leaves = False
            self.sell_number = orders.sell(price, lots, post_only=not take, ioc=take)

    def withdraw(self, orders: Orders) -> None:
        """Cancels what rests: there is no estimate."""
        self.cancel_buy(orders)
        self.cancel_sell(orders)

    def cancel_buy(self, orders: Orders) -> None:
        """Cancels a buy order that rests, once."""
        if self.buy_number != 0 and self.buy_price > 0 and not self.buy_leaves:
            self.buy_leaves = orders.cancel(self.buy_number)

    def cancel_sell(self, orders: Orders) -> None:
        """Cancels a sell order that rests, once."""
        if self.sell_number != 0 and self.sell_price > 0 and not self.sell_leaves:
            self.sell_leaves = orders.cancel(self.sell_number)


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``micro-price``."""
    return MicroPrice
