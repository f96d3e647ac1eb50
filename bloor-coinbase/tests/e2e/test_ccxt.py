"""A third-party client trades on the simulated exchange with only its URLs changed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
import warnings
from decimal import Decimal

import pytest

ccxt = pytest.importorskip("ccxt", reason="ccxt, of the dependency group e2e, is not installed")

SYMBOL = "BTC/USD"


@pytest.fixture(scope="module")
def ready():
    """The ready document of a simulated exchange in a process of its own."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "coinbase", "--json", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def connect(ready, library=ccxt):
    """ccxt's own coinbase class; of its settings only the URLs and the key are ours."""
    key = ready["credentials"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = library.coinbase({"apiKey": key["key_name"], "secret": key["private_key_pem"]})
    client.urls["api"]["rest"] = ready["rest"]
    if "ws" in client.urls["api"]:
        client.urls["api"]["ws"] = ready["streams"]
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
    assert market["spot"] and market["active"]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 1e-08)
    assert market["limits"]["cost"]["min"] == 1 and market["taker"] == 0.0025
    assert {"BTC", "ETH", "USD"} <= set(client.currencies)
    assert client.currencies["BTC"]["type"] == "crypto" and client.currencies["USD"]["type"] == "fiat"
    book = client.fetch_order_book(SYMBOL)
    assert len(book["bids"]) >= 20 and book["bids"][0][0] < book["asks"][0][0]
    assert len(client.fetch_order_book(SYMBOL, 5)["asks"]) == 5
    trades = client.fetch_trades(SYMBOL, limit=10)
    assert len(trades) == 10 and all(trade["price"] > 0 and trade["side"] in ("buy", "sell") for trade in trades)
    for timeframe in ("1m", "5m", "1h", "1d"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe)
        assert candles and all(low_ <= min(o, c) <= max(o, c) <= high for _, o, high, low_, c, _ in candles)
    ticker = client.fetch_ticker(SYMBOL)
    assert ticker["last"] > 0 and ticker["bid"] < ticker["ask"]
    assert set(client.fetch_tickers()) >= {SYMBOL, "ETH/USD"}
    assert client.fetch_bids_asks()[SYMBOL]["bid"] > 0
    before, told, after = time.time() * 1000, client.fetch_time(), time.time() * 1000
    assert before - 1_000 <= told <= after + 1  # whole seconds


def test_the_account(client):
    """Accounts, portfolios, balances and fees."""
    assert {account["code"] for account in client.fetch_accounts()} >= {"BTC", "USD"}
    assert len(client.fetch_portfolios()) == 1
    for how in ({}, {"v3": True}):
        balance = client.fetch_balance(how)
        assert balance["USD"]["free"] >= 100_000 and balance["BTC"]["free"] >= 10
    fees = client.fetch_trading_fees()[SYMBOL]
    assert (fees["maker"], fees["taker"]) == (0.00125, 0.0025)


def test_a_limit_order_is_edited_and_cancelled(client):
    """Placed, seen as open, edited under the same id, cancelled; the money is free again."""
    before = client.fetch_balance({"v3": True})["USD"]
    order = client.create_order(SYMBOL, "limit", "buy", 0.01, low(client), {"postOnly": True})
    placed = client.fetch_order(order["id"], SYMBOL)
    assert placed["status"] == "open" and placed["filled"] == 0 and placed["postOnly"]
    held = Decimal(str(client.fetch_balance({"v3": True})["USD"]["used"]))
    value = Decimal(str(placed["price"])) * Decimal("0.01")
    assert held == value + value * Decimal("0.0025")
    assert [o["id"] for o in client.fetch_open_orders(SYMBOL)] == [order["id"]]
    client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, low(client, 0.85))
    assert client.fetch_order(order["id"], SYMBOL)["amount"] == 0.02
    client.cancel_order(order["id"], SYMBOL)
    assert client.fetch_order(order["id"], SYMBOL)["status"] == "canceled"
    assert order["id"] in {o["id"] for o in client.fetch_canceled_orders(SYMBOL)}
    assert client.fetch_open_orders(SYMBOL) == []
    assert client.fetch_balance({"v3": True})["USD"] == before
    with pytest.raises(ccxt.BadRequest):
        client.cancel_order(order["id"], SYMBOL)


def test_market_orders_fill_and_are_found_again(client):
    """By quantity and by cost; fills, fees and closed orders are there afterwards, and the balances agree."""
    before = client.fetch_balance()
    spent = client.create_market_buy_order_with_cost(SYMBOL, 500)
    sold = client.create_market_sell_order(SYMBOL, 0.03)
    crossing = client.create_order(SYMBOL, "limit", "buy", 0.02, low(client, 1.01), {"timeInForce": "IOC"})
    whole = client.create_order(SYMBOL, "limit", "sell", 0.01, low(client, 0.99), {"timeInForce": "FOK"})
    orders = {order["id"]: client.fetch_order(order["id"], SYMBOL) for order in (spent, sold, crossing, whole)}
    assert {order["status"] for order in orders.values()} == {"closed"}
    fills = [fill for fill in client.fetch_my_trades(SYMBOL) if fill["order"] in orders]
    assert {fill["order"] for fill in fills} == set(orders)
    assert {fill["takerOrMaker"] for fill in fills} == {"taker"}
    for number, order in orders.items():
        mine = [fill["info"] for fill in fills if fill["order"] == number]
        assert sum(Decimal(fill["size"]) for fill in mine) == Decimal(order["info"]["filled_size"])
        value = sum(Decimal(fill["size"]) * Decimal(fill["price"]) for fill in mine)
        assert value == Decimal(order["info"]["filled_value"])
        assert sum(Decimal(fill["commission"]) for fill in mine) == Decimal(order["info"]["total_fees"])
    assert 490 < orders[spent["id"]]["cost"] <= 500
    assert set(orders) <= {order["id"] for order in client.fetch_closed_orders(SYMBOL)}
    assert set(orders) <= {order["id"] for order in client.fetch_orders(SYMBOL)}
    after = client.fetch_balance()
    change = {"BTC": Decimal(0), "USD": Decimal(0)}
    for fill in fills:
        info, sign = fill["info"], 1 if fill["side"] == "buy" else -1
        change["BTC"] += sign * Decimal(info["size"])
        change["USD"] -= sign * Decimal(info["size"]) * Decimal(info["price"]) + Decimal(info["commission"])
    for asset, moved in change.items():
        told = [
            Decimal(wallet["balance"]["amount"])
            for balance in (before, after)
            for wallet in balance["info"]["data"]
            if wallet["balance"]["currency"] == asset
        ]
        assert told[1] - told[0] == moved


def test_orders_that_wait_and_orders_that_end(client, wait_for):
    """A stop is accepted with its trigger price; an order with an end is open until then."""
    stop = low(client, 0.9)
    soon, later = (client.iso8601(client.milliseconds() + ms) for ms in (3_000, 3_600_000))
    ending, dated = (
        client.create_order(SYMBOL, "limit", "buy", 0.01, stop, {"end_time": end}) for end in (soon, later)
    )
    assert client.fetch_order(dated["id"], SYMBOL)["status"] == "open"
    order = client.create_order(SYMBOL, "limit", "sell", 0.01, low(client, 0.89), {"stopLossPrice": stop})
    assert client.fetch_order(order["id"], SYMBOL)["triggerPrice"] == float(stop)
    client.cancel_orders([order["id"], dated["id"]], SYMBOL)
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order(SYMBOL, "limit", "sell", 0.01, stop, {"stopLossPrice": low(client, 1.1)})
    wait_for(lambda: client.fetch_order(ending["id"], SYMBOL)["status"] != "open")
    assert client.fetch_order(ending["id"], SYMBOL)["info"]["status"] == "EXPIRED"


def test_previews(client):
    """A new order and an edit tell what they would cost, and nothing happens."""
    seen = client.create_order(SYMBOL, "market", "buy", 1, None, {"cost": 500, "preview": True})
    assert seen is not None
    assert client.fetch_open_orders(SYMBOL) == []


def test_refusals_have_their_classes(client, ready):
    """ccxt knows the reasons."""
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "limit", "buy", 100, low(client))
    with pytest.raises(ccxt.ExchangeError, match="PRICE_BAND"):
        client.create_order(SYMBOL, "limit", "buy", 0.01, low(client, 2))
    with pytest.raises(ccxt.ExchangeError, match="not found"):
        client.fetch_order("1", SYMBOL)
    wrong = connect({**ready, "credentials": {**ready["credentials"], "key_name": "organizations/a/apiKeys/b"}})
    with pytest.raises(ccxt.AuthenticationError):
        wrong.fetch_balance()


async def follow_orders(client, statuses, changed):
    """Keeps the latest status of each order."""
    while True:
        for order in await client.watch_orders(SYMBOL):
            statuses[order["id"]] = order["status"]
        changed.set()


async def stream(client):
    """Everything that ccxt.pro does on one market and one account."""
    seen = {
        "book": await client.watch_order_book(SYMBOL),
        "trades": await client.watch_trades(SYMBOL),
        "ticker": await client.watch_ticker(SYMBOL),
        "tickers": await client.watch_tickers([SYMBOL, "ETH/USD"]),
    }
    seen["statuses"] = statuses = {}
    changed = asyncio.Event()
    following = asyncio.create_task(follow_orders(client, statuses, changed))
    order = await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
    while order["id"] not in statuses:  # the private stream is there, and has told of it
        changed.clear()
        await changed.wait()
    await client.cancel_order(order["id"], SYMBOL)
    bought = await client.create_order(SYMBOL, "market", "buy", 0.01, 60_000)
    seen["ids"] = ids = (order["id"], bought["id"])
    while (statuses.get(ids[0]), statuses.get(ids[1])) != ("canceled", "closed"):
        changed.clear()
        await changed.wait()
    following.cancel()
    for _ in range(20):
        seen["book"] = await client.watch_order_book(SYMBOL)
    return seen


def test_streams(ready):
    """The asynchronous half of the same client: market streams and the private one."""
    import ccxt.pro

    async def scenario():
        client = connect(ready, ccxt.pro)
        client.aiohttp_trust_env = False
        try:
            return await stream(client)
        finally:
            await client.close()

    seen = asyncio.run(scenario())
    assert seen["book"]["bids"][0][0] < seen["book"]["asks"][0][0] and len(seen["book"]["bids"]) >= 20
    assert seen["trades"] and seen["ticker"]["last"] > 0 and seen["tickers"]
    assert [seen["statuses"][number] for number in seen["ids"]] == ["canceled", "closed"]
