"""How Kraken's REST wants to be used (docs.kraken.com, "Spot REST Rate Limits").

Public requests are counted by address; one a second is safe. Private ones lift a counter of the key, which sinks
slowly; those that place, change or cancel orders do not count there but in the trading engine
(:mod:`bloor_kraken.rate_counter`). The smallest tier's counter holds 15 and sinks by a third a second: 15 requests in
any 45 seconds never fill it. The time is said in whole seconds.
"""

from __future__ import annotations

from bloor.venue.rest import RateLimit, RestRules
from bloor_kraken.exact import parsed
from bloor_kraken.frames.fields import integer
from bloor_kraken.frames.snapshot import result

__all__ = ["private_cost", "rest_rules"]

SECOND = 1_000_000_000
#: Public requests in a window of ten seconds, and how many of them are kept for what is urgent.
PUBLIC, WINDOW_NS, RESERVE = 10, 10 * SECOND, 1
#: Points of private requests in a window.
PRIVATE, PRIVATE_WINDOW_NS = 15, 45 * SECOND
#: What a private request costs, where that is not 1.
_COSTS = {
    "AddOrder": 0, "AddOrderBatch": 0, "AmendOrder": 0, "EditOrder": 0, "CancelOrder": 0, "CancelAll": 0,
    "CancelAllOrdersAfter": 0, "CancelOrderBatch": 0, "TradesHistory": 2, "Ledgers": 2, "QueryLedgers": 2,
}  # fmt: skip
_PRIVATE_PATH = "/0/private/"


def _public_cost(path: str) -> int:
    return 0 if path.startswith(_PRIVATE_PATH) else 1


def private_cost(path: str) -> int:
    """What a request adds to the counter of the key; nothing for a public one."""
    name = path.partition("?")[0]
    return _COSTS.get(name.removeprefix(_PRIVATE_PATH), 1) if name.startswith(_PRIVATE_PATH) else 0


def _time_ns(body: bytes) -> int:
    """``{"error":[],"result":{"unixtime":s}}`` as ns since the epoch.

    Raises:
        RemoteProtocolError: The answer is no such object.
    """
    return integer("Time", result("Time", parsed(body)), "unixtime") * SECOND


def rest_rules() -> RestRules:
    """The rules of both parts."""
    public = RateLimit(name="public", limit=PUBLIC, window_ns=WINDOW_NS, reserve=RESERVE, counts=_public_cost)
    private = RateLimit(name="private", limit=PRIVATE, window_ns=PRIVATE_WINDOW_NS, counts=private_cost)
    return RestRules(
        limits=(public, private), time_path="/0/public/Time", parse_time=_time_ns, resolution_ns=SECOND
    )  # fmt: skip
