"""Orders at the simulated exchange, over both APIs: refusals, fills, money, private events."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest

from bloor.simulation.venue import HttpRequest
from bloor_binance.instruments import parse_instruments

SECOND = 1_000_000_000


@pytest.fixture
def trader(client):
    """A client that is logged on."""
    client.log_on()
    return client


def balances(client):
    _, account = client.signed("/api/v3/account")
    return {b["asset"]: (Decimal(b["free"]), Decimal(b["locked"])) for b in account["balances"]}


def test_an_order_rests_is_seen_and_is_cancelled(trader):
    """Placed, reported, shown in depth, queried, cancelled: with the right ids everywhere."""
    answer, events = trader.place(price="54000.00", newClientOrderId="mine-1")
    assert answer["status"] == 200 and answer["result"]["status"] == "NEW" and answer["result"]["fills"] == []
    report, position = events
    assert (report["x"], report["X"], report["c"], report["C"], report["t"]) == ("NEW", "NEW", "mine-1", "", -1)
    assert position["B"][1] == {"a": "USDT", "f": "999460.00000000", "l": "540.00000000"}
    _, depth = trader.get("/api/v3/depth", symbol="BTCUSDT", limit=5000)
    assert ["54000.00000000", "0.01000000"] in depth["bids"]
    answer, _ = trader.call(9, "order.status", symbol="BTCUSDT", origClientOrderId="mine-1", timestamp=trader.ms)
    order_id = answer["result"]["orderId"]
    assert answer["result"]["status"] == "NEW"
    answer, events = trader.call(
        9, "order.cancel", symbol="BTCUSDT", orderId=order_id, newClientOrderId="bye-1", timestamp=trader.ms
    )
    assert answer["result"]["origClientOrderId"] == "mine-1" and answer["result"]["clientOrderId"] == "bye-1"
    assert (events[0]["x"], events[0]["c"], events[0]["C"], events[0]["i"]) == ("CANCELED", "bye-1", "mine-1", order_id)
    assert balances(trader)["USDT"] == (Decimal(1_000_000), 0)
    answer, _ = trader.call(9, "order.cancel", symbol="BTCUSDT", orderId=order_id, timestamp=trader.ms)
    assert (answer["status"], answer["error"]["code"]) == (400, -2011)


def test_a_crossing_order_fills_and_the_money_adds_up(trader):
    """Fills of the answer, of the events, of myTrades and the balances are the same."""
    _, ask = trader.best()
    answer, events = trader.place(price=f"{float(ask) + 50:.2f}", quantity="0.50000")
    result = answer["result"]
    assert result["status"] == "FILLED" and result["executedQty"] == "0.50000000"
    fills = result["fills"]
    trades = [event for event in events if event.get("x") == "TRADE"]
    assert [(f["price"], f["qty"], f["commission"], f["tradeId"]) for f in fills] == [
        (t["L"], t["l"], t["n"], t["t"]) for t in trades
    ]
    assert [t["X"] for t in trades] == ["PARTIALLY_FILLED"] * (len(trades) - 1) + ["FILLED"]
    _, mine = trader.signed("/api/v3/myTrades", symbol="BTCUSDT", orderId=result["orderId"])
    assert [m["id"] for m in mine] == [f["tradeId"] for f in fills]
    cost = sum(Decimal(f["price"]) * Decimal(f["qty"]) for f in fills)
    fee = sum(Decimal(f["commission"]) for f in fills)
    assert Decimal(result["cummulativeQuoteQty"]) == cost
    assert {f["commissionAsset"] for f in fills} == {"BTC"}
    after = balances(trader)
    assert after["USDT"] == (1_000_000 - cost, 0)
    assert after["BTC"] == (10 + Decimal("0.5") - fee, 0)
    assert events[-1]["B"] == [
        {"a": "BTC", "f": f"{after['BTC'][0]:.8f}", "l": "0.00000000"},
        {"a": "USDT", "f": f"{after['USDT'][0]:.8f}", "l": "0.00000000"},
    ]


def test_a_resting_order_is_filled_by_the_market(trader):
    """As a maker, later, with events only."""
    bid, _ = trader.best()
    answer, _ = trader.place(price=bid, type="LIMIT_MAKER", timeInForce=None, quantity="0.20000", newClientOrderId="m")
    assert set(answer["result"]) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    before = len(trader.frames[9])
    trader.run(30)
    reports = [f["event"] for f in trader.frames[9][before:] if f["event"]["e"] == "executionReport"]
    assert reports and all((r["x"], r["m"], r["c"]) == ("TRADE", True, "m") for r in reports)


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "MAGIC"}, -1116, "Invalid orderType."),
        ({"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
        ({"timeInForce": None}, -1102, "'timeInForce'"),
        ({"quantity": None}, -1102, "'quantity'"),
        ({"quantity": "-1"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"quantity": "1e3"}, -1100, "Illegal characters"),
        ({"quantity": "0.000000001"}, -1111, "too much precision"),
        ({"price": "54000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0.0100001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"price": "5000.00"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "20"}, -2010, "Account has insufficient balance for requested action."),
        ({"side": "SELL", "price": "70000", "quantity": "10.00001"}, -2010, "insufficient balance"),
        ({"type": "LIMIT_MAKER", "timeInForce": None, "price": "70000"}, -2010, "immediately match and take"),
        ({"type": "LIMIT_MAKER"}, -1106, "'timeInForce' sent when not required"),
        ({"newClientOrderId": "no spaces"}, -1100, "'newClientOrderId'"),
        ({"newClientOrderId": "x" * 37}, -1100, "'newClientOrderId'"),
        ({"timestamp": None}, -1102, "'timestamp'"),
    ],
)
def test_refused_orders(trader, params, code, text):
    """Each with the exchange's own code, and nothing happens to the account."""
    order = {"price": "54000.00"} | params
    answer, events = trader.place(**order)
    assert answer["status"] in (400, 401) and events == []
    assert answer["error"]["code"] == code, answer
    assert text in answer["error"]["msg"]
    assert balances(trader)["USDT"] == (Decimal(1_000_000), 0)


def test_client_ids_are_unique_among_open_orders_only(trader):
    """A second open order of the same id is refused; after the first has ended it is not."""
    assert trader.place(price="54000.00", newClientOrderId="a")[0]["status"] == 200
    answer, _ = trader.place(price="53000.00", newClientOrderId="a")
    assert answer["error"] == {"code": -2010, "msg": "Duplicate order sent."}
    trader.call(9, "order.cancel", symbol="BTCUSDT", origClientOrderId="a", timestamp=trader.ms)
    assert trader.place(price="53000.00", newClientOrderId="a")[0]["status"] == 200


def test_ioc_fok_and_market_orders(trader):
    """What does not fill at once expires, and the report says why."""
    _, ask = trader.best()
    answer, events = trader.place(price=ask, timeInForce="IOC", quantity="16")
    assert answer["result"]["status"] == "EXPIRED"
    assert (events[-2]["x"], events[-2]["X"], events[-2]["eR"]) == (
        "EXPIRED",
        "EXPIRED",
        "UNFILLED_IOC_QUANTITY_EXPIRED",
    )
    answer, events = trader.place(price=trader.best()[1], timeInForce="FOK", quantity="12")
    assert answer["result"]["executedQty"] == "0.00000000" and events[-2]["eR"] == "UNFILLED_FOK_ORDER_EXPIRED"
    answer, _ = trader.place(type="MARKET", timeInForce=None, side="SELL", quantity="1")
    assert answer["result"]["status"] == "FILLED" and answer["result"]["fills"][0]["commissionAsset"] == "USDT"
    answer, _ = trader.place(type="MARKET", timeInForce=None, quantity=None, quoteOrderQty="1000")
    spent = Decimal(answer["result"]["cummulativeQuoteQty"])
    assert answer["result"]["status"] == "FILLED" and 999 < spent <= 1000


def test_self_trade_prevention(trader):
    """By default the resting order gives way."""
    bid, _ = trader.best()
    inside = f"{float(bid) + 0.00:.2f}"
    trader.place(price=inside, quantity="0.3", newClientOrderId="maker")
    answer, events = trader.place(side="SELL", price=f"{float(bid) - 1:.2f}", quantity="15", newClientOrderId="taker")
    assert answer["status"] == 400  # more than the account has: nothing happened
    answer, events = trader.place(
        side="SELL", price=inside, quantity="9.9", timeInForce="IOC", newClientOrderId="taker"
    )
    prevented = [e for e in events if e.get("x") == "TRADE_PREVENTION"]
    assert [(e["c"], e["X"]) for e in prevented] == [("maker", "EXPIRED_IN_MATCH")]
    assert answer["result"]["status"] == "EXPIRED"


def test_the_order_limit(trader):
    """Too many in ten seconds are refused with the wait; a new window lets them in again."""
    for number in range(100):
        answer, _ = trader.place(price=f"{54000 + number}.00", quantity="0.001")
        assert answer["status"] == 200
    answer, _ = trader.place(price="54000.00")
    assert (answer["status"], answer["error"]["code"]) == (429, -1015)
    assert answer["error"]["data"]["retryAfter"] > trader.ms
    assert answer["rateLimits"][0]["count"] == 100
    trader.run(10)
    assert trader.place(price="54000.00", quantity="0.001")[0]["status"] == 200
    _, answers = trader.signed("/api/v3/openOrders", "DELETE", symbol="BTCUSDT")
    assert len(answers) == 101 and {a["status"] for a in answers} == {"CANCELED"}
    assert trader.signed("/api/v3/openOrders")[1] == []


# -- who is asking ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hmac", "ed25519"])
def test_both_keys_sign_rest_requests(client, kind):
    """HMAC and Ed25519, over the encoded query."""
    status, account = client.signed("/api/v3/account", key=getattr(client, kind))
    assert status == 200 and account["accountType"] == "SPOT"
    status, order = client.signed(
        "/api/v3/order", "POST", key=getattr(client, kind), symbol="BTCUSDT", side="BUY", type="LIMIT",
        timeInForce="GTC", quantity="0.01", price="54000", newClientOrderId="r-1",
    )  # fmt: skip
    assert (status, order["status"]) == (200, "NEW")
    assert client.signed("/api/v3/order", symbol="BTCUSDT", origClientOrderId="r-1")[1]["orderId"] == order["orderId"]
    assert client.signed("/api/v3/order", "DELETE", symbol="BTCUSDT", orderId=order["orderId"])[0] == 200
    assert client.signed("/api/v3/order", symbol="BTCUSDT", origClientOrderId="nope")[1]["code"] == -2013


def test_the_body_is_signed_with_the_query_and_the_query_counts(client):
    """Query and body are joined without anything between them."""
    query = f"symbol=BTCUSDT&side=BUY&timestamp={client.ms}"
    body = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=54000"
    body += f"&signature={client.hmac.sign((query + body).encode())}"
    headers = {"x-mbx-apikey": client.hmac.api_key}
    answer = client.venue.request(HttpRequest("POST", "/api/v3/order", query, headers, body.encode()), client.now)
    assert answer.status == 200 and b'"side":"BUY"' in answer.body
    assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"


def test_requests_that_nobody_signed_are_refused(client):
    """Missing, malformed and unknown keys, wrong signatures, old and future timestamps."""
    path, key = "/api/v3/account", client.hmac

    def codes(query, api_key):
        answer = client.venue.request(HttpRequest("GET", path, query, {"x-mbx-apikey": api_key}, b""), client.now)
        return answer.status, orjson.loads(answer.body)["code"]

    def signed(ms, extra=""):
        text = f"timestamp={ms}{extra}"
        return f"{text}&signature={key.sign(text.encode())}"

    assert codes(signed(client.ms), "") == (401, -2014)
    assert codes(signed(client.ms), "short") == (401, -2014)
    assert codes(signed(client.ms), "x" * 64) == (401, -2015)
    assert codes(signed(client.ms) + "0", key.api_key) == (400, -1022)
    assert codes(f"timestamp={client.ms}", key.api_key) == (400, -1102)
    assert codes(signed(client.ms - 5001), key.api_key) == (400, -1021)
    assert codes(signed(client.ms + 1000), key.api_key) == (400, -1021)
    assert codes(signed(client.ms - 9000, "&recvWindow=60001"), key.api_key) == (400, -1131)
    assert client.signed(path, recvWindow="10000", timestamp=client.ms - 9000)[0] == 200


def test_sessions(client):
    """Log-on needs an Ed25519 key; without a session every request carries its own signature."""
    client.open(9, "/ws-api/v3")
    answer, _ = client.place()
    assert answer["error"]["code"] == -1102
    answer, _ = client.call(9, "userDataStream.subscribe")
    assert answer["status"] == 401
    answer, _ = client.call(9, "session.logon", **client.hmac.signed({"timestamp": client.ms}))
    assert answer["error"]["code"] == -4056
    wrong = client.ed25519.signed({"timestamp": client.ms}) | {"timestamp": client.ms + 1}
    assert client.call(9, "session.logon", **wrong)[0]["error"]["code"] == -1022
    answer, _ = client.call(9, "userDataStream.subscribe.signature", **client.hmac.signed({"timestamp": client.ms}))
    assert answer["result"] == {"subscriptionId": 0}
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    order |= {"price": "54000", "timestamp": client.ms}
    answer, events = client.call(9, "order.place", **client.hmac.signed(order))
    assert answer["status"] == 200 and events[0]["x"] == "NEW"
    assert client.call(9, "session.status")[0]["result"]["apiKey"] is None
    answer, _ = client.call(9, "userDataStream.subscribe.signature", **client.hmac.signed({"timestamp": client.ms}))
    assert answer["error"]["code"] == -2035
    assert client.call(9, "userDataStream.unsubscribe", subscriptionId=0)[0]["status"] == 200
    assert client.call(9, "userDataStream.unsubscribe")[0]["error"]["code"] == -2036


def test_rate_limits_are_shown_unless_refused(client):
    """``returnRateLimits=false``, per connection or per request."""
    client.open(1, "/ws-api/v3", "returnRateLimits=false")
    assert "rateLimits" not in client.call(1, "ping")[0]
    assert "rateLimits" in client.call(1, "ping", returnRateLimits=True)[0]
    assert client.call(1, "no.such.method")[0]["status"] == 400
    [answer] = client.say(1, b"{")
    assert (answer["id"], answer["status"]) == (None, 400)


def test_instruments_read_back_as_they_were_listed(client):
    """exchangeInfo gives the very instruments that the exchange matches in."""
    answer = client.venue.request(HttpRequest("GET", "/api/v3/exchangeInfo", "", {}, b""), client.now)
    for instrument in parse_instruments(answer.body):
        mine = client.venue.exchange.markets[instrument.venue_symbol].instrument
        assert (instrument.tick_size, instrument.lot_size, instrument.min_lots, instrument.min_notional) == (
            mine.tick_size,
            mine.lot_size,
            mine.min_lots,
            mine.min_notional,
        )
        assert instrument.symbol == mine.symbol


def test_paths_that_are_none_are_not_found(client):
    """404 for a path, 405 for a method."""
    assert client.venue.request(HttpRequest("GET", "/api/v3/nope", "", {}, b""), client.now).status == 404
    assert client.venue.request(HttpRequest("PUT", "/api/v3/order", "", {}, b""), client.now).status == 405
    assert client.get("/api/v3/depth", symbol="NOPE") == (400, {"code": -1121, "msg": "Invalid symbol."})
    status, info = client.get("/api/v3/exchangeInfo", symbols='["ETHUSDT"]')
    assert status == 200 and [s["symbol"] for s in info["symbols"]] == ["ETHUSDT"]
