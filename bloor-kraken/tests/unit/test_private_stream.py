"""What Kraken's answers and its private stream make of orders."""

from __future__ import annotations

import json
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.errors import RemoteProtocolError
from bloor.model.orders import (
    Liquidity,
    OrderType,
    ReportKind,
)
from bloor.venue.session import (
    Listed,
    Request,
    Tell,
)

talk = runpy.run_path(str(Path(__file__).parents[1] / "order_talk.py"))
NOW: Any = talk["NOW"]
BTC: Any = talk["BTC"]
ORDER: Any = talk["ORDER"]
THIS: Any = talk["THIS"]
ID: Any = talk["ID"]
frames: Any = talk["frames"]
wire: Any = talk["wire"]
token: Any = talk["token"]
ack: Any = talk["ack"]
refusal: Any = talk["refusal"]
executions: Any = talk["executions"]
ready: Any = talk["ready"]
one: Any = talk["one"]
place: Any = talk["place"]
fill: Any = talk["fill"]
bound: Any = talk["bound"]
request: Any = talk["request"]
row: Any = talk["row"]


def test_an_accepted_order_is_acknowledged() -> None:
    """The answer names it; what came before the answer is told with it."""
    session = ready()
    number = place(session)
    early = executions({"order_id": ID, "exec_type": "new", "order_status": "new", "timestamp": ""}, sequence=2)
    early = early.replace(b', "timestamp": ""', b"")
    assert session.received(early, NOW) == ([], [])
    reports, _ = session.received(ack(number, "add_order", order_id=ID, cl_ord_id=ORDER.client_id), NOW)
    assert [(r.kind, r.client_id, r.venue_order_id) for r in reports] == [
        (ReportKind.ACK, ORDER.client_id, ID)
    ] * 2  # fmt: skip


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("EOrder:Insufficient funds", ReportKind.REJECT),
        ("EOrder:Rate limit exceeded", ReportKind.REJECT),
        ("EOrder:Orders limit exceeded", ReportKind.REJECT),
        ("EOrder:Order minimum not met", ReportKind.REJECT),
        ("EOrder:Cost minimum not met", ReportKind.REJECT),
        ("EOrder:Tick size check failed", ReportKind.REJECT),
        ("EOrder:Invalid price", ReportKind.REJECT),
        ("EOrder:Post only order", ReportKind.REJECT),
        ("EOrder:Trading agreement required", ReportKind.REJECT),
        ("EGeneral:Invalid arguments:volume", ReportKind.REJECT),
        ("EGeneral:Permission denied", ReportKind.REJECT),
        ("EService:Market in cancel_only mode", ReportKind.REJECT),
        ("EService:Market in post_only mode", ReportKind.REJECT),
        ("EService:Deadline elapsed", ReportKind.REJECT),
        ("EAPI:Invalid nonce", ReportKind.REJECT),
        ("EService:Unavailable", ReportKind.UNCERTAIN),
        ("EService:Busy", ReportKind.UNCERTAIN),
        ("EGeneral:Internal error", ReportKind.UNCERTAIN),
        ("EOrder:Internal error", ReportKind.UNCERTAIN),
        ("Something new", ReportKind.UNCERTAIN),
    ],
)
def test_only_listed_texts_are_refusals(error: str, kind: ReportKind) -> None:
    """Every other failure leaves the outcome unknown; the venue's words are kept."""
    session = ready()
    report = one(session.received(refusal(place(session), "add_order", error), NOW))
    assert (report.kind, report.client_id, report.reason) == (kind, ORDER.client_id, error)


def test_a_cancel_is_confirmed_by_the_private_stream_only() -> None:
    """Its answer says that it was taken, no more; a refusal is doubted, or asked about."""
    session = ready()
    place(session)
    for error, kind in (("", None), ("EOrder:Unknown order", ReportKind.CANCEL_REJECT), ("EService:Busy", 11)):
        out = session.cancel(THIS, NOW)
        number = json.loads(bytes(out))["req_id"]  # type: ignore[arg-type]
        if kind is None:
            assert session.received(ack(number, "cancel_order", order_id=ID), NOW) == ((), ())
        else:
            assert one(session.received(refusal(number, "cancel_order", error), NOW)).kind == kind


@pytest.mark.parametrize(
    ("row", "kind", "reason"),
    [
        ({"exec_type": "new", "order_status": "new"}, ReportKind.ACK, ""),
        ({"exec_type": "filled", "order_status": "filled"}, ReportKind.FOUND_CLOSED, "FILLED"),
        ({"exec_type": "canceled", "order_status": "canceled", "reason": "User requested"}, ReportKind.CANCELLED,
         "User requested"),
        ({"exec_type": "canceled", "order_status": "canceled", "reason": "Post only order"}, ReportKind.EXPIRED,
         "Post only order"),
        ({"exec_type": "canceled", "order_status": "canceled", "cancel_reason": "Insufficient margin"},
         ReportKind.EXPIRED, "Insufficient margin"),
        ({"exec_type": "expired", "order_status": "expired"}, ReportKind.EXPIRED, "expired"),
        ({"exec_type": "status", "order_status": "canceled"}, ReportKind.FOUND_CLOSED, "CANCELED"),
        ({"exec_type": "brand_new_thing", "order_status": "new"}, ReportKind.UNCERTAIN,
         "execution type 'brand_new_thing' is not known"),
    ],
)  # fmt: skip
def test_deltas_by_type(row: dict[str, Any], kind: ReportKind, reason: str) -> None:
    """Each execution type is its report, of an order that only its id names."""
    report = one(bound().received(executions({"order_id": ID, **row}, sequence=2), NOW))
    assert (report.kind, report.client_id, report.venue_symbol, report.reason) == (
        kind, ORDER.client_id, "BTC/USD", reason,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["pending_new", "iceberg_refill", "status"])
def test_deltas_that_say_nothing(kind: str) -> None:
    """Not accepted yet, shown anew, triggered: nothing that an order's life knows."""
    row = {"order_id": ID, "exec_type": kind, "order_status": "new"}
    assert bound().received(executions(row, sequence=2), NOW) == ([], [])


def test_an_amended_order_says_its_quantity() -> None:
    """As bare numbers that may have fewer decimals than the book."""
    row = {"order_id": ID, "exec_type": "amended", "order_status": "new", "cum_qty": Decimal("0.0"),
           "order_qty": Decimal("0.00005")}  # fmt: skip
    report = one(bound().received(executions(row, sequence=2), NOW))
    assert (report.kind, report.quantity_units, report.cumulative_units) == (ReportKind.REPLACED, 5_000, 0)


@pytest.mark.parametrize(
    ("fees", "fee", "asset"),
    [
        ([{"asset": "USD", "qty": Decimal("0.01125")}], Decimal("0.01125"), "USD"),
        ([{"asset": "BTC", "qty": Decimal("0.00000018")}], Decimal("0.00000018"), "BTC"),
        ([{"asset": "KFEE", "qty": Decimal("1.5")}], Decimal("1.5"), "KFEE"),
        ([{"asset": "ZUSD", "qty": Decimal("-0.001")}], Decimal("-0.001"), "USD"),
        ([{"asset": "USD", "qty": Decimal("1e-05")}, {"asset": "USD", "qty": Decimal("0.1")}], Decimal("0.10001"),
         "USD"),
        ([], Decimal(0), "USD"),
    ],
)  # fmt: skip
def test_a_fill_is_exact(fees: list[Any], fee: Decimal, asset: str) -> None:
    """Price, quantity, fee in whichever asset, side of liquidity and time."""
    report = one(bound().received(executions(fill(fees=fees, liquidity_ind="m"), sequence=2), NOW))
    made = report.fill
    assert report.kind is ReportKind.FILL
    assert made is not None
    assert (made.trade_id, made.price_ticks, made.units, made.fee, made.fee_asset, made.liquidity) == (
        "TZX2WP-XSEOP-FP7WYR", 618_376, 7_000, fee, asset, Liquidity.MAKER,
    )  # fmt: skip
    assert made.exch_ns == 1_776_336_878_243_302_000


def test_fees_in_two_assets_are_told() -> None:
    """A fill has one fee asset; a second one is told, never dropped in silence."""
    fees = [{"asset": "USD", "qty": Decimal("0.01")}, {"asset": "KFEE", "qty": Decimal(2)}]
    reports, actions = bound().received(executions(fill(fees=fees), sequence=2), NOW)
    assert len(reports) == 1
    assert actions == [Tell("fees_in_several_assets", f"a fill of {ORDER.client_id} also cost 2 KFEE")]


def test_a_snapshot_finds_what_is_open_and_repeats_only_our_fills() -> None:
    """Open orders are found, with what is filled; fills of orders that this session never sent are of earlier runs."""
    row = {"order_id": ID, "symbol": "BTC/USD", "cl_ord_id": "B0100010000001Z", "exec_type": "new",
           "order_status": "partially_filled", "order_qty": Decimal("0.1"), "cum_qty": Decimal("0.04")}  # fmt: skip
    old = fill(order_id="OOLDER-12345-FGHIJK", cl_ord_id="B0100010000001Y")
    session = ready(open_orders=(row, old))
    session.disconnected(NOW, "cut")
    session.connected(NOW)
    token(session, NOW)
    reports, _ = session.received(executions(row, old, sequence=1, kind="snapshot"), NOW)
    assert [(r.kind, r.client_id, r.cumulative_units, r.quantity_units) for r in reports] == [
        (ReportKind.FOUND_OPEN, "B0100010000001Z", 4_000_000, 10_000_000)
    ]


def test_a_hole_in_the_numbers_reads_the_stream_anew() -> None:
    """It is left, subscribed to again, and no new order goes out until its snapshot is here; cancels do."""
    session = bound()
    reports, actions = session.received(executions(fill(), sequence=3), NOW)
    assert [r.kind for r in reports] == [ReportKind.FILL]
    assert [a.code for a in actions if isinstance(a, Tell)] == ["private_gap"]
    (left,) = frames(actions)
    assert (left["method"], left["params"]["channel"]) == ("unsubscribe", "executions")
    assert session.ready
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == "ORDERS_UNSYNCHRONISED"
    assert isinstance(session.cancel(THIS, NOW), bytes)
    _, actions = session.received(ack(left["req_id"], "unsubscribe", channel="executions"), NOW)
    (again,) = frames(actions)
    assert (again["method"], again["params"]["channel"]) == ("subscribe", "executions")
    reports, actions = session.received(executions(sequence=1, kind="snapshot"), NOW)
    assert Listed("BTC/USD", frozenset(), NOW) in actions
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == ""
    assert session.received(executions(sequence=2), NOW) == ([], [])


def test_repeated_frames_are_no_hole() -> None:
    """The same number again changes nothing about the next one."""
    session = bound()
    for number in (2, 2, 3):
        _, actions = session.received(executions(sequence=number), NOW)
        assert actions == []


@pytest.mark.parametrize(
    "frame",
    [
        b"{", b'{"channel":"executions","type":"update","data":{}}',
        b'{"channel":"executions","type":"update","data":[],"sequence":"x"}',
    ],
)  # fmt: skip
def test_what_no_venue_may_send_is_a_named_error(frame: bytes) -> None:
    """Broken frames raise RemoteProtocolError, never anything else."""
    with pytest.raises(RemoteProtocolError):
        bound().received(frame, NOW)


@pytest.mark.parametrize(
    "bad",
    [
        {"exec_type": "new"}, fill(last_price=Decimal(0)), fill(last_qty=Decimal("0.000000001")), fill(fees=7),
        fill(exec_id=""), fill(last_price="61837.6"), fill(timestamp="yesterday"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_reads_the_stream_anew(bad: dict[str, Any]) -> None:
    """It is told, what stands beside it counts, and no new order leaves until it is known what it said."""
    session = bound()
    good = fill(exec_id="TGOOD-A-B")
    reports, actions = session.received(executions(bad, good, sequence=2), NOW)
    assert [r.fill.trade_id for r in reports] == ["TGOOD-A-B"]
    assert [a.code for a in actions if isinstance(a, Tell)] == ["bad_order_row"]
    assert [f["method"] for f in frames(actions)] == ["unsubscribe"]
    assert session.refusal(BTC, OrderType.LIMIT, NOW) == "ORDERS_UNSYNCHRONISED"


def test_a_bad_row_that_came_before_the_answer_does_not_cost_the_answer() -> None:
    """The order is acknowledged, and the stream is read anew."""
    session = ready()
    number = place(session)
    bad = {"order_id": ID, "exec_type": "new", "order_status": "new", "cum_qty": "many"}
    assert session.received(executions(bad, sequence=2), NOW) == ([], [])
    reports, actions = session.received(ack(number, "add_order", order_id=ID), NOW)
    assert [r.kind for r in reports] == [ReportKind.ACK]
    assert [a.code for a in actions if isinstance(a, Tell)] == ["bad_order_row"]
    assert [f["method"] for f in frames(actions)] == ["unsubscribe"]


def test_balances_that_cannot_be_read_stop_nothing() -> None:
    """Nothing is decided from them: they are told."""
    session = ready()
    frame = b'{"channel":"balances","type":"update","data":[{"asset":"USD","balance":"1"}],"sequence":2}'
    reports, actions = session.received(frame, NOW)
    assert not reports
    assert [a.code for a in actions if isinstance(a, Tell)] == ["bad_balances"]
    assert session.accepting


def test_moves_of_funds_that_are_no_trades_are_told() -> None:
    """A withdrawal while a run trades is a surprise; what trades move is none."""
    session = ready()
    snapshot = {"asset": "USD", "asset_class": "currency", "balance": Decimal("1000.5")}
    moved = {"asset": "USD", "type": "withdrawal", "category": "withdrawal", "amount": Decimal(-900),
             "balance": Decimal("100.5"), "ledger_id": "L1"}  # fmt: skip
    traded = {**moved, "type": "trade", "category": "trade"}
    session.received(wire(channel="balances", type="snapshot", data=[snapshot], sequence=1), NOW)
    assert session.balances.totals == {"USD": Decimal("1000.5")}
    assert session.received(wire(channel="balances", type="update", data=[traded], sequence=2), NOW) == ((), [])
    _, actions = session.received(wire(channel="balances", type="update", data=[moved], sequence=3), NOW)
    assert actions == [Tell("balance_moved", "kraken: withdrawal of -900 USD")]


def test_a_filled_order_has_the_quantity_that_was_filled() -> None:
    """A reduction whose report was lost is known by the last fill, and by the end: nothing is missed then."""
    session = bound()
    done = {"cum_qty": Decimal("0.00005000"), "order_status": "filled"}
    trade = one(session.received(executions(fill(last_qty=Decimal("0.00005000"), **done), sequence=2), NOW))
    end = one(session.received(executions({"order_id": ID, "exec_type": "filled", **done}, sequence=3), NOW))
    assert (trade.quantity_units, end.quantity_units, end.cumulative_units) == (5_000, 5_000, 5_000)


def test_a_snapshot_that_does_not_say_how_much_is_filled_is_asked_about() -> None:
    """A partly filled order without its filled quantity: one question more, over REST."""
    session = bound()
    session.disconnected(NOW, "cut")
    session.connected(NOW)
    token(session, NOW)
    partly = {"order_id": ID, "symbol": "BTC/USD", "cl_ord_id": ORDER.client_id, "exec_type": "new",
              "order_status": "partially_filled"}  # fmt: skip
    _, actions = session.received(executions(partly, sequence=1, kind="snapshot"), NOW)
    assert [request(a)[0] for a in actions if isinstance(a, Request)] == ["QueryOrders"]
