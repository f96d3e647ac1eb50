"""The order-entry session: how it becomes ready, and what it sends."""

from __future__ import annotations

import json
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from bloor.config.duration import Duration
from bloor.errors import AccessRefusedError, LocalProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.orders import (
    AmendRequest,
    OrderType,
    ReplaceRequest,
    TimeInForce,
)
from bloor.venue.session import (
    BatchSession,
    ConcludingSession,
    DiscreetSession,
    Endpoints,
    Listed,
    ListingSession,
    OrderSession,
    Reconnect,
    Request,
    SelectiveSession,
    Send,
    Tell,
)
from bloor_kraken.config import KrakenConfig
from bloor_kraken.executor import KrakenExecutor
from bloor_kraken.private_rest import PrivateRequest

talk = runpy.run_path(str(Path(__file__).parents[1] / "order_talk.py"))
SECOND: Any = talk["SECOND"]
NOW: Any = talk["NOW"]
TOKEN: Any = talk["TOKEN"]
KEY: Any = talk["KEY"]
SECRET: Any = talk["SECRET"]
BTC: Any = talk["BTC"]
ORDER: Any = talk["ORDER"]
THIS: Any = talk["THIS"]
ID: Any = talk["ID"]
executor: Any = talk["executor"]
frames: Any = talk["frames"]
wire: Any = talk["wire"]
token: Any = talk["token"]
ack: Any = talk["ack"]
refusal: Any = talk["refusal"]
executions: Any = talk["executions"]
ready: Any = talk["ready"]
one: Any = talk["one"]
place: Any = talk["place"]
request: Any = talk["request"]
row: Any = talk["row"]


def test_it_is_every_kind_of_session_that_it_says() -> None:
    """The engine finds its optional parts."""
    session = executor()
    for kind in (OrderSession, BatchSession, DiscreetSession, ListingSession, SelectiveSession, ConcludingSession):
        assert isinstance(session, kind)


def test_a_connection_asks_for_a_token_and_subscribes_with_it() -> None:
    """Token by a signed request, then executions and balances; the snapshot makes it ready and names what is open."""
    session = executor()
    (request,) = session.connected(NOW)
    assert isinstance(request, PrivateRequest)
    assert request.record() == b"w POST /0/private/GetWebSocketsToken"
    assert parse_qs(request.body.decode()) == {"nonce": [str(NOW // 1000)]}
    assert set(request.headers) == {"Content-Type", "API-Key", "API-Sign"}
    first, second = frames(token(session, NOW))
    assert first["params"] == {
        "channel": "executions", "snap_orders": True, "snap_trades": True, "order_status": True, "ratecounter": True,
        "token": TOKEN,
    }  # fmt: skip
    assert second["params"] == {"channel": "balances", "snapshot": True, "token": TOKEN}
    session.received(ack(1, channel="executions", maxratecount=Decimal(125)), NOW)
    with pytest.raises(LocalProtocolError, match="not authenticated"):
        session.place(ORDER, NOW)
    reports, actions = session.received(executions(sequence=1, kind="snapshot"), NOW)
    assert not reports
    assert actions == [Listed("BTC/USD", frozenset(), NOW)]
    assert session.counters["BTC/USD"].limits.most == 125


def test_no_snapshot_after_the_acknowledgement_is_an_empty_one() -> None:
    """Then everything that is believed to be open is asked about, which is safe whatever the truth is."""
    session = executor()
    session.connected(NOW)
    token(session, NOW)
    session.received(ack(1, channel="executions"), NOW)
    assert session.deadline_ns == NOW + 2 * SECOND
    actions = session.timer(session.deadline_ns)
    assert session.ready
    assert Listed("BTC/USD", frozenset(), NOW) in actions


@pytest.mark.parametrize(
    ("status", "error"),
    [(0, ""), (500, ""), (429, ""), (200, "EAPI:Invalid nonce"), (200, "EAPI:Rate limit exceeded")],
)
def test_a_token_that_does_not_come_is_asked_for_again(status: int, error: str) -> None:
    """Whatever passes by itself is tried again with growing waits, and told."""
    session = executor()
    (first,) = session.connected(NOW)
    body = wire(error=[error]) if error else b""
    _, actions = session.responded("w", status, session.take_secrets("w", status, body), NOW)
    assert [a.code for a in actions if isinstance(a, Tell)][-1] == "no_token"
    again = session.timer(NOW + 60 * SECOND)
    (second,) = [a for a in again if isinstance(a, Request)]
    assert isinstance(first, Request)
    assert int(parse_qs(second.body.decode())["nonce"][0]) > int(parse_qs(first.body.decode())["nonce"][0])


def test_keys_that_are_refused_end_the_run() -> None:
    """Asking again would not help: the error says so, with Kraken's words."""
    session = executor()
    session.connected(NOW)
    with pytest.raises(AccessRefusedError, match="EAPI:Invalid key"):
        session.responded("w", 200, wire(error=["EAPI:Invalid key"]), NOW)
    session = executor()
    session.connected(NOW)
    token(session, NOW)
    with pytest.raises(AccessRefusedError, match="Permission denied"):
        session.received(refusal(1, "subscribe", "EGeneral:Permission denied"), NOW)


def test_a_token_that_is_refused_means_a_new_connection() -> None:
    """Each new connection has a new token; a third refusal in a row is the keys'."""
    session = executor()
    for _ in range(2):
        session.connected(NOW)
        number = frames(token(session, NOW))[0]["req_id"]
        _, actions = session.received(refusal(number, "subscribe", "EAPI:Invalid token"), NOW)
        assert isinstance(actions[0], Reconnect)
        session.disconnected(NOW, "refused")
    session.connected(NOW)
    number = frames(token(session, NOW))[0]["req_id"]
    with pytest.raises(AccessRefusedError):
        session.received(refusal(number, "subscribe", "EAPI:Invalid token"), NOW)


def test_silence_is_met_by_a_ping_and_then_by_a_new_connection() -> None:
    """Heartbeats come every second; 3 s without anything is asked about, 8 s is too long."""
    session = ready(dead_man=Duration(0))
    assert session.deadline_ns == NOW + 3 * SECOND
    (ping,) = frames(session.timer(NOW + 3 * SECOND))
    assert ping["method"] == "ping"
    assert isinstance(session.timer(NOW + 8 * SECOND)[0], Reconnect)
    assert not session.ready


def test_pongs_tell_how_far_the_clocks_are_apart() -> None:
    """The deadline of an order is by the venue's clock."""
    session = ready(dead_man=Duration(0))
    (ping,) = frames(session.timer(session.deadline_ns))
    at = NOW + 3 * SECOND
    pong = wire(method="pong", req_id=ping["req_id"], time_in="2026-09-21T14:13:30.000000Z")
    session.received(pong, at)
    frame = json.loads(bytes(session.place(ORDER, at)))  # type: ignore[arg-type]
    assert frame["params"]["deadline"] == "2026-09-21T14:13:35.000Z"


def test_an_order_frame_is_exact() -> None:
    """Ticks and lots become bare numbers with exactly the instrument's decimals."""
    out = ready().place(ORDER, NOW)
    assert isinstance(out, bytes)
    assert b'"order_qty":0.00007000' in out
    assert b'"limit_price":61837.6' in out
    frame = json.loads(out, parse_float=str)
    assert frame["method"] == "add_order"
    assert frame["params"] == {
        "order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": "0.00007000", "limit_price": "61837.6",
        "time_in_force": "ioc", "cl_ord_id": ORDER.client_id, "deadline": "2026-09-21T14:13:25.000Z",
        "fee_preference": "quote", "stp_type": "cancel_newest", "token": TOKEN,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("order_type", "tif", "expected"),
    [
        (OrderType.MARKET, TimeInForce.IOC, {"order_type": "market"}),
        (OrderType.POST_ONLY, TimeInForce.GTC, {"order_type": "limit", "post_only": True, "time_in_force": "gtc"}),
        (OrderType.LIMIT, TimeInForce.FOK, {"order_type": "limit", "time_in_force": "fok"}),
    ],
)
def test_kinds_of_orders(order_type: OrderType, tif: TimeInForce, expected: dict[str, Any]) -> None:
    """A market order has no price; a post-only one is a limit order that says so."""
    from attrs import evolve

    out = ready().place(evolve(ORDER, type=order_type, tif=tif), NOW)
    params = json.loads(bytes(out))["params"]  # type: ignore[arg-type]
    names = ("order_type", "post_only", "time_in_force")
    assert {name: params[name] for name in names if name in params} == expected
    assert ("limit_price" in params) == (order_type is not OrderType.MARKET)


def test_cancels_and_reductions_name_the_order_by_the_best_id() -> None:
    """The venue's id where it is known, ours before."""
    from attrs import evolve

    session = ready()
    known = evolve(THIS, venue_order_id=ID)
    (a, b, c) = (
        json.loads(bytes(out))["params"]  # type: ignore[arg-type]
        for out in (
            session.cancel(THIS, NOW),
            session.cancel(known, NOW),
            session.amend(AmendRequest(order=known, lots=5_000), NOW),
        )
    )
    assert a["cl_ord_id"] == [ORDER.client_id]
    assert b["order_id"] == [ID]
    assert (c["order_id"], c["order_qty"]) == (ID, 0.00005)
    assert "limit_price" not in c


def test_replacing_is_refused_with_the_reason() -> None:
    """An edited order has no client id, so that after a crash nobody could tell whose it is."""
    with pytest.raises(LocalProtocolError, match="no client order id"):
        ready().replace(ReplaceRequest(old=THIS, new=ORDER, only_unfilled=True), NOW)


def test_nothing_secret_is_recorded() -> None:
    """Token, key and signature are in no frame, request or answer that is recorded."""
    session = executor()
    (request,) = session.connected(NOW)
    assert isinstance(request, Request)
    subscribed = token(session, NOW)
    sent = [a.payload for a in subscribed if isinstance(a, Send)]
    shown = [session.redacted(frame) for frame in sent]
    for text in (*shown, request.record(), repr(request).encode(), repr(session._keys).encode()):
        for secret in (TOKEN, KEY, SECRET, request.headers["API-Sign"]):
            assert secret.encode() not in text
    assert all(b'"token":"***"' in frame for frame in shown)


def test_a_replay_makes_the_same_frames() -> None:
    """With a stand-in key and the recorded answers every frame is the same, byte for byte."""
    from bloor_kraken.signing import STAND_IN

    first = ready()
    place = Endpoints("", "", "ws://127.0.0.1:1/auth/v2")
    second = KrakenExecutor(
        ExecutorContext(config=KrakenConfig(), endpoints=place, credentials=STAND_IN.make("hmac"), instruments=[BTC])
    )
    (request,) = second.connected(NOW)
    assert isinstance(request, Request)
    assert request.record() == b"w POST /0/private/GetWebSocketsToken"
    body = b'{"error": [], "result": {"token": "***", "expires": 900}}'
    assert second.take_secrets("w", 200, body) == body
    second.responded("w", 200, body, NOW)
    second.received(executions(sequence=1, kind="snapshot"), NOW)
    (a, b) = (session.place(ORDER, NOW) for session in (first, second))
    assert isinstance(a, bytes)
    assert isinstance(b, bytes)
    assert first.redacted(a) == second.redacted(b) == b


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":[],"result":{"token":', b'{"error":[],"result":null}'])
def test_an_answer_that_cannot_be_read_gives_no_secret_away(body: bytes) -> None:
    """What may hold half a token is not recorded at all."""
    kept = executor().take_secrets("w", 200, body)
    assert b"token" not in kept


def test_a_stepped_clock_is_told() -> None:
    """Deadlines would be wrong by as much."""
    session = ready(dead_man=Duration(0))
    for number, (second, steps) in enumerate(((23, 0), (53, 1)), 1):
        (ping,) = [f for f in frames(session.timer(NOW + 3 * number * SECOND)) if f["method"] == "ping"]
        pong = wire(method="pong", req_id=ping["req_id"], time_in=f"2026-09-21T14:13:{second}.000000Z")
        _, actions = session.received(pong, NOW + 3 * number * SECOND)
        assert [a.code for a in actions if isinstance(a, Tell)] == ["clock_stepped"] * steps
