"""How long to wait for a venue, and what to do about an order that the venue is silent on."""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen, validators

from bloor.execution.life import Intent, Lifecycle, State
from bloor.execution.order import Order
from bloor.venue.session import NEVER

__all__ = ["Patience", "Waiting", "waiting"]


class Waiting(Enum):
    """What an order is waiting for."""

    #: Nothing: it rests, or it has ended.
    NOTHING = "nothing"
    #: The answer to its submission.
    ACK = "ack"
    #: The answer to its cancel.
    CANCEL = "cancel"
    #: The answer to its reduction.
    REPLACE = "replace"
    #: The answer to a query: nobody knows where it is.
    QUERY = "query"
    #: Fills that the venue has counted and we have not seen.
    FILLS = "fills"


@frozen(kw_only=True)
class Patience:
    """Times of one venue, in ns; those without a default are from its :class:`~bloor.hookspecs.ExecutorSpec`.

    Attributes:
        unknown_after_ns: How long an order or a cancel may stay unanswered before its outcome counts as unknown.
        lost_after_ns: The horizon: an order that is nowhere found this long after it was sent will never be found. The
            order's deadline, the venue's processing bound, clock error and stream lag together.
        requery_ns: Pause before the second query; it doubles with every further one.
        requery_max_ns: Longest pause between two queries.
        searches_trades: Whether an order is lost only once the account's trades show none of it.
    """

    unknown_after_ns: int = field(validator=validators.gt(0))
    lost_after_ns: int = field(validator=validators.gt(0))
    requery_ns: int = field(default=500_000_000, validator=validators.gt(0))
    requery_max_ns: int = field(default=10_000_000_000, validator=validators.gt(0))
    searches_trades: bool = False

    def deadline_ns(self, order: Order, what: Waiting, now_ns: int) -> int:
        """When to lose patience with an order that waits for ``what``; wall ns since the epoch."""
        if what is Waiting.NOTHING:
            return NEVER
        if what is Waiting.ACK:
            return order.sent_ns + self.unknown_after_ns
        if what is Waiting.CANCEL:
            return order.cancel_ns + self.unknown_after_ns
        if what is Waiting.REPLACE:
            return order.amend_ns + self.unknown_after_ns
        return now_ns + min(self.requery_ns << min(order.attempts, 32), self.requery_max_ns)

    def horizon_ns(self, order: Order) -> int:
        """From when on an answer "not found" proves something; wall ns since the epoch."""
        return max(order.sent_ns, order.cancel_ns) + self.lost_after_ns


# reading a member off its enum costs 80 ns, a module's name 5 ns
_NOTHING, _ACK, _CANCEL, _REPLACE, _QUERY, _FILLS = Waiting
_CREATED, _SENT, _UNKNOWN, _LIVE, _CLOSED = Lifecycle
_CANCELLING, _REPLACING, _IN_DOUBT = Intent.CANCEL, Intent.REPLACE, Intent.DOUBTED | Intent.UNSURE


def waiting(state: State) -> Waiting:
    """What an order in this state waits for."""
    lifecycle, intents = state.lifecycle, state.intents
    if lifecycle is _CREATED:
        return _NOTHING
    if lifecycle is not _CLOSED:
        if lifecycle is _UNKNOWN or intents & _IN_DOUBT:
            return _QUERY
        if lifecycle is _SENT:
            return _ACK
        if intents & _CANCELLING:
            return _CANCEL
        if intents & _REPLACING:
            return _REPLACE
    return _FILLS if state.reported > state.filled else _NOTHING
