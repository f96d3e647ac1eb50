"""Streams made of trades: candlesticks, tickers, the average price (web-socket-streams.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson

from bloor.model.instrument import Instrument
from bloor.simulation.source import Top
from bloor.simulation.tape import Candle, Tape, WindowStatistics
from bloor_binance.simulated import statistics
from bloor_binance.simulated.intervals import INTERVALS, WINDOWS
from bloor_binance.simulated.streams import StreamHub
from bloor_binance.simulated.words import price_text

__all__ = ["TickerStreams", "publish_all"]

_SECOND = 1_000_000_000
#: Ticks (of 100 ms) between two events of a stream; candles of a second come twice as often.
_TICKER_TICKS, _CANDLE_TICKS = 10, 20
_AVERAGE_NS = 300 * _SECOND


class TickerStreams:
    """Those of one market.

    Args:
        instrument: What is traded.
        tape: Its trades.
        top: Tells its best prices.
        hub: Where payloads go.
    """

    def __init__(self, instrument: Instrument, tape: Tape, top: Callable[[], Top], hub: StreamHub) -> None:
        self._instrument = instrument
        self._tape = tape
        self._top = top
        self._hub = hub
        self._name = instrument.venue_symbol.lower()
        self._shown: dict[str, Candle] = {}

    def tick(self, ns: int, number: int) -> None:
        """A tick of 100 ms, counted from 1."""
        if self._tape.last is None:
            return
        for interval in INTERVALS:
            stream = f"{self._name}@kline_{interval}"
            if self._hub.wants(stream):
                self._candle(stream, interval, ns, number)
            else:
                self._shown.pop(interval, None)
        if number % _TICKER_TICKS:
            return
        for kind in ("miniTicker", "ticker", *(f"ticker_{window}" for window in WINDOWS)):
            stream = f"{self._name}@{kind}"
            if self._hub.wants(stream):
                self._publish(stream, partial(self.event, kind, ns))
        self._publish(f"{self._name}@avgPrice", partial(self._average, ns))

    def event(self, kind: str, ns: int, unit: int) -> dict[str, Any]:
        """The event of a ticker stream: ``miniTicker``, ``ticker``, ``ticker_1h``, ..."""
        if kind == "miniTicker":
            return statistics.mini_frame(self._instrument, self._window("1d", ns), ns, unit)
        length = kind.partition("_")[2]
        name = f"{length}Ticker" if length else "24hrTicker"
        window = self._window(length or "1d", ns)
        return statistics.ticker_frame(self._instrument, self._tape, self._top(), window, name, ns, unit)

    @property
    def traded(self) -> bool:
        """Whether there was a trade yet."""
        return self._tape.last is not None

    def _window(self, length: str, ns: int) -> WindowStatistics:
        return self._tape.window(ns, WINDOWS[length] * _SECOND)

    def _candle(self, stream: str, interval: str, ns: int, number: int) -> None:
        """The present candle at its pace, and the one before once it is closed."""
        candle, shown = self._tape.current(interval, ns), self._shown.get(interval)
        closed = shown is not None and shown is not candle
        if closed and shown is not None:
            self._publish(stream, partial(statistics.candle_frame, self._instrument, shown, interval, ns))
        if candle is not None and (closed or number % (_TICKER_TICKS if interval == "1s" else _CANDLE_TICKS) == 0):
            self._shown[interval] = candle
            if not closed:
                self._publish(stream, partial(statistics.candle_frame, self._instrument, candle, interval, ns))

    def _average(self, ns: int, unit: int) -> dict[str, Any]:
        last = self._tape.last
        return {
            "e": "avgPrice", "E": ns // unit, "s": self._instrument.venue_symbol, "i": "5m",
            "w": price_text(self._instrument, self._tape.average(ns, _AVERAGE_NS)),
            "T": (last.ns if last else ns) // unit,
        }  # fmt: skip

    def _publish(self, stream: str, event: Callable[[int], Any]) -> None:
        self._hub.publish(stream, lambda unit: orjson.dumps(event(unit)))


def publish_all(hub: StreamHub, streams: Sequence[TickerStreams], ns: int, number: int) -> None:
    """The streams of all markets together: ``!miniTicker@arr`` and ``!ticker_<window>@arr``."""
    if number % _TICKER_TICKS:
        return
    for kind in ("miniTicker", *(f"ticker_{window}" for window in WINDOWS)):
        stream = f"!{kind}@arr"
        if hub.wants(stream):
            events = [one.event for one in streams if one.traded]
            hub.publish(stream, partial(_all, events, kind, ns))


def _all(events: Sequence[Callable[[str, int, int], dict[str, Any]]], kind: str, ns: int, unit: int) -> bytes:
    return orjson.dumps([event(kind, ns, unit) for event in events])
