"""What comes out of the blotter."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

import attrs

from bloor.execution.life import Consequence, Lifecycle, Reason
from bloor.execution.order import Order
from bloor.model.orders import Fill

__all__ = ["ALERT_KINDS", "Alert", "AlertKind", "Counters", "Demand", "Filled", "Outcome", "Tally", "Updated"]


class AlertKind(Enum):
    """What a person must be told."""

    #: A fill after the end of its order that nobody had announced.
    LATE_FILL = "late_fill"
    #: Filled beyond the ordered quantity: it counts, and the strategy must be halted.
    OVERFILL = "overfill"
    #: An order is nowhere to be found, after the horizon.
    LOST = "lost"
    #: An order that had ended is open after all; it is being cancelled.
    RESURRECTED = "resurrected"
    #: The venue says two things that cannot both be true.
    CONTRADICTION = "contradiction"
    #: The venue has an order with an id of ours that this run knows nothing of.
    ORPHAN = "orphan"
    #: The venue has counted fills that it does not show.
    FILLS_MISSING = "fills_missing"
    #: An order is nowhere to be found, and the account traded in an order that nobody knows: it may have been this one.
    UNPROVEN = "unproven"


ALERT_KINDS = {
    Consequence.ALERT_LATE_FILL: AlertKind.LATE_FILL,
    Consequence.ALERT_OVERFILL: AlertKind.OVERFILL,
    Consequence.ALERT_LOST: AlertKind.LOST,
    Consequence.ALERT_RESURRECTED: AlertKind.RESURRECTED,
    Consequence.ALERT_CONTRADICTION: AlertKind.CONTRADICTION,
}


class Alert(NamedTuple):
    """Tell a person."""

    order: Order | None
    kind: AlertKind
    detail: str


class Demand(NamedTuple):
    """Do something at the venue: ``CANCEL_NOW``, ``QUERY``, ``FETCH_FILLS`` or ``SEARCH_TRADES``."""

    order: Order
    what: Consequence


class Filled(NamedTuple):
    """A fill entered the position."""

    order: Order
    fill: Fill


class Updated(NamedTuple):
    """The status or the filled quantity of an order changed."""

    order: Order


Outcome = Alert | Demand | Filled | Updated


@attrs.define
class Counters:
    """What the blotter counts besides orders.

    Attributes:
        duplicate_fills: Fills that were reported again.
        stale_reports: Reports that a later one had overtaken.
        foreign: Reports on orders that are not ours.
        orphans: Reports on orders with an id of ours that this run has not made, or has forgotten.
        contradictions: Reports that contradict what is known.
        fees_unvalued: Fees in an asset of unknown worth, counted as 0.
        unvalued: Asset -> sum of those fees.
    """

    duplicate_fills: int = 0
    stale_reports: int = 0
    foreign: int = 0
    orphans: int = 0
    contradictions: int = 0
    fees_unvalued: int = 0
    unvalued: dict[str, Decimal] = attrs.field(factory=dict)


@attrs.define
class Tally:
    """How many orders came how far.

    Attributes:
        sent: Went to a venue.
        acked: Were known to the venue at some time.
        filled: Filled completely.
        cancelled: Cancelled, expired, or ended by the venue in another way, before they were filled.
        rejected: Refused by the venue.
        denied: Refused by our own gate.
        unknown: Of unknown outcome now, or lost.
    """

    sent: int = 0
    acked: int = 0
    filled: int = 0
    cancelled: int = 0
    rejected: int = 0
    denied: int = 0
    unknown: int = 0

    def count(self, order: Order) -> None:
        """Counts one order."""
        reason = order.state.reason
        self.sent += order.sent_ns > 0
        self.acked += order.acked_ns > 0
        self.filled += reason is Reason.FILLED
        self.cancelled += reason in (Reason.CANCELLED, Reason.EXPIRED, Reason.ENDED)
        self.rejected += reason is Reason.REJECTED
        self.denied += reason is Reason.DENIED
        self.unknown += reason is Reason.LOST or order.state.lifecycle is Lifecycle.UNKNOWN

    def add(self, other: Tally) -> None:
        """Counts all that another tally counted."""
        for name, number in other.as_dict().items():
            setattr(self, name, getattr(self, name) + number)

    def as_dict(self) -> dict[str, int]:
        """The numbers by name."""
        return attrs.asdict(self)
