"""What keeps orders safe: the dead-man switch, the rate counter, the state of the trading engine."""

from __future__ import annotations

import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.config.duration import Duration
from bloor.model.orders import (
    OrderType,
)
from bloor.venue.session import (
    NEVER,
)

talk = runpy.run_path(str(Path(__file__).parents[1] / "order_talk.py"))
SECOND: Any = talk["SECOND"]
NOW: Any = talk["NOW"]
BTC: Any = talk["BTC"]
ORDER: Any = talk["ORDER"]
ID: Any = talk["ID"]
frames: Any = talk["frames"]
wire: Any = talk["wire"]
token: Any = talk["token"]
ack: Any = talk["ack"]
refusal: Any = talk["refusal"]
executions: Any = talk["executions"]
ready: Any = talk["ready"]
place: Any = talk["place"]
bound: Any = talk["bound"]
row: Any = talk["row"]


@pytest.mark.parametrize(
    ("system", "limit", "post_only"),
    [
        ("online", "", ""), ("post_only", "VENUE_POST_ONLY", ""),
        ("cancel_only", "VENUE_CANCEL_ONLY", "VENUE_CANCEL_ONLY"),
        ("maintenance", "VENUE_MAINTENANCE", "VENUE_MAINTENANCE"),
        ("brand_new_state", "VENUE_NOT_ONLINE", "VENUE_NOT_ONLINE"),
    ],
)  # fmt: skip
def test_the_state_of_the_engine_is_respected(system: str, limit: str, post_only: str) -> None:
    """What the venue would refuse is not sent; the change is told once."""
    session = ready()
    frame = wire(channel="status", type="update", data=[{"system": system, "version": "2.0.10"}])
    told = [a for _ in range(2) for a in session.received(frame, NOW)[1]]
    assert len(told) == (system != "online")
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == limit
    assert session.refusal(BTC, OrderType.POST_ONLY, NOW) == post_only


def test_the_dead_mans_switch_is_armed_by_the_first_order() -> None:
    """Then refreshed every third of its time, and disarmed at the orderly end; who only looks arms nothing."""
    session = ready(dead_man=Duration(30 * SECOND))
    assert session._switch.due_ns == NEVER
    assert session.concluded
    place(session)
    assert session.deadline_ns == NOW
    (armed,) = frames(session.timer(NOW))
    assert (armed["method"], armed["params"]["timeout"]) == ("cancel_all_orders_after", 30)
    due = session._switch.due_ns
    assert due == NOW + 10 * SECOND
    session.received(b'{"channel":"heartbeat"}', due - SECOND)
    sent = [f for f in frames(session.timer(due)) if f["method"] != "ping"]
    assert [(f["method"], f["params"]["timeout"]) for f in sent] == [("cancel_all_orders_after", 30)]
    assert not session.concluded
    (off,) = frames(session.conclude(due))
    assert off["params"]["timeout"] == 0
    assert not session.concluded
    session.received(ack(off["req_id"], "cancel_all_orders_after", currentTime="", triggerTime="0"), due)
    assert session.concluded
    assert session._switch.due_ns == NEVER


def test_an_armed_switch_is_refreshed_at_once_after_a_reconnect() -> None:
    """Its time has gone on meanwhile; a refused refresh is tried again soon."""
    session = bound()
    session.timer(NOW)
    session.disconnected(NOW, "cut")
    assert session._switch.due_ns == NEVER
    session.connected(NOW)
    number = frames(token(session, NOW))[0]["req_id"]
    session.received(ack(number, channel="executions"), NOW)
    _, actions = session.received(executions(sequence=1, kind="snapshot"), NOW)
    (again,) = frames(actions)
    assert again["method"] == "cancel_all_orders_after"
    session.received(refusal(again["req_id"], "cancel_all_orders_after", "EService:Busy"), NOW)
    assert session._switch.due_ns == NOW + 2 * SECOND


def test_a_switch_that_is_off_says_nothing() -> None:
    """0 s: never armed, nothing to disarm."""
    session = ready(dead_man=Duration(0))
    assert session._switch.due_ns == NEVER
    assert session.concluded
    assert session.conclude(NOW) == ()


def test_orders_are_held_back_before_the_venue_refuses() -> None:
    """So many that what is open could still be cancelled; cancels are never asked about."""
    from attrs import evolve

    session = ready()
    sent = 0
    while not session.refusal(BTC, OrderType.LIMIT, NOW):
        session.place(evolve(ORDER, client_id=f"B010001000{sent:05}"), NOW)
        sent += 1
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == "VENUE_RATE_BUDGET"
    assert sent == 13  # each costs 1, and 8 are kept to cancel it: 13 x 9 < 125 less what sinks in a second
    assert session.refusal(BTC, OrderType.LIMIT, NOW + 20 * SECOND) == ""


def test_a_refusal_for_the_rate_is_learnt_from() -> None:
    """Another program may share the counter: it is at its maximum now, whatever we counted."""
    session = ready()
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == ""
    session.received(refusal(place(session), "add_order", "EOrder:Rate limit exceeded"), NOW)
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == "VENUE_RATE_BUDGET"


def test_the_venues_own_count_is_learnt() -> None:
    """The counter that events carry counts when it is more than ours: others may trade the pair too."""
    session = bound()
    row = {"order_id": ID, "exec_type": "status", "order_status": "new", "ratecount": Decimal(120)}
    session.received(executions(row, sequence=2), NOW)
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == "VENUE_RATE_BUDGET"
