"""The life of an order, as a table. Everything that changes the state of an order is in this file.

Theory of operation
===================

The state of an order has three independent dimensions::

    lifecycle   CREATED < SENT < UNKNOWN < LIVE < CLOSED(reason)      its rank never falls
    intents     a set of {CANCEL, REPLACE}                            what we asked for and have no answer to
    fills       a set keyed by (venue, account, instrument, trade)    here only its sum, ``filled``

The set of fills itself is the account's, not the order's (trade ids repeat across instruments, and a trade may be
reported twice in any place): :mod:`bloor.execution.blotter` keeps it and says here whether a fill is new
(:attr:`Event.FILL`) or a :attr:`Event.DUPLICATE_FILL`. The status that a strategy sees is no state at all: it is
*derived* (:func:`status_of`, precedence of FIX 4.4 Volume 4 appendix D).

:data:`TABLE` says for each lifecycle and event what the lifecycle becomes and which :class:`Consequence` follow;
:func:`step` looks the row up and does the arithmetic of quantities, which is the same in every row:

- ``quantity`` is the smallest that was ever ordered or that the venue has named: a reduction is the only change that
  an order knows, so the smaller of two is the newer. Until the venue has confirmed it, the larger one is reserved;
- ``filled`` grows by every new fill, in every state, also in CLOSED: a fill is money and is never refused;
- ``reported`` is the largest cumulative quantity the venue has named. Where it exceeds ``filled`` we have missed
  fills: they are fetched, never invented;
- ``reason`` of an end is the strongest one said so far, in the order of :class:`Reason`; FILLED as soon as the fills
  add up to the quantity;
- what may still fill (:func:`exposure_of`) is reserved from SENT to CLOSED as a whole, UNKNOWN included; after CLOSED,
  fills that the venue has counted and we have not seen stay reserved until they are here.

Each of them is a maximum, a minimum or a sum over what was reported, so the state is a function of the *set* of reports
and not of their order. (Answers to queries are the exception by nature: they are about the moment they were given.)

What one would not guess from the table:

- A time-out never closes and never resends: it makes UNKNOWN, keeps the whole exposure and asks.
- A rejected cancel ("too late", "unknown order") proves nothing: the intent stays in flight, *doubted*, until a query
  answers. Found open: the intent is dropped and the strategy may cancel again. An unanswered cancel (CANCEL_UNCERTAIN)
  is asked about in the same way and, as often as the order is found open, owed again until it has been sent: a cancel
  can be repeated safely.
- A reduction that was refused, or whose answer is missing, is asked about too: the answer says which quantity the order
  has. It is never repeated.
- The only way out of CLOSED is from LOST or REJECTED when the order is found open after all: it is RESURRECTED, and
  its cancel is owed in the same way, for the strategy has long forgotten it.
- A fill after the end raises an alert unless the report that ended the order had announced it: on venues with two
  streams the cancel's answer often overtakes the last fill.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import NamedTuple

from bloor.model.orders import ReportKind

__all__ = [
    "ALERTS",
    "NEW",
    "TABLE",
    "Consequence",
    "Event",
    "Intent",
    "Lifecycle",
    "Reason",
    "Row",
    "State",
    "Status",
    "exposure_of",
    "status_of",
    "step",
]


# ---- vocabulary -----------------------------------------------------------------------------------------------------


class Lifecycle(IntEnum):
    """How far an order has come. The rank never falls."""

    CREATED = 0
    #: Journaled, past the gate, on its way.
    SENT = 1
    #: On its way for too long: it may be nowhere, open or done.
    UNKNOWN = 2
    LIVE = 3
    CLOSED = 4


class Reason(IntEnum):
    """How an order ended; a later report replaces a weaker reason by a stronger one, never the reverse."""

    NONE = 0
    #: By our own gate.
    DENIED = 1
    #: Nowhere found, after the horizon.
    LOST = 2
    REJECTED = 3
    #: Ended, and the venue did not say how.
    ENDED = 4
    EXPIRED = 5
    CANCELLED = 6
    FILLED = 7


class Intent(IntEnum):
    """Bits: what we asked for and have no answer to. No ``IntFlag``, of which each operation costs a microsecond."""

    CANCEL = 1
    REPLACE = 2
    #: The cancel was refused, its answer is missing, or a query did not find a live order; queries are on their way.
    DOUBTED = 4
    #: The doubt comes from a missing answer: repeat the cancel if the order is found open.
    REPEAT = 8
    #: The reduction was refused, or its answer is missing; queries are on their way.
    UNSURE = 16


class Event(IntEnum):
    """What can happen to an order: what a venue reports (:class:`~bloor.model.orders.ReportKind`), and our own."""

    ACK = ReportKind.ACK
    REJECT = ReportKind.REJECT
    UNCERTAIN = ReportKind.UNCERTAIN
    FILL = ReportKind.FILL
    CANCELLED = ReportKind.CANCELLED
    CANCEL_REJECT = ReportKind.CANCEL_REJECT
    EXPIRED = ReportKind.EXPIRED
    FOUND_OPEN = ReportKind.FOUND_OPEN
    FOUND_CLOSED = ReportKind.FOUND_CLOSED
    NOT_FOUND = ReportKind.NOT_FOUND
    CANCEL_UNCERTAIN = ReportKind.CANCEL_UNCERTAIN
    REPLACED = ReportKind.REPLACED
    REPLACE_REJECT = ReportKind.REPLACE_REJECT
    REPLACE_UNCERTAIN = ReportKind.REPLACE_UNCERTAIN
    TRADES_SEEN = ReportKind.TRADES_SEEN
    #: The gate said no.
    DENIED = 32
    #: Past the gate, journaled, exposure reserved.
    SENT = 33
    CANCEL_SENT = 34
    REPLACE_SENT = 35
    #: A fill that was applied before.
    DUPLICATE_FILL = 38
    #: The horizon has passed and the venue has twice not found the order since.
    LOST = 39


class Consequence(Enum):
    """What whoever holds the order must do after a step."""

    #: Remember the venue's order id.
    BIND = "bind"
    #: The order has ended: give its exposure back, keep a tombstone.
    RELEASE = "release"
    #: Ask the venue for the state of the order.
    QUERY = "query"
    #: Send a cancel now, whatever the strategy thinks.
    CANCEL_NOW = "cancel now"
    #: The venue has counted more fills than we have seen: fetch them.
    FETCH_FILLS = "fetch fills"
    #: Nowhere found, twice, after the horizon: ask for the account's trades while it may have lived.
    SEARCH_TRADES = "search trades"
    #: The quantity enters the position.
    APPLY_FILL = "apply fill"
    #: The report said what was known: count it.
    COUNT_DUPLICATE = "duplicate"
    #: The report was overtaken by a later one: count it.
    COUNT_STALE = "stale"
    #: A fill after the end that nobody had announced.
    ALERT_LATE_FILL = "late_fill"
    #: Filled beyond the ordered quantity: applied, and the strategy must be halted.
    ALERT_OVERFILL = "overfill"
    #: Nowhere found: closed.
    ALERT_LOST = "lost"
    #: Closed, and found open after all.
    ALERT_RESURRECTED = "resurrected"
    #: The venue says two things that cannot both be true.
    ALERT_CONTRADICTION = "contradiction"


#: What a person must be told.
ALERTS = frozenset(consequence for consequence in Consequence if consequence.name.startswith("ALERT_"))


class Status(IntEnum):
    """What a strategy sees. Derived from the state, never stored; numbers are part of the strategy API."""

    PENDING_NEW = 1
    NEW = 2
    PARTIALLY_FILLED = 3
    FILLED = 4
    CANCELLED = 5
    PENDING_REPLACE = 6
    PENDING_CANCEL = 7
    DENIED = 8
    REJECTED = 9
    EXPIRED = 10
    #: The outcome of the submission is not known.
    UNKNOWN = 11
    LOST = 12


class State(NamedTuple):
    """The state of one order; quantities in units.

    Attributes:
        lifecycle: How far it has come.
        reason: How it ended; NONE while it has not.
        intents: What we asked for and have no answer to: bits of :class:`Intent`.
        quantity: The ordered quantity, reductions that the venue has confirmed taken off.
        filled: Sum of its fills.
        reported: Largest cumulative quantity the venue has named.
        replacement: The quantity asked for by a reduction in flight; 0 without one.
        resurrected: Whether it came back from LOST or REJECTED.
    """

    lifecycle: Lifecycle
    reason: Reason
    intents: int
    quantity: int
    filled: int = 0
    reported: int = 0
    replacement: int = 0
    resurrected: bool = False


class Row(NamedTuple):
    """One cell of the table: the next lifecycle, how the order ended if it did, and what follows."""

    lifecycle: Lifecycle
    reason: Reason
    consequences: tuple[Consequence, ...]


def NEW(quantity: int) -> State:  # noqa: N802 (reads as the state it makes)
    """The state of an order of ``quantity`` units that nothing has happened to."""
    return State(Lifecycle.CREATED, Reason.NONE, 0, quantity)


# ---- the table ------------------------------------------------------------------------------------------------------

_L, _R, _C, _E = Lifecycle, Reason, Consequence, Event


def _row(lifecycle: Lifecycle, *consequences: Consequence, reason: Reason = Reason.NONE) -> Row:
    return Row(lifecycle, reason, consequences)


def _ends(reason: Reason, *consequences: Consequence) -> Row:
    return Row(Lifecycle.CLOSED, reason, (*consequences, Consequence.RELEASE))


#: On its way: CREATED (a report can overtake our own bookkeeping after a restart), SENT and UNKNOWN.
_ON_ITS_WAY: dict[Event, Row] = {
    _E.ACK: _row(_L.LIVE, _C.BIND),
    _E.REJECT: _ends(_R.REJECTED),
    _E.UNCERTAIN: _row(_L.UNKNOWN, _C.QUERY),
    _E.FILL: _row(_L.LIVE, _C.BIND, _C.APPLY_FILL),
    _E.DUPLICATE_FILL: _row(_L.LIVE, _C.COUNT_DUPLICATE),
    _E.CANCELLED: _ends(_R.CANCELLED, _C.BIND),
    _E.CANCEL_REJECT: _row(_L.UNKNOWN, _C.QUERY),
    _E.EXPIRED: _ends(_R.EXPIRED, _C.BIND),
    _E.FOUND_OPEN: _row(_L.LIVE, _C.BIND),
    _E.FOUND_CLOSED: _ends(_R.ENDED, _C.BIND),
    _E.NOT_FOUND: _row(_L.UNKNOWN),  # the blotter asks again, and proves the horizon
    _E.CANCEL_UNCERTAIN: _row(_L.UNKNOWN, _C.QUERY),
    _E.REPLACED: _row(_L.LIVE, _C.BIND),  # what can be changed was accepted
    _E.REPLACE_REJECT: _row(_L.UNKNOWN, _C.QUERY),
    _E.REPLACE_UNCERTAIN: _row(_L.UNKNOWN, _C.QUERY),
    _E.TRADES_SEEN: _row(_L.UNKNOWN),  # the blotter weighs it
    _E.LOST: _ends(_R.LOST, _C.ALERT_LOST),
}

#: The lifecycle stays; what changes is an intent.
_INTENTS = (_E.CANCEL_SENT, _E.REPLACE_SENT)

_LIVE: dict[Event, Row] = {
    _E.ACK: _row(_L.LIVE, _C.BIND, _C.COUNT_STALE),
    _E.REJECT: _ends(_R.REJECTED, _C.QUERY, _C.ALERT_CONTRADICTION),
    _E.UNCERTAIN: _row(_L.LIVE, _C.COUNT_STALE),
    _E.FILL: _row(_L.LIVE, _C.BIND, _C.APPLY_FILL),
    _E.DUPLICATE_FILL: _row(_L.LIVE, _C.COUNT_DUPLICATE),
    _E.CANCELLED: _ends(_R.CANCELLED, _C.BIND),
    _E.CANCEL_REJECT: _row(_L.LIVE, _C.QUERY),
    _E.EXPIRED: _ends(_R.EXPIRED, _C.BIND),
    _E.FOUND_OPEN: _row(_L.LIVE, _C.BIND),
    _E.FOUND_CLOSED: _ends(_R.ENDED, _C.BIND),
    _E.NOT_FOUND: _row(_L.LIVE),  # doubted: the blotter asks again
    _E.CANCEL_UNCERTAIN: _row(_L.LIVE, _C.QUERY),
    _E.REPLACED: _row(_L.LIVE, _C.BIND),
    _E.REPLACE_REJECT: _row(_L.LIVE, _C.QUERY),
    _E.REPLACE_UNCERTAIN: _row(_L.LIVE, _C.QUERY),
    _E.TRADES_SEEN: _row(_L.LIVE),
    _E.LOST: _ends(_R.LOST, _C.ALERT_LOST, _C.FETCH_FILLS),
}

#: Ended. A reason that is stronger than the one we know replaces it (:func:`step`).
_CLOSED: dict[Event, Row] = {
    **{
        event: _row(_L.CLOSED, _C.COUNT_STALE)
        for event in (_E.UNCERTAIN, _E.CANCEL_REJECT, _E.FOUND_OPEN, _E.NOT_FOUND, _E.CANCEL_UNCERTAIN, _E.LOST,
                      _E.REPLACE_REJECT, _E.REPLACE_UNCERTAIN, _E.TRADES_SEEN)
    },
    _E.ACK: _row(_L.CLOSED, _C.BIND, _C.COUNT_STALE),
    _E.REJECT: _row(_L.CLOSED, _C.COUNT_STALE, reason=_R.REJECTED),
    _E.FILL: _row(_L.CLOSED, _C.BIND, _C.APPLY_FILL),
    _E.DUPLICATE_FILL: _row(_L.CLOSED, _C.COUNT_DUPLICATE),
    _E.CANCELLED: _row(_L.CLOSED, _C.BIND, _C.COUNT_STALE, reason=_R.CANCELLED),
    _E.EXPIRED: _row(_L.CLOSED, _C.BIND, _C.COUNT_STALE, reason=_R.EXPIRED),
    _E.FOUND_CLOSED: _row(_L.CLOSED, _C.COUNT_STALE, reason=_R.ENDED),
    _E.REPLACED: _row(_L.CLOSED, _C.BIND, _C.COUNT_STALE),
}  # fmt: skip

#: Ended by our own judgement or by a refusal, and open after all: the only way out of CLOSED.
_RESURRECTED = _row(_L.LIVE, _C.BIND, _C.ALERT_RESURRECTED, _C.CANCEL_NOW)
#: Refused or lost, and yet it traded or was acknowledged: find out whether it is open.
_NOT_QUITE_CLOSED: dict[Event, Row] = {
    **_CLOSED,
    _E.ACK: _row(_L.CLOSED, _C.BIND, _C.COUNT_STALE, _C.QUERY),
    _E.FILL: _row(_L.CLOSED, _C.BIND, _C.APPLY_FILL, _C.QUERY),
    _E.FOUND_OPEN: _RESURRECTED,
}


def _stays(lifecycle: Lifecycle) -> dict[Event, Row]:
    return {event: _row(lifecycle) for event in _INTENTS}


#: ``TABLE[lifecycle, reason][event]``; open lifecycles have reason NONE. An event without a row is a mistake of ours.
TABLE: Mapping[tuple[Lifecycle, Reason], Mapping[Event, Row]] = {
    (_L.CREATED, _R.NONE): {
        **_ON_ITS_WAY,
        _E.DENIED: _row(_L.CLOSED, reason=_R.DENIED),
        _E.SENT: _row(_L.SENT),
    },
    (_L.SENT, _R.NONE): {**_ON_ITS_WAY, **_stays(_L.SENT)},
    (_L.UNKNOWN, _R.NONE): {
        **_ON_ITS_WAY,
        **_stays(_L.UNKNOWN),
        _E.UNCERTAIN: _row(_L.UNKNOWN),  # asked already
    },
    (_L.LIVE, _R.NONE): {**_LIVE, **_stays(_L.LIVE)},
    **{
        (_L.CLOSED, reason): {
            **(_NOT_QUITE_CLOSED if reason in (_R.LOST, _R.REJECTED) else _CLOSED),
            **_stays(_L.CLOSED),
        }
        for reason in Reason
        if reason
    },
}


# ---- one step -------------------------------------------------------------------------------------------------------

# reading a member off its enum costs 80 ns, a module's name 5 ns
_CREATED, _SENT, _UNKNOWN, _IS_LIVE, _IS_CLOSED = Lifecycle
_IS_FILLED, _NO_REASON = Reason.FILLED, Reason.NONE
_FILL, _CANCEL_SENT, _FOUND_OPEN = Event.FILL, Event.CANCEL_SENT, Event.FOUND_OPEN
_CANCEL_REJECT, _CANCEL_UNCERTAIN, _NOT_FOUND = Event.CANCEL_REJECT, Event.CANCEL_UNCERTAIN, Event.NOT_FOUND
_REPLACE_SENT = Event.REPLACE_SENT
_REPLACE_REJECT, _REPLACE_UNCERTAIN = Event.REPLACE_REJECT, Event.REPLACE_UNCERTAIN
_CANCEL, _REPLACE, _DOUBTED, _REPEAT, _UNSURE = Intent
_RELEASE, _FETCH_FILLS = Consequence.RELEASE, Consequence.FETCH_FILLS
_new_state = tuple.__new__


def step(
    state: State, event: int, *, units: int = 0, cumulative: int = -1, ordered: int = -1, ended: Reason = Reason.NONE
) -> tuple[State, tuple[Consequence, ...]]:
    """What an event makes of an order. Costs about 1 us.

    Args:
        state: What was known of the order.
        event: An :class:`Event` or the :class:`~bloor.model.orders.ReportKind` of the same number.
        units: Quantity of the fill, or the quantity that a reduction asks for.
        cumulative: Filled quantity so far as the venue counts it; -1 when it does not say.
        ordered: Ordered quantity as the venue has it; -1 when it does not say.
        ended: How the order ended, for FOUND_CLOSED.

    Returns:
        What is known now, and what to do about it, in order.

    Raises:
        KeyError: The event is of our own making and impossible in this state (such as DENIED after SENT).
    """
    was, why, intents, quantity, filled, known, replacement, resurrected = state
    row = TABLE[was, why][event]  # type: ignore[index]
    lifecycle, said, consequences = row
    reported = max(known, cumulative)
    if 0 < ordered < quantity:
        quantity = ordered
    if event == _REPLACE_SENT:
        replacement = units
    if event == _FILL:
        consequences += _fill_alerts(state, units)
        filled += units
    reason = max(why, ended or said) if said else why
    if ended is _IS_FILLED and reported < quantity:  # then its fills add up to the quantity, seen or not
        reported = quantity
    if row is _RESURRECTED:  # its cancel is owed until it has been sent
        reason, resurrected, intents = _NO_REASON, True, _CANCEL | _DOUBTED | _REPEAT
    elif quantity <= filled and lifecycle is not _CREATED:
        if lifecycle is not _IS_CLOSED:
            consequences += (_RELEASE,)
        lifecycle, reason = _IS_CLOSED, _IS_FILLED
    if reported > filled and reported > known:
        consequences += (_FETCH_FILLS,)
    if lifecycle is _IS_CLOSED:
        intents = replacement = 0
    elif event in _MOVE_INTENTS and row is not _RESURRECTED:
        intents, repeat = _intents(intents, event, lifecycle)
        consequences += repeat
    if intents & _REPLACE and quantity <= replacement:  # confirmed, by whatever report
        intents &= ~(_REPLACE | _UNSURE)
    if not intents & _REPLACE:
        replacement = 0
    # what State(...) does, without a call in Python
    after = _new_state(State, (lifecycle, reason, intents, quantity, filled, reported, replacement, resurrected))
    return after, consequences


_MOVE_INTENTS = frozenset(
    {_REPLACE_SENT, _REPLACE_REJECT, _REPLACE_UNCERTAIN, _CANCEL_SENT, _CANCEL_REJECT, _CANCEL_UNCERTAIN, _NOT_FOUND,
     _FOUND_OPEN}
)  # fmt: skip


def _fill_alerts(state: State, units: int) -> tuple[Consequence, ...]:
    total = state.filled + units
    late = state.lifecycle is _IS_CLOSED and total > state.reported
    over = total > state.quantity
    if not late and not over:
        return ()
    return (Consequence.ALERT_LATE_FILL,) * late + (Consequence.ALERT_OVERFILL,) * over


def _intents(intents: int, event: int, lifecycle: Lifecycle) -> tuple[int, tuple[Consequence, ...]]:
    """What is in flight after an event, and whether a cancel must be repeated."""
    if event == _CANCEL_SENT:
        return (intents | _CANCEL) & ~(_DOUBTED | _REPEAT), ()
    if event == _CANCEL_REJECT or (event == _NOT_FOUND and lifecycle is _IS_LIVE):
        return intents | _DOUBTED, ()
    if event == _CANCEL_UNCERTAIN:
        return intents | _DOUBTED | _REPEAT, ()
    if event == _FOUND_OPEN and intents & _DOUBTED:
        # a cancel to be repeated is owed until CANCEL_SENT: it may be that nothing can be sent just now
        return (intents & ~(_REPLACE | _UNSURE), (Consequence.CANCEL_NOW,)) if intents & _REPEAT else (0, ())
    if event == _FOUND_OPEN and intents & _UNSURE:
        return intents & ~(_REPLACE | _UNSURE), ()  # the answer said which quantity it has
    if event == _REPLACE_SENT:
        return intents | _REPLACE, ()
    if event in (_REPLACE_REJECT, _REPLACE_UNCERTAIN) and intents & _REPLACE:
        return intents | _UNSURE, ()
    return intents, ()


# ---- what is derived ------------------------------------------------------------------------------------------------

_ENDED = {
    Reason.NONE: Status.NEW,
    Reason.DENIED: Status.DENIED,
    Reason.LOST: Status.LOST,
    Reason.REJECTED: Status.REJECTED,
    Reason.ENDED: Status.EXPIRED,
    Reason.EXPIRED: Status.EXPIRED,
    Reason.CANCELLED: Status.CANCELLED,
    Reason.FILLED: Status.FILLED,
}


_NEW, _PARTIALLY_FILLED, _PENDING_NEW = Status.NEW, Status.PARTIALLY_FILLED, Status.PENDING_NEW


def status_of(state: State) -> Status:
    """What a strategy sees: pending cancel > pending replace > filled > cancelled > partially filled > new.

    Intents end with the order, so an order that is CLOSED shows how it ended.
    """
    lifecycle, intents = state.lifecycle, state.intents
    if intents & _CANCEL:
        return Status.PENDING_CANCEL
    if intents & _REPLACE:
        return Status.PENDING_REPLACE
    if lifecycle is _IS_CLOSED:
        return _ENDED[state.reason]
    if lifecycle is _IS_LIVE:
        return _PARTIALLY_FILLED if state.filled else _NEW
    return Status.UNKNOWN if lifecycle is _UNKNOWN else _PENDING_NEW


def exposure_of(state: State) -> int:
    """Units that may still fill, or that the venue has counted as filled and we have not seen."""
    lifecycle = state.lifecycle
    if lifecycle is _CREATED:
        return 0
    left = (state.reported if lifecycle is _IS_CLOSED else state.quantity) - state.filled
    return max(0, left)
