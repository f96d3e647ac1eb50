"""What goes to venues about orders: encoded by a session, recorded without keys, then sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from bloor.engine.decisions import DecisionKind
from bloor.engine.effects import Recorder, line_of, order_conn
from bloor.errors import AccessRefusedError, LocalProtocolError, RemoteProtocolError
from bloor.execution.life import Consequence
from bloor.execution.order import Order
from bloor.execution.outcomes import Outcome
from bloor.journal.record import RecordKind
from bloor.model.orders import CancelRequest, VenueReport
from bloor.venue.session import (
    Action,
    BatchSession,
    ConcludingSession,
    Listed,
    OrderSession,
    Outgoing,
    Reconnect,
    Request,
    Send,
    Tell,
)

if TYPE_CHECKING:
    from bloor.engine.build import Line
    from bloor.engine.core import Engine

__all__ = ["DEMANDS", "Heard", "OrderWire", "encoded"]

#: What an order session makes of what its venue said: reports, and what to do.
Heard = tuple[Sequence[VenueReport], Sequence[Action]]

#: What a demand of the blotter is as a decision.
DEMANDS = {
    Consequence.QUERY: DecisionKind.QUERY,
    Consequence.FETCH_FILLS: DecisionKind.FETCH_FILLS,
    Consequence.SEARCH_TRADES: DecisionKind.SEARCH_TRADES,
    Consequence.CANCEL_NOW: DecisionKind.CANCEL,
}


def encoded(session: OrderSession, kind: DecisionKind, order: Order, now_ns: int) -> Outgoing:
    """A cancel, a query, a request for the fills of an order or for trades that may be its.

    Raises:
        LocalProtocolError: There is no way to send it by.
    """
    what = _named(order)
    if kind is DecisionKind.CANCEL:
        return session.cancel(what, now_ns)
    if kind is DecisionKind.QUERY:
        return session.query(order.client_id, order.instrument, now_ns)
    if kind is DecisionKind.SEARCH_TRADES:
        return session.search_trades(what, order.sent_ns, now_ns, now_ns)
    return session.fetch_fills(what, now_ns)


def _named(order: Order) -> CancelRequest:
    return CancelRequest(client_id=order.client_id, venue_order_id=order.venue_order_id, instrument=order.instrument)


class OrderWire:
    """The order connections of an engine, and REST beside them.

    Args:
        engine: The decision core.
        recorder: Where everything is written before it is sent.
        alert: Takes what a person should know: code and text.
        outcomes: Takes what follows from a list of open orders.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        alert: Callable[[str, str], None],
        outcomes: Callable[[Iterable[Outcome]], None],
    ) -> None:
        self._engine = engine
        self._record = recorder.append
        self._alert = alert
        self._outcomes = outcomes

    def write(self, line: int, out: Outgoing) -> None:
        """Records what goes to the ``line``-th venue, without keys, and sends it."""
        engine, conn = self._engine, order_conn(line)
        if isinstance(out, bytes):
            self._record(RecordKind.FRAME_OUT, conn, engine.now_ns, engine.lines[line].orders.redacted(out))
            engine.effects.send(conn, out)
        else:
            self._record(RecordKind.REQUEST, conn, engine.now_ns, out.record())
            engine.effects.request(conn, out)

    def cancel_together(self, number: int, orders: Sequence[Order], decide: Callable[[Order], None]) -> int:
        """Cancels several orders at the ``number``-th venue by as few requests as it takes.

        Args:
            number: Index of the venue in the run.
            orders: Open orders, none of which is being cancelled.
            decide: Journals the decision about one of them.

        Returns:
            How many; 0 when nothing was sent, since the venue takes them one by one, or they cannot be sent.
        """
        engine, session = self._engine, self._engine.lines[number].orders
        if len(orders) < 2 or not isinstance(session, BatchSession):
            return 0
        try:
            payloads = session.cancel_all([_named(order) for order in orders], engine.now_ns)
        except LocalProtocolError:
            return 0
        for order in orders:
            decide(order)
        for payload in payloads:
            self.write(number, payload)
        engine.tell([outcome for order in orders for outcome in engine.blotter.cancel_sent(order, engine.now_ns)])
        return len(orders)

    def carry_out(self, conn: int, actions: Sequence[Action]) -> None:
        """Does what an order session asks for."""
        engine, (line, _) = self._engine, line_of(conn)
        for action in actions:
            if isinstance(action, Send):
                self.write(line, action.payload)
            elif isinstance(action, Request):
                self.write(line, action)
            elif isinstance(action, Listed):
                self._outcomes(engine.blotter.listed(engine.lines[line].venue, *action))
            elif isinstance(action, Reconnect):
                engine.effects.reconnect(conn, action.reason)
            elif isinstance(action, Tell):
                self._alert(action.code, action.text)

    def heard(self, line: Line, read: Callable[[], Heard], *, over_connection: bool) -> Heard | None:
        """What a session makes of what its venue said; None when it can make nothing of it.

        Args:
            line: The venue.
            read: Has the session read it.
            over_connection: Whether it came over the order connection.
        """
        try:
            return read()
        except RemoteProtocolError as error:
            self._engine.measures.bad_frames += 1
            self._alert("bad_order_frame", f"{line.venue}: {error}")
            if isinstance(error, AccessRefusedError) or (over_connection and not line.orders.ready):
                # authentication was refused: more of the same would not help
                self._engine.failed(error)
            return None

    def conclude(self) -> None:
        """Lets every session at whose venue nothing of ours is open end its business there."""
        engine = self._engine
        busy = {order.instrument.venue for order in engine.blotter.open_orders()}
        for number, line in enumerate(engine.lines):
            if isinstance(line.orders, ConcludingSession) and line.venue not in busy:
                self.carry_out(order_conn(number), line.orders.conclude(engine.now_ns))
