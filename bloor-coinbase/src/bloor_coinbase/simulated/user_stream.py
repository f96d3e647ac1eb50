"""The channel ``user``: the open orders first, then every step of an order's life, cumulative.

Steps are worded at the moment they happen and wait here until the request that caused them is answered. Fills of one
order that happen together are told as one step, as the real exchange may do: who follows takes differences.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels", "User Channel".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import orjson

from bloor.simulation.account_orders import AccountEvent, AccountEventKind
from bloor.simulation.exchange import Exchange
from bloor_coinbase.simulated.connections import Connections
from bloor_coinbase.simulated.order import CoinbaseOrder
from bloor_coinbase.simulated.order_views import report_view

__all__ = ["SNAPSHOT_ORDERS", "UserStream", "snapshot"]

#: Open orders in one frame of the snapshot.
SNAPSHOT_ORDERS = 50
_POSITIONS: dict[str, list[Any]] = {"perpetual_futures_positions": [], "expiring_futures_positions": []}


class _Report(NamedTuple):
    order: CoinbaseOrder
    kind: AccountEventKind
    view: dict[str, Any]
    ns: int


class UserStream:
    """What waits to be told.

    Args:
        connections: The way out.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._waiting: list[_Report] = []

    def tell(self, event: AccountEvent) -> None:
        """Words a step."""
        order = event.order
        assert isinstance(order, CoinbaseOrder)
        last = self._waiting[-1] if self._waiting else None
        if event.kind is AccountEventKind.TRADE and last is not None and (last.order, last.kind) == (order, event.kind):
            self._waiting.pop()
        if event.kind is AccountEventKind.NEW:
            self._waiting.append(_Report(order, event.kind, report_view(order, "PENDING"), event.ns))
            return
        if event.kind is AccountEventKind.CANCELLED:
            self._waiting.append(_Report(order, event.kind, report_view(order, "CANCEL_QUEUED"), event.ns))
        self._waiting.append(_Report(order, event.kind, report_view(order), event.ns))

    def flush(self) -> None:
        """Sends what waits; a new order of which nothing else is to be told is open."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        fresh: dict[int, _Report] = {}
        for report in waiting:
            self._send(report)
            if report.kind is AccountEventKind.NEW:
                fresh[report.order.id] = report
            else:
                fresh.pop(report.order.id, None)
        for report in fresh.values():
            self._send(report._replace(view=report_view(report.order)))

    def _send(self, report: _Report) -> None:
        order = report.order
        self._connections.tell(
            order.owner or 0,
            order.product.name,
            lambda: orjson.dumps({"type": "update", "orders": [report.view], "positions": _POSITIONS}),
            report.ns,
        )


def snapshot(exchange: Exchange, account: int, products: Collection[str]) -> list[bytes]:
    """The events of the first frames: open orders, oldest first, :data:`SNAPSHOT_ORDERS` to a frame; at least one."""
    views = [report_view(order) for order in _followed(exchange, account, products)]
    batches = [views[at : at + SNAPSHOT_ORDERS] for at in range(0, max(1, len(views)), SNAPSHOT_ORDERS)]
    return [orjson.dumps({"type": "snapshot", "orders": batch, "positions": _POSITIONS}) for batch in batches]


def _followed(exchange: Exchange, account: int, products: Collection[str]) -> Iterable[CoinbaseOrder]:
    for order in exchange.open_orders(account):
        if isinstance(order, CoinbaseOrder) and (not products or order.product.name in products):
            yield order
