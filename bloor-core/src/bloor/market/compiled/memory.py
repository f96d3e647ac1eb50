"""Reading and writing memory by address: the words in which compiled normalizers and book functions are written.

Hot path. These are the plain forms, slow and exact, so that kernels run under a debugger or a coverage tool as they
stand; :mod:`bloor.market.compiled.twins` has the compiled form of each, of the same meaning.

Addresses are integers. Whoever calls a kernel keeps the memory alive, and puts a NUL behind the last byte of a text:
NUL is in no JSON, so every scan ends there without looking at a length.
"""

from __future__ import annotations

from ctypes import c_char, c_int64, c_uint8
from typing import Any

import numpy as np

__all__ = ["Cells", "byte_at", "cell_at", "cells_at", "leading_digits", "put_cell", "rows_at"]

Cells = np.ndarray[Any, np.dtype[np.int64]]


def byte_at(address: int) -> int:
    """The byte at an address, 0 to 255."""
    return c_uint8.from_address(int(address)).value


def cell_at(address: int) -> int:
    """The int64 at an address."""
    return c_int64.from_address(int(address)).value


def put_cell(address: int, value: int) -> None:
    """Writes an int64."""
    c_int64.from_address(int(address)).value = int(value)


def leading_digits(address: int, count: int) -> int:
    """The number that the first ``count`` (1 to 8) of eight digits make; -1 unless all are digits and the rest zeros.

    Reads eight bytes: the caller sees to it that they are there.
    """
    text = (c_char * 8).from_address(int(address)).raw
    if not all(48 <= byte <= 57 for byte in text) or text[count:].strip(b"0"):
        return -1
    return int(text[:count])


def cells_at(address: int, size: int) -> Cells:
    """The ``size`` int64 cells at an address, not copied."""
    cells: Any = (c_int64 * int(size)).from_address(int(address))
    return np.frombuffer(cells, np.int64)


def rows_at(address: int, rows: int) -> Cells:
    """The ``rows`` pairs of int64 cells at an address, as an array of shape (rows, 2), not copied."""
    return cells_at(address, 2 * rows).reshape(rows, 2)
