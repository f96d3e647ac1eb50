"""Intervals that candlesticks are made of; all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import field, frozen, validators

__all__ = ["Interval"]

_S = 1_000_000_000


@frozen
class Interval:
    """A tiling of time.

    Attributes:
        seconds: Length; 0 for the calendar month.
        offset_s: Where one begins, in seconds since the epoch; 0 for lengths that divide the day. 1970-01-01 was a
            Thursday, so that weeks that begin on Monday have an offset of four days.
    """

    seconds: int = field(validator=validators.ge(0))
    offset_s: int = 0

    def bounds(self, ns: int) -> tuple[int, int]:
        """``(start, end)`` in ns since the epoch of the interval that holds a time; the end belongs to the next."""
        if not self.seconds:
            return _month(ns)
        length = self.seconds * _S
        offset = self.offset_s * _S
        start = (ns - offset) // length * length + offset
        return start, start + length


def _month(ns: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(ns // _S, UTC)
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * _S, int(after.timestamp()) * _S
