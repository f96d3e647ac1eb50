"""Orders and trades in the words of REST (docs.kraken.com, Spot REST, "Get Open Orders", "Get Trades History")."""

from __future__ import annotations

from typing import Any

from bloor.model.orders import OrderType
from bloor.simulation.exchange import AccountFill, AccountOrder
from bloor.simulation.orders import OrderState
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.names import pair_names
from bloor_kraken.simulated.words import amount_text, average_text, price_text, qty_text, seconds, word

__all__ = ["describe", "order_row", "trade_row"]

_STATUSES = {
    OrderState.NEW: "pending",
    OrderState.OPEN: "open",
    OrderState.FILLED: "closed",
    OrderState.CANCELLED: "canceled",
    OrderState.EXPIRED: "canceled",
    OrderState.PREVENTED: "canceled",
    OrderState.REJECTED: "canceled",
}


def describe(order: AccountOrder) -> str:
    """``buy 0.01000000 XBTUSD @ limit 54000.0``; stops are told with their trigger and, if any, their limit."""
    i = order.market.instrument
    qty = order.style["cost"] or qty_text(i, order.units)
    text = f"{word(order.side)} {qty} {pair_names(i).altname} @ "
    kind = order.style["type"]
    if not order.stop:
        return text + (f"limit {price_text(i, order.price)}" if order.price else "market")
    stop = f"{kind.removesuffix('-limit').replace('-', ' ')} {price_text(i, order.stop)}"
    return text + stop + (f" -> limit {price_text(i, order.price)}" if order.price else "")


def order_row(order: AccountOrder, ids: Ids, *, trades: bool) -> dict[str, Any]:
    """One order.

    Args:
        order: Which.
        ids: Makes ids.
        trades: Whether the ids of its executions are told.
    """
    i = order.market.instrument
    price = order.stop or order.price
    row: dict[str, Any] = {
        "refid": order.style.get("replaces"),
        "userref": int(order.style["userref"]),
        "status": "expired" if order.style["reason"] == "Order expired" else _STATUSES[order.status],
        "opentm": seconds(order.created_ns),
        "starttm": 0,
        "expiretm": int(order.style["expires"]) // 1_000_000_000,
        "descr": {
            "pair": pair_names(i).altname,
            "aclass": "forex",
            "type": word(order.side),
            "ordertype": order.style["type"],
            "price": price_text(i, price) if price else "0",
            "price2": price_text(i, order.price) if order.stop and order.price else "0",
            "leverage": "none",
            "order": describe(order),
            "close": "",
        },
        "vol": qty_text(i, order.units),
        "vol_exec": qty_text(i, order.executed),
        "cost": amount_text(order.value),
        "fee": amount_text(sum(fill.fee for fill in order.fills)),
        "price": average_text(i, order.value, order.executed) if order.executed else "0.00000",
        "stopprice": price_text(i, order.stop) if order.stop else "0.00000",
        "limitprice": price_text(i, order.price) if order.stop and order.price else "0.00000",
        "misc": "stopped" if order.stop and not order.waiting else "",
        "oflags": "fciq" + (",post" if order.type is OrderType.POST_ONLY else "") + _viqc(order),
    }
    if order.stop:
        row["trigger"] = "last"
    if order.client_id:
        row["cl_ord_id"] = order.client_id
    if order.status is not OrderState.OPEN:
        row |= {"closetm": seconds(order.updated_ns), "reason": order.style["reason"] or None}
    if trades and order.fills:
        row["trades"] = [ids.execution(order, fill) for fill in order.fills]
    return row


def _viqc(order: AccountOrder) -> str:
    return ",viqc" if order.style["cost"] else ""


def trade_row(order: AccountOrder, fill: AccountFill, ids: Ids) -> dict[str, Any]:
    """One execution."""
    i = order.market.instrument
    return {
        "ordertxid": ids.order(order),
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": pair_names(i).key,
        "aclass": "forex",
        "time": seconds(fill.ns, 7),
        "type": word(order.side),
        "ordertype": order.style["type"],
        "price": price_text(i, fill.price),
        "cost": amount_text(fill.value),
        "fee": amount_text(fill.fee),
        "vol": qty_text(i, fill.units),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": fill.trade_id,
        "maker": fill.maker,
    }
