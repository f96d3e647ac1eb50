"""The channel ``level3``: the orders of the 10 to 1000 best levels a side, and what becomes of them.

As of the channel ``book``, a window is what subscribers of that depth have: nothing is said of a level that was pushed
out of it, and all orders of one that comes back are added. Every message carries the checksum of the orders of the ten
best levels a side after it (docs.kraken.com, "Level3", "L3 checksum").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple
from zlib import crc32

from bloor.model.decimals import format_units
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.levels import Level
from bloor.simulation.matching import MatchingBook
from bloor_kraken.checksum import LEVELS
from bloor_kraken.frames.level3 import Occurrence
from bloor_kraken.simulated.words import rfc3339_ns

__all__ = ["OrderId", "OrderWindow", "stamp_new"]

#: ``order_id(number)``: the id of an order.
OrderId = Callable[[int], str]
SIDES = (Side.BUY, Side.SELL)


def stamp_new(book: MatchingBook, touched: Iterable[tuple[Side, int]], ns: int) -> None:
    """Notes that the orders that are new at these levels joined their queues now."""
    for side, price in touched:
        level = book.side(side).levels.get(price)
        for order in reversed(level.queue if level is not None else ()):
            if order.joined_ns:
                break
            order.joined_ns = ns


class _Shown(NamedTuple):
    """An order as subscribers have it."""

    units: int
    joined_ns: int


#: Of a level: number of an order -> the order, in the sequence of the queue.
Queue = dict[int, _Shown]
#: Of an event: what happened, the order's number, its price in ticks, what is left of it, and when.
_Event = tuple[Occurrence | None, int, int, int, int]


class OrderWindow:
    """The orders of everybody who subscribed to one depth of one market.

    Args:
        instrument: What is traded.
        depth: Levels a side.
        book: The market's orders.
        order_id: Tells their ids.
    """

    def __init__(self, instrument: Instrument, depth: int, book: MatchingBook, order_id: OrderId) -> None:
        self._instrument = instrument
        self._depth = depth
        self._book = book
        self._order_id = order_id
        self._shown: dict[Side, dict[int, Queue]] = {side: self._fresh(side, {}) for side in SIDES}

    def snapshot(self, ns: int) -> bytes:
        """What a new subscriber begins with."""
        events: dict[Side, list[_Event]] = {
            side: [(None, order, price, *shown) for price, queue in levels.items() for order, shown in queue.items()]
            for side, levels in self._shown.items()
        }
        return self._message("snapshot", events, ns)

    def change(self, ns: int) -> bytes | None:
        """What subscribers are told of what happened since the last call; None when nothing did."""
        events: dict[Side, list[_Event]] = {}
        for side, shown in self._shown.items():
            fresh = self._fresh(side, shown)
            events[side] = self._events(side, shown, fresh, ns)
            self._shown[side] = fresh
        return self._message("update", events, ns) if any(events.values()) else None

    def _fresh(self, side: Side, shown: dict[int, Queue]) -> dict[int, Queue]:
        """The levels as they are, best first; a level that did not change is the same object."""
        levels = zip(self._book.side(side).best_first(), range(self._depth), strict=False)
        return {level.price: _queue(level, shown.get(level.price)) for level, _ in levels}

    def _events(self, side: Side, shown: dict[int, Queue], fresh: dict[int, Queue], ns: int) -> list[_Event]:
        worst = min(price * side for price in fresh) if len(fresh) == self._depth else None
        found: list[_Event] = []
        for price, queue in shown.items():
            now = fresh.get(price)
            if now is None:  # deleted, unless it was pushed out by better ones
                if worst is None or price * side > worst:
                    found += [(Occurrence.DELETE, order, price, was.units, ns) for order, was in queue.items()]
            elif now is not queue:
                found += _left(queue, now, price, ns)
        for price, queue in fresh.items():
            before = shown.get(price)
            if before is not queue:
                known = before or {}
                found += [
                    (Occurrence.ADD, order, price, *now) for order, now in queue.items()
                    if order not in known or known[order].joined_ns != now.joined_ns
                ]  # fmt: skip
        return found

    # ---- words ------------------------------------------------------------------------------------------------------

    def _message(self, kind: str, events: dict[Side, list[_Event]], ns: int) -> bytes:
        bids, asks = (",".join(map(self._text, events[side])) for side in SIDES)
        time = f',"timestamp":"{rfc3339_ns(ns)}"' if kind == "update" else ""
        return (
            f'{{"channel":"level3","type":"{kind}","data":[{{"symbol":"{self._instrument.venue_symbol}",'
            f'"checksum":{self._checksum()}{time},"bids":[{bids}],"asks":[{asks}]}}]}}'
        ).encode()

    def _text(self, event: _Event) -> str:
        what, order, price, units, ns = event
        i = self._instrument
        head = "" if what is None else f'"event":"{what.value}",'
        return (
            f'{{{head}"order_id":"{self._order_id(order)}",'
            f'"limit_price":{format_units(price * i.tick_units, i.price_decimals)},'
            f'"order_qty":{format_units(units, i.qty_decimals)},"timestamp":"{rfc3339_ns(ns)}"}}'
        )

    def _checksum(self) -> int:
        """Of the orders of the ten best levels a side: digits without the point and without leading zeros."""
        digits = []
        for side in (Side.SELL, Side.BUY):
            for (price, queue), _ in zip(self._shown[side].items(), range(LEVELS), strict=False):
                digits += [f"{price * self._instrument.tick_units}{order.units}" for order in queue.values()]
        return crc32("".join(digits).encode())


def _queue(level: Level, before: Queue | None) -> Queue:
    """The orders of a level; ``before`` itself where nothing has changed."""
    now = {order.id: _Shown(order.remaining, order.joined_ns) for order in level.queue}
    return before if before is not None and list(before.items()) == list(now.items()) else now


def _left(before: Queue, now: Queue, price: int, ns: int) -> list[_Event]:
    """What happened to the orders that were there: they left, lost their place, or have another quantity."""
    found: list[_Event] = []
    for order, was in before.items():
        left = now.get(order)
        if left is None or left.joined_ns != was.joined_ns:
            found.append((Occurrence.DELETE, order, price, was.units, ns))
        elif left.units != was.units:
            found.append((Occurrence.MODIFY, order, price, left.units, ns))
    return found
