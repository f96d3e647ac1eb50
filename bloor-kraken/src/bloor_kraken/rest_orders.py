"""What goes over REST about orders, and the questions that its answers lead to (sans I/O).

Kraken's WebSocket has no question about an order: those go over REST even while the connection is up. While it is down,
cancels go this way too, and new orders if that is configured (:class:`~bloor_kraken.config.RestOrders`); besides, what
is open is looked up every :data:`LOOK_NS`, because fills of what rests are not heard of without the private stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import ReportKind, VenueReport
from bloor.venue.session import NEVER, Action, Listed, Tell
from bloor_kraken.answers import OrderRow, PairNames, order_rows, queried, trade_fills, trades_seen
from bloor_kraken.config import RestOrders
from bloor_kraken.executions import Executions
from bloor_kraken.order_requests import Operation
from bloor_kraken.private_rest import PrivateRequest, private_request
from bloor_kraken.refusals import Refusal
from bloor_kraken.signing import KrakenCredentials

__all__ = ["RestWay"]

SECOND = 1_000_000_000
#: Pause before the first look at open orders after the connection was lost, and between the others.
FIRST_LOOK_NS, LOOK_NS = SECOND, 10 * SECOND
#: How long what can wait, and what opens an order, may wait for the rate limit; cancels wait as long as it takes.
QUERY_PATIENCE_NS, ORDER_PATIENCE_NS = SECOND, SECOND
#: Waits after "rate limit exceeded" and after "temporary lockout" (docs.kraken.com: 15 minutes).
SLOW_DOWN_NS, LOCKED_OUT_NS = 15 * SECOND, 900 * SECOND
#: Trades that one request reads, and orders.
_TRADES_READ, _MOST_IDENTIFIED = 20, 50

Heard = tuple[Sequence[VenueReport], Sequence[Action]]


class RestWay:
    """Makes requests, and reads what only REST answers.

    Attributes:
        known: Whether the account was ever reached; before that there is nothing to ask about.
    """

    def __init__(
        self,
        keys: KrakenCredentials,
        allowed: RestOrders,
        instruments: Mapping[str, Instrument],
        executions: Executions,
    ) -> None:
        self.allowed = allowed
        self.known = False
        self._keys = keys
        self._instruments = instruments
        self._names = PairNames(instruments)
        self._executions = executions
        self._seen: dict[str, VenueReport] = {}
        self._quiet_until_ns = 0
        self._locked_until_ns = 0

    def carries(self, operation: Operation) -> bool:
        """Whether an operation may go this way while the connection is down."""
        if not self.known or self.allowed is RestOrders.OFF:
            return False
        return self.allowed is RestOrders.ALL or not operation.value.opens

    def request(self, operation: Operation, name: str, params: Mapping[str, Any], now_ns: int) -> PrivateRequest:
        """A signed request; its answer comes back under the operation's letter and ``name``.

        Raises:
            LocalProtocolError: Kraken has asked for silence.
        """
        route = operation.value
        quiet_ns = self._locked_until_ns if route.urgent else max(self._quiet_until_ns, self._locked_until_ns)
        if now_ns < quiet_ns:
            wait_s = (quiet_ns - now_ns) / 1e9
            raise LocalProtocolError(f"{route.path}: kraken wants no requests for {wait_s:.0f} s: too many were made")
        patience = ORDER_PATIENCE_NS if route.opens else QUERY_PATIENCE_NS
        return private_request(
            self._keys, route.letter + name, route.path, params, now_ns, urgent=route.urgent,
            **({} if route.urgent or operation is Operation.TOKEN else {"patience_ns": patience}),
        )  # fmt: skip

    def slowed(self, refusal: Refusal | None, words: str, now_ns: int) -> list[Action]:
        """What a refusal means for the requests to come."""
        if refusal is Refusal.NONCE:
            self._keys.nonces.leap()
            return [Tell("nonce", f"kraken: {words}: does another program use this key? Give each its own")]
        if refusal is Refusal.TOO_FAST:
            lockout = "lockout" in words.lower()
            until_ns = now_ns + (LOCKED_OUT_NS if lockout else SLOW_DOWN_NS)
            if lockout:
                self._locked_until_ns = max(self._locked_until_ns, until_ns)
            self._quiet_until_ns = max(self._quiet_until_ns, until_ns)
            return [Tell("slow_down", f"kraken: {words}")]
        return [Tell("refused", f"kraken: {words}")] if refusal is Refusal.ACCESS else []

    # ---- looking at open orders

    def first_look_ns(self, now_ns: int) -> int:
        """When to look for the first time after the connection was lost."""
        return now_ns + FIRST_LOOK_NS if self.carries(Operation.LIST) else NEVER

    def look(self, now_ns: int) -> Sequence[Action]:
        """Asks for everything that is open."""
        try:
            return [self.request(Operation.LIST, str(now_ns), {}, now_ns)]
        except LocalProtocolError:
            return []

    # ---- questions

    def question(self, client_id: str, now_ns: int) -> PrivateRequest:
        """Asks for the state of an order: by the venue's id if it is known, else by ours."""
        order_id = self._executions.venue_id(client_id)
        if order_id:
            return self.request(Operation.QUERY, client_id, {"txid": order_id}, now_ns)
        return self.request(Operation.FIND_OPEN, client_id, {"cl_ord_id": client_id}, now_ns)

    def follow_up(self, client_id: str, now_ns: int) -> list[Action]:
        """Asks what became of an order that REST has taken a request about."""
        try:
            return [self.question(client_id, now_ns)]
        except LocalProtocolError:
            return []

    # ---- answers

    def read(self, operation: Operation, name: str, result: Any, now_ns: int) -> Heard:
        """What the answer to a question says.

        Raises:
            RemoteProtocolError: A field is missing or wrong; the message names it.
            LocalProtocolError: It leads to another question, and Kraken has asked for silence.
        """
        if operation is Operation.LIST:
            return self._listed(_part("OpenOrders", result, "open"), int(name))
        instrument = self._executions.instrument(name)
        if instrument is None:
            return (), ()
        if operation is Operation.FIND_OPEN:
            found = self._find("OpenOrders", _part("OpenOrders", result, "open"), name)
            if found is None:
                return (), (self.request(Operation.FIND_CLOSED, name, {"cl_ord_id": name}, now_ns),)
            return self._found(found, name, instrument), ()
        if operation is Operation.FIND_CLOSED:
            found = self._find("ClosedOrders", _part("ClosedOrders", result, "closed"), name)
            if found is None:
                return (VenueReport(kind=ReportKind.NOT_FOUND, client_id=name),), ()
            return self._found(found, name, instrument), ()
        if operation is Operation.QUERY:
            rows = list(order_rows("QueryOrders", result, self._names))
            mine = next((row for row in rows if row.order_id == self._executions.venue_id(name)), None)
            if mine is None:
                return (VenueReport(kind=ReportKind.NOT_FOUND, client_id=name),), ()
            return self._found(mine, name, instrument), ()
        if operation is Operation.FILLS:
            return (), self._read_fills(name, result, now_ns)
        if operation is Operation.FILLS_READ:
            return trade_fills(name, result, self._names), ()
        if operation is Operation.SEARCH:
            return self._searched(name, trades_seen(name, result, instrument), now_ns)
        if operation is Operation.IDENTIFY:
            return self._identified(name, result, instrument), ()
        return (), ()

    def _searched(self, client_id: str, seen: VenueReport, now_ns: int) -> Heard:
        """Which orders traded; whose those are of which nothing is known is asked first."""
        unknown = sorted(each for each in seen.order_ids or () if self._executions.bound(each) is None)
        if not unknown or len(unknown) > _MOST_IDENTIFIED:
            return (seen,), ()
        self._seen[client_id] = seen
        return (), (self.request(Operation.IDENTIFY, client_id, {"txid": ",".join(unknown)}, now_ns),)

    def _identified(self, client_id: str, result: Any, instrument: Instrument) -> Sequence[VenueReport]:
        """Orders that traded: the one that was searched for is found, others are named as others'."""
        reports: list[VenueReport] = []
        for order in order_rows("QueryOrders", result, self._names):
            if order.client_id == client_id:
                return self._found(order, client_id, instrument)
            reports.append(
                VenueReport(
                    kind=ReportKind.FOUND_CLOSED, client_id=order.client_id, venue_order_id=order.order_id,
                    venue_symbol=instrument.venue_symbol, reason="it is not the order that was searched for",
                )
            )  # fmt: skip
        seen = self._seen.pop(client_id, None)
        return reports if seen is None else [*reports, seen]

    def _found(self, order: OrderRow, client_id: str, instrument: Instrument) -> Sequence[VenueReport]:
        kept = self._executions.bind(order.order_id, client_id, instrument)
        return [queried(order, client_id, instrument), *kept]

    def _find(self, what: str, rows: Any, client_id: str) -> OrderRow | None:
        """The order of a client id: the one that is open, or the only one there ever was."""
        return next((row for row in order_rows(what, rows, self._names) if row.client_id == client_id), None)

    def _listed(self, rows: Any, asked_ns: int) -> Heard:
        reports: list[VenueReport] = []
        ids: dict[str, list[str]] = {symbol: [] for symbol in self._instruments}
        for order in order_rows("OpenOrders", rows, self._names):
            if order.client_id and order.instrument is not None:
                ids[order.instrument.venue_symbol].append(order.client_id)
                reports += self._found(order, order.client_id, order.instrument)
        return reports, [Listed(symbol, frozenset(found), asked_ns) for symbol, found in ids.items()]

    def _read_fills(self, client_id: str, result: Any, now_ns: int) -> list[Action]:
        """The trades of an order are asked for by the ids that it names."""
        order = next(order_rows("QueryOrders", result, self._names), None)
        trades = [] if order is None else order.row.get("trades", [])
        if type(trades) is not list or any(type(each) is not str for each in trades):
            raise RemoteProtocolError(f"QueryOrders: expected a list of trades, got {trades!r:.60}")
        return [
            self.request(Operation.FILLS_READ, client_id, {"txid": ",".join(trades[n : n + _TRADES_READ])}, now_ns)
            for n in range(0, len(trades), _TRADES_READ)
        ]


def _part(what: str, result: Any, name: str) -> Any:
    """``result[name]``.

    Raises:
        RemoteProtocolError: There is no such part.
    """
    if type(result) is not dict or type(result.get(name)) is not dict:
        raise RemoteProtocolError(f"{what}: expected an object with {name!r}, got {result!r:.60}")
    return result[name]
