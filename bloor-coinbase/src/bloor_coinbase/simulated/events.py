"""Market data in Coinbase's words, for streams and REST (docs.cdp.coinbase.com, "Advanced Trade WebSocket")."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import orjson

from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.orders import opposite
from bloor.simulation.source import PublicView
from bloor.simulation.tape import Candle, WindowStatistics
from bloor_coinbase.simulated.intervals import STREAMED
from bloor_coinbase.simulated.words import decimal_text, price_text, qty_text, side_word, stamp

__all__ = [
    "DAY_NS",
    "SNAPSHOT_CANDLES",
    "SNAPSHOT_TRADES",
    "book_snapshot",
    "book_update",
    "candle",
    "candles",
    "day_change",
    "ticker",
    "trade",
    "trades",
]

DAY_NS = 86_400_000_000_000
#: What the first events of ``market_trades`` and ``candles`` have at most.
SNAPSHOT_TRADES, SNAPSHOT_CANDLES = 100, 100
_SIDES = {Side.BUY: "bid", Side.SELL: "offer"}


def book_snapshot(view: PublicView, ns: int) -> bytes:
    """The whole book, best first."""
    whole = 1 << 30
    levels = [(side, price, units, ns) for side in _SIDES for price, units in view.levels(side, whole)]
    return _book(view.market.instrument, "snapshot", levels)


def book_update(instrument: Instrument, levels: Iterable[tuple[Side, int, int, int]]) -> bytes:
    """Changed levels as ``(side, ticks, units, ns)``; no units: the level is gone."""
    return _book(instrument, "update", levels)


def _book(instrument: Instrument, kind: str, levels: Iterable[tuple[Side, int, int, int]]) -> bytes:
    updates = ",".join(
        f'{{"side":"{_SIDES[side]}","event_time":"{stamp(ns)}","price_level":"{price_text(instrument, price)}",'
        f'"new_quantity":"{qty_text(instrument, units)}"}}'
        for side, price, units, ns in levels
    )
    return f'{{"type":"{kind}","product_id":"{instrument.venue_symbol}","updates":[{updates}]}}'.encode()


def trade(instrument: Instrument, one: PublicTrade) -> dict[str, str]:
    """A trade; its side is the maker's."""
    return {
        "trade_id": str(one.trade_id),
        "product_id": instrument.venue_symbol,
        "price": price_text(instrument, one.price),
        "size": qty_text(instrument, one.units),
        "time": stamp(one.ns),
        "side": side_word(opposite(one.aggressor)),
    }


def trades(instrument: Instrument, kind: str, oldest_first: Iterable[PublicTrade]) -> bytes:
    """An event of ``market_trades``, newest first."""
    listed = [trade(instrument, one) for one in oldest_first]
    return orjson.dumps({"type": kind, "trades": listed[::-1]})


def candle(instrument: Instrument, one: Candle) -> dict[str, str]:
    """A candle."""
    return {
        "start": str(one.start_ns // 1_000_000_000),
        "high": price_text(instrument, one.high),
        "low": price_text(instrument, one.low),
        "open": price_text(instrument, one.open),
        "close": price_text(instrument, one.close),
        "volume": qty_text(instrument, one.units),
    }


def candles(view: PublicView, count: int, ns: int) -> list[dict[str, str]]:
    """The latest candles of the channel ``candles``, newest first."""
    instrument = view.market.instrument
    latest = view.tape.candles(STREAMED, ns)[-count:]
    return [{**candle(instrument, one), "product_id": instrument.venue_symbol} for one in reversed(latest)]


def ticker(view: PublicView, ns: int, *, best: bool) -> dict[str, str]:
    """A ticker, with the best prices or without."""
    instrument, day = view.market.instrument, view.tape.window(ns, DAY_NS)
    last = view.tape.last
    shown = {
        "type": "ticker",
        "product_id": instrument.venue_symbol,
        "price": price_text(instrument, last.price if last else 0),
        "volume_24_h": qty_text(instrument, day.units),
        "low_24_h": price_text(instrument, day.low),
        "high_24_h": price_text(instrument, day.high),
        "low_52_w": price_text(instrument, day.low),
        "high_52_w": price_text(instrument, day.high),
        "price_percent_chg_24_h": day_change(day),
    }
    if best:
        (bid, bid_units), (ask, ask_units) = view.top()
        shown |= {
            "best_bid": price_text(instrument, bid),
            "best_bid_quantity": qty_text(instrument, bid_units),
            "best_ask": price_text(instrument, ask),
            "best_ask_quantity": qty_text(instrument, ask_units),
        }
    return shown


def day_change(day: WindowStatistics) -> str:
    """Change of the price in percent."""
    return decimal_text(round(Decimal(100 * (day.close - day.open)) / day.open, 14)) if day.open else "0"
