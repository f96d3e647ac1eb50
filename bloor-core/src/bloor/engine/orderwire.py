"""What goes to venues about orders: encoded by a session, recorded without keys, then sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from bloor.engine.decisions import DecisionKind
from bloor.engine.effects import Recorder, line_of, order_conn
from bloor.execution.life import Consequence
from bloor.execution.order import Order
from bloor.execution.outcomes import Outcome
from bloor.journal.record import RecordKind
from bloor.model.orders import CancelRequest, VenueReport
from bloor.venue.session import Action, Listed, OrderSession, Outgoing, Reconnect, Request, Send, Tell

if TYPE_CHECKING:
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
    what = CancelRequest(
        client_id=order.client_id, venue_order_id=order.venue_order_id, instrument=order.instrument
    )  # fmt: skip
    if kind is DecisionKind.CANCEL:
        return session.cancel(what, now_ns)
    if kind is DecisionKind.QUERY:
        return session.query(order.client_id, order.instrument, now_ns)
    if kind is DecisionKind.SEARCH_TRADES:
        return session.search_trades(what, order.sent_ns, now_ns, now_ns)
    return session.fetch_fills(what, now_ns)


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
