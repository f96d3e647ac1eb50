"""CRC-32 of bytes (kernels; hot path), folded where that can be, else eight at a time: ``zlib.crc32``.

The polynomial is that of zlib and Ethernet (ISO 3309), its bits reversed: 0xEDB88320.
"""

from __future__ import annotations

from bloor.native.carryless import can_fold, folded_crc
from bloor.native.memory import byte_at, cell_at, put_byte, word_at

__all__ = ["crc32_of", "make_tables"]

POLYNOMIAL = 0xEDB88320
ONES = 0xFFFFFFFF
#: From this size on folding is worth its call.
FOLD_FROM = 16


def make_tables(tables: int) -> None:
    """Writes the eight tables: what a byte adds to the CRC when 0 to 7 bytes follow it, words of 32 bits."""
    for n in range(256):
        code = n
        for _ in range(8):
            code = (code >> 1) ^ (POLYNOMIAL * (code & 1))
        put_word(tables + 4 * n, code)
    for behind in range(1, 8):
        for n in range(256):
            code = word_at(tables + 1024 * (behind - 1) + 4 * n)
            put_word(tables + 1024 * behind + 4 * n, (code >> 8) ^ word_at(tables + 4 * (code & 255)))


def put_word(at: int, value: int) -> None:
    """Writes 32 bits."""
    for n in range(4):
        put_byte(at + n, (value >> (8 * n)) & 255)


def crc32_of(tables: int, at: int, end: int) -> int:
    """The CRC of the bytes between two addresses."""
    code = ONES
    if end - at >= FOLD_FROM and can_fold() == 1:
        folded = (end - at) & -8
        code = folded_crc(at, folded, code)
        at += folded
    while at + 8 <= end:
        code = eight(tables, code, cell_at(at))
        at += 8
    while at < end:
        code = (code >> 8) ^ word_at(tables + 4 * ((code ^ byte_at(at)) & 255))
        at += 1
    return code ^ ONES


def eight(tables: int, code: int, following: int) -> int:
    """A CRC, its bits inverted, eight bytes further on."""
    x = following ^ code
    return (
        word_at(tables + 0x1C00 + 4 * (x & 255))
        ^ word_at(tables + 0x1800 + 4 * (x >> 8 & 255))
        ^ word_at(tables + 0x1400 + 4 * (x >> 16 & 255))
        ^ word_at(tables + 0x1000 + 4 * (x >> 24 & 255))
        ^ word_at(tables + 0x0C00 + 4 * (x >> 32 & 255))
        ^ word_at(tables + 0x0800 + 4 * (x >> 40 & 255))
        ^ word_at(tables + 0x0400 + 4 * (x >> 48 & 255))
        ^ word_at(tables + 4 * (x >> 56 & 255))
    )
