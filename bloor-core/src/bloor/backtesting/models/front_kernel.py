"""Nothing is ever ahead of an order (kernel; hot path)."""

from __future__ import annotations

__all__ = ["changed", "placed", "traded"]


def placed(_params: int, _queue: int, _level: int, _unused: int) -> int:
    """Nothing to remember."""
    return 0


def traded(_params: int, _queue: int, units: int, _unused: int) -> int:
    """Every trade at the price reaches the order, whole."""
    return units


def changed(_params: int, _queue: int, _before: int, _after: int) -> int:
    """Nothing to remember."""
    return 0
