"""The intervals of candlesticks and of rolling windows (rest-api.md, "Kline/Candlestick data"); all in UTC."""

from __future__ import annotations

from bloor.simulation.intervals import Interval

__all__ = ["INTERVALS", "WINDOWS", "window_ns"]

_S = 1_000_000_000
_DAY_S = 86_400
#: Weeks begin on Monday; 1970-01-01 was a Thursday.
_MONDAY_S = 4 * _DAY_S

INTERVALS = {
    "1s": Interval(1),
    "1m": Interval(60),
    "3m": Interval(180),
    "5m": Interval(300),
    "15m": Interval(900),
    "30m": Interval(1_800),
    "1h": Interval(3_600),
    "2h": Interval(7_200),
    "4h": Interval(14_400),
    "6h": Interval(21_600),
    "8h": Interval(28_800),
    "12h": Interval(43_200),
    "1d": Interval(_DAY_S),
    "3d": Interval(3 * _DAY_S),
    "1w": Interval(7 * _DAY_S, _MONDAY_S),
    "1M": Interval(0),
}
#: Rolling windows that have a stream of their own, in seconds.
WINDOWS = {"1h": 3_600, "4h": 14_400, "1d": _DAY_S}
_WINDOW_UNITS = {"m": (60, 59), "h": (3_600, 23), "d": (_DAY_S, 7)}


def window_ns(text: str) -> int | None:
    """Length of a rolling window: ``1m`` to ``59m``, ``1h`` to ``23h``, ``1d`` to ``7d``; None when it is none."""
    number, unit = text[:-1], text[-1:]
    if unit not in _WINDOW_UNITS or not (number.isascii() and number.isdigit() and len(number) <= 2):
        return None
    seconds, most = _WINDOW_UNITS[unit]
    return int(number) * seconds * _S if 1 <= int(number) <= most else None
