"""Bare JSON numbers to integers and back to digits (kernels; hot path). -1 says "not sure", for whatever reason."""

from __future__ import annotations

from bloor.native.memory import byte_at, leading_count, leading_value, put_cell

__all__ = ["in_units", "put_digits", "read_bare"]

#: No number above it is read or made, so that a product with ten never passes 2**63.
LIMIT = 100_000_000_000_000_000
LONGEST = 17
EIGHT = 100_000_000
DOT, EXPONENTS = 46, (69, 101)
#: Lanes of four and of two digits; the zeros of a text.
LANES_100, LANES_10, ZEROS = 0x0000007F_0000007F, 0x000F000F_000F000F, 0x30303030_30303030


def read_bare(p: int) -> tuple[int, int, int]:
    """The digits of a number without sign and exponent, as one integer; eight bytes behind its dot can be read.

    Args:
        p: Its first digit.

    Returns:
        The integer, how many of its digits stand behind the dot, and the address behind it; integer -1 for a number of
        another form, or of more than 17 digits.
    """
    whole = leading_count(p)
    point = p + whole + 1
    if whole == 0 or whole == 8 or byte_at(point - 1) != DOT:
        return read_slowly(p)
    decimals = leading_count(point)
    behind = byte_at(point + decimals)
    if decimals == 0 or 48 <= behind <= 57 or behind in EXPONENTS or (whole > 1 and byte_at(p) == 48):
        return read_slowly(p)
    value = leading_value(p, whole)
    if decimals == 8:
        value *= EIGHT
    else:
        for _ in range(decimals):
            value *= 10
    return value + leading_value(point, decimals), decimals, point + decimals


def read_slowly(p: int) -> tuple[int, int, int]:
    """As :func:`read_bare`, digit by digit: of any length, and without a dot."""
    start = p
    value = 0
    c = byte_at(p) - 48
    while 0 <= c <= 9:
        value = value * 10 + c
        p += 1
        if p - start > LONGEST:
            return -1, 0, p
        c = byte_at(p) - 48
    whole = p - start
    if whole == 0 or (whole > 1 and byte_at(start) == 48):
        return -1, 0, p
    if c != -2:
        return (-1, 0, p) if c in (53, 21) else (value, 0, p)  # an exponent
    p += 1
    point = p
    c = byte_at(p) - 48
    while 0 <= c <= 9:
        value = value * 10 + c
        p += 1
        if p - start > LONGEST:
            return -1, 0, p
        c = byte_at(p) - 48
    if p == point or c in (53, 21):
        return -1, 0, p
    return value, p - point, p


def in_units(value: int, decimals: int, wanted: int) -> int:
    """A number of ``decimals`` decimals in units of ``wanted`` decimals; -1 when it is not exact or too large."""
    while decimals < wanted:
        if value > LIMIT // 10:
            return -1
        value *= 10
        decimals += 1
    while decimals > wanted:
        if value % 10 != 0:
            return -1
        value //= 10
        decimals -= 1
    return value


def put_digits(p: int, value: int) -> int:
    """Writes the digits of a positive number; the address behind them. Writes up to eight bytes more."""
    if value < EIGHT:
        return put_leading(p, value)
    high = value // EIGHT
    p = put_digits_16(p, high)
    put_cell(p, eight_digits(value - high * EIGHT) + ZEROS)
    return p + 8


def put_digits_16(p: int, value: int) -> int:
    """The same of a number of at most sixteen digits."""
    if value < EIGHT:
        return put_leading(p, value)
    high = value // EIGHT
    p = put_leading(p, high)
    put_cell(p, eight_digits(value - high * EIGHT) + ZEROS)
    return p + 8


def put_leading(p: int, value: int) -> int:
    """The same of a number of at most eight digits."""
    if value < 10_000:
        size = (1 if value < 10 else 2) if value < 100 else (3 if value < 1_000 else 4)
    else:
        size = (5 if value < 100_000 else 6) if value < 1_000_000 else (7 if value < 10_000_000 else 8)
    put_cell(p, (eight_digits(value) + ZEROS) >> (8 * (8 - size)))
    return p + size


def eight_digits(value: int) -> int:
    """The eight digits of a number below 10**8, the first one in the lowest byte."""
    high = value // 10_000
    fours = high + ((value - 10_000 * high) << 32)
    hundreds = ((fours * 10_486) >> 20) & LANES_100
    twos = ((fours - 100 * hundreds) << 16) + hundreds
    tens = ((twos * 103) >> 10) & LANES_10
    return ((twos - 10 * tens) << 8) + tens
