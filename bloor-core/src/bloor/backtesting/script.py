"""Orders put to the simulated venue of a lane at given times, one request after the other, whatever came of them.

No strategy takes part, so nothing follows from an answer: each request is there at its own time, and what the venue
answers is written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

import numpy as np
from attrs import frozen

from bloor.backtesting import layout as at
from bloor.backtesting.course import check_fault
from bloor.backtesting.kernels import venue
from bloor.backtesting.memory import LaneMemory, RunMemory, address, put
from bloor.backtesting.messages import arrive, entry_ns, message_at
from bloor.execution.life import Status
from bloor.native.memory import cell_at, put_cell

__all__ = ["Asked", "Told", "put_to_venue"]


@frozen(kw_only=True)
class Asked:
    """A request, as a strategy's desk sent it.

    Attributes:
        kind: PLACE, CANCEL, AMEND or REPLACE of :mod:`bloor.backtesting.layout`.
        ns: When it was sent.
        number: Of the order; of a replacement, that of the new one.
        side: +1 buy, -1 sell.
        price: In ticks.
        units: Its quantity; of an amendment, that from then on.
        type: An :class:`~bloor.model.orders.OrderType`.
        tif: A :class:`~bloor.model.orders.TimeInForce`.
        replaces: Of a replacement: the number of the order that it takes the place of.
        untouched: Of a replacement: whether it is placed only if that order has not traded.
    """

    kind: int
    ns: int
    number: int
    side: int = 0
    price: int = 0
    units: int = 0
    type: int = 0
    tif: int = 0
    replaces: int = 0
    untouched: bool = False


@frozen(kw_only=True)
class Told:
    """What the venue answered.

    Attributes:
        number: Of the order.
        kind: ACKED, FILLED, CANCELLED, EXPIRED, REJECTED, REFUSED, AMENDED or REDUCED.
        units: Of a fill, or the quantity of an order that is smaller now.
        last: Whether the order is over.
        exch_ns: When it happened at the venue.
        recv_ns: When it was received.
    """

    number: int
    kind: int
    units: int
    last: bool
    exch_ns: int
    recv_ns: int


def put_to_venue(lane: LaneMemory, requests: Iterable[Asked]) -> list[Told]:
    """Puts orders to the venue of a lane, and says what it answered, in order.

    A request about an order that the venue does not have, or no more, is answered as a venue does.

    Args:
        lane: The memory of the lane, not run yet.
        requests: What was asked for, in the order of time; an order is placed before anything else is asked of it.
    """
    return _Script(lane).play(requests)


class _InOrder:
    """Times of messages that do not overtake each other; where latencies were measured, those of one order do not."""

    def __init__(self, *, overtakes: bool) -> None:
        self._overtakes = overtakes
        self._newest: dict[int, int] = {}

    def after(self, number: int, ns: int) -> int:
        """When a message about an order is there, at a time or after those before it."""
        whose = number if self._overtakes else 0
        self._newest[whose] = max(ns, self._newest.get(whose, at.LONG_AGO))
        return self._newest[whose]


class _Script:
    def __init__(self, lane: LaneMemory) -> None:
        self._run = RunMemory([lane], [], 0)
        self._lane, self._cells = lane, address(lane.cells)
        self._advance = venue(by_order=lane.windows.by_order).call["advance"]
        self._slots: dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self._arrived = _InOrder(overtakes=cell_at(self._cells + at.ENTRY_MOMENTS) != 0)
        self._received = _InOrder(overtakes=cell_at(self._cells + at.RESPONSE_MOMENTS) != 0)

    def play(self, requests: Iterable[Asked]) -> list[Told]:
        """All of it, and then the market to its end."""
        told: list[Told] = []
        requests = list(requests)
        for each in requests:
            if each.kind in (at.PLACE, at.REPLACE):
                if len(self._slots) >= self._lane.room.orders:
                    self._run.make_room(self._lane, at.ROOM_ORDERS)
                self._slots[each.number] = _slot(each)
        for arrives_ns, each in sorted(self._arriving(requests), key=itemgetter(0)):
            self._ask(each, arrives_ns)
            self._follow(arrives_ns)
            told += self._heard()
        self._follow(at.NEVER - 1)
        return [*told, *self._heard()]

    def _arriving(self, requests: Iterable[Asked]) -> Iterator[tuple[int, Asked]]:
        """When each request arrives."""
        for each in requests:
            arrives_ns = self._arrived.after(each.replaces or each.number, entry_ns(self._cells, each.ns))
            yield self._arrived.after(each.number, arrives_ns), each

    def _ask(self, each: Asked, arrives_ns: int) -> None:
        """A request is on its way."""
        old = self._slots[each.replaces or each.number]
        message = arrive(self._cells, arrives_ns, each.kind, address(old))
        if each.kind == at.REPLACE:
            put_cell(message + at.MESSAGE_PRICE, address(self._slots[each.number]))
            put_cell(message + at.MESSAGE_UNITS, int(each.untouched))
        elif each.kind == at.AMEND:
            put_cell(message + at.MESSAGE_UNITS, each.units)

    def _follow(self, ns: int) -> None:
        """Simulates the venue up to a time, that time included."""
        while (answer := self._advance(self._cells, ns, 0, 0)) != at.DONE:
            if answer == at.NEED_VENUE:
                self._lane.next_venue_rows()
            else:
                self._lane.room.grow(at.ROOM_TOLD)
        check_fault(self._run)

    def _heard(self) -> Iterator[Told]:
        """The answers since the last time."""
        head, tail = (int(self._lane.cells[cell // 8]) for cell in (at.TOLD_HEAD, at.TOLD_TAIL))
        for i in range(head, tail):
            message = message_at(self._cells, at.TOLD, i)
            number = cell_at(message + at.MESSAGE_NUMBER)
            received_ns = self._received.after(number, cell_at(message + at.MESSAGE_NS))
            yield Told(
                number=number, kind=cell_at(message + at.MESSAGE_KIND),
                units=cell_at(message + at.MESSAGE_UNITS), last=cell_at(message + at.MESSAGE_LAST) == 1,
                exch_ns=cell_at(message + at.MESSAGE_EXCH), recv_ns=received_ns,
            )  # fmt: skip
        put(self._lane.cells, at.TOLD_HEAD, 0)
        put(self._lane.cells, at.TOLD_TAIL, 0)


def _slot(each: Asked) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The memory of an order."""
    cells = np.zeros(at.SLOT_BYTES // 8, np.int64)
    for offset, value in (
        (at.SLOT_NUMBER, each.number), (at.SLOT_SIDE, each.side), (at.SLOT_PRICE, each.price),
        (at.SLOT_UNITS, each.units), (at.SLOT_LEFT, each.units), (at.SLOT_TYPE, each.type), (at.SLOT_TIF, each.tif),
        (at.SLOT_STATUS, int(Status.PENDING_NEW)),
    ):  # fmt: skip
        put(cells, offset, value)
    return cells
