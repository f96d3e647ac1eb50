"""What goes over REST about orders, and what its answers say."""

from __future__ import annotations

import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from bloor.errors import LocalProtocolError
from bloor.model.orders import (
    Liquidity,
    ReportKind,
)
from bloor.venue.session import (
    NEVER,
    Listed,
    Request,
    Tell,
)
from bloor_kraken.config import RestOrders

talk = runpy.run_path(str(Path(__file__).parents[1] / "order_talk.py"))
SECOND: Any = talk["SECOND"]
NOW: Any = talk["NOW"]
BTC: Any = talk["BTC"]
ORDER: Any = talk["ORDER"]
THIS: Any = talk["THIS"]
ID: Any = talk["ID"]
refusal: Any = talk["refusal"]
ready: Any = talk["ready"]
one: Any = talk["one"]
place: Any = talk["place"]
fill: Any = talk["fill"]
request: Any = talk["request"]
rest: Any = talk["rest"]
row: Any = talk["row"]
down: Any = talk["down"]


def test_a_query_goes_over_rest_even_while_connected() -> None:
    """By the venue's id if it is known; else by ours, among what is open and then among what is closed."""
    session = ready()
    place(session)
    name, params = request(session.query(ORDER.client_id, BTC, NOW))
    assert (name, params) == ("OpenOrders", {"cl_ord_id": [ORDER.client_id]})
    reports, (second,) = session.responded(f"o{ORDER.client_id}", 200, rest({"open": {}}), NOW)
    assert not reports
    assert request(second) == ("ClosedOrders", {"cl_ord_id": [ORDER.client_id]})
    heard = session.responded(f"k{ORDER.client_id}", 200, rest({"closed": {}, "count": Decimal(0)}), NOW)
    assert one(heard).kind is ReportKind.NOT_FOUND
    heard = session.responded(f"o{ORDER.client_id}", 200, rest({"open": {ID: row()}}), NOW)
    found = one(heard)
    assert (found.kind, found.venue_order_id, found.cumulative_units) == (ReportKind.FOUND_OPEN, ID, 2_000)
    assert request(session.query(ORDER.client_id, BTC, NOW)) == ("QueryOrders", {"txid": [ID]})


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        ("open", ReportKind.FOUND_OPEN, "OPEN"), ("pending", ReportKind.FOUND_OPEN, "PENDING"),
        ("closed", ReportKind.FOUND_CLOSED, "FILLED"), ("canceled", ReportKind.FOUND_CLOSED, "CANCELED User requested"),
        ("expired", ReportKind.FOUND_CLOSED, "EXPIRED User requested"),
    ],
)  # fmt: skip
def test_how_a_query_finds_an_order(status: str, kind: ReportKind, reason: str) -> None:
    """Open or ended, with what was filled."""
    session = down()
    why = "User requested" if status in ("canceled", "expired") else None
    report = one(session.responded(f"q{ORDER.client_id}", 200, rest({ID: row(status=status, reason=why)}), NOW))
    assert (report.kind, report.reason, report.cumulative_units) == (kind, reason, 2_000)


def test_a_query_that_failed_says_nothing() -> None:
    """Only "unknown order" is an answer; a refusal for the rate is told and waited for."""
    session = down()
    assert session.responded(f"q{ORDER.client_id}", 0, b"", NOW)[0] == []
    assert one(session.responded(f"q{ORDER.client_id}", 200, rest(None, "EOrder:Unknown order"), NOW)).kind is (
        ReportKind.NOT_FOUND
    )
    reports, actions = session.responded(f"q{ORDER.client_id}", 200, rest(None, "EAPI:Rate limit exceeded"), NOW)
    assert reports == []
    assert [a.code for a in actions if isinstance(a, Tell)] == ["slow_down"]
    with pytest.raises(LocalProtocolError, match="too many"):
        session.query(ORDER.client_id, BTC, NOW + SECOND)
    assert isinstance(session.cancel(THIS, NOW + SECOND), Request)
    session.query(ORDER.client_id, BTC, NOW + 20 * SECOND)


def test_a_lockout_stops_everything_for_a_quarter_of_an_hour() -> None:
    """Going on would make it longer."""
    session = down()
    session.responded(f"q{ORDER.client_id}", 200, rest(None, "EGeneral:Temporary lockout"), NOW)
    with pytest.raises(LocalProtocolError, match="too many"):
        session.cancel(THIS, NOW + 800 * SECOND)
    assert isinstance(session.cancel(THIS, NOW + 901 * SECOND), Request)


def test_cancels_go_over_rest_while_the_connection_is_down() -> None:
    """And are followed by a question, since nothing else would tell what became of the order."""
    session = down()
    assert not session.accepting
    out = session.cancel(THIS, NOW)
    assert request(out) == ("CancelOrder", {"cl_ord_id": [ORDER.client_id]})
    assert isinstance(out, Request)
    assert out.urgent
    assert out.record() == f"c{ORDER.client_id} POST /0/private/CancelOrder cl_ord_id={ORDER.client_id}".encode()
    reports, (then,) = session.responded(out.tag, 200, rest({"count": Decimal(1)}), NOW)
    assert not reports
    assert request(then) == ("QueryOrders", {"txid": [ID]})
    with pytest.raises(LocalProtocolError, match="rest_orders"):
        session.place(ORDER, NOW)


def test_orders_go_over_rest_if_so_configured() -> None:
    """The exact text of price and quantity, the same id, the same flags."""
    session = down(rest_orders=RestOrders.ALL)
    assert session.accepting
    out = session.place(ORDER, NOW)
    name, params = request(out)
    assert name == "AddOrder"
    assert params == {
        "ordertype": ["limit"], "type": ["buy"], "volume": ["0.00007000"], "pair": ["XBTUSD"], "price": ["61837.6"],
        "timeinforce": ["IOC"], "oflags": ["fciq"], "stptype": ["cancel-newest"], "cl_ord_id": [ORDER.client_id],
        "deadline": ["2026-09-21T14:13:25.000Z"],
    }  # fmt: skip
    described = {"descr": {"order": "buy 0.00007000 XBTUSD @ limit 61837.6"}, "txid": ["ONEWER-12345-FGHIJK"]}
    reports, _ = session.responded(f"n{ORDER.client_id}", 200, rest(described), NOW)
    assert [r.kind for r in reports] == [ReportKind.ACK]
    for status, body, kind in (
        (0, b"", ReportKind.UNCERTAIN),
        (502, b"<html>", ReportKind.UNCERTAIN),
        (429, b"", ReportKind.REJECT),
        (200, rest(None, "EOrder:Insufficient funds"), ReportKind.REJECT),
        (200, rest(None, "EService:Unavailable"), ReportKind.UNCERTAIN),
    ):
        assert one(session.responded(f"n{ORDER.client_id}", status, body, NOW)).kind is kind


def test_nothing_goes_over_rest_when_that_is_off() -> None:
    """Everything waits for the connection."""
    session = down(rest_orders=RestOrders.OFF)
    for ask in (lambda: session.cancel(THIS, NOW), lambda: session.query(ORDER.client_id, BTC, NOW)):
        with pytest.raises(LocalProtocolError, match="rest_orders = 'off'"):
            ask()
    assert session.deadline_ns == NEVER


def test_open_orders_are_looked_up_while_the_connection_is_down() -> None:
    """Each that is open is found, and what is not listed must be asked about."""
    session = down()
    (look,) = session.timer(NOW + SECOND)
    assert request(look) == ("OpenOrders", {})
    assert isinstance(look, Request)
    reports, actions = session.responded(look.tag, 200, rest({"open": {ID: row()}}), NOW + 2 * SECOND)
    assert [r.kind for r in reports] == [ReportKind.FOUND_OPEN]
    assert actions == [Listed("BTC/USD", frozenset({ORDER.client_id}), NOW + SECOND)]


def test_the_fills_of_an_order_are_read_by_their_names() -> None:
    """First which they are, then what they are; each by the name that the private stream gives it."""
    session = down()
    out = session.fetch_fills(THIS, NOW)
    assert request(out) == ("QueryOrders", {"txid": [ID], "trades": ["true"]})
    reports, (then,) = session.responded(f"f{ORDER.client_id}", 200, rest({ID: row(trades=["T1-A-B", "T2-A-B"])}), NOW)
    assert not reports
    assert request(then) == ("QueryTrades", {"txid": ["T1-A-B,T2-A-B"]})
    trade = {"ordertxid": ID, "pair": "XXBTZUSD", "time": Decimal("1776336878.2433"), "price": "61837.60000",
             "vol": "0.00007000", "fee": "0.01125", "cost": "4.32863", "maker": False}  # fmt: skip
    report = one(session.responded(f"t{ORDER.client_id}", 200, rest({"T1-A-B": trade}), NOW))
    made = report.fill
    assert made is not None
    assert (made.trade_id, made.price_ticks, made.units, made.fee, made.fee_asset, made.liquidity) == (
        "T1-A-B", 618_376, 7_000, Decimal("0.01125"), "USD", Liquidity.TAKER,
    )  # fmt: skip
    with pytest.raises(LocalProtocolError, match="not known yet"):
        ready().fetch_fills(THIS, NOW)


def test_the_trades_of_an_instrument_are_searched() -> None:
    """Only those of the pair, whatever REST calls it; whose they are is asked. A full page may leave some out."""
    session = down()
    out = session.search_trades(THIS, NOW - 5 * SECOND, NOW, NOW)
    name, params = request(out)
    assert (name, params["start"]) == ("TradesHistory", [str(NOW // SECOND - 7)])
    rows = {"T1": {"ordertxid": "O1", "pair": "XXBTZUSD"}, "T2": {"ordertxid": "O2", "pair": "XETHZUSD"}}
    reports, (then,) = session.responded(f"s{ORDER.client_id}", 200, rest({"trades": rows, "count": Decimal(2)}), NOW)
    assert not reports
    assert request(then) == ("QueryOrders", {"txid": ["O1"]})
    reports, _ = session.responded(f"i{ORDER.client_id}", 200, rest({"O1": row(cl_ord_id="by-hand")}), NOW)
    stranger, found = reports
    assert (stranger.client_id, stranger.venue_order_id, stranger.venue_symbol) == ("by-hand", "O1", "BTC/USD")
    assert found.order_ids == frozenset({"O1"})
    mine = one(session.responded(f"i{ORDER.client_id}", 200, rest({"O1": row(status="closed")}), NOW))
    assert (mine.kind, mine.client_id) == (ReportKind.FOUND_CLOSED, ORDER.client_id)
    full = {f"T{n}": {"ordertxid": "O1", "pair": "XBTUSD"} for n in range(50)}
    found = one(session.responded(f"s{ORDER.client_id}", 200, rest({"trades": full, "count": Decimal(80)}), NOW))
    assert found.order_ids is None


def test_nonces_rise_and_leap_over_those_of_others() -> None:
    """Each request has one above the last; after a refusal they go on much further up, and a person is told."""
    session = down()
    asked = [session.query(ORDER.client_id, BTC, NOW) for _ in range(3)]
    nonces = [int(parse_qs(out.body.decode())["nonce"][0]) for out in asked if isinstance(out, Request)]
    assert nonces == sorted(set(nonces))
    _, actions = session.responded(f"q{ORDER.client_id}", 200, rest(None, "EAPI:Invalid nonce"), NOW)
    assert [a.code for a in actions if isinstance(a, Tell)] == ["nonce"]
    out = session.query(ORDER.client_id, BTC, NOW)
    assert isinstance(out, Request)
    assert int(parse_qs(out.body.decode())["nonce"][0]) >= nonces[-1] + 10_000_000
