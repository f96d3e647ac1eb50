"""What is asked of Binance about orders: methods, routes, parameters (sans I/O).

Sources: binance-spot-api-docs, "WebSocket API: Trading requests", "REST API: Trading endpoints", "Account endpoints".
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from bloor.errors import LocalProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    AmendRequest,
    CancelRequest,
    OrderRequest,
    OrderType,
    ReplaceRequest,
)
from bloor_binance.entry.pieces import SIDES, TIFS, TYPES
from bloor_binance.signing import Value

__all__ = [
    "MOST_TRADES",
    "Operation",
    "Params",
    "amendment",
    "cancellation",
    "fills",
    "new_order",
    "replacement",
    "state",
    "trades",
]

_MS = 1_000_000
#: Most trades that one answer holds.
MOST_TRADES = 1000
#: The widest time window of ``myTrades``, less a second.
_WINDOW_NS = 86_399 * 1_000_000_000
#: How much earlier a search begins than the order was sent: clock error.
_EARLIER_NS = 1_000_000_000

Params = dict[str, Value]


class _Route(NamedTuple):
    """One thing that can be asked for over either way.

    Attributes:
        letter: First letter of a request's id; our client order id follows, so that an answer needs no table.
        method: The WebSocket API's method.
        verb: The HTTP method.
        path: The REST path.
        urgent: Whether it takes risk away.
        opens: Whether it makes or changes an order.
    """

    letter: str
    method: str
    verb: str
    path: str
    urgent: bool = False
    opens: bool = False


class Operation(Enum):
    """What is asked for."""

    NEW = _Route("n", "order.place", "POST", "/api/v3/order", opens=True)
    CANCEL = _Route("c", "order.cancel", "DELETE", "/api/v3/order", urgent=True)
    REPLACE = _Route("r", "order.cancelReplace", "POST", "/api/v3/order/cancelReplace", opens=True)
    AMEND = _Route("a", "order.amend.keepPriority", "PUT", "/api/v3/order/amend/keepPriority", opens=True)
    QUERY = _Route("q", "order.status", "GET", "/api/v3/order")
    FILLS = _Route("t", "myTrades", "GET", "/api/v3/myTrades")
    SEARCH = _Route("s", "myTrades", "GET", "/api/v3/myTrades")
    LIST = _Route("o", "openOrders.status", "GET", "/api/v3/openOrders")


def new_order(order: OrderRequest) -> Params:
    """A new order, with the full answer, so that immediate fills come twice, by two ways."""
    i = order.instrument
    params: Params = {
        "symbol": i.venue_symbol,
        "side": SIDES[order.side],
        "type": TYPES[order.type],
        "quantity": i.format_lots(order.lots),
        "newClientOrderId": order.client_id,
        "newOrderRespType": "FULL",
    }
    if order.type is not OrderType.MARKET:
        params["price"] = i.format_price(order.price_ticks)
    if order.type is OrderType.LIMIT:
        params["timeInForce"] = TIFS[order.tif]
    return params


def cancellation(order: CancelRequest) -> Params:
    """One order, by the venue's id where it is known (the faster way)."""
    params: Params = {"symbol": order.instrument.venue_symbol}
    if order.venue_order_id:
        params["orderId"] = int(order.venue_order_id)
    else:
        params["origClientOrderId"] = order.client_id
    return params


def replacement(both: ReplaceRequest) -> Params:
    """A cancel and, only if it succeeds, a new order.

    ``ONLY_NEW`` refuses the cancel, and so both, once anything of the old order has traded.
    """
    params: Params = {"cancelReplaceMode": "STOP_ON_FAILURE", **new_order(both.new)}
    if both.old.venue_order_id:
        params["cancelOrderId"] = int(both.old.venue_order_id)
    else:
        params["cancelOrigClientOrderId"] = both.old.client_id
    if both.only_unfilled:
        params["cancelRestrictions"] = "ONLY_NEW"
    return params


def amendment(change: AmendRequest) -> Params:
    """Less of an order; without its own id in the request the venue would give it another."""
    order = change.order
    return {
        **cancellation(order),
        "newQty": order.instrument.format_lots(change.lots),
        "newClientOrderId": order.client_id,
    }


def state(client_id: str, instrument: Instrument) -> Params:
    """The state of an order, by our id."""
    return {"symbol": instrument.venue_symbol, "origClientOrderId": client_id}


def fills(order: CancelRequest) -> Params:
    """The trades of one order.

    Raises:
        LocalProtocolError: The venue's id of it is not known.
    """
    if not order.venue_order_id:
        raise LocalProtocolError("binance lists fills by the venue's order id, which is not known yet")
    return cancellation(order)


def trades(instrument: Instrument, from_ns: int, to_ns: int) -> Params:
    """The account's trades in a time window, venue time in ns since the epoch; at most a day of it."""
    first = from_ns - _EARLIER_NS
    return {
        "symbol": instrument.venue_symbol,
        "startTime": first // _MS,
        "endTime": min(to_ns, first + _WINDOW_NS) // _MS + 1,
        "limit": MOST_TRADES,
    }
