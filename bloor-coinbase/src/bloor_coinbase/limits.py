"""How much may be asked of Coinbase's REST interface, and what its time is.

Public requests are limited for each address, 10 a second, and private ones for each user, 30 a second
(docs.cdp.coinbase.com, "Advanced Trade REST API Rate Limits"). Orders go over REST, so a third of the private ones is
kept for cancels.
"""

from __future__ import annotations

from bloor.errors import RemoteProtocolError
from bloor.venue.rest import RateLimit, RestRules
from bloor_coinbase.instruments import PREFIX
from bloor_coinbase.normalizer import parsed

__all__ = ["rest_rules"]

SECOND = 1_000_000_000
#: How long nothing but cancels is sent after an answer 429: limits are by the second, and the answer does not say.
SLOW_DOWN_NS = 2 * SECOND
_TIME = f"{PREFIX}/time"


def rest_rules() -> RestRules:
    """The limits of public and of private requests, and where the time is."""
    public = RateLimit(
        name="public requests", limit=10, window_ns=SECOND, reserve=2, counts=lambda p: int(is_public(p))
    )
    private = RateLimit(
        name="private requests", limit=30, window_ns=SECOND, reserve=10, counts=lambda p: int(not is_public(p))
    )
    return RestRules(limits=(public, private), time_path=_TIME, parse_time=time_ns, slow_down_ns=SLOW_DOWN_NS)


def is_public(path: str) -> bool:
    """Whether a request needs no key."""
    return path.startswith((f"{PREFIX}/market/", _TIME))


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
