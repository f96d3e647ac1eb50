"""New orders, cancels and queries, the same over REST and WebSocket (rest-api.md, "Trading endpoints").

Answers are dicts in Binance's words; refusals are :class:`~bloor_binance.simulated.errors.ApiError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.account import base_atoms, quote_atoms
from bloor.simulation.exchange import AccountOrder, Exchange, Market, Refusal
from bloor.simulation.orders import OrderState, opposite
from bloor_binance.simulated import filters, order_views
from bloor_binance.simulated.errors import ApiError, cancel_rejected, missing, order_rejected
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.words import ORDER_TYPES, SELF_TRADE_MODES, SIDES, TIMES_IN_FORCE

__all__ = ["OrderDesk"]

_REFUSALS = {
    Refusal.INSUFFICIENT_BALANCE: "Account has insufficient balance for requested action.",
    Refusal.WOULD_TAKE: "Order would immediately match and take.",
}
#: Types that Binance knows and this exchange does not offer.
_NOT_OFFERED = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
_RESPONSES = ("ACK", "RESULT", "FULL")
#: Parameters that a new order of each type must not have.
_NOT_WITH = {
    OrderType.LIMIT: ("quoteOrderQty", "stopPrice", "trailingDelta"),
    OrderType.POST_ONLY: ("quoteOrderQty", "stopPrice", "trailingDelta", "timeInForce", "icebergQty"),
    OrderType.MARKET: ("price", "stopPrice", "trailingDelta", "timeInForce", "icebergQty"),
}


class OrderDesk:
    """Takes requests about orders.

    Args:
        exchange: Where they trade.
        limits: Counts new orders.
        client_id: Makes an id for an order or a cancel that came without.
    """

    def __init__(self, exchange: Exchange, limits: RateLimits, client_id: Callable[[], str]) -> None:
        self._exchange = exchange
        self._limits = limits
        self._client_id = client_id

    def market(self, params: Params) -> Market:
        """The market of ``symbol``. Raises ApiError -1102, -1121."""
        market = self._exchange.markets.get(params.text("symbol"))
        if market is None:
            raise ApiError(-1121, "Invalid symbol.")
        return market

    def test(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``POST /order/test``: every check that does not need the account."""
        self._build(params, account)
        return {}

    def place(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``POST /order``."""
        order = self._build(params, account)
        if any(other.client_id == order.client_id for other in self._exchange.open_orders(account)):
            raise order_rejected("Duplicate order sent.")
        filters.check_count(len(self._exchange.open_orders(account, order.market.instrument.venue_symbol)))
        self._limits.check_orders(now_ns)
        refusal = self._exchange.place(order, now_ns)
        if refusal is not None:
            raise order_rejected(_REFUSALS[refusal])
        self._limits.ordered(now_ns)
        if order.fills:
            self._limits.filled(now_ns)
        return order_views.placed(order, order.style["response"], unit)

    def cancel(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        """``DELETE /order``."""
        restriction = params.get("cancelRestrictions")
        if restriction not in (None, "ONLY_NEW", "ONLY_PARTIALLY_FILLED"):
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
        orders = [
            order for order in self._of(account, self.market(params)) if order.id >= (params.integer("orderId") or 0)
        ]
        return [order_views.status(order, unit) for order in orders[-_limit(params) :]]

    def my_trades(self, params: Params, account: int, now_ns: int, unit: int) -> list[dict[str, Any]]:
        """``GET /myTrades``."""
        wanted, first = params.integer("orderId"), params.integer("fromId") or 0
        start, end = params.integer("startTime") or 0, params.integer("endTime") or (1 << 62)
        orders: Sequence[AccountOrder] = self._of(account, self.market(params))
        fills = [
            (fill.trade_id, order, fill)
            for order in orders
            if wanted is None or order.id == wanted
            for fill in order.fills
            if fill.trade_id >= first and start <= fill.ns // 1_000_000 <= end
        ]
        fills.sort(key=lambda entry: entry[0])
        return [order_views.my_trade(order, fill, unit) for _, order, fill in fills[-_limit(params) :]]

    # -- building ---------------------------------------------------------------------------------------------------

    def _build(self, params: Params, account: int) -> AccountOrder:
        """A new order from its parameters, past every filter."""
        market = self.market(params)
        side = params.choice("side", SIDES, -1117, "side")
        if params.get("type") in _NOT_OFFERED:
            raise order_rejected("This order type is not supported for this symbol.")
        kind = params.choice("type", ORDER_TYPES, -1116, "orderType")
        for name in _NOT_WITH[kind]:
            if name in params:
                raise ApiError(-1106, f"Parameter '{name}' sent when not required.")
        tif = TimeInForce.GTC
        if kind is OrderType.LIMIT:
            tif = params.choice("timeInForce", TIMES_IN_FORCE, -1115, "timeInForce")
        mode = params.get("selfTradePreventionMode", "EXPIRE_MAKER")
        if mode not in SELF_TRADE_MODES:
            raise ApiError(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
        response = params.get("newOrderRespType", "ACK" if kind is OrderType.POST_ONLY else "FULL")
        if response not in _RESPONSES:
            raise ApiError(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
        client_id = params.client_id("newClientOrderId") or self._client_id()
        price = self._price(params, market, kind)
        units = self._units(params, market, side, kind)
        filters.check_notional(market.instrument, kind, price or market.last_price or self._touch(market, side), units)
        return AccountOrder(
            id=self._exchange.next_order_id(),
            owner=account,
            market=market,
            side=side,
            price=price,
            units=units,
            type=kind,
            tif=tif,
            self_trade=SELF_TRADE_MODES[mode],
            client_id=client_id,
            style={"response": response, "quote": params.get("quoteOrderQty", "0.00000000")},
        )

    def _price(self, params: Params, market: Market, kind: OrderType) -> int:
        if kind is OrderType.MARKET:
            return 0
        return filters.check_price(market.instrument, params.units("price"), market.last_price)

    def _units(self, params: Params, market: Market, side: Side, kind: OrderType) -> int:
        if kind is OrderType.MARKET and "quoteOrderQty" in params:
            if "quantity" in params:
                raise ApiError(-1128, "Combination of optional parameters invalid.")
            return filters.check_qty(market.instrument, self._units_for(params.units("quoteOrderQty"), market, side))
        if kind is OrderType.MARKET and "quantity" not in params:
            raise missing("quantity")
        return filters.check_qty(market.instrument, params.units("quantity"))

    def _units_for(self, value_units: int, market: Market, side: Side) -> int:
        """How much ``value_units`` (1e-8 of the quote asset) trades in the book as it is, in 1e-8 of the base asset."""
        instrument = market.instrument
        left = value_units * 10**10
        units = 0
        for level in market.book.side(opposite(side)).best_first():
            part = min(level.units, left // quote_atoms(instrument, level.price, 1))
            units += part
            left -= quote_atoms(instrument, level.price, part)
            if part < level.units:
                break
        whole = units // instrument.lot_units * instrument.lot_units
        return base_atoms(instrument, whole) // 10**10

    def _touch(self, market: Market, side: Side) -> int:
        best = market.book.side(opposite(side)).best
        return best.price if best is not None else 1

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
