"""A third-party client trades on the simulated exchange with only its URLs changed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from decimal import Decimal

import pytest

ccxt = pytest.importorskip("ccxt", reason="ccxt, of the dependency group e2e, is not installed")

SYMBOL = "BTC/USD"


@pytest.fixture(scope="module")
def ready():
    """The ready document of a simulated exchange in a process of its own."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "kraken", "--json", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def connect(ready, library=ccxt):
    """ccxt's own kraken class; of its settings only the URLs and the key are ours."""
    key = ready["credentials"]
    client = library.kraken({"apiKey": key["api_key"], "secret": key["secret"], "enableRateLimit": False})
    urls = client.urls["api"]
    urls |= {"public": ready["rest"], "private": ready["rest"]}
    if "ws" in urls:
        urls["ws"] |= {"publicV2": ready["streams"], "privateV2": ready["ws_api"], "private": ready["ws_api"]}
    return client


@pytest.fixture(scope="module")
def client(ready, wait_for):
    """A client that has loaded the markets, once something was traded."""
    client = connect(ready)
    client.load_markets()
    wait_for(lambda: len(client.fetch_trades(SYMBOL)) >= 20)
    return client


def low(client, share=0.9):
    """A price at which a buy order rests."""
    return client.price_to_precision(SYMBOL, client.fetch_order_book(SYMBOL)["bids"][0][0] * share)


def test_markets_and_prices(client):
    """Markets with their rules, the book, trades, candlesticks and tickers, as ccxt understands them."""
    market = client.market(SYMBOL)
    assert market["spot"] and market["active"] and (market["maker"], market["taker"]) == (0.0025, 0.004)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 1e-08)
    assert (market["limits"]["amount"]["min"], market["limits"]["cost"]["min"]) == (5e-05, 0.5)
    assert {"BTC", "ETH", "USD"} <= set(client.currencies)
    book = client.fetch_order_book(SYMBOL, 100)
    assert len(book["bids"]) >= 20 and len(book["asks"]) >= 20 and book["bids"][0][0] < book["asks"][0][0]
    trades = client.fetch_trades(SYMBOL, limit=10)
    assert len(trades) == 10 and all(trade["price"] > 0 and trade["side"] in ("buy", "sell") for trade in trades)
    for timeframe in ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "2w"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe)
        assert candles and all(low_ <= min(o, c) <= max(o, c) <= high for _, o, high, low_, c, _ in candles)
    ticker = client.fetch_ticker(SYMBOL)
    assert ticker["low"] <= ticker["last"] <= ticker["high"] and ticker["bid"] < ticker["ask"]
    assert set(client.fetch_tickers()) == {SYMBOL, "ETH/USD"}
    before, told, after = time.time() * 1000, client.fetch_time(), time.time() * 1000
    assert before - 1_000 <= told <= after + 1  # whole seconds
    assert client.fetch_status()["status"] == "ok"
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.004


def test_a_limit_order_is_edited_and_cancelled(client):
    """Placed, seen as open, amended, cancelled; the money, commission included, is free again."""
    before = client.fetch_balance()["USD"]
    order = client.create_order(SYMBOL, "limit", "buy", 0.01, low(client), {"clientOrderId": "from ccxt"})
    assert order["info"]["descr"]["order"].startswith("buy 0.01000000 XBTUSD @ limit ")
    (found,) = client.fetch_open_orders(SYMBOL)
    assert (found["id"], found["status"], found["clientOrderId"]) == (order["id"], "open", "from ccxt")
    locked = Decimal(str(client.fetch_balance()["USD"]["used"]))
    assert locked == Decimal(str(order["price"])) * Decimal("0.01") * Decimal("1.004")
    assert client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, low(client, 0.85))["id"][0] == "T"
    found = client.fetch_order(order["id"], SYMBOL)
    assert (found["amount"], found["status"]) == (0.02, "open")
    assert client.cancel_order(order["id"], SYMBOL)["info"]["result"]["count"] == 1
    assert client.fetch_order(order["id"], SYMBOL)["status"] == "canceled"
    assert client.fetch_open_orders(SYMBOL) == [] and client.fetch_balance()["USD"] == before
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], SYMBOL)


def test_market_orders_fill_and_are_found_again(client):
    """By quantity and by cost; fills, fees and closed orders are there afterwards, and the balances agree."""
    before = client.fetch_balance()
    placed = [
        client.create_market_buy_order(SYMBOL, 0.05),
        client.create_market_buy_order_with_cost(SYMBOL, 500),
        client.create_market_sell_order(SYMBOL, 0.03),
    ]
    orders = [client.fetch_order(order["id"], SYMBOL) for order in placed]
    assert {order["status"] for order in orders} == {"closed"}
    assert orders[0]["filled"] == 0.05 and 490 < orders[1]["cost"] <= 500
    mine = {fill["id"]: fill for fill in client.fetch_my_trades(SYMBOL)}
    fills = [mine[trade["id"]] for order in orders for trade in order["trades"]]
    assert {fill["takerOrMaker"] for fill in fills} == {"taker"}
    names = [trade["id"] for trade in orders[0]["trades"]]
    asked = client.fetch_order_trades(orders[0]["id"], SYMBOL, params={"trades": names})
    assert {fill["id"] for fill in asked} == set(names)
    assert {order["id"] for order in placed} <= {order["id"] for order in client.fetch_closed_orders(SYMBOL)}
    after = client.fetch_balance()
    change = {"XXBT": Decimal(0), "ZUSD": Decimal(0)}
    for fill in fills:
        sign, info = (1 if fill["side"] == "buy" else -1), fill["info"]
        change["XXBT"] += sign * Decimal(info["vol"])
        change["ZUSD"] -= sign * Decimal(info["cost"]) + Decimal(info["fee"])
    for asset, moved in change.items():
        told = [Decimal(balance["info"]["result"][asset]["balance"]) for balance in (before, after)]
        assert told[1] - told[0] == moved


def test_stop_orders_and_batches(client):
    """A stop waits with its trigger and limit; several orders at once; all of them go with one request."""
    stop, limit = low(client, 0.9), low(client, 0.89)
    order = client.create_order(SYMBOL, "limit", "sell", 0.01, limit, {"stopLossPrice": stop})
    found = client.fetch_order(order["id"], SYMBOL)
    assert (found["stopLossPrice"], found["price"]) == (float(stop), float(limit))
    one = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": float(low(client))}
    batch = client.create_orders([one, one])
    assert len(client.fetch_open_orders(SYMBOL)) == 3
    assert client.cancel_orders([entry["id"] for entry in batch])[0]["info"]["result"]["count"] == 2
    assert "triggerTime" in client.cancel_all_orders_after(60_000)["result"]
    assert client.cancel_all_orders_after(0)["result"]["triggerTime"] == "0"
    assert client.cancel_all_orders()[0]["info"]["result"]["count"] == 1


def test_refusals_have_their_classes(client, ready):
    """ccxt knows the texts."""
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "limit", "buy", 200, low(client))
    with pytest.raises(ccxt.InvalidOrder, match="volume minimum"):
        client.create_order(SYMBOL, "limit", "buy", 0.00002, low(client))
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("OAAAAA-BBBBB-CCCCCC", SYMBOL)
    wrong = connect(ready)
    wrong.secret = "AAAA"
    with pytest.raises(ccxt.ExchangeError, match="Invalid signature"):
        wrong.fetch_balance()
    wrong = connect(ready)
    wrong.apiKey += "x"
    with pytest.raises(ccxt.AuthenticationError):
        wrong.fetch_balance()


async def stream(client):
    """Everything that ccxt.pro does on one market and one account."""
    seen = {"book": await client.watch_order_book(SYMBOL, 25)}
    for _ in range(50):
        await client.watch_order_book(SYMBOL, 25)
    seen |= {
        "trades": await client.watch_trades(SYMBOL),
        "ticker": await client.watch_ticker(SYMBOL),
        "candles": await client.watch_ohlcv(SYMBOL, "1m"),
    }
    watching = asyncio.gather(client.watch_orders(SYMBOL), client.watch_my_trades(SYMBOL))
    seen["balance"] = await client.watch_balance()
    seen["placed"] = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 50_000)
    seen["edited"] = await client.edit_order_ws(seen["placed"]["id"], SYMBOL, "limit", "buy", 0.02, 49_000)
    seen["cancelled"] = await client.cancel_order_ws(seen["placed"]["id"])
    seen["market"] = [await client.create_order_ws(SYMBOL, "market", "buy", 0.01)]
    while not watching.done():  # what happened before the private stream was there is not told on it
        seen["market"].append(await client.create_order_ws(SYMBOL, "market", "buy", 0.01))
        await asyncio.wait([watching], timeout=0.5)
    seen["orders"], seen["fills"] = await watching
    seen["all"] = await client.cancel_all_orders_ws()
    with pytest.raises(ccxt.ExchangeError, match="Insufficient funds"):
        await client.create_order_ws(SYMBOL, "limit", "buy", 500, 50_000)
    return seen


def test_streams_and_orders_over_websockets(ready):
    """The asynchronous half of the same client: version 2 of both WebSockets."""
    import ccxt.pro

    async def scenario():
        client = connect(ready, ccxt.pro)
        client.aiohttp_trust_env = False
        try:
            return await stream(client)
        finally:
            await client.close()

    seen = asyncio.run(scenario())
    assert seen["book"]["bids"][0][0] < seen["book"]["asks"][0][0] and len(seen["book"]["bids"]) == 25
    assert seen["trades"] and seen["candles"] and seen["ticker"]["last"] > 0
    assert seen["balance"]["USD"]["total"] > 100_000
    assert seen["edited"]["info"]["order_id"] == seen["placed"]["id"]
    assert seen["cancelled"]["success"] is True and seen["all"]["result"]["count"] == 0
    assert seen["orders"] and seen["fills"][0]["order"] in {order["id"] for order in seen["market"]}
