"""What is known of our own orders beside the blotter: their ids at the venue, and how far their fills are told.

Fills come before ends: an order whose end the venue has announced, and of whose fills some are still to come, is
reported open until they are here, so that nobody takes an order for done whose position is not known. This is bounded:
after :data:`GIVE_UP_NS` the end is told, and the missing fills go on being asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, OrderRequest, OrderType, ReportKind, TimeInForce, VenueFill, VenueReport
from bloor.venue.session import NEVER
from bloor_coinbase.fills import OrderFills
from bloor_coinbase.rows import OrderRow, OrderStatus

__all__ = ["GIVE_UP_NS", "TrackedOrder", "fill_report", "order_report"]

SECOND = 1_000_000_000
#: How long REST may take to show fills before the end of their order is told without them.
GIVE_UP_NS = 20 * SECOND
#: First and longest pause between two questions for the fills of an order.
_AGAIN_NS, _AGAIN_MAX_NS = SECOND // 10, 2 * SECOND
#: How often REST is asked for fills that were derived; while some are missing, there is no end to it.
_MOST_PROOFS = 20

_ENDS = {OrderStatus.CANCELLED: ReportKind.CANCELLED, OrderStatus.EXPIRED: ReportKind.EXPIRED}


class TrackedOrder:
    """One order of this session.

    Attributes:
        order: What was asked for.
        placed_ns: When.
        order_id: The venue's id; empty until it is known.
        fills: Its fills.
        fetching: Whether its fills are being asked for.
        fetch_ns: When to ask for them next.
        is_again: Whether those that were told are asked for too.
        reduced_to: Units that a reduction under way asks for; 0 without one.
        lacking_ns: Since when fills are missing; NEVER while none are.
        done_ns: When its end was told and nothing was missing; 0 before.
        is_kept: Whether it stands among those that are to be forgotten.
        is_taken: Whether the venue said that its id has an order already, which may be older.
        is_mismatch_told: Whether a person was told that the venue's order is not the one that was asked for.

    Args:
        derive_ns: How long REST may take to show fills before they are derived from the stream.
    """

    def __init__(self, order: OrderRequest, placed_ns: int, derive_ns: int) -> None:
        self._derive_ns = derive_ns
        self.order = order
        self.placed_ns = placed_ns
        self.order_id = ""
        self.fills = OrderFills(order.instrument)
        self.fetching = self.is_again = False
        self.reduced_to = 0
        self.fetch_ns = self.lacking_ns = NEVER
        self.done_ns = 0
        self.is_kept = self.is_taken = self.is_mismatch_told = False
        self._tries = 0
        self._asked_for = 0
        self._rested = False
        self._end: VenueReport | None = None

    def bind(self, order_id: str) -> None:
        """The venue's id is known."""
        self.order_id = self.order_id or order_id

    # ---- what the venue says of the order

    def heard(self, row: OrderRow, now_ns: int, *, asked: bool) -> Sequence[VenueReport]:
        """A row about it, of the stream or (``asked``) of an answer."""
        self.bind(row.order_id)
        self.fills.heard(row.mark)
        self._rested = self._rested or row.status is OrderStatus.OPEN
        if row.status.is_final and self._end is None:
            self._end = order_report(row, self.order.instrument, asked=asked)
        self._watch(now_ns)
        if self._end is not None and not self.fills.missing:
            end = self._ended(now_ns)
            return [order_report(row, self.order.instrument, asked=True) if asked and row.status.is_final else end]
        if self._end is not None:
            # its fills come first; a query stays unanswered until they are here
            return [order_report(row, self.order.instrument, asked=False, kind=ReportKind.ACK)]
        if self.reduced_to and row.ordered == self.reduced_to and not asked:
            self.reduced_to = 0
            return [order_report(row, self.order.instrument, asked=False, kind=ReportKind.REPLACED)]
        return [order_report(row, self.order.instrument, asked=asked)]

    def showed(self, fills: Sequence[VenueFill], now_ns: int) -> Sequence[VenueReport]:
        """REST listed fills of it; those that were told before only if that was asked for."""
        reports = [self._filled(fill) for fill in self.fills.shown(fills, again=self.is_again)]
        self._watch(now_ns)
        if self._end is not None and not self.done_ns and not self.fills.missing:
            reports.append(self._ended(now_ns))
        return reports

    def overdue(self, now_ns: int) -> Sequence[VenueReport]:
        """What must be told though REST has not shown every fill."""
        if self.lacking_ns == NEVER or now_ns - self.lacking_ns < self._derive_ns:
            return ()
        reports = [self._filled(fill) for fill in self.fills.derive(self.order_id, self._liquidity)]
        given_up = now_ns - self.lacking_ns >= GIVE_UP_NS
        if self._end is not None and not self.done_ns and (given_up or not self.fills.missing):
            reports.append(self._ended(now_ns))
        self._watch(now_ns)
        return reports

    # ---- asking for its fills

    @property
    def is_wanting(self) -> bool:
        """Whether REST has to be asked: fills are missing, or were derived and are to be compared."""
        return self.fills.missing > 0 or (self.fills.unproven and self._tries < _MOST_PROOFS)

    def asked(self, *, again: bool = False) -> None:
        """Its fills are being asked for, ``again`` also those that were told."""
        self.fetching = True
        self.is_again = self.is_again or again
        self._asked_for = self.fills.reported
        self.fetch_ns = NEVER

    def answered(self, now_ns: int) -> None:
        """That was answered, or failed: if more is wanted, when to ask again."""
        self.fetching = self.is_again = False
        if self.is_wanting:
            fresh = self.fills.reported > self._asked_for
            self._tries = 0 if fresh else self._tries + 1
            self.fetch_ns = now_ns if fresh else now_ns + min(_AGAIN_NS << min(self._tries, 16), _AGAIN_MAX_NS)

    def _watch(self, now_ns: int) -> None:
        if not self.fills.missing:
            self.lacking_ns = NEVER
        elif self.lacking_ns == NEVER:
            self.lacking_ns = now_ns
            self._tries = 0
        if not self.is_wanting:
            self.fetch_ns = NEVER
        elif self.fetch_ns == NEVER and not self.fetching:
            self.fetch_ns = now_ns

    # ---- reports

    def _ended(self, now_ns: int) -> VenueReport:
        assert self._end is not None
        self.done_ns = self.done_ns or now_ns
        return self._end

    def _filled(self, fill: VenueFill) -> VenueReport:
        return fill_report(self.order.client_id, self.order_id, self.order.instrument, fill)

    @property
    def _liquidity(self) -> Liquidity:
        """What the stream does not say: what an order of this kind is, when it rested before it traded."""
        order = self.order
        if order.type is OrderType.POST_ONLY:
            return Liquidity.MAKER
        takes = order.type is OrderType.MARKET or order.tif is not TimeInForce.GTC or not self._rested
        return Liquidity.TAKER if takes else Liquidity.MAKER


def order_report(row: OrderRow, instrument: Instrument, *, asked: bool, kind: ReportKind | None = None) -> VenueReport:
    """A row in our words."""
    return VenueReport(
        kind=kind or _kind(row.status, asked=asked),
        client_id=row.client_id,
        venue_symbol=instrument.venue_symbol,
        venue_order_id=row.order_id,
        cumulative_units=row.mark.units,
        quantity_units=row.ordered,
        reason=f"{row.status.value} {row.reason}".strip() if row.status.is_final else row.reason,
        exch_ns=row.mark.exch_ns,
    )


def _kind(status: OrderStatus, *, asked: bool) -> ReportKind:
    if status.is_final:
        return ReportKind.FOUND_CLOSED if asked else _ENDS.get(status, ReportKind.FOUND_CLOSED)
    if status.is_open:
        return ReportKind.FOUND_OPEN if asked else ReportKind.ACK
    return ReportKind.UNCERTAIN


def fill_report(client_id: str, order_id: str, instrument: Instrument, fill: VenueFill) -> VenueReport:
    """A fill in our words."""
    report: dict[str, Any] = {"venue_symbol": instrument.venue_symbol, "venue_order_id": order_id}
    return VenueReport(kind=ReportKind.FILL, client_id=client_id, fill=fill, exch_ns=fill.exch_ns, **report)
