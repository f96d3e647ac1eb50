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

SYMBOL = "BTC/USDT"


@pytest.fixture(scope="module")
def ready():
    """The ready document of a simulated exchange in a process of its own."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "binance", "--json", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def connect(ready, kind="hmac", library=ccxt):
    """ccxt's own binance class; of its settings only the URLs, the key and the kind of market are ours."""
    key = ready["credentials"][kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = library.binance(
            {
                "apiKey": key["api_key"],
                "secret": key.get("secret") or key["private_key_pem"],
                "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
                "enableRateLimit": False,
            }
        )
    urls, rest = client.urls["api"], ready["rest"]
    urls |= {"public": f"{rest}/api/v3", "private": f"{rest}/api/v3", "sapi": f"{rest}/sapi/v1"}
    if "ws" in urls:
        urls["ws"]["spot"] = f"{ready['streams']}/ws"
        urls["ws"]["ws-api"]["spot"] = ready["ws_api"]
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
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 1e-05)
    assert market["limits"]["cost"]["min"] == 5
    assert "BTC" in client.currencies
    book = client.fetch_order_book(SYMBOL, 100)
    assert len(book["bids"]) >= 20 and book["bids"][0][0] < book["asks"][0][0] and book["nonce"]
    trades = client.fetch_trades(SYMBOL, limit=10)
    assert len(trades) == 10 and all(trade["price"] > 0 and trade["side"] in ("buy", "sell") for trade in trades)
    for timeframe in ("1s", "1m", "1h", "1d", "1w", "1M"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe)
        assert candles and all(low_ <= min(o, c) <= max(o, c) <= high for _, o, high, low_, c, _ in candles)
    ticker = client.fetch_ticker(SYMBOL)
    assert ticker["low"] <= ticker["last"] <= ticker["high"] and ticker["bid"] < ticker["ask"]
    assert set(client.fetch_tickers()) >= {SYMBOL, "ETH/USDT"}
    assert client.fetch_bids_asks()[SYMBOL]["bid"] < client.fetch_last_prices()[SYMBOL]["price"] * 1.01
    before, told, after = time.time() * 1000, client.fetch_time(), time.time() * 1000
    assert before - 1 <= told <= after + 1


def test_a_limit_order_is_edited_and_cancelled(client):
    """Placed, seen as open, replaced as ccxt edits spot orders, cancelled; the money is free again."""
    before = client.fetch_balance()["USDT"]
    order = client.create_order(SYMBOL, "limit", "buy", 0.01, low(client))
    assert order["status"] == "open" and order["filled"] == 0
    locked = client.fetch_balance()["USDT"]["used"]
    assert Decimal(str(locked)) == Decimal(str(order["price"])) * Decimal("0.01")
    assert [o["id"] for o in client.fetch_open_orders(SYMBOL)] == [order["id"]]
    edited = client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, low(client, 0.85))
    assert edited["id"] != order["id"] and edited["amount"] == 0.02
    assert client.fetch_order(order["id"], SYMBOL)["status"] == "canceled"
    less = {"symbol": "BTCUSDT", "orderId": edited["id"], "newQty": "0.015"}
    amended = client.request("order/amend/keepPriority", ["private"], "PUT", less)
    assert amended["amendedOrder"]["qty"] == "0.01500000"
    assert client.cancel_order(edited["id"], SYMBOL)["status"] == "canceled"
    assert client.fetch_open_orders(SYMBOL) == []
    assert client.fetch_balance()["USDT"] == before
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(edited["id"], SYMBOL)


def test_market_orders_fill_and_are_found_again(client):
    """By quantity and by cost; fills, fees and closed orders are there afterwards, and the balances agree."""
    before = client.fetch_balance()
    bought = client.create_market_buy_order(SYMBOL, 0.05)
    spent = client.create_market_buy_order_with_cost(SYMBOL, 500)
    sold = client.create_market_sell_order(SYMBOL, 0.03)
    assert {order["status"] for order in (bought, spent, sold)} == {"closed"}
    assert bought["filled"] == 0.05 and 490 < spent["cost"] <= 500
    fills = [fill for order in (bought, spent, sold) for fill in client.fetch_order_trades(order["id"], SYMBOL)]
    mine = {fill["id"] for fill in client.fetch_my_trades(SYMBOL)}
    assert {fill["id"] for fill in fills} <= mine
    closed = {order["id"] for order in client.fetch_closed_orders(SYMBOL)}
    assert {bought["id"], spent["id"], sold["id"]} <= closed
    after = client.fetch_balance()
    change = {"BTC": Decimal(0), "USDT": Decimal(0)}
    for fill in fills:
        sign = 1 if fill["side"] == "buy" else -1
        info = fill["info"]
        change["BTC"] += sign * Decimal(info["qty"])
        change["USDT"] -= sign * Decimal(info["quoteQty"])
        change[info["commissionAsset"]] -= Decimal(info["commission"])
    for asset, moved in change.items():
        told = [Decimal(b["free"]) for balance in (before, after) for b in balance["info"]["balances"]
                if b["asset"] == asset]  # fmt: skip
        assert told[1] - told[0] == moved


def test_stop_orders_wait(client):
    """A stop is accepted with its trigger price and can be cancelled; one that would trigger at once is refused."""
    stop = low(client, 0.9)
    order = client.create_order(SYMBOL, "limit", "sell", 0.01, low(client, 0.89), {"stopLossPrice": stop})
    assert order["status"] == "open"
    assert client.fetch_order(order["id"], SYMBOL)["triggerPrice"] == float(stop)
    client.cancel_all_orders(SYMBOL)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order(SYMBOL, "limit", "buy", 0.01, low(client, 0.9), {"stopLossPrice": stop})


@pytest.mark.parametrize("kind", ["hmac", "rsa", "ed25519"])
def test_all_kinds_of_keys(ready, kind):
    """Each signs as ccxt signs with it."""
    client = connect(ready, kind)
    assert client.fetch_balance()["BTC"]["total"] > 0


def test_refusals_have_their_classes(client, ready):
    """ccxt knows the codes and texts."""
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "limit", "buy", 20, low(client))
    with pytest.raises(ccxt.InvalidOrder, match="PERCENT_PRICE_BY_SIDE"):
        client.create_order(SYMBOL, "limit", "buy", 0.01, low(client, 0.1))
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("1", SYMBOL)
    wrong = connect(ready)
    wrong.secret += "x"
    with pytest.raises(ccxt.AuthenticationError):
        wrong.fetch_balance()


async def stream(client):
    """Everything that ccxt.pro does on one market and one account."""
    seen = {
        "book": await client.watch_order_book(SYMBOL),
        "trades": await client.watch_trades(SYMBOL),
        "ticker": await client.watch_ticker(SYMBOL),
        "candles": await client.watch_ohlcv(SYMBOL, "1s"),
        "tops": await client.watch_bids_asks([SYMBOL]),
        "balance": await client.fetch_balance_ws(),
    }
    watching = asyncio.gather(client.watch_orders(SYMBOL), client.watch_my_trades(SYMBOL), client.watch_balance())
    placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 50_000)
    seen["open"] = await client.fetch_open_orders_ws(SYMBOL)
    edited = await client.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.02, 49_000)
    seen["cancelled"] = await client.cancel_order_ws(edited["id"], SYMBOL)
    seen["market"] = await client.create_order_ws(SYMBOL, "market", "buy", 0.01)
    while not watching.done():  # what happened before the private stream was there is not told on it
        await client.create_order_ws(SYMBOL, "market", "buy", 0.01)
        await asyncio.wait([watching], timeout=0.5)
    seen["orders"], seen["fills"], seen["funds"] = await watching
    return seen


@pytest.mark.parametrize("kind", ["hmac", "ed25519"])
def test_streams_and_orders_over_websockets(ready, kind):
    """The asynchronous half of the same client: streams, the WebSocket API and the private stream."""
    import ccxt.pro

    async def scenario():
        client = connect(ready, kind, ccxt.pro)
        client.aiohttp_trust_env = False
        try:
            return await stream(client)
        finally:
            await client.close()

    seen = asyncio.run(scenario())
    assert seen["book"]["bids"][0][0] < seen["book"]["asks"][0][0]
    assert seen["trades"] and seen["candles"] and seen["ticker"]["last"] > 0 and SYMBOL in seen["tops"]
    assert {"BTC", "USDT"} <= {balance["asset"] for balance in seen["balance"]["info"]["balances"]}
    assert len(seen["open"]) == 1 and seen["cancelled"]["status"] == "canceled"
    assert seen["market"]["status"] == "closed"
    assert seen["orders"] and len(seen["fills"]) >= 1 and "BTC" in seen["funds"]
