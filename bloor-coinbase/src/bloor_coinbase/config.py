"""The section ``[venue.coinbase]``."""

from __future__ import annotations

from attrs import field, frozen, validators

__all__ = ["CoinbaseConfig"]

_web = validators.matches_re(r"https?://[^\s/]+(/\S*)?")
_websocket = validators.matches_re(r"wss?://[^\s/]+(/\S*)?")


@frozen(kw_only=True)
class CoinbaseConfig:
    """Where Coinbase Advanced Trade is (docs.cdp.coinbase.com, "Advanced Trade").

    Its sandbox answers with canned responses and has no market, so there is no test environment to trade on.

    Attributes:
        rest_url: Base URL of REST, with the prefix of every path.
        streams_url: URL of the market-data WebSocket.
        ws_api_url: URL of the user WebSocket: order updates. Orders themselves go over REST.
    """

    rest_url: str = field(default="https://api.coinbase.com/api/v3/brokerage", validator=_web)
    streams_url: str = field(default="wss://advanced-trade-ws.coinbase.com", validator=_websocket)
    ws_api_url: str = field(default="wss://advanced-trade-ws-user.coinbase.com", validator=_websocket)
