"""A grid: buy one step lower, sell one step higher, again and again.

The price range about a centre is cut into cells, ``levels`` below the centre and as many above; cell ``i`` lies between
the lines ``i`` and ``i + 1``. A cell is empty or holds one order's worth. An empty cell whose lower line is at
or below the best bid has a buy order there; when that has filled, the cell has a sell order at its upper line; when
that has filled, the cell is empty again and has earned one step, exactly. All orders are post-only, and none is placed
where it would meet one of the grid's own.

- **Lines** are ``step_bps`` of the centre apart (arithmetic), or each is ``step_bps`` above the one before (geometric);
  at least one tick.
- **The centre** is the mid when the grid is laid. With ``follow`` the grid is laid anew about a mid that has left it;
  otherwise it stays, and waits.
- **The range.** When the mid is ``stop_bps`` away from the first centre, the grid ends for good: its orders are
  cancelled, and with ``sell_out`` what is held is sold through the touch.

**Spot accounts.** A cell above the market can be sold from only if something is held. What the account holds when the
grid is laid (``orders.sellable_lots``) fills the cells above the centre, the nearest first; from an empty account the
grid begins with its buys below the market, and the cells above come into play as the market rises past their lower
lines. Never is more sold than is held, and at most ``most`` orders' worth is bought.

A buy order that ends when only a part of it has filled leaves its cell with that part to sell. Fees taken in the base
asset are missing when the last cell sells; it sells what is there, if that is half an order or more.

Grids are folklore; what is proved of them is how they end. Aldo Taranto and Shahjahan Khan, "Gambler's ruin problem and
bi-directional grid constrained trading and investment strategies", Investment Management and Financial Innovations
17(3) (2020), pages 54-66: they can do better than others in the short term, and ruin an account almost surely in the
long term.
"""

from __future__ import annotations

import math

from bloor.execution.life import Status
from bloor.hookspecs import hookimpl
from bloor.market.view import BookState, BookView
from bloor.strategy.api import Orders, OrderUpdate, Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param
from bloor_strategies.prices import reach

__all__ = ["MOST_CELLS", "Grid", "bloor_strategy"]

#: Cells of the largest grid.
MOST_CELLS = 64
#: How long it waits after a request that was denied or refused, and between requests once the grid has ended.
PAUSE_NS = 1_000_000_000
#: How far through the touch it sells out, in bps, and how often it tries.
THROUGH_BPS, TRIES = 5.0, 10
#: Orders farther from the best bid than this part of it wait until it comes nearer: venues and risk checks refuse them.
FARTHEST = 0.15
SYNCED = BookState.SYNCED
REJECTED, EXPIRED = Status.REJECTED, Status.EXPIRED


class Grid(Strategy):
    """Resting orders at fixed steps: buy one lower, sell one higher; see the module."""

    name = "grid"
    compiled = True

    step_bps: float = param(2.0, low=0.01, high=1_000.0, doc="distance of two lines, in bps")
    geometric: bool = param(False, doc="whether each line is a step above the one before, not of the centre")
    levels: int = param(5, low=1, high=MOST_CELLS // 2, doc="cells below the centre, and as many above")
    value: float = param(1_000.0, low=0.001, high=1e9, doc="value of an order, in the quote asset")
    most: float = param(10.0, low=1.0, high=1_000.0, doc="inventory that it does not buy beyond, in orders")
    follow: bool = param(False, doc="whether the grid is laid anew about a mid that has left it")
    stop_bps: float = param(200.0, low=1.0, high=5_000.0, doc="distance from the first centre that ends it, in bps")
    sell_out: bool = param(False, doc="whether what is held is sold through the touch when the grid has ended")
    interval_ms: int = param(50, low=1, high=3_600_000, doc="shortest time between two requests, in ms")

    stopped: bool = False
    ended: bool = False
    moving: bool = False
    tries: int = 0
    first: float = 0.0
    lots: int = 0
    due_ns: int = 0
    line: Array[int] = array(MOST_CELLS + 1)
    number: Array[int] = array(MOST_CELLS)
    #: Of the order of a cell, below zero when it sells.
    price: Array[int] = array(MOST_CELLS)
    held: Array[int] = array(MOST_CELLS)
    done: Array[int] = array(MOST_CELLS)

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Looks after the grid."""
        self.tend(book, orders)

    def on_order(self, order: OrderUpdate, book: BookView, orders: Orders) -> None:
        """Books what an order of a cell has filled."""
        for i in range(2 * self.levels):
            if self.number[i] == order.number:
                self.held[i] = max(0, self.held[i] + order.side * (order.filled - self.done[i]))
                self.done[i] = order.filled
                if order.closed:
                    self.number[i] = 0
                    if 2 * self.held[i] < self.lots * orders.lot_units:
                        self.held[i] = 0
                    if order.filled == 0 and (order.status == REJECTED or order.status == EXPIRED):
                        self.due_ns = max(self.due_ns, orders.now_ns + PAUSE_NS)
                    self.tend(book, orders)
                return

    def on_stop(self, orders: Orders) -> None:
        """No order any more."""
        self.stopped = True

    def tend(self, book: BookView, orders: Orders) -> None:
        """Ends, moves or fills the grid, as the market asks for."""
        if self.stopped or book.state != SYNCED or not book.two_sided:
            return
        mid = (book.best_bid + book.best_ask) * 0.5
        if self.lots == 0:
            self.lay(mid, book.best_ask, orders)
            self.first = mid
            if self.lots == 0:
                return
        if not self.ended and abs(mid - self.first) > self.stop_bps * self.first * 1e-4:
            self.ended, self.due_ns = True, 0
        elif self.follow and not self.moving and not self.line[0] <= mid <= self.line[2 * self.levels]:
            self.moving, self.due_ns = True, 0
        if orders.now_ns < self.due_ns:
            return
        if self.ended or self.moving:
            self.clear(mid, book, orders)
        else:
            self.fill(book, orders)

    def clear(self, mid: float, book: BookView, orders: Orders) -> None:
        """Takes the grid away; then sells what is held, or lays another about the mid."""
        if orders.open_orders > 0:
            self.due_ns = orders.now_ns + PAUSE_NS
            orders.cancel_all()
        elif not self.ended:
            self.moving = False
            self.lay(mid, book.best_ask, orders)
        elif self.sell_out and self.tries < TRIES and orders.sellable_lots >= orders.min_lots:
            self.due_ns = orders.now_ns + PAUSE_NS
            self.tries += 1
            price = book.best_bid - reach(book.best_bid, THROUGH_BPS)
            if price > 0:
                orders.sell(price, orders.sellable_lots, ioc=True)

    def lay(self, mid: float, price: int, orders: Orders) -> None:
        """Draws the lines about the mid, and gives what is held to the cells above it."""
        lots = orders.lots_for(self.value, price)
        self.lots = lots if lots >= orders.min_lots else 0
        step = self.step_bps * 1e-4
        for i in range(2 * self.levels + 1):
            off = i - self.levels
            at = round(mid * math.exp(off * math.log1p(step)) if self.geometric else mid + off * max(1.0, mid * step))
            self.line[i] = max(at, self.line[i - 1] + 1) if i > 0 else at
        stock = orders.sellable_lots
        for i in range(2 * self.levels):
            given = min(lots, stock) if i >= self.levels else 0
            given = given if 2 * given >= lots else 0
            self.held[i] = given * orders.lot_units
            self.number[i] = self.done[i] = 0
            stock -= given

    def fill(self, book: BookView, orders: Orders) -> None:
        """Places the order that is missing and nearest to the market, one at a time."""
        bid = book.best_bid
        sellable = orders.sellable_lots
        unit = self.lots * orders.lot_units
        bought = sellable * orders.lot_units + orders.open_sell + orders.open_buy
        room = bought + unit <= self.most * unit
        highest, lowest = self.own()
        best, nearest, price = -1, 0, 0
        for i in range(2 * self.levels):
            if self.number[i] != 0:
                continue
            if self.held[i] > 0:
                at = max(self.line[i + 1], bid + 1)
                away = at - bid
                if at <= highest or 2 * min(self.held[i] // orders.lot_units, sellable) < self.lots:
                    continue
            else:
                at = self.line[i]
                away = bid - at
                if at < 1 or away < 0 or at >= lowest or not room:
                    continue
            if away <= bid * FARTHEST and (best < 0 or away < nearest):
                best, nearest, price = i, away, at
        if best >= 0:
            self.place(best, price, min(self.held[best] // orders.lot_units, sellable), orders)

    def own(self) -> tuple[int, int]:
        """Prices of its highest order to buy and of its lowest to sell, 0 and very high where there is none."""
        highest, lowest = 0, 1 << 62
        for i in range(2 * self.levels):
            if self.number[i] != 0:
                highest = max(highest, self.price[i])
                if self.price[i] < 0:
                    lowest = min(lowest, -self.price[i])
        return highest, lowest

    def place(self, cell: int, price: int, held: int, orders: Orders) -> None:
        """Asks for the order of a cell: to sell the lots it holds, or to buy."""
        if self.held[cell] > 0:
            number = orders.sell(price, held, post_only=True)
            self.price[cell] = -price
        else:
            number = orders.buy(price, self.lots, post_only=True)
            self.price[cell] = price
        self.number[cell], self.done[cell] = number, 0
        self.due_ns = orders.now_ns + (self.interval_ms * 1_000_000 if number != 0 else PAUSE_NS)


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``grid``."""
    return Grid
