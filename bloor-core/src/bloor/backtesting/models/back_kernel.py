"""Everybody at the price is ahead of an order, whoever came later too (kernel; hot path)."""

from __future__ import annotations

__all__ = ["changed", "placed", "traded"]


def placed(_params: int, _queue: int, _level: int, _unused: int) -> int:
    """Nothing to remember."""
    return 0


def traded(_params: int, _queue: int, _units: int, _unused: int) -> int:
    """No trade at the price reaches the order."""
    return 0


def changed(_params: int, _queue: int, _before: int, _after: int) -> int:
    """Nothing to remember."""
    return 0
