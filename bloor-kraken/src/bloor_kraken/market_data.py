"""What ``bloor_feed`` hands over: the sessions of both connections of market data."""

from __future__ import annotations

from typing import Any

from bloor.hookspecs import FeedSpec, Level3Spec
from bloor_kraken.config import BookKind, KrakenConfig
from bloor_kraken.feed import ENDPOINTS, KrakenFeed
from bloor_kraken.instruments import instruments_path, parse_instruments
from bloor_kraken.level3.feed import Level3Feed
from bloor_kraken.limits import rest_rules
from bloor_kraken.signing import STAND_IN, read_credentials

__all__ = ["feed_spec"]


def feed_spec() -> FeedSpec:
    """Market data of Kraken spot."""
    return FeedSpec(
        venue="kraken",
        endpoints=ENDPOINTS,
        build=KrakenFeed,
        instruments_path=instruments_path,
        parse_instruments=parse_instruments,
        default_symbol="BTC-USD",
        rest=rest_rules(),
        level3=Level3Spec(
            wanted=_by_order, build=Level3Feed, credentials=read_credentials, stand_in=STAND_IN,
        ),
    )  # fmt: skip


def _by_order(config: Any) -> bool:
    """Whether books are to be by order."""
    return isinstance(config, KrakenConfig) and config.book is BookKind.ORDERS
