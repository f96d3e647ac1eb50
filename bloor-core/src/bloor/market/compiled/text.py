"""Scanning JSON and decimal numbers by address: kernels that every venue's compiled normalizer is made of.

Hot path. They accept less than JSON allows and never more: an escape, an exponent or a number of more than eighteen
digits is answered with "not sure" (address 0, value -1), and the reference normalizer decides what
the frame says. So a text they accept has one reading.

Each function takes the address where something begins and gives the address behind it.
"""

from __future__ import annotations

from bloor.native.memory import byte_at, leading_digits

__all__ = ["expect", "key_end", "read_decimal", "read_integer", "skip_space", "string_end", "value_end"]

#: No price or quantity above it is read here, so that a product with ten never passes 2**63.
LIMIT = 100_000_000_000_000_000
#: Nested values are skipped to this depth: one bit of the stack each.
STACK_FULL = 1 << 60
#: Digits behind the dot that are looked at.
FRACTION_MAX = 40


def skip_space(p: int) -> int:
    """The address of the first byte that is no white space."""
    while True:
        c = byte_at(p)
        if c > 32 or (c != 32 and c != 10 and c != 13 and c != 9):
            return p
        p += 1


def expect(p: int, wanted: int) -> int:
    """The address behind a byte that may have white space before it; 0 when another byte comes."""
    if byte_at(p) != wanted:
        p = skip_space(p)
        if byte_at(p) != wanted:
            return 0
    return p + 1


def string_end(p: int) -> int:
    """The address of the closing quote, from behind the opening one; 0 for an escape and for broken UTF-8."""
    while True:
        c = byte_at(p)
        if c == 34:
            return p
        if c < 32 or c == 92:
            return 0
        if c < 128:
            p += 1
        else:
            p = wide_end(p)
            if p == 0:
                return 0


def wide_end(p: int) -> int:
    """The address behind a character of two to four bytes; 0 when it is not one of UTF-8 (RFC 3629, section 4)."""
    first, second = byte_at(p), byte_at(p + 1)
    if first < 194 or first > 244 or second & 192 != 128:
        return 0
    if first < 224:
        return p + 2
    if (first == 224 and second < 160) or (first == 237 and second > 159):
        return 0
    if byte_at(p + 2) & 192 != 128:
        return 0
    if first < 240:
        return p + 3
    if (first == 240 and second < 144) or (first == 244 and second > 143):
        return 0
    return p + 4 if byte_at(p + 3) & 192 == 128 else 0


def number_end(p: int) -> int:
    """The address behind a number without exponent, of at most 18 digits before the dot; 0 otherwise."""
    if byte_at(p) == 45:
        p += 1
    start = p
    c = byte_at(p)
    while 48 <= c <= 57:
        p += 1
        c = byte_at(p)
    if p == start or p - start > 18 or (p - start > 1 and byte_at(start) == 48):
        return 0
    if c == 46:
        p += 1
        start = p
        c = byte_at(p)
        while 48 <= c <= 57:
            p += 1
            c = byte_at(p)
        if p == start or p - start > FRACTION_MAX:
            return 0
    if c == 101 or c == 69:
        return 0
    return p


def word_end(p: int) -> int:
    """The address behind ``true``, ``false`` or ``null``; 0 when it is none of them."""
    c = byte_at(p)
    if c == 116 and byte_at(p + 1) == 114 and byte_at(p + 2) == 117 and byte_at(p + 3) == 101:
        return p + 4
    if c == 110 and byte_at(p + 1) == 117 and byte_at(p + 2) == 108 and byte_at(p + 3) == 108:
        return p + 4
    if c == 102 and byte_at(p + 1) == 97 and byte_at(p + 2) == 108 and byte_at(p + 3) == 115 and byte_at(p + 4) == 101:
        return p + 5
    return 0


def simple_end(p: int) -> int:
    """The address behind a value that is no list and no object; 0 when it is none."""
    c = byte_at(p)
    if c == 34:
        p = string_end(p + 1)
        return p + 1 if p != 0 else 0
    if c == 45 or 48 <= c <= 57:
        return number_end(p)
    return word_end(p)


def key_end(p: int) -> int:
    """The address of the value behind a key and its colon; 0 when there is no such key."""
    if byte_at(p) != 34:
        return 0
    p = string_end(p + 1)
    if p == 0:
        return 0
    p = expect(p + 1, 58)
    return skip_space(p) if p != 0 else 0


def value_end(p: int) -> int:
    """The address behind any value, however nested; 0 when it is none or not sure."""
    c = byte_at(p)
    if c != 91 and c != 123:
        return simple_end(p)
    stack = 1  # above a leading one, a bit for each open list (0) and object (1)
    while True:
        c = byte_at(p)
        if c == 91 or c == 123:
            if stack >= STACK_FULL:
                return 0
            stack = 2 * stack + (1 if c == 123 else 0)
            p = skip_space(p + 1)
            if byte_at(p) != c + 2:  # not empty: "]" and "}" are two behind "[" and "{"
                if c == 123:
                    p = key_end(p)
                    if p == 0:
                        return 0
                continue
        else:
            p = simple_end(p)
            if p == 0:
                return 0
            p = skip_space(p)
        while True:
            c = byte_at(p)
            if c == (125 if stack & 1 else 93):
                stack >>= 1
                p += 1
                if stack == 1:
                    return p
                p = skip_space(p)
            elif c == 44:
                p = skip_space(p + 1)
                if stack & 1:
                    p = key_end(p)
                    if p == 0:
                        return 0
                break
            else:
                return 0


def read_integer(p: int) -> int:
    """The whole number of at most 18 digits that is the value at ``p``, already known to be a JSON value; -1 if not."""
    value = 0
    start = p
    c = byte_at(p) - 48
    while 0 <= c <= 9 and p - start < 19:
        value = value * 10 + c
        p += 1
        c = byte_at(p) - 48
    if p == start or p - start > 18 or c == -2 or c == 53 or c == 21:  # . e E
        return -1
    return value


def read_decimal(p: int, end: int, decimals: int, scale: int) -> tuple[int, int]:
    """The units of a decimal number in quotes, exact.

    Args:
        p: Behind the opening quote.
        end: The end of the text; nothing beyond it is read.
        decimals: Decimals of the unit, 0 to 18.
        scale: ``10**decimals``, or anything where that passes :data:`LIMIT`.

    Returns:
        Units and the address behind the closing quote. Units are -1 for anything but digits with at most one dot
        between digits, for digits finer than the unit, and above :data:`LIMIT`.
    """
    value = 0
    start = p
    c = byte_at(p) - 48
    while 0 <= c <= 9:
        value = value * 10 + c
        p += 1
        c = byte_at(p) - 48
    if p == start or p - start > 17:
        return -1, p
    left = decimals
    if c == -2:
        p += 1
        if 1 <= decimals <= 8 and p + 9 <= end and byte_at(p + 8) == 34 and p - start <= 10:
            part = leading_digits(p, decimals)
            if part >= 0:
                return value * scale + part, p + 9
        start = p
        c = byte_at(p) - 48
        while 0 <= c <= 9:
            if left > 0:
                value = value * 10 + c
                left -= 1
                if value > LIMIT:
                    return -1, p
            elif c != 0:
                return -1, p
            p += 1
            c = byte_at(p) - 48
        if p == start or p - start > FRACTION_MAX:
            return -1, p
    while left > 0:
        value *= 10
        left -= 1
        if value > LIMIT:
            return -1, p
    if c != -14:
        return -1, p
    return value, p + 1
