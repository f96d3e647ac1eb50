"""Order entry and the private stream of Acme over one connection (sans I/O).

After the connection opens it logs in; the venue then tells every change of the account's orders by itself. A ping every
:data:`HEARTBEAT_NS` shows that the connection still answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import Commission, ExecutorContext, ExecutorSpec
from bloor.model.instrument import Instrument
from bloor.model.orders import AmendRequest, CancelRequest, OrderRequest, ReplaceRequest, VenueReport
from bloor.venue.account import DeadMan
from bloor.venue.session import NEVER, Action, Outgoing, Reconnect, Send

from bloor_acme.account import AcmeAccount
from bloor_acme.credentials import STAND_IN, AcmeCredentials, read_credentials
from bloor_acme.protocol import flag, parsed, placed, text
from bloor_acme.reports import answer_reports, event_reports

__all__ = ["AcmeExecutor", "executor_spec"]

SECOND = 1_000_000_000
#: How often the connection is asked for a sign of life, and how long it may take to answer (also the log-in).
HEARTBEAT_NS, ANSWER_NS = 10 * SECOND, 5 * SECOND
#: No answer to an order after this long: its outcome is unknown.
UNKNOWN_AFTER_NS = 3 * SECOND
#: Nowhere found after this long: it never came to the venue.
LOST_AFTER_NS = 20 * SECOND

#: What it takes of a fill, of what is received; a run on paper takes the same.
COMMISSION = Commission(maker=Decimal("0.001"), taker=Decimal("0.001"))

DEAD_MAN = DeadMan(
    supported=False,
    text="Acme cancels nothing by itself when a connection or a program dies: open orders stay in the market",
)


class AcmeExecutor:
    """One order connection; see :class:`bloor.venue.session.OrderSession`."""

    def __init__(self, context: ExecutorContext) -> None:
        assert isinstance(context.credentials, AcmeCredentials)
        self.url = context.endpoints.ws_api
        self.deadline_ns = NEVER
        self.ready = False
        self._keys: AcmeCredentials = context.credentials
        self._instruments = {instrument.venue_symbol: instrument for instrument in context.instruments}
        self._waiting = False

    # ---- the life of the connection

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Logs in."""
        signature = self._keys.login(now_ns)
        return (self._ask({"op": "login", "key": self._keys.key, "time_ns": now_ns, "signature": signature}, now_ns),)

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Nothing can be sent; the outcome of what was in flight is bloor's to resolve."""
        self.ready = self._waiting = False
        self.deadline_ns = NEVER
        return ()

    def timer(self, now_ns: int) -> Sequence[Action]:
        """A ping is due, or an answer is overdue."""
        if self._waiting:
            what = "a ping" if self.ready else "the log-in"
            self.ready = self._waiting = False
            self.deadline_ns = NEVER
            return (Reconnect(f"no answer to {what} within {ANSWER_NS // SECOND} s"),)
        return (self._ask({"op": "ping"}, now_ns),)

    @property
    def accepting(self) -> bool:
        """Whether new orders can be sent now."""
        return self.ready

    def _ask(self, message: Mapping[str, Any], now_ns: int) -> Send:
        self._waiting = True
        self.deadline_ns = now_ns + ANSWER_NS
        return Send(orjson.dumps(message))

    # ---- requests about orders

    def place(self, order: OrderRequest, now_ns: int) -> Outgoing:
        """A new order."""
        return self._about("place", {"op": "place", **placed(order)})

    def cancel(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """Cancels an order."""
        return self._about("cancel", _named("cancel", order.client_id, order.instrument))

    def query(self, client_id: str, instrument: Instrument, now_ns: int) -> Outgoing:
        """Asks for the state of an order."""
        return self._about("query", _named("query", client_id, instrument))

    def fetch_fills(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """Asks for every fill of an order."""
        return self._about("fills", _named("fills", order.client_id, order.instrument))

    def replace(self, both: ReplaceRequest, now_ns: int) -> Outgoing:
        """Acme cannot. Raises LocalProtocolError; bloor then cancels and places."""
        raise LocalProtocolError("acme has no request that cancels an order and places another")

    def amend(self, change: AmendRequest, now_ns: int) -> Outgoing:
        """Acme cannot. Raises LocalProtocolError."""
        raise LocalProtocolError("acme has no request that changes an order")

    def search_trades(self, order: CancelRequest, from_ns: int, to_ns: int, now_ns: int) -> Outgoing:
        """Acme cannot, and :attr:`ExecutorSpec.searches_trades` says so. Raises LocalProtocolError."""
        raise LocalProtocolError("acme has no list of an account's trades")

    def redacted(self, frame: bytes) -> bytes:
        """A frame as it may be recorded: a log-in without key and signature."""
        if b'"signature"' not in frame:
            return frame
        message = orjson.loads(frame)
        return orjson.dumps({name: value for name, value in message.items() if name not in ("key", "signature")})

    def _about(self, op: str, message: Mapping[str, Any]) -> bytes:
        if not self.ready:
            raise LocalProtocolError(f"{op}: the order connection to acme is not logged in")
        return orjson.dumps(message)

    # ---- what the venue says

    def received(self, frame: bytes, now_ns: int) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """An answer or an event.

        Raises:
            RemoteProtocolError: The frame is not what the venue may send, or the log-in was refused.
        """
        message = parsed(frame)
        kind = message.get("type")
        if kind == "order":
            return event_reports(message, self._instruments), ()
        if kind != "answer":
            return (), ()
        if text("answer", message, "op") in ("login", "ping"):
            return (), self._signed_of_life(message, now_ns)
        return answer_reports(message, self._instruments), ()

    def _signed_of_life(self, answer: Mapping[str, Any], now_ns: int) -> Sequence[Action]:
        if not flag("answer", answer, "ok"):
            said = f"{answer.get('code')} {answer.get('text')}"
            raise RemoteProtocolError(f"acme refused {answer['op']}: {said}")
        self.ready = True
        self._waiting = False
        self.deadline_ns = now_ns + HEARTBEAT_NS
        return ()

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """Nothing is asked for over REST."""
        return (), ()


def _named(op: str, client_id: str, instrument: Instrument) -> Mapping[str, Any]:
    return {"op": op, "client_id": client_id, "symbol": instrument.venue_symbol}


def executor_spec() -> ExecutorSpec:
    """What ``bloor_executor`` hands over."""
    return ExecutorSpec(
        venue="acme",
        build=AcmeExecutor,
        credentials=read_credentials,
        unknown_after_ns=UNKNOWN_AFTER_NS,
        lost_after_ns=LOST_AFTER_NS,
        stand_in=STAND_IN,
        account=AcmeAccount,
        dead_man=DEAD_MAN,
        commission=COMMISSION,
    )
