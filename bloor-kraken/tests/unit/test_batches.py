"""Several orders in one request."""

from __future__ import annotations

import json
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.errors import LocalProtocolError
from bloor.model.orders import (
    ReportKind,
)
from bloor.venue.session import (
    BatchSession,
)

talk = runpy.run_path(str(Path(__file__).parents[1] / "order_talk.py"))
NOW: Any = talk["NOW"]
TOKEN: Any = talk["TOKEN"]
BTC: Any = talk["BTC"]
ORDER: Any = talk["ORDER"]
THIS: Any = talk["THIS"]
ID: Any = talk["ID"]
executor: Any = talk["executor"]
wire: Any = talk["wire"]
token: Any = talk["token"]
ack: Any = talk["ack"]
refusal: Any = talk["refusal"]
ready: Any = talk["ready"]
one: Any = talk["one"]
place: Any = talk["place"]
request: Any = talk["request"]
down: Any = talk["down"]
three: Any = talk["three"]


def test_a_batch_of_orders_has_an_answer_for_each() -> None:
    """One request with exact numbers; each order is acknowledged or refused by itself, in either form of the answer."""
    for form in (lambda rows: rows, lambda rows: {"orders": rows}):
        session = ready()
        out = session.batches.place(three(), NOW)
        frame = json.loads(out, parse_float=str)
        assert (frame["method"], frame["params"]["symbol"], frame["params"]["token"]) == ("batch_add", "BTC/USD", TOKEN)
        assert [o["order_qty"] for o in frame["params"]["orders"]] == ["0.00007000"] * 3
        assert "symbol" not in frame["params"]["orders"][0]
        rows = [{"order_id": "O1"}, {"error": "EOrder:Insufficient funds"}, {"order_id": "O3"}]
        answer = wire(method="batch_add", req_id=frame["req_id"], success=True, result=form(rows))
        reports, _ = session.received(answer, NOW)
        assert [(r.kind, r.venue_order_id) for r in reports] == [
            (ReportKind.ACK, "O1"), (ReportKind.REJECT, ""), (ReportKind.ACK, "O3"),
        ]  # fmt: skip
        assert len(session.counters["BTC/USD"].orders) == 2


def test_a_batch_that_is_refused_is_refused_as_a_whole() -> None:
    """Each of its orders is rejected; an answer that names none of them leaves all uncertain."""
    session = ready()
    number = json.loads(session.batches.place(three(), NOW))["req_id"]
    reports, _ = session.received(refusal(number, "batch_add", "EGeneral:Invalid arguments:orders"), NOW)
    assert [r.kind for r in reports] == [ReportKind.REJECT] * 3
    number = json.loads(session.batches.place(three(), NOW))["req_id"]
    reports, _ = session.received(ack(number, "batch_add"), NOW)
    assert [r.kind for r in reports] == [ReportKind.UNCERTAIN] * 3


def test_cancels_go_together_where_the_venues_ids_are_known() -> None:
    """Up to fifty in a request, the others singly; a refusal makes each of them uncertain, so that it is repeated."""
    from attrs import evolve

    session = ready()
    known = [evolve(THIS, client_id=f"B010001000{n:05}", venue_order_id=f"O{n}") for n in range(52)]
    outs = session.cancel_all([*known, THIS], NOW)
    said = [json.loads(bytes(out)) for out in outs]  # type: ignore[arg-type]
    assert [(f["method"], len(f["params"].get("orders", ()))) for f in said] == [
        ("batch_cancel", 50), ("batch_cancel", 2), ("cancel_order", 0),
    ]  # fmt: skip
    assert said[1]["params"]["orders"] == ["O50", "O51"]
    done = wire(method="batch_cancel", orders_cancelled=Decimal(50), success=True, req_id=said[0]["req_id"])
    assert session.received(done, NOW) == ([], ())
    reports, _ = session.received(refusal(said[1]["req_id"], "batch_cancel", "EOrder:Unknown order"), NOW)
    assert [(r.kind, r.client_id) for r in reports] == [
        (ReportKind.CANCEL_UNCERTAIN, known[50].client_id), (ReportKind.CANCEL_UNCERTAIN, known[51].client_id),
    ]  # fmt: skip
    assert isinstance(session, BatchSession)


def test_cancels_go_singly_over_rest() -> None:
    """Without the connection each is a request of its own, one after the other."""
    from attrs import evolve

    session = down()
    outs = session.cancel_all([evolve(THIS, venue_order_id=ID), THIS], NOW)
    assert [request(out)[0] for out in outs] == ["CancelOrder", "CancelOrder"]


def test_what_is_no_batch_is_not_sent() -> None:
    """Too few, too many, several instruments, or no connection."""
    from attrs import evolve

    session = ready()
    other = evolve(ORDER, instrument=evolve(BTC, venue_symbol="ETH/USD"))
    for orders in (three()[:1], three() * 6, [ORDER, other]):
        with pytest.raises(LocalProtocolError, match="batch_add"):
            session.batches.place(orders, NOW)
    for cancels in ([THIS], [THIS, THIS], [evolve(THIS, venue_order_id=ID)] * 51):
        with pytest.raises(LocalProtocolError, match="batch_cancel"):
            session.batches.cancel(cancels, NOW)
    with pytest.raises(LocalProtocolError, match="not authenticated"):
        executor().batches.cancel_all(NOW)


def test_everything_can_be_cancelled_at_once() -> None:
    """cancel_all is of the whole account; the private stream says what became of each order."""
    session = ready()
    frame = json.loads(session.batches.cancel_all(NOW))
    assert (frame["method"], frame["params"]) == ("cancel_all", {"token": TOKEN})
    assert session.received(ack(frame["req_id"], "cancel_all", count=Decimal(3)), NOW) == ([], ())
