"""Memory of an instrument's orders, messages and takes, which grows while kernels run.

A kernel that finds no room calls ``GROW`` of its lane, which gives more memory, and goes on where it was
(:func:`bloor.backtesting.messages.make_room`). Orders stay where they are, and new ones lie elsewhere; the address of
everything else is read anew. How much room there was in the beginning changes no result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import field, frozen

from bloor.backtesting import layout as at
from bloor.market.ladder import far_slot
from bloor.native.memory import Cells

__all__ = ["LaneRoom", "Room", "address", "longer", "put"]

PAGE = 4096
#: How far behind a lane's cells its arrays begin, whole pages apart. A load waits for a store before it to the same
#: place of any other page, which cost up to a third. What is at work of an array lies at its beginning, of the free
#: slots at the end of a usual room.
SLOTS, ASKED, TOLD, TAKES, LIVE, OPEN, FREE = 768, 1728, 2240, 2752, 3264, 3328, 3424


def address(array: np.ndarray[Any, Any]) -> int:
    """Where an array lies."""
    return int(array.ctypes.data)


def longer(array: Cells, count: int, lane: Cells, behind: int, make: Callable[..., Cells] = np.zeros) -> Cells:
    """A copy with zeros behind it, or with anything.

    Args:
        array: What is copied.
        count: How many cells there are to be.
        lane: The cells of a lane.
        behind: How many bytes behind them it begins, apart from whole pages.
        make: ``numpy.empty`` where all is written before it is read: such memory costs nothing before it is used.
    """
    found = make(count + PAGE // 8, np.int64)
    begin = (address(lane) + behind - address(found)) % PAGE // 8
    made: Cells = found[begin : begin + count]
    made[: len(array)] = array
    return made


def put(cells: Cells, offset: int, value: int) -> None:
    """Writes the cell at an offset in bytes."""
    cells[offset // 8] = value


def _power_of_two(_room: Room, attribute: Any, value: int) -> None:
    if value < 1 or value & value - 1:
        raise ValueError(f"room for {attribute.name}: expected a power of two, got {value}")


@frozen(kw_only=True)
class Room:
    """What an instrument has room for in the beginning; each a power of two.

    Attributes:
        orders: Open orders.
        messages: Messages on their way, in each direction: more than the book has levels, all of which one order may
            trade with.
        takes: Twice the levels that orders of ours have taken from and that have not changed since.
    """

    orders: int = field(default=1 << 10, validator=_power_of_two)
    messages: int = field(default=1 << 15, validator=_power_of_two)
    takes: int = field(default=1 << 5, validator=_power_of_two)


class LaneRoom:
    """The arrays of one lane.

    Attributes:
        orders: How many orders there is room for.
    """

    def __init__(self, cells: Cells, room: Room) -> None:
        """Makes the arrays, and writes into the lane where they are.

        Args:
            cells: The lane's cells.
            room: What there is room for.
        """
        self._cells = cells
        self.orders = 0
        self._blocks: list[Cells] = []
        self._free = self._live = _NOTHING
        self._more_orders(room.orders)
        #: where a queue's address, its first and last message and its room are -> the queue
        self._queues: dict[tuple[int, int, int, int], Cells] = {}
        for queue in (_ASKED, _TOLD):
            self._set_queue(queue, self._messages(queue, room.messages))
        self._set_takes(self._new(TAKES, room.takes, at.TAKE_BYTES))

    def grow(self, what: int) -> None:
        """Makes more room: twice as much at least, and for messages in what used ones leave where that is most of it.

        Args:
            what: ``ROOM_ORDERS``, ``ROOM_ASKED``, ``ROOM_TOLD`` or ``ROOM_TAKES`` of :mod:`bloor.backtesting.layout`.
        """
        if what == at.ROOM_ORDERS:
            self._more_orders(self.orders)
        elif what == at.ROOM_TAKES:
            self._more_takes()
        elif what == at.ROOM_ASKED:
            self._more_messages(_ASKED, 1)
        else:
            levels, live = (int(self._cells[cell // 8]) for cell in (at.LEVEL_COUNT, at.LIVE_COUNT))
            self._more_messages(_TOLD, levels + 2 * live + at.ANSWERS)

    def open_slots(self) -> Cells:
        """Orders that are open, ``(n, 24)`` int64."""
        found: Cells = np.concatenate([block[block[:, at.SLOT_STATUS // 8] != 0] for block in self._blocks])
        return found

    def _more_orders(self, count: int) -> None:
        block = self._new(SLOTS, count, at.SLOT_BYTES)
        self._blocks.append(block)
        self.orders += count
        free = int(self._cells[at.FREE_COUNT // 8])
        added = address(block) + at.SLOT_BYTES * np.arange(count, dtype=np.int64)[::-1]
        self._free = longer(np.concatenate([self._free[:free], added]), self.orders, self._cells, FREE)
        self._live = longer(self._live, self.orders, self._cells, LIVE)
        for cell, value in (
            (at.FREE, address(self._free)), (at.FREE_COUNT, free + count), (at.LIVE, address(self._live)),
        ):  # fmt: skip
            put(self._cells, cell, value)

    def _more_messages(self, queue: tuple[int, int, int, int], beside: int) -> None:
        old = self._queues[queue]
        _, head, tail, _ = queue
        waiting = old[int(self._cells[head // 8]) : int(self._cells[tail // 8])].copy()
        size = len(old)
        while size < 2 * (len(waiting) + beside):
            size *= 2
        new = old if size == len(old) else self._messages(queue, size)
        new[: len(waiting)] = waiting
        put(self._cells, head, 0)
        put(self._cells, tail, len(waiting))
        self._set_queue(queue, new)

    def _set_queue(self, queue: tuple[int, int, int, int], messages: Cells) -> None:
        self._queues[queue] = messages
        where, _, _, room = queue
        put(self._cells, where, address(messages))
        put(self._cells, room, len(messages))

    def _messages(self, queue: tuple[int, int, int, int], count: int) -> Cells:
        return self._new(ASKED if queue is _ASKED else TOLD, count, at.MESSAGE_BYTES, np.empty)

    def _new(self, behind: int, count: int, size: int, make: Callable[..., Cells] = np.zeros) -> Cells:
        """Rows of so many bytes."""
        made: Cells = longer(_NOTHING, count * size // 8, self._cells, behind, make).reshape(count, -1)
        return made

    def _more_takes(self) -> None:
        old = self._takes
        new = self._new(TAKES, 2 * len(old), at.TAKE_BYTES)
        for key, units in old[old[:, at.TAKE_QTY // 8] != 0].tolist():
            place = far_slot(key, len(new) - 1)
            while new[place, at.TAKE_QTY // 8]:
                place = (place + 1) & len(new) - 1
            new[place] = key, units
        self._set_takes(new)

    def _set_takes(self, takes: Cells) -> None:
        self._takes = takes
        put(self._cells, at.TAKEN, address(takes))
        put(self._cells, at.TAKEN_MASK, len(takes) - 1)


_NOTHING: Cells = np.zeros(0, np.int64)
_ASKED = (at.ASKED, at.ASKED_HEAD, at.ASKED_TAIL, at.ASKED_ROOM)
_TOLD = (at.TOLD, at.TOLD_HEAD, at.TOLD_TAIL, at.TOLD_ROOM)
