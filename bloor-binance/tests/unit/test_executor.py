"""The order-entry session and the reports it makes of what Binance says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    CancelRequest,
    Liquidity,
    OrderRequest,
    OrderType,
    ReportKind,
    Side,
    TimeInForce,
    VenueReport,
)
from bloor.venue.secret import Secret
from bloor.venue.session import Endpoints, OrderSession, Reconnect, Send, Tell
from bloor_binance.executor import ANSWER_NS, HEARTBEAT_NS, BinanceExecutor
from bloor_binance.signing import BinanceCredentials, payload

MS = 1_000_000
BTC = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
    qty_decimals=8, lot_units=1000,
)  # fmt: skip
PLACE = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1", "ws://127.0.0.1:1/ws-api/v3")
ORDER = OrderRequest(
    client_id="B0100010000002A", instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.IOC,
    price_ticks=6_183_764, lots=7,
)  # fmt: skip
THIS = CancelRequest(client_id=ORDER.client_id, venue_order_id="", instrument=BTC)


def executor(keys: BinanceCredentials | None = None) -> BinanceExecutor:
    """A session with an Ed25519 key unless told otherwise."""
    keys = keys or BinanceCredentials(api_key="key", private_key=Ed25519PrivateKey.generate())
    return BinanceExecutor(ExecutorContext(config=None, endpoints=PLACE, credentials=keys, instruments=[BTC]))


def sent(actions: Any) -> dict[str, Any]:
    """The one frame of some actions."""
    (action,) = actions
    assert isinstance(action, Send)
    document: dict[str, Any] = orjson.loads(action.payload)
    return document


def answer(name: str, result: Any, status: int = 200) -> bytes:
    """A venue's answer."""
    return orjson.dumps({"id": name, "status": status, "result" if status == 200 else "error": result})


def ready(keys: BinanceCredentials | None = None) -> BinanceExecutor:
    """A session that has authenticated, its venue clock 250 ms ahead."""
    session = executor(keys)
    assert sent(session.connected(1000 * MS))["method"] == "time"
    _, actions = session.received(answer("time", {"serverTime": 1350}), 1200 * MS)
    if sent(actions)["method"] == "session.logon":
        _, actions = session.received(answer("logon", {}), 1300 * MS)
        assert sent(actions)["method"] == "userDataStream.subscribe"
    session.received(answer("stream", {"subscriptionId": 0}), 1400 * MS)
    assert session.ready
    return session


def one(session: BinanceExecutor, frame: bytes) -> VenueReport:
    """The only report of a frame."""
    (report,), _ = session.received(frame, 0)
    return report


def test_logging_on_measures_the_clock_and_signs_once() -> None:
    """time, logon with a verified signature at the venue's time, private stream; then orders carry no signature."""
    private = Ed25519PrivateKey.generate()
    session = executor(BinanceCredentials(api_key="key", private_key=private))
    assert isinstance(session, OrderSession)
    session.connected(1000 * MS)
    _, actions = session.received(answer("time", {"serverTime": 1350}), 1200 * MS)
    assert session.offset_ns == 250 * MS + MS // 2  # the venue's ms are cut: half of one is added
    params = sent(actions)["params"]
    signature = params.pop("signature")
    assert params == {"apiKey": "key", "timestamp": 1450}
    import base64

    private.public_key().verify(base64.b64decode(signature), payload(params))
    with pytest.raises(LocalProtocolError, match="not authenticated"):
        session.place(ORDER, 0)


def test_an_order_frame_is_exact() -> None:
    """Ticks and lots become the venue's decimal text; the request's id names the order."""
    frame = orjson.loads(ready().place(ORDER, 2000 * MS))
    assert frame["id"] == "nB0100010000002A"
    assert frame["params"] == {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "price": "61837.64",
        "quantity": "0.00007000", "newClientOrderId": "B0100010000002A", "newOrderRespType": "FULL", "timestamp": 2250,
        "recvWindow": 5000,
    }  # fmt: skip


def test_an_hmac_key_signs_every_request() -> None:
    """Without session.logon each request carries key and signature over its sorted parameters."""
    keys = BinanceCredentials(api_key="key", secret=Secret("secret"))
    params = orjson.loads(ready(keys).cancel(THIS, 2000 * MS))["params"]
    signature = params.pop("signature")
    assert params["origClientOrderId"] == ORDER.client_id
    assert keys.sign(payload(params)) == signature


def test_a_missing_answer_ends_the_connection() -> None:
    """Neither authentication nor a heartbeat may wait longer than its bound."""
    session = executor()
    session.connected(0)
    (action,) = session.timer(ANSWER_NS)
    assert isinstance(action, Reconnect)
    session = ready()
    due = session.deadline_ns
    assert due == 1400 * MS + HEARTBEAT_NS
    assert sent(session.timer(due))["method"] == "time"
    session.received(answer("beat", {"serverTime": due // MS + 250}), due + MS)
    assert session.deadline_ns == due + MS + HEARTBEAT_NS
    session.timer(session.deadline_ns)
    (action,) = session.timer(session.deadline_ns)
    assert isinstance(action, Reconnect)
    assert not session.ready


def test_a_refused_logon_is_an_error_with_the_venues_words() -> None:
    """A bad signature is told with code and text."""
    session = executor()
    session.connected(0)
    session.received(answer("time", {"serverTime": 0}), 0)
    with pytest.raises(RemoteProtocolError, match="-1022 Signature"):
        session.received(answer("logon", {"code": -1022, "msg": "Signature for this request is not valid."}, 400), 0)


def test_an_accepted_order_is_acknowledged_with_its_immediate_fills() -> None:
    """A FULL answer gives the acknowledgement, then each fill as a taker, then the end of an IOC remainder."""
    result = {
        "symbol": "BTCUSDT", "orderId": 12, "clientOrderId": ORDER.client_id, "transactTime": 5,
        "executedQty": "0.00003000", "status": "EXPIRED",
        "fills": [{"price": "61837.60", "qty": "0.00003000", "commission": "0.00000003", "commissionAsset": "BTC",
                   "tradeId": 9}],
    }  # fmt: skip
    reports, _ = ready().received(answer(f"n{ORDER.client_id}", result), 0)
    assert [r.kind for r in reports] == [ReportKind.ACK, ReportKind.FILL, ReportKind.EXPIRED]
    fill = reports[1].fill
    assert fill is not None
    assert (fill.trade_id, fill.price_ticks, fill.units, fill.fee, fill.fee_asset, fill.liquidity, fill.exch_ns) == (
        "9", 6_183_760, 3000, Decimal("0.00000003"), "BTC", Liquidity.TAKER, 5 * MS,
    )  # fmt: skip
    assert reports[2].cumulative_units == 3000


@pytest.mark.parametrize(
    ("action", "status", "code", "kind"),
    [
        ("n", 400, -2010, ReportKind.REJECT),
        ("n", 400, -1013, ReportKind.REJECT),
        ("n", 429, -1003, ReportKind.REJECT),
        ("n", 400, -1007, ReportKind.UNCERTAIN),
        ("n", 500, -1000, ReportKind.UNCERTAIN),
        ("n", 503, -2010, ReportKind.UNCERTAIN),
        ("n", 400, -9999, ReportKind.UNCERTAIN),
        ("c", 400, -2011, ReportKind.CANCEL_REJECT),
        ("c", 500, -1007, ReportKind.CANCEL_UNCERTAIN),
        ("q", 400, -2013, ReportKind.NOT_FOUND),
    ],
)
def test_only_listed_codes_are_refusals(action: str, status: int, code: int, kind: ReportKind) -> None:
    """Every other failure leaves the outcome unknown; a 5xx always does."""
    report = one(ready(), answer(f"{action}{ORDER.client_id}", {"code": code, "msg": "text"}, status))
    assert (report.kind, report.client_id, report.reason) == (kind, ORDER.client_id, f"{code} text")


def test_a_failed_query_says_nothing() -> None:
    """An overloaded query is no answer about the order."""
    assert ready().received(answer(f"q{ORDER.client_id}", {"code": -1003, "msg": ""}, 429), 0) == ((), ())


def execution(**changes: Any) -> bytes:
    """An executionReport as the documentation shows it."""
    event = {
        "e": "executionReport", "E": 6, "s": "BTCUSDT", "c": ORDER.client_id, "S": "BUY", "o": "LIMIT", "f": "GTC",
        "q": "0.00007000", "p": "61837.64", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "", "x": "NEW",
        "X": "NEW", "r": "NONE", "i": 12, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000", "n": "0", "N": None,
        "T": 5, "t": -1, "I": 3, "w": True, "m": False, "M": False, "O": 5, "Z": "0.0", "Y": "0.0", "Q": "0.0", "W": 5,
        "V": "NONE",
    }  # fmt: skip
    return orjson.dumps({"subscriptionId": 0, "event": {**event, **changes}})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, ReportKind.ACK),
        ({"x": "REJECTED", "X": "REJECTED", "r": "INSUFFICIENT_BALANCES"}, ReportKind.REJECT),
        ({"x": "EXPIRED", "X": "EXPIRED"}, ReportKind.EXPIRED),
        ({"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH"}, ReportKind.EXPIRED),
        ({"x": "BRAND_NEW_THING"}, ReportKind.UNCERTAIN),
    ],
)
def test_execution_reports_by_type(changes: dict[str, Any], kind: ReportKind) -> None:
    """Each execution type is its report; one that is not known makes the order uncertain."""
    report = one(ready(), execution(**changes))
    assert (report.kind, report.client_id, report.venue_order_id) == (kind, ORDER.client_id, "12")


def test_a_cancel_names_the_order_by_its_original_id() -> None:
    """On a cancel `c` is the cancel's own id and `C` the order's."""
    report = one(ready(), execution(x="CANCELED", X="CANCELED", c="theirs", C=ORDER.client_id, z="0.00002000"))
    assert (report.kind, report.client_id, report.cumulative_units) == (ReportKind.CANCELLED, ORDER.client_id, 2000)


def test_a_fill_of_the_private_stream() -> None:
    """Price, quantity, fee and side of liquidity, exact."""
    report = one(
        ready(),
        execution(
            x="TRADE", X="FILLED", t=9, L="61837.60", l="0.00007000", z="0.00007000", n="0.004", N="USDT", m=True
        ),
    )
    assert report.fill is not None
    assert (report.fill.trade_id, report.fill.units, report.fill.fee, report.fill.liquidity) == (
        "9", 7000, Decimal("0.004"), Liquidity.MAKER,
    )  # fmt: skip


def test_queries_and_trades() -> None:
    """A query finds an order open or ended; its trades are fills."""
    session = ready()
    base = {"symbol": "BTCUSDT", "orderId": 12, "executedQty": "0.00002000", "updateTime": 5}
    found = one(session, answer(f"q{ORDER.client_id}", {**base, "status": "PARTIALLY_FILLED"}))
    assert (found.kind, found.cumulative_units) == (ReportKind.FOUND_OPEN, 2000)
    assert one(session, answer(f"q{ORDER.client_id}", {**base, "status": "CANCELED"})).kind is ReportKind.FOUND_CLOSED
    row = {"symbol": "BTCUSDT", "id": 9, "orderId": 12, "price": "61837.60", "qty": "0.00002", "commission": "0",
           "commissionAsset": "BNB", "time": 5, "isMaker": True}  # fmt: skip
    assert one(session, answer(f"t{ORDER.client_id}", [row])).kind is ReportKind.FILL
    with pytest.raises(LocalProtocolError, match="not known yet"):
        session.fetch_fills(THIS, 0)


@pytest.mark.parametrize(
    "frame",
    [
        b"{", b"[]", b'{"id":"time","status":200}', answer(f"n{ORDER.client_id}", {"symbol": "BTCUSDT"}),
        answer(f"n{ORDER.client_id}", None), execution(z="NaN"), execution(s="XRPUSDT"),
        execution(i=None, x="TRADE", L="-1"),
        answer(f"t{ORDER.client_id}", [{"id": 1}]),
    ],
)  # fmt: skip
def test_what_no_venue_may_send_is_a_named_error(frame: bytes) -> None:
    """Broken frames raise RemoteProtocolError, never anything else."""
    with pytest.raises(RemoteProtocolError):
        ready().received(frame, 0)


def test_a_revoked_key_or_a_shutdown_asks_for_a_new_connection() -> None:
    """An answer without an id and the shutdown notice reconnect."""
    session = ready()
    for frame in (
        b'{"id":null,"status":401,"error":{"code":-2015,"msg":"revoked"}}',
        b'{"event":{"e":"serverShutdown","E":1}}',
    ):
        reports, actions = session.received(frame, 0)
        assert not reports
        assert isinstance(actions[0], Reconnect)


def test_a_heartbeat_follows_the_venues_clock() -> None:
    """A drift is followed by the next answer; a step is told, and orders are stamped by the new time."""
    session = ready()
    session.timer(session.deadline_ns)
    session.received(answer("beat", {"serverTime": 11_900 + 250}), 11_900 * MS)
    assert abs(session.offset_ns - 250 * MS) < 2 * MS
    session.timer(21_900 * MS)
    _, actions = session.received(answer("beat", {"serverTime": 21_900 + 7_250}), 21_900 * MS)
    assert isinstance(actions[0], Tell)
    assert actions[0].code == "clock_stepped"
    frame = session.place(ORDER, 22_000 * MS)
    assert isinstance(frame, bytes)
    assert abs(orjson.loads(frame)["params"]["timestamp"] - 29_250) < 2


def test_an_order_that_is_too_old_asks_for_the_time_at_once() -> None:
    """-1021 is a refusal; the clock is asked once, not once for each order."""
    session = ready()
    refused = answer(f"n{ORDER.client_id}", {"code": -1021, "msg": "text"}, 400)
    reports, actions = session.received(refused, 3000 * MS)
    assert [report.kind for report in reports] == [ReportKind.REJECT]
    assert sent(actions)["method"] == "time"
    assert session.received(refused, 3001 * MS)[1] == ()


def test_a_heartbeat_without_the_time_is_a_named_error() -> None:
    """RemoteProtocolError; the next one is made all the same."""
    session = ready()
    session.timer(session.deadline_ns)
    with pytest.raises(RemoteProtocolError, match="answer to beat"):
        session.received(answer("beat", {}), session.deadline_ns)
