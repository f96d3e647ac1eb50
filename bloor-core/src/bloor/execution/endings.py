"""How an order ended, as venues word it, and whether anything of ours can still come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.execution.life import Reason

if TYPE_CHECKING:
    from bloor.execution.blotter import Blotter

__all__ = ["ending", "is_settled"]

#: The first word of a FOUND_CLOSED report's reason, as venues write it.
_ENDINGS = {
    "FILLED": Reason.FILLED,
    "CANCELED": Reason.CANCELLED,
    "CANCELLED": Reason.CANCELLED,
    "EXPIRED": Reason.EXPIRED,
    "EXPIRED_IN_MATCH": Reason.EXPIRED,
    "REJECTED": Reason.REJECTED,
    "FAILED": Reason.REJECTED,
}


def ending(reason: str) -> Reason:
    """What the first word of a FOUND_CLOSED report's reason means; ENDED for one that is not known."""
    words = reason.split(maxsplit=1)
    return _ENDINGS.get(words[0].upper(), Reason.ENDED) if words else Reason.ENDED


def is_settled(blotter: Blotter) -> bool:
    """Whether no order is open and every fill that a venue has counted is here."""
    return not blotter.open_orders() and not any(order.fills_missing for order in blotter)
