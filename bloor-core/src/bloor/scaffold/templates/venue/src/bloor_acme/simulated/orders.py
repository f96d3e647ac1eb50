"""The order connections of the simulated Acme: log-in, requests, and what the account is told."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from bloor.errors import BloorError, RemoteProtocolError
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.account import format_atoms
from bloor.simulation.exchange import (
    AccountEvent,
    AccountEventKind,
    AccountFill,
    AccountOrder,
    Exchange,
    Market,
    Refusal,
)
from bloor.simulation.faults import Fault, Faults
from bloor.simulation.orders import OrderState
from bloor.simulation.venue import Outbox

from bloor_acme.credentials import AcmeCredentials
from bloor_acme.protocol import KINDS, SIDES, TIFS, integer, number, parsed, text

__all__ = ["WINDOW_NS", "OrderDesk", "RefusedError", "order_row"]

T = TypeVar("T")

#: How far the time of a signed request may be from ours.
WINDOW_NS = 30_000_000_000
_REFUSALS = {
    Refusal.INSUFFICIENT_BALANCE: ("NO_FUNDS", "the balance is too small"),
    Refusal.WOULD_TAKE: ("WOULD_TAKE", "a post-only order would have traded at once"),
}
_EVENTS = {
    AccountEventKind.NEW: "new",
    AccountEventKind.TRADE: "fill",
    AccountEventKind.CANCELLED: "cancelled",
    AccountEventKind.EXPIRED: "expired",
    AccountEventKind.PREVENTED: "expired",
}
_STATES = {OrderState.OPEN: "open", OrderState.FILLED: "filled", OrderState.CANCELLED: "cancelled"}


class RefusedError(Exception):
    """What a request is refused with.

    Attributes:
        code: The venue's code.
        why: A text for a person.
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(code, why)
        self.code = code
        self.why = why


class OrderDesk:
    """Takes requests about orders.

    Args:
        exchange: Where they trade; set before the first request.
        account: The account's number.
        keys: What opens it.
        outbox: The way out.
        faults: What requests and events may meet.
    """

    exchange: Exchange

    def __init__(self, account: int, keys: AcmeCredentials, outbox: Outbox, faults: Faults) -> None:
        self._account = account
        self._keys = keys
        self._outbox = outbox
        self._faults = faults
        self._conns: dict[int, bool] = {}
        self._orders: dict[str, AccountOrder] = {}
        self._events: list[bytes] = []

    def opened(self, conn: int) -> None:
        """A connection; it is not logged in."""
        self._conns[conn] = False

    def holds(self, conn: int) -> bool:
        """Whether a connection is one of these."""
        return conn in self._conns

    def closed(self, conn: int) -> None:
        """A connection is gone."""
        self._conns.pop(conn, None)

    # ---- requests

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """Answers a request; events follow with :meth:`flush`."""
        try:
            request = parsed(payload)
        except RemoteProtocolError as error:
            self._outbox(conn, orjson.dumps({"type": "error", "text": str(error)}))
            return
        answer: dict[str, Any] = {"type": "answer", "op": request.get("op")}
        if "client_id" in request:
            answer["client_id"] = request["client_id"]
        changes = request.get("op") in ("place", "cancel")
        try:
            if changes and self._faults.happens(Fault.RATE_LIMIT):
                raise RefusedError("TOO_MANY_REQUESTS", "slow down")
            answer |= {"ok": True, **self._answer(conn, request, now_ns)}
        except RefusedError as refused:
            answer |= {"ok": False, "code": refused.code, "text": refused.why}
        except BloorError as error:
            answer |= {"ok": False, "code": "BAD_ORDER", "text": str(error)}
        if changes and answer["ok"]:
            if self._faults.happens(Fault.LOST_ACK):
                return
            if self._faults.happens(Fault.ERROR_AFTER_ACCEPT):
                answer = {**answer, "ok": False, "code": "INTERNAL", "text": "nobody knows what became of it"}
        self._outbox(conn, orjson.dumps(answer))

    def _answer(self, conn: int, request: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
        op = request.get("op")
        if op == "login":
            return self._login(conn, request, now_ns)
        if not self._conns[conn]:
            raise RefusedError("NOT_LOGGED_IN", "log in first")
        if op == "ping":
            return {}
        if op == "place":
            return {"order": order_row(self._place(request, now_ns))}
        if op == "cancel":
            return {"order": order_row(self.cancel(request, now_ns))}
        if op == "query":
            return {"order": order_row(self._find(request))}
        if op == "fills":
            order = self._find(request)
            return {"order": order_row(order), "fills": [_fill_row(order.market, fill) for fill in order.fills]}
        raise RefusedError("BAD_REQUEST", f"there is no op {op!r:.40}")

    def _login(self, conn: int, request: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
        time_ns = integer("login", request, "time_ns")
        if abs(now_ns - time_ns) > WINDOW_NS:
            raise RefusedError("BAD_TIME", f"expected a time within 30 s of {now_ns}, got {time_ns}")
        right = text("login", request, "key") == self._keys.key
        expected = self._keys.login(time_ns).encode()
        given = request.get("signature")
        if not right or type(given) is not str or not hmac.compare_digest(expected, given.encode()):
            raise RefusedError("BAD_KEY", "the key is not known or the signature is wrong")
        self._conns[conn] = True
        return {}

    def cancel(self, request: Mapping[str, Any], now_ns: int) -> AccountOrder:
        """Cancels the order that a request names. Raises RefusedError."""
        order = self._find(request)
        if not self.exchange.cancel(order, now_ns):
            raise RefusedError("NOT_OPEN", "the order is not open")
        return order

    def _place(self, request: Mapping[str, Any], now_ns: int) -> AccountOrder:
        order = self.built(request)
        refusal = self.exchange.place(order, now_ns)
        if refusal is not None:
            raise RefusedError(*_REFUSALS[refusal])
        self._orders[order.client_id] = order
        return order

    def built(self, request: Mapping[str, Any]) -> AccountOrder:
        """A new order, past every check that does not need the account's money. Raises RefusedError."""
        try:
            return self._built(request)
        except BloorError as error:
            raise RefusedError("BAD_ORDER", str(error)) from error

    def _built(self, request: Mapping[str, Any]) -> AccountOrder:
        market = self._market(request)
        instrument = market.instrument
        client_id = text("place", request, "client_id")
        if client_id in self._orders:
            raise RefusedError("DUPLICATE_ID", f"there was an order {client_id} before")
        kind = _choice(request, "kind", KINDS)
        price = 0 if kind is OrderType.MARKET else instrument.parse_price(number("place", request, "price"))
        units = instrument.parse_qty(number("place", request, "qty", positive=True))
        if price <= 0 and kind is not OrderType.MARKET:
            raise RefusedError("BAD_ORDER", "expected a price above 0")
        if units % instrument.lot_units or units < instrument.min_lots * instrument.lot_units:
            raise RefusedError("BAD_ORDER", f"expected a quantity in steps of {instrument.lot_size}")
        worth = instrument.price(price or market.last_price) * instrument.qty(units)
        if worth < instrument.min_notional:
            raise RefusedError("BAD_ORDER", f"expected a value of at least {instrument.min_notional}")
        return AccountOrder(
            id=self.exchange.next_order_id(),
            owner=self._account,
            market=market,
            side=_choice(request, "side", SIDES),
            price=price,
            units=units,
            type=kind,
            tif=TimeInForce.IOC if kind is OrderType.MARKET else _choice(request, "tif", TIFS),
            client_id=client_id,
        )

    def _market(self, request: Mapping[str, Any]) -> Market:
        market = self.exchange.markets.get(text("request", request, "symbol"))
        if market is None:
            raise RefusedError("UNKNOWN_SYMBOL", f"{request['symbol']!r} is not listed")
        return market

    def _find(self, request: Mapping[str, Any]) -> AccountOrder:
        order = self._orders.get(text("request", request, "client_id"))
        if order is None:
            code = "NOT_OPEN" if request["op"] == "cancel" else "NOT_FOUND"
            raise RefusedError(code, "there is no such order")
        return order

    # ---- the private stream

    def tell(self, event: AccountEvent) -> None:
        """Words an event as of now; it is sent after the answer to what caused it."""
        if self._faults.happens(Fault.LOST_REPORT):
            return
        message: dict[str, Any] = {"type": "order", "event": _EVENTS[event.kind], "order": order_row(event.order)}
        if event.fill is not None:
            message["fill"] = _fill_row(event.order.market, event.fill)
        self._events.append(orjson.dumps(message))

    def flush(self) -> None:
        """Sends what was told to every connection that is logged in."""
        events, self._events = self._events, []
        for conn, logged_in in self._conns.items():
            for frame in events if logged_in else ():
                self._outbox(conn, frame)


def _choice(request: Mapping[str, Any], name: str, words: Mapping[T, str]) -> T:
    for value, word in words.items():
        if request.get(name) == word:
            return value
    raise RefusedError("BAD_ORDER", f"{name}: expected one of {', '.join(words.values())}")


def order_row(order: AccountOrder) -> dict[str, Any]:
    """An order as the venue shows it."""
    instrument = order.market.instrument
    return {
        "client_id": order.client_id,
        "id": str(order.id),
        "symbol": instrument.venue_symbol,
        "side": SIDES[Side(order.side)],
        "price": instrument.format_price(order.price),
        "qty": instrument.format_qty(order.units),
        "filled": instrument.format_qty(order.executed),
        "status": _STATES.get(order.status, "expired"),
        "time_ns": order.updated_ns,
    }


def _fill_row(market: Market, fill: AccountFill) -> dict[str, Any]:
    return {
        "id": fill.trade_id,
        "price": market.instrument.format_price(fill.price),
        "qty": market.instrument.format_qty(fill.units),
        "fee": format_atoms(fill.fee),
        "fee_asset": fill.fee_asset,
        "maker": fill.maker,
        "time_ns": fill.ns,
    }
