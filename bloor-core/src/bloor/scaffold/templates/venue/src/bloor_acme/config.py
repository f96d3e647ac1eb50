"""The section ``[venue.acme]``."""

from __future__ import annotations

from attrs import field, frozen, validators
from bloor.venue.session import Endpoints

__all__ = ["ENDPOINTS", "AcmeConfig"]

_web = validators.matches_re(r"(https?://[^\s/]+(/\S*)?)?")
_websocket = validators.matches_re(r"(wss?://[^\s/]+(/\S*)?)?")

#: Where the venue is, by environment. TODO: the real addresses; ``.invalid`` leads nowhere on purpose.
ENDPOINTS = {
    "prod": Endpoints(
        "https://api.acme.invalid",
        "wss://stream.acme.invalid/stream",
        "wss://stream.acme.invalid/orders",
    ),
}


@frozen(kw_only=True)
class AcmeConfig:
    """Settings of this plug-in.

    Attributes:
        rest_url: Overrides the base URL of REST.
        streams_url: Overrides the URL of market data.
        ws_api_url: Overrides the URL of order entry.
    """

    rest_url: str = field(default="", validator=_web)
    streams_url: str = field(default="", validator=_websocket)
    ws_api_url: str = field(default="", validator=_websocket)
