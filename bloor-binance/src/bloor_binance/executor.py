"""Order entry at Binance spot over the WebSocket API, and over REST while that is down (sans I/O).

After the connection opens: ``time`` (the clock offset), then ``session.logon`` with an Ed25519 key, so that no order
needs a signature, then ``userDataStream.subscribe``; with an HMAC or RSA key every request is signed and the private
stream is opened by ``userDataStream.subscribe.signature``. A question for the time every :data:`HEARTBEAT_NS` shows
that the connection still answers, and how the clocks drift apart: a connection lives a day, a request five seconds.

The id of a request says what it was about: the letter of the :class:`~bloor_binance.order_requests.Operation`, then our
client order id; so an answer needs no table of what was asked. Over REST the same is the tag, and the answers are read
by the same functions. Source of every shape: binance-spot-api-docs, "WebSocket API".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import ExecutorContext, ExecutorSpec
from bloor.model.instrument import Instrument
from bloor.model.orders import AmendRequest, CancelRequest, OrderRequest, ReplaceRequest, VenueReport
from bloor.venue.rest import VenueClock
from bloor.venue.session import NEVER, Action, Outgoing, Reconnect, Send, Tell
from bloor_binance import order_requests as requests
from bloor_binance.account import DEAD_MAN, BinanceAccount
from bloor_binance.config import BinanceConfig
from bloor_binance.entry.state import EntryState
from bloor_binance.order_requests import Operation, Params
from bloor_binance.reports import answer_reports, execution_reports
from bloor_binance.rest_orders import TIME_TAG, RestWay, is_bad_time, parsed_answer
from bloor_binance.signing import STAND_IN, BinanceCredentials, Value, read_credentials

__all__ = ["BinanceExecutor", "executor_spec"]

SECOND = 1_000_000_000
_MS = 1_000_000
#: How often the connection is asked for a sign of life, and how long it may take to answer (also at the start).
HEARTBEAT_NS, ANSWER_NS = 10 * SECOND, 5 * SECOND
#: No acknowledgement after this long: the order's outcome is unknown. The engine's own limit is 10 s (error -1007).
UNKNOWN_AFTER_NS = 3 * SECOND
#: recvWindow 5 s + processing bound 10 s + clock error 1 s + stream lag 4 s.
LOST_AFTER_NS = 20 * SECOND

_HEARTBEAT = "beat"
_ORDER_ACTIONS = frozenset(operation.value.letter for operation in Operation)
_NEW, _CANCEL, _QUERY, _FILLS = Operation.NEW, Operation.CANCEL, Operation.QUERY, Operation.FILLS


class BinanceExecutor(EntryState):
    """One order-entry connection; see :class:`bloor.venue.session.OrderSession`."""

    def __init__(self, context: ExecutorContext) -> None:
        config = context.config or BinanceConfig()
        assert isinstance(config, BinanceConfig)
        assert isinstance(context.credentials, BinanceCredentials)
        super().__init__(context.instruments, config.recv_window_ms)
        self.url = context.endpoints.ws_api + "?returnRateLimits=false"
        self.deadline_ns = NEVER
        self._keys: BinanceCredentials = context.credentials
        self._window = config.recv_window_ms
        self._instruments: Mapping[str, Instrument] = {i.venue_symbol: i for i in context.instruments}
        self._clock = VenueClock()
        self._rest = RestWay(
            context.credentials, config.rest_orders, config.recv_window_ms, context.instruments, self._clock
        )
        self._asked_ns = 0
        self._waiting = self._down = False

    # ---- the life of the connection

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Asks for the venue's time; the answer starts authentication."""
        self._logged_on = self._down = False
        return (self._ask("time", "time", {}, now_ns),)

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Nothing can be sent over it; the outcome of what was in flight is the caller's to resolve."""
        self.ready = self._logged_on = self._waiting = False
        self._down = True
        self.deadline_ns = self._rest.first_look_ns(now_ns)
        return ()

    def timer(self, now_ns: int) -> Sequence[Action]:
        """A heartbeat is due, an answer is overdue, or it is time to look at open orders over REST."""
        if self._down:
            self.deadline_ns = self._rest.next_look_ns(now_ns)
            return self._rest.look(now_ns)
        if self._waiting:
            what = "a heartbeat" if self.ready else "authentication"
            self.ready = False
            self.deadline_ns = NEVER
            return (Reconnect(f"no answer to {what} within {ANSWER_NS // SECOND} s"),)
        return (self._ask(_HEARTBEAT, "time", {}, now_ns),)

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
        if name == _HEARTBEAT:
            return self._told_time(self._asked_ns, now_ns, message)
        if name == "time":
            self._told_time(self._asked_ns, now_ns, message)
            params: dict[str, Value] = {"timestamp": self._timestamp(now_ns)}
            if self._keys.can_log_on:
                return (self._ask("logon", "session.logon", self._keys.signed(params), now_ns),)
            return (self._ask("stream", "userDataStream.subscribe.signature", self._keys.signed(params), now_ns),)
        if name == "logon":
            self._logged_on = True
            return (self._ask("stream", "userDataStream.subscribe", {}, now_ns),)
        if name == "stream":
            self.ready = self._rest.known = True
        return ()

    def _told_time(self, asked_ns: int, now_ns: int, message: Mapping[str, Any]) -> Sequence[Action]:
        """The venue said its time."""
        stepped = self._clock.sample(asked_ns, now_ns, int(message["result"]["serverTime"]) * _MS)
        self.offset_ns = self._clock.offset_ns(now_ns)
        if not stepped:
            return ()
        seconds = self._clock.last_step_ns / 1e9
        return (Tell("clock_stepped", f"binance: its clock or ours was stepped by {seconds:.3f} s"),)

    # ---- requests about orders

    @property
    def accepting(self) -> bool:
        """Whether new orders can be sent, over the connection or, if so configured, over REST."""
        return self.ready or self._rest.carries(_NEW)

    def place(self, order: OrderRequest, now_ns: int) -> Outgoing:
        """``order.place`` with the full answer, so that immediate fills come twice, by two ways."""
        return self._ask_for(_NEW, order.client_id, requests.new_order(order), now_ns)

    def cancel(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """``order.cancel``."""
        return self._ask_for(_CANCEL, order.client_id, requests.cancellation(order), now_ns)

    def replace(self, both: ReplaceRequest, now_ns: int) -> Outgoing:
        """``order.cancelReplace``, STOP_ON_FAILURE; the request's id holds both orders', the new one's first."""
        ids = both.new.client_id + both.old.client_id
        return self._ask_for(Operation.REPLACE, ids, requests.replacement(both), now_ns, both.old.client_id)

    def amend(self, change: AmendRequest, now_ns: int) -> Outgoing:
        """``order.amend.keepPriority``; the order keeps its client id."""
        return self._ask_for(Operation.AMEND, change.order.client_id, requests.amendment(change), now_ns)

    def query(self, client_id: str, instrument: Instrument, now_ns: int) -> Outgoing:
        """``order.status`` by our id."""
        return self._ask_for(_QUERY, client_id, requests.state(client_id, instrument), now_ns)

    def fetch_fills(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """``myTrades`` of one order; the venue's id must be known."""
        return self._ask_for(_FILLS, order.client_id, requests.fills(order), now_ns)

    def search_trades(self, order: CancelRequest, from_ns: int, to_ns: int, now_ns: int) -> Outgoing:
        """``myTrades`` of the instrument in a time window, by the venue's clock."""
        params = requests.trades(order.instrument, from_ns + self.offset_ns, to_ns + self.offset_ns)
        return self._ask_for(Operation.SEARCH, order.client_id, params, now_ns)

    def redacted(self, frame: bytes) -> bytes:
        """The frame without ``apiKey`` and ``signature``, where it has them: log-on, its answer, signed requests."""
        if b'"signature"' not in frame:
            name = self._keys.api_key.encode()
            return frame.replace(name, b"*" * len(name)) if name in frame else frame
        document = orjson.loads(frame)
        for secret in ("apiKey", "signature"):
            document["params"].pop(secret, None)
        return orjson.dumps(document)

    def _timestamp(self, now_ns: int) -> int:
        return (now_ns + self.offset_ns) // _MS

    def _ask_for(self, operation: Operation, name: str, params: Params, now_ns: int, about: str = "") -> Outgoing:
        """The request, by whichever way there is.

        Raises:
            LocalProtocolError: There is none.
        """
        route = operation.value
        if self.ready:
            params["timestamp"] = self._timestamp(now_ns)
            params["recvWindow"] = self._window
            if not self._logged_on:
                params = self._keys.signed(params)
            return orjson.dumps({"id": route.letter + name, "method": route.method, "params": params})
        if not self._rest.carries(operation):
            raise LocalProtocolError(
                f"{route.method}: the order connection to binance is not authenticated, and venue.binance.rest_orders "
                f"= {self._rest.allowed.value!r} does not let it go over REST"
            )
        return self._rest.request(operation, route.letter + name, params, now_ns, about=about or name)

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
            reports = answer_reports(name[0], name[1:], status, message, self._instruments)
            if status == 200 or not is_bad_time(message) or self._waiting:
                return reports, ()
            return reports, (self._ask(_HEARTBEAT, "time", {}, now_ns),)
        try:
            return (), self._lifecycle(name, status, message, now_ns)
        except (KeyError, TypeError, ValueError) as error:
            raise RemoteProtocolError(f"answer to {name}: missing or wrong {error}") from error

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """The answer to a REST request, read like one of the connection.

        Raises:
            RemoteProtocolError: It is not what the venue may send.
        """
        message = parsed_answer(status, body)
        try:
            if tag.startswith(TIME_TAG) and status == 200:
                return (), self._told_time(int(tag.removeprefix(TIME_TAG)), now_ns, message)
            actions = self._rest.answered(tag, status, message, now_ns)
        except (KeyError, TypeError, ValueError) as error:
            raise RemoteProtocolError(f"answer to {tag}: missing or wrong {error}") from error
        if tag[0] == Operation.LIST.value.letter:
            return self._rest.listed(status, message, self._instruments), actions
        if tag[0] in _ORDER_ACTIONS and len(tag) > 8:
            return answer_reports(tag[0], tag[1:], status, message, self._instruments), actions
        return (), actions

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


def _fee_rates(config: BinanceConfig | None) -> Mapping[str, Decimal]:
    """What is configured of the worth of assets that fees are taken in."""
    return {} if config is None else config.fee_rates


def executor_spec() -> ExecutorSpec:
    """What ``bloor_executor`` hands over."""
    return ExecutorSpec(
        venue="binance",
        build=BinanceExecutor,
        credentials=read_credentials,
        unknown_after_ns=UNKNOWN_AFTER_NS,
        lost_after_ns=LOST_AFTER_NS,
        searches_trades=True,
        fee_rates=_fee_rates,
        stand_in=STAND_IN,
        account=BinanceAccount,
        dead_man=DEAD_MAN,
    )
