"""Public market data, the same over REST and WebSocket (rest-api.md, "Market data endpoints")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import orjson

from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.tape import Aggregate
from bloor_binance.simulated import statistics
from bloor_binance.simulated.errors import ApiError, bad_parameter
from bloor_binance.simulated.exchange_info import exchange_info
from bloor_binance.simulated.intervals import INTERVALS, window_ns
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.published import Published
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.words import price_text, qty_text

__all__ = ["AVERAGE_NS", "MarketData"]

#: Most levels of a depth answer, most entries of a list.
MAX_DEPTH, MAX_ENTRIES = 5000, 1000
#: What ``avgPrice`` is the average of.
AVERAGE_NS = 300_000_000_000
_DAY_NS = statistics.DAY_NS


class _Timed(Protocol):
    """An entry with a time in ns."""

    @property
    def ns(self) -> int: ...


T = TypeVar("T", bound=_Timed)


class MarketData:
    """Answers public questions.

    Args:
        published: Venue symbol -> what the public sees.
        limits: Pays for what costs more than its method's own weight.
    """

    def __init__(self, published: Mapping[str, Published], limits: RateLimits) -> None:
        self._published = published
        self._limits = limits

    def exchange_info(self, params: Params, _account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``exchangeInfo``."""
        instruments = [published.market.instrument for published in self._some(params)]
        return exchange_info(instruments, self._limits, now_ns // unit)

    def depth(self, params: Params, _account: int, now_ns: int, _unit: int) -> dict[str, Any]:
        """``depth``."""
        published = self._market(params)
        limit = min(params.integer("limit", 100) or 100, MAX_DEPTH)
        if limit > 100:
            self._limits.spend(20 if limit <= 500 else 45 if limit <= 1000 else 245, now_ns)
        bids, asks = published.depth(limit)
        return {"lastUpdateId": published.update_id, "bids": bids, "asks": asks}

    def trades(self, params: Params, _account: int, _now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``trades`` and ``historicalTrades``."""
        published = self._market(params)
        first = params.integer("fromId")
        trades = published.tape.trades
        chosen = _page(trades, params, None if first is None else lambda trade: trade.trade_id >= first)
        return [_trade(published.market.instrument, trade, unit) for trade in chosen]

    def aggregates(self, params: Params, _account: int, _now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``aggTrades``."""
        published = self._market(params)
        first = params.integer("fromId")
        if first is not None and ("startTime" in params or "endTime" in params):
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        wanted = None if first is None else (lambda aggregate: aggregate.number >= first)
        chosen = _page(published.tape.aggregates, params, wanted)
        return [_aggregate(published.market.instrument, aggregate, unit) for aggregate in chosen]

    def candles(self, params: Params, _account: int, now_ns: int, unit: int) -> list[list[Any]]:
        """``klines`` and ``uiKlines``."""
        published = self._market(params)
        interval = params.text("interval")
        if interval not in INTERVALS:
            raise ApiError(-1120, "Invalid interval.")
        if params.get("timeZone", "0") not in ("0", "0:00", "00:00", "+0", "+00:00"):
            raise bad_parameter("timeZone")
        candles = published.tape.candles(interval, published.clock(now_ns))
        start, end = (_time_ns(params, name) for name in ("startTime", "endTime"))
        inside = [c for c in candles if (start is None or c.start_ns >= start) and (end is None or c.start_ns <= end)]
        limit = _limit(params)
        chosen = inside[:limit] if start is not None else inside[-limit:]
        return [statistics.candle_row(published.market.instrument, candle, unit) for candle in chosen]

    def average(self, params: Params, _account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``avgPrice``."""
        published = self._market(params)
        tape, last = published.tape, published.tape.last
        price = tape.average(published.clock(now_ns), AVERAGE_NS) or published.market.last_price
        close = last.ns if last is not None else now_ns
        return {"mins": 5, "price": price_text(published.market.instrument, price), "closeTime": close // unit}

    def ticker_day(self, params: Params, _account: int, now_ns: int, unit: int) -> Any:
        """``ticker/24hr``."""
        mini = _mini(params)

        def answer(published: Published) -> dict[str, Any]:
            instrument, now = published.market.instrument, published.clock(now_ns)
            return statistics.ticker(instrument, published.tape, published.top(), now, unit, mini=mini)

        return self._each(params, answer)

    def ticker_window(self, params: Params, _account: int, now_ns: int, unit: int) -> Any:
        """``ticker``: a rolling window."""
        if "symbol" not in params and "symbols" not in params:
            raise ApiError(-1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!")
        length, mini = window_ns(params.get("windowSize", "1d")), _mini(params)
        if length is None:
            raise bad_parameter("windowSize")

        def answer(published: Published) -> dict[str, Any]:
            window = published.tape.window(published.clock(now_ns), length)
            return statistics.window_ticker(published.market.instrument, window, unit, mini=mini)

        return self._each(params, answer)

    def trading_day(self, params: Params, _account: int, now_ns: int, unit: int) -> Any:
        """``ticker/tradingDay``: since midnight UTC."""
        mini = _mini(params)

        def answer(published: Published) -> dict[str, Any]:
            now = published.clock(now_ns)
            window = published.tape.window(now, now % _DAY_NS or _DAY_NS)
            return statistics.window_ticker(published.market.instrument, window, unit, mini=mini)

        return self._each(params, answer)

    def ticker_book(self, params: Params, _account: int, _now_ns: int, _unit: int) -> Any:
        """``ticker/bookTicker``."""
        return self._each(params, _book_ticker)

    def ticker_price(self, params: Params, _account: int, _now_ns: int, _unit: int) -> Any:
        """``ticker/price``."""

        def answer(published: Published) -> dict[str, str]:
            instrument = published.market.instrument
            return {"symbol": instrument.venue_symbol, "price": price_text(instrument, published.market.last_price)}

        return self._each(params, answer)

    # -- which markets ----------------------------------------------------------------------------------------------

    def _market(self, params: Params) -> Published:
        found = self._published.get(params.text("symbol"))
        if found is None:
            raise ApiError(-1121, "Invalid symbol.")
        return found

    def _each(self, params: Params, answer: Callable[[Published], dict[str, Any]]) -> Any:
        """One answer for ``symbol``, a list for ``symbols`` or for all."""
        answers = [answer(published) for published in self._some(params)]
        return answers[0] if "symbol" in params else answers

    def _some(self, params: Params) -> list[Published]:
        """The markets of ``symbol`` or ``symbols``, or all."""
        if "symbol" in params and "symbols" in params:
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        if "symbol" in params:
            return [self._market(params)]
        if "symbols" not in params:
            return list(self._published.values())
        try:
            names = orjson.loads(params["symbols"])
        except orjson.JSONDecodeError:
            names = None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise bad_parameter("symbols")
        return [self._market(Params(symbol=name)) for name in names]


def _limit(params: Params) -> int:
    return min(params.integer("limit", 500) or 500, MAX_ENTRIES)


def _mini(params: Params) -> bool:
    kind = params.get("type", "FULL")
    if kind not in ("FULL", "MINI"):
        raise bad_parameter("type")
    return kind == "MINI"


def _time_ns(params: Params, name: str) -> int | None:
    """A time in ms or us, told apart by its size."""
    value = params.integer(name)
    return None if value is None else value * (1_000 if value >= 10**15 else 1_000_000)


def _page(entries: Iterable[T], params: Params, wanted: Callable[[T], bool] | None) -> Sequence[T]:
    """The newest entries, or the oldest from an id or a start time on."""
    limit = _limit(params)
    if wanted is not None:
        return [entry for entry in entries if wanted(entry)][:limit]
    start, end = (_time_ns(params, name) for name in ("startTime", "endTime"))
    inside = [e for e in entries if (start is None or e.ns >= start) and (end is None or e.ns <= end)]
    return inside[:limit] if start is not None else inside[-limit:]


def _trade(instrument: Instrument, trade: PublicTrade, unit: int) -> dict[str, Any]:
    return {
        "id": trade.trade_id,
        "price": price_text(instrument, trade.price),
        "qty": qty_text(instrument, trade.units),
        "quoteQty": f"{instrument.value(trade.price, trade.units):.8f}",
        "time": trade.ns // unit,
        "isBuyerMaker": trade.aggressor is Side.SELL,
        "isBestMatch": True,
    }


def _aggregate(instrument: Instrument, aggregate: Aggregate, unit: int) -> dict[str, Any]:
    return {
        "a": aggregate.number,
        "p": price_text(instrument, aggregate.price),
        "q": qty_text(instrument, aggregate.units),
        "f": aggregate.first_id,
        "l": aggregate.last_id,
        "T": aggregate.ns // unit,
        "m": aggregate.aggressor is Side.SELL,
        "M": True,
    }


def _book_ticker(published: Published) -> dict[str, str]:
    instrument = published.market.instrument
    (bid, bid_units), (ask, ask_units) = published.top()
    return {
        "symbol": instrument.venue_symbol,
        "bidPrice": price_text(instrument, bid),
        "bidQty": qty_text(instrument, bid_units),
        "askPrice": price_text(instrument, ask),
        "askQty": qty_text(instrument, ask_units),
    }
