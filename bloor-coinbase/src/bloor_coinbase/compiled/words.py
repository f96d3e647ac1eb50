"""Text as cells of eight bytes, which kernels compare at once."""

from __future__ import annotations

__all__ = ["cell", "half"]


def cell(text: bytes) -> int:
    """The int64 that eight ASCII bytes are in memory."""
    assert len(text) == 8 and text.isascii()
    return int.from_bytes(text, "little")


def half(text: bytes) -> int:
    """The unsigned number that four bytes are in memory."""
    assert len(text) == 4
    return int.from_bytes(text, "little")
