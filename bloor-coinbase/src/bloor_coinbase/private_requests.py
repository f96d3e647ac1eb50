"""The requests of a session: each with a tag that names its answer, and a token made when it is sent (sans I/O).

The tag is the letter of the :class:`~bloor_coinbase.order_requests.Operation`, then our client order id; for a look-up
also the product, for a list of open orders the time at which it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bloor.model.orders import OrderRequest
from bloor.venue.session import Request
from bloor_coinbase import order_requests as words
from bloor_coinbase.order_requests import Operation, Query
from bloor_coinbase.signing import Tokens

__all__ = ["ORDER_PATIENCE_NS", "PrivateRequests"]

SECOND = 1_000_000_000
#: How long an order may wait for the rate limit, and anything else: it was decided on for the market of that moment.
ORDER_PATIENCE_NS, PATIENCE_NS = SECOND, 10 * SECOND
_JSON = {"Content-Type": "application/json"}


class PrivateRequests:
    """Makes the requests of one account.

    Attributes:
        ahead_ns: How far the venue's clock is ahead of ours.

    Args:
        tokens: Signs them.
        products: What is traded.
    """

    def __init__(self, tokens: Tokens, products: Sequence[str]) -> None:
        self.ahead_ns = 0
        self._tokens = tokens
        self._products = products

    def token(self, now_ns: int) -> str:
        """The token of a subscription, of our time."""
        return self._tokens.of_subscription(now_ns + self.ahead_ns)

    def time(self, now_ns: int) -> Request:
        """The venue's time; the tag says when it was asked for."""
        route = Operation.TIME.value
        return Request(tag=f"{route.letter}{now_ns}", method=route.verb, path=route.path, params="", about="time")

    def new(self, order: OrderRequest) -> Request:
        """A new order.

        Raises:
            LocalProtocolError: The venue has no such order.
        """
        return self._made(Operation.NEW, order.client_id, body=words.new_order(order), patience_ns=ORDER_PATIENCE_NS)

    def edit(self, order: OrderRequest, order_id: str, lots: int) -> Request:
        """Less of an order."""
        body = words.edition(order, order_id, lots)
        return self._made(Operation.EDIT, order.client_id, body=body, patience_ns=ORDER_PATIENCE_NS)

    def cancels(self, orders: Mapping[str, str]) -> Sequence[Request]:
        """The cancels of some orders, as few as possible; the tag of each has our ids of its orders, with commas.

        Args:
            orders: The venue's ids by ours.
        """
        chunks = words.chunked(orders)
        return [
            self._made(Operation.CANCEL, ",".join(chunk), body=words.cancellation([orders[name] for name in chunk]))
            for chunk in chunks
        ]

    def query(self, client_id: str, order_id: str) -> Request:
        """The state of an order, by the venue's id."""
        return self._made(Operation.QUERY, client_id, order_id)

    def look_up(self, operation: Operation, client_id: str, product: str, since_ns: int, cursor: str = "") -> Request:
        """What was ordered of a product since a time of ours, to find an order by our id."""
        query = words.orders_since(product, since_ns + self.ahead_ns)
        return self._made(operation, f"{client_id}:{product}", query=_page(query, cursor), about=client_id)

    def fills(self, client_id: str, order_id: str, cursor: str = "") -> Request:
        """The fills of an order; nothing else about it waits for them."""
        query = _page(words.fills_of(order_id), cursor)
        return self._made(Operation.FILLS, client_id, query=query, about=f"fills {client_id}")

    def search(self, client_id: str, product: str, from_ns: int, to_ns: int) -> Request:
        """The account's fills in a product between two times of ours."""
        query = words.fills_since(product, from_ns + self.ahead_ns, to_ns + self.ahead_ns)
        return self._made(Operation.SEARCH, client_id, query=query)

    def open_orders(self, now_ns: int, cursor: str = "") -> Request:
        """Every open order of what is traded."""
        query = _page(words.open_orders(self._products), cursor)
        return self._made(Operation.LIST, str(now_ns), query=query, about="open orders")

    def _made(
        self,
        operation: Operation,
        name: str,
        order_id: str = "",
        *,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        about: str = "",
        patience_ns: int = PATIENCE_NS,
    ) -> Request:
        route = operation.value
        path = route.path + order_id
        tokens, ahead_ns = self._tokens, self.ahead_ns
        return Request(
            tag=route.letter + name,
            method=route.verb,
            path=path,
            params=words.encoded(query) if query else "",
            headers=_JSON if body is not None else {},
            body=orjson.dumps(body) if body is not None else b"",
            sign=lambda now_ns: tokens.of_request(route.verb, path, now_ns + ahead_ns),
            about=about or name,
            urgent=route.urgent,
            patience_ns=patience_ns,
        )


def _page(query: Query, cursor: str) -> Query:
    return {**query, "cursor": cursor} if cursor else query
