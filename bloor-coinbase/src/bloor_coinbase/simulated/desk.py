"""New orders, edits and cancels ("Create Order", "Edit Order", "Cancel Orders", "Preview Order", "Get Order")."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from bloor.model.orders import OrderType
from bloor.simulation.account_orders import Refusal
from bloor.simulation.exchange import Exchange
from bloor.simulation.orders import OrderState
from bloor.venue.session import NEVER
from bloor_coinbase.simulated import rules
from bloor_coinbase.simulated.configuration import number
from bloor_coinbase.simulated.errors import OrderRefusedError, invalid, not_found
from bloor_coinbase.simulated.listing import Product
from bloor_coinbase.simulated.new_orders import NewOrders, check_stop, refused
from bloor_coinbase.simulated.order import CoinbaseOrder, Edit
from bloor_coinbase.simulated.order_views import order_view
from bloor_coinbase.simulated.previews import edit_preview, preview
from bloor_coinbase.simulated.words import decimal_text, side_word

__all__ = ["OrderDesk"]

#: Orders that one request cancels at most.
MAX_CANCELS = 100
_CANCELLED = "UNKNOWN_CANCEL_FAILURE_REASON"
_FAILED = "UNKNOWN_FAILURE_REASON"
_EDIT = "UNKNOWN_EDIT_ORDER_FAILURE_REASON"


class OrderDesk:
    """Takes requests about orders.

    Args:
        exchange: Where they trade.
        products: What orders can be sent to, by name.
        seed: Fixes the ids of orders.

    Attributes:
        deadline_ns: When :meth:`expire` wants to be called next.
    """

    def __init__(self, exchange: Exchange, products: Mapping[str, Product], seed: int) -> None:
        self._exchange = exchange
        self._new = NewOrders(exchange, products, seed)
        self._orders: dict[str, CoinbaseOrder] = {}
        self._named: dict[tuple[int, str], CoinbaseOrder] = {}
        self._ends: list[tuple[int, int, CoinbaseOrder]] = []
        self.deadline_ns = NEVER

    def orders(self, account: int, names: Collection[str] = ()) -> list[CoinbaseOrder]:
        """The orders of an account with these ids, or all of them, oldest first."""
        if names:
            found = (self._orders[name] for name in dict.fromkeys(names) if name in self._orders)
            return sorted((order for order in found if order.owner == account), key=lambda order: order.id)
        return [order for order in self._orders.values() if order.owner == account]

    # -- new orders -------------------------------------------------------------------------------------------------

    def create(self, body: dict[str, Any], account: int, now_ns: int) -> dict[str, Any]:
        """``POST /orders``. Raises ApiError."""
        try:
            order = self._create(body, account, now_ns)
        except OrderRefusedError as failure:
            return _not_created(failure, body.get("order_configuration"))
        return {
            "success": True,
            "failure_reason": _FAILED,
            "order_id": order.uuid,
            "success_response": {
                "order_id": order.uuid,
                "product_id": order.product.name,
                "side": side_word(order.side),
                "client_order_id": order.client_id,
                "attached_order_id": "",
            },
            "order_configuration": order.configuration.document,
        }

    def _create(self, body: dict[str, Any], account: int, now_ns: int) -> CoinbaseOrder:
        known = self._named.get((account, str(body.get("client_order_id"))))
        if known is not None:
            return _same(known, body)
        order = self._new.build(body, account, now_ns)
        if order.type is OrderType.MARKET and not order.market.book.takes(order):
            raise OrderRefusedError("INVALID_NO_LIQUIDITY", "there is nothing in the book to take")
        refusal = self._exchange.place(order, now_ns)
        if refusal is not None:
            raise refused(refusal)
        self._orders[order.uuid] = self._named[account, order.client_id] = order
        if order.configuration.ends_ns and order.open:
            heapq.heappush(self._ends, (order.configuration.ends_ns, order.id, order))
            self.deadline_ns = self._ends[0][0]
        return order

    def preview(self, body: dict[str, Any], account: int, now_ns: int) -> dict[str, Any]:
        """``POST /orders/preview``: what an order would do. Raises ApiError."""
        named = {"client_order_id": "preview", **body}
        try:
            order = self._new.build(named, account, now_ns)
        except OrderRefusedError as failure:
            return preview(None, None, [failure.preview])
        return preview(order, self._exchange.accounts[account], [])

    def close_position(self, body: dict[str, Any], account: int, now_ns: int) -> dict[str, Any]:
        """``POST /orders/close_position``: there are no positions in spot products. Raises ApiError."""
        failure = OrderRefusedError("UNSUPPORTED_ORDER_CONFIGURATION", "spot products have no position to close")
        return _not_created(failure, None)

    # -- changes ----------------------------------------------------------------------------------------------------

    def edit(self, body: dict[str, Any], account: int, now_ns: int) -> dict[str, Any]:
        """``POST /orders/edit``. Raises ApiError."""
        try:
            order, price, units, stop = self._edited(body, account)
            refusal = self._change(order, price, units, stop, body, now_ns)
        except OrderRefusedError as failure:
            return _not_edited(failure)
        if refusal is not None:
            return _not_edited(refused(refusal))
        return {"success": True, "success_response": {"order_id": order.uuid}, "errors": []}

    def edit_preview(self, body: dict[str, Any], account: int, now_ns: int) -> dict[str, Any]:
        """``POST /orders/edit_preview``. Raises ApiError."""
        try:
            order, price, units, _ = self._edited(body, account)
        except OrderRefusedError as failure:
            return edit_preview(None, None, 0, 0, [_errors(failure)])
        return edit_preview(order, self._exchange.accounts[account], price, units, [])

    def _edited(self, body: dict[str, Any], account: int) -> tuple[CoinbaseOrder, int, int, int]:
        """An order and its price, quantity and stop after an edit.

        A price or size that is missing reads as zero, as at the real exchange. Raises ApiError, OrderRefusedError.
        """
        order = self._find(body.get("order_id"), account)
        price, size, stop = number(body, "price"), number(body, "size"), number(body, "stop_price")
        if order is None:
            raise _edit_failure("ORDER_NOT_FOUND", "there is no such order")
        kind = order.configuration.kind
        if kind.type is OrderType.MARKET or kind.time_in_force != "GOOD_UNTIL_CANCELLED":
            raise _edit_failure("ONLY_LIMIT_ORDER_EDITS_SUPPORTED", "only limit orders good until cancelled")
        if not order.open:
            raise _edit_failure("ONLY_OPEN_ORDERS_CAN_BE_EDITED", "the order is not open")
        if order.configuration.quote is not None:
            raise _edit_failure("SIZE_IN_QUOTE_EDITS_NOT_ALLOWED", "its size is in the quote asset")
        ticks, units = _edited_price(order, price), _edited_units(order, size)
        stop_ticks = _edited_stop(order, stop)
        if (ticks, units, stop_ticks) == (order.price, order.units, order.stop):
            raise _edit_failure("EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST", "nothing would change")
        if order.waiting:
            check_stop(stop_ticks, ticks, order.side, order.market.last_price, rises=order.rises)
        else:
            rules.check_band(order.side, ticks, order.market.last_price)
        rules.check_value(order.market.instrument, ticks, units)
        return order, ticks, units, stop_ticks

    def _change(
        self, order: CoinbaseOrder, price: int, units: int, stop: int, body: dict[str, Any], now_ns: int
    ) -> Refusal | None:
        """Lets an edit happen; events that it causes already tell the new price and size."""
        former = (order.limit, order.size)
        order.limit, order.size = decimal_text(Decimal(body["price"])), decimal_text(Decimal(body["size"]))
        order.edits.append(Edit(order.limit, order.size, now_ns))
        refusal = self._exchange.change(order, price=price, units=units, stop=stop, now_ns=now_ns)
        if refusal is not None:
            order.limit, order.size = former
            order.edits.pop()
        return refusal

    def cancel(self, body: dict[str, Any], account: int, now_ns: int) -> dict[str, Any]:
        """``POST /orders/batch_cancel``. Raises ApiError."""
        names = body.get("order_ids")
        if not isinstance(names, list) or not names:
            raise invalid("order_ids: expected a list of order ids")
        if len(names) > MAX_CANCELS:
            raise invalid(f"order_ids: expected at most {MAX_CANCELS}, got {len(names)}")
        return {"results": [self._cancel(name, account, now_ns) for name in names]}

    def _cancel(self, name: Any, account: int, now_ns: int) -> dict[str, Any]:
        order = self._find(name, account)
        reason = _CANCELLED
        if order is None:
            reason = "UNKNOWN_CANCEL_ORDER"
        elif order.status is OrderState.FILLED:
            reason = "ORDER_IS_FULLY_FILLED"
        elif not order.open:
            reason = "DUPLICATE_CANCEL_REQUEST"
        if order is not None and reason == _CANCELLED:
            order.cancel_message = "User requested cancel"
            self._exchange.cancel(order, now_ns)
        return {"success": reason == _CANCELLED, "failure_reason": reason, "order_id": str(name)[:64]}

    def expire(self, now_ns: int) -> None:
        """Ends the orders whose time is up."""
        while self._ends and self._ends[0][0] <= now_ns:
            ends_ns, _, order = heapq.heappop(self._ends)
            if order.open:
                self._exchange.expire(order, ends_ns)
        self.deadline_ns = self._ends[0][0] if self._ends else NEVER

    # -- queries ----------------------------------------------------------------------------------------------------

    def historical(self, name: str, account: int) -> dict[str, Any]:
        """``GET /orders/historical/{order_id}``. Raises ApiError 404."""
        order = self._find(name, account)
        if order is None:
            raise not_found("order with this orderID was not found")
        return {"order": order_view(order)}

    def _find(self, name: Any, account: int) -> CoinbaseOrder | None:
        order = self._orders.get(name) if isinstance(name, str) else None
        return order if order is not None and order.owner == account else None


def _same(known: CoinbaseOrder, body: dict[str, Any]) -> CoinbaseOrder:
    """A client order id that was used: the same order again is the one that is there, another one is refused."""
    asked = (body.get("product_id"), body.get("side"), body.get("order_configuration"))
    if asked != (known.product.name, side_word(known.side), known.configuration.document):
        raise OrderRefusedError(
            "DUPLICATE_CLIENT_ORDER_ID", "client_order_id was used for another order", "UNKNOWN_PREVIEW_FAILURE_REASON"
        )
    return known


def _edited_price(order: CoinbaseOrder, price: Decimal | None) -> int:
    if price is None or not price:
        raise _edit_failure("INVALID_EDITED_PRICE", "price is missing")
    return rules.price_ticks(order.market.instrument, price)


def _edited_units(order: CoinbaseOrder, size: Decimal | None) -> int:
    if size is None or not size:
        filled = order.executed > 0
        raise _edit_failure("CANNOT_EDIT_TO_BELOW_FILLED_SIZE" if filled else "INVALID_EDITED_SIZE", "size is missing")
    units = rules.base_units(order.market.instrument, size)
    if units <= order.executed + order.prevented:
        raise _edit_failure("CANNOT_EDIT_TO_BELOW_FILLED_SIZE", "size is not above what is filled")
    return units


def _edited_stop(order: CoinbaseOrder, stop: Decimal | None) -> int:
    if stop is None:
        return order.stop
    if not order.stop:
        raise _edit_failure("FIELD_STOPPRICE_NOT_SUPPORTED", "the order has no stop price")
    if not order.waiting:
        raise _edit_failure("CANNOT_EDIT_STOP_PRICE_FOR_TRIGGERED_ORDER", "its stop price was reached")
    return rules.price_ticks(order.market.instrument, stop, stop=True)


def _edit_failure(reason: str, message: str) -> OrderRefusedError:
    return OrderRefusedError(reason, message, "UNKNOWN_PREVIEW_FAILURE_REASON")


def _errors(failure: OrderRefusedError) -> dict[str, str]:
    if failure.preview == "UNKNOWN_PREVIEW_FAILURE_REASON":
        return {"edit_failure_reason": failure.error, "preview_failure_reason": failure.preview}
    return {"edit_failure_reason": _EDIT, "preview_failure_reason": failure.preview}


def _not_edited(failure: OrderRefusedError) -> dict[str, Any]:
    return {"success": False, "errors": [_errors(failure)]}


def _not_created(failure: OrderRefusedError, configuration: Any) -> dict[str, Any]:
    return {
        "success": False,
        "failure_reason": _FAILED,
        "order_id": "",
        "error_response": {
            "error": failure.error,
            "message": failure.message,
            "error_details": "",
            "preview_failure_reason": failure.preview,
            "new_order_failure_reason": failure.error,
        },
        "order_configuration": configuration,
    }
