"""New orders, amendments, cancels and queries, the same over REST and WebSocket (rest-api.md, "Trading endpoints").

Answers are dicts in Binance's words; refusals are :class:`~bloor_binance.simulated.errors.ApiError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bloor.simulation.exchange import AccountOrder, Exchange, Market, Refusal
from bloor.simulation.orders import OrderState
from bloor_binance.simulated import filters, order_views
from bloor_binance.simulated.errors import ApiError, amend_rejected, bad_parameter, cancel_rejected, order_rejected
from bloor_binance.simulated.new_orders import NewOrders
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.rate_limits import RateLimits

__all__ = ["OrderDesk"]

_REFUSALS = {
    Refusal.INSUFFICIENT_BALANCE: "Account has insufficient balance for requested action.",
    Refusal.WOULD_TAKE: "Order would immediately match and take.",
    Refusal.WOULD_TRIGGER: "Stop price would trigger immediately.",
}
_RESTRICTIONS = (None, "ONLY_NEW", "ONLY_PARTIALLY_FILLED")


class OrderDesk:
    """Takes requests about orders.

    Args:
        exchange: Where they trade.
        limits: Counts new orders.
        client_id: Makes an id for an order or a cancel that came without.
        execution_id: Tells the id of the latest event of an order.
    """

    def __init__(
        self, exchange: Exchange, limits: RateLimits, client_id: Callable[[], str], execution_id: Callable[[], int]
    ) -> None:
        self._exchange = exchange
        self._limits = limits
        self._client_id = client_id
        self._execution_id = execution_id
        self._new = NewOrders(exchange, client_id)
        self.market: Callable[[Params], Market] = self._new.market
        self._amendments: dict[int, list[dict[str, Any]]] = {}

    def test(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``POST /order/test``: every check that does not need the account."""
        self._new.build(params, account)
        return {}

    def place(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``POST /order``."""
        order = self._new.build(params, account)
        self._check_limits(order, account, now_ns)
        return self._accept(order, account, now_ns, unit)

    def _check_limits(self, order: AccountOrder, account: int, now_ns: int) -> None:
        """How many orders there are already."""
        orders = self._exchange.open_orders(account, order.market.instrument.venue_symbol)
        filters.check_count(len(orders), sum(other.waiting for other in orders), stops=bool(order.stop))
        self._limits.check_orders(now_ns)

    def _accept(self, order: AccountOrder, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        if any(other.client_id == order.client_id for other in self._exchange.open_orders(account)):
            raise order_rejected("Duplicate order sent.")
        refusal = self._exchange.place(order, now_ns)
        if refusal is not None:
            raise order_rejected(_REFUSALS[refusal])
        self._limits.ordered(now_ns)
        if order.fills:
            self._limits.filled(now_ns)
        return order_views.placed(order, order.style["response"], unit)

    def cancel_replace(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``POST /order/cancelReplace``: a refusal says which of the two parts came about."""
        mode = params.text("cancelReplaceMode")
        exceeded = params.get("orderRateLimitExceededMode", "DO_NOTHING")
        if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
            raise bad_parameter("cancelReplaceMode")
        if exceeded not in ("DO_NOTHING", "CANCEL_ONLY"):
            raise bad_parameter("orderRateLimitExceededMode")
        cancel = _cancel_part(params)
        order = self._new.build(params, account)
        limited: ApiError | None = None
        try:
            self._check_limits(order, account, now_ns)
        except ApiError as error:
            if error.status != 429 or exceeded != "CANCEL_ONLY":
                raise
            limited = error
        results: list[dict[str, Any] | ApiError | None] = []
        attempts: list[Callable[[], dict[str, Any]]] = [
            lambda: self.cancel(cancel, account, now_ns, unit),
            lambda: self._accept(order, account, now_ns, unit),
        ]
        for attempt in attempts:
            if results and (limited or (isinstance(results[0], ApiError) and mode == "STOP_ON_FAILURE")):
                results.append(limited)
                if limited is None:
                    self._limits.ordered(now_ns)
                break
            try:
                results.append(attempt())
            except ApiError as error:
                results.append(error)
        return _replaced(results[0], results[1])

    def amend(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``PUT /order/amend/keepPriority``: less of an open order, which keeps its place."""
        order = self._find(params, account, only_open=True)
        client_id = params.client_id("newClientOrderId") or self._client_id()
        qty_units = params.units("newQty")
        if order is None:
            raise amend_rejected("Unknown order sent.")
        units = filters.check_qty(order.market.instrument, qty_units)
        history = self._amendments.setdefault(order.id, [])
        filters.check_amends(len(history))
        if units >= order.units:
            same = units == order.units
            raise amend_rejected(
                "The requested action would change no state; rejecting."
                if same
                else "Order amend (quantity increase) is not supported."
            )
        if client_id != order.client_id and self._taken(client_id, account):
            raise amend_rejected("Duplicate order sent.")
        before = (order.client_id, order.units)
        if not self._exchange.amend(order, units, client_id, now_ns):
            raise amend_rejected("Order was not amended: the new quantity is not above what is already executed.")
        number = self._execution_id()
        history.append(order_views.amendment(order, *before, number, unit))
        return order_views.amended(order, before[0], number, unit)

    def _taken(self, client_id: str, account: int) -> bool:
        return any(order.client_id == client_id for order in self._exchange.open_orders(account))

    def amendments(self, params: Params, account: int, now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``GET /order/amendments``."""
        order = self._find(params, account, only_open=False)
        if order is None:
            raise ApiError(-2013, "Order does not exist.")
        first = params.integer("fromExecutionId") or 0
        found = [entry for entry in self._amendments.get(order.id, []) if entry["executionId"] >= first]
        return found[: _limit(params)]

    def cancel(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``DELETE /order``."""
        restriction = params.get("cancelRestrictions")
        if restriction not in _RESTRICTIONS:
            raise ApiError(-1145, "Invalid cancelRestrictions")
        cancel_id = params.client_id("newClientOrderId")
        order = self._find(params, account, only_open=True)
        if order is None:
            raise cancel_rejected()
        if restriction is not None and (restriction == "ONLY_NEW") is (order.executed > 0):
            raise cancel_rejected("Order was not canceled due to cancel restrictions.")
        return self._cancel(order, cancel_id, now_ns, unit)

    def cancel_all(self, params: Params, account: int, now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``DELETE /openOrders``."""
        orders = self._exchange.open_orders(account, self.market(params).instrument.venue_symbol)
        if not orders:
            raise cancel_rejected()
        return [self._cancel(order, None, now_ns, unit) for order in orders]

    def status(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``GET /order``."""
        order = self._find(params, account, only_open=False)
        if order is None:
            raise ApiError(-2013, "Order does not exist.")
        return order_views.status(order, unit)

    def open_orders(self, params: Params, account: int, now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``GET /openOrders``."""
        symbol = self.market(params).instrument.venue_symbol if "symbol" in params else None
        return [order_views.status(order, unit) for order in self._exchange.open_orders(account, symbol)]

    def all_orders(self, params: Params, account: int, now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``GET /allOrders``."""
        first, (start, end) = params.integer("orderId") or 0, _times(params)
        orders = [
            order
            for order in self._of(account, self.market(params))
            if order.id >= first and start <= order.created_ns // 1_000_000 <= end
        ]
        oldest = bool(first or start)
        chosen = orders[: _limit(params)] if oldest else orders[-_limit(params) :]
        return [order_views.status(order, unit) for order in chosen]

    def my_trades(self, params: Params, account: int, now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``GET /myTrades``."""
        wanted, first = params.integer("orderId"), params.integer("fromId") or 0
        start, end = _times(params)
        orders: Sequence[AccountOrder] = self._of(account, self.market(params))
        fills = [
            (fill.trade_id, order, fill)
            for order in orders
            if wanted is None or order.id == wanted
            for fill in order.fills
            if fill.trade_id >= first and start <= fill.ns // 1_000_000 <= end
        ]
        fills.sort(key=lambda entry: entry[0])
        oldest = bool(first or start)
        chosen = fills[: _limit(params)] if oldest else fills[-_limit(params) :]
        return [order_views.my_trade(order, fill, unit) for _, order, fill in chosen]

    def prevented(self, params: Params, account: int, now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``GET /myPreventedMatches``."""
        market = self.market(params)
        number, wanted = params.integer("preventedMatchId"), params.integer("orderId")
        first = params.integer("fromPreventedMatchId") or 0
        if number is None and wanted is None:
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        found = [
            prevention
            for prevention in self._exchange.preventions
            if prevention.taker.owner == account and prevention.taker.market is market
            if number in (None, prevention.number) and prevention.number >= first
            if wanted in (None, prevention.taker.id, prevention.maker.id)
        ]
        return [order_views.prevented_match(prevention, unit) for prevention in found[: _limit(params)]]

    # -- finding ----------------------------------------------------------------------------------------------------

    def _of(self, account: int, market: Market) -> list[AccountOrder]:
        return [order for order in self._exchange.orders.values() if order.owner == account and order.market is market]

    def _find(self, params: Params, account: int, *, only_open: bool) -> AccountOrder | None:
        """The order that ``orderId`` and ``origClientOrderId`` name; the newest where an id was used again."""
        market = self.market(params)
        number, client_id = params.integer("orderId"), params.get("origClientOrderId")
        if number is None and client_id is None:
            raise ApiError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        if number is not None:
            found = self._exchange.orders.get(number)
            candidates = [found] if found is not None else []
        elif only_open:
            candidates = self._exchange.open_orders(account)
        else:
            candidates = list(self._exchange.orders.values())
        for order in reversed(candidates):
            if order.owner != account or order.market is not market:
                continue
            if client_id is not None and order.client_id != client_id:
                continue
            if not only_open or order.status is OrderState.OPEN:
                return order
        return None

    def _cancel(self, order: AccountOrder, cancel_id: str | None, now_ns: int, unit: int) -> dict[str, Any]:
        order.style["cancel"] = cancel_id or self._client_id()
        if not self._exchange.cancel(order, now_ns):
            raise cancel_rejected()
        return order_views.cancelled(order, unit)


def _limit(params: Params) -> int:
    limit = params.integer("limit", 500) or 500
    return min(limit, 1000)


def _times(params: Params) -> tuple[int, int]:
    """``startTime`` and ``endTime`` in ms. Raises ApiError -1127 when they are more than a day apart."""
    start, end = params.integer("startTime"), params.integer("endTime")
    if start is not None and end is not None and end - start > 86_400_000:
        raise ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start or 0, (1 << 62) if end is None else end


def _cancel_part(params: Params) -> Params:
    """The parameters of the cancel within a cancel-replace."""
    names = {
        "cancelOrderId": "orderId",
        "cancelOrigClientOrderId": "origClientOrderId",
        "cancelNewClientOrderId": "newClientOrderId",
        "cancelRestrictions": "cancelRestrictions",
        "symbol": "symbol",
    }
    part = Params({inner: params[outer] for outer, inner in names.items() if outer in params})
    if "orderId" not in part and "origClientOrderId" not in part:
        raise ApiError(
            -1102, "Param 'cancelOrigClientOrderId' or 'cancelOrderId' must be sent, but both were empty/null!"
        )
    return part


def _replaced(cancelled: dict[str, Any] | ApiError | None, new: dict[str, Any] | ApiError | None) -> dict[str, Any]:
    """The answer to a cancel-replace. Raises ApiError -2021 or -2022 (or -1015) unless both parts came about."""
    data = {
        "cancelResult": "FAILURE" if isinstance(cancelled, ApiError) else "SUCCESS",
        "newOrderResult": _result(new),
        "cancelResponse": cancelled.document() if isinstance(cancelled, ApiError) else cancelled,
        "newOrderResponse": new.document() if isinstance(new, ApiError) else new,
    }
    failed = [isinstance(cancelled, ApiError), not isinstance(new, dict)]
    if isinstance(new, ApiError) and new.status == 429:
        raise ApiError(new.code, new.msg, 429, new.retry_after_s, data)
    if all(failed):
        raise ApiError(-2022, "Order cancel-replace failed.", 400, data=data)
    if any(failed):
        raise ApiError(-2021, "Order cancel-replace partially failed.", 409, data=data)
    return data


def _result(part: dict[str, Any] | ApiError | None) -> str:
    if part is None:
        return "NOT_ATTEMPTED"
    return "FAILURE" if isinstance(part, ApiError) else "SUCCESS"
