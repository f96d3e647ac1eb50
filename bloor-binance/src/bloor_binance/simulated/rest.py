"""The REST API: routes, signatures over query and body, answers and headers (rest-api.md, "General Information")."""

from __future__ import annotations

from urllib.parse import parse_qsl

import orjson

from bloor.simulation.venue import HttpAnswer, HttpRequest
from bloor_binance.simulated.errors import ApiError, missing, unknown_outcome
from bloor_binance.simulated.operations import Operations, Security
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.signatures import KeyRing, check_time

__all__ = ["RestApi"]

_ROUTES = {
    ("GET", "/api/v3/ping"): "ping",
    ("GET", "/api/v3/time"): "time",
    ("GET", "/api/v3/exchangeInfo"): "exchangeInfo",
    ("GET", "/api/v3/depth"): "depth",
    ("GET", "/api/v3/trades"): "trades.recent",
    ("GET", "/api/v3/historicalTrades"): "trades.historical",
    ("GET", "/api/v3/aggTrades"): "trades.aggregate",
    ("GET", "/api/v3/klines"): "klines",
    ("GET", "/api/v3/uiKlines"): "uiKlines",
    ("GET", "/api/v3/avgPrice"): "avgPrice",
    ("GET", "/api/v3/ticker"): "ticker",
    ("GET", "/api/v3/ticker/24hr"): "ticker.24hr",
    ("GET", "/api/v3/ticker/tradingDay"): "ticker.tradingDay",
    ("GET", "/api/v3/ticker/bookTicker"): "ticker.book",
    ("GET", "/api/v3/ticker/price"): "ticker.price",
    ("POST", "/api/v3/order"): "order.place",
    ("POST", "/api/v3/order/test"): "order.test",
    ("DELETE", "/api/v3/order"): "order.cancel",
    ("GET", "/api/v3/order"): "order.status",
    ("POST", "/api/v3/order/cancelReplace"): "order.cancelReplace",
    ("PUT", "/api/v3/order/amend/keepPriority"): "order.amend.keepPriority",
    ("GET", "/api/v3/order/amendments"): "order.amendments",
    ("GET", "/api/v3/openOrders"): "openOrders.status",
    ("DELETE", "/api/v3/openOrders"): "openOrders.cancelAll",
    ("GET", "/api/v3/allOrders"): "allOrders",
    ("GET", "/api/v3/account"): "account.status",
    ("GET", "/api/v3/account/commission"): "account.commission",
    ("GET", "/api/v3/myTrades"): "myTrades",
    ("GET", "/api/v3/myPreventedMatches"): "myPreventedMatches",
    ("GET", "/api/v3/myFilters"): "myFilters",
    ("GET", "/api/v3/rateLimit/order"): "account.rateLimits.orders",
    ("GET", "/sapi/v1/account/apiRestrictions"): "wallet.restrictions",
    ("GET", "/sapi/v1/capital/config/getall"): "wallet.coins",
    ("GET", "/sapi/v1/margin/allPairs"): "margin.pairs",
    ("GET", "/sapi/v1/margin/isolated/allPairs"): "margin.pairs",
}
_JSON = {"Content-Type": "application/json;charset=UTF-8"}
_KNOWN_PATHS = {path for _, path in _ROUTES}


class RestApi:
    """Answers REST requests."""

    def __init__(self, operations: Operations, keys: KeyRing, limits: RateLimits) -> None:
        self._operations = operations
        self._keys = keys
        self._limits = limits

    def answer(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """One request."""
        name = _ROUTES.get((request.method, request.path))
        if name is None:
            status = 405 if request.path in _KNOWN_PATHS else 404
            return HttpAnswer(status, b"", {"Content-Type": "text/html"})
        operation = self._operations.table[name]
        unit = 1_000 if request.headers.get("x-mbx-time-unit", "").upper() == "MICROSECOND" else 1_000_000
        headers = dict(_JSON)
        try:
            self._operations.fail_before(operation)
            self._limits.spend(operation.weight, now_ns)
            params = _params(request)
            account = 0
            if operation.security is Security.SIGNED:
                account = self._authorised(request, params, now_ns)
            result = orjson.dumps(operation.handler(params, account, now_ns, unit))
            status = 200
            self._operations.done(operation, now_ns)
            if self._operations.fail_after(operation):
                raise unknown_outcome()  # a request over HTTP always ends: what the client sees is the gateway
        except ApiError as error:
            result, status = orjson.dumps(error.document()), error.status
            if error.retry_after_s:
                headers["Retry-After"] = str(error.retry_after_s)
        headers.update(self._limits.headers(now_ns, orders=operation.orders))
        return HttpAnswer(status, result, headers)

    def _authorised(self, request: HttpRequest, params: Params, now_ns: int) -> int:
        """The account of a signed request."""
        name = request.headers.get("x-mbx-apikey", "")
        if not name:
            raise ApiError(-2014, "API-key format invalid.", 401)
        key = self._keys.find(name)
        signature = params.pop("signature", "")
        if not signature:
            raise missing("signature")
        check_time(params, now_ns)
        key.verify(_signed_text(request), signature)
        for extra in ("timestamp", "recvWindow"):
            params.pop(extra, None)
        return key.account


def _body(request: HttpRequest) -> str:
    return request.body.decode("utf-8", "replace") if request.method in ("POST", "PUT", "DELETE") else ""


def _params(request: HttpRequest) -> Params:
    """Query and body; where both have a parameter, the query's value counts."""
    params = Params()
    for text in (_body(request), request.query):
        seen: set[str] = set()
        for name, value in parse_qsl(text, keep_blank_values=True):
            if name in seen:
                raise ApiError(-1101, f"Duplicate values for parameter '{name}' detected.")
            seen.add(name)
            params[name] = value
    return params


def _signed_text(request: HttpRequest) -> bytes:
    """Query and body as they were sent, without the signature and without anything between them."""
    return "".join(
        "&".join(part for part in text.split("&") if not part.startswith("signature="))
        for text in (request.query, _body(request))
    ).encode()
