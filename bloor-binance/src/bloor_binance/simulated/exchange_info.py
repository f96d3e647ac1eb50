"""``exchangeInfo``: what is listed and by which rules (rest-api.md, "Exchange information"; filters.md)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bloor.model.instrument import Instrument
from bloor_binance.simulated.filters import MAX_OPEN_ORDERS, PERCENT_DOWN, PERCENT_UP
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.words import ORDER_TYPES, SELF_TRADE_MODES, decimal_text, qty_text

__all__ = ["exchange_info", "symbol_info"]


def exchange_info(instruments: Sequence[Instrument], limits: RateLimits, server_time: int) -> dict[str, Any]:
    """The whole answer for these instruments."""
    return {
        "timezone": "UTC",
        "serverTime": server_time,
        "rateLimits": [window.document() for window in limits.windows],
        "exchangeFilters": [],
        "symbols": [symbol_info(instrument) for instrument in instruments],
    }


def symbol_info(instrument: Instrument) -> dict[str, Any]:
    """One symbol's part."""
    return {
        "symbol": instrument.venue_symbol,
        "status": "TRADING" if instrument.trading else "HALT",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": list(SELF_TRADE_MODES),
    }


def _filters(instrument: Instrument) -> list[dict[str, Any]]:
    tick, lot = instrument.tick_size, qty_text(instrument, instrument.lot_units)
    most = qty_text(instrument, instrument.max_lots * instrument.lot_units)
    up, down = decimal_text(PERCENT_UP), decimal_text(PERCENT_DOWN)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": decimal_text(tick),
            "maxPrice": decimal_text(tick * 100_000_000),
            "tickSize": decimal_text(tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": qty_text(instrument, instrument.min_lots * instrument.lot_units),
            "maxQty": most,
            "stepSize": lot,
        },
        {"filterType": "MARKET_LOT_SIZE", "minQty": decimal_text(Decimal(0)), "maxQty": most, "stepSize": "0.00000000"},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up,
            "bidMultiplierDown": down,
            "askMultiplierUp": up,
            "askMultiplierDown": down,
            "avgPriceMins": 0,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": decimal_text(instrument.min_notional),
            "applyMinToMarket": True,
            "maxNotional": decimal_text(instrument.max_notional),
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MAX_OPEN_ORDERS},
    ]
