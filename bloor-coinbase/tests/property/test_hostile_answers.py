"""Whatever stands where a field of a private message should be: a named error or an honest report, never a crash."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, ReportKind, Side, TimeInForce
from bloor.venue.session import Endpoints, Reconnect, Request
from bloor_coinbase.executor import CoinbaseExecutor
from bloor_coinbase.signing import STAND_IN

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
BTC = Instrument(
    venue="coinbase", symbol="BTC-USD", venue_symbol="BTC-USD", base="BTC", quote="USD", price_decimals=2,
    qty_decimals=8,
)  # fmt: skip
ID, VENUE_ID = "B0100010000002A", "a1b2"
ORDER = OrderRequest(
    client_id=ID, instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC, price_ticks=1_000_000,
    lots=100_000,
)  # fmt: skip
CONFIGURATION = {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "10000.00", "post_only": False}}
ROW = {
    "order_id": VENUE_ID, "client_order_id": ID, "cumulative_quantity": "0.0004", "leaves_quantity": "0.0006",
    "avg_price": "10000", "total_fees": "0.016", "status": "OPEN", "product_id": "BTC-USD", "cancel_reason": "",
    "reject_reason": "",
}  # fmt: skip
LISTED = {
    "order_id": VENUE_ID, "client_order_id": ID, "product_id": "BTC-USD", "side": "BUY", "status": "OPEN",
    "filled_size": "0.0004", "average_filled_price": "10000", "total_fees": "0.016", "reject_reason": "",
    "cancel_message": "", "order_configuration": CONFIGURATION, "created_time": "2023-11-14T22:13:20Z",
    "last_fill_time": "2023-11-14T22:13:21Z", "edit_history": [{"size": "0.001", "price": "10000.00"}],
}  # fmt: skip
FILL = {
    "trade_id": "t1", "order_id": VENUE_ID, "trade_type": "FILL", "trade_time": "2023-11-14T22:13:21Z",
    "price": "10000.00", "size": "0.0004", "commission": "0.016", "product_id": "BTC-USD",
    "liquidity_indicator": "MAKER", "size_in_quote": False,
}  # fmt: skip
#: Answers by the tag of their request.
ANSWERS: dict[str, Any] = {
    f"n{ID}": {"success": True, "success_response": {"order_id": VENUE_ID, "product_id": "BTC-USD", "side": "BUY"},
               "order_configuration": CONFIGURATION},
    f"c{ID}": {"results": [{"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": VENUE_ID}]},
    f"a{ID}": {"success": False, "errors": [{"edit_failure_reason": "ORDER_NOT_FOUND"}]},
    f"q{ID}": {"order": LISTED},
    f"l{ID}:BTC-USD": {"orders": [LISTED], "has_next": True, "cursor": "c"},
    f"x{ID}:BTC-USD": {"orders": [LISTED], "has_next": True, "cursor": "c"},
    f"t{ID}": {"fills": [FILL], "cursor": "c"},
    f"s{ID}": {"fills": [FILL], "cursor": ""},
    f"o{NOW}": {"orders": [LISTED], "has_next": False, "cursor": ""},
    f"@{NOW}": {"epochMillis": "1700000000000"},
}  # fmt: skip
USER = {"channel": "user", "timestamp": "2023-11-14T22:13:21Z", "sequence_num": 1,
        "events": [{"type": "update", "orders": [ROW]}]}  # fmt: skip

wild = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.sampled_from(["", "-1", "1e9", "NaN", "0", "1" * 80, "99999999999.999999999", "FILLED",
                                          "CANCELLED", "FAILED", "XYZ"]),
    st.just([]), st.just({}), st.just([[]]), st.just([{}]), st.just({"order_id": 5}),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner: list[tuple[Any, ...]] = [path] if path else []
    if isinstance(value, dict):
        for key, part in value.items():
            inner += places(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            inner += places(part, (*path, number))
    return inner


@st.composite
def spoilt(draw: st.DrawFn, whole: Any) -> Any:
    """A document of which a place or two hold something else, or nothing."""
    document = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(places(document)))
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.booleans()) and isinstance(parent, dict):
            del parent[path[-1]]
        else:
            parent[path[-1]] = copy.deepcopy(draw(wild))
        if not places(document):
            break
    return document


def session() -> CoinbaseExecutor:
    """A session with an order that the venue has accepted."""
    keys = STAND_IN.make("ed25519")
    made = CoinbaseExecutor(
        ExecutorContext(config=None, endpoints=Endpoints("https://h", "", "wss://u"), credentials=keys,
                        instruments=[BTC])
    )  # fmt: skip
    made.connected(NOW)
    made.responded(f"@{NOW}", 200, b'{"epochMillis":"1700000000000"}', NOW)
    acknowledged = {"channel": "subscriptions", "sequence_num": 0, "timestamp": "",
                    "events": [{"subscriptions": {"heartbeats": [], "user": []}}]}  # fmt: skip
    _, (look,) = made.received(orjson.dumps(acknowledged), NOW)
    assert isinstance(look, Request)
    made.responded(look.tag, 200, b'{"orders":[]}', NOW)
    made.place(ORDER, NOW)
    made.responded(f"n{ID}", 200, orjson.dumps(ANSWERS[f"n{ID}"]), NOW)
    assert made.ready
    return made


@pytest.mark.parametrize("tag", ANSWERS, ids=lambda tag: str(tag)[0])
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_answers(tag: str, data: st.DataObject) -> None:
    """Every report is about the order that was asked about; a new order is refused only where the venue says so."""
    document = data.draw(spoilt(ANSWERS[tag]))
    status = data.draw(st.sampled_from([200, 200, 200, 0, 400, 404, 429, 500]))
    reports, _ = session().responded(tag, status, orjson.dumps(document), NOW)
    for report in reports:
        assert report.client_id == ID or tag[0] == "o"
        if report.kind is ReportKind.FILL:
            assert report.fill is not None
            assert report.fill.units > 0
            assert report.fill.price_ticks > 0
        if report.kind is ReportKind.REJECT:
            assert status in (400, 404, 429) or document.get("success") is False or tag[0] in "qlx"


@given(document=spoilt(USER))
@settings(deadline=None, max_examples=300)
def test_the_user_stream(document: Any) -> None:
    """A frame that cannot be read is passed over, asked about, or ends the connection."""
    made = session()
    try:
        reports, actions = made.received(orjson.dumps(document), NOW)
    except RemoteProtocolError:
        return
    if not reports and document.get("channel") == "user" and document.get("sequence_num") == 1:
        asked = [action for action in actions if isinstance(action, Reconnect | Request)]
        text = orjson.dumps(document.get("events")).decode()
        assert asked or ID not in text or '"BTC-USD"' not in text


@given(body=st.binary(max_size=60), tag=st.sampled_from(sorted(ANSWERS)))
@settings(deadline=None)
def test_garbage(body: bytes, tag: str) -> None:
    """No JSON: of a new order, a cancel or a change nothing is known then."""
    reports, _ = session().responded(tag, 200, body, NOW)
    kinds = {report.kind for report in reports}
    expected = {"n": ReportKind.UNCERTAIN, "c": ReportKind.CANCEL_UNCERTAIN, "x": ReportKind.CANCEL_UNCERTAIN,
                "a": ReportKind.REPLACE_UNCERTAIN}  # fmt: skip
    assert kinds == ({expected[tag[0]]} if tag[0] in expected else set())
    made = session()
    with contextlib.suppress(RemoteProtocolError):
        made.received(body, NOW)
    assert made.place(attrs.evolve(ORDER, client_id="B0100010000002B"), NOW) if made.ready else True
