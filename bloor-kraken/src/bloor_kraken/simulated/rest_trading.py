"""Private REST requests that change orders (docs.kraken.com, Spot REST, "Trading")."""

from __future__ import annotations

from typing import Any

from bloor.simulation.exchange import AccountOrder
from bloor_kraken.simulated.desk import OrderDesk
from bloor_kraken.simulated.drafts import OrderName
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.order_views import describe
from bloor_kraken.simulated.params import Params, plain
from bloor_kraken.simulated.rest_orders import draft_of, named, read_amendment, read_edit
from bloor_kraken.simulated.words import rfc3339

__all__ = ["TradingRest"]

_BATCH, _CANCEL_BATCH = (2, 15), 50


class TradingRest:
    """Answers what changes orders.

    Args:
        desk: Takes orders.
        names: Finds markets.
        ids: Makes ids.
    """

    def __init__(self, desk: OrderDesk, names: Names, ids: Ids) -> None:
        self._desk = desk
        self._names = names
        self._ids = ids

    def add(self, params: Params, account: int, now_ns: int) -> dict[str, Any]:
        """``AddOrder``."""
        validate = params.flag("validate")
        order = self._desk.add(draft_of(params, self._names, now_ns), account, now_ns, validate=validate)
        return _described(order) if validate else self._result(order)

    def add_batch(self, params: Params, account: int, now_ns: int) -> dict[str, Any]:
        """``AddOrderBatch``: all or none as far as rules go; what cannot be paid for is refused by itself."""
        validate, pair = params.flag("validate"), params.text("pair")
        orders = params.get("orders")
        if type(orders) is not list or not _BATCH[0] <= len(orders) <= _BATCH[1]:
            raise invalid("orders")
        if not all(type(entry) is dict for entry in orders):
            raise invalid("orders")
        shared = {"deadline": params["deadline"]} if "deadline" in params else {}
        drafts = [draft_of(Params({**plain(entry), **shared}), self._names, now_ns, pair) for entry in orders]
        if not validate:
            self._desk.charge(drafts[0].market.instrument.venue_symbol, len(drafts) / 2, now_ns)
        built = [self._desk.check(draft, account, now_ns) for draft in drafts]
        rows = []
        for order in built:
            try:
                if not validate:
                    self._desk.accept(order, now_ns)
                rows.append(_described(order) if validate else {**_described(order), "txid": self._ids.order(order)})
            except ApiError as error:
                rows.append({**_described(order), "error": error.text})
        return {"orders": rows}

    def amend(self, params: Params, account: int, now_ns: int) -> dict[str, Any]:
        """``AmendOrder``."""
        number, _ = self._desk.amend(read_amendment(params), account, now_ns)
        return {"amend_id": number}

    def edit(self, params: Params, account: int, now_ns: int) -> dict[str, Any]:
        """``EditOrder``: the order ends and a new one is placed."""
        validate = params.flag("validate")
        old = self._desk.one(named(params), account)
        order = self._desk.edit(read_edit(params), account, now_ns, validate=validate)
        result = {**_described(order), "originaltxid": self._ids.order(old), "orders_cancelled": 0 if validate else 1}
        return {"status": "ok", **result, **({} if validate else {"txid": self._ids.order(order)})}

    def cancel(self, params: Params, account: int, now_ns: int) -> dict[str, int]:
        """``CancelOrder``."""
        return {"count": len(self._desk.cancel(named(params), account, now_ns))}

    def cancel_batch(self, params: Params, account: int, now_ns: int) -> dict[str, int]:
        """``CancelOrderBatch``: what is still open of a list."""
        orders, client_ids = params.get("orders", []), params.get("cl_ord_ids", [])
        if type(orders) is not list or type(client_ids) is not list:
            raise invalid("orders")
        if not 1 <= len(orders) + len(client_ids) <= _CANCEL_BATCH:
            raise invalid("orders")
        names = [named(Params(txid=_id(entry))) for entry in orders]
        names += [OrderName(client_id=str(entry)) for entry in client_ids]
        count = 0
        for name in names:
            try:
                count += len(self._desk.cancel(name, account, now_ns))
            except ApiError as error:
                if error.text == Text.ORDER_RATE_LIMIT.value and not count:
                    raise
        return {"count": count}

    def cancel_all(self, _params: Params, account: int, now_ns: int) -> dict[str, int]:
        """``CancelAll``."""
        return {"count": self._desk.cancel_everything(account, now_ns)}

    def cancel_after(self, params: Params, account: int, now_ns: int) -> dict[str, str]:
        """``CancelAllOrdersAfter``: the dead man's switch."""
        due_ns = self._desk.cancel_after(params.integer("timeout", -1, 1 << 20), account, now_ns)
        return {"currentTime": _whole(now_ns), "triggerTime": _whole(due_ns) if due_ns else "0"}

    def _result(self, order: AccountOrder) -> dict[str, Any]:
        result = {**_described(order), "txid": [self._ids.order(order)]}
        if order.client_id:
            result["cl_ord_id"] = order.client_id
        return result


def _described(order: AccountOrder) -> dict[str, Any]:
    return {"descr": {"order": describe(order)}}


def _id(entry: Any) -> str:
    """An entry of a list of orders: an id or reference, or an object with one."""
    value = entry.get("txid") if type(entry) is dict else entry
    if not isinstance(value, str) or not value:
        raise invalid("orders")
    return str(value)


def _whole(ns: int) -> str:
    """A time in whole seconds."""
    return f"{rfc3339(ns)[:19]}Z"
