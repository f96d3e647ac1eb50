"""What a handler reads of a book beside its cells (kernels; hot path): the properties of ``BookView``, by address."""

from __future__ import annotations

from typing import Any

from bloor.market.events import NO_PRICE
from bloor.market.view import BookView
from bloor.native.memory import cell_at

__all__ = ["mid2", "spread", "two_sided"]

_fields: Any = BookView.DTYPE.fields
BEST_BID: int = _fields["best_bid"][1]
BEST_ASK: int = _fields["best_ask"][1]


def two_sided(book: int) -> bool:
    """Whether both sides have a price."""
    return cell_at(book + BEST_BID) != NO_PRICE and cell_at(book + BEST_ASK) != NO_PRICE


def mid2(book: int) -> int:
    """Twice the mid price, in ticks."""
    return cell_at(book + BEST_BID) + cell_at(book + BEST_ASK)


def spread(book: int) -> int:
    """Best ask less best bid, in ticks."""
    return cell_at(book + BEST_ASK) - cell_at(book + BEST_BID)
