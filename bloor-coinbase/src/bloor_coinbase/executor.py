"""Order entry at Coinbase Advanced Trade: orders over REST, what comes of them over the user stream (sans I/O).

The connection of the session is the user stream (:mod:`bloor_coinbase.user_stream`). New orders are accepted while it
is open, and once REST has listed what was open when it was: without the one nobody would hear of fills, without the
other of what happened before. Cancels and questions need REST only, so they go out also while the stream is down, and
then resting orders are looked up every :data:`LOOK_NS`.

The tag of a request says what it was about: the letter of its :class:`~bloor_coinbase.order_requests.Operation`, then
our client order id; so an answer needs no table of what was asked. What must be remembered of an order, its id at the
venue and how far its fills are told, is in :mod:`bloor_coinbase.tracking`. Cancels want the venue's id: an order whose
id is not known yet is looked up first, and cancelled when it is found. The venue has no request that cancels one order
and places another, so replacing is not offered; reducing is, by Edit Order.

Source: docs.cdp.coinbase.com, "Advanced Trade REST API: Orders", "WebSocket Channels: User Channel".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import orjson

from bloor.errors import AccessRefusedError, LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import Commission, ExecutorContext, ExecutorSpec
from bloor.model.instrument import Instrument
from bloor.model.orders import AmendRequest, CancelRequest, OrderRequest, ReplaceRequest, VenueReport
from bloor.venue.rest import VenueClock
from bloor.venue.session import NEVER, Action, Listed, Outgoing, Request, Tell
from bloor_coinbase.account import DEAD_MAN, CoinbaseAccount
from bloor_coinbase.answers import Answer, Answers
from bloor_coinbase.config import CoinbaseConfig
from bloor_coinbase.limits import time_ns
from bloor_coinbase.order_requests import Operation
from bloor_coinbase.private_requests import PrivateRequests
from bloor_coinbase.registry import Registry
from bloor_coinbase.signing import STAND_IN, CoinbaseCredentials, Tokens, read_credentials, redacted
from bloor_coinbase.symbols import to_venue
from bloor_coinbase.user_reports import user_orders
from bloor_coinbase.user_stream import UserStream

__all__ = ["CoinbaseExecutor", "executor_spec"]

SECOND = 1_000_000_000
#: No acknowledgement after this long: the order's outcome is unknown.
UNKNOWN_AFTER_NS = 5 * SECOND
#: REST time-out 10 s + processing 10 s + clock error 1 s + lag of lists and stream 9 s.
LOST_AFTER_NS = 30 * SECOND
#: Pause between two looks at open orders while the user stream is down.
LOOK_NS = 5 * SECOND
#: How often the venue is asked for its time, beside when the connection opens and when a token is refused.
CLOCK_EVERY_NS = 600 * SECOND
#: Requests in a row that may be refused for their token before the key is taken for revoked.
REFUSALS = 5
#: What fills cost on the lowest tier.
COMMISSION = Commission(maker=Decimal("0.00125"), taker=Decimal("0.0025"), in_quote=True)


class CoinbaseExecutor:
    """Order entry of one account; see :class:`bloor.venue.session.OrderSession`."""

    def __init__(self, context: ExecutorContext) -> None:
        config = context.config or CoinbaseConfig()
        assert isinstance(config, CoinbaseConfig)
        assert isinstance(context.credentials, CoinbaseCredentials)
        self.url = context.endpoints.ws_api
        self.deadline_ns = NEVER
        self.ready = False
        self._instruments: Mapping[str, Instrument] = {to_venue(i.symbol): i for i in context.instruments}
        tokens = Tokens(context.credentials, urlsplit(context.endpoints.rest).netloc)
        self._requests = PrivateRequests(tokens, list(self._instruments))
        self._clock = VenueClock()
        self._registry = Registry(config.derive_fills_after.ns)
        self._answers = Answers(self._registry, self._instruments)
        self._stream = UserStream(self._requests.token)
        self._known = self._was_open = self._is_listed = False
        self._look_ns = self._clock_ns = NEVER
        self._open_ns = 0
        self._refusals = 0

    # ---- the life of the connection

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Asks for the venue's time; with the answer, or soon without, the channels are subscribed to."""
        self._stream.connected(now_ns)
        self._look_ns, self._clock_ns = NEVER, now_ns
        return self._done((), now_ns)

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Nothing is heard any more; what rests is looked up from time to time, once the account was ever reached."""
        self._stream.disconnected()
        self._clock_ns = NEVER
        self._look_ns = now_ns + SECOND if self._known else NEVER
        return self._done((), now_ns)

    def timer(self, now_ns: int) -> Sequence[Action]:
        """The stream's time has come, or that of a look at open orders, or fills are to be asked for."""
        actions = self._stream.timer(now_ns) if self._stream.deadline_ns <= now_ns else ()
        return self._done(actions, now_ns)

    def _done(self, actions: Sequence[Action], now_ns: int) -> Sequence[Action]:
        """What every call ends with: time, fills and open orders are asked for where they are due."""
        if self._stream.ready != self._was_open:
            self._was_open = self._stream.ready
            self._is_listed = False
            if self._was_open:
                self._known = True
                self._open_ns = self._look_ns = now_ns
        lacking = self._registry.to_fetch(now_ns)
        asked = [self._requests.fills(tracked.order.client_id, tracked.order_id) for tracked in lacking]
        if self._look_ns <= now_ns:
            self._look_ns = now_ns + LOOK_NS
            asked.append(self._requests.open_orders(now_ns))
        if self._clock_ns <= now_ns:
            self._clock_ns = now_ns + CLOCK_EVERY_NS
            asked.append(self._requests.time(now_ns))
        self.ready = self._was_open and self._is_listed
        self.deadline_ns = min(self._stream.deadline_ns, self._look_ns, self._clock_ns, self._registry.fetch_ns)
        return (*actions, *asked)

    def _looked(self, asked_ns: int, now_ns: int, *, done: bool) -> None:
        """Open orders were listed, or could not be."""
        if not done:
            self._look_ns = min(self._look_ns, now_ns + SECOND)
        elif self._was_open and asked_ns >= self._open_ns:
            self._is_listed = True
            self._look_ns = NEVER

    @property
    def lists_open_orders(self) -> bool:
        """Becoming ready says which orders are open."""
        return True

    # ---- requests about orders

    @property
    def accepting(self) -> bool:
        """Whether new orders can be sent: only while their fills would be heard of."""
        return self.ready

    def place(self, order: OrderRequest, now_ns: int) -> Outgoing:
        """``POST /orders``."""
        if not self.ready:
            raise LocalProtocolError(
                "the user stream of coinbase is not open: no fill of a new order would be heard of"
            )
        request = self._requests.new(order)
        self._registry.placed(order, now_ns)
        return request

    def cancel(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """``POST /orders/batch_cancel``; for an order whose id is not known, a look-up, and then that."""
        order_id = self._registry.order_id(order.client_id) or order.venue_order_id
        if order_id:
            (request,) = self._requests.cancels({order.client_id: order_id})
            return request
        product, since_ns = to_venue(order.instrument.symbol), self._registry.since_ns(order.client_id, now_ns)
        return self._requests.look_up(Operation.LOOK_UP_TO_CANCEL, order.client_id, product, since_ns)

    def cancel_all(self, orders: Sequence[CancelRequest], now_ns: int) -> Sequence[Outgoing]:
        """Up to a hundred to a request; those whose id is not known one by one."""
        known = {order.client_id: self._registry.order_id(order.client_id) or order.venue_order_id for order in orders}
        together = self._requests.cancels({name: order_id for name, order_id in known.items() if order_id})
        return [*together, *(self.cancel(order, now_ns) for order in orders if not known[order.client_id])]

    def replace(self, both: ReplaceRequest, now_ns: int) -> Outgoing:
        """There is no such request."""
        raise LocalProtocolError("coinbase has no request that cancels an order and places another; do both yourself")

    def amend(self, change: AmendRequest, now_ns: int) -> Outgoing:
        """``POST /orders/edit``, with the price that the order has; the stream confirms it."""
        tracked = self._registry.of(change.order.client_id)
        if tracked is None or not tracked.order_id:
            raise LocalProtocolError(f"coinbase's id and the price of order {change.order.client_id} are not known")
        tracked.reduced_to = change.lots * tracked.order.instrument.lot_units
        return self._requests.edit(tracked.order, tracked.order_id, change.lots)

    def query(self, client_id: str, instrument: Instrument, now_ns: int) -> Outgoing:
        """``GET /orders/historical/{order_id}``; for an order whose id is not known, the list since it was placed."""
        return self._query(client_id, to_venue(instrument.symbol), now_ns)

    def fetch_fills(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """``GET /orders/historical/fills`` of one order.

        Raises:
            LocalProtocolError: They are being asked for already, or the venue's id of the order is not known.
        """
        tracked = self._registry.of(order.client_id)
        order_id = tracked.order_id if tracked else order.venue_order_id
        if not order_id:
            raise LocalProtocolError("coinbase lists fills by its own id of the order, which is not known yet")
        if tracked is not None:
            if tracked.fetching:
                raise LocalProtocolError(f"the fills of order {order.client_id} are being asked for already")
            tracked.asked(again=True)
        return self._requests.fills(order.client_id, order_id)

    def search_trades(self, order: CancelRequest, from_ns: int, to_ns: int, now_ns: int) -> Outgoing:
        """``GET /orders/historical/fills`` of a product in a time window, by the venue's clock."""
        return self._requests.search(order.client_id, to_venue(order.instrument.symbol), from_ns, to_ns)

    def redacted(self, frame: bytes) -> bytes:
        """The frame without tokens."""
        return redacted(frame)

    def _query(self, client_id: str, product: str, now_ns: int) -> Request:
        order_id = self._registry.order_id(client_id)
        if order_id:
            return self._requests.query(client_id, order_id)
        return self._requests.look_up(Operation.LOOK_UP, client_id, product, self._registry.since_ns(client_id, now_ns))

    # ---- what the venue says

    def received(self, frame: bytes, now_ns: int) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """A frame of the user stream.

        Raises:
            RemoteProtocolError: The frame is not what the venue may send, or subscribing was refused.
        """
        if not self._stream.is_open:
            return (), self._done((), now_ns)  # it was given up, and is about to be closed
        try:
            is_new, message, heard = self._read(frame, now_ns)
        except AccessRefusedError:
            raise
        except RemoteProtocolError as error:
            if self.ready:
                raise  # it is passed over, and the next one shows that it is missing
            return (), self._done(self._stream.doubted(error), now_ns)
        actions: list[Action] = list(heard)
        reports: list[VenueReport] = []
        if is_new and message.get("channel") == "user":

            def bad(row: dict[str, Any], error: RemoteProtocolError) -> None:
                actions.extend(self._in_doubt(row, error, now_ns))

            try:
                reports += user_orders(message, self._instruments, self._registry, now_ns, bad)
            except RemoteProtocolError as error:
                actions.extend(self._stream.doubted(error))
        reports += self._registry.overdue(now_ns)
        return reports, self._done(actions, now_ns)

    def _read(self, frame: bytes, now_ns: int) -> tuple[bool, dict[str, Any], Sequence[Action]]:
        """Whether a frame is new, its document, and what its place in the stream makes necessary.

        Raises:
            RemoteProtocolError: It is none of the venue's, or subscribing was refused.
        """
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError as error:
            raise RemoteProtocolError(f"not JSON: {error}") from error
        if not isinstance(message, dict):
            raise RemoteProtocolError(f"expected an object, got {type(message).__name__}")
        is_new, actions = self._stream.heard(message, now_ns)
        return is_new, message, actions

    def _in_doubt(self, row: dict[str, Any], error: RemoteProtocolError, now_ns: int) -> Sequence[Action]:
        """A row of the stream cannot be read: a person is told, and the order is asked about."""
        tell = Tell("bad_order_frame", f"coinbase: {error}")
        tracked = self._registry.of(str(row.get("client_order_id")))
        if tracked is None:
            return (tell,)
        ask = self._query(tracked.order.client_id, to_venue(tracked.order.instrument.symbol), now_ns)
        return (tell, ask)

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """The answer to a request.

        Raises:
            AccessRefusedError: The key is refused again and again.
        """
        if tag.startswith(Operation.TIME.value.letter):
            return (), self._done(self._told_time(tag, status, body, now_ns), now_ns)
        self._watch_access(tag, status)
        answer = self._answers.read(tag, status, body, now_ns)
        actions: list[Action] = [*answer.actions, *self._next(tag, answer, now_ns)]
        if status == 401:
            self._clock_ns = now_ns  # a wrong idea of the venue's clock is the usual cause
        if tag.startswith(Operation.LIST.value.letter) and not answer.cursor:
            self._looked(int(tag[1:]), now_ns, done=any(isinstance(action, Listed) for action in answer.actions))
        late = self._registry.overdue(now_ns)
        return (*answer.reports, *late), self._done(actions, now_ns)

    def _watch_access(self, tag: str, status: int) -> None:
        """A key that is refused again and again is revoked, has not the right, or comes from the wrong address.

        Raises:
            AccessRefusedError: It is.
        """
        self._refusals = self._refusals + 1 if status in (401, 403) else 0 if status == 200 else self._refusals
        if self._refusals > REFUSALS:
            raise AccessRefusedError(
                f"coinbase refused {self._refusals} requests in a row with 401 or 403, the last one {tag}: the key is "
                "revoked, has no right to view or to trade, or is limited to other addresses"
            )

    def _next(self, tag: str, answer: Answer, now_ns: int) -> Sequence[Action]:
        """The next page of an answer, or the cancel that a look-up was for."""
        name, _, product = tag[1:].partition(":")
        if answer.cancel_id:
            return self._requests.cancels({name: answer.cancel_id})
        if not answer.cursor:
            return ()
        operation = _BY_LETTER[tag[:1]]
        if operation is Operation.LIST:
            return (self._requests.open_orders(int(name), answer.cursor),)
        tracked = self._registry.of(name)
        if operation is Operation.FILLS:
            if tracked is None:
                return ()
            tracked.asked()
            return (self._requests.fills(name, tracked.order_id, answer.cursor),)
        since_ns = self._registry.since_ns(name, now_ns)
        return (self._requests.look_up(operation, name, product, since_ns, answer.cursor),)

    def _told_time(self, tag: str, status: int, body: bytes, now_ns: int) -> Sequence[Action]:
        """The venue said its time, or did not; either way the subscriptions need not wait any more."""
        actions: list[Action] = []
        if status == 200:
            try:
                venue_ns = time_ns(body)
            except RemoteProtocolError as error:
                actions.append(Tell("clock_unknown", f"coinbase: {error}"))
            else:
                asked_ns = int(tag[1:])
                stepped = self._clock.sample(asked_ns, now_ns, venue_ns)
                self._requests.ahead_ns = self._clock.offset_ns(now_ns)
                if stepped:
                    seconds = self._clock.last_step_ns / 1e9
                    actions.append(Tell("clock_stepped", f"coinbase: its clock or ours was stepped by {seconds:.3f} s"))
        return [*actions, *self._stream.subscribe(now_ns)]


_BY_LETTER = {operation.value.letter: operation for operation in Operation}


def executor_spec() -> ExecutorSpec:
    """What ``bloor_executor`` hands over."""
    return ExecutorSpec(
        venue="coinbase",
        build=CoinbaseExecutor,
        credentials=read_credentials,
        unknown_after_ns=UNKNOWN_AFTER_NS,
        lost_after_ns=LOST_AFTER_NS,
        searches_trades=True,
        stand_in=STAND_IN,
        account=CoinbaseAccount,
        dead_man=DEAD_MAN,
        commission=COMMISSION,
    )
