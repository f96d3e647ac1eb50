"""Folding bytes for a CRC-32 by multiplication without carry: a word of kernels where the processor has one for it.

Source: V. Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel (2009);
the constants are those for the reflected polynomial of ISO 3309 (zlib), 0xEDB88320.

Folding makes of many bytes sixteen that have the same CRC-32, when it begins with 0. It takes 0.1 to 0.2 ns a byte, a
table of eight 0.6. These are the plain forms; :mod:`bloor.native.twins` has the compiled ones.
"""

from __future__ import annotations

from bloor.native.memory import cell_at, put_cell

__all__ = ["FOLD_16", "FOLD_64", "can_fold", "fold"]

#: What the lower and the upper half are multiplied by to move them on by 16 bytes.
FOLD_16 = 0x1751997D0, 0x0CCAA009E
#: The same by 64 bytes.
FOLD_64 = 0x154442BD4, 0x1C6E41596
#: From this size on four sums are kept side by side.
WIDE = 128


def can_fold() -> int:
    """1 when :func:`fold` is worth its call; the plain form is not."""
    return 0


def fold(at: int, size: int, code: int, to: int) -> None:
    """Makes sixteen bytes of many.

    Args:
        at: Address of the bytes.
        size: How many, a multiple of 16, at least 16.
        code: What their CRC-32 goes on from, its bits inverted.
        to: Address of the sixteen bytes.
    """
    sums = [_load(at, 0) ^ (int(code) & 0xFFFFFFFF)]
    offset = 16
    if size >= WIDE:
        sums += [_load(at, 16), _load(at, 32), _load(at, 48)]
        offset = 64
        while offset + 64 <= size:
            sums = [_moved(x, FOLD_64) ^ _load(at, offset + 16 * k) for k, x in enumerate(sums)]
            offset += 64
    total = sums[0]
    for following in sums[1:]:
        total = _moved(total, FOLD_16) ^ following
    while offset < size:
        total = _moved(total, FOLD_16) ^ _load(at, offset)
        offset += 16
    put_cell(to, _signed(total & (1 << 64) - 1))
    put_cell(to + 8, _signed(total >> 64))


def _load(at: int, offset: int) -> int:
    return (cell_at(at + offset) & (1 << 64) - 1) | (cell_at(at + offset + 8) & (1 << 64) - 1) << 64


def _moved(value: int, by: tuple[int, int]) -> int:
    """128 bits moved on: each half multiplied without carry, and both added without carry."""
    return _product(value & (1 << 64) - 1, by[0]) ^ _product(value >> 64, by[1])


def _product(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = a << 1, b >> 1
    return product


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
