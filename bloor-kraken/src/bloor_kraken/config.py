"""The section ``[venue.kraken]``."""

from __future__ import annotations

from attrs import field, frozen, validators

__all__ = ["KrakenConfig"]

_web = validators.matches_re(r"https?://[^\s/]+(/\S*)?")
_websocket = validators.matches_re(r"wss?://[^\s/]+(/\S*)?")


@frozen(kw_only=True)
class KrakenConfig:
    """Where Kraken is (docs.kraken.com: Spot WebSocket v2, Spot REST). There is no spot test environment.

    Attributes:
        rest_url: Base URL of REST.
        streams_url: URL of the public WebSocket.
        ws_api_url: URL of the private WebSocket.
    """

    rest_url: str = field(default="https://api.kraken.com", validator=_web)
    streams_url: str = field(default="wss://ws.kraken.com/v2", validator=_websocket)
    ws_api_url: str = field(default="wss://ws-auth.kraken.com/v2", validator=_websocket)
