"""The intervals of candlesticks and of rolling windows (rest-api.md, "Kline/Candlestick data"); all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["INTERVALS", "WINDOWS", "bounds", "window_ns"]

_S = 1_000_000_000
_DAY_S = 86_400
#: Weeks begin on Monday; 1970-01-01 was a Thursday.
_MONDAY_S = 4 * _DAY_S

#: Seconds of each interval; 0 for the month.
INTERVALS = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": _DAY_S,
    "3d": 3 * _DAY_S,
    "1w": 7 * _DAY_S,
    "1M": 0,
}
#: Rolling windows that have a stream of their own, in seconds.
WINDOWS = {"1h": 3_600, "4h": 14_400, "1d": _DAY_S}
_WINDOW_UNITS = {"m": (60, 59), "h": (3_600, 23), "d": (_DAY_S, 7)}


def bounds(interval: str, ns: int) -> tuple[int, int]:
    """``(start, end)`` in ns of the interval that holds a time; the end belongs to the next."""
    seconds = INTERVALS[interval]
    if not seconds:
        return _month(ns)
    length = seconds * _S
    offset = _MONDAY_S * _S if interval == "1w" else 0
    start = (ns - offset) // length * length + offset
    return start, start + length


def _month(ns: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(ns // _S, UTC)
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * _S, int(after.timestamp()) * _S


def window_ns(text: str) -> int | None:
    """Length of a rolling window: ``1m`` to ``59m``, ``1h`` to ``23h``, ``1d`` to ``7d``; None when it is none."""
    number, unit = text[:-1], text[-1:]
    if unit not in _WINDOW_UNITS or not (number.isascii() and number.isdigit() and len(number) <= 2):
        return None
    seconds, most = _WINDOW_UNITS[unit]
    return int(number) * seconds * _S if 1 <= int(number) <= most else None
