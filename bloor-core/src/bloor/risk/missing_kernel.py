"""The compiled form of :class:`~bloor.risk.limits.LimitsMissing` (kernel)."""

from __future__ import annotations

__all__ = ["check"]


def check(_cells: int, _intent: int, _book: int, _exposure: int, _now_ns: int) -> int:
    """Denies."""
    return 1
