"""The trades of one market as the public asks for them: single, aggregated, as candlesticks, over a window.

Everything begins with the market's first trade; nothing is invented before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from itertools import islice

from attrs import define, frozen

from bloor.model.orders import Side
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.intervals import Interval

__all__ = ["Aggregate", "Candle", "Tape", "WindowStatistics"]

#: What is remembered: trades and aggregates, and candles of each interval (a day and an hour of minutes).
_TRADES, _CANDLES = 10_000, 1_500
#: What windows are counted in; kept beside a venue's own intervals.
_MINUTE = Interval(60)


@define(eq=False)
class Aggregate:
    """Trades of one taker at one price."""

    number: int
    price: int
    units: int
    aggressor: Side
    ns: int
    taker: int
    first_id: int
    last_id: int


@define(eq=False)
class Candle:
    """Trades of one interval; ``value`` is the sum of price x quantity in ticks x units. Ids are -1 without a trade."""

    start_ns: int
    end_ns: int
    open: int
    high: int
    low: int
    close: int
    units: int = 0
    value: int = 0
    taker_units: int = 0
    taker_value: int = 0
    count: int = 0
    first_id: int = -1
    last_id: int = -1

    def add(self, trade: PublicTrade) -> None:
        """One more trade."""
        price, units = trade.price, trade.units
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        self.units += units
        self.value += price * units
        if trade.aggressor is Side.BUY:
            self.taker_units += units
            self.taker_value += price * units
        self.count += 1
        self.last_id = trade.trade_id
        if self.first_id < 0:
            self.first_id = trade.trade_id


@frozen
class WindowStatistics:
    """What happened between two times; prices in ticks, zeros without a trade."""

    open_ns: int
    close_ns: int
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    before: int = 0
    units: int = 0
    value: int = 0
    count: int = 0
    first_id: int = -1
    last_id: int = -1


class Tape:
    """What was traded.

    Args:
        intervals: The venue's name of each interval that it has candlesticks of.

    Attributes:
        trades: The latest trades, oldest first.
        aggregates: The latest aggregates, oldest first.
        last: The latest trade.
    """

    def __init__(self, intervals: Mapping[str, Interval]) -> None:
        self.trades: deque[PublicTrade] = deque(maxlen=_TRADES)
        self.aggregates: deque[Aggregate] = deque(maxlen=_TRADES)
        self.last: PublicTrade | None = None
        self._fresh: list[Aggregate] = []
        self._candles: dict[Interval, deque[Candle]] = {
            interval: deque(maxlen=_CANDLES) for interval in (*intervals.values(), _MINUTE)
        }
        self._intervals = intervals

    def add(self, trade: PublicTrade) -> None:
        """One more trade."""
        self.trades.append(trade)
        self.last = trade
        self._aggregate(trade)
        for interval, candles in self._candles.items():
            if not candles or candles[-1].end_ns <= trade.ns:
                self._open(interval, candles, trade)
            candles[-1].add(trade)

    def fresh(self) -> list[Aggregate]:
        """Aggregates since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def recent(self, limit: int) -> list[PublicTrade]:
        """The latest trades, oldest first."""
        return list(islice(self.trades, max(0, len(self.trades) - limit), None))

    def candles(self, name: str, now_ns: int) -> list[Candle]:
        """The candles of an interval up to now, oldest first; intervals without a trade are flat."""
        interval = self._intervals[name]
        candles = self._candles[interval]
        if candles:
            self._flat(interval, candles, now_ns)
        return list(candles)

    def current(self, name: str, now_ns: int) -> Candle | None:
        """The candle of now; None before the first trade."""
        interval = self._intervals[name]
        candles = self._candles[interval]
        if not candles:
            return None
        self._flat(interval, candles, now_ns)
        return candles[-1]

    def window(self, now_ns: int, length_ns: int) -> WindowStatistics:
        """What happened in the last while, in whole minutes."""
        minutes = self._candles[_MINUTE]
        start = _MINUTE.bounds(now_ns - length_ns)[1] if length_ns > 60 * 10**9 else now_ns - length_ns
        first = bisect_left(minutes, start, key=lambda candle: candle.end_ns - 1)
        inside = [candle for candle in islice(minutes, first, None) if candle.count]
        if not inside:
            price = minutes[-1].close if minutes else 0
            return WindowStatistics(start, now_ns, price, price, price, price, price)
        return WindowStatistics(
            open_ns=start,
            close_ns=now_ns,
            open=inside[0].open,
            high=max(candle.high for candle in inside),
            low=min(candle.low for candle in inside),
            close=inside[-1].close,
            before=minutes[first - 1].close if first else inside[0].open,
            units=sum(candle.units for candle in inside),
            value=sum(candle.value for candle in inside),
            count=sum(candle.count for candle in inside),
            first_id=inside[0].first_id,
            last_id=inside[-1].last_id,
        )

    def average(self, now_ns: int, length_ns: int) -> int:
        """The price weighted by quantity over the last while, or the last price, in ticks."""
        window = self.window(now_ns, length_ns)
        return window.value // window.units if window.units else window.close

    def _aggregate(self, trade: PublicTrade) -> None:
        last = self.aggregates[-1] if self.aggregates else None
        key = (trade.taker, trade.price, trade.aggressor, trade.ns)
        if last is not None and (last.taker, last.price, last.aggressor, last.ns) == key:
            last.units += trade.units
            last.last_id = trade.trade_id
            return
        aggregate = Aggregate(
            last.number + 1 if last else 1,
            trade.price,
            trade.units,
            trade.aggressor,
            trade.ns,
            trade.taker,
            trade.trade_id,
            trade.trade_id,
        )
        self.aggregates.append(aggregate)
        self._fresh.append(aggregate)

    def _open(self, interval: Interval, candles: deque[Candle], trade: PublicTrade) -> None:
        start, end = interval.bounds(trade.ns)
        if candles:
            self._flat(interval, candles, start - 1)
        price = trade.price
        candles.append(Candle(start, end, price, price, price, price))

    def _flat(self, interval: Interval, candles: deque[Candle], until_ns: int) -> None:
        """Candles without a trade, up to a time."""
        close = candles[-1].close
        start = candles[-1].end_ns
        if interval.seconds:  # after a long silence only what is remembered is made
            start = max(start, until_ns - _CANDLES * interval.seconds * 1_000_000_000)
        while start <= until_ns:
            candles.append(Candle(*interval.bounds(start), close, close, close, close))
            start = candles[-1].end_ns
