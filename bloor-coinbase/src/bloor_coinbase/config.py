"""The section ``[venue.coinbase]``."""

from __future__ import annotations

from attrs import field, frozen, validators

from bloor.config.duration import UNITS_NS, Duration

__all__ = ["CoinbaseConfig"]

_DERIVE_AFTER = Duration(3 * UNITS_NS["s"])
_web = validators.matches_re(r"(https?://[^\s/]+(/\S*)?)?")
_websocket = validators.matches_re(r"(wss?://[^\s/]+(/\S*)?)?")


@frozen(kw_only=True)
class CoinbaseConfig:
    """Settings of the Coinbase Advanced Trade plug-in (docs.cdp.coinbase.com, "Advanced Trade").

    Its sandbox answers with canned responses and has no market, so there is no test environment to trade on.

    Attributes:
        rest_url: Overrides the base URL of REST, which is without the prefix ``/api/v3/brokerage``.
        streams_url: Overrides the URL of the market-data WebSocket.
        ws_api_url: Overrides the URL of the user WebSocket: order updates. Orders themselves go over REST.
        derive_fills_after: How long REST may take to show a fill that the user WebSocket has counted, before it is
            derived from what was said there; ``0s`` derives at once, and compares with REST afterwards.
    """

    rest_url: str = field(default="", validator=_web)
    streams_url: str = field(default="", validator=_websocket)
    ws_api_url: str = field(default="", validator=_websocket)
    derive_fills_after: Duration = _DERIVE_AFTER
