"""Market data of Binance USD-M futures over one combined stream (sans I/O): :mod:`bloor_binance.feed` with other names.

Since 2026 the venue also serves its streams under ``/public`` and ``/market``; ``streams_url`` of
``[venue.binance-usdm]`` chooses another base than the one that has always been there.
"""

from __future__ import annotations

from bloor.hookspecs import FeedContext, FeedSpec
from bloor.venue.session import Endpoints
from bloor_binance.config import BinanceUsdmConfig
from bloor_binance.feed import BinanceFeed, Product
from bloor_binance.limits import usdm_rules
from bloor_binance.usdm.instruments import instruments_path, parse_instruments

__all__ = ["ENDPOINTS", "USDM", "feed_spec"]

#: Base URLs (USD-M documentation, "General Info" and "WebSocket Market Streams").
ENDPOINTS = {
    "prod": Endpoints("https://fapi.binance.com", "wss://fstream.binance.com", "wss://ws-fapi.binance.com/ws-fapi/v1"),
    "testnet": Endpoints(
        "https://demo-fapi.binance.com", "wss://fstream.binancefuture.com", "wss://testnet.binancefuture.com/ws-fapi/v1"
    ),
}

USDM = Product(
    BinanceUsdmConfig,
    "/fapi/v1/depth",
    {"0ms": "@depth@0ms", "100ms": "@depth@100ms", "250ms": "@depth", "500ms": "@depth@500ms"},
)


def build(context: FeedContext) -> BinanceFeed:
    """The session of one connection."""
    return BinanceFeed(context, USDM)


def feed_spec() -> FeedSpec:
    """What ``bloor_feed`` hands over for ``binance-usdm``."""
    return FeedSpec(
        venue="binance-usdm",
        endpoints=ENDPOINTS,
        build=build,
        instruments_path=instruments_path,
        parse_instruments=parse_instruments,
        default_symbol="BTC-USDT",
        rest=usdm_rules(),
    )
