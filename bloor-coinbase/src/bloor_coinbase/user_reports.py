"""Frames of the channel ``user`` (sans I/O).

::

    {
        "channel": "user",
        "timestamp": "2026-04-07T14:30:06Z",
        "sequence_num": 1,
        "events": [
            {
                "type": "snapshot",
                "orders": [
                    {
                        "order_id": "a1b2",
                        "client_order_id": "B07002A010000ZK",
                        "cumulative_quantity": "0",
                        "leaves_quantity": "0.001",
                        "avg_price": "0",
                        "total_fees": "0",
                        "status": "OPEN",
                        "product_id": "BTC-USD",
                    }
                ],
            }
        ],
    }

The snapshot at the start has every open order, in frames of 50; after a reconnect all that is said again.
Source: docs.cdp.coinbase.com, "WebSocket Channels: User Channel".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bloor.errors import RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import VenueReport
from bloor_coinbase.frames.fields import objects, time_ns, wrong
from bloor_coinbase.registry import Registry
from bloor_coinbase.rows import OrderStatus, user_row

__all__ = ["user_orders"]


def user_orders(
    message: dict[str, Any],
    instruments: Mapping[str, Instrument],
    registry: Registry,
    now_ns: int,
    bad: Callable[[dict[str, Any], RemoteProtocolError], None],
) -> Sequence[VenueReport]:
    """What a frame says of orders; those of products that are not traded here are passed over.

    Args:
        message: The frame.
        instruments: By product.
        registry: Our orders.
        now_ns: When it was received.
        bad: Takes a row that cannot be read, or not wholly, and why; the others are read all the same.

    Raises:
        RemoteProtocolError: The frame has no rows that could be read.
    """
    exch_ns = time_ns("user", message, "timestamp")
    reports: list[VenueReport] = []
    for event in objects("user", message, "events"):
        for row in objects("user", event, "orders") if event.get("orders") is not None else ():
            instrument = instruments.get(str(row.get("product_id")))
            if instrument is None:
                continue
            try:
                found = user_row(row, instrument, exch_ns)
                reports += registry.heard(found, instrument, now_ns, asked=False)
                if found.status is OrderStatus.UNKNOWN:
                    raise wrong("user", "status", "a state that is known", row.get("status"))
            except RemoteProtocolError as error:
                bad(row, error)
    return reports
