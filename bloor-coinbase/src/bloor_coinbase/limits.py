"""How much may be asked of Coinbase's REST interface, and what its time is.

Public requests are limited for each address: 10 a second (docs.cdp.coinbase.com, "Advanced Trade REST API Rate
Limits").
"""

from __future__ import annotations

from bloor.errors import RemoteProtocolError
from bloor.venue.rest import RateLimit, RestRules
from bloor_coinbase.instruments import PREFIX
from bloor_coinbase.normalizer import parsed

__all__ = ["rest_rules"]

SECOND = 1_000_000_000


def rest_rules() -> RestRules:
    """The limit of public requests, and where the time is."""
    limit = RateLimit(name="requests", limit=10, window_ns=SECOND, reserve=2)
    return RestRules(limits=(limit,), time_path=f"{PREFIX}/time", parse_time=time_ns)


def time_ns(body: bytes) -> int:
    """``{"iso":..,"epochSeconds":"..","epochMillis":"1775521800123"}`` as ns since the epoch.

    Raises:
        RemoteProtocolError: The answer is no such object.
    """
    document = parsed(body)
    text = str(document.get("epochMillis", "")) if type(document) is dict else ""
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise RemoteProtocolError(f"time: expected an object with epochMillis, got {body[:60]!r}")
    return int(text) * 1_000_000
