"""One order session in virtual time at a simulated venue, asked directly: no engine and no strategy.

::

    trader = Trader(world, executor, config, keys, instruments)
    trader.run(5)
    client_id = trader.place(instrument, Side.BUY, price_ticks, lots)
    trader.run(1)
    assert ReportKind.ACK in trader.kinds(client_id)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from bloor.engine.effects import order_conn
from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.execution.client_id import ClientIds
from bloor.hookspecs import ExecutorContext, ExecutorSpec
from bloor.host.probe import smallest_order
from bloor.model.instrument import Instrument
from bloor.model.orders import CancelRequest, OrderRequest, OrderType, ReportKind, Side, TimeInForce, VenueReport
from bloor.simulation.venue import HttpRequest
from bloor.simulation.world import VirtualWorld
from bloor.testing.hostile import strings_of
from bloor.testing.listening import HOST
from bloor.testing.watching import Watch, watched
from bloor.venue.account import AccountState, Question
from bloor.venue.session import DiscreetSession, Endpoints, Outgoing, Reconnect, Request, Send, Tell

__all__ = ["ANSWER", "CONN", "SOON", "Trader", "asked_at_once", "holdings_of"]

CONN = order_conn(0)
#: How soon a session is ready at a venue that answers at once, and how soon it answers, in seconds.
SOON, ANSWER = 10, 3
T = TypeVar("T")


class Trader:
    """An order session at work; it is what the world calls an engine.

    Args:
        world: The venue, at the start of its time.
        executor: Order entry.
        config: The venue's configuration, or None.
        credentials: The account's keys, of the venue's own type.
        instruments: What may be traded.
        epoch: Part of every client order id; another one for each trader at the same venue.

    Attributes:
        world: See above.
        watch: What was seen of the session.
        context: What the session was built from.
        session: The session, watched.
        reports: What the venue said of orders, in order.
        received: Every frame that arrived, unchanged.
        answers: Every REST answer: ``(tag, status, body)``, secrets taken out where the session does that.
        recorded: What a journal would hold: frames both ways as the session redacts them, requests as they record.
        refused: What a frame or an answer could not be read for.
        told: What the session told a person.
        secrets: Texts that the session took out of frames and answers before they were recorded.
        connections: How many connections were opened.
    """

    def __init__(
        self,
        world: VirtualWorld,
        executor: ExecutorSpec,
        config: Any,
        credentials: Any,
        instruments: Sequence[Instrument],
        *,
        epoch: int = 1,
    ) -> None:
        self.world = world
        self.watch = Watch()
        self.reports: list[VenueReport] = []
        self.received: list[bytes] = []
        self.answers: list[tuple[str, int, bytes]] = []
        self.recorded: list[bytes] = []
        self.refused: list[str] = []
        self.told: list[Tell] = []
        self.secrets: set[str] = set()
        self.connections = 0
        self._ids, self._number = ClientIds(1, epoch), 0
        self._instruments = {i.venue_symbol: i for i in instruments}
        paths = world.venue.paths()
        endpoints = Endpoints(**{name: HOST + path for name, path in paths.items()})
        self.context = ExecutorContext(
            config=config, endpoints=endpoints, credentials=credentials, instruments=tuple(instruments)
        )
        bare: Any = executor.build(self.context)
        self._discreet = bare if isinstance(bare, DiscreetSession) else None
        self.session: Any = watched(bare, self.watch)
        world.attach(self, {CONN: self.session.url.removeprefix(HOST)})

    # ---- what can be done -------------------------------------------------------------------------------------------

    def run(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Lets virtual time go on, or until ``until()`` is true."""
        self.world.run(self.world.now_ns + round(seconds * 1e9), stop=until)

    def next_id(self) -> str:
        """The client order id of the next order, as the engine makes it."""
        self._number += 1
        return self._ids.make(0, self._number)

    def order(
        self,
        instrument: Instrument,
        side: Side,
        price_ticks: int,
        lots: int,
        *,
        type: OrderType = OrderType.LIMIT,
        tif: TimeInForce = TimeInForce.GTC,
    ) -> OrderRequest:
        """A new order with the next client order id."""
        return OrderRequest(
            client_id=self.next_id(), instrument=instrument, side=side, type=type, tif=tif, price_ticks=price_ticks,
            lots=lots,
        )  # fmt: skip

    def place(self, instrument: Instrument, side: Side, price_ticks: int, lots: int, **how: Any) -> str:
        """Submits an order; its client order id."""
        order = self.order(instrument, side, price_ticks, lots, **how)
        self.send(self.session.place(order, self.world.now_ns))
        return order.client_id

    def rest(self, instrument: Instrument, bid_ticks: int) -> str:
        """Places a small buy order 10 % under the bid, and waits until it is acknowledged; its client order id.

        Raises:
            AssertionError: It was not.
        """
        price = bid_ticks * 90 // 100
        client_id = self.place(instrument, Side.BUY, price, smallest_order(instrument, price, "").lots)
        self.run(ANSWER)
        said = self.of(client_id)
        assert ReportKind.ACK in self.kinds(client_id), f"expected ACK, got {said}; could not read: {self.refused}"
        return client_id

    def take(self, instrument: Instrument, side: Side, limit_ticks: int, lots: int) -> str:
        """Places an immediate-or-cancel order and waits until its fills are known; its client order id.

        Where the venue says quantities before trades, the trades are asked for, as the engine does.
        """
        client_id = self.place(instrument, side, limit_ticks, lots, tif=TimeInForce.IOC)
        self.run(ANSWER)
        told = max((report.cumulative_units for report in self.of(client_id)), default=0)
        if told > self.filled(client_id):
            with suppress(LocalProtocolError):  # it is asking already
                self.send(self.session.fetch_fills(self.known(client_id, instrument), self.world.now_ns))
            self.run(ANSWER)
        return client_id

    def cancel(self, client_id: str, instrument: Instrument) -> None:
        """Cancels an order."""
        self.send(self.session.cancel(self.known(client_id, instrument), self.world.now_ns))

    def query(self, client_id: str, instrument: Instrument) -> None:
        """Asks for the state of an order."""
        self.send(self.session.query(client_id, instrument, self.world.now_ns))

    def known(self, client_id: str, instrument: Instrument) -> CancelRequest:
        """An order with the venue's id, as far as it has said one."""
        ids = [r.venue_order_id for r in self.reports if r.client_id == client_id and r.venue_order_id]
        return CancelRequest(client_id=client_id, venue_order_id=ids[-1] if ids else "", instrument=instrument)

    def send(self, outgoing: Outgoing) -> None:
        """Lets something leave, in whichever way it is to."""
        if isinstance(outgoing, Request):
            self.recorded.append(outgoing.record())
            self.world.request(CONN, outgoing)
        else:
            self._record(outgoing, self.session.redacted(outgoing))
            self.world.send(CONN, outgoing)

    # ---- what was said ----------------------------------------------------------------------------------------------

    def of(self, client_id: str) -> list[VenueReport]:
        """What the venue said of an order."""
        return [report for report in self.reports if report.client_id == client_id]

    def kinds(self, client_id: str) -> list[ReportKind]:
        """The kinds of what it said, in order."""
        return [report.kind for report in self.of(client_id)]

    def filled(self, client_id: str) -> int:
        """Units of an order that traded, each trade once."""
        fills = {r.fill.trade_id: r.fill.units for r in self.of(client_id) if r.fill is not None}
        return sum(fills.values())

    # ---- what the world tells ---------------------------------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""
        deadline: int = self.session.deadline_ns
        return deadline

    def connected(self, _conn: int, now_ns: int) -> None:
        """The connection is open."""
        self.connections += 1
        self._do(self.session.connected(now_ns))

    def disconnected(self, _conn: int, now_ns: int, reason: str) -> None:
        """It is gone."""
        self._do(self.session.disconnected(now_ns, reason))

    def frame(self, _conn: int, payload: bytes, recv_ns: int) -> None:
        """A frame arrived; the session is given what a journal would hold."""
        self.received.append(payload)
        kept = self.session.redacted(payload)
        self._record(payload, kept)
        self._take(lambda: self.session.received(kept, recv_ns))

    def response(self, _conn: int, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived."""
        if self._discreet is not None:
            raw, body = body, self._discreet.take_secrets(tag, status, body)
            self._record(raw, body)
        else:
            self.recorded.append(body)
        self.answers.append((tag, status, body))
        self._take(lambda: self.session.responded(tag, status, body, now_ns))

    def timer(self, now_ns: int) -> None:
        """``deadline_ns`` has come."""
        self._do(self.session.timer(now_ns))

    def _record(self, raw: bytes, kept: bytes) -> None:
        """Keeps what a journal would, and remembers what was taken out."""
        self.recorded.append(kept)
        if raw != kept:
            self.secrets |= {text for text in _texts(raw) - _texts(kept) if len(text) >= 12}

    def _take(self, said: Callable[[], tuple[Sequence[VenueReport], Sequence[Any]]]) -> None:
        try:
            reports, actions = said()
        except RemoteProtocolError as error:
            self.refused.append(str(error))
            return
        self.reports += reports
        self._do(actions)

    def _do(self, actions: Sequence[Any]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self.send(action.payload)
            elif isinstance(action, Request):
                self.send(action)
            elif isinstance(action, Reconnect):
                self.world.reconnect(CONN, action.reason)
            elif isinstance(action, Tell):
                self.told.append(action)


def _texts(frame: bytes) -> set[str]:
    """The texts of a JSON document; none of what is no JSON."""
    try:
        return set(strings_of(orjson.loads(frame)))
    except orjson.JSONDecodeError:
        return set()


def holdings_of(state: AccountState) -> dict[str, Decimal]:
    """What an account holds of every asset, free and locked together."""
    return {asset: balance.free + balance.locked for asset, balance in state.balances.items()}


def asked_at_once(world: VirtualWorld, question: Question[T]) -> T:
    """The answer of a simulated venue to a question about the account, without any delay.

    Raises:
        RemoteProtocolError: The venue refused, with its words.
    """
    request = question.request
    headers: Mapping[str, str] = {name.lower(): value for name, value in request.head(world.now_ns).items()}
    http = HttpRequest(request.method, request.path, request.query, headers, request.body)
    answer = world.venue.request(http, world.now_ns)
    return question.read(answer.status, answer.body)
