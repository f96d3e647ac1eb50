"""The REST API of the simulated exchange."""

from __future__ import annotations

import base64
import json
from decimal import Decimal

import pytest

from bloor.simulation.venue import HttpRequest
from bloor_kraken.instruments import parse_instruments
from bloor_kraken.signing import KrakenCredentials
from bloor_kraken.symbols import balance_asset


def signed_body(client, name, body, nonce=None):
    """A request over exactly these bytes; returns the errors of its answer."""
    client.nonce += 1
    headers = {k.lower(): v for k, v in client.key.headers(f"/0/private/{name}", nonce or client.nonce, body).items()}
    answer = client.venue.request(HttpRequest("POST", f"/0/private/{name}", "", headers, body), client.now)
    return json.loads(answer.body)


# -- public -----------------------------------------------------------------------------------------------------------


def test_time_and_status(client):
    """Whole seconds, in both of Kraken's forms."""
    assert client.get("Time")["result"] == {"unixtime": "1700000001", "rfc1123": "Tue, 14 Nov 23 22:13:21 +0000"}
    assert client.get("SystemStatus")["result"] == {"status": "online", "timestamp": "2023-11-14T22:13:21Z"}


def test_pairs_have_all_their_names(make_client):
    """Keys, alternative and WebSocket names as Kraken has them, and rules that the package reads as its own."""
    client = make_client(symbols=["BTC-USD", "DOGE-USD", "SOL-USD", "ETH-BTC", "BTC-USDT", "XRP-USD"])
    pairs = client.get("AssetPairs")["result"]
    assert {key: (pair["altname"], pair["wsname"], pair["base"], pair["quote"]) for key, pair in pairs.items()} == {
        "XXBTZUSD": ("XBTUSD", "XBT/USD", "XXBT", "ZUSD"),
        "XDGUSD": ("XDGUSD", "XDG/USD", "XXDG", "ZUSD"),
        "SOLUSD": ("SOLUSD", "SOL/USD", "SOL", "ZUSD"),
        "XETHXXBT": ("ETHXBT", "ETH/XBT", "XETH", "XXBT"),
        "XBTUSDT": ("XBTUSDT", "XBT/USDT", "XXBT", "USDT"),
        "XXRPZUSD": ("XRPUSD", "XRP/USD", "XXRP", "ZUSD"),
    }
    request = HttpRequest("GET", "/0/public/AssetPairs", "", {}, b"")
    read = parse_instruments(client.venue.request(request, client.now).body)
    assert read == [market.instrument for market in client.venue.exchange.markets.values()]
    for name in ("XXBTZUSD", "XBTUSD", "BTCUSD", "xbtusd"):
        assert list(client.get("AssetPairs", pair=name)["result"]) == ["XXBTZUSD"]
    for name in ("XBT/USD", "BTC/USD"):  # a name with a slash comes back as it was
        assert list(client.get("AssetPairs", pair=name)["result"]) == [name]
    assert client.get("AssetPairs", pair="XBTUSD,NOPE")["error"] == ["EQuery:Unknown asset pair"]
    assert set(client.get("Assets")["result"]) == {"XXBT", "ZUSD", "XXDG", "SOL", "XETH", "USDT", "XXRP"}
    assert client.get("Assets", asset="XBT")["result"]["XXBT"]["altname"] == "XBT"
    assert client.get("Assets", asset="NOPE")["error"] == ["EQuery:Unknown asset"]


def test_market_data(client):
    """Depth, trades, candlesticks, ticker and best prices belong to one market."""
    client.run(30)
    book = client.get("Depth", pair="XBTUSD", count=20)["result"]["XXBTZUSD"]
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0]) and len(book["bids"][0][0].split(".")[1]) == 5
    trades = client.get("Trades", pair="XBTUSD")["result"]
    rows = trades["XXBTZUSD"]
    assert len(rows) > 50 and {row[3] for row in rows} == {"b", "s"}
    since = str(int(Decimal(rows[-5][2]) * 10**9))
    assert [row[6] for row in client.get("Trades", pair="XBTUSD", since=since)["result"]["XXBTZUSD"]][-4:] == [
        row[6] for row in rows[-4:]
    ]
    assert client.get("Trades", pair="XBTUSD", since=trades["last"])["result"]["XXBTZUSD"] == []
    candles = client.get("OHLC", pair="XBTUSD", interval=1)["result"]["XXBTZUSD"]
    assert sum(int(row[7]) for row in candles) >= len(rows)
    assert all(Decimal(row[3]) <= min(Decimal(row[1]), Decimal(row[4])) for row in candles)
    ticker = client.get("Ticker", pair="XBTUSD")["result"]["XXBTZUSD"]
    assert ticker["c"][0] == rows[-1][0] and ticker["b"][0] == book["bids"][0][0]
    assert sum(Decimal(row[6]) for row in candles) == Decimal(ticker["v"][1])
    spreads = client.get("Spread", pair="XBTUSD")["result"]["XXBTZUSD"]
    assert len(spreads) > 10 and all(Decimal(bid) < Decimal(ask) for _, bid, ask in spreads)
    assert set(client.get("Ticker")["result"]) == {"XXBTZUSD", "XETHZUSD"}


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("Depth", {}, "EGeneral:Invalid arguments:pair"),
        ("Depth", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("Depth", {"pair": "XBTUSD", "count": "many"}, "EGeneral:Invalid arguments:count"),
        ("OHLC", {"pair": "XBTUSD", "interval": 2}, "EGeneral:Invalid arguments:interval"),
        ("Trades", {"pair": "XBTUSD", "since": "-1"}, "EGeneral:Invalid arguments:since"),
        ("Nothing", {}, "EGeneral:Unknown method"),
    ],
)
def test_public_refusals(client, name, params, error):
    """Answers of status 200 with the error in the envelope."""
    assert client.get(name, **params) == {"error": [error]}


# -- who is asking ----------------------------------------------------------------------------------------------------


def test_signatures_cover_the_exact_body(client):
    """Form or JSON, in any order of fields; a changed byte, another path or another secret is refused."""
    assert signed_body(client, "Balance", b"asset=1&nonce=1")["error"] == []
    assert signed_body(client, "Balance", b'{"nonce": 2, "x": [1]}')["error"] == []
    assert signed_body(client, "Balance", b'{"nonce": "3"}')["error"] == []
    body = b"nonce=10"
    headers = {k.lower(): v for k, v in client.key.headers("/0/private/Balance", 10, body).items()}
    for path, sent in (("/0/private/Balance", b"nonce=10&x=1"), ("/0/private/BalanceEx", body)):
        answer = client.venue.request(HttpRequest("POST", path, "", headers, sent), client.now)
        assert json.loads(answer.body) == {"error": ["EAPI:Invalid signature"]}
    wrong = KrakenCredentials(api_key=client.key.api_key, secret=type(client.key.secret)("AAAA"))
    assert client.post("Balance", key=wrong)["error"] == ["EAPI:Invalid signature"]
    unknown = KrakenCredentials(api_key="nobody", secret=client.key.secret)
    assert client.post("Balance", key=unknown)["error"] == ["EAPI:Invalid key"]
    answer = client.venue.request(HttpRequest("POST", "/0/private/Balance", "", {}, body), client.now)
    assert json.loads(answer.body) == {"error": ["EAPI:Invalid key"]}


def test_nonces_rise(client):
    """The same or a lower one is refused for ever, also after a refused request; a gap is no matter."""
    assert signed_body(client, "Balance", b"nonce=5", 5)["error"] == []
    assert signed_body(client, "Balance", b"nonce=5", 5)["error"] == ["EAPI:Invalid nonce"]
    assert signed_body(client, "Balance", b"nonce=4", 4)["error"] == ["EAPI:Invalid nonce"]
    assert signed_body(client, "AddOrder", b"nonce=9000", 9000)["error"] != []
    assert signed_body(client, "Balance", b"nonce=8999", 8999)["error"] == ["EAPI:Invalid nonce"]
    assert signed_body(client, "Balance", b"nonce=9001", 9001)["error"] == []
    assert signed_body(client, "Balance", b"nonce=18446744073709551616", 1 << 64)["error"] == ["EAPI:Invalid nonce"]


def test_permissions(client):
    """A key that may only look is told so for everything else, and what it may do can be asked."""
    only = client.venue.keys.read_only
    key = KrakenCredentials(api_key=only.name, secret=type(client.key.secret)(base64.b64encode(only.secret).decode()))
    assert client.post("Balance", key=key)["error"] == []
    for name in ("AddOrder", "CancelAll", "GetWebSocketsToken"):
        assert client.post(name, key=key)["error"] == ["EGeneral:Permission denied"]
    assert client.post("GetApiKeyInfo", key=key)["result"]["permissions"] == [
        "query-funds", "query-open-trades", "query-closed-trades",
    ]  # fmt: skip
    assert "modify-trades" in client.result("GetApiKeyInfo")["permissions"]


def test_the_counter_of_requests(client):
    """Many requests in a row are refused, and taken again after a while; orders do not count there."""
    errors = [client.post("Balance")["error"] for _ in range(70)]
    assert errors[0] == [] and errors[-1] == ["EAPI:Rate limit exceeded"]
    assert (
        client.post("AddOrder", pair="XBTUSD", type="buy", ordertype="limit", volume=0.01, price=50000)["error"] == []
    )
    client.run(5)
    assert client.post("Balance")["error"] == []


# -- orders -----------------------------------------------------------------------------------------------------------


def add(client, **params):
    """``AddOrder`` of a limit buy, unless said otherwise."""
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "54000"} | params
    return client.post("AddOrder", **{name: value for name, value in order.items() if value is not None})


def test_answers_carry_text(client):
    """The order is described as Kraken describes it; stops with their trigger and limit."""
    assert add(client)["result"]["descr"] == {"order": "buy 0.01000000 XBTUSD @ limit 54000.0"}
    described = add(client, ordertype="market", price=None, volume="0.5")["result"]["descr"]["order"]
    assert described == "buy 0.50000000 XBTUSD @ market"
    stop = add(client, type="sell", ordertype="stop-loss-limit", price="50000", price2="49999.5", pair="XXBTZUSD")
    assert stop["result"]["descr"]["order"] == "sell 0.01000000 XBTUSD @ stop loss 50000.0 -> limit 49999.5"
    checked = add(client, validate="true")["result"]
    assert checked == {"descr": {"order": "buy 0.01000000 XBTUSD @ limit 54000.0"}}


def test_the_life_of_an_order(client):
    """Placed, found as open, amended, cancelled, found as closed; funds are held meanwhile, its commission with it."""
    result = add(client, cl_ord_id="mine", oflags="post,fciq")["result"]
    (txid,) = result["txid"]
    assert result["cl_ord_id"] == "mine"
    held = Decimal(client.result("BalanceEx")["ZUSD"]["hold_trade"])
    assert held == Decimal(540) * Decimal("1.004")
    row = client.result("OpenOrders")["open"][txid]
    assert row["descr"]["pair"] == "XBTUSD" and row["cl_ord_id"] == "mine" and row["oflags"] == "fciq,post"
    assert (row["vol"], row["vol_exec"], row["status"]) == ("0.01000000", "0.00000000", "open")
    assert (
        client.result("OpenOrders", cl_ord_id="mine")["open"] and not client.result("OpenOrders", cl_ord_id="x")["open"]
    )
    assert client.result("AmendOrder", cl_ord_id="mine", order_qty="0.02", limit_price="53000")["amend_id"][0] == "T"
    row = client.result("QueryOrders", txid=txid)[txid]
    assert row["vol"] == "0.02000000" and row["descr"]["price"] == "53000.0"
    assert client.result("CancelOrder", txid=txid) == {"count": "1"}
    assert client.post("CancelOrder", txid=txid)["error"] == ["EOrder:Unknown order"]
    closed = client.result("ClosedOrders", cl_ord_id="mine")
    assert closed["count"] == "1" and closed["closed"][txid]["status"] == "canceled"
    assert closed["closed"][txid]["reason"] == "User requested"
    assert client.result("BalanceEx")["ZUSD"]["hold_trade"] == "0.0000"
    assert client.result("QueryOrders", txid="OAAAAA-BBBBB-CCCCCC") == {}


def test_trades_are_found_again(client):
    """By page, by time, by id, and from their order; ids are those of the channel."""
    client.log_on()
    (txid,) = add(client, ordertype="market", price=None, volume="3")["result"]["txid"]
    told = {row["exec_id"]: row for row in client.told() if row["exec_type"] == "trade"}
    history = client.result("TradesHistory")
    assert set(history["trades"]) == set(told) and int(history["count"]) == len(told)
    order = client.result("QueryOrders", txid=txid, trades="true")[txid]
    assert set(order["trades"]) == set(told) and order["status"] == "closed"
    asked = client.result("QueryTrades", txid=",".join(told))
    assert asked == history["trades"]
    for name, row in asked.items():
        assert row["ordertxid"] == txid and row["vol"] == told[name]["last_qty"] and row["maker"] is False
        assert Decimal(row["fee"]) == Decimal(told[name]["fees"][0]["qty"])
    assert Decimal(order["fee"]) == sum(Decimal(row["fee"]) for row in asked.values())
    later = str(Decimal(next(iter(asked.values()))["time"]) + 1)
    assert client.result("TradesHistory", start=later)["count"] == "0"
    assert client.result("TradesHistory", ofs=len(told))["trades"] == {}


def test_edits_batches_and_the_switch(client):
    """EditOrder names both orders; batches are of JSON; the switch answers in whole seconds and fires."""
    (old,) = add(client)["result"]["txid"]
    edited = client.result("EditOrder", txid=old, pair="XBTUSD", volume="0.03")
    assert edited["originaltxid"] == old and edited["descr"]["order"].startswith("buy 0.03000000")
    order = {"ordertype": "limit", "type": "buy", "volume": "0.01", "price": 50000.5}
    client.nonce += 1
    batch = {"nonce": client.nonce + 1, "pair": "XBTUSD", "orders": [order, order | {"volume": "900"}]}
    rows = client.post("AddOrderBatch", body=json.dumps(batch).encode())["result"]["orders"]
    assert rows[0]["txid"][0] == "O" and rows[1]["error"] == "EOrder:Insufficient funds"
    client.run(400)
    ids = [edited["txid"], rows[0]["txid"]]
    cancels = {"nonce": client.nonce + 1, "orders": ids}
    assert client.post("CancelOrderBatch", body=json.dumps(cancels).encode())["result"] == {"count": "2"}
    add(client, userref="5")
    add(client, userref="5")
    assert client.result("CancelOrder", txid="5") == {"count": "2"}
    add(client)
    answer = client.result("CancelAllOrdersAfter", timeout=3)
    assert answer["currentTime"] == "2023-11-14T22:20:01Z" and answer["triggerTime"] == "2023-11-14T22:20:04Z"
    client.run(4)
    assert client.result("OpenOrders")["open"] == {}
    add(client)
    assert client.result("CancelAll") == {"count": "1"}


def test_funds(client):
    """Balances under Kraken's names of assets, what they are worth, and the account's commissions."""
    balances = client.result("Balance")
    assert {balance_asset(key)[0] for key in balances} == {"BTC", "ETH", "USD"}
    assert balances["ZUSD"] == "1000000.0000" and balances["XXBT"] == "10.0000000000"
    worth = client.result("TradeBalance")
    assert Decimal(worth["eb"]) > 1_500_000 and worth["tb"] == "1000000.0000"
    volume = client.result("TradeVolume", pair="XBTUSD")
    assert volume["fees"]["XXBTZUSD"]["fee"] == "0.4000" and volume["fees_maker"]["XXBTZUSD"]["fee"] == "0.2500"


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ({"price": "54000.05"}, "EOrder:Invalid price:BTC/USD price can only be specified up to 1 decimals."),
        ({"price": "1e5x"}, "EGeneral:Invalid arguments:price"),
        ({"price": None}, "EGeneral:Invalid arguments:price"),
        ({"volume": "0.00001"}, "EGeneral:Invalid arguments:volume minimum not met"),
        ({"volume": "900"}, "EOrder:Insufficient funds"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": "settle-position"}, "EGeneral:Invalid arguments:ordertype"),
        ({"leverage": "2:1"}, "EGeneral:Invalid arguments:leverage"),
        ({"close[ordertype]": "limit"}, "EGeneral:Invalid arguments:close"),
        ({"displayvol": "0.001"}, "EGeneral:Invalid arguments:displayvol"),
        ({"oflags": "fcib"}, "EGeneral:Invalid arguments:oflags"),
        ({"timeinforce": "GTD", "expiretm": "+2"}, "EGeneral:Invalid arguments:expire_time"),
        ({"userref": "99999999999"}, "EGeneral:Invalid arguments:userref"),
    ],
)
def test_refused_orders(client, params, error):
    """With Kraken's words."""
    assert add(client, **params)["error"] == [error]


def test_faults_of_answers(make_client):
    """What was carried out is answered with an error of unknown outcome, or with the gateway's."""
    client = make_client(faults="error-after-accept:1")
    client.run(1)
    assert add(client)["error"] == ["EService:Unavailable"]
    assert len(client.result("OpenOrders")["open"]) == 1
    client = make_client(faults="lost-ack:1")
    client.run(1)
    assert add(client) == 520 and len(client.result("OpenOrders")["open"]) == 1
