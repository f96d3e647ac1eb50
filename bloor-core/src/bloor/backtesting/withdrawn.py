"""What was withdrawn from a level before a trade took the rest of it.

A trade and the best price that it left are one event (:mod:`bloor.backtesting.moments`). A level held, right before the
trade, what the trade took of it and what it left; whatever else is gone since the level was last told was withdrawn
earlier. So an order of ours that the trade reached had that much less ahead of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bloor.backtesting.atvenue import BOOK, LEVEL
from bloor.native.memory import Cells
from bloor.storage.cells import Records

__all__ = ["withdrawn"]


def withdrawn(rows: Records, head: int, trades: Sequence[int], more: Cells) -> list[np.void]:
    """A message of the book right before some trades; nothing when it would say no news.

    Args:
        rows: The public events; a message is its head and the levels behind it.
        head: Row of the message that tells what the trades left.
        trades: Their rows; of one taker.
        more: By how much each row of a level makes it more, units.
    """
    side = -int(rows["side"][trades[0]])
    took: dict[int, int] = {}
    for trade in trades:
        if int(rows["side"][trade]) != -side:
            return []
        price = int(rows["price"][trade])
        took[price] = took.get(price, 0) + int(rows["qty"][trade])
    best, worst = max(took, key=lambda price: price * side), min(took, key=lambda price: price * side)
    held: dict[int, int] = {}
    row = head + 1
    while row < len(rows) and rows["kind"][row] == LEVEL:
        price, left = int(rows["price"][row]), int(rows["qty"][row])
        if int(rows["side"][row]) == side and (price - worst) * side >= 0:
            then, before = left + took.get(price, 0), left - int(more[row])
            if then > before:  # something joined, and it is not known when
                return []
            held[price] = then
            if then == before:
                took.pop(price, None)
                del held[price]
        row += 1
    if not held or not held.keys() >= took.keys():
        return []
    return _message(rows[head], int(rows["exch_ns"][trades[0]]) - 1, side, best, held)


def _message(told: np.void, ns: int, side: int, best: int, levels: dict[int, int]) -> list[np.void]:
    """A message of the book: its head, and its levels."""
    book = told.copy()
    book["kind"], book["exch_ns"], book["price" if side > 0 else "price2"] = BOOK, ns, best
    made = [book]
    for price, units in levels.items():
        level = book.copy()
        level["kind"], level["side"], level["price"], level["qty"] = LEVEL, side, price, units
        level["price2"] = level["qty2"] = 0
        made.append(level)
    return made
