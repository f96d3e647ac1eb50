"""The frames of the private connection that nobody asked for: orders, holdings, the state of the venue (sans I/O).

Each channel is numbered for itself; what is missing is read anew (:class:`~bloor_kraken.conversation.Numbering`).
Source: docs.kraken.com, Spot WebSocket v2, "Executions", "Balances", "Status".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bloor.errors import RemoteProtocolError
from bloor.model.orders import ReportKind, VenueReport
from bloor.venue.session import Action, Tell
from bloor_kraken.balances import Balances
from bloor_kraken.conversation import Conversation, Numbering, sequence_of
from bloor_kraken.executions import BAD_ROW, Executions
from bloor_kraken.frames.fields import objects
from bloor_kraken.rate_counter import RateCounters, points

__all__ = ["Open", "PrivateStream"]

_ENDS = frozenset({ReportKind.REJECT, ReportKind.CANCELLED, ReportKind.EXPIRED, ReportKind.FOUND_CLOSED})


class Open(NamedTuple):
    """What a snapshot says.

    Attributes:
        client_ids: Orders that are open.
        unsure: Those of them of which it does not say how much is filled, though something is.
    """

    client_ids: frozenset[str]
    unsure: Sequence[str]


class PrivateStream:
    """What the private stream has said.

    Attributes:
        system: State of the trading engine.
        balances: What the account holds.

    Args:
        executions: The orders that it speaks of.
        counters: The trading engine's rate counters, which are told what is open.
        talk: The connection.
    """

    def __init__(self, executions: Executions, counters: RateCounters, talk: Conversation) -> None:
        self.system = "online"
        self.balances = Balances()
        self._executions = executions
        self._counters = counters
        self._talk = talk
        self._orders, self._holdings = Numbering(), Numbering()

    def restart(self) -> None:
        """A new connection: everything is said anew."""
        self.system = "online"
        self._orders.restart()
        self._holdings.restart()

    def executed(
        self, message: Mapping[str, Any], now_ns: int
    ) -> tuple[Sequence[VenueReport], list[Action], Open | None]:
        """A frame of ``executions``; of a snapshot also what is open.

        A row that cannot be read is told, and the stream is read anew, for what it said is not known; the others count.

        Raises:
            RemoteProtocolError: It has no rows at all.
        """
        snapshot = message.get("type") == "snapshot"
        actions: list[Action] = []
        if self._orders.has_hole(sequence_of(message), snapshot=snapshot):
            actions = [Tell("private_gap", "kraken: frames of the private stream are missing; it is read anew")]
            actions += self._talk.leave("executions", now_ns)
        reports: list[VenueReport] = []
        for row in objects("executions", dict(message)):
            try:
                reports += self._executions.snapshot(row) if snapshot else self._executions.update(row)
                self._count(row, now_ns)
            except RemoteProtocolError as error:
                self._executions.told.append((BAD_ROW, f"kraken: {error}"))
        actions += self.tell(now_ns, snapshot=snapshot)
        found = [report for report in reports if report.kind is ReportKind.FOUND_OPEN]
        unsure = [r.client_id for r in found if r.cumulative_units < 0 and r.reason == "PARTIALLY_FILLED"]
        still = Open(frozenset(report.client_id for report in found), unsure) if snapshot else None
        return self.settled(reports, now_ns), actions, still

    def tell(self, now_ns: int, *, snapshot: bool = False) -> list[Action]:
        """What a person should know of the rows that were read; after a bad one the stream is read anew.

        A snapshot is not: the next one would say the same.
        """
        told, self._executions.told = self._executions.told, []
        actions: list[Action] = [Tell(code, text) for code, text in told]
        if not snapshot and any(code == BAD_ROW for code, _ in told):
            actions += self._talk.leave("executions", now_ns)
        return actions

    def _count(self, row: Mapping[str, Any], now_ns: int) -> None:
        """The venue's own count, where a row has it."""
        bound = self._executions.bound(str(row.get("order_id")))
        counter = self._counters.of(bound.instrument.venue_symbol) if bound is not None else None
        if counter is not None and "ratecount" in row:
            counter.said(points(row["ratecount"]), now_ns)

    def settled(self, reports: Sequence[VenueReport], now_ns: int) -> Sequence[VenueReport]:
        """The reports, once the rate counters know what is open after them."""
        for report in reports:
            if report.kind in _ENDS:
                self._counters.ended(report.client_id)
            elif report.kind is ReportKind.FOUND_OPEN and self._executions.instrument(report.client_id) is not None:
                counter = self._counters.of(report.venue_symbol)
                if counter is not None:
                    counter.found(report.client_id, now_ns)
        return reports

    def held(self, message: Mapping[str, Any], now_ns: int) -> Sequence[Action]:
        """A frame of ``balances``; one that cannot be read is told, for nothing is decided from it."""
        snapshot = message.get("type") == "snapshot"
        actions: list[Action] = []
        try:
            if self._holdings.has_hole(sequence_of(message), snapshot=snapshot):
                self._holdings.restart()
                actions += self._talk.leave("balances", now_ns)
            actions += [Tell("balance_moved", f"kraken: {what}") for what in self.balances.take(message)]
        except RemoteProtocolError as error:
            actions.append(Tell("bad_balances", f"kraken: {error}"))
        return actions

    def status(self, message: Mapping[str, Any]) -> Sequence[Action]:
        """A frame of ``status``: the state of the trading engine; only a change is told."""
        data = message.get("data")
        system = data[0].get("system") if type(data) is list and data and type(data[0]) is dict else None
        if type(system) is not str or system == self.system:
            return ()
        self.system = system
        return (Tell("venue_status", f"Kraken's trading engine is {system!r:.40}"),)
