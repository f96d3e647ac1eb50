"""``exchangeInfo``: what is listed and by which rules (rest-api.md, "Exchange information"; filters.md)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bloor.model.instrument import Instrument
from bloor_binance.simulated.filters import (
    MAX_AMENDS,
    MAX_OPEN_ORDERS,
    MAX_STOP_ORDERS,
    PERCENT_DOWN,
    PERCENT_UP,
    max_market_lots,
)
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.words import ORDER_TYPES, SELF_TRADE_MODES, decimal_text, qty_text

__all__ = ["exchange_info", "symbol_filters", "symbol_info"]


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
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": symbol_filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": list(SELF_TRADE_MODES),
    }


def symbol_filters(instrument: Instrument) -> list[dict[str, Any]]:
    """The filters of one symbol."""
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
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": decimal_text(Decimal(0)),
            "maxQty": qty_text(instrument, max_market_lots(instrument) * instrument.lot_units),
            "stepSize": decimal_text(Decimal(0)),
        },
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
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MAX_STOP_ORDERS},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": MAX_AMENDS},
    ]
