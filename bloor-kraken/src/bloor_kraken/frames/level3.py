"""The orders of a book and their changes, channel ``level3``.

.. code-block:: json

    {"channel":"level3","type":"update","data":[{"checksum":4239577768,"symbol":"BTC/USD","timestamp":"2026-09-15T23:41:47.461426256Z","bids":[],"asks":[{"event":"delete","order_id":"OOZP53-FUXQT-BM3262","limit_price":75623.0,"order_qty":0.99200222,"timestamp":"2026-09-15T23:41:47.461426256Z"}]}]}

Of a snapshot, the orders have no ``event``, and stand in the sequence of their queues. ``order_qty`` is what is left of
the order; what a ``delete`` says of it means nothing. ``timestamp`` of an order is when it joined its queue, or was
changed. A snapshot may have no time of its own. Source: docs.kraken.com, WebSocket v2, "Level3".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from bloor.market.fields import MISSING
from bloor_kraken.exact import Number
from bloor_kraken.frames.fields import amount, epoch_ns, integer, pair, positive, time_ns, wrong

__all__ = ["Level3", "Occurrence", "OrderEvent", "level3"]

KIND = "level3"
MAX_CHECKSUM = (1 << 32) - 1
_NOTHING = "0"


class Occurrence(Enum):
    """What happened to an order; Kraken's words."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"


class OrderEvent(NamedTuple):
    """Something that happened to an order.

    Attributes:
        what: What it was.
        order_id: The order's id.
        side: +1 a bid, -1 an ask.
        price: Its limit price.
        qty: What is left of it; 0 where it leaves.
        ns: When, ns since the epoch.
    """

    what: Occurrence
    order_id: str
    side: int
    price: str
    qty: str
    ns: int


class Level3(NamedTuple):
    """One object of ``data``.

    Attributes:
        symbol: The pair.
        snapshot: Whether the orders replace the book.
        events: What happened, the bids first; of a snapshot, every order joins.
        checksum: Of the book after it.
        exch_ns: The message's time; 0 when it has none.
    """

    symbol: str
    snapshot: bool
    events: Sequence[OrderEvent]
    checksum: int
    exch_ns: int


def level3(event: dict[str, Any], *, snapshot: bool) -> Level3:
    """Reads one object of ``data``.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    checksum = integer(KIND, event, "checksum")
    if checksum > MAX_CHECKSUM:
        raise wrong(KIND, "checksum", "an integer below 2**32", checksum)
    events = [
        _order(f"{name}[{n}]", order, side, snapshot=snapshot)
        for name, side in (("bids", 1), ("asks", -1))
        for n, order in enumerate(_orders(event, name))
    ]
    ns = time_ns(KIND, event, "timestamp", optional=True)
    return Level3(pair(KIND, event.get("symbol")), snapshot, events, checksum, ns)


def _orders(event: dict[str, Any], name: str) -> Sequence[dict[str, Any]]:
    orders = event.get(name)
    if type(orders) is not list or any(type(order) is not dict for order in orders):
        raise wrong(KIND, name, "a list of orders", orders)
    return orders


def _order(where: str, order: dict[str, Any], side: int, *, snapshot: bool) -> OrderEvent:
    what = Occurrence.ADD if snapshot else _occurrence(where, order.get("event"))
    order_id = order.get("order_id")
    if type(order_id) is not str or not 0 < len(order_id) <= 64 or not order_id.isprintable():
        raise wrong(KIND, f"{where}: order_id", "the id of an order", order_id)
    price = positive(KIND, f"{where}: limit_price", order.get("limit_price", MISSING), _form(order.get("limit_price")))
    qty = _NOTHING
    if what is not Occurrence.DELETE:
        left = order.get("order_qty", MISSING)
        read = positive if what is Occurrence.ADD else amount
        qty = read(KIND, f"{where}: order_qty", left, _form(left))
    return OrderEvent(
        what, order_id, side, price, qty, epoch_ns(KIND, f"{where}: timestamp", order.get("timestamp", MISSING))
    )


def _occurrence(where: str, word: Any) -> Occurrence:
    for what in Occurrence:
        if word == what.value:
            return what
    raise wrong(KIND, f"{where}: event", "'add', 'modify' or 'delete'", word)


def _form(value: Any) -> type[str]:
    """Numbers are bare; the documents show them as text too."""
    return str if type(value) is str else Number
