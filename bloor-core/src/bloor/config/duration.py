"""Spans of time as a person writes them: ``250ms``, ``30s``, ``5m``, ``1h30m``.

A bare number is refused: whether ``30`` means seconds or milliseconds is exactly the slip that a unit prevents.
"""

from __future__ import annotations

import re
from decimal import Decimal

from attrs import frozen

from bloor.errors import UsageError

__all__ = ["UNITS_NS", "Duration", "parse_duration"]

#: Unit word -> nanoseconds.
UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}

_PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)(ns|us|ms|s|m|h|d)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern})+\Z", re.ASCII)

#: 100 years: more than any run, and far from the end of 63 bits.
_LONGEST_NS = 36_525 * UNITS_NS["d"]


@frozen(order=True)
class Duration:
    """A span of time.

    Attributes:
        ns: Its length in nanoseconds, never negative.
    """

    ns: int

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return self.ns / 1e9

    def __str__(self) -> str:
        """The shortest text with one unit that reads back as the same span: ``90s``, ``1500ms``."""
        for unit in ("d", "h", "m", "s", "ms", "us"):
            if self.ns and self.ns % UNITS_NS[unit] == 0:
                return f"{self.ns // UNITS_NS[unit]}{unit}"
        return f"{self.ns}ns" if self.ns else "0s"


def parse_duration(text: str) -> Duration:
    """A duration from text such as ``30s``, ``1.5h`` or ``1h30m``.

    Raises:
        UsageError: The text is not a number with a unit, or is longer than 100 years.
    """
    compact = text.strip()
    if not _WHOLE.match(compact):
        units = ", ".join(UNITS_NS)
        raise UsageError(f"expected a duration with a unit ({units}) such as 30s or 5m, got {text!r}")
    ns = sum(Decimal(number) * UNITS_NS[unit] for number, unit in _PART.findall(compact))
    if ns > _LONGEST_NS:
        raise UsageError(f"expected a duration of at most 100 years, got {text!r}")
    if ns != int(ns):
        raise UsageError(f"expected a duration of whole nanoseconds, got {text!r}")
    return Duration(int(ns))
