"""The section ``[venue.binance]``."""

from __future__ import annotations

import re

from attrs import field, frozen, validators

__all__ = ["BinanceConfig"]


@frozen(kw_only=True)
class BinanceConfig:
    """Settings of the Binance spot plug-in.

    Attributes:
        rest_url: Overrides the base URL of REST.
        streams_url: Overrides the base URL of the market streams.
        ws_api_url: Overrides the URL of the WebSocket API.
        depth_limit: Levels of the snapshot that starts a book (5 to 5000).
        depth_speed: Rate of depth updates: ``100ms`` or ``1000ms``.
        recv_window_ms: How old a signed request may be when the venue sees it, in ms.
    """

    rest_url: str = ""
    streams_url: str = ""
    ws_api_url: str = ""
    depth_limit: int = field(default=5000, validator=[validators.ge(5), validators.le(5000)])
    depth_speed: str = field(default="100ms", validator=validators.matches_re(re.compile("1000?ms")))
    recv_window_ms: int = field(default=5000, validator=[validators.ge(1), validators.le(60_000)])
