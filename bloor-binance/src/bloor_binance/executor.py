"""Order entry at Binance spot over the WebSocket API (sans I/O).

After the connection opens: ``time`` (the clock offset), then ``session.logon`` with an Ed25519 key, so that no order
needs a signature, then ``userDataStream.subscribe``; with an HMAC key every request is signed and the private stream
is opened by ``userDataStream.subscribe.signature``. A ``ping`` every :data:`HEARTBEAT_NS` shows that the connection
still answers.

The id of a request says what it was about: ``n`` new, ``c`` cancel, ``q`` query, ``t`` trades, then our client order
id; so an answer needs no table of what was asked. Source of every shape: binance-spot-api-docs, "WebSocket API".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import ExecutorContext, ExecutorSpec
from bloor.model.instrument import Instrument
from bloor.model.orders import CancelRequest, OrderRequest, OrderType, Side, TimeInForce, VenueReport
from bloor.venue.session import NEVER, Action, Reconnect, Send
from bloor_binance.config import BinanceConfig
from bloor_binance.reports import answer_reports, execution_reports
from bloor_binance.signing import BinanceCredentials, Value, read_credentials

__all__ = ["BinanceExecutor", "executor_spec"]

SECOND = 1_000_000_000
_MS = 1_000_000
#: How often the connection is asked for a sign of life, and how long it may take to answer (also at the start).
HEARTBEAT_NS, ANSWER_NS = 10 * SECOND, 5 * SECOND
#: No acknowledgement after this long: the order's outcome is unknown. The engine's own limit is 10 s (error -1007).
UNKNOWN_AFTER_NS = 3 * SECOND
#: recvWindow 5 s + processing bound 10 s + clock error 1 s + stream lag 4 s.
LOST_AFTER_NS = 20 * SECOND

_TYPES = {OrderType.LIMIT: "LIMIT", OrderType.MARKET: "MARKET", OrderType.POST_ONLY: "LIMIT_MAKER"}
_TIFS = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
_SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
_ORDER_ACTIONS = frozenset("ncqt")


class BinanceExecutor:
    """One order-entry connection; see :class:`bloor.venue.session.OrderSession`."""

    def __init__(self, context: ExecutorContext) -> None:
        config = context.config or BinanceConfig()
        assert isinstance(config, BinanceConfig)
        assert isinstance(context.credentials, BinanceCredentials)
        self.url = (config.ws_api_url or context.endpoints.ws_api) + "?returnRateLimits=false"
        self.deadline_ns = NEVER
        self.ready = False
        #: Venue clock less ours, ns, as measured when the connection opened.
        self.offset_ns = 0
        self._keys: BinanceCredentials = context.credentials
        self._window = config.recv_window_ms
        self._instruments: Mapping[str, Instrument] = {i.venue_symbol: i for i in context.instruments}
        self._logged_on = False
        self._asked_ns = 0
        self._waiting = False

    # ---- the life of the connection

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Asks for the venue's time; the answer starts authentication."""
        self._logged_on = False
        return (self._ask("time", "time", {}, now_ns),)

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Nothing can be sent; the outcome of what was in flight is the caller's to resolve."""
        self.ready = self._logged_on = self._waiting = False
        self.deadline_ns = NEVER
        return ()

    def timer(self, now_ns: int) -> Sequence[Action]:
        """A heartbeat is due, or an answer is overdue."""
        if self._waiting:
            what = "a heartbeat" if self.ready else "authentication"
            self.ready = False
            self.deadline_ns = NEVER
            return (Reconnect(f"no answer to {what} within {ANSWER_NS // SECOND} s"),)
        return (self._ask("ping", "ping", {}, now_ns),)

    def _ask(self, name: str, method: str, params: Mapping[str, Value], now_ns: int) -> Send:
        self._asked_ns = now_ns
        self._waiting = True
        self.deadline_ns = now_ns + ANSWER_NS
        return Send(orjson.dumps({"id": name, "method": method, "params": params}))

    def _answered(self, now_ns: int) -> None:
        self._waiting = False
        self.deadline_ns = now_ns + HEARTBEAT_NS

    def _lifecycle(self, name: str, status: int, message: Mapping[str, Any], now_ns: int) -> Sequence[Action]:
        """An answer that is not about an order: the next step of authentication, or a heartbeat."""
        if status != 200:
            error = message.get("error") or {}
            raise RemoteProtocolError(f"binance refused {name}: {error.get('code')} {error.get('msg')}")
        self._answered(now_ns)
        if name == "time":
            middle = (self._asked_ns + now_ns) // 2
            self.offset_ns = int(message["result"]["serverTime"]) * _MS - middle
            params: dict[str, Value] = {"timestamp": self._timestamp(now_ns)}
            if self._keys.can_log_on:
                return (self._ask("logon", "session.logon", self._keys.signed(params), now_ns),)
            return (self._ask("stream", "userDataStream.subscribe.signature", self._keys.signed(params), now_ns),)
        if name == "logon":
            self._logged_on = True
            return (self._ask("stream", "userDataStream.subscribe", {}, now_ns),)
        if name == "stream":
            self.ready = True
        return ()

    # ---- requests about orders

    def place(self, order: OrderRequest, now_ns: int) -> bytes:
        """``order.place`` with the full answer, so that immediate fills come twice, by two ways."""
        i = order.instrument
        params: dict[str, Value] = {
            "symbol": i.venue_symbol,
            "side": _SIDES[order.side],
            "type": _TYPES[order.type],
            "quantity": i.format_lots(order.lots),
            "newClientOrderId": order.client_id,
            "newOrderRespType": "FULL",
        }
        if order.type is not OrderType.MARKET:
            params["price"] = i.format_price(order.price_ticks)
        if order.type is OrderType.LIMIT:
            params["timeInForce"] = _TIFS[order.tif]
        return self._request(f"n{order.client_id}", "order.place", params, now_ns)

    def cancel(self, order: CancelRequest, now_ns: int) -> bytes:
        """``order.cancel``, by the venue's id where it is known (the faster way)."""
        return self._request(f"c{order.client_id}", "order.cancel", self._one(order), now_ns)

    def query(self, client_id: str, instrument: Instrument, now_ns: int) -> bytes:
        """``order.status`` by our id."""
        params: dict[str, Value] = {"symbol": instrument.venue_symbol, "origClientOrderId": client_id}
        return self._request(f"q{client_id}", "order.status", params, now_ns)

    def fetch_fills(self, order: CancelRequest, now_ns: int) -> bytes:
        """``myTrades`` of one order; the venue's id must be known."""
        if not order.venue_order_id:
            raise LocalProtocolError("binance lists fills by the venue's order id, which is not known yet")
        return self._request(f"t{order.client_id}", "myTrades", self._one(order), now_ns)

    def _one(self, order: CancelRequest) -> dict[str, Value]:
        params: dict[str, Value] = {"symbol": order.instrument.venue_symbol}
        if order.venue_order_id:
            params["orderId"] = int(order.venue_order_id)
        else:
            params["origClientOrderId"] = order.client_id
        return params

    def _timestamp(self, now_ns: int) -> int:
        return (now_ns + self.offset_ns) // _MS

    def _request(self, name: str, method: str, params: dict[str, Value], now_ns: int) -> bytes:
        if not self.ready:
            raise LocalProtocolError(f"{method}: the order connection to binance is not authenticated")
        params["timestamp"] = self._timestamp(now_ns)
        params["recvWindow"] = self._window
        if not self._logged_on:
            params = self._keys.signed(params)
        return orjson.dumps({"id": name, "method": method, "params": params})

    # ---- what the venue says

    def received(self, frame: bytes, now_ns: int) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """An answer or an event of the private stream.

        Raises:
            RemoteProtocolError: The frame is not what the venue may send, or authentication was refused.
        """
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError as error:
            raise RemoteProtocolError(f"not JSON: {error}") from error
        if not isinstance(message, dict):
            raise RemoteProtocolError(f"expected an object, got {type(message).__name__}")
        event = message.get("event")
        if isinstance(event, dict):
            return self._event(event)
        name, status = message.get("id"), message.get("status")
        if not isinstance(name, str) or not isinstance(status, int):
            return (), self._unasked(message, status)
        if name[0:1] in _ORDER_ACTIONS and len(name) > 8:
            return answer_reports(name[0], name[1:], status, message, self._instruments), ()
        try:
            return (), self._lifecycle(name, status, message, now_ns)
        except (KeyError, TypeError, ValueError) as error:
            raise RemoteProtocolError(f"answer to {name}: missing or wrong {error}") from error

    def _event(self, event: Mapping[str, Any]) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        kind = event.get("e")
        if kind == "executionReport":
            return execution_reports(event, self._instruments), ()
        if kind in ("serverShutdown", "eventStreamTerminated"):
            return (), (Reconnect(f"the venue announced {kind}"),)
        return (), ()

    def _unasked(self, message: Mapping[str, Any], status: object) -> Sequence[Action]:
        """An answer without an id: a revoked key or an unreadable request of ours."""
        error = message.get("error") or {}
        return (Reconnect(f"answer without an id, status {status}: {error.get('code')} {error.get('msg')}"),)


def executor_spec() -> ExecutorSpec:
    """What ``bloor_executor`` hands over."""
    return ExecutorSpec(
        venue="binance",
        build=BinanceExecutor,
        credentials=read_credentials,
        unknown_after_ns=UNKNOWN_AFTER_NS,
        lost_after_ns=LOST_AFTER_NS,
    )
