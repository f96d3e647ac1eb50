"""Whatever a client sends, the simulated exchange answers and lives on."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.simulation.venue import HttpRequest, SimulationOptions
from bloor_coinbase.signing import read_credentials
from bloor_coinbase.simulated import SimulatedCoinbase

T0 = 1_700_000_000_000_000_000
PREFIX = "/api/v3/brokerage"
VENUE_FRAMES: list[tuple[int, bytes | None]] = []
VENUE = SimulatedCoinbase(SimulationOptions(), lambda conn, payload: VENUE_FRAMES.append((conn, payload)))
VENUE.start(T0)
VENUE.opened(1, "/", "", T0)
VENUE.opened(2, "/user", "", T0)
KEY = read_credentials(VENUE.credentials())
WS_TOKEN = KEY.token(T0 // 10**9, "aa")
NOW = [T0]

CREATE = {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY"}
LIMIT = {"base_size": "0.01", "limit_price": "54000", "post_only": False}
BODIES = [
    {},
    CREATE | {"order_configuration": {"limit_limit_gtc": LIMIT}},
    CREATE | {"order_configuration": {"limit_limit_gtd": LIMIT | {"end_time": "2033-01-01T00:00:00Z"}}},
    CREATE | {"order_configuration": {"market_market_ioc": {"quote_size": "100"}}},
    CREATE | {"order_configuration": {"stop_limit_stop_limit_gtc": LIMIT | {"stop_price": "61000"}}},
    {"order_id": "x", "price": "54000", "size": "0.02"},
    {"order_ids": ["x"]},
]
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["BTC-USD", "ETH-USDC", "SELL", "BUY", "1", "0", "1e5", "9" * 40, "0.00000001", "-1", "61000", "59000",
         "STOP_DIRECTION_STOP_UP", "OPEN", "1700000000", "ONE_MINUTE", "2033-01-01T00:00:00Z", "0000-00-00T00:00:00Z",
         "a", "x", "0.005", "1000"]
    ),
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False), TEXTS,
    st.lists(TEXTS, max_size=3), st.dictionaries(TEXTS, TEXTS, max_size=2),
)  # fmt: skip
KINDS = st.sampled_from(
    ["limit_limit_gtc", "limit_limit_gtd", "limit_limit_fok", "sor_limit_ioc", "market_market_ioc", "twap_limit_gtd",
     "stop_limit_stop_limit_gtc", "stop_limit_stop_limit_gtd", "trigger_bracket_gtc", "market_market_fok"]
)  # fmt: skip
FIELDS = st.sampled_from(
    ["base_size", "quote_size", "limit_price", "stop_price", "stop_direction", "end_time", "post_only"]
)
CONFIGURATIONS = st.dictionaries(KINDS, st.dictionaries(FIELDS, VALUES, max_size=5), max_size=2)
NAMES = st.sampled_from(
    ["client_order_id", "product_id", "side", "order_configuration", "order_id", "order_ids", "price", "size",
     "stop_price", "leverage", "retail_portfolio_id"]
)  # fmt: skip
POSTS = st.sampled_from(["", "/preview", "/edit", "/edit_preview", "/batch_cancel", "/close_position", "/nothing"])
GETS = st.sampled_from(
    ["accounts", "accounts/x", "products", "products/BTC-USD", "products/x/candles", "products/BTC-USD/candles",
     "products/BTC-USD/ticker", "product_book", "best_bid_ask", "orders/historical/batch", "orders/historical/fills",
     "orders/historical/x", "portfolios", "transaction_summary", "key_permissions", "market/products", "time",
     "market/product_book", "market/products/BTC-USD/candles", "nothing", ""]
)  # fmt: skip
PARAMETERS = st.sampled_from(
    ["limit", "cursor", "product_id", "product_ids", "order_ids", "order_status", "start_date", "end_date", "start",
     "end", "granularity", "sort_by", "offset", "start_sequence_timestamp", "trade_ids",
     "aggregation_price_increment", "product_type", "order_side"]
)  # fmt: skip


def ask(method, path, query="", body=b""):
    """A signed request; every one has a second of its own, so that no limit is met."""
    NOW[0] += 10**9
    token = KEY.token(NOW[0] // 10**9, "aa", f"{method} api.coinbase.com{path}")
    request = HttpRequest(method, path, query, {"authorization": f"Bearer {token}"}, body)
    return VENUE.request(request, NOW[0])


def sound():
    """Nothing negative, nothing crossed."""
    account = VENUE.exchange.accounts[1]
    assert all(balance.free >= 0 and balance.locked >= 0 for balance in account.balances.values())
    for market in VENUE.exchange.markets.values():
        assert market.book.bids.best.price < market.book.asks.best.price


@given(
    POSTS, st.sampled_from(BODIES), st.dictionaries(NAMES, VALUES, max_size=4), st.one_of(st.none(), CONFIGURATIONS),
    st.integers(0, 5),
)  # fmt: skip
def test_every_order_request_gets_an_answer(path, base, fields, configuration, number):
    """Accepted, refused with a reason, or a status of the exchange's; never an exception."""
    body = {**base, **fields} | ({} if configuration is None else {"order_configuration": configuration})
    if body.get("client_order_id") == "a":
        body["client_order_id"] = f"a{number}"
    orders = VENUE._desk.orders(1)
    if orders and body.get("order_id") == "x":
        body["order_id"] = orders[number % len(orders)].uuid
    if orders and body.get("order_ids") == ["x"]:
        body["order_ids"] = [orders[number % len(orders)].uuid]
    answer = ask("POST", f"{PREFIX}/orders{path}", body=orjson.dumps(body))
    assert answer.status in (200, 400, 404)
    assert isinstance(orjson.loads(answer.body), dict)
    sound()


@given(GETS, st.lists(st.tuples(PARAMETERS, TEXTS), max_size=4))
def test_every_query_gets_an_answer(path, parameters):
    """With a status of the exchange's."""
    query = "&".join(f"{name}={value}" for name, value in parameters)
    answer = ask("GET", f"{PREFIX}/{path}", query)
    assert answer.status in (200, 400, 404)


@given(st.sampled_from(["GET", "POST", "DELETE"]), st.text(max_size=60), st.text(max_size=60), st.binary(max_size=60))
def test_requests_that_are_nothing_are_answered(method, path, query, body):
    """Whatever the path, the query and the body."""
    request = HttpRequest(method, path, query, {"authorization": query}, body)
    assert VENUE.request(request, NOW[0]).status in (401, 404)
    assert ask("POST", f"{PREFIX}/orders", query, body).status in (200, 400)


@given(
    st.sampled_from([1, 2]),
    st.one_of(
        st.binary(max_size=60),
        st.from_regex(rb'\{"(type|channel|product_ids)":[\[\]{}",:0-9a-z]{0,30}', fullmatch=True),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["subscribe", "unsubscribe", "x"])},
            optional={
                "channel": st.one_of(VALUES, st.sampled_from(["level2", "user", "heartbeats", "status", "candles"])),
                "product_ids": st.one_of(VALUES, st.just(["BTC-USD"])),
                "jwt": st.one_of(VALUES, st.just(WS_TOKEN)),
            },
        ).map(orjson.dumps),
    ),
)
def test_frames_that_are_nothing_are_answered(conn, payload):
    """By an error frame or an acknowledgement; every other frame has the connection's next number."""
    NOW[0] += 10**9
    VENUE_FRAMES.clear()
    VENUE.received(conn, payload, NOW[0])
    VENUE._connections.advance(NOW[0] + 30_000_000)
    told = [orjson.loads(frame) for to, frame in VENUE_FRAMES if to == conn and frame is not None]
    assert any(frame.get("type") == "error" or frame.get("channel") == "subscriptions" for frame in told)
    numbers = [frame["sequence_num"] for frame in told if "channel" in frame]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True


@pytest.mark.parametrize("text", ["", "Bearer", "Bearer a.b.c", "Bearer " + "A" * 5000, "Bearer e30.e30.", "Basic x"])
def test_tokens_that_are_nothing_are_refused(text):
    """With 401, plain text and no word about the reason."""
    answer = VENUE.request(HttpRequest("GET", f"{PREFIX}/accounts", "", {"authorization": text}, b""), NOW[0])
    assert (answer.status, answer.body) == (401, b"Unauthorized\n")
