"""Reading and writing memory by address: the words in which kernels are written.

Hot path. These are the plain forms, slow and exact, so that kernels run under a debugger or a coverage tool as they
stand; :mod:`bloor.native.twins` has the compiled form of each, of the same meaning.

Addresses are integers. Whoever calls a kernel keeps the memory alive, and puts a NUL behind the last byte of a text:
NUL is in no JSON, so every scan ends there without looking at a length.
"""

from __future__ import annotations

from ctypes import CFUNCTYPE, c_char, c_double, c_int64, c_uint8, c_uint32, memmove
from typing import Any

import numpy as np

__all__ = [
    "Cells",
    "byte_at",
    "call4",
    "call5",
    "call6",
    "cell_at",
    "cells_at",
    "commit_cell",
    "copy_blocks",
    "copy_bytes",
    "float_at",
    "high_bit",
    "leading_count",
    "leading_digits",
    "leading_value",
    "prefetch",
    "product_above",
    "product_float",
    "put_byte",
    "put_cell",
    "put_float",
    "rows_at",
    "shifted",
    "sum_above",
    "word_at",
]

Cells = np.ndarray[Any, np.dtype[np.int64]]

_FUNCTION4 = CFUNCTYPE(c_int64, *[c_int64] * 4)
_FUNCTION5 = CFUNCTYPE(c_int64, *[c_int64] * 5)
_FUNCTION6 = CFUNCTYPE(c_int64, *[c_int64] * 6)


def byte_at(address: int) -> int:
    """The byte at an address, 0 to 255."""
    return c_uint8.from_address(int(address)).value


def cell_at(address: int) -> int:
    """The int64 at an address."""
    return c_int64.from_address(int(address)).value


def float_at(address: int) -> float:
    """The float64 at an address."""
    return c_double.from_address(int(address)).value


def put_cell(address: int, value: int) -> None:
    """Writes an int64."""
    c_int64.from_address(int(address)).value = int(value)


def put_float(address: int, value: float) -> None:
    """Writes a float64."""
    c_double.from_address(int(address)).value = float(value)


def commit_cell(address: int, value: int) -> None:
    """As :func:`put_cell`, at a multiple of 8: one store, and every store before it stays before it."""
    c_int64.from_address(int(address)).value = int(value)


def word_at(address: int) -> int:
    """The unsigned 32-bit word at an address."""
    return c_uint32.from_address(int(address)).value


def put_byte(address: int, value: int) -> None:
    """Writes a byte, 0 to 255."""
    c_uint8.from_address(int(address)).value = int(value)


def copy_bytes(target: int, source: int, size: int) -> None:
    """Copies bytes to where the source does not reach."""
    memmove(int(target), int(source), int(size))


def copy_blocks(target: int, source: int, size: int) -> None:
    """Copies a short text, sixteen bytes at a time: up to fifteen bytes behind it are read, and overwritten, too.

    For texts of some ten to a hundred bytes it takes half the time of :func:`copy_bytes`, which calls ``memcpy``.
    """
    memmove(int(target), int(source), (int(size) + 15) & -16)


def high_bit(value: int) -> int:
    """Index of the highest set bit of an int64 above zero."""
    return int(value).bit_length() - 1


def prefetch(address: int) -> None:
    """Has the processor fetch the cache line of an address, which will be written soon; any address will do."""


def shifted(value: int, places: int) -> int:
    """An int64 shifted to the right by 0 to 63 places, zeros coming in from the left."""
    found = (int(value) & (1 << 64) - 1) >> int(places)
    return found - (1 << 64) if found >> 63 else found


def product_above(a: int, b: int, c: int, high: int, low: int) -> bool:
    """Whether ``a * b * c`` is greater than a limit, exactly, whatever its size.

    Args:
        a: An int64, as the others.
        b: See ``a``.
        c: See ``a``.
        high: The upper half of the limit, a signed number of 128 bits.
        low: Its lower half; its bits are read as an unsigned number.
    """
    return int(a) * int(b) * int(c) > (int(high) << 64) + (int(low) & (1 << 64) - 1)


def product_float(a: int, b: int, c: int) -> float:
    """``a * b * c`` of int64, none below 0, as the nearest float, whatever its size."""
    return float(int(a) * int(b) * int(c))


def sum_above(a: int, x: int, b: int, y: int, c: int, z: int, limit: int) -> bool:
    """Whether ``a * x + b * y + c * z`` is greater than a limit, exactly; every argument is an int64."""
    return int(a) * int(x) + int(b) * int(y) + int(c) * int(z) > int(limit)


def call4(function: int, a: int, b: int, c: int, d: int) -> int:
    """Calls the C function at an address with four int64; it gives one."""
    return int(_FUNCTION4(int(function))(a, b, c, d))


def call5(function: int, a: int, b: int, c: int, d: int, e: int) -> int:
    """As :func:`call4`, with five."""
    return int(_FUNCTION5(int(function))(a, b, c, d, e))


def call6(function: int, a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """As :func:`call4`, with six."""
    return int(_FUNCTION6(int(function))(a, b, c, d, e, f))


def leading_digits(address: int, count: int) -> int:
    """The number that the first ``count`` (1 to 8) of eight digits make; -1 unless all are digits and the rest zeros.

    Reads eight bytes: the caller sees to it that they are there.
    """
    text = (c_char * 8).from_address(int(address)).raw
    if not all(48 <= byte <= 57 for byte in text) or text[count:].strip(b"0"):
        return -1
    return int(text[:count])


def leading_count(address: int) -> int:
    """How many of eight bytes are digits, up to the first that is none."""
    text = (c_char * 8).from_address(int(address)).raw
    return next((n for n, byte in enumerate(text) if not 48 <= byte <= 57), 8)


def leading_value(address: int, count: int) -> int:
    """The number that the first ``count`` (0 to 8) of eight bytes make, which are digits."""
    return int((c_char * 8).from_address(int(address)).raw[: int(count)] or b"0")


def cells_at(address: int, size: int) -> Cells:
    """The ``size`` int64 cells at an address, not copied."""
    cells: Any = (c_int64 * int(size)).from_address(int(address))
    return np.frombuffer(cells, np.int64)


def rows_at(address: int, rows: int) -> Cells:
    """The ``rows`` pairs of int64 cells at an address, as an array of shape (rows, 2), not copied."""
    return cells_at(address, 2 * rows).reshape(rows, 2)
