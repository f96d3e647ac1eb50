"""Tickers and candlesticks in Binance's words, for answers and for streams (rest-api.md, web-socket-streams.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bloor.model.instrument import Instrument
from bloor.simulation.source import Top
from bloor.simulation.tape import Candle, Tape, WindowStatistics
from bloor_binance.simulated.words import price_text, qty_text

__all__ = [
    "DAY_NS",
    "candle_frame",
    "candle_row",
    "mini_frame",
    "ticker",
    "ticker_frame",
    "value_text",
    "window_ticker",
]

DAY_NS = 86_400_000_000_000


def value_text(instrument: Instrument, value: int) -> str:
    """A sum of price x quantity in ticks x units, as text."""
    return f"{instrument.value(1, value):.8f}" if value else "0.00000000"


def candle_row(instrument: Instrument, candle: Candle, unit: int) -> list[Any]:
    """An entry of ``klines``."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        candle.start_ns // unit,
        *(price_text(instrument, price) for price in prices),
        qty_text(instrument, candle.units),
        candle.end_ns // unit - 1,
        value_text(instrument, candle.value),
        candle.count,
        qty_text(instrument, candle.taker_units),
        value_text(instrument, candle.taker_value),
        "0",
    ]


def candle_frame(instrument: Instrument, candle: Candle, interval: str, ns: int, unit: int) -> dict[str, Any]:
    """An event of a ``kline`` stream."""
    start, opened, high, low, close, units, end, value, count, taker_units, taker_value, _ = candle_row(
        instrument, candle, unit
    )
    symbol = instrument.venue_symbol
    return {
        "e": "kline", "E": ns // unit, "s": symbol,
        "k": {
            "t": start, "T": end, "s": symbol, "i": interval, "f": candle.first_id, "L": candle.last_id,
            "o": opened, "c": close, "h": high, "l": low, "v": units, "n": count, "x": ns >= candle.end_ns,
            "q": value, "V": taker_units, "Q": taker_value, "B": "0",
        },
    }  # fmt: skip


def window_ticker(instrument: Instrument, window: WindowStatistics, unit: int, *, mini: bool) -> dict[str, Any]:
    """An answer of ``ticker``: a rolling window."""
    i = instrument
    answer = {
        "symbol": i.venue_symbol,
        "openPrice": price_text(i, window.open),
        "highPrice": price_text(i, window.high),
        "lowPrice": price_text(i, window.low),
        "lastPrice": price_text(i, window.close),
        "volume": qty_text(i, window.units),
        "quoteVolume": value_text(i, window.value),
        "openTime": window.open_ns // unit,
        "closeTime": window.close_ns // unit,
        "firstId": window.first_id,
        "lastId": window.last_id,
        "count": window.count,
    }
    if not mini:
        answer |= {
            "priceChange": _change(i, window),
            "priceChangePercent": _percent(window),
            "weightedAvgPrice": _average(i, window),
        }
    return answer


def ticker(instrument: Instrument, tape: Tape, top: Top, now_ns: int, unit: int, *, mini: bool) -> dict[str, Any]:
    """An answer of ``ticker/24hr``."""
    i, window = instrument, tape.window(now_ns, DAY_NS)
    answer = window_ticker(i, window, unit, mini=mini)
    if mini:
        return answer
    (bid, bid_units), (ask, ask_units) = top
    return answer | {
        "prevClosePrice": price_text(i, window.before),
        "lastQty": qty_text(i, tape.last.units if tape.last else 0),
        "bidPrice": price_text(i, bid),
        "bidQty": qty_text(i, bid_units),
        "askPrice": price_text(i, ask),
        "askQty": qty_text(i, ask_units),
    }


def mini_frame(instrument: Instrument, window: WindowStatistics, ns: int, unit: int) -> dict[str, Any]:
    """An event of ``miniTicker``."""
    i = instrument
    return {
        "e": "24hrMiniTicker", "E": ns // unit, "s": i.venue_symbol, "c": price_text(i, window.close),
        "o": price_text(i, window.open), "h": price_text(i, window.high), "l": price_text(i, window.low),
        "v": qty_text(i, window.units), "q": value_text(i, window.value),
    }  # fmt: skip


def ticker_frame(
    instrument: Instrument, tape: Tape, top: Top, window: WindowStatistics, kind: str, ns: int, unit: int
) -> dict[str, Any]:
    """An event of ``ticker`` (``24hrTicker``) or of a rolling window (``1hTicker``, without the best prices)."""
    i, last = instrument, tape.last
    frame = mini_frame(i, window, ns, unit) | {
        "e": kind, "p": _change(i, window), "P": _percent(window), "w": _average(i, window),
        "O": window.open_ns // unit, "C": window.close_ns // unit, "F": window.first_id, "L": window.last_id,
        "n": window.count,
    }  # fmt: skip
    if kind == "24hrTicker":
        (bid, bid_units), (ask, ask_units) = top
        frame |= {
            "x": price_text(i, window.before), "Q": qty_text(i, last.units if last else 0),
            "b": price_text(i, bid), "B": qty_text(i, bid_units), "a": price_text(i, ask), "A": qty_text(i, ask_units),
        }  # fmt: skip
    return frame


def _change(instrument: Instrument, window: WindowStatistics) -> str:
    change = window.close - window.open
    return ("-" if change < 0 else "") + price_text(instrument, abs(change))


def _percent(window: WindowStatistics) -> str:
    return f"{Decimal(100 * (window.close - window.open)) / window.open:.3f}" if window.open else "0.000"


def _average(instrument: Instrument, window: WindowStatistics) -> str:
    return price_text(instrument, window.value // window.units if window.units else window.close)
