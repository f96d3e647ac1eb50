"""The REST API: routes, signatures over the exact body, nonces, limits, envelopes (docs.kraken.com, Spot REST)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from attrs import frozen

from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import HttpAnswer, HttpRequest
from bloor_kraken.simulated.counters import Counter, rest_counter
from bloor_kraken.simulated.errors import ApiError, Text
from bloor_kraken.simulated.keys import TOKEN_S, ApiKey, Permission, SimulatedKeys, Tokens
from bloor_kraken.simulated.params import Params, body_params, query_params
from bloor_kraken.simulated.rest_account import AccountRest
from bloor_kraken.simulated.rest_public import PublicRest
from bloor_kraken.simulated.rest_trading import TradingRest

__all__ = ["RestApi"]

_PUBLIC, _PRIVATE = "/0/public/", "/0/private/"


@frozen
class _Operation:
    """One private request.

    Attributes:
        handler: Does it: parameters, account, time.
        permission: What the key must be allowed.
        cost: What it lifts the counter of REST requests by.
        changes: Whether it changes an order; then its answer may get lost.
    """

    handler: Callable[[Params, int, int], Any]
    permission: Permission
    cost: int = 1
    changes: bool = False


class RestApi:
    """Answers REST requests.

    Args:
        public: Answers everybody.
        account: Answers an account about itself.
        trading: Changes an account's orders.
        keys: Who is asking.
        tokens: What a key gets for private WebSockets.
        faults: What requests may meet.
        scale: Multiplies the limits.
    """

    def __init__(
        self,
        public: PublicRest,
        account: AccountRest,
        trading: TradingRest,
        keys: SimulatedKeys,
        tokens: Tokens,
        faults: Faults,
        scale: int,
    ) -> None:
        self._public = public.table
        self._keys = keys
        self._tokens = tokens
        self._faults = faults
        self._scale = scale
        self._counters: dict[str, Counter] = {}
        funds, orders = Permission.QUERY_FUNDS, Permission.QUERY_ORDERS
        change, cancel = Permission.MODIFY_ORDERS, Permission.CANCEL_ORDERS
        self._of_keys: dict[str, Callable[[ApiKey, int], dict[str, Any]]] = {
            "GetWebSocketsToken": self._token,
            "GetApiKeyInfo": lambda key, _now_ns: key.document(),
        }
        self._private = {
            "Balance": _Operation(account.balance, funds),
            "BalanceEx": _Operation(account.balance_ex, funds),
            "TradeBalance": _Operation(account.trade_balance, funds),
            "TradeVolume": _Operation(account.trade_volume, funds),
            "OpenOrders": _Operation(account.open_orders, orders),
            "ClosedOrders": _Operation(account.closed_orders, orders),
            "QueryOrders": _Operation(account.query_orders, orders),
            "TradesHistory": _Operation(account.trades_history, orders, 2),
            "QueryTrades": _Operation(account.query_trades, orders),
            "OpenPositions": _Operation(lambda *_: {}, orders),
            "AddOrder": _Operation(trading.add, change, 0, changes=True),
            "AddOrderBatch": _Operation(trading.add_batch, change, 0, changes=True),
            "AmendOrder": _Operation(trading.amend, change, 0, changes=True),
            "EditOrder": _Operation(trading.edit, change, 0, changes=True),
            "CancelOrder": _Operation(trading.cancel, cancel, 0, changes=True),
            "CancelOrderBatch": _Operation(trading.cancel_batch, cancel, 0, changes=True),
            "CancelAll": _Operation(trading.cancel_all, cancel, changes=True),
            "CancelAllOrdersAfter": _Operation(trading.cancel_after, cancel, changes=True),
        }

    def answer(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """One request: a refusal is an answer of status 200 too."""
        try:
            if request.path.startswith(_PUBLIC) and request.method in ("GET", "POST"):
                return _answer([], self._of_public(request, now_ns))
            if request.path.startswith(_PRIVATE) and request.method == "POST":
                return self._of_private(request, now_ns)
        except ApiError as error:
            return _answer([error.text])
        return _answer([Text.UNKNOWN_METHOD.value])

    def _of_public(self, request: HttpRequest, now_ns: int) -> Any:
        handler = self._public.get(request.path.removeprefix(_PUBLIC))
        if handler is None:
            raise ApiError(Text.UNKNOWN_METHOD)
        params = query_params(request.query)
        if request.method == "POST":
            params |= body_params(request)
        return handler(Params(params), now_ns)

    def _of_private(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        name = request.path.removeprefix(_PRIVATE)
        operation, of_key = self._private.get(name), self._of_keys.get(name)
        if operation is None and of_key is None:
            raise ApiError(Text.UNKNOWN_METHOD)
        key, params = self._authorised(request)
        if self._faults.happens(Fault.RATE_LIMIT):
            raise ApiError(Text.API_RATE_LIMIT)
        self._count(key, operation.cost if operation is not None else 1, now_ns)
        if of_key is not None:
            return _answer([], of_key(key, now_ns))
        assert operation is not None
        key.require(operation.permission)
        result = operation.handler(params, key.account, now_ns)
        if operation.changes:
            if self._faults.happens(Fault.ERROR_AFTER_ACCEPT):
                return _answer([Text.UNAVAILABLE.value], status=503)
            if self._faults.happens(Fault.LOST_ACK):  # a request over HTTP always ends: with what the gateway says
                return HttpAnswer(520, b"", {"Content-Type": "text/html"})
        return _answer([], result)

    def _token(self, key: ApiKey, now_ns: int) -> dict[str, Any]:
        """``GetWebSocketsToken``."""
        key.require(Permission.WEBSOCKETS)
        return {"token": self._tokens.issue(key, now_ns), "expires": TOKEN_S}

    def _authorised(self, request: HttpRequest) -> tuple[ApiKey, Params]:
        """Who is asking, and for what. Raises ApiError: key, signature or nonce."""
        key = self._keys.find(request.headers.get("api-key", ""))
        params = body_params(request)
        nonce = params.get("nonce", "")
        if not isinstance(nonce, str):
            raise ApiError(Text.INVALID_NONCE)
        key.verify(request.path, nonce, request.body, request.headers.get("api-sign", ""))
        return key, params

    def _count(self, key: ApiKey, cost: int, now_ns: int) -> None:
        counter = self._counters.get(key.name)
        if counter is None:
            counter = self._counters[key.name] = rest_counter(self._scale)
        counter.charge(cost, now_ns, Text.API_RATE_LIMIT)


def _answer(errors: list[str], result: Any = None, status: int = 200) -> HttpAnswer:
    document: dict[str, Any] = {"error": errors}
    if not errors:
        document["result"] = result
    return HttpAnswer(status, orjson.dumps(document))
