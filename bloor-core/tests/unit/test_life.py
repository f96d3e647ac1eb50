"""The table of an order's life: complete, monotone, and as the rules say, row by row."""

from __future__ import annotations

from itertools import permutations

import pytest

from bloor.execution.life import (
    ALERTS,
    NEW,
    TABLE,
    Consequence,
    Event,
    Intent,
    Lifecycle,
    Reason,
    State,
    Status,
    exposure_of,
    status_of,
    step,
)
from bloor.model.orders import ReportKind

OURS = {Event.DENIED, Event.SENT, Event.CANCEL_SENT, Event.REPLACE_SENT}
ALWAYS = set(Event) - OURS

#: An event with what belongs to it: (event, fill units, cumulative, how it ended).
Report = tuple[Event, int, int, Reason]


def said(event: Event, units: int = 0, cumulative: int = -1, ended: Reason = Reason.NONE) -> Report:
    return (event, units, cumulative, ended)


def fold(state: State, *reports: Report | Event) -> State:
    """The state after several events; what followed is kept in the last element of the trace."""
    for report in reports:
        event, units, cumulative, ended = report if isinstance(report, tuple) else said(report)
        state, _ = step(state, event, units=units, cumulative=cumulative, ended=ended)
    return state


def after(*reports: Report | Event, quantity: int = 10) -> State:
    return fold(NEW(quantity), Event.SENT, *reports)


def follows(state: State, event: Event, **more: int) -> set[Consequence]:
    return set(step(state, event, **more)[1])


# ---- the table itself


def test_every_report_has_a_row_in_every_lifecycle() -> None:
    """Whatever a venue says, whenever it says it, the table knows what it means."""
    states = {(lifecycle, Reason.NONE) for lifecycle in Lifecycle if lifecycle is not Lifecycle.CLOSED}
    states |= {(Lifecycle.CLOSED, reason) for reason in Reason if reason}
    assert set(TABLE) == states
    for key, rows in TABLE.items():
        assert set(rows) >= ALWAYS, key
    assert {kind.value for kind in ReportKind} <= {event.value for event in Event}


def test_rank_never_falls() -> None:
    """In no row but the one resurrection."""
    for (lifecycle, reason), rows in TABLE.items():
        for event, row in rows.items():
            if row.lifecycle < lifecycle:
                assert (event, row.lifecycle) == (Event.FOUND_OPEN, Lifecycle.LIVE)
                assert reason in (Reason.LOST, Reason.REJECTED)
                assert Consequence.CANCEL_NOW in row.consequences


def test_an_end_releases_and_nothing_else_does() -> None:
    """Every row into CLOSED gives the exposure back, except that of an order that never had any."""
    for (lifecycle, _), rows in TABLE.items():
        for event, row in rows.items():
            into = row.lifecycle is Lifecycle.CLOSED and lifecycle is not Lifecycle.CLOSED and event != Event.DENIED
            assert (Consequence.RELEASE in row.consequences) == into


def test_our_own_impossible_events_are_mistakes() -> None:
    """An order is denied or sent once, before anything else."""
    for event in (Event.DENIED, Event.SENT):
        for state in (after(), after(Event.ACK), after(Event.CANCELLED)):
            with pytest.raises(KeyError):
                step(state, event)


# ---- reliability, row by row


def test_denied_never_had_exposure() -> None:
    """CREATED, risk denies: closed, never on the wire."""
    state, consequences = step(NEW(10), Event.DENIED)
    assert (state.lifecycle, state.reason, consequences) == (Lifecycle.CLOSED, Reason.DENIED, ())
    assert (exposure_of(NEW(10)), exposure_of(state), status_of(state)) == (0, 0, Status.DENIED)


def test_sent_reserves_everything() -> None:
    """Exposure is reserved when an order is sent, not when it is acknowledged."""
    state = after()
    assert (state.lifecycle, exposure_of(state), status_of(state)) == (Lifecycle.SENT, 10, Status.PENDING_NEW)


def test_acknowledged() -> None:
    """SENT, ack: LIVE, and the venue's id is bound."""
    state, consequences = step(after(), Event.ACK)
    assert (state.lifecycle, consequences, status_of(state)) == (Lifecycle.LIVE, (Consequence.BIND,), Status.NEW)


def test_rejected() -> None:
    """SENT or UNKNOWN, definite reject: closed, exposure released."""
    for before in (after(), after(Event.UNCERTAIN)):
        state, consequences = step(before, Event.REJECT)
        assert (state.reason, exposure_of(state), consequences) == (Reason.REJECTED, 0, (Consequence.RELEASE,))


def test_uncertain_keeps_the_whole_exposure() -> None:
    """SENT, time-out: UNKNOWN, asked about, nothing released; again does not ask again."""
    state, consequences = step(after(), Event.UNCERTAIN)
    assert (state.lifecycle, exposure_of(state), status_of(state)) == (Lifecycle.UNKNOWN, 10, Status.UNKNOWN)
    assert consequences == (Consequence.QUERY,)
    assert step(state, Event.UNCERTAIN) == (state, ())


@pytest.mark.parametrize("before", [after(), after(Event.UNCERTAIN)])
def test_a_fill_implies_acceptance(before: State) -> None:
    """SENT or UNKNOWN, fill: LIVE, or closed when it is complete."""
    part = fold(before, said(Event.FILL, 4))
    assert (part.lifecycle, part.filled, exposure_of(part)) == (Lifecycle.LIVE, 4, 6)
    assert status_of(part) is Status.PARTIALLY_FILLED
    whole, consequences = step(before, Event.FILL, units=10)
    assert (whole.reason, exposure_of(whole), status_of(whole)) == (Reason.FILLED, 0, Status.FILLED)
    assert consequences == (Consequence.BIND, Consequence.APPLY_FILL, Consequence.RELEASE)


def test_unknown_is_resolved_by_a_query() -> None:
    """Found open: LIVE; found closed: closed as it says, and missed fills are fetched first."""
    unknown = after(Event.UNCERTAIN)
    assert fold(unknown, Event.FOUND_OPEN).lifecycle is Lifecycle.LIVE
    state, consequences = step(unknown, Event.FOUND_CLOSED, cumulative=4, ended=Reason.CANCELLED)
    assert (state.reason, exposure_of(state)) == (Reason.CANCELLED, 4)
    assert Consequence.FETCH_FILLS in consequences
    assert exposure_of(fold(state, said(Event.FILL, 4))) == 0
    assert fold(unknown, said(Event.FOUND_CLOSED, ended=Reason.REJECTED)).reason is Reason.REJECTED
    assert fold(unknown, Event.FOUND_CLOSED).reason is Reason.ENDED


def test_found_filled_without_its_fills_stays_reserved() -> None:
    """The venue says FILLED and we have seen nothing: closed, and the whole quantity reserved until the fills come."""
    state, consequences = step(after(Event.UNCERTAIN), Event.FOUND_CLOSED, ended=Reason.FILLED)
    assert (state.reason, state.filled, exposure_of(state)) == (Reason.FILLED, 0, 10)
    assert Consequence.FETCH_FILLS in consequences
    assert Consequence.ALERT_LATE_FILL not in follows(state, Event.FILL, units=10)


def test_lost() -> None:
    """Not found and the horizon proven: closed with an alert. One answer alone changes nothing."""
    unknown = after(Event.UNCERTAIN)
    assert step(unknown, Event.NOT_FOUND) == (unknown, ())
    state, consequences = step(unknown, Event.LOST)
    assert (state.reason, exposure_of(state), status_of(state)) == (Reason.LOST, 0, Status.LOST)
    assert set(consequences) == {Consequence.ALERT_LOST, Consequence.RELEASE}


def test_a_cancel_in_flight() -> None:
    """The intent is shown, kept over a partial fill, and ends with the cancel's answer."""
    state = after(Event.ACK, Event.CANCEL_SENT)
    assert (state.lifecycle, status_of(state)) == (Lifecycle.LIVE, Status.PENDING_CANCEL)
    state = fold(state, said(Event.FILL, 4))
    assert (state.intents, status_of(state)) == (Intent.CANCEL, Status.PENDING_CANCEL)
    state, consequences = step(state, Event.CANCELLED, cumulative=7)
    assert (state.reason, state.intents, exposure_of(state)) == (Reason.CANCELLED, 0, 3)
    assert Consequence.FETCH_FILLS in consequences


def test_a_rejected_cancel_is_never_taken_at_its_word() -> None:
    """Too late or unknown: LIVE, asked about, still pending; found open drops the intent, found closed ends."""
    state, consequences = step(after(Event.ACK, Event.CANCEL_SENT), Event.CANCEL_REJECT)
    assert (state.lifecycle, status_of(state), consequences) == (
        Lifecycle.LIVE,
        Status.PENDING_CANCEL,
        (Consequence.QUERY,),
    )
    open_, consequences = step(state, Event.FOUND_OPEN)
    assert (open_.intents, status_of(open_)) == (0, Status.NEW)
    assert Consequence.CANCEL_NOW not in consequences
    assert fold(state, said(Event.FOUND_CLOSED, ended=Reason.FILLED)).reason is Reason.FILLED


def test_an_unanswered_cancel_is_repeated_if_the_order_is_open() -> None:
    """Cancel lost on the way: asked about, and sent again when the order is still there."""
    state, consequences = step(after(Event.ACK, Event.CANCEL_SENT), Event.CANCEL_UNCERTAIN)
    assert consequences == (Consequence.QUERY,)
    for _ in range(2):  # owed until it was sent
        state, consequences = step(state, Event.FOUND_OPEN)
        assert Consequence.CANCEL_NOW in consequences
        assert status_of(state) is Status.PENDING_CANCEL
    state = fold(state, Event.CANCEL_SENT)
    assert Consequence.CANCEL_NOW not in follows(state, Event.FOUND_OPEN)
    assert fold(state, Event.CANCELLED).reason is Reason.CANCELLED


def test_a_query_that_overtakes_a_cancel_changes_nothing() -> None:
    """Found open while a cancel is on its way and undoubted: the intent stays."""
    state = after(Event.ACK, Event.CANCEL_SENT)
    assert fold(state, Event.FOUND_OPEN) == state


def test_a_reduction_reserves_the_larger_until_it_is_confirmed() -> None:
    """Exposure is the larger of old and new until the venue confirms; any report may do so."""
    live = after(Event.ACK, said(Event.FILL, 2))
    less = fold(live, said(Event.REPLACE_SENT, 5))
    assert (exposure_of(less), status_of(less)) == (8, Status.PENDING_REPLACE)
    done, consequences = step(less, Event.REPLACED, ordered=5)
    assert (done.quantity, done.replacement, exposure_of(done)) == (5, 0, 3)
    assert (status_of(done), consequences) == (Status.PARTIALLY_FILLED, (Consequence.BIND,))
    by_fill, _ = step(less, Event.FILL, units=1, ordered=5)
    assert (by_fill.quantity, by_fill.intents, exposure_of(by_fill)) == (5, 0, 2)
    filled, _ = step(fold(less, said(Event.FILL, 3)), Event.REPLACED, ordered=5)
    assert (filled.reason, exposure_of(filled)) == (Reason.FILLED, 0)


@pytest.mark.parametrize("event", [Event.REPLACE_REJECT, Event.REPLACE_UNCERTAIN])
def test_a_reduction_without_a_yes_is_asked_about(event: Event) -> None:
    """Refused or unanswered: pending and doubted, until a query says which quantity the order has."""
    state, consequences = step(after(Event.ACK, said(Event.REPLACE_SENT, 5)), event)
    assert (consequences, status_of(state), exposure_of(state)) == (
        (Consequence.QUERY,), Status.PENDING_REPLACE, 10,
    )  # fmt: skip
    as_it_was, consequences = step(state, Event.FOUND_OPEN, ordered=10)
    assert (as_it_was.quantity, as_it_was.intents, status_of(as_it_was)) == (10, 0, Status.NEW)
    assert Consequence.CANCEL_NOW not in consequences
    reduced, _ = step(state, Event.FOUND_OPEN, ordered=5)
    assert (reduced.quantity, reduced.intents, exposure_of(reduced)) == (5, 0, 5)
    late, _ = step(as_it_was, Event.REPLACED, ordered=5)
    assert (late.quantity, exposure_of(late)) == (5, 5)


def test_a_quantity_never_grows() -> None:
    """An older report, said after the reduction, does not bring the larger quantity back."""
    state = after(Event.ACK, said(Event.REPLACE_SENT, 5))
    state, _ = step(state, Event.REPLACED, ordered=5)
    assert step(state, Event.ACK, ordered=10)[0].quantity == 5


def test_a_cancel_outranks_a_doubted_reduction() -> None:
    """A reduction that fails while a cancel is on its way leaves the cancel alone; the cancel's answer decides."""
    state = after(Event.ACK, said(Event.REPLACE_SENT, 5), Event.CANCEL_SENT)
    assert fold(state, Event.REPLACE_UNCERTAIN, Event.FOUND_OPEN).intents == Intent.CANCEL
    assert fold(state, Event.REPLACE_UNCERTAIN, Event.CANCELLED).reason is Reason.CANCELLED
    refused = fold(state, Event.CANCEL_REJECT, Event.FOUND_OPEN)
    assert (refused.intents, refused.replacement) == (0, 0)


def test_pending_cancel_outranks_pending_replace() -> None:
    """FIX 4.4 appendix D: pending cancel > pending replace > filled > cancelled > partially filled > new."""
    state = after(Event.ACK, said(Event.REPLACE_SENT, 5), Event.CANCEL_SENT)
    assert status_of(state) is Status.PENDING_CANCEL


@pytest.mark.parametrize("event", [Event.CANCELLED, Event.EXPIRED])
def test_an_unsolicited_end_takes_the_same_path(event: Event) -> None:
    """Expiry, self-trade prevention, a cancel by the venue: closed, and the cumulative quantity is compared."""
    state, consequences = step(after(Event.ACK), event, cumulative=3)
    assert (state.lifecycle, exposure_of(state)) == (Lifecycle.CLOSED, 3)
    assert {Consequence.FETCH_FILLS, Consequence.RELEASE} <= set(consequences)


def test_late_acks_and_older_reports_are_ignored() -> None:
    """Nothing falls back; they are counted."""
    for before in (after(Event.ACK, said(Event.FILL, 3)), after(Event.CANCELLED), after(said(Event.FILL, 10))):
        state, consequences = step(before, Event.ACK)
        assert state == before
        assert Consequence.COUNT_STALE in consequences


def test_a_late_fill_counts_and_alerts() -> None:
    """CLOSED, new fill: it enters the position and a person is told, unless the end had announced it."""
    closed = after(Event.ACK, Event.CANCELLED)
    state, consequences = step(closed, Event.FILL, units=4)
    assert (state.lifecycle, state.reason, state.filled) == (Lifecycle.CLOSED, Reason.CANCELLED, 4)
    assert {Consequence.APPLY_FILL, Consequence.ALERT_LATE_FILL} <= set(consequences)
    assert fold(closed, said(Event.FILL, 10)).reason is Reason.FILLED
    announced = after(Event.ACK, said(Event.CANCELLED, cumulative=4))
    assert Consequence.ALERT_LATE_FILL not in follows(announced, Event.FILL, units=4)
    assert Consequence.ALERT_LATE_FILL in follows(announced, Event.FILL, units=5)


@pytest.mark.parametrize("end", [Event.LOST, Event.REJECT])
def test_resurrection(end: Event) -> None:
    """Lost or rejected, and found open: LIVE with its exposure, cancelled at once, told."""
    state, consequences = step(after(Event.UNCERTAIN, end), Event.FOUND_OPEN)
    assert (state.lifecycle, state.reason, state.resurrected) == (Lifecycle.LIVE, Reason.NONE, True)
    assert exposure_of(state) == 10
    assert {Consequence.CANCEL_NOW, Consequence.ALERT_RESURRECTED} <= set(consequences)
    assert status_of(state) is Status.PENDING_CANCEL
    assert Consequence.CANCEL_NOW in follows(state, Event.FOUND_OPEN)  # owed until it was sent
    assert Consequence.CANCEL_NOW not in follows(fold(state, Event.CANCEL_SENT), Event.FOUND_OPEN)
    assert fold(state, Event.CANCEL_SENT, Event.CANCELLED).reason is Reason.CANCELLED


@pytest.mark.parametrize("end", [Event.CANCELLED, Event.EXPIRED, said(Event.FILL, 10)])
def test_other_ends_are_final(end: Event | Report) -> None:
    """A query's answer that was overtaken does not bring an order back."""
    state = after(Event.ACK, end)
    assert fold(state, Event.FOUND_OPEN) == state


def test_lost_and_yet_traded_is_asked_about() -> None:
    """A fill or an ack after LOST proves that the order was accepted; whether it is open must be asked."""
    lost = after(Event.UNCERTAIN, Event.LOST)
    assert {Consequence.QUERY, Consequence.APPLY_FILL} <= follows(lost, Event.FILL, units=1)
    assert Consequence.QUERY in follows(lost, Event.ACK)


def test_an_overfill_is_applied_and_told() -> None:
    """More than was ordered: it counts, and exposure never becomes negative."""
    for before in (after(said(Event.FILL, 7)), after(said(Event.FILL, 10))):
        state, consequences = step(before, Event.FILL, units=5)
        assert state.filled == before.filled + 5
        assert (state.reason, exposure_of(state)) == (Reason.FILLED, 0)
        assert {Consequence.APPLY_FILL, Consequence.ALERT_OVERFILL} <= set(consequences)


def test_a_duplicate_changes_nothing() -> None:
    """Any state, duplicate fill: counted, nothing else."""
    for state in (after(Event.ACK, said(Event.FILL, 3)), after(Event.CANCELLED), after(said(Event.FILL, 10))):
        assert step(state, Event.DUPLICATE_FILL, units=3) == (state, (Consequence.COUNT_DUPLICATE,))


def test_a_larger_cumulative_quantity_fetches() -> None:
    """The venue counts more than we have seen: fetched once per news, never invented."""
    state, consequences = step(after(), Event.ACK, cumulative=4)
    assert (state.filled, state.reported) == (0, 4)
    assert Consequence.FETCH_FILLS in consequences
    assert Consequence.FETCH_FILLS not in follows(state, Event.FOUND_OPEN, cumulative=4)
    assert Consequence.FETCH_FILLS in follows(state, Event.FOUND_OPEN, cumulative=5)
    assert Consequence.FETCH_FILLS not in follows(after(), Event.FILL, units=4, cumulative=4)


def test_alerts_are_known_as_such() -> None:
    """Every consequence that begins with ALERT is one."""
    assert len(ALERTS) == 5


# ---- the set of reports, not their order

HISTORIES: dict[str, list[Report]] = {
    "filled": [said(Event.ACK), said(Event.FILL, 4, 4), said(Event.FILL, 6, 10), said(Event.DUPLICATE_FILL, 4, 4)],
    "cancelled": [said(Event.ACK), said(Event.FILL, 4, 4), said(Event.FILL, 3, 7), said(Event.CANCELLED, 0, 7)],
    "cancelled, unanswered first": [
        said(Event.UNCERTAIN),
        said(Event.ACK),
        said(Event.CANCEL_UNCERTAIN),
        said(Event.FILL, 4, 4),
        said(Event.CANCELLED, 0, 4),
    ],
    "cancelled too late": [
        said(Event.ACK),
        said(Event.FILL, 4, 4),
        said(Event.CANCEL_REJECT),
        said(Event.FILL, 6, 10),
        said(Event.ACK),
    ],
    "expired": [said(Event.ACK), said(Event.FILL, 1), said(Event.EXPIRED), said(Event.DUPLICATE_FILL, 1)],
    "rejected": [said(Event.UNCERTAIN), said(Event.REJECT), said(Event.NOT_FOUND), said(Event.UNCERTAIN)],
    "acknowledged, then rejected": [said(Event.ACK), said(Event.REJECT), said(Event.NOT_FOUND)],
    "open": [said(Event.ACK), said(Event.FILL, 4, 4), said(Event.FILL, 3), said(Event.UNCERTAIN), said(Event.ACK)],
    "cancel refused, open": [said(Event.ACK), said(Event.CANCEL_REJECT), said(Event.FILL, 4), said(Event.FILL, 2)],
    "overfilled": [said(Event.ACK), said(Event.FILL, 8), said(Event.FILL, 8), said(Event.CANCELLED, 0, 8)],
    "found closed": [
        said(Event.UNCERTAIN),
        said(Event.FOUND_CLOSED, 0, 4, Reason.CANCELLED),
        said(Event.FOUND_OPEN, 0, 0),
        said(Event.FILL, 4),
        said(Event.ACK),
    ],
    "two ends": [said(Event.EXPIRED), said(Event.CANCELLED), said(Event.FOUND_CLOSED, 0, 2), said(Event.FILL, 2)],
}


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("cancel", [False, True])
def test_every_order_of_delivery_ends_the_same(name: str, cancel: bool) -> None:
    """Every permutation of what a venue reports, with and without a cancel of ours in flight: one final state."""
    start = after(*([Event.CANCEL_SENT] if cancel else []))
    finals = {fold(start, *order) for order in permutations(HISTORIES[name])}
    assert len(finals) == 1, finals
