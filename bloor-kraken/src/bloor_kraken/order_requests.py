"""What is asked of Kraken about orders: methods, routes, parameters (sans I/O).

Prices and quantities are bare numbers over the WebSocket and text over REST: in both the exact decimals of our ticks
and lots. Sources: docs.kraken.com, Spot WebSocket v2 "Add Order", "Amend Order", "Cancel Order", "Batch Add", "Batch
Cancel", "Cancel All Orders After"; Spot REST "Trading", "Account Data".

There is no request that cancels one order and places another under a client order id of its own: ``edit_order`` gives
the new order none, so that after a crash nobody could tell whose it is. Replacing is refused for that reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from bloor.errors import LocalProtocolError
from bloor.model.orders import AmendRequest, CancelRequest, OrderRequest, OrderType, Side, TimeInForce
from bloor_kraken.config import SelfTrade
from bloor_kraken.symbols import rest_pair

__all__ = [
    "MOST_BATCH_ADD",
    "MOST_BATCH_CANCEL",
    "MOST_TRADES",
    "Operation",
    "Params",
    "amendment",
    "amendment_by_rest",
    "batch",
    "cancellation",
    "cancellation_by_rest",
    "frame",
    "new_order",
    "new_order_by_rest",
    "rfc3339",
    "trades",
    "wanted",
]

_SIDES = {Side.BUY: "buy", Side.SELL: "sell"}
_TIFS = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
_SELF_TRADE = {
    SelfTrade.CANCEL_NEWEST: "cancel-newest",
    SelfTrade.CANCEL_OLDEST: "cancel-oldest",
    SelfTrade.CANCEL_BOTH: "cancel-both",
}
#: Most trades on one page of the history.
MOST_TRADES = 50
#: Most orders in one batch.
MOST_BATCH_ADD, MOST_BATCH_CANCEL = 15, 50
#: How much earlier a search begins than the order was sent: clock error, and times in whole seconds.
_EARLIER_NS = 2_000_000_000
SECOND = 1_000_000_000

#: Parameters of a request; numbers that must be exact are ``orjson.Fragment`` over the WebSocket, text over REST.
Params = dict[str, Any]


class _Route(NamedTuple):
    """One thing that can be asked for.

    Attributes:
        letter: First letter of the tag of its answer; our client order id follows.
        method: The WebSocket method; empty where there is none.
        path: The REST path.
        urgent: Whether it takes risk away.
        opens: Whether it makes or changes an order.
    """

    letter: str
    method: str
    path: str
    urgent: bool = False
    opens: bool = False


class Operation(Enum):
    """What is asked for."""

    NEW = _Route("n", "add_order", "/0/private/AddOrder", opens=True)
    CANCEL = _Route("c", "cancel_order", "/0/private/CancelOrder", urgent=True)
    AMEND = _Route("a", "amend_order", "/0/private/AmendOrder", opens=True)
    BATCH_NEW = _Route("B", "batch_add", "/0/private/AddOrderBatch", opens=True)
    BATCH_CANCEL = _Route("C", "batch_cancel", "/0/private/CancelOrderBatch", urgent=True)
    CANCEL_ALL = _Route("x", "cancel_all", "/0/private/CancelAll", urgent=True)
    #: An order by the venue's id.
    QUERY = _Route("q", "", "/0/private/QueryOrders")
    #: An order by ours: among what is open, and if it is not there among what is closed.
    FIND_OPEN = _Route("o", "", "/0/private/OpenOrders")
    FIND_CLOSED = _Route("k", "", "/0/private/ClosedOrders")
    #: The fills of an order: which they are, and then what they are.
    FILLS = _Route("f", "", "/0/private/QueryOrders")
    FILLS_READ = _Route("t", "", "/0/private/QueryTrades")
    #: The account's trades in a time window.
    SEARCH = _Route("s", "", "/0/private/TradesHistory")
    #: Whose the orders are that traded.
    IDENTIFY = _Route("i", "", "/0/private/QueryOrders")
    #: Everything that is open.
    LIST = _Route("l", "", "/0/private/OpenOrders")
    DEAD_MAN = _Route("d", "cancel_all_orders_after", "/0/private/CancelAllOrdersAfter", urgent=True)
    TOKEN = _Route("w", "", "/0/private/GetWebSocketsToken")


def rfc3339(ns: int) -> str:
    """A time as ``2026-08-24T22:21:58.343Z``, cut to milliseconds."""
    seconds, rest = divmod(ns, SECOND)
    return f"{_second(seconds)}{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    """A second with the dot behind it; many orders have the same."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}."


def frame(method: str, params: Mapping[str, Any], req_id: int) -> bytes:
    """A request over the WebSocket."""
    return orjson.dumps({"method": method, "params": params, "req_id": req_id})


# ---- the WebSocket --------------------------------------------------------------------------------------------------


def _number(text: str) -> orjson.Fragment:
    return orjson.Fragment(text.encode())


def wanted(order: OrderRequest, self_trade: SelfTrade) -> Params:
    """A new order without its symbol, deadline and token: what a batch has of each."""
    i = order.instrument
    params: Params = {
        "order_type": "market" if order.type is OrderType.MARKET else "limit",
        "side": _SIDES[order.side],
        "order_qty": _number(i.format_lots(order.lots)),
        "cl_ord_id": order.client_id,
        "fee_preference": "quote",
        "stp_type": self_trade.value,
    }
    if order.type is not OrderType.MARKET:
        params["limit_price"] = _number(i.format_price(order.price_ticks))
        params["time_in_force"] = _TIFS[order.tif]
    if order.type is OrderType.POST_ONLY:
        params["post_only"] = True
    return params


def new_order(order: OrderRequest, self_trade: SelfTrade, deadline_ns: int) -> Params:
    """``add_order``; the engine refuses to match it after the deadline, a time of the venue's."""
    return {
        **wanted(order, self_trade),
        "symbol": order.instrument.venue_symbol,
        "deadline": rfc3339(deadline_ns),
    }


def batch(orders: Sequence[OrderRequest], self_trade: SelfTrade, deadline_ns: int) -> Params:
    """``batch_add`` of 2 to 15 orders in one instrument.

    Raises:
        LocalProtocolError: They are too few, too many, or of several instruments.
    """
    symbols = {order.instrument.venue_symbol for order in orders}
    if not 2 <= len(orders) <= MOST_BATCH_ADD or len(symbols) != 1:
        raise LocalProtocolError(
            f"batch_add: expected 2 to {MOST_BATCH_ADD} orders in one instrument, got {len(orders)} in {len(symbols)}"
        )
    return {
        "symbol": symbols.pop(),
        "orders": [wanted(order, self_trade) for order in orders],
        "deadline": rfc3339(deadline_ns),
    }


def cancellation(order: CancelRequest) -> Params:
    """``cancel_order`` of one order, by the venue's id where it is known."""
    if order.venue_order_id:
        return {"order_id": [order.venue_order_id]}
    return {"cl_ord_id": [order.client_id]}


def amendment(change: AmendRequest, deadline_ns: int) -> Params:
    """``amend_order`` to a smaller quantity; ids, fills and place in the queue are kept."""
    order = change.order
    named = {"order_id": order.venue_order_id} if order.venue_order_id else {"cl_ord_id": order.client_id}
    return {
        **named,
        "order_qty": _number(order.instrument.format_lots(change.lots)),
        "deadline": rfc3339(deadline_ns),
    }


# ---- REST -----------------------------------------------------------------------------------------------------------


def new_order_by_rest(order: OrderRequest, self_trade: SelfTrade, deadline_ns: int) -> Params:
    """``AddOrder``."""
    i = order.instrument
    params: Params = {
        "ordertype": "market" if order.type is OrderType.MARKET else "limit",
        "type": _SIDES[order.side],
        "volume": i.format_lots(order.lots),
        "pair": rest_pair(i),
        "cl_ord_id": order.client_id,
        "oflags": "post,fciq" if order.type is OrderType.POST_ONLY else "fciq",
        "stptype": _SELF_TRADE[self_trade],
        "deadline": rfc3339(deadline_ns),
    }
    if order.type is not OrderType.MARKET:
        params["price"] = i.format_price(order.price_ticks)
        params["timeinforce"] = _TIFS[order.tif].upper()
    return params


def cancellation_by_rest(order: CancelRequest) -> Params:
    """``CancelOrder``."""
    return {"txid": order.venue_order_id} if order.venue_order_id else {"cl_ord_id": order.client_id}


def amendment_by_rest(change: AmendRequest, deadline_ns: int) -> Params:
    """``AmendOrder``."""
    return {
        **cancellation_by_rest(change.order),
        "order_qty": change.order.instrument.format_lots(change.lots),
        "deadline": rfc3339(deadline_ns),
    }


def trades(from_ns: int, to_ns: int) -> Params:
    """``TradesHistory`` of a time window, venue time in ns since the epoch; it is not asked by pair."""
    first = max(0, from_ns - _EARLIER_NS)
    return {"start": f"{first // SECOND}", "end": f"{to_ns // SECOND + 1}", "ofs": "0"}
