"""Writing numbers and pieces of text by address: kernels that every venue's compiled order entry is made of.

Hot path: a decimal number takes about 8 ns. Each function takes the address to write at and gives the address behind
what it wrote. Digits are written eight at a time and text sixteen bytes at a time, so up to :data:`SPILL`
bytes behind the last one may be overwritten.
"""

from __future__ import annotations

from bloor.native.memory import cell_at, copy_blocks, put_byte, put_cell, shifted

__all__ = ["CLIENT_ID_MAX", "DECIMAL_MAX", "SPILL", "put_client_id", "put_decimal", "put_number", "put_piece"]

#: Bytes that may be overwritten behind what was written.
SPILL = 15
#: The longest number and client order id, in bytes.
DECIMAL_MAX, CLIENT_ID_MAX = 20, 16

E8, E16 = 100_000_000, 10_000_000_000_000_000


def put_piece(p: int, piece: int) -> int:
    """Text that was made before.

    Args:
        p: Where to.
        piece: Address of two cells: where the text is, and how many bytes it has; as many as :data:`SPILL` can be read
            behind them.
    """
    size = cell_at(piece + 8)
    copy_blocks(p, cell_at(piece), size)
    return p + size


def put_client_id(p: int, client0: int, client1: int) -> int:
    """A client order id of 15 or 16 ASCII bytes, from its two cells; 0 when they hold another."""
    if client0 <= 0 or client1 <= 0 or client1 < 1 << 48:
        return 0
    put_cell(p, client0)
    put_cell(p + 8, client1)
    return p + (15 if client1 < 1 << 56 else 16)


def put_number(p: int, value: int) -> int:
    """A whole number that is not negative."""
    count, power = (9, 10 * E8) if value >= E8 else (1, 10)
    while count < 19 and value >= power:
        count += 1
        power *= 10
    return put_digits(p, value, count)


def put_decimal(p: int, units: int, decimals: int, scale: int) -> int:
    """``units * 10**-decimals`` with exactly so many decimals, as :func:`bloor.model.decimals.format_units` writes it.

    Args:
        p: Where to.
        units: Not negative.
        decimals: 0 to 18.
        scale: ``10**decimals``.
    """
    if decimals == 0:
        return put_number(p, units)
    whole = units // scale
    p = put_number(p, whole)
    put_byte(p, 46)
    return put_digits(p + 1, units - whole * scale, decimals)


def put_digits(p: int, value: int, count: int) -> int:
    """The last ``count`` (1 to 19) digits of a number that has no more, zeros before them."""
    if count > 16:
        above = value // E16
        put_cell(p, shifted(eight_digits(above), 8 * (24 - count)))
        value -= above * E16
        p += count - 16
        count = 16
    if count > 8:
        above = value // E8
        put_cell(p, shifted(eight_digits(above), 8 * (16 - count)))
        value -= above * E8
        p += count - 8
        count = 8
    put_cell(p, shifted(eight_digits(value), 8 * (8 - count)))
    return p + count


def eight_digits(value: int) -> int:
    """The text of a number below 10**8, as eight bytes in a cell: halves, then pairs, then digits, all at once."""
    fours = value // 10_000
    fours |= (value - fours * 10_000) << 32
    hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F
    pairs = hundreds | (fours - hundreds * 100) << 16
    tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F
    return (tens | (pairs - tens * 10) << 8) + 0x3030_3030_3030_3030
