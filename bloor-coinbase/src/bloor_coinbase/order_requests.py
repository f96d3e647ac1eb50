"""What is asked of Coinbase about orders: paths, queries, bodies (sans I/O).

Orders are named by the venue's id wherever a path or body wants one; by our own id they can only be looked up in lists.
Source: docs.cdp.coinbase.com, "Create Order", "Edit Order", "Cancel Orders", "List Orders", "List Fills", "Get Order".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bloor.errors import LocalProtocolError
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce
from bloor_coinbase.instruments import PREFIX
from bloor_coinbase.symbols import to_venue

__all__ = [
    "MOST_CANCELS",
    "MOST_FILLS",
    "MOST_ORDERS",
    "Operation",
    "cancellation",
    "chunked",
    "edition",
    "fills_of",
    "fills_since",
    "new_order",
    "open_orders",
    "orders_since",
]

#: Orders that one cancel may name; fills and orders that are asked for in one page.
MOST_CANCELS, MOST_FILLS, MOST_ORDERS = 100, 100, 250
#: How much earlier a look-up begins than what it looks for: clock error.
_EARLIER_NS = 10_000_000_000
SECOND = 1_000_000_000

#: What is asked, as a query.
Query = dict[str, str | int]


class _Route(NamedTuple):
    """One thing that can be asked for.

    Attributes:
        letter: First letter of a request's tag; our client order id follows, so that an answer needs no table.
        verb: The HTTP method.
        path: The path.
        urgent: Whether it takes risk away.
    """

    letter: str
    verb: str
    path: str
    urgent: bool = False


class Operation(Enum):
    """What is asked for."""

    NEW = _Route("n", "POST", f"{PREFIX}/orders")
    CANCEL = _Route("c", "POST", f"{PREFIX}/orders/batch_cancel", urgent=True)
    EDIT = _Route("a", "POST", f"{PREFIX}/orders/edit")
    #: The state of an order by the venue's id, which ends the path.
    QUERY = _Route("q", "GET", f"{PREFIX}/orders/historical/")
    #: An order by our id, in the list of all that were made since.
    LOOK_UP = _Route("l", "GET", f"{PREFIX}/orders/historical/batch")
    #: The same, to cancel it once its id is known.
    LOOK_UP_TO_CANCEL = _Route("x", "GET", f"{PREFIX}/orders/historical/batch", urgent=True)
    FILLS = _Route("t", "GET", f"{PREFIX}/orders/historical/fills")
    SEARCH = _Route("s", "GET", f"{PREFIX}/orders/historical/fills")
    LIST = _Route("o", "GET", f"{PREFIX}/orders/historical/batch")
    TIME = _Route("@", "GET", f"{PREFIX}/time")


def new_order(order: OrderRequest) -> dict[str, Any]:
    """The body of a new order, for the product of its canonical symbol: market data may have another name."""
    return {
        "client_order_id": order.client_id,
        "product_id": to_venue(order.instrument.symbol),
        "side": "BUY" if order.side is Side.BUY else "SELL",
        "order_configuration": configuration(order),
    }


def configuration(order: OrderRequest) -> dict[str, dict[str, Any]]:
    """Type, time in force, size and price, in the venue's words.

    Raises:
        LocalProtocolError: The venue has no such order.
    """
    size: dict[str, Any] = {"base_size": order.instrument.format_lots(order.lots)}
    if order.type is OrderType.MARKET:
        return {"market_market_ioc": size}
    size["limit_price"] = order.instrument.format_price(order.price_ticks)
    if order.tif is TimeInForce.GTC:
        return {"limit_limit_gtc": {**size, "post_only": order.type is OrderType.POST_ONLY}}
    if order.type is OrderType.POST_ONLY:
        raise LocalProtocolError(f"coinbase has no post-only order that is {order.tif.name}; use GTC")
    return {"sor_limit_ioc" if order.tif is TimeInForce.IOC else "limit_limit_fok": size}


def edition(order: OrderRequest, order_id: str, lots: int) -> dict[str, str]:
    """Less of an order. The price has to be said too, since a missing one is read as 0."""
    return {
        "order_id": order_id,
        "price": order.instrument.format_price(order.price_ticks),
        "size": order.instrument.format_lots(lots),
    }


def cancellation(order_ids: Sequence[str]) -> dict[str, list[str]]:
    """The body that cancels up to :data:`MOST_CANCELS` orders."""
    return {"order_ids": list(order_ids)}


def chunked(names: Iterable[str]) -> Iterator[list[str]]:
    """Orders in groups that one cancel may name."""
    left = iter(names)
    while chunk := list(islice(left, MOST_CANCELS)):
        yield chunk


def orders_since(product: str, since_ns: int) -> Query:
    """Every order of a product, in whatever state, made since a time of the venue."""
    return {"product_ids": product, "start_date": rfc3339(since_ns - _EARLIER_NS), "limit": MOST_ORDERS}


def open_orders(products: Sequence[str] = ()) -> Query:
    """Every order that rests; the venue lets no other state be asked for beside it."""
    query: dict[str, Any] = {"order_status": "OPEN", "limit": MOST_ORDERS}
    if products:
        query["product_ids"] = list(products)
    return query


def fills_of(order_id: str) -> Query:
    """Every fill of one order."""
    return {"order_ids": order_id, "limit": MOST_FILLS}


def fills_since(product: str, from_ns: int, to_ns: int) -> Query:
    """The account's fills in a product in a time window, by the venue's clock."""
    return {
        "product_ids": product,
        "start_sequence_timestamp": rfc3339(from_ns - _EARLIER_NS),
        "end_sequence_timestamp": rfc3339(to_ns + SECOND),
        "limit": MOST_FILLS,
    }


def encoded(query: Query) -> str:
    """A query as it is sent; a list repeats its name."""
    return urlencode(query, doseq=True)


def rfc3339(ns: int) -> str:
    """A time, ns since the epoch, as text in UTC with microseconds."""
    seconds, rest = divmod(ns, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
