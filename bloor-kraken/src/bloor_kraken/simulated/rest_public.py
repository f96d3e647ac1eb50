"""Public REST requests (docs.kraken.com, Spot REST, "Market Data")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bloor.model.decimals import format_units
from bloor.model.orders import Side
from bloor.simulation.account import Fees
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.tape import Candle
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.intervals import INTERVALS
from bloor_kraken.simulated.market_words import DAY_NS, average_price, day
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.params import Params
from bloor_kraken.simulated.published import Published
from bloor_kraken.simulated.reference import assets, pair_entry
from bloor_kraken.simulated.spreads import Spreads
from bloor_kraken.simulated.system import System
from bloor_kraken.simulated.words import price_text, qty_text, seconds

__all__ = ["PublicRest"]

_SECOND = 1_000_000_000
#: Most levels, trades and candlesticks of an answer.
_LEVELS, _TRADES, _CANDLES = 500, 1_000, 720
#: Prices of REST have at least five decimals; quantities of a depth have three.
_PRICE_DECIMALS, _DEPTH_QTY_DECIMALS = 5, 3


class PublicRest:
    """Answers public requests.

    Args:
        published: Venue symbol -> what the public sees.
        names: Finds markets.
        fees: The account's commissions, which are everybody's.
        order_type: Tells the type of a taker's order.
        spreads: Remembers best prices.
        system: The engine's state.
    """

    def __init__(
        self,
        published: Mapping[str, Published],
        names: Names,
        fees: Fees,
        order_type: Callable[[int], str],
        spreads: Spreads,
        system: System,
    ) -> None:
        self._published = published
        self._names = names
        self._fees = fees
        self._order_type = order_type
        self._spreads = spreads
        self._system = system
        self.table: dict[str, Callable[[Params, int], Any]] = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._pairs,
            "Ticker": self._tickers,
            "OHLC": self._candles,
            "Depth": self._depth,
            "Trades": self._trades,
            "Spread": self._spread,
        }

    def _time(self, _params: Params, now_ns: int) -> dict[str, Any]:
        moment = datetime.fromtimestamp(now_ns // _SECOND, UTC)
        return {"unixtime": now_ns // _SECOND, "rfc1123": f"{moment:%a, %d %b %y %H:%M:%S} +0000"}

    def _status(self, _params: Params, now_ns: int) -> dict[str, Any]:
        moment = datetime.fromtimestamp(now_ns // _SECOND, UTC)
        return {"status": self._system.state.value, "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}

    def _assets(self, params: Params, _now_ns: int) -> dict[str, Any]:
        listed = assets(published.market for published in self._published.values())
        wanted = params.optional("asset")
        if wanted is None:
            return listed
        by_name = {**{entry["altname"]: key for key, entry in listed.items()}, **{key: key for key in listed}}
        keys = [by_name.get(name.strip()) for name in wanted.split(",")]
        if None in keys:
            raise ApiError(Text.UNKNOWN_ASSET)
        return {key: listed[key] for key in keys if key is not None}

    def _pairs(self, params: Params, _now_ns: int) -> dict[str, Any]:
        views = self._some(params)
        info = params.text("info", "info")
        if info not in ("info", "leverage", "fees", "margin"):
            raise invalid("info")
        return {key: pair_entry(view.market.instrument, self._fees) for key, view in views.items()}

    def _depth(self, params: Params, now_ns: int) -> dict[str, Any]:
        key, view = self._one(params)
        limit = params.integer("count", 100, _LEVELS)
        i = view.market.instrument
        at = view.clock(now_ns) // _SECOND

        def rows(side: Side) -> list[list[Any]]:
            return [
                [_padded(price_text(i, price), _PRICE_DECIMALS), _depth_qty(qty_text(i, units)), at]
                for price, units in view.levels(side, limit)
            ]

        return {key: {"asks": rows(Side.SELL), "bids": rows(Side.BUY)}}

    def _trades(self, params: Params, _now_ns: int) -> dict[str, Any]:
        key, view = self._one(params)
        limit = max(1, params.integer("count", _TRADES, _TRADES))
        trades = list(view.tape.trades)
        since = params.optional("since")
        chosen = trades[-limit:] if since is None else [t for t in trades if t.ns > _since_ns(since)][:limit]
        last = chosen[-1].ns if chosen else _since_ns(since or "0")
        return {key: [self._trade_row(view, trade) for trade in chosen], "last": str(last)}

    def _trade_row(self, view: Published, trade: PublicTrade) -> list[Any]:
        i = view.market.instrument
        return [
            _padded(price_text(i, trade.price), _PRICE_DECIMALS),
            qty_text(i, trade.units),
            seconds(trade.ns, 7),
            "b" if trade.aggressor is Side.BUY else "s",
            "l" if self._order_type(trade.taker) == "limit" else "m",
            "",
            trade.trade_id,
        ]

    def _candles(self, params: Params, now_ns: int) -> dict[str, Any]:
        key, view = self._one(params)
        minutes = params.text("interval", "1")
        if minutes not in INTERVALS:
            raise invalid("interval")
        candles = view.tape.candles(minutes, view.clock(now_ns))[-_CANDLES - 1 :]
        since = params.optional("since")
        if since is not None:
            candles = [candle for candle in candles if candle.start_ns >= _since_ns(since)]
        last = candles[-2].start_ns if len(candles) > 1 else candles[-1].start_ns if candles else 0
        return {key: [_candle_row(view, candle) for candle in candles], "last": last // _SECOND}

    def _tickers(self, params: Params, now_ns: int) -> dict[str, Any]:
        return {key: _ticker_row(view, now_ns) for key, view in self._some(params).items()}

    def _spread(self, params: Params, _now_ns: int) -> dict[str, Any]:
        key, view = self._one(params)
        i = view.market.instrument
        since = params.optional("since")
        entries = self._spreads.of(i.venue_symbol)
        if since is not None:
            entries = [entry for entry in entries if entry.ns >= _since_ns(since)]
        rows = [
            [
                entry.ns // _SECOND,
                _padded(price_text(i, entry.bid), _PRICE_DECIMALS),
                _padded(price_text(i, entry.ask), _PRICE_DECIMALS),
            ]
            for entry in entries
        ]
        return {key: rows, "last": rows[-1][0] if rows else 0}

    # -- which markets ----------------------------------------------------------------------------------------------

    def _one(self, params: Params) -> tuple[str, Published]:
        """The market of ``pair``, and what the answer calls it: a name with a slash is given back as it came."""
        name = params.text("pair").strip()
        market = self._names.find(name)
        if market is None:
            raise ApiError(Text.UNKNOWN_PAIR)
        key = name if "/" in name else self._names.of(market).key
        return key, self._published[market.instrument.venue_symbol]

    def _some(self, params: Params) -> dict[str, Published]:
        """The markets of ``pair``, names with commas between them, or all."""
        wanted = params.optional("pair")
        if wanted is None:
            return {self._names.of(view.market).key: view for view in self._published.values()}
        return dict(self._one(Params(pair=name)) for name in wanted.split(","))


def _since_ns(text: str) -> int:
    """A time in seconds, with decimals, or in ns, told apart by its size. Raises ApiError."""
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 20 and (not fraction or fraction.isdigit())):
        raise invalid("since")
    if len(whole) > 12:
        return int(whole)
    return int(whole) * _SECOND + int(fraction[:9].ljust(9, "0"))


def _padded(text: str, decimals: int) -> str:
    """With at least so many decimals."""
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(decimals, '0')}"


def _depth_qty(text: str) -> str:
    """With three decimals; more where nothing would be left."""
    whole, _, fraction = text.partition(".")
    cut = fraction[:_DEPTH_QTY_DECIMALS]
    return f"{whole}.{cut if int(whole or 0) or cut.strip('0') else fraction}"


def _candle_row(view: Published, candle: Candle) -> list[Any]:
    i = view.market.instrument
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        candle.start_ns // _SECOND,
        *(price_text(i, price) for price in prices),
        average_price(i, candle.value, candle.units, candle.close) if candle.units else price_text(i, 0),
        qty_text(i, candle.units),
        candle.count,
    ]


def _ticker_row(view: Published, now_ns: int) -> dict[str, Any]:
    """``[today, last 24 hours]`` of most of it."""
    i, now = view.market.instrument, view.clock(now_ns)
    last = view.tape.last
    window, today = day(view, now_ns), view.tape.window(now, now % DAY_NS or DAY_NS)
    (bid, bid_units), (ask, ask_units) = view.top()

    def price(ticks: int) -> str:
        return _padded(price_text(i, ticks), _PRICE_DECIMALS)

    def best(ticks: int, units: int) -> list[str]:
        whole = units // 10**i.qty_decimals
        return [price(ticks), str(whole), format_units(units // 10 ** (i.qty_decimals - 3), 3)]

    return {
        "a": best(ask, ask_units),
        "b": best(bid, bid_units),
        "c": [price(last.price if last else 0), qty_text(i, last.units if last else 0)],
        "v": [qty_text(i, today.units), qty_text(i, window.units)],
        "p": [_padded(average_price(i, w.value, w.units, w.close), _PRICE_DECIMALS) for w in (today, window)],
        "t": [today.count, window.count],
        "l": [price(today.low), price(window.low)],
        "h": [price(today.high), price(window.high)],
        "o": price(today.open),
    }
