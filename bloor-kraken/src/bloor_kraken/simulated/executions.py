"""The channel ``executions`` in words (docs.kraken.com, WebSocket v2 "Executions").

What is told of an order is a delta: only id, status and time are in every row; the symbol, the side and the client's id
are in those of new orders, in snapshots and in those of trades.
"""

from __future__ import annotations

from typing import Any

from bloor.model.orders import OrderType
from bloor.simulation.exchange import AccountEvent, AccountEventKind, AccountFill, AccountOrder
from bloor.simulation.orders import EndReason, OrderState
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.words import amount_text, average_text, bare, price_text, qty_text, rfc3339, word

__all__ = ["Executions", "end_reason", "status_text"]

_STATUSES = {
    OrderState.NEW: "pending_new",
    OrderState.OPEN: "new",
    OrderState.FILLED: "filled",
    OrderState.CANCELLED: "canceled",
    OrderState.EXPIRED: "canceled",
    OrderState.PREVENTED: "canceled",
    OrderState.REJECTED: "canceled",
}
#: Why an order ended that nobody cancelled; the texts but that of post-only orders are unverified.
_REASONS = {
    EndReason.IOC_REMAINDER: "Immediate or cancel",
    EndReason.FOK_UNFILLED: "Fill or kill",
    EndReason.NO_LIQUIDITY: "No liquidity",
    EndReason.SELF_TRADE: "Self trade prevention",
    EndReason.NO_FUNDS: "Insufficient funds",
    EndReason.TIME: "Order expired",
    EndReason.WOULD_TAKE: "Post only order",
}


def end_reason(event: AccountEvent) -> str:
    """Why an order ended."""
    return _REASONS[event.reason] if event.reason is not None else event.order.style["reason"]


class Executions:
    """Words what happens to orders.

    Args:
        ids: Makes ids.
    """

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def rows(self, event: AccountEvent) -> list[dict[str, Any]]:
        """What an event is told by: one row a message."""
        order, kind = event.order, event.kind
        if kind is AccountEventKind.NEW:
            return [self.full(order, "pending_new", "pending_new"), self._delta(order, "new", "new", event.ns)]
        if kind is AccountEventKind.TRIGGERED:
            return [self._delta(order, "status", "triggered", event.ns), self._delta(order, "new", "new", event.ns)]
        if event.fill is not None:
            trade = [self.trade(order, event.fill)]
            done = order.status is OrderState.FILLED
            return [*trade, self.totals(order, "filled", event.ns)] if done else trade
        if kind is AccountEventKind.AMENDED:
            return [self._amended(order, event.ns)]
        if kind is AccountEventKind.PREVENTED and event.reason is None:
            return [self.totals(order, "restated", event.ns) | {"reason": _REASONS[EndReason.SELF_TRADE]}]
        return [self.ended(event)]

    def ended(self, event: AccountEvent) -> dict[str, Any]:
        """An order ended before it was filled."""
        reason = end_reason(event)
        expired = event.reason is EndReason.TIME
        row = self.totals(event.order, "expired" if expired else "canceled", event.ns)
        if expired:
            row["order_status"] = "expired"
        return {**row, "cancel_reason": reason, "reason": reason}

    def full(self, order: AccountOrder, exec_type: str, status: str) -> dict[str, Any]:
        """Everything of an order."""
        i = order.market.instrument
        row: dict[str, Any] = {
            "order_id": self._ids.order(order),
            "symbol": i.venue_symbol,
            "order_qty": bare(qty_text(i, order.units)),
            "cum_cost": bare(amount_text(order.value)),
            "cum_qty": bare(qty_text(i, order.executed)),
            "time_in_force": order.style["tif"].upper(),
            "exec_type": exec_type,
            "side": word(order.side),
            "order_type": order.style["type"],
            "order_userref": int(order.style["userref"]),
            "limit_price_type": "static",
            "stop_price": bare(price_text(i, order.stop)),
            "order_status": status,
            "fee_usd_equiv": bare(_fees(order)),
            "fee_ccy_pref": "fciq",
            "timestamp": rfc3339(order.created_ns),
        }
        if order.price:
            row["limit_price"] = bare(price_text(i, order.price))
        if order.executed:
            row["avg_price"] = bare(average_text(i, order.value, order.executed))
        if order.client_id:
            row["cl_ord_id"] = order.client_id
        if order.type is OrderType.POST_ONLY:
            row["post_only"] = True
        if order.style["expires"] != "0":
            row["expire_time"] = rfc3339(int(order.style["expires"]))
        if order.stop:
            row["triggers"] = {
                "reference": "last",
                "price": bare(price_text(i, order.stop)),
                "price_type": "static",
                "status": "untriggered" if order.waiting else "triggered",
            }
        return row

    def trade(self, order: AccountOrder, fill: AccountFill) -> dict[str, Any]:
        """One execution."""
        i = order.market.instrument
        row = {
            "order_id": self._ids.order(order),
            "order_userref": int(order.style["userref"]),
            "exec_id": self._ids.execution(order, fill),
            "exec_type": "trade",
            "trade_id": fill.trade_id,
            "symbol": i.venue_symbol,
            "side": word(order.side),
            "last_qty": bare(qty_text(i, fill.units)),
            "last_price": bare(price_text(i, fill.price)),
            "liquidity_ind": "m" if fill.maker else "t",
            "cost": bare(amount_text(fill.value)),
            "cum_qty": bare(qty_text(i, order.executed)),
            "cum_cost": bare(amount_text(order.value)),
            "avg_price": bare(average_text(i, order.value, order.executed)),
            "order_qty": bare(qty_text(i, order.units)),
            "order_status": _trade_status(order, fill),
            "order_type": order.style["type"],
            "timestamp": rfc3339(fill.ns),
            "fee_usd_equiv": bare(amount_text(fill.fee)),
            "fees": [{"asset": fill.fee_asset, "qty": bare(amount_text(fill.fee))}],
        }
        if order.client_id:
            row["cl_ord_id"] = order.client_id
        return row

    def _delta(self, order: AccountOrder, exec_type: str, status: str, ns: int) -> dict[str, Any]:
        return {
            "timestamp": rfc3339(ns),
            "order_status": status,
            "exec_type": exec_type,
            "order_userref": int(order.style["userref"]),
            "order_id": self._ids.order(order),
        }

    def _amended(self, order: AccountOrder, ns: int) -> dict[str, Any]:
        i = order.market.instrument
        row = {
            **self._delta(order, "amended", status_text(order), ns),
            "cum_qty": bare(qty_text(i, order.executed)),
            "reason": "User requested",
            "amended": True,
            "order_qty": bare(qty_text(i, order.units)),
            "limit_price_type": "static",
        }
        if order.price:
            row["limit_price"] = bare(price_text(i, order.price))
        if order.waiting:
            row["stop_price"] = bare(price_text(i, order.stop))
        return row

    def totals(self, order: AccountOrder, exec_type: str, ns: int) -> dict[str, Any]:
        """What was executed of an order."""
        i = order.market.instrument
        return {
            **self._delta(order, exec_type, status_text(order), ns),
            "cum_qty": bare(qty_text(i, order.executed)),
            "cum_cost": bare(amount_text(order.value)),
            "fee_usd_equiv": bare(_fees(order)),
            "avg_price": bare(average_text(i, order.value, order.executed)),
        }


def status_text(order: AccountOrder) -> str:
    """An order's status as of the event being told."""
    if order.status is OrderState.OPEN and order.executed:
        return "partially_filled"
    return _STATUSES[order.status]


def _trade_status(order: AccountOrder, fill: AccountFill) -> str:
    """That of a trade: the last one of an order says ``partially_filled`` too now and then; ``filled`` follows."""
    return "filled" if order.status is OrderState.FILLED and fill.trade_id % 3 else "partially_filled"


def _fees(order: AccountOrder) -> str:
    """What was paid so far; commissions are in the quote asset, which is said to be a dollar."""
    return amount_text(sum(fill.fee for fill in order.fills))
