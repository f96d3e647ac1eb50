"""Reading RFC 3339 times (kernels; hot path)."""

from __future__ import annotations

from bloor.native.memory import byte_at

__all__ = ["read_time"]

SECOND = 1_000_000_000
#: Times are read from 1970 on and before 2262, where ns since the epoch pass 63 bits.
FIRST_YEAR, LAST_YEAR = 1970, 2261
#: Bytes of a time up to its seconds.
WHOLE = 19


def read_time(p: int, end: int) -> tuple[int, int]:
    """The time in quotes, as Coinbase writes it: ``2026-08-24T22:34:13.813365299Z``, 0 to 9 decimals.

    Args:
        p: Behind the opening quote.
        end: The end of the text; nothing beyond it is read.

    Returns:
        Ns since the epoch, and the address behind the closing quote; -1 and anything when not sure.
    """
    if p + WHOLE + 2 > end:
        return -1, p
    year = 100 * two_digits(p) + two_digits(p + 2)
    month, day = two_digits(p + 5), two_digits(p + 8)
    hour, minute, second = two_digits(p + 11), two_digits(p + 14), two_digits(p + 17)
    if byte_at(p + 4) != 45 or byte_at(p + 7) != 45 or byte_at(p + 10) != 84:
        return -1, p
    if byte_at(p + 13) != 58 or byte_at(p + 16) != 58 or year < FIRST_YEAR or year > LAST_YEAR:
        return -1, p
    if month < 1 or month > 12 or day < 1 or day > days_in(year, month):
        return -1, p
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1, p
    p += WHOLE
    part = 0
    if byte_at(p) == 46:
        p += 1
        left = 9
        c = byte_at(p) - 48
        while 0 <= c <= 9 and left > 0:
            part = part * 10 + c
            left -= 1
            p += 1
            c = byte_at(p) - 48
        if left == 9:
            return -1, p
        while left > 0:
            part *= 10
            left -= 1
    if byte_at(p) != 90 or byte_at(p + 1) != 34:
        return -1, p
    return (((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * SECOND + part, p + 2


def two_digits(p: int) -> int:
    """The number of two digits at an address; far below 0 when they are none."""
    tens, ones = byte_at(p) - 48, byte_at(p + 1) - 48
    return 10 * tens + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -100_000


def days_in(year: int, month: int) -> int:
    """How many days a month has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days(year: int, month: int, day: int) -> int:
    """Days since the epoch; years are counted from March, so that a leap day is the last one of its year."""
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - 400 * era
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return 146_097 * era + 365 * of_era + of_era // 4 - of_era // 100 + of_year - 719_468
