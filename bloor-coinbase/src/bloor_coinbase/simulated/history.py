"""Orders and fills of the past ("List Orders", "List Fills"), newest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bloor.simulation.account_orders import AccountFill
from bloor_coinbase.simulated.errors import invalid
from bloor_coinbase.simulated.order import CoinbaseOrder
from bloor_coinbase.simulated.order_views import OPEN_STATUSES, fill_view, order_view, status_word
from bloor_coinbase.simulated.queries import Query
from bloor_coinbase.simulated.words import SIDES, side_word

__all__ = ["list_fills", "list_orders", "order_ids"]

#: Orders and fills of one page: without a limit, and at most.
ORDERS, MOST_ORDERS = 1000, 1000
FILLS, MOST_FILLS = 100, 1000
_NEVER = 1 << 62
#: What filters may ask for; a status of an order that was never accepted finds nothing.
_STATUSES = (*OPEN_STATUSES, "FILLED", "CANCELLED", "EXPIRED", "FAILED", "UNKNOWN_ORDER_STATUS")
_KINDS = ("MARKET", "LIMIT", "STOP", "STOP_LIMIT", "BRACKET", "TWAP", "UNKNOWN_ORDER_TYPE")
_TIFS = (
    "GOOD_UNTIL_CANCELLED",
    "GOOD_UNTIL_DATE_TIME",
    "IMMEDIATE_OR_CANCEL",
    "FILL_OR_KILL",
    "UNKNOWN_TIME_IN_FORCE",
)


def order_ids(query: Query) -> list[str]:
    """The orders that a query names; none where it does not."""
    return query.many("order_ids", "order_id")


def list_orders(orders: Iterable[CoinbaseOrder], query: Query) -> dict[str, Any]:
    """``GET /orders/historical/batch`` among the orders that it names. Raises ApiError."""
    statuses = query.known(_STATUSES, "order_status")
    if "OPEN" in statuses and len(set(statuses)) > 1:
        raise invalid("Cannot pair OPEN orders with other order types")
    start, end = query.time_ns("start_date"), query.time_ns("end_date")
    sides, kinds = query.known(SIDES, "order_side"), query.known(_KINDS, "order_type", "order_types")
    tifs, sources = query.known(_TIFS, "time_in_forces"), query.many("order_placement_source")
    products = query.many("product_ids", "product_id")
    assets = query.many("asset_filters")
    found = [
        order
        for order in orders
        if (not products or order.product.name in products)
        and (not statuses or status_word(order) in statuses)
        and (not sides or side_word(order.side) in sides)
        and (not kinds or order.configuration.kind.order_type in kinds)
        and (not tifs or order.configuration.kind.time_in_force in tifs)
        and (not assets or order.product.base in assets or order.product.quote in assets)
        and (start or 0) <= order.created_ns < (_NEVER if end is None else end)
    ]
    if query.one("product_type", "SPOT") != "SPOT" or (sources and "RETAIL_ADVANCED" not in sources):
        found = []
    found.sort(key=_order_key(query.one("sort_by")), reverse=True)
    page, where = query.page(found, ORDERS, MOST_ORDERS)
    return {"orders": [order_view(order) for order in page], "sequence": "0", **where}


def _order_key(name: str) -> Any:
    if name == "LIMIT_PRICE":
        return lambda order: (order.price, order.id)
    if name == "LAST_FILL_TIME":
        return lambda order: (order.fills[-1].ns if order.fills else 0, order.id)
    if name == "LAST_UPDATE_TIME":
        return lambda order: (order.updated_ns, order.id)
    return lambda order: order.id


def list_fills(orders: Iterable[CoinbaseOrder], query: Query) -> dict[str, Any]:
    """``GET /orders/historical/fills`` among the orders that it names. Raises ApiError."""
    trades = query.many("trade_ids")
    products = query.many("product_ids", "product_id")
    start, end = query.time_ns("start_sequence_timestamp"), query.time_ns("end_sequence_timestamp")
    found: list[tuple[CoinbaseOrder, AccountFill]] = [
        (order, fill)
        for order in orders
        if not products or order.product.name in products
        for fill in order.fills
        if (start or 0) <= fill.ns <= (_NEVER if end is None else end)
    ]
    found.sort(key=_fill_key(query.one("sort_by")), reverse=True)
    if trades:
        found = [entry for entry in found if fill_view(*entry)["trade_id"] in trades]
    page, where = query.page(found, FILLS, MOST_FILLS)
    return {"fills": [fill_view(order, fill) for order, fill in page], "cursor": where["cursor"]}


def _fill_key(name: str) -> Any:
    if name == "PRICE":
        return lambda entry: (entry[1].price, entry[1].trade_id)
    return lambda entry: (entry[1].ns, entry[1].trade_id)
