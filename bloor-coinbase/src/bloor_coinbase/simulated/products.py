"""Products, tickers and books over REST ("List Products", "Get Product Book", "Get Product Candles")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from bloor.errors import MoneyError
from bloor.model.orders import Side
from bloor.simulation.source import PublicView
from bloor_coinbase.simulated import events
from bloor_coinbase.simulated.errors import invalid, not_found
from bloor_coinbase.simulated.intervals import INTERVALS, MAX_CANDLES
from bloor_coinbase.simulated.listing import NAMES, Product
from bloor_coinbase.simulated.queries import Query
from bloor_coinbase.simulated.words import decimal_text, plain, price_text, qty_text, stamp

__all__ = ["Products", "status_event"]

#: Levels of a book and trades of a ticker: the most, and trades without a limit.
_DEPTH, _TRADES, _MOST_TRADES = 1 << 20, 100, 1000
_LISTED = 1 << 20
#: What the real exchange tells of a product besides, and nobody trades by.
_UNSAID: dict[str, Any] = {
    "new_at": "2023-01-01T00:00:00Z",
    "market_cap": "",
    "base_cbrn": "",
    "quote_cbrn": "",
    "product_cbrn": "",
    "icon_color": "",
    "icon_url": "",
    "display_name_overwrite": "",
    "is_alpha_testing": False,
    "about_description": "",
}


class Products:
    """Answers questions about products.

    Args:
        products: What orders can be sent to, by name.
        published: Book -> what the public sees of it.
    """

    def __init__(self, products: Mapping[str, Product], published: Mapping[str, PublicView]) -> None:
        self._products = products
        self._published = published

    def listed(self, query: Query, now_ns: int) -> dict[str, Any]:
        """``/products`` and ``/market/products``. Raises ApiError."""
        names = query.many("product_ids")
        chosen = [p for p in self._products.values() if not names or p.name in names]
        if query.one("product_type") not in ("", "SPOT", "UNKNOWN_PRODUCT_TYPE"):
            chosen = []
        first = query.integer("offset", 0, _LISTED)
        limit = query.integer("limit", _LISTED, _LISTED) or _LISTED
        listed = [self._view(product, now_ns) for product in chosen[first : first + limit]]
        return {"products": listed, "num_products": len(chosen), "pagination": None}

    def get(self, name: str, now_ns: int) -> dict[str, Any]:
        """``/products/{product_id}``. Raises ApiError 404."""
        return self._view(self._named(name), now_ns)

    def book(self, query: Query, now_ns: int) -> dict[str, Any]:
        """``/product_book``. Raises ApiError."""
        product = self._named(query.one("product_id"))
        limit = query.integer("limit", _DEPTH, _DEPTH) or _DEPTH
        view = self._published[product.book]
        book = self._pricebook(product, view, limit, now_ns, query.one("aggregation_price_increment"))
        (bid, _), (ask, _) = view.top()
        instrument = view.market.instrument
        best_bid, best_ask = instrument.price(bid), instrument.price(ask)
        middle = (best_bid + best_ask) / 2
        spread = best_ask - best_bid
        return {
            "pricebook": book,
            "last": price_text(instrument, view.tape.last.price) if view.tape.last else "",
            "mid_market": decimal_text(middle),
            "spread_bps": decimal_text(round(spread / middle * 10_000, 12)) if middle else "0",
            "spread_absolute": decimal_text(spread),
        }

    def best(self, query: Query, now_ns: int) -> dict[str, Any]:
        """``/best_bid_ask``. Raises ApiError 404."""
        names = query.many("product_ids") or list(self._products)
        chosen = [self._named(name) for name in names]
        return {"pricebooks": [self._pricebook(p, self._published[p.book], 1, now_ns) for p in chosen]}

    def ticker(self, name: str, query: Query, now_ns: int) -> dict[str, Any]:
        """``/products/{product_id}/ticker``: the latest trades, newest first. Raises ApiError."""
        product = self._named(name)
        view = self._published[product.book]
        limit = query.integer("limit", _TRADES, _MOST_TRADES) or _TRADES
        start, end = query.integer("start", 0, 1 << 40), query.integer("end", 1 << 33, 1 << 40)
        instrument = view.market.instrument
        chosen = [t for t in view.tape.trades if start <= t.ns // 1_000_000_000 <= end][-limit:]
        bid, ask = (price_text(instrument, price) for price, _ in view.top())
        beside = {"product_id": product.name, "bid": "", "ask": "", "exchange": "coinbase"}
        listed = [{**events.trade(instrument, trade), **beside} for trade in reversed(chosen)]
        return {"trades": listed, "best_bid": bid, "best_ask": ask}

    def candles(self, name: str, query: Query, now_ns: int) -> dict[str, Any]:
        """``/products/{product_id}/candles``, newest first. Raises ApiError."""
        product = self._named(name)
        view = self._published[product.book]
        granularity = query.one("granularity")
        interval = INTERVALS.get(granularity)
        if interval is None:
            raise invalid(f"granularity: expected one of {', '.join(INTERVALS)}, got {granularity[:40]!r}")
        if not query.one("start") or not query.one("end"):
            raise invalid("start and end are required")
        start, end = query.integer("start", 0, 1 << 40), query.integer("end", 0, 1 << 40)
        if (end - start) // interval.seconds > MAX_CANDLES:
            raise invalid(f"number of candles requested should be less than {MAX_CANDLES}")
        limit = query.integer("limit", MAX_CANDLES, MAX_CANDLES) or MAX_CANDLES
        instrument = view.market.instrument
        found = [
            events.candle(instrument, one)
            for one in view.tape.candles(granularity, view.clock(now_ns))
            if start <= one.start_ns // 1_000_000_000 <= end
        ]
        return {"candles": found[::-1][:limit]}

    def price(self, book: str) -> Decimal:
        """The last price of a book; 0 before the first trade."""
        view = self._published.get(book)
        return view.market.instrument.price(view.tape.last.price) if view and view.tape.last else Decimal(0)

    # -- views ------------------------------------------------------------------------------------------------------

    def _named(self, name: str) -> Product:
        product = self._products.get(name)
        if product is None:
            raise not_found(f"valid product_id is required, got {name[:40]!r}")
        return product

    def _pricebook(
        self, product: Product, view: PublicView, limit: int, now_ns: int, increment: str = ""
    ) -> dict[str, Any]:
        bids, asks = (self._side(view, side, limit, increment) for side in (Side.BUY, Side.SELL))
        return {"product_id": product.name, "bids": bids, "asks": asks, "time": stamp(view.clock(now_ns))}

    def _side(self, view: PublicView, side: Side, limit: int, increment: str) -> list[dict[str, str]]:
        instrument = view.market.instrument
        if not increment:
            levels: Sequence[tuple[int, int]] = view.levels(side, limit)
        else:
            levels = _aggregated(view, side, increment)[:limit]
        shown = ((price_text(instrument, price), qty_text(instrument, units)) for price, units in levels)
        return [{"price": price, "size": size} for price, size in shown]

    def _view(self, product: Product, now_ns: int) -> dict[str, Any]:
        view = self._published[product.book]
        instrument = view.market.instrument
        day = view.tape.window(view.clock(now_ns), events.DAY_NS)
        (bid, _), (ask, _) = view.top()
        most = instrument.max_lots * instrument.lot_units
        second = product.name != product.book
        others = [p.name for p in self._products.values() if p.book == product.book and p.name != product.book]
        return {
            "product_id": product.name,
            "price": price_text(instrument, view.tape.last.price) if view.tape.last else "",
            "price_percentage_change_24h": events.day_change(day),
            "volume_24h": qty_text(instrument, day.units),
            "volume_percentage_change_24h": "0",
            "base_increment": decimal_text(instrument.lot_size),
            "quote_increment": decimal_text(instrument.tick_size),
            "quote_min_size": decimal_text(instrument.min_notional),
            "quote_max_size": decimal_text(instrument.max_notional) if instrument.max_notional else "150000000",
            "base_min_size": qty_text(instrument, instrument.min_lots * instrument.lot_units),
            "base_max_size": qty_text(instrument, most) if most else "10000000",
            "base_name": NAMES.get(product.base, product.base),
            "quote_name": NAMES.get(product.quote, product.quote),
            "watched": False,
            "is_disabled": False,
            "new": False,
            "status": "online" if instrument.trading else "offline",
            "cancel_only": False,
            "limit_only": False,
            "post_only": False,
            "trading_disabled": not instrument.trading,
            "auction_mode": False,
            "product_type": "SPOT",
            "quote_currency_id": product.quote,
            "base_currency_id": product.base,
            "fcm_trading_session_details": None,
            "mid_market_price": "",
            "alias": product.book if second else "",
            "alias_to": [] if second else others,
            "base_display_symbol": product.base,
            "quote_display_symbol": product.quote,
            "view_only": False,
            "price_increment": decimal_text(instrument.tick_size),
            "display_name": product.name,
            "product_venue": "CBE",
            **_UNSAID,
            "approximate_quote_24h_volume": plain(f"{instrument.price(day.close) * instrument.qty(day.units):.2f}"),
            "best_bid_price": price_text(instrument, bid),
            "best_ask_price": price_text(instrument, ask),
        }


def _aggregated(view: PublicView, side: Side, increment: str) -> list[tuple[int, int]]:
    """Levels summed over multiples of an increment: bids downwards, asks upwards. Raises ApiError."""
    instrument = view.market.instrument
    try:
        step = instrument.parse_price(increment)
    except MoneyError:
        raise invalid(f"aggregation_price_increment: expected a multiple of {instrument.tick_size}") from None
    if step <= 0:
        raise invalid(f"aggregation_price_increment: expected a multiple of {instrument.tick_size}")

    def rounded(level: tuple[int, int]) -> int:
        return level[0] // step * step if side is Side.BUY else -(-level[0] // step) * step

    grouped = groupby(view.levels(side, _DEPTH), rounded)
    return [(price, sum(units for _, units in levels)) for price, levels in grouped]


def status_event(kind: str, products: Sequence[tuple[Product, PublicView]]) -> dict[str, Any]:
    """An event of the channel ``status``."""
    listed = [
        {
            "product_type": "SPOT",
            "id": product.name,
            "base_currency": product.base,
            "quote_currency": product.quote,
            "base_increment": decimal_text(view.market.instrument.lot_size),
            "quote_increment": decimal_text(view.market.instrument.tick_size),
            "display_name": f"{product.base}/{product.quote}",
            "status": "online" if view.market.instrument.trading else "offline",
            "status_message": "",
            "min_market_funds": decimal_text(view.market.instrument.min_notional),
        }
        for product, view in products
    ]
    return {"type": kind, "products": listed}
