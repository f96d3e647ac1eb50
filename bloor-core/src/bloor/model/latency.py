"""Latency histograms: constant memory, 3 % resolution, no allocation per value.

Log-linear buckets as in HdrHistogram: below 64 ns one bucket per ns, above it 32 buckets per power of two, so a
percentile is at most 1/32 too high. A value costs about 0.2 us in Python.
"""

from __future__ import annotations

__all__ = ["Histogram"]

_BITS = 6
_SUB = 1 << _BITS
#: Powers of two covered: up to 2**47 ns, 39 hours.
_POWERS = 42


class Histogram:
    """Counts of durations in ns.

    Attributes:
        count: How many values were recorded.
        max: The largest of them, exact.
    """

    __slots__ = ("_buckets", "count", "max")

    def __init__(self) -> None:
        self._buckets = [0] * (_SUB * (_POWERS + 1))
        self.count = 0
        self.max = 0

    def add(self, ns: int) -> None:
        """Records one duration; a negative one (a clock step) counts as 0."""
        if ns < 0:
            ns = 0
        self.count += 1
        if ns > self.max:
            self.max = ns
        power = ns.bit_length() - _BITS
        if power <= 0:
            index = ns
        elif power > _POWERS:
            index = _SUB * (_POWERS + 1) - 1
        else:
            index = _SUB + ((power - 1) << (_BITS - 1)) + ((ns >> power) - (_SUB >> 1))
        self._buckets[index] += 1

    def percentile(self, fraction: float) -> int:
        """The value in ns that ``fraction`` of all values do not exceed (upper edge of its bucket); 0 when empty."""
        need = max(1, -int(-fraction * self.count // 1))
        seen = 0
        for index, n in enumerate(self._buckets):
            seen += n
            if n and seen >= need:
                return min(self._upper(index), self.max)
        return self.max if self.count else 0

    @staticmethod
    def _upper(index: int) -> int:
        if index < _SUB:
            return index
        power, rest = divmod(index - _SUB, _SUB >> 1)
        return ((rest + (_SUB >> 1) + 1) << (power + 1)) - 1

    def summary(self) -> dict[str, int]:
        """``{"p50", "p99", "p999", "max", "count"}`` in ns."""
        return {
            "p50": self.percentile(0.50),
            "p99": self.percentile(0.99),
            "p999": self.percentile(0.999),
            "max": self.max,
            "count": self.count,
        }
