"""``2026-08-24T22:21:58.343688Z`` to ns since the epoch (kernel; hot path).

Days are counted from March, so that a leap day ends a year (H. Richards, "Calendars", in the Explanatory Supplement to
the Astronomical Almanac, 3rd edition).
"""

from __future__ import annotations

from bloor.native.memory import byte_at

__all__ = ["TIME_TEXT", "time_at"]

#: Bytes of a time with six digits of a second, its Z included.
TIME_TEXT = 27
#: Days from the first of March of the year 0 to the epoch.
EPOCH_DAYS = 719_468


def time_at(p: int) -> int:
    """The time at an address, of just that form and from 2000 to 2199; -1 otherwise."""
    if byte_at(p + 4) != 45 or byte_at(p + 7) != 45 or byte_at(p + 10) != 84:
        return -1
    if byte_at(p + 13) != 58 or byte_at(p + 16) != 58 or byte_at(p + 19) != 46 or byte_at(p + 26) != 90:
        return -1
    century, year, month, day = two(p), two(p + 2), two(p + 5), two(p + 8)
    hour, minute, second = two(p + 11), two(p + 14), two(p + 17)
    part1, part2, part3 = two(p + 20), two(p + 22), two(p + 24)
    if min(century, year, month, day, hour, minute, second, part1, part2, part3) < 0:
        return -1
    if century < 20 or century > 21 or hour > 23 or minute > 59 or second > 59:
        return -1
    year += 100 * century
    if month < 1 or month > 12 or day < 1 or day > days_of(year, month):
        return -1
    seconds = (days_to(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
    return seconds * 1_000_000_000 + (part1 * 10_000 + part2 * 100 + part3) * 1_000


def two(p: int) -> int:
    """A number of two digits; below 0 when it is none."""
    tens, ones = byte_at(p) - 48, byte_at(p + 1) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -100


def days_of(year: int, month: int) -> int:
    """How many days a month has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days_to(year: int, month: int, day: int) -> int:
    """Days from the epoch to a date."""
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 1 - EPOCH_DAYS
