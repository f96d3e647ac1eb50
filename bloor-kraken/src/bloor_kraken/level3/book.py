"""The book of one pair by its orders, as channel ``level3`` tells it (sans I/O).

What Kraken promises, and what was seen of it:

- The queue of a price is in the sequence in which orders joined. An order that becomes smaller, by a fill or by its
  owner, keeps its place; one with another price loses it. Whether one that grows loses it is not said: the checksum
  tells, and what it told is kept.
- Orders that begin to be seen in one message are not always told in the sequence in which they joined: their own times
  are, and so the times count. Nothing else of a message changes its place.
- A level that is pushed out of the depth is not deleted: whoever keeps the book cuts it. When it comes back, all its
  orders are added again, under the same ids.
- The checksum is that of the channel ``book`` over orders instead of levels: of the ten best prices of the asks, then
  of the bids, the digits of price and quantity of each order in its queue.

Sources: docs.kraken.com, "Level3" and "L3 checksum (WebSocket v2)"; the sequence of additions, and that a known order
may be added again, as seen in recordings of the real channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from decimal import Decimal
from zlib import crc32

from bloor.market.messages import BookMessage
from bloor.market.orders import OrderChange, OrderQueues, as_levels
from bloor_kraken.checksum import LEVELS, decimals
from bloor_kraken.frames.level3 import Level3, Occurrence, OrderEvent

__all__ = ["BookByOrder"]

ASK, BID = -1, 1
#: Prices whose digits are remembered.
_MOST = 1_000


class BookByOrder:
    """One pair's orders.

    Attributes:
        queues: The orders in their queues.
        checksum: Of the book after the newest message.
    """

    def __init__(self) -> None:
        self.queues = OrderQueues()
        self.checksum = 0
        self._price_decimals = self._qty_decimals = 0
        #: digits of the orders at a price, by side and price: most levels are as they were before a message
        self._digits: dict[tuple[int, str], str] = {}
        #: whether an order that grows keeps its place; None until a checksum has told
        self._growing_keeps: bool | None = None

    def take(self, message: Level3, depth: int) -> BookMessage:
        """Takes a message.

        Args:
            message: What was told.
            depth: Levels a side that are kept; 0 for all.

        Returns:
            The same in terms of levels, with whose orders they are of.
        """
        self._learn_decimals(message)
        changes = self._loaded(message) if message.snapshot else self._changed(message, depth)
        if depth:
            self.queues.truncate(depth)
        for change in changes:
            self._digits.pop((change.side, change.price), None)
        if len(self._digits) > _MOST:  # most are of prices that the market has left
            self._digits.clear()
        self.checksum = self._sum()
        bids, asks, orders = as_levels(changes, self.queues, tells_executions=False)
        return BookMessage(
            message.symbol, message.snapshot, -1, -1, -1, bids, asks, message.exch_ns, True, message.checksum, orders
        )

    # ---- changes ----------------------------------------------------------------------------------------------------

    def _loaded(self, message: Level3) -> Sequence[OrderChange]:
        """A snapshot."""
        self.queues.clear()
        for event in message.events:
            self._added(event)
        return self.queues.whole()

    def _changed(self, message: Level3, depth: int) -> Sequence[OrderChange]:
        """An update; where an order grows, and nobody knows yet whether it keeps its place, the checksum decides."""
        events = _as_they_joined(message.events)
        unsure = self._growing_keeps is None and self.queues.any_grows(
            (e.order_id, e.price, e.qty) for e in events if e.what is Occurrence.MODIFY
        )
        if not unsure:
            return self._applied(events, keeps=bool(self._growing_keeps))
        before, found = self.queues, {}
        for keeps in (False, True):
            self.queues = deepcopy(before)
            self._digits.clear()
            changes = self._applied(events, keeps=keeps)
            if depth:
                self.queues.truncate(depth)
            found[keeps] = changes, self.queues, self._sum() == message.checksum
        if found[False][2] != found[True][2]:
            self._growing_keeps = found[True][2]
        changes, self.queues, _ = found[bool(self._growing_keeps)]
        self._digits.clear()
        return changes

    def _applied(self, events: Sequence[OrderEvent], *, keeps: bool) -> list[OrderChange]:
        changes: list[OrderChange] = []
        for event in events:
            if event.what is Occurrence.ADD:
                changes += self._added(event)
            elif event.order_id in self.queues:  # else it was never seen, or was cut off: the checksum tells
                gone = event.what is Occurrence.DELETE or not Decimal(event.qty)
                changes += (
                    self.queues.cancel(event.order_id)
                    if gone
                    else self.queues.modify(event.order_id, event.price, event.qty, event.ns, keeps=keeps)
                )
        return changes

    def _added(self, event: OrderEvent) -> list[OrderChange]:
        """An order joins; one that was known is another from here on, and its leaving is no execution."""
        before = [c._replace(gone="0") for c in self._forgotten(event.order_id)]
        return before + self.queues.add(event.order_id, event.side, event.price, event.qty, event.ns)

    def _forgotten(self, order_id: str) -> list[OrderChange]:
        return self.queues.cancel(order_id) if order_id in self.queues else []

    # ---- the checksum -----------------------------------------------------------------------------------------------

    def _learn_decimals(self, message: Level3) -> None:
        """Digits are as they are sent: with as many decimals as the pair has, which the orders themselves show."""
        price, qty = (0, 0) if message.snapshot else (self._price_decimals, self._qty_decimals)
        for event in message.events:
            price, qty = max(price, decimals(event.price)), max(qty, decimals(event.qty))
        if message.snapshot or (price, qty) != (self._price_decimals, self._qty_decimals):
            self._digits.clear()
        self._price_decimals, self._qty_decimals = price, qty

    def _sum(self) -> int:
        """The checksum of the book as it is."""
        found = []
        for side in (ASK, BID):
            for price in self.queues.prices(side, LEVELS):
                digits = self._digits.get((side, price))
                if digits is None:
                    digits = self._digits[side, price] = self._digits_at(side, price)
                found.append(digits)
        return crc32("".join(found).encode())

    def _digits_at(self, side: int, price: str) -> str:
        """Price and quantity of each order at a price."""
        of_price = str(int(Decimal(price).scaleb(self._price_decimals)))
        return "".join(f"{of_price}{int(qty.scaleb(self._qty_decimals))}" for qty in self.queues.queue(side, price))


def _as_they_joined(events: Sequence[OrderEvent]) -> Sequence[OrderEvent]:
    """The same, those of a side that are added in the sequence of their times at the places of such."""
    ordered = {
        side: iter(sorted((e for e in events if e.what is Occurrence.ADD and e.side == side), key=lambda e: e.ns))
        for side in (BID, ASK)
    }
    return [next(ordered[event.side]) if event.what is Occurrence.ADD else event for event in events]
