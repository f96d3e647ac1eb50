"""Whatever a client sends, the simulated exchange answers and lives on."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_binance.signing import read_credentials
from bloor_binance.simulated import SimulatedBinance

T0 = 1_700_000_000_000_000_000
MS = T0 // 1_000_000
VENUE_FRAMES: list[bytes | None] = []
VENUE = SimulatedBinance(SimulationOptions(), lambda conn, payload: VENUE_FRAMES.append(payload))
VENUE.start(T0)
VENUE.opened(2, "/ws-api/v3", "", T0)
for window in VENUE._limits.windows:  # all examples happen at one moment
    window.limit = 10**12
KEY = read_credentials({"ed25519": VENUE.credentials()["ed25519"]})
VENUE.received(2, orjson.dumps({"id": 1, "method": "session.logon", "params": KEY.signed({"timestamp": MS})}), T0)

ORDER = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "54000",
    "timestamp": MS,
}  # fmt: skip
REPLACE = ORDER | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 1_000_001}
STOP = ORDER | {"type": "STOP_LOSS_LIMIT", "stopPrice": "61000"}
METHODS = st.sampled_from([*VENUE._ws_api._operations.table, *VENUE._ws_api._own, "nope"])
NAMES = st.sampled_from(
    [*ORDER, "quoteOrderQty", "newClientOrderId", "origClientOrderId", "orderId", "limit", "symbols", "recvWindow",
     "selfTradePreventionMode", "newOrderRespType", "fromId", "subscriptionId", "apiKey", "signature", "stopPrice",
     "newQty", "cancelReplaceMode", "cancelOrderId", "cancelOrigClientOrderId", "cancelRestrictions", "interval",
     "startTime", "endTime", "windowSize", "trailingDelta", "strategyId", "preventedMatchId", "omitZeroBalances"]
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.lists(st.integers(-(2**62), 2**62), max_size=2),
    st.sampled_from(["BTCUSDT", "SELL", "MARKET", "IOC", "1", "0", "1e5", "9" * 20, "0.00000001", "[", '["A"]',
                     "STOP_LOSS", "TAKE_PROFIT_LIMIT", "DECREMENT", "STOP_ON_FAILURE", "ALLOW_FAILURE", "1m", "1M",
                     "1d", "59000", "61000", "x-1", "0.005", "1000001", "1000002", "1000050"]),
)  # fmt: skip


@given(METHODS, st.dictionaries(NAMES, VALUES, max_size=6), st.sampled_from([{}, ORDER, REPLACE, STOP]))
def test_every_request_gets_one_answer(method, params, base):
    """Of status 200 or with a code, under the same id."""
    VENUE_FRAMES.clear()
    VENUE.received(2, orjson.dumps({"id": "q", "method": method, "params": {**base, **params}}), T0)
    answers = [m for m in map(orjson.loads, VENUE_FRAMES) if "status" in m]
    assert len(answers) == 1 and answers[0]["id"] == "q"
    assert answers[0]["status"] == 200 or answers[0]["error"]["code"] < 0
    account = VENUE.exchange.accounts[1]
    assert all(balance.free >= 0 and balance.locked >= 0 for balance in account.balances.values())
    book = VENUE.exchange.markets["BTCUSDT"].book
    assert book.bids.best.price < book.asks.best.price


@given(
    st.one_of(st.binary(max_size=60), st.from_regex(rb'\{"(method|id|params)":[\[\]{}",:0-9a-z]{0,30}', fullmatch=True))
)
def test_frames_that_are_nothing_are_answered(payload):
    """On either kind of connection."""
    VENUE_FRAMES.clear()
    VENUE.received(2, payload, T0)
    VENUE.opened(1, "/ws", "", T0)
    VENUE.received(1, payload, T0)
    VENUE.closed(1, T0)
    assert len(VENUE_FRAMES) == 2


@given(
    st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    st.sampled_from(["/", *(f"/api/v3/{name}" for name in ("order", "depth", "exchangeInfo", "account", "trades"))]),
    st.text(max_size=60),
    st.binary(max_size=40),
)
def test_rest_requests_that_are_nothing_are_answered(method, path, query, body):
    """With a status of the exchange's, never an exception."""
    answer = VENUE.request(HttpRequest(method, path, query, {"x-mbx-apikey": KEY.api_key}, body), T0)
    assert answer.status in (200, 400, 401, 404, 405, 429)
