"""What a handler reads of a book beside its cells (kernels; hot path): ``BookView`` by its address.

A view is the head of its ladder's cells (:attr:`bloor.market.book.OrderBook.core`), so its address is a whole book.
"""

from __future__ import annotations

from typing import Any

from bloor.market.compiled.books import average_price as average_price_of
from bloor.market.compiled.books import level as level_of
from bloor.market.compiled.books import size_at as size_at_of
from bloor.market.compiled.books import size_to as size_to_of
from bloor.market.events import NO_PRICE
from bloor.market.ladder import CORE_CELLS, MAX_TICKS
from bloor.market.view import BookView
from bloor.model.orders import Side
from bloor.native.memory import cell_at, cells_at

__all__ = ["average_price", "level", "mid2", "size_at", "size_to", "spread", "two_sided"]

_fields: Any = BookView.DTYPE.fields
BEST_BID: int = _fields["best_bid"][1]
BEST_ASK: int = _fields["best_ask"][1]
BUY, SELL = int(Side.BUY), int(Side.SELL)


def two_sided(book: int) -> bool:
    """Whether both sides have a price."""
    return cell_at(book + BEST_BID) != NO_PRICE and cell_at(book + BEST_ASK) != NO_PRICE


def mid2(book: int) -> int:
    """Twice the mid price, in ticks."""
    return cell_at(book + BEST_BID) + cell_at(book + BEST_ASK)


def spread(book: int) -> int:
    """Best ask less best bid, in ticks."""
    return cell_at(book + BEST_ASK) - cell_at(book + BEST_BID)


def ladder_side(side: int) -> int:
    """The side as the ladder counts it."""
    if side != BUY and side != SELL:
        raise ValueError("expected Side.BUY or Side.SELL")
    return 0 if side == BUY else 1


def size_at(book: int, side: int, price: int) -> int:
    """Units at a price, 0 when there is no level."""
    which = ladder_side(side)
    if price <= 0 or price > MAX_TICKS:
        return 0
    return size_at_of(cells_at(book, CORE_CELLS), which, price)


def level(book: int, side: int, n: int) -> tuple[int, int]:
    """Price and units of the ``n``-th level."""
    return level_of(cells_at(book, CORE_CELLS), ladder_side(side), n)


def size_to(book: int, side: int, price: int) -> int:
    """Units of all levels from the best to ``price``; -1 when they pass 63 bits."""
    return size_to_of(cells_at(book, CORE_CELLS), ladder_side(side), price)


def average_price(book: int, side: int, units: int) -> tuple[int, int]:
    """Value and units of what an order that takes from a side would trade."""
    return average_price_of(cells_at(book, CORE_CELLS), ladder_side(side), units)
