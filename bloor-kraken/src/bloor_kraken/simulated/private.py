"""The private WebSocket: tokens, private channels, order entry (docs.kraken.com, WebSocket v2, "User Data", "Trading").

Every request carries a token. What became of an order is told by the channel ``executions``, mostly after the request
was answered and now and then before: Kraken promises no order of the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define

from bloor.simulation.exchange import AccountOrder
from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import Outbox
from bloor_kraken.exact import Number
from bloor_kraken.simulated.desk import OrderDesk
from bloor_kraken.simulated.drafts import OrderName
from bloor_kraken.simulated.endpoint import Endpoint
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.keys import ApiKey, Permission, Tokens
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.private_orders import draft_of, names_of, read_amendment, read_edit
from bloor_kraken.simulated.private_stream import PrivateStream, PrivateSubscription
from bloor_kraken.simulated.sockets import Connection, Message, failure, flag, pong, success
from bloor_kraken.simulated.words import rfc3339

__all__ = ["PREFIX", "PrivateSockets"]

#: What its path begins with, instead of a host of its own.
PREFIX = "/auth"
#: Orders of a batch, and of a batch of cancels.
_BATCH, _CANCEL_BATCH = (2, 15), 50
#: What the answer to a subscription to ``executions`` says of fields that are told all the same.
_WARNINGS = ("cancel_reason is deprecated, use reason", "stop_price is deprecated, use triggers.price")


@define
class _Method:
    """One method: what it needs, and what does it."""

    permission: Permission
    handler: Callable[[Message, ApiKey, int], list[bytes]]


class PrivateSockets(Endpoint[Connection]):
    """Private connections.

    Args:
        outbox: The way out.
        faults: What answers may meet.
        tokens: Who is asking.
        desk: Takes orders.
        stream: Tells what happens to them.
        names: Finds markets.
        ids: Makes ids.
        most: The trading counter's maximum.
        early: Tells whether what happened to an order is told before the request is answered.
    """

    def __init__(
        self,
        outbox: Outbox,
        faults: Faults,
        tokens: Tokens,
        desk: OrderDesk,
        stream: PrivateStream,
        names: Names,
        ids: Ids,
        most: int,
        early: Callable[[], bool],
    ) -> None:
        super().__init__(outbox, Connection)
        self._faults = faults
        self._tokens = tokens
        self._desk = desk
        self._stream = stream
        self._names = names
        self._ids = ids
        self._most = most
        self._early = early
        change, cancel = Permission.MODIFY_ORDERS, Permission.CANCEL_ORDERS
        self._methods = {
            "add_order": _Method(change, self._add),
            "amend_order": _Method(change, self._amend),
            "edit_order": _Method(change, self._edit),
            "batch_add": _Method(change, self._batch_add),
            "cancel_order": _Method(cancel, self._cancel),
            "cancel_all": _Method(cancel, self._cancel_all),
            "cancel_all_orders_after": _Method(cancel, self._cancel_after),
            "batch_cancel": _Method(cancel, self._batch_cancel),
        }

    # -- connections ------------------------------------------------------------------------------------------------

    def _forget(self, client: Connection) -> None:
        self._stream.unsubscribe(client.number)
        self._tokens.release(client.number)

    def _listens(self, client: Connection) -> bool:
        return self._stream.listens(client.number)

    def _before_answers(self) -> None:
        if self._early():
            self._stream.flush()

    def _carry_out(self, client: Connection, message: Message, now_ns: int) -> list[bytes]:
        if message.method == "ping":
            return [pong(message, now_ns)]
        if message.method in ("subscribe", "unsubscribe"):
            return self._subscription(client.number, message, now_ns)
        method = self._methods.get(message.method)
        if method is None:
            raise ApiError(Text.METHOD)
        key = self._tokens.key(message.params.get("token"), now_ns)
        key.require(method.permission)
        if self._faults.happens(Fault.RATE_LIMIT):
            raise ApiError(Text.ORDER_RATE_LIMIT)
        answers = method.handler(message, key, now_ns)
        if self._faults.happens(Fault.ERROR_AFTER_ACCEPT):
            return [failure(message, ApiError(Text.UNAVAILABLE), now_ns)]
        return [] if self._faults.happens(Fault.LOST_ACK) else answers

    # -- subscriptions ----------------------------------------------------------------------------------------------

    def _subscription(self, conn: int, message: Message, now_ns: int) -> list[bytes]:
        params = message.params
        channel = params.get("channel")
        key = self._tokens.key(params.get("token"), now_ns)
        if channel not in ("executions", "balances"):
            raise ApiError(Text.CHANNEL)
        if message.method == "unsubscribe":
            if not self._stream.unsubscribe(conn, channel):
                raise ApiError(Text.NOT_SUBSCRIBED)
            if not self._stream.listens(conn):
                self._tokens.release(conn)
            return [success(message, {"channel": channel}, now_ns)]
        key.require(Permission.WEBSOCKETS)
        key.require(Permission.QUERY_ORDERS if channel == "executions" else Permission.QUERY_FUNDS)
        if self._stream.find(conn, channel) is not None:
            raise ApiError(Text.ALREADY_SUBSCRIBED)
        answers = self._listen(conn, channel, message, key, now_ns)
        self._tokens.hold(params["token"], conn)
        return answers

    def _listen(self, conn: int, channel: str, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        params = message.params
        snapshot = flag(params, "snapshot", default=True)
        if channel == "balances":
            subscription = PrivateSubscription(conn, channel, key.account)
            self._stream.subscribe(subscription)
            answer = success(message, {"channel": channel, "snapshot": snapshot}, now_ns)
            return [answer, self._stream.balances_snapshot(subscription)] if snapshot else [answer]
        orders, trades = flag(params, "snap_orders", default=snapshot), flag(params, "snap_trades", default=False)
        everything, counted = flag(params, "order_status", default=True), flag(params, "ratecounter", default=False)
        subscription = PrivateSubscription(conn, channel, key.account, everything=everything, counted=counted)
        self._stream.subscribe(subscription)
        result: dict[str, Any] = {
            "channel": channel,
            "snapshot": snapshot,
            "snap_orders": orders,
            "snap_trades": trades,
        }
        result |= {"maxratecount": self._most, "warnings": list(_WARNINGS)}
        answer = success(message, result, now_ns)
        return [answer, self._stream.orders_snapshot(subscription, orders=orders, trades=trades)]

    # -- orders -----------------------------------------------------------------------------------------------------

    def _add(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        validate = flag(message.params, "validate", default=False)
        draft = draft_of(message.params, self._names)
        order = self._desk.add(draft, key.account, now_ns, validate=validate)
        return [success(message, {} if validate else self._result(order), now_ns)]

    def _result(self, order: AccountOrder) -> dict[str, Any]:
        result: dict[str, Any] = {"order_id": self._ids.order(order)}
        if order.client_id:
            result["cl_ord_id"] = order.client_id
        elif order.style["userref"] != "0":
            result["order_userref"] = int(order.style["userref"])
        return result

    def _amend(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        number, order = self._desk.amend(read_amendment(message.params), key.account, now_ns)
        return [success(message, {"amend_id": number, **self._result(order)}, now_ns)]

    def _edit(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        validate = flag(message.params, "validate", default=False)
        change = read_edit(message.params)
        order = self._desk.edit(change, key.account, now_ns, validate=validate)
        result = {"original_order_id": change.order.id}
        return [success(message, result if validate else {**self._result(order), **result}, now_ns)]

    def _batch_add(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        """All or none of a batch as far as rules go; what cannot be paid for is refused by itself."""
        params = message.params
        orders = params.get("orders")
        if type(orders) is not list or not _BATCH[0] <= len(orders) <= _BATCH[1]:
            raise invalid("orders")
        validate = flag(params, "validate", default=False)
        shared = {name: params[name] for name in ("deadline",) if name in params}
        drafts = [draft_of(_object(entry) | shared, self._names, params.get("symbol", "")) for entry in orders]
        if not validate:
            self._desk.charge(drafts[0].market.instrument.venue_symbol, len(drafts) / 2, now_ns)
        built = [self._desk.check(draft, key.account, now_ns) for draft in drafts]
        if validate:
            return [success(message, [], now_ns)]
        results: list[dict[str, Any]] = []
        for order in built:
            try:
                self._desk.accept(order, now_ns)
                results.append(self._result(order))
            except ApiError as error:
                results.append({"error": error.text, **({"cl_ord_id": order.client_id} if order.client_id else {})})
        return [success(message, results, now_ns)]

    def _cancel(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        """One answer an order, all with the request's number."""
        answers = []
        for name in names_of(message.params):
            try:
                orders = self._desk.cancel(name, key.account, now_ns)
                answers += [success(message, self._result(order), now_ns) for order in orders]
            except ApiError as error:
                answers.append(failure(message, error, now_ns))
        return answers

    def _cancel_all(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        return [success(message, {"count": self._desk.cancel_everything(key.account, now_ns)}, now_ns)]

    def _cancel_after(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        timeout = message.params.get("timeout")
        if type(timeout) is not Number or not timeout.isdigit() or len(timeout) > 6:
            raise invalid("timeout")
        due_ns = self._desk.cancel_after(int(timeout), key.account, now_ns)
        trigger = rfc3339(due_ns) if due_ns else "0"
        return [success(message, {"currentTime": rfc3339(now_ns), "triggerTime": trigger}, now_ns)]

    def _batch_cancel(self, message: Message, key: ApiKey, now_ns: int) -> list[bytes]:
        """Cancels what is still open of a list; it has no ``result``."""
        params = message.params
        orders, client_ids = (params.get(name, []) for name in ("orders", "cl_ord_id"))
        if type(orders) is not list or type(client_ids) is not list:
            raise invalid("orders")
        if not 2 <= len(orders) + len(client_ids) <= _CANCEL_BATCH:
            raise invalid("orders")
        names = [_order_or_reference(value) for value in orders]
        names += [OrderName(client_id=value) for value in client_ids if type(value) is str and value]
        count = 0
        for name in names:
            try:
                count += len(self._desk.cancel(name, key.account, now_ns))
            except ApiError as error:
                if error.text == Text.ORDER_RATE_LIMIT.value and not count:
                    raise
        return [success(message, None, now_ns, orders_cancelled=count)]


def _order_or_reference(value: Any) -> OrderName:
    if type(value) is Number and value.lstrip("-").isdigit() and len(value) <= 11:
        return OrderName(reference=int(value))
    if type(value) is not str or not value:
        raise invalid("orders")
    return OrderName(id=value)


def _object(entry: Any) -> dict[str, Any]:
    if type(entry) is not dict:
        raise invalid("orders")
    return entry
