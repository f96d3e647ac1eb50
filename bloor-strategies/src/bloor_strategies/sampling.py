"""Prices on a grid of time, for strategies that fit a process: the grid, which is the same for all of them."""

from __future__ import annotations

from bloor.strategy.api import Strategy
from bloor.strategy.params import param

__all__ = ["Sampled"]


class Sampled(Strategy):
    """A strategy that takes a sample every ``sample_ms``; what it samples is its own affair.

    The sample of a moment is the last price before it, so it is taken when the next event comes.
    """

    sample_ms: int = param(100, low=1, high=86_400_000, doc="time between two samples of the price, in ms")

    next_ns: int = 0

    def due(self, now_ns: int, longest: int) -> int:
        """How many samples are due before the event of this moment; call it once for each event.

        Args:
            now_ns: The time of the event.
            longest: After a silence of more than so many samples the grid begins anew.

        Returns:
            The number; -1 when the grid begins with this event, whose price is its first sample.
        """
        period = self.sample_ms * 1_000_000
        if self.next_ns == 0 or now_ns - self.next_ns > longest * period:
            self.next_ns = now_ns + period
            return -1
        if now_ns < self.next_ns:
            return 0
        samples = (now_ns - self.next_ns) // period + 1
        self.next_ns += samples * period
        return samples
