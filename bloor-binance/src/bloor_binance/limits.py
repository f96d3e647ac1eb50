"""What requests weigh, and how much weight there is (rest-api.md, "LIMITS"; USD-M documentation, "General Info").

The weights are those of the requests that bloor makes; one that is not listed here counts as the heaviest.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from bloor.errors import RemoteProtocolError
from bloor.venue.rest import RateLimit, RestRules
from bloor_binance.frames.fields import integer
from bloor_binance.normalizer import parsed

__all__ = ["spot_rules", "usdm_rules"]

MINUTE = 60_000_000_000
#: Part of the weight that is kept for cancels.
RESERVE_PARTS = 10

#: A path counts as its heaviest method.
_SPOT = {
    "/api/v3/time": 1,
    "/api/v3/ping": 1,
    "/api/v3/exchangeInfo": 20,
    "/api/v3/order": 4,
    "/api/v3/order/test": 1,
    "/api/v3/order/cancelReplace": 1,
    "/api/v3/order/amend/keepPriority": 4,
    "/api/v3/openOrders": 6,
    "/api/v3/myTrades": 20,
    "/api/v3/account": 20,
}
_USDM = {"/fapi/v1/time": 1, "/fapi/v1/ping": 1, "/fapi/v1/exchangeInfo": 1}
_HEAVIEST = 250


def _limit_of(path: str, default: int) -> int:
    text = parse_qs(urlsplit(path).query).get("limit", [""])[0]
    return int(text) if text.isdecimal() and len(text) < 6 else default


def spot_weight(path: str) -> int:
    """The weight of a spot request; one for a book weighs by its levels, one for open orders less with a symbol."""
    name, _, query = path.partition("?")
    if name == "/api/v3/depth":
        levels = _limit_of(path, 100)
        return 5 if levels <= 100 else 25 if levels <= 500 else 50 if levels <= 1000 else 250
    if name == "/api/v3/openOrders" and "symbol" not in parse_qs(query):
        return 80
    return _SPOT.get(name, _HEAVIEST)


def usdm_weight(path: str) -> int:
    """The weight of a USD-M request; a depth request weighs by its number of levels."""
    name = path.partition("?")[0]
    if name == "/fapi/v1/depth":
        levels = _limit_of(path, 500)
        return 2 if levels <= 50 else 5 if levels <= 100 else 10 if levels <= 500 else 20
    return _USDM.get(name, 40)


def _time_ns(body: bytes) -> int:
    """``{"serverTime":ms}`` as ns since the epoch.

    Raises:
        RemoteProtocolError: The answer is no such object.
    """
    document = parsed(body)
    if type(document) is not dict:
        raise RemoteProtocolError(f"time: expected an object with serverTime, got {body[:60]!r}")
    return integer("time", document, "serverTime") * 1_000_000


def _rules(limit: int, weight: object, time_path: str) -> RestRules:
    assert callable(weight)
    rule = RateLimit(
        name="weight",
        limit=limit,
        window_ns=MINUTE,
        reserve=limit // RESERVE_PARTS,
        header="x-mbx-used-weight-1m",
        counts=weight,
    )
    return RestRules(limits=(rule,), time_path=time_path, parse_time=_time_ns)


def spot_rules() -> RestRules:
    """6000 a minute for each address."""
    return _rules(6000, spot_weight, "/api/v3/time")


def usdm_rules() -> RestRules:
    """2400 a minute for each address."""
    return _rules(2400, usdm_weight, "/fapi/v1/time")
