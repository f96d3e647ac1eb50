"""The intervals of candlesticks, in minutes (docs.kraken.com, "OHLC"); all begin at the epoch."""

from __future__ import annotations

from bloor.simulation.intervals import Interval

__all__ = ["INTERVALS"]

#: By the number of minutes, as text: the name of an interval.
INTERVALS = {str(minutes): Interval(60 * minutes) for minutes in (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)}
