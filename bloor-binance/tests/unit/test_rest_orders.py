"""Orders over REST while the order connection is down: what may go, what it looks like, how answers are read."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import CancelRequest, OrderRequest, OrderType, ReportKind, Side, TimeInForce
from bloor.venue.secret import Secret
from bloor.venue.session import NEVER, Endpoints, Listed, Request, Tell
from bloor_binance.config import BinanceConfig, RestOrders
from bloor_binance.executor import BinanceExecutor
from bloor_binance.rest_orders import FIRST_LOOK_NS, LOOK_NS
from bloor_binance.signing import BinanceCredentials

MS = 1_000_000
BTC = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
    qty_decimals=8, lot_units=1000,
)  # fmt: skip
PLACE = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1", "ws://127.0.0.1:1/ws-api/v3")
ORDER = OrderRequest(
    client_id="B0100010000002A", instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
    price_ticks=6_183_764, lots=7,
)  # fmt: skip
THIS = CancelRequest(client_id=ORDER.client_id, venue_order_id="12", instrument=BTC)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED25519 = BinanceCredentials(api_key="canary-key", private_key=PRIVATE)
HMAC = BinanceCredentials(api_key="canary-key", secret=Secret("canary-secret"))


def down(
    allowed: RestOrders = RestOrders.CANCEL, keys: BinanceCredentials = ED25519, *, known: bool = True
) -> BinanceExecutor:
    """A session whose connection was lost at 10 s; its venue's clock is 250 ms ahead."""
    config = BinanceConfig(rest_orders=allowed)
    session = BinanceExecutor(ExecutorContext(config=config, endpoints=PLACE, credentials=keys, instruments=[BTC]))
    if known:
        session.connected(1000 * MS)
        for name, result in (("time", {"serverTime": 1250}), ("logon", {}), ("stream", {})):
            session.received(orjson.dumps({"id": name, "status": 200, "result": result}), 1000 * MS)
        assert session.ready
    session.disconnected(10_000 * MS, "gone")
    return session


def test_a_cancel_goes_over_rest_and_is_urgent() -> None:
    """Signed over the encoded query at the venue's time, the key in the head."""
    request = down().cancel(THIS, 20_000 * MS)
    assert isinstance(request, Request)
    assert (request.tag, request.method, request.path) == (f"c{ORDER.client_id}", "DELETE", "/api/v3/order")
    assert request.params == "symbol=BTCUSDT&orderId=12&timestamp=20250&recvWindow=5000"
    assert request.headers == {"X-MBX-APIKEY": "canary-key"}
    assert (request.urgent, request.about) == (True, ORDER.client_id)
    signature = unquote(request.signature.removeprefix("&signature="))
    PRIVATE.public_key().verify(base64.b64decode(signature), request.params.encode())


@pytest.mark.parametrize("keys", [ED25519, HMAC])
def test_nothing_of_a_key_is_shown_or_recorded(keys: BinanceCredentials) -> None:
    """Neither by the record nor by a repr."""
    request = down(keys=keys).cancel(THIS, 0)
    assert isinstance(request, Request)
    shown = request.record() + repr(request).encode()
    assert b"canary" not in shown
    assert b"signature" not in shown
    assert parse_qs(request.query)["signature"]


@pytest.mark.parametrize("allowed", RestOrders)
def test_what_may_go_is_configured(allowed: RestOrders) -> None:
    """off: nothing; cancel: what takes risk away; all: new orders too."""
    session = down(allowed)
    for work, goes in (
        (lambda: session.query(ORDER.client_id, BTC, 0), allowed is not RestOrders.OFF),
        (lambda: session.fetch_fills(THIS, 0), allowed is not RestOrders.OFF),
        (lambda: session.place(ORDER, 0), allowed is RestOrders.ALL),
    ):
        if goes:
            assert isinstance(work(), Request)
        else:
            with pytest.raises(LocalProtocolError, match=f"rest_orders = '{allowed.value}'"):
                work()
    assert session.accepting == (allowed is RestOrders.ALL)


def test_an_account_that_was_never_reached_is_not_asked() -> None:
    """Nothing can be open there, and its clock is not known."""
    session = down(RestOrders.ALL, known=False)
    assert (session.accepting, session.deadline_ns) == (False, NEVER)
    with pytest.raises(LocalProtocolError):
        session.cancel(THIS, 0)


def test_open_orders_are_looked_up_while_the_connection_is_down() -> None:
    """A second after it was lost, then every five; one request for each instrument."""
    session = down()
    assert session.deadline_ns == 10_000 * MS + FIRST_LOOK_NS
    (request,) = session.timer(11_000 * MS)
    assert isinstance(request, Request)
    assert (request.path, parse_qs(request.params)["symbol"]) == ("/api/v3/openOrders", ["BTCUSDT"])
    assert session.deadline_ns == 11_000 * MS + LOOK_NS
    row = {"symbol": "BTCUSDT", "orderId": 12, "clientOrderId": ORDER.client_id, "status": "PARTIALLY_FILLED",
           "origQty": "0.00007000", "executedQty": "0.00002000"}  # fmt: skip
    reports, actions = session.responded(request.tag, 200, orjson.dumps([row]), 0)
    assert [(r.kind, r.cumulative_units, r.quantity_units) for r in reports] == [(ReportKind.FOUND_OPEN, 2000, 7000)]
    assert list(actions) == [Listed("BTCUSDT", frozenset({ORDER.client_id}), 11_000 * MS)]
    assert session.responded(request.tag, 0, b"", 0) == ((), ())
    session.connected(12_000 * MS)
    assert not isinstance(session.timer(session.deadline_ns)[0], Request)


@pytest.mark.parametrize(
    ("letter", "status", "body", "kinds"),
    [
        ("c", 200, {"symbol": "BTCUSDT", "orderId": 12, "executedQty": "0"}, [ReportKind.CANCELLED]),
        ("c", 400, {"code": -2011, "msg": ""}, [ReportKind.CANCEL_REJECT]),
        ("c", 0, None, [ReportKind.CANCEL_UNCERTAIN]),
        ("c", 502, "<html>", [ReportKind.CANCEL_UNCERTAIN]),
        ("q", 400, {"code": -2013, "msg": ""}, [ReportKind.NOT_FOUND]),
        ("q", 0, None, []),
        ("n", 0, None, [ReportKind.UNCERTAIN]),
        ("n", 400, {"code": -2010, "msg": ""}, [ReportKind.REJECT]),
        ("n", 429, None, [ReportKind.UNCERTAIN]),
    ],
)
def test_answers_mean_what_they_mean_over_the_connection(
    letter: str, status: int, body: Any, kinds: list[ReportKind]
) -> None:
    """No answer, or a gateway's page, leaves the outcome unknown; a listed code is a refusal."""
    raw = b"" if body is None else body.encode() if isinstance(body, str) else orjson.dumps(body)
    reports, actions = down().responded(f"{letter}{ORDER.client_id}", status, raw, 0)
    assert ([r.kind for r in reports], list(actions)) == (kinds, [])


def test_a_clock_that_is_wrong_is_measured_again() -> None:
    """-1021 asks for the time; the next request is stamped by the answer."""
    session = down()
    body = b'{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}'
    reports, (request,) = session.responded(f"c{ORDER.client_id}", 400, body, 20_000 * MS)
    assert reports[0].kind is ReportKind.CANCEL_UNCERTAIN
    assert isinstance(request, Request)
    assert (request.path, request.signature, dict(request.headers)) == ("/api/v3/time", "", {})
    _, (told,) = session.responded(request.tag, 200, b'{"serverTime":27100}', 20_200 * MS)
    assert isinstance(told, Tell)
    assert abs(session.offset_ns - 7_000 * MS) < MS
    again = session.cancel(THIS, 21_000 * MS)
    assert isinstance(again, Request)
    assert "timestamp=28000" in again.params


@pytest.mark.parametrize(
    ("tag", "body"),
    [
        ("o5:BTCUSDT", b"{"), ("o5:BTCUSDT", b"[{}]"), ("o5:BTCUSDT", b"7"), ("@5", b"{}"), ("o5:BTCUSDT", b"null"),
        (f"c{ORDER.client_id}", b"[]"), (f"q{ORDER.client_id}", b"null"),
    ],
)  # fmt: skip
def test_what_no_venue_may_answer_is_a_named_error(tag: str, body: bytes) -> None:
    """RemoteProtocolError, never anything else."""
    with pytest.raises(RemoteProtocolError):
        down().responded(tag, 200, body, 0)


def test_frames_are_recorded_without_keys() -> None:
    """Neither the log-on nor a signed request leaves its key in a record; a frame without one is left alone."""
    for keys in (ED25519, HMAC):
        session = down(keys=keys)
        signed = orjson.dumps({"id": "x", "method": "m", "params": keys.signed({"timestamp": 5})})
        assert session.redacted(signed) == b'{"id":"x","method":"m","params":{"timestamp":5}}'
        assert session.redacted(b'{"id":"ping"}') == b'{"id":"ping"}'
