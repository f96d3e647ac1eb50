"""How an order ended, as venues word it."""

from __future__ import annotations

from bloor.execution.life import Reason

__all__ = ["ending"]

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
