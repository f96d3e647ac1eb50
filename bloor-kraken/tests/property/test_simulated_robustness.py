"""Whatever a client sends, the simulated exchange answers and lives on."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_kraken.signing import read_credentials
from bloor_kraken.simulated import SimulatedKraken

T0 = 1_700_000_000_000_000_000
HEARD: list[bytes | None] = []
VENUE = SimulatedKraken(SimulationOptions(), lambda conn, payload: HEARD.append(payload))
VENUE.start(T0)
VENUE.opened(1, "/v2", "", T0)
VENUE.opened(2, "/auth/v2", "", T0)
KEY = read_credentials(VENUE.credentials())
MOMENT = [T0]
NONCE = [0]


def later() -> int:
    """A moment at which no limit is used up."""
    MOMENT[0] += 3_000_000_000_000
    return MOMENT[0]


def private(name: str, body: bytes, nonce: int) -> dict:
    """The document of a signed request."""
    path = f"/0/private/{name}"
    headers = {key.lower(): value for key, value in KEY.headers(path, nonce, body).items()}
    return orjson.loads(VENUE.request(HttpRequest("POST", path, "", headers, body), later()).body)


def request(name: str, **params: object) -> dict:
    """A signed form."""
    NONCE[0] += 1
    return private(name, urlencode({"nonce": NONCE[0], **params}).encode(), NONCE[0])


TOKEN = request("GetWebSocketsToken")["result"]["token"]
VENUE.received(2, orjson.dumps({"method": "subscribe", "params": {"channel": "executions", "token": TOKEN}}), MOMENT[0])

ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.01, "limit_price": 54000}
STOP = ORDER | {"order_type": "stop-loss-limit", "triggers": {"price": 61000}}
BATCH = {"symbol": "BTC/USD", "orders": [ORDER, ORDER]}
METHODS = st.sampled_from([*VENUE._private._methods, "subscribe", "unsubscribe", "ping", "nope"])
NAMES = st.sampled_from(
    [*ORDER, "triggers", "time_in_force", "expire_time", "post_only", "cl_ord_id", "order_userref", "deadline",
     "stp_type", "validate", "cash_order_qty", "order_id", "timeout", "orders", "channel", "snap_orders", "snapshot",
     "trigger_price", "ratecounter", "limit_price_type", "display_qty", "depth", "interval"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["BTC/USD", "sell", "market", "ioc", "fok", "gtd", "limit", "stop-loss", "take-profit-limit", "1",
                     "cancel_both", "2023-11-14T22:13:30Z", 54000, 0.01, 1e-9, 61000.1, 900, "executions", "balances",
                     "O" * 19]),
)  # fmt: skip
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(NAMES, SCALARS, max_size=3))


def holds() -> None:
    """Nobody owes anything, and the book is not crossed."""
    account = VENUE.exchange.accounts[1]
    assert all(balance.free >= 0 and balance.locked >= 0 for balance in account.balances.values())
    locked = {name: balance.locked for name, balance in account.balances.items()}
    reserved = dict.fromkeys(locked, 0)
    for order in VENUE.exchange.open_orders(1):
        reserved[order.pay_asset] += order.reserved
    assert locked == reserved
    book = VENUE.exchange.markets["BTC/USD"].book
    assert book.bids.best.price < book.asks.best.price


@given(METHODS, st.dictionaries(NAMES, VALUES, max_size=5), st.sampled_from([{}, ORDER, STOP, BATCH]))
def test_every_private_request_is_answered(method, params, base):
    """With a success or an error, under the same number; money is where it was or in an order."""
    HEARD.clear()
    message = {"method": method, "params": {"token": TOKEN, **base, **params}, "req_id": 5}
    VENUE.received(2, json.dumps(message).encode(), later())
    answers = [m for m in map(orjson.loads, HEARD) if "method" in m]
    assert answers and all(answer["req_id"] == 5 for answer in answers)
    assert all(a["method"] == "pong" or a["success"] is True or (a["success"] is False and a["error"]) for a in answers)
    holds()


@given(st.sampled_from(["subscribe", "unsubscribe", "ping", "x"]), st.dictionaries(NAMES, VALUES, max_size=5))
def test_every_public_request_is_answered(method, params):
    """Likewise."""
    HEARD.clear()
    VENUE.received(1, json.dumps({"method": method, "params": params, "req_id": 5}).encode(), later())
    assert [m for m in map(orjson.loads, HEARD) if "method" in m]


@given(
    st.one_of(
        st.binary(max_size=60),
        st.from_regex(rb'\{"(method|params|req_id)":[\[\]{}",:0-9a-z]{0,30}', fullmatch=True),
        st.sampled_from([b"[" * 100_000, b'{"method":"ping","req_id":' + b"9" * 400 + b"}", b'{"method":NaN}']),
    )
)
def test_frames_that_are_nothing_are_answered(payload):
    """On either kind of connection, which stays open."""
    HEARD.clear()
    now = later()
    VENUE.received(1, payload, now)
    VENUE.received(2, payload, now)
    assert len(HEARD) == 2 and None not in HEARD


REST_NAMES = st.sampled_from(
    ["pair", "type", "ordertype", "volume", "price", "price2", "oflags", "timeinforce", "expiretm", "cl_ord_id", "txid",
     "userref", "validate", "order_qty", "limit_price", "timeout", "orders", "start", "end", "ofs", "trades", "asset",
     "count", "since", "interval", "deadline", "stptype", "trigger_price"]
)  # fmt: skip
REST_VALUES = st.one_of(
    st.text(max_size=20), st.integers(-(2**70), 2**70),
    st.sampled_from(["XBTUSD", "buy", "limit", "market", "0.01", "54000", "viqc", "post", "GTD", "+60", "true", "1e5"]),
)  # fmt: skip
REST_ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "54000"}


@given(
    st.sampled_from([*VENUE._rest._private, *VENUE._rest._of_keys]),
    st.dictionaries(REST_NAMES, REST_VALUES, max_size=5),
    st.sampled_from([{}, REST_ORDER]),
)
def test_every_signed_form_is_answered(name, params, base):
    """With a result or a list of errors."""
    document = request(name, **{**base, **params})
    assert ("result" in document) is not bool(document["error"])
    holds()


@given(
    st.sampled_from([*VENUE._rest._private]),
    st.dictionaries(REST_NAMES, VALUES, max_size=5),
    st.sampled_from([{}, REST_ORDER, {"pair": "XBTUSD", "orders": [REST_ORDER, REST_ORDER]}]),
)
def test_every_signed_json_is_answered(name, params, base):
    """Likewise."""
    NONCE[0] += 1
    body = json.dumps({**base, **params, "nonce": NONCE[0]}).encode()
    document = private(name, body, NONCE[0])
    assert ("result" in document) is not bool(document["error"])
    holds()


@given(
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.sampled_from(["/", *(f"/0/public/{name}" for name in VENUE._rest._public), "/0/private/Balance", "/0/public/x"]),
    st.one_of(st.text(max_size=60), st.dictionaries(REST_NAMES, REST_VALUES, max_size=4).map(urlencode)),
    st.binary(max_size=40),
)
def test_rest_requests_that_are_nothing_are_answered(method, path, query, body):
    """With an envelope, never an exception."""
    headers = {"api-key": KEY.api_key, "api-sign": base64.b64encode(body).decode()}
    answer = VENUE.request(HttpRequest(method, path, query, headers, body), later())
    document = orjson.loads(answer.body)
    assert answer.status == 200 and ("result" in document) is not bool(document["error"])
