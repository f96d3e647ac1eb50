"""Arithmetic of prices that several strategies share; compiled with them."""

from __future__ import annotations

__all__ = ["reach"]


def reach(price: int, bps: float) -> int:
    """Basis points of a price, in whole ticks, rounded up: how far an order that takes may pay through the touch.

    Args:
        price: In ticks.
        bps: In basis points.
    """
    return int(price * bps * 1e-4 + 0.999999)
