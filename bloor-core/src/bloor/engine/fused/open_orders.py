"""A desk's open orders as compiled code sees them, kept true by Python."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort

from bloor.engine.fused import layout
from bloor.engine.fused.memory import DeskMemory
from bloor.execution.order import Order
from bloor.venue.entry import client_cells

__all__ = ["OpenOrders"]

#: Largest venue order id that fits a cell.
LARGEST = (1 << 63) - 1


class OpenOrders:
    """The rows of one desk's open orders, by number. Those that have no room are left out; compiled code then waits."""

    __slots__ = ("_desk", "_numbers", "_rows")

    def __init__(self, desk: DeskMemory) -> None:
        self._desk = desk
        self._numbers: list[int] = []
        self._rows: dict[int, array[int]] = {}

    def update(self, order: Order, *, can_cancel: bool) -> None:
        """An order has changed.

        Args:
            order: As it is now.
            can_cancel: Whether a cancel makes sense.
        """
        number = order.number
        known = number in self._rows
        if order.is_open:
            self._rows[number] = row_of(order, can_cancel=can_cancel)
            if not known:
                insort(self._numbers, number)
            self._write(bisect_left(self._numbers, number), only=known)
        elif known:
            del self._rows[number]
            index = bisect_left(self._numbers, number)
            del self._numbers[index]
            self._write(index)

    def _write(self, index: int, *, only: bool = False) -> None:
        """Writes one row, or all from an index on."""
        count = min(len(self._numbers), layout.OPEN_MAX)
        rows, cells = self._desk.open, layout.OPEN_CELLS
        for i in range(index, min(index + 1, count) if only else count):
            rows[i * cells : (i + 1) * cells] = self._rows[self._numbers[i]]
        self._desk.cells[layout.OPEN_COUNT] = count


def row_of(order: Order, *, can_cancel: bool) -> array[int]:
    """The cells of one order; see :mod:`bloor.engine.fused.layout`."""
    request, text = order.request, order.venue_order_id
    venue_id = int(text) if text.isascii() and text.isdigit() and int(text) <= LARGEST else -1
    first, second = client_cells(order.client_id)
    return array(
        "q",
        (
            order.number, int(can_cancel), venue_id, first, second, int(request.side), int(request.type),
            int(request.tif), request.price_ticks, request.lots,
        ),
    )  # fmt: skip
