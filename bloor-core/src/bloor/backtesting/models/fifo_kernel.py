"""First in, first out, where the data say whose order changed (kernel; hot path).

Orders are numbered in the sequence in which they joined a queue. An order of ours stands behind every order that had
joined before it did, and before every later one. All in integers: exact, whatever the size.
"""

from __future__ import annotations

from bloor.native.memory import cell_at, put_cell

__all__ = ["changed", "order_changed", "placed", "traded"]

AHEAD = 0  # units ahead of the order
JOINED = 8  # the newest order that had joined before it


def placed(_params: int, queue: int, level: int, newest: int) -> int:
    """Everything at the level is ahead."""
    put_cell(queue + AHEAD, level)
    put_cell(queue + JOINED, newest)
    return 0


def traded(_params: int, queue: int, units: int, order: int) -> int:
    """What was executed of an order that joined later would have been ours."""
    return units if order > cell_at(queue + JOINED) else 0


def changed(_params: int, _queue: int, _before: int, _after: int) -> int:
    """What a level holds says nothing that its orders do not."""
    return 0


def order_changed(_params: int, queue: int, units: int, order: int) -> int:
    """An order that joined before became smaller; or the level was emptied, to be told anew."""
    if order == 0:
        put_cell(queue + AHEAD, 0)
    elif order <= cell_at(queue + JOINED):
        put_cell(queue + AHEAD, max(0, cell_at(queue + AHEAD) + units))
    return 0
