"""Trades, tickers and candlesticks in the words of WebSocket v2 (docs.kraken.com, "Trade", "Ticker", "OHLC")."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bloor.model.instrument import Instrument
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.source import PublicView
from bloor.simulation.tape import Candle, WindowStatistics
from bloor_kraken.simulated.words import bare, price_text, qty_text, rfc3339, word

__all__ = ["DAY_NS", "average_price", "candle_row", "day", "ticker_row", "trade_row"]

DAY_NS = 86_400_000_000_000


def day(view: PublicView, now_ns: int) -> WindowStatistics:
    """The last 24 hours of a market."""
    return view.tape.window(view.clock(now_ns), DAY_NS)


def average_price(instrument: Instrument, value: int, units: int, otherwise: int) -> str:
    """The price weighted by quantity, from a sum of ticks x units; ``otherwise``, in ticks, where nothing traded."""
    return price_text(instrument, value // units if units else otherwise)


def trade_row(instrument: Instrument, trade: PublicTrade, order_type: str) -> dict[str, Any]:
    """One trade; ``order_type`` is the taker's."""
    return {
        "symbol": instrument.venue_symbol,
        "side": word(trade.aggressor),
        "price": bare(price_text(instrument, trade.price)),
        "qty": bare(qty_text(instrument, trade.units)),
        "ord_type": order_type,
        "trade_id": trade.trade_id,
        "timestamp": rfc3339(trade.ns),
    }


def ticker_row(view: PublicView, now_ns: int) -> dict[str, Any]:
    """Best prices and the last 24 hours."""
    i, window = view.market.instrument, day(view, now_ns)
    (bid, bid_units), (ask, ask_units) = view.top()
    last = view.tape.last
    change = window.close - window.open
    percent = f"{Decimal(100 * change) / window.open:.2f}" if window.open else "0.00"
    return {
        "symbol": i.venue_symbol,
        "bid": bare(price_text(i, bid)),
        "bid_qty": bare(qty_text(i, bid_units)),
        "ask": bare(price_text(i, ask)),
        "ask_qty": bare(qty_text(i, ask_units)),
        "last": bare(price_text(i, last.price if last else window.close)),
        "volume": bare(qty_text(i, window.units)),
        "vwap": bare(average_price(i, window.value, window.units, window.close)),
        "low": bare(price_text(i, window.low)),
        "high": bare(price_text(i, window.high)),
        "change": bare(("-" if change < 0 else "") + price_text(i, abs(change))),
        "change_pct": bare(percent),
        "timestamp": rfc3339(view.clock(now_ns)),
    }


def candle_row(instrument: Instrument, candle: Candle, minutes: str, ns: int) -> dict[str, Any]:
    """One candlestick; there is no mark that says that it is closed."""
    i, c = instrument, candle
    return {
        "symbol": i.venue_symbol,
        "open": bare(price_text(i, c.open)),
        "high": bare(price_text(i, c.high)),
        "low": bare(price_text(i, c.low)),
        "close": bare(price_text(i, c.close)),
        "trades": c.count,
        "volume": bare(qty_text(i, c.units)),
        "vwap": bare(average_price(i, c.value, c.units, c.close)),
        "interval_begin": f"{rfc3339(c.start_ns)[:-1]}000Z",
        "interval": int(minutes),
        "timestamp": rfc3339(ns),
    }
