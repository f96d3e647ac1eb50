"""The orders of one session, by our id and by the venue's (sans I/O)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, VenueFill, VenueReport
from bloor.venue.session import NEVER
from bloor_coinbase.rows import OrderRow
from bloor_coinbase.tracking import TrackedOrder, order_report

__all__ = ["FORGET_NS", "Registry"]

SECOND = 1_000_000_000
#: An order that ended, and whose fills are all told, is forgotten after this.
FORGET_NS = 3_600 * SECOND
#: An order that was not placed here is looked for among those of the last day; one whose id is taken, of a month.
_UNKNOWN_SINCE_NS, _TAKEN_SINCE_NS = 86_400 * SECOND, 30 * 86_400 * SECOND


class Registry:
    """What :class:`~bloor_coinbase.tracking.TrackedOrder` knows, of all orders.

    Args:
        derive_ns: How long REST may take to show fills before they are derived from the stream.
    """

    def __init__(self, derive_ns: int) -> None:
        self._derive_ns = derive_ns
        self._orders: dict[str, TrackedOrder] = {}
        self._lacking: dict[str, TrackedOrder] = {}
        self._done: deque[TrackedOrder] = deque()

    def __len__(self) -> int:
        return len(self._orders)

    def placed(self, order: OrderRequest, now_ns: int) -> None:
        """An order is about to be sent; those that are long done are forgotten."""
        while self._done and self._done[0].done_ns < now_ns - FORGET_NS:
            gone = self._done.popleft()
            self._orders.pop(gone.order.client_id, None)
        self._orders[order.client_id] = TrackedOrder(order, now_ns, self._derive_ns)

    def of(self, client_id: str) -> TrackedOrder | None:
        """An order by our id; None when it was not placed here, or is forgotten."""
        return self._orders.get(client_id)

    def order_id(self, client_id: str) -> str:
        """The venue's id of an order; empty when it is not known."""
        tracked = self._orders.get(client_id)
        return tracked.order_id if tracked else ""

    def since_ns(self, client_id: str, now_ns: int) -> int:
        """Since when to look for an order."""
        tracked = self._orders.get(client_id)
        if tracked is None:
            return now_ns - _UNKNOWN_SINCE_NS
        return tracked.placed_ns - (_TAKEN_SINCE_NS if tracked.is_taken else 0)

    # ---- what the venue says

    def heard(self, row: OrderRow, instrument: Instrument, now_ns: int, *, asked: bool) -> Sequence[VenueReport]:
        """A row about an order, ours or not, in our words."""
        tracked = self._orders.get(row.client_id)
        if tracked is None or tracked.order.instrument.key != instrument.key:
            return [order_report(row, instrument, asked=asked)]
        reports = tracked.heard(row, now_ns, asked=asked)
        self._note(tracked)
        return reports

    def showed(self, tracked: TrackedOrder, fills: Sequence[VenueFill], now_ns: int) -> Sequence[VenueReport]:
        """REST listed fills of an order of ours."""
        reports = tracked.showed(fills, now_ns)
        self._note(tracked)
        return reports

    def overdue(self, now_ns: int) -> Sequence[VenueReport]:
        """What must be told though REST has not shown every fill."""
        reports: list[VenueReport] = []
        for tracked in list(self._lacking.values()):
            reports += tracked.overdue(now_ns)
            self._note(tracked)
        return reports

    def _note(self, tracked: TrackedOrder) -> None:
        client_id = tracked.order.client_id
        if tracked.is_wanting:
            self._lacking[client_id] = tracked
        elif self._lacking.pop(client_id, None) is not None or tracked.done_ns:
            self._finish(tracked)

    def _finish(self, tracked: TrackedOrder) -> None:
        if tracked.done_ns and not tracked.is_kept:
            tracked.is_kept = True
            self._done.append(tracked)

    # ---- asking for fills

    @property
    def fetch_ns(self) -> int:
        """When to ask for fills next."""
        return min((tracked.fetch_ns for tracked in self._lacking.values() if tracked.order_id), default=NEVER)

    def to_fetch(self, now_ns: int) -> Sequence[TrackedOrder]:
        """The orders whose fills are to be asked for now; they count as asked for."""
        due = [t for t in self._lacking.values() if t.fetch_ns <= now_ns and t.order_id]
        for tracked in due:
            tracked.asked()
        return due
