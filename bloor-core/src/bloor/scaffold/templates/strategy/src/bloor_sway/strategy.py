"""The plug-in ``sway``: buys when trades are below their moving average, sells when they are above it.

TODO: your own rule. What a strategy is told and may ask for: docs, "Write a strategy". This one keeps to the part of
Python that bloor can compile; ``compiled = True`` in the class makes it machine code.
"""

from __future__ import annotations

from bloor.hookspecs import hookimpl
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.params import param

__all__ = ["Sway", "bloor_strategy"]


class Sway(Strategy):
    """Mean reversion on trades, long or flat."""

    name = "sway"

    span: int = param(20, low=2, high=100_000, doc="span of the average, in trades")
    band_bps: float = param(0.2, low=0.0, high=1_000.0, doc="how far from the average to act, in basis points")
    value: float = param(1_000.0, low=0.0, high=1e9, doc="value of an entry, in the quote asset")

    seen: int = 0
    mean: float = 0.0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Updates the average and acts on the distance of the price from it."""
        price = trade.price
        if self.seen == 0:
            self.mean = float(price)
        self.mean += (price - self.mean) * 2.0 / (self.span + 1.0)
        self.seen += 1
        if self.seen <= self.span or orders.open_orders > 0 or not book.two_sided:
            return
        band = self.mean * self.band_bps * 1e-4
        if price < self.mean - band and orders.sellable_lots < orders.min_lots:
            lots = orders.lots_for(self.value, book.best_ask)
            if lots >= orders.min_lots:
                orders.buy(book.best_ask, lots, ioc=True)
        elif price > self.mean + band and orders.sellable_lots >= orders.min_lots:
            orders.sell(book.best_bid, orders.sellable_lots, ioc=True)


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The strategy's class."""
    return Sway
