"""Order entry at Kraken spot over the authenticated WebSocket v2, and over REST where that has no way (sans I/O).

What happens on a connection is in :mod:`bloor_kraken.conversation`, what the private stream says of orders in
:mod:`bloor_kraken.executions`, what REST says in :mod:`bloor_kraken.rest_orders`. Here they are put together.

The answer to a request is known by a *tag*: the letter of the :class:`~bloor_kraken.order_requests.Operation`, then our
client order id. Over REST it is the name of the answer, over the WebSocket the meaning of a ``req_id``; the answers are
read by the same functions. Source of every shape: docs.kraken.com, Spot WebSocket v2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bloor.errors import LocalProtocolError
from bloor.hookspecs import Commission, ExecutorContext, ExecutorSpec
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    AmendRequest,
    CancelRequest,
    OrderRequest,
    OrderType,
    ReplaceRequest,
    ReportKind,
    VenueReport,
)
from bloor.venue.session import NEVER, Action, Listed, Outgoing, Reconnect, Send, Tell
from bloor_kraken import order_requests as requests
from bloor_kraken.account import KrakenAccount
from bloor_kraken.answers import refused
from bloor_kraken.balances import Balances
from bloor_kraken.batches import Batches
from bloor_kraken.config import KrakenConfig
from bloor_kraken.conversation import Conversation, Stage
from bloor_kraken.dead_man import DEAD_MAN, DeadManSwitch
from bloor_kraken.exact import parsed
from bloor_kraken.executions import Executions
from bloor_kraken.order_requests import MOST_BATCH_CANCEL, Operation, Params
from bloor_kraken.private_rest import Answer, private_answer
from bloor_kraken.private_stream import PrivateStream
from bloor_kraken.rate_counter import POINT, RateCounters
from bloor_kraken.refusals import Refusal, meaning
from bloor_kraken.rest_orders import LOOK_NS, RestWay
from bloor_kraken.signing import STAND_IN, KrakenCredentials, read_credentials
from bloor_kraken.tokens import without, without_token

__all__ = ["KrakenExecutor", "executor_spec"]

SECOND = 1_000_000_000
#: No acknowledgement after this long: the order's outcome is unknown.
UNKNOWN_AFTER_NS = 3 * SECOND
#: The longest deadline 5 s + processing bound 10 s + clock error 1 s + stream lag 4 s.
LOST_AFTER_NS = 20 * SECOND

_OPERATIONS = {operation.value.letter: operation for operation in Operation}
_BATCHES = frozenset({Operation.BATCH_NEW, Operation.BATCH_CANCEL, Operation.CANCEL_ALL})
_HEARTBEAT = b'{"channel":"heartbeat"}'
#: Denials of ours: too many orders in the pair; frames of the private stream are missing; the engine is not online.
RATE_BUDGET, UNSYNCED, NOT_ONLINE = "VENUE_RATE_BUDGET", "ORDERS_UNSYNCHRONISED", "VENUE_NOT_ONLINE"
#: The last one for the states of the trading engine that are known.
_NOT_TAKEN = {
    "post_only": "VENUE_POST_ONLY",
    "cancel_only": "VENUE_CANCEL_ONLY",
    "maintenance": "VENUE_MAINTENANCE",
}

Heard = tuple[Sequence[VenueReport], Sequence[Action]]


class KrakenExecutor:
    """One order-entry connection; see :class:`bloor.venue.session.OrderSession` and the optional kinds beside it.

    Attributes:
        counters: The trading engine's rate counters.
        batches: Several orders in one request.
    """

    lists_open_orders = True

    def __init__(self, context: ExecutorContext) -> None:
        config = context.config or KrakenConfig()
        assert isinstance(config, KrakenConfig)
        assert isinstance(context.credentials, KrakenCredentials)
        self.url = context.endpoints.ws_api
        self._config = config
        self._keys: KrakenCredentials = context.credentials
        self._instruments = {i.venue_symbol: i for i in context.instruments}
        self.counters = RateCounters(list(self._instruments), config.tier)
        self._executions = Executions(self._instruments)
        self._talk = Conversation()
        self._rest = RestWay(context.credentials, config.rest_orders, self._instruments, self._executions)
        self._switch = DeadManSwitch(config.dead_man)
        self._look_ns = NEVER
        self.batches = Batches(self._talk, self._executions, self.counters, config, self._switch)
        self._stream = PrivateStream(self._executions, self.counters, self._talk)

    # ---- the life of the connection

    @property
    def balances(self) -> Balances:
        """What the account holds, as the private stream says."""
        return self._stream.balances

    @property
    def ready(self) -> bool:
        """Whether requests can be sent over the connection."""
        return self._talk.is_up

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called."""
        return min(self._talk.deadline_ns, self._look_ns, self._switch.due_ns)

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Asks for a token; it opens the private part."""
        self._look_ns = NEVER
        self._stream.restart()
        self._talk.opened(now_ns)
        return self._ask_token(now_ns)

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Nothing can be sent over it; the outcome of what was in flight is the caller's to resolve."""
        self._talk.lost()
        self._look_ns = self._rest.first_look_ns(now_ns)
        if not self._rest.carries(Operation.NEW):
            self._switch.rest()
        return ()

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Something is due: a sign of life, an answer, the dead-man switch, a look at open orders over REST."""
        actions, wants_token, is_empty = self._talk.timer(now_ns)
        if wants_token:
            actions += self._ask_token(now_ns)
        if is_empty:
            actions += self._up(frozenset(), now_ns)
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + LOOK_NS
            actions += self._rest.look(now_ns)
        if now_ns >= self._switch.due_ns:
            actions += self._guard(now_ns)
        return actions

    def _ask_token(self, now_ns: int) -> list[Action]:
        try:
            return [self._rest.request(Operation.TOKEN, "", {}, now_ns)]
        except LocalProtocolError:
            return list(self._talk.offer(now_ns, Refusal.TOO_FAST, "kraken wants no requests at present"))

    def _up(self, open_ids: frozenset[str], now_ns: int) -> list[Action]:
        """What is open is known: orders can be sent."""
        self._talk.up()
        self._rest.known = True
        if self._talk.most_points:
            self.counters.learn(self._talk.most_points)
        self._switch.resume(now_ns)
        ours = {symbol: frozenset(i for i in open_ids if self._trades(i, symbol)) for symbol in self._instruments}
        listed = [Listed(symbol, ids, self._talk.subscribed_ns) for symbol, ids in ours.items()]
        return [*listed, *self._guard(now_ns)]

    def _trades(self, client_id: str, symbol: str) -> bool:
        instrument = self._executions.instrument(client_id)
        return instrument is not None and instrument.venue_symbol == symbol

    # ---- the dead-man switch

    def _guard(self, now_ns: int) -> list[Action]:
        """Arms, refreshes or disarms it, by whichever way there is."""
        if self._switch.concluded:
            return []
        timeout = self._switch.asked(now_ns)
        if self.ready:
            return [Send(self._talk.ask("cancel_all_orders_after", {"timeout": timeout}, "d", now_ns))]
        try:
            return [self._rest.request(Operation.DEAD_MAN, "", {"timeout": timeout}, now_ns)]
        except LocalProtocolError:
            return []

    def conclude(self, now_ns: int) -> Sequence[Action]:
        """Disarms the dead-man switch."""
        if not self._switch.end() or not (self.ready or self._rest.known):
            return ()
        return self._guard(now_ns)

    @property
    def concluded(self) -> bool:
        """Whether it is disarmed."""
        return self._switch.concluded

    # ---- requests about orders

    @property
    def accepting(self) -> bool:
        """Whether new orders can be sent, over the connection or, if so configured, over REST."""
        return self.ready or self._rest.carries(Operation.NEW)

    def refusal(self, instrument: Instrument, order_type: OrderType, now_ns: int) -> str:
        """Why an order is not to be sent now.

        Kraken's trading engine takes none, or only post-only ones; too many were sent in the pair; or frames of the
        private stream are missing, so that nobody knows what was filled.
        """
        system = self._stream.system
        if system != "online" and not (system == "post_only" and order_type is OrderType.POST_ONLY):
            return _NOT_TAKEN.get(system, NOT_ONLINE)
        if self._talk.stage is Stage.RESYNC:
            return UNSYNCED
        return "" if self.counters[instrument.venue_symbol].lets_out(now_ns) else RATE_BUDGET

    def place(self, order: OrderRequest, now_ns: int) -> Outgoing:
        """``add_order``."""
        deadline_ns = self._deadline(now_ns)
        out = self._ask_for(
            Operation.NEW, order.client_id, now_ns,
            lambda: requests.new_order(order, self._config.self_trade, deadline_ns),
            lambda: requests.new_order_by_rest(order, self._config.self_trade, deadline_ns),
        )  # fmt: skip
        self._executions.placed(order.client_id, order.instrument)
        self.counters[order.instrument.venue_symbol].placed(order.client_id, now_ns)
        self._switch.order_sent(now_ns)
        return out

    def cancel(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """``cancel_order``."""
        out = self._ask_for(
            Operation.CANCEL, order.client_id, now_ns,
            lambda: requests.cancellation(order), lambda: requests.cancellation_by_rest(order),
        )  # fmt: skip
        self._executions.placed(order.client_id, order.instrument)
        self.counters[order.instrument.venue_symbol].cancelled(order.client_id, now_ns)
        return out

    def cancel_all(self, orders: Sequence[CancelRequest], now_ns: int) -> Sequence[Outgoing]:
        """``batch_cancel`` of those whose id at the venue is known; the others singly, as all without a connection."""
        known = [order for order in orders if order.venue_order_id] if self.ready else []
        groups = [known[n : n + MOST_BATCH_CANCEL] for n in range(0, len(known), MOST_BATCH_CANCEL)]
        together = [group for group in groups if len(group) > 1]
        named = {order.client_id for group in together for order in group}
        singly = [self.cancel(order, now_ns) for order in orders if order.client_id not in named]
        return [*(self.batches.cancel(group, now_ns) for group in together), *singly]

    def replace(self, both: ReplaceRequest, now_ns: int) -> Outgoing:
        """There is no such request.

        Raises:
            LocalProtocolError: Always; says why.
        """
        raise LocalProtocolError(
            "kraken's edit_order gives the new order no client order id, so that nobody could tell whose it is; "
            "reduce the order, or cancel it and place another"
        )

    def amend(self, change: AmendRequest, now_ns: int) -> Outgoing:
        """``amend_order``; ids, fills and place in the queue are kept."""
        deadline_ns = self._deadline(now_ns)
        out = self._ask_for(
            Operation.AMEND, change.order.client_id, now_ns,
            lambda: requests.amendment(change, deadline_ns),
            lambda: requests.amendment_by_rest(change, deadline_ns),
        )  # fmt: skip
        self.counters[change.order.instrument.venue_symbol].amended(change.order.client_id, now_ns)
        return out

    def query(self, client_id: str, instrument: Instrument, now_ns: int) -> Outgoing:
        """Over REST, by whichever id is known."""
        self._executions.placed(client_id, instrument)
        self._check_way(Operation.QUERY)
        return self._rest.question(client_id, now_ns)

    def fetch_fills(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """Over REST: which trades it has, and then those; the venue's id must be known."""
        self._executions.placed(order.client_id, order.instrument)
        self._check_way(Operation.FILLS)
        order_id = order.venue_order_id or self._executions.venue_id(order.client_id)
        if not order_id:
            raise LocalProtocolError("kraken lists fills by its own order id, which is not known yet")
        return self._rest.request(Operation.FILLS, order.client_id, {"txid": order_id, "trades": "true"}, now_ns)

    def search_trades(self, order: CancelRequest, from_ns: int, to_ns: int, now_ns: int) -> Outgoing:
        """``TradesHistory`` of a time window, by the venue's clock."""
        self._executions.placed(order.client_id, order.instrument)
        self._check_way(Operation.SEARCH)
        offset_ns = self._talk.offset_ns
        params = requests.trades(from_ns + offset_ns, to_ns + offset_ns)
        return self._rest.request(Operation.SEARCH, order.client_id, params, now_ns)

    def _deadline(self, now_ns: int) -> int:
        """Until when an order may reach the engine, by the venue's clock."""
        return now_ns + self._talk.offset_ns + self._config.order_deadline.ns

    def _check_way(self, operation: Operation) -> None:
        if not self.ready and not self._rest.carries(operation):
            raise self._no_way(operation)

    def _no_way(self, operation: Operation) -> LocalProtocolError:
        name = operation.value.method or operation.value.path
        return LocalProtocolError(
            f"{name}: the order connection to kraken is not authenticated, and venue.kraken.rest_orders = "
            f"{self._rest.allowed.value!r} does not let it go over REST"
        )

    def _ask_for(
        self,
        operation: Operation,
        name: str,
        now_ns: int,
        params: Callable[[], Params],
        params_by_rest: Callable[[], Params],
    ) -> Outgoing:
        """The request, by whichever way there is.

        Raises:
            LocalProtocolError: There is none.
        """
        if self.ready:
            return self._talk.ask(operation.value.method, params(), operation.value.letter + name, now_ns)
        if not self._rest.carries(operation):
            raise self._no_way(operation)
        return self._rest.request(operation, name, params_by_rest(), now_ns)

    # ---- secrets

    def take_secrets(self, tag: str, status: int, body: bytes) -> bytes:
        """Keeps the token of a connection, and gives the answer without it."""
        if tag != Operation.TOKEN.value.letter:
            return body
        token, kept = without_token(tag, status, body)
        if token:
            self._talk.offered = token
        return kept

    def redacted(self, frame: bytes) -> bytes:
        """The frame without the connection's token, and without the key, should it ever be in one."""
        return without(frame, self._talk.token, self._talk.offered, self._keys.api_key)

    # ---- what the venue says

    def received(self, frame: bytes, now_ns: int) -> Heard:
        """An answer, or an event of the private stream.

        Raises:
            RemoteProtocolError: The frame is not what the venue may send, or authentication was refused.
        """
        self._talk.touched(now_ns)
        if frame == _HEARTBEAT:
            return (), ()
        message: Any = parsed(frame)
        if type(message) is not dict:
            return (), ()
        channel = message.get("channel")
        if channel == "executions":
            return self._executed(message, now_ns)
        if channel == "balances":
            return (), self._stream.held(message, now_ns)
        if channel == "status":
            return (), self._stream.status(message)
        if "Error" in message:
            return (), self._rest.slowed(meaning(str(message["Error"])), f"{message['Error']!s:.100}", now_ns)
        return self._answered(message, now_ns)

    def responded(self, tag: str, status: int, body: bytes, now_ns: int) -> Heard:
        """The answer to a REST request.

        Raises:
            RemoteProtocolError: It is not what the venue may send, or the keys are refused.
        """
        operation = _OPERATIONS.get(tag[:1])
        if operation is None:
            return (), ()
        answer = private_answer(tag, status, body)
        actions = self._rest.slowed(answer.refusal, answer.words, now_ns)
        if operation is Operation.TOKEN:
            return (), [*actions, *self._talk.offer(now_ns, answer.refusal, answer.words)]
        reports, more = self._concerning(operation, tag[1:], answer, now_ns, over_rest=True)
        return reports, [*actions, *more]

    def _answered(self, message: Mapping[str, Any], now_ns: int) -> Heard:
        """An answer over the connection."""
        tag = self._talk.answered(message, now_ns)
        reports, actions = self._read(tag, message, now_ns)
        if not self._talk.stepped:
            return reports, actions
        self._talk.stepped = False
        seconds = self._talk.clock.last_step_ns / 1e9
        return reports, [Tell("clock_stepped", f"kraken: its clock or ours was stepped by {seconds:.3f} s"), *actions]

    def _read(self, tag: str, message: Mapping[str, Any], now_ns: int) -> Heard:
        """The answer to what ``tag`` names."""
        if tag[:1] in ("+", "-"):
            return (), self._talk.channel_answered(tag, message, now_ns)
        operation = _OPERATIONS.get(tag[:1])
        if operation is None or tag == "ping":
            return (), ()
        if message.get("success") is True:
            return self._concerning(operation, tag[1:], Answer(message.get("result")), now_ns, over_rest=False)
        words = f"{message.get('error')!s:.200}"
        answer = Answer(None, meaning(words), words)
        self._overrun(tag[1:], words, now_ns)
        reports, actions = self._concerning(operation, tag[1:], answer, now_ns, over_rest=False)
        return reports, [*self._refused(answer), *actions]

    def _overrun(self, client_id: str, words: str, now_ns: int) -> None:
        """The trading engine refused for the rate: its counter is at its maximum, whatever ours says."""
        instrument = self._executions.instrument(client_id)
        if instrument is not None and words.lower().startswith("eorder:rate limit"):
            counter = self.counters[instrument.venue_symbol]
            counter.said(counter.limits.most * POINT, now_ns)

    def _refused(self, answer: Answer) -> list[Action]:
        """What a refusal over the connection means beyond the order it is about."""
        if answer.refusal is Refusal.TOKEN:
            return [Reconnect(f"kraken: {answer.words}")]
        if answer.refusal is Refusal.ACCESS:
            return [Tell("refused", f"kraken: {answer.words}")]
        return []

    def _concerning(self, operation: Operation, name: str, answer: Answer, now_ns: int, *, over_rest: bool) -> Heard:
        """What an answer says of an order, or of the dead-man switch."""
        if operation is Operation.DEAD_MAN:
            result = answer.result if isinstance(answer.result, dict) else {}
            self._switch.answered(now_ns, str(result.get("triggerTime", "")) if answer.refusal is None else None)
            return (), ()
        if operation in _BATCHES:
            return self._stream.settled(self.batches.read(operation, name, answer), now_ns), ()
        if answer.refusal is not None:
            return self._stream.settled(refused(operation, name, answer), now_ns), ()
        if operation is Operation.NEW:
            return self._placed(name, answer.result, now_ns, over_rest=over_rest)
        if operation in (Operation.CANCEL, Operation.AMEND):
            return (), self._rest.follow_up(name, now_ns) if over_rest else ()
        try:
            reports, actions = self._rest.read(operation, name, answer.result, now_ns)
        except LocalProtocolError:  # the next question cannot be asked now; the first one will be, again
            return (), ()
        return self._stream.settled(reports, now_ns), actions

    def _placed(self, client_id: str, result: Any, now_ns: int, *, over_rest: bool) -> Heard:
        """An order was taken: over REST ``txid`` names it, over the WebSocket ``order_id``."""
        named = result.get("txid" if over_rest else "order_id") if isinstance(result, dict) else None
        order_id = named[0] if isinstance(named, list) and named else named
        instrument = self._executions.instrument(client_id)
        if not isinstance(order_id, str) or not order_id or instrument is None:
            return [VenueReport(kind=ReportKind.UNCERTAIN, client_id=client_id, reason="an answer without an id")], ()
        known = VenueReport(
            kind=ReportKind.ACK, client_id=client_id, venue_symbol=instrument.venue_symbol, venue_order_id=order_id
        )
        reports = [known, *self._executions.bind(order_id, client_id, instrument)]
        actions = [*self._stream.tell(now_ns), *(self._rest.follow_up(client_id, now_ns) if over_rest else ())]
        return self._stream.settled(reports, now_ns), actions

    def _executed(self, message: Mapping[str, Any], now_ns: int) -> Heard:
        """A frame of the private stream; the snapshot of a new subscription makes the session ready."""
        reports, actions, still = self._stream.executed(message, now_ns)
        if still is None or self._talk.stage is Stage.UP:
            return reports, actions
        actions += self._up(still.client_ids, now_ns)
        for client_id in still.unsure:
            if self._executions.instrument(client_id) is not None:
                actions += self._rest.follow_up(client_id, now_ns)
        return reports, actions


def _fee_rates(config: KrakenConfig | None) -> Mapping[str, Decimal]:
    """What is configured of the worth of assets that fees are taken in."""
    return {} if config is None else config.fee_rates


def executor_spec() -> ExecutorSpec:
    """What ``bloor_executor`` hands over."""
    return ExecutorSpec(
        venue="kraken",
        build=KrakenExecutor,
        credentials=read_credentials,
        unknown_after_ns=UNKNOWN_AFTER_NS,
        lost_after_ns=LOST_AFTER_NS,
        searches_trades=True,
        fee_rates=_fee_rates,
        stand_in=STAND_IN,
        account=KrakenAccount,
        dead_man=DEAD_MAN,
        commission=Commission(maker=Decimal("0.0025"), taker=Decimal("0.004"), in_quote=True),
    )
