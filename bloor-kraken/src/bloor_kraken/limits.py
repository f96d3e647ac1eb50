"""How Kraken's REST wants to be used, as far as market data goes (docs.kraken.com, "Spot REST Rate Limits").

Public requests are counted by address; one a second is safe. The time is said in whole seconds.
"""

from __future__ import annotations

from bloor.venue.rest import RateLimit, RestRules
from bloor_kraken.exact import parsed
from bloor_kraken.frames.fields import integer
from bloor_kraken.frames.snapshot import result

__all__ = ["rest_rules"]

SECOND = 1_000_000_000
#: Public requests in a window of ten seconds, and how many of them are kept for what is urgent.
PUBLIC, WINDOW_NS, RESERVE = 10, 10 * SECOND, 1


def _time_ns(body: bytes) -> int:
    """``{"error":[],"result":{"unixtime":s}}`` as ns since the epoch.

    Raises:
        RemoteProtocolError: The answer is no such object.
    """
    return integer("Time", result("Time", parsed(body)), "unixtime") * SECOND


def rest_rules() -> RestRules:
    """The rules of the public part."""
    public = RateLimit(name="public", limit=PUBLIC, window_ns=WINDOW_NS, reserve=RESERVE)
    return RestRules(limits=(public,), time_path="/0/public/Time", parse_time=_time_ns)
