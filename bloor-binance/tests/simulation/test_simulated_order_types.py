"""Stops, amendments, cancel-replace, self-trade prevention and limits at the simulated exchange."""

from __future__ import annotations

import base64
from decimal import Decimal
from itertools import pairwise
from urllib.parse import urlencode

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bloor.simulation.venue import HttpRequest

NO_TIF = {"timeInForce": None}


@pytest.fixture
def trader(client):
    """A client that is logged on."""
    client.log_on()
    return client


def price(value, offset):
    return f"{float(value) + offset:.2f}"


def free(client, asset="USDT"):
    _, account = client.signed("/api/v3/account")
    return next((Decimal(b["free"]), Decimal(b["locked"])) for b in account["balances"] if b["asset"] == asset)


def reports(client, since=0, conn=9):
    return [f["event"] for f in client.frames[conn][since:] if f.get("event", {}).get("e") == "executionReport"]


# -- stops ------------------------------------------------------------------------------------------------------------


def test_a_stop_waits_triggers_and_fills(trader):
    """Not in the book while it waits; a trade at its price lets it work, and the reports say so."""
    _, ask = trader.best()
    stop = price(ask, 1.5)
    answer, events = trader.place(type="STOP_LOSS", stopPrice=stop, newClientOrderId="stop", **NO_TIF)
    assert answer["status"] == 200 and set(answer["result"]) >= {"orderId", "transactTime"}
    assert (events[0]["x"], events[0]["X"], events[0]["w"], events[0]["o"]) == ("NEW", "NEW", False, "STOP_LOSS")
    assert events[0]["P"] == f"{stop}000000" and "W" not in events[0]
    _, status = trader.signed("/api/v3/order", symbol="BTCUSDT", origClientOrderId="stop")
    assert (status["status"], status["isWorking"], status["workingTime"]) == ("NEW", False, -1)
    since = len(trader.frames[9])
    trader.place(price=price(ask, 60), quantity="8", timeInForce="IOC")
    mine = [r for r in reports(trader, since) if r["c"] == "stop"]
    assert [r["x"] for r in mine[:2]] == ["NEW", "TRADE"] and mine[0]["w"] is True and mine[-1]["X"] == "FILLED"
    _, status = trader.signed("/api/v3/order", symbol="BTCUSDT", origClientOrderId="stop")
    assert status["status"] == "FILLED" and status["stopPrice"] == f"{stop}000000"
    assert free(trader)[1] == 0


@pytest.mark.parametrize(
    ("side", "kind", "offset", "accepted"),
    [
        ("BUY", "STOP_LOSS", 100, True), ("BUY", "STOP_LOSS", -100, False),
        ("SELL", "STOP_LOSS", -100, True), ("SELL", "STOP_LOSS", 100, False),
        ("BUY", "TAKE_PROFIT", -100, True), ("BUY", "TAKE_PROFIT", 100, False),
        ("SELL", "TAKE_PROFIT_LIMIT", 100, True), ("SELL", "TAKE_PROFIT_LIMIT", -100, False),
    ],
)  # fmt: skip
def test_the_side_of_a_stop(trader, side, kind, offset, accepted):
    """A stop that the last price has passed already is refused."""
    last = trader.get("/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"]
    extra = {"price": price(last, 0)} if kind.endswith("LIMIT") else NO_TIF
    answer, _ = trader.place(side=side, type=kind, stopPrice=price(last, offset), **extra)
    assert (answer["status"] == 200) is accepted
    if not accepted:
        assert answer["error"] == {"code": -2010, "msg": "Stop price would trigger immediately."}


def test_stops_reserve_cancel_and_are_counted(trader):
    """What a waiting order would pay is locked; five may wait; a cancel frees them."""
    last = trader.get("/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"]
    for number in range(5):
        stop = price(last, 500 + number)
        answer, _ = trader.place(type="STOP_LOSS_LIMIT", stopPrice=stop, price=stop, newClientOrderId=f"s{number}")
        assert answer["status"] == 200
    assert free(trader)[1] == sum(Decimal(price(last, 500 + n)) for n in range(5)) * Decimal("0.01")
    answer, _ = trader.place(type="STOP_LOSS", stopPrice=price(last, 600), **NO_TIF)
    assert answer["error"]["msg"] == "Filter failure: MAX_NUM_ALGO_ORDERS"
    answer, events = trader.call(9, "order.cancel", symbol="BTCUSDT", origClientOrderId="s3", timestamp=trader.ms)
    assert answer["result"]["status"] == "CANCELED" and events[0]["x"] == "CANCELED"
    assert len(trader.call(9, "openOrders.cancelAll", symbol="BTCUSDT", timestamp=trader.ms)[0]["result"]) == 4
    assert free(trader) == (1_000_000, 0)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"type": "STOP_LOSS", **NO_TIF}, -1102),
        ({"type": "STOP_LOSS_LIMIT", "stopPrice": "90000"}, -1102),
        ({"type": "STOP_LOSS", "stopPrice": "90000"}, -1106),
        ({"price": "54000", "stopPrice": "90000"}, -1106),
        ({"price": "54000", "icebergQty": "0.001"}, -2010),
        ({"type": "STOP_LOSS", "trailingDelta": "100", **NO_TIF}, -2010),
        ({"type": "STOP_LOSS", "stopPrice": "90000.001", **NO_TIF}, -1013),
        ({"type": "MARKET", "quantity": "901", **NO_TIF}, -1013),
        ({"price": "54000", "strategyId": "x"}, -1100),
    ],
)
def test_orders_of_a_wrong_shape(trader, params, code):
    """Each with its code."""
    assert trader.place(**params)[0]["error"]["code"] == code


# -- amendments -------------------------------------------------------------------------------------------------------


def test_an_amendment_keeps_the_place_in_the_queue(trader):
    """Less of it, a new client id, freed money, and the same rank at its price."""
    trader.place(price="54000.00", quantity="0.3", newClientOrderId="first")
    trader.place(price="54000.00", quantity="0.1", newClientOrderId="second")
    answer, events = trader.call(
        9, "order.amend.keepPriority", symbol="BTCUSDT", origClientOrderId="first", newQty="0.2",
        newClientOrderId="fresh", timestamp=trader.ms,
    )  # fmt: skip
    amended = answer["result"]["amendedOrder"]
    assert (amended["qty"], amended["origClientOrderId"], amended["clientOrderId"]) == ("0.20000000", "first", "fresh")
    assert (events[0]["x"], events[0]["X"], events[0]["q"]) == ("REPLACED", "NEW", "0.20000000")
    assert (events[0]["c"], events[0]["C"]) == ("fresh", "first")
    assert answer["result"]["executionId"] == events[0]["I"]
    assert free(trader)[1] == Decimal("0.3") * 54_000
    book = trader.venue.exchange.markets["BTCUSDT"].book
    queue = [order.client_id for order in book.bids.levels[5_400_000].queue if order.owner is not None]
    assert queue == ["fresh", "second"]
    _, history = trader.signed("/api/v3/order/amendments", symbol="BTCUSDT", orderId=amended["orderId"])
    assert [(h["origQty"], h["newQty"]) for h in history] == [("0.30000000", "0.20000000")]
    for qty, code in (("0.2", -2038), ("0.5", -2038), ("0.0000001", -1013)):
        status, refused = trader.signed(
            "/api/v3/order/amend/keepPriority", "PUT", symbol="BTCUSDT", orderId=amended["orderId"], newQty=qty
        )
        assert (status, refused["code"]) == (400, code)


# -- cancel-replace ---------------------------------------------------------------------------------------------------


def replace(client, **params):
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    order |= {"cancelReplaceMode": "STOP_ON_FAILURE", "price": "53000.00"} | params
    return client.signed("/api/v3/order/cancelReplace", "POST", **order)


@pytest.mark.parametrize("mode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"])
def test_cancel_replace_in_both_modes(trader, mode):
    """200 when both parts come about, 409 when one does, 400 when none does; the data say which."""
    trader.place(price="54000.00", newClientOrderId="old")
    status, answer = replace(trader, cancelOrigClientOrderId="old", newClientOrderId="new", cancelReplaceMode=mode)
    assert status == 200
    assert (answer["cancelResult"], answer["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert answer["cancelResponse"]["origClientOrderId"] == "old"
    assert answer["newOrderResponse"]["clientOrderId"] == "new"
    status, answer = replace(trader, cancelOrigClientOrderId="new", quantity="50", cancelReplaceMode=mode)
    assert (status, answer["code"]) == (409, -2021)
    assert (answer["data"]["cancelResult"], answer["data"]["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert answer["data"]["newOrderResponse"]["code"] == -2010
    status, answer = replace(trader, cancelOrderId=1, cancelReplaceMode=mode)
    if mode == "STOP_ON_FAILURE":
        assert (status, answer["code"]) == (400, -2022)
        assert (answer["data"]["cancelResult"], answer["data"]["newOrderResult"]) == ("FAILURE", "NOT_ATTEMPTED")
        assert answer["data"]["newOrderResponse"] is None
        assert trader.signed("/api/v3/openOrders", symbol="BTCUSDT")[1] == []
    else:
        assert (status, answer["code"]) == (409, -2021)
        assert (answer["data"]["cancelResult"], answer["data"]["newOrderResult"]) == ("FAILURE", "SUCCESS")
        assert len(trader.signed("/api/v3/openOrders", symbol="BTCUSDT")[1]) == 1
    status, answer = replace(trader, cancelOrderId=1, quantity="50", cancelReplaceMode=mode)
    assert (status, answer["code"]) == (400, -2022)


def test_cancel_replace_over_the_websocket_and_its_refusals(trader):
    """The same with the WebSocket API's status; a request of a wrong shape changes nothing."""
    trader.place(price="54000.00", newClientOrderId="old")
    answer, events = trader.call(
        9, "order.cancelReplace", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="50",
        price="53000", cancelReplaceMode="STOP_ON_FAILURE", cancelOrigClientOrderId="old", timestamp=trader.ms,
    )  # fmt: skip
    assert (answer["status"], answer["error"]["code"]) == (409, -2021)
    assert answer["error"]["data"]["cancelResponse"]["status"] == "CANCELED" and events[0]["x"] == "CANCELED"
    assert replace(trader)[1]["code"] == -1102
    assert replace(trader, cancelOrderId=1, cancelReplaceMode="MAYBE")[1]["code"] == -1130
    assert replace(trader, cancelOrderId=1, price="53000.001")[1]["msg"] == "Filter failure: PRICE_FILTER"


def test_above_the_order_limit_a_cancel_replace_can_still_cancel(trader):
    """As its mode says; the answer is 429."""
    trader.place(price="54000.00", newClientOrderId="old")
    trader.venue._limits.orders_10s.limit = 1
    status, answer = replace(trader, cancelOrigClientOrderId="old")
    assert (status, answer["code"], "data" in answer) == (429, -1015, False)
    status, answer = replace(trader, cancelOrigClientOrderId="old", orderRateLimitExceededMode="CANCEL_ONLY")
    assert (status, answer["code"], answer["data"]["cancelResult"]) == (429, -1015, "SUCCESS")
    assert trader.signed("/api/v3/openOrders", symbol="BTCUSDT")[1] == []


# -- self-trade prevention --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("EXPIRE_MAKER", ("EXPIRED_IN_MATCH", "0.50000000"), ("NEW", None)),
        ("EXPIRE_TAKER", ("NEW", None), ("EXPIRED_IN_MATCH", "0.20000000")),
        ("EXPIRE_BOTH", ("EXPIRED_IN_MATCH", "0.50000000"), ("EXPIRED_IN_MATCH", "0.20000000")),
        ("DECREMENT", ("NEW", "0.20000000"), ("EXPIRED_IN_MATCH", "0.20000000")),
        ("NONE", ("PARTIALLY_FILLED", None), ("FILLED", None)),
    ],
)
def test_self_trade_prevention_modes(trader, mode, maker, taker):
    """The taker's mode decides who loses what; it is told in reports, queries and the list of prevented matches."""
    bid, ask = trader.best()
    while price(bid, 0.01) == price(ask, 0):  # room for an order of ours at the best price
        trader.run(0.05)
        bid, ask = trader.best()
    inside = price(bid, 0.01)
    trader.place(price=inside, quantity="0.5", newClientOrderId="maker")
    answer, _ = trader.place(
        side="SELL", price=inside, quantity="0.2", newClientOrderId="taker", selfTradePreventionMode=mode
    )
    assert answer["status"] == 200
    for name, (status, prevented) in (("maker", maker), ("taker", taker)):
        _, order = trader.signed("/api/v3/order", symbol="BTCUSDT", origClientOrderId=name)
        assert (order["status"], order.get("preventedQuantity")) == (status, prevented), name
    told = [r for r in reports(trader) if r["x"] == "TRADE_PREVENTION"]
    assert len(told) == sum(prevented is not None for _, prevented in (maker, taker))
    _, matches = trader.signed("/api/v3/myPreventedMatches", symbol="BTCUSDT", orderId=answer["result"]["orderId"])
    assert len(matches) == (mode != "NONE")
    if matches:
        assert matches[0]["selfTradePreventionMode"] == mode
        assert matches[0]["makerPreventedQuantity"] == (maker[1] or "0.00000000")
        assert matches[0]["takerPreventedQuantity"] == (taker[1] or "0.00000000")
    left = trader.signed("/api/v3/openOrders", symbol="BTCUSDT")[1]
    locked = {o["side"]: Decimal(o["origQty"]) - Decimal(o["executedQty"]) - Decimal(o.get("preventedQuantity", 0))
              for o in left}  # fmt: skip
    assert free(trader, "BTC")[1] == locked.get("SELL", 0)
    assert free(trader)[1] == locked.get("BUY", 0) * Decimal(inside)


# -- who asks, and how much -------------------------------------------------------------------------------------------


def test_an_rsa_key_signs(client):
    """PKCS#1 v1.5 over SHA-256, base64; it cannot open a session."""
    key = client.venue.credentials()["rsa"]
    private = load_pem_private_key(key["private_key_pem"].encode(), None)

    def ask(text, signed):
        signature = base64.b64encode(private.sign(signed.encode(), PKCS1v15(), SHA256())).decode()
        query = f"{text}&{urlencode({'signature': signature})}"
        headers = {"x-mbx-apikey": key["api_key"]}
        answer = client.venue.request(HttpRequest("GET", "/api/v3/account", query, headers, b""), client.now)
        return answer.status, orjson.loads(answer.body)

    text = f"timestamp={client.ms}"
    assert ask(text, text)[0] == 200
    assert ask(text, text + "0") == (400, {"code": -1022, "msg": "Signature for this request is not valid."})
    client.open(9, "/ws-api/v3")
    answer, _ = client.call(9, "session.logon", apiKey=key["api_key"], timestamp=client.ms, signature="x")
    assert answer["error"] == {"code": -4056, "msg": "RSA API key is not supported."}


def test_a_signature_covers_every_parameter(client):
    """Also those that are about the answer only."""
    client.open(9, "/ws-api/v3")
    for key in (client.hmac, client.ed25519):
        params = key.signed({"timestamp": client.ms, "returnRateLimits": "false"})
        answer, _ = client.call(9, "account.status", **params)
        assert answer["status"] == 200 and "rateLimits" not in answer
        answer, _ = client.call(9, "account.status", **params, omitZeroBalances="true")
        assert answer["error"]["code"] == -1022


def test_placing_and_cancelling_cost_no_weight(trader):
    """When they succeed; a refusal costs."""
    used = trader.venue._limits.weight
    before = used.at(trader.now)
    trader.place(price="54000.00", newClientOrderId="a")
    trader.call(9, "order.cancel", symbol="BTCUSDT", origClientOrderId="a", timestamp=trader.ms)
    assert used.at(trader.now) == before
    trader.call(9, "order.cancel", symbol="BTCUSDT", origClientOrderId="a", timestamp=trader.ms)
    assert used.at(trader.now) == before + 1


def test_weight_is_counted_and_refused(client):
    """The header tells what was used; above the limit 429 says when to come back."""

    def depth():
        request = HttpRequest("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=5000", {}, b"")
        return client.venue.request(request, client.now)

    used = [int(depth().headers["X-MBX-USED-WEIGHT-1M"]) for _ in range(24)]
    assert [b - a for a, b in pairwise(used)] == [250] * 23
    answer = depth()
    assert answer.status == 429 and orjson.loads(answer.body)["code"] == -1003
    client.run(int(answer.headers["Retry-After"]))
    assert depth().status == 200


def test_the_account_and_its_rules(trader):
    """Commissions, filters and order counts."""
    _, commission = trader.signed("/api/v3/account/commission", symbol="BTCUSDT")
    assert commission["standardCommission"]["taker"] == "0.00100000"
    _, rules = trader.signed("/api/v3/myFilters", symbol="BTCUSDT")
    kinds = {rule["filterType"] for rule in rules["symbolFilters"]}
    assert kinds >= {"PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "MAX_NUM_ALGO_ORDERS"}
    trader.place(price="54000.00")
    answer, _ = trader.call(9, "account.rateLimits.orders", timestamp=trader.ms)
    assert [window["count"] for window in answer["result"]] == [1, 1]
    assert len(trader.signed("/api/v3/allOrders", symbol="BTCUSDT", startTime=trader.ms - 1000)[1]) == 1
    wide = trader.signed("/api/v3/allOrders", symbol="BTCUSDT", startTime=1, endTime=trader.ms)
    assert wide[1]["code"] == -1127
