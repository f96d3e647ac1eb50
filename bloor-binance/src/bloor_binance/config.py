"""The sections ``[venue.binance]`` and ``[venue.binance-usdm]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import Attribute, field, frozen, validators

from bloor.config.duration import UNITS_NS, Duration

__all__ = ["BinanceConfig", "BinanceUsdmConfig", "RestOrders"]

_LIFE = Duration(23 * UNITS_NS["h"])


def _rates_above_0(_: object, attribute: Attribute[Any], rates: Mapping[str, Decimal]) -> None:
    for asset, rate in rates.items():
        if rate <= 0:
            raise ValueError(f"'{attribute.name}' must be made of rates above 0, and that of {asset} is {rate}")


class RestOrders(Enum):
    """What goes over REST while the order connection is down."""

    #: Nothing: everything waits for the connection.
    OFF = "off"
    #: What takes risk away: cancels, queries, open-order look-ups.
    CANCEL = "cancel"
    #: New orders, replacements and reductions too.
    ALL = "all"


@frozen(kw_only=True)
class BinanceConfig:
    """Settings of the Binance spot plug-in.

    Attributes:
        rest_url: Overrides the base URL of REST.
        streams_url: Overrides the base URL of the market streams.
        ws_api_url: Overrides the URL of the WebSocket API.
        depth_limit: Levels of the snapshot that starts a book (5 to 5000).
        depth_speed: Rate of depth updates: ``100ms`` or ``1000ms``.
        connection_life: Age at which a market-data connection is replaced by another, less a random part of up to a
            fiftieth; the venue ends it at 24 h.
        recv_window_ms: How old a signed request may be when the venue sees it, in ms.
        rest_orders: What goes over REST while the order connection is down: ``off``, ``cancel`` (cancels, queries and
            look-ups) or ``all``.
        fee_rates: What one of an asset that fees are taken in, such as BNB, is worth in the quote asset. A book of the
            two that the run has comes first; without either, such a fee counts as 0 and the summary says so.
    """

    rest_url: str = ""
    streams_url: str = ""
    ws_api_url: str = ""
    depth_limit: int = field(default=5000, validator=[validators.ge(5), validators.le(5000)])
    depth_speed: str = field(default="100ms", validator=validators.matches_re(re.compile("1000?ms")))
    connection_life: Duration = _LIFE
    recv_window_ms: int = field(default=5000, validator=[validators.ge(1), validators.le(60_000)])
    rest_orders: RestOrders = RestOrders.CANCEL
    fee_rates: Mapping[str, Decimal] = field(factory=dict, validator=_rates_above_0)


@frozen(kw_only=True)
class BinanceUsdmConfig:
    """Settings of the Binance USD-M plug-in.

    Attributes:
        rest_url: Overrides the base URL of REST.
        streams_url: Overrides the base URL of the market streams.
        depth_limit: Levels of the snapshot that starts a book: 5, 10, 20, 50, 100, 500 or 1000.
        depth_speed: Rate of depth updates: ``0ms`` (as they come), ``100ms``, ``250ms`` or ``500ms``.
        connection_life: Age at which a market-data connection is replaced by another, less a random part of up to a
            fiftieth; the venue ends it at 24 h.
    """

    rest_url: str = ""
    streams_url: str = ""
    depth_limit: int = field(default=1000, validator=validators.in_((5, 10, 20, 50, 100, 500, 1000)))
    depth_speed: str = field(default="100ms", validator=validators.in_(("0ms", "100ms", "250ms", "500ms")))
    connection_life: Duration = _LIFE
