"""The newest top of each leg's book: from the book, or from the venue's own best bid and offer where that is sooner."""

from __future__ import annotations

from bloor.market.events import EventView
from bloor.market.view import BookState, BookView
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param

__all__ = ["LEGS", "Tops"]

#: Most legs.
LEGS = 3
SYNCED = BookState.SYNCED


class Tops(Strategy):
    """Base of strategies that act on the tops of up to three books, as soon as one of them changes.

    Some venues send changes of the book in batches and their best bid and offer at once; what comes last counts.
    """

    stale_ms: int = param(2_000, low=1, high=3_600_000, doc="age of a book's top that is not traded on, in ms")

    #: Of each leg: prices in ticks, 0 when there is no top; quantities in units; when it was told.
    bid: Array[int] = array(LEGS)
    bid_qty: Array[int] = array(LEGS)
    ask: Array[int] = array(LEGS)
    ask_qty: Array[int] = array(LEGS)
    told_ns: Array[int] = array(LEGS)

    def on_bbo(self, bbo: EventView, book: BookView, orders: Orders) -> None:
        """Takes over the venue's best bid and offer, and acts."""
        self.put(orders, bbo.price, bbo.qty, bbo.price2, bbo.qty2)
        self.act(orders)

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Takes over the top of the book, and acts."""
        if book.two_sided:
            self.put(orders, book.best_bid, book.bid_qty, book.best_ask, book.ask_qty)
        else:
            self.put(orders, 0, 0, 0, 0)
        self.act(orders)

    def act(self, orders: Orders) -> None:
        """What to do; ``orders`` is that of the leg that changed."""

    def put(self, desk: Orders, bid: int, bid_qty: int, ask: int, ask_qty: int) -> None:
        """The top of a leg is another."""
        leg = desk.leg
        self.bid[leg], self.bid_qty[leg], self.ask[leg], self.ask_qty[leg] = bid, bid_qty, ask, ask_qty
        self.told_ns[leg] = desk.now_ns

    def sees(self, desk: Orders) -> bool:
        """Whether a leg's top may be traded on: its book in sync with both sides, they in order, heard of lately."""
        leg = desk.leg
        if desk.book.state != SYNCED or not desk.book.two_sided:
            return False
        if not 0 < self.bid[leg] < self.ask[leg]:
            return False
        return desk.now_ns - self.told_ns[leg] <= self.stale_ms * 1_000_000
