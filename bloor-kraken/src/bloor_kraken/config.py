"""The section ``[venue.kraken]``."""

from __future__ import annotations

from attrs import field, frozen, validators

from bloor_kraken.normalizer import DEPTHS

__all__ = ["KrakenConfig"]

_web = validators.matches_re(r"(https?://[^\s/]+(/\S*)?)?")
_websocket = validators.matches_re(r"(wss?://[^\s/]+(/\S*)?)?")


@frozen(kw_only=True)
class KrakenConfig:
    """Settings of the Kraken plug-in (docs.kraken.com: Spot WebSocket v2, Spot REST).

    Attributes:
        rest_url: Overrides the base URL of REST.
        streams_url: Overrides the URL of the public WebSocket.
        ws_api_url: Overrides the URL of the private WebSocket.
        book_depth: Levels a side of a book: 10, 25, 100, 500 or 1000. The venue's checksum covers the best ten.
    """

    rest_url: str = field(default="", validator=_web)
    streams_url: str = field(default="", validator=_websocket)
    ws_api_url: str = field(default="", validator=_websocket)
    book_depth: int = field(default=10, validator=validators.in_(DEPTHS))
