"""REST besides orders: who may ask, how much, products, accounts, history; and injected faults."""

from __future__ import annotations

import base64
import json
from decimal import Decimal

import orjson
import pytest

from bloor.errors import UsageError
from bloor_coinbase.instruments import parse_instruments
from bloor_coinbase.signing import CoinbaseCredentials
from bloor_coinbase.simulated.keys import SimulatedKeys
from bloor_coinbase.simulated.listing import PAIRS
from bloor_coinbase.simulated.words import stamp

SECOND = 1_000_000_000
ACCOUNTS = "/api/v3/brokerage/accounts"


# -- tokens --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["main", "ed25519", "viewer"])
def test_every_key_may_look(client, key):
    """ES256 and EdDSA."""
    assert client.request("GET", "/accounts", key=getattr(client, key))[0] == 200


def test_a_key_that_may_only_look_does_not_trade(client):
    """403, and it is told so."""
    for path in ("/orders", "/orders/edit", "/orders/batch_cancel"):
        status, answer = client.request("POST", path, {}, key=client.viewer)
        assert (status, answer["error"]) == (403, "PERMISSION_DENIED")
    assert client.request("GET", "/key_permissions", key=client.viewer)[1]["can_trade"] is False
    assert client.request("GET", "/key_permissions")[1]["can_trade"] is True


@pytest.mark.parametrize(
    "uri",
    [
        f"GET http://127.0.0.1:80{ACCOUNTS}",
        f"GET https://127.0.0.1:80{ACCOUNTS}",
        f"GET api.coinbase.com{ACCOUNTS}",
        f"GET 127.0.0.1:80{ACCOUNTS}?limit=250",
    ],
)
def test_a_token_is_for_a_method_and_a_path(client, uri):
    """Whatever scheme is before the host, which is the one asked or the real one."""
    assert client.request("GET", "/accounts", token=client.main.token(client.now_s, "aa", uri))[0] == 200


@pytest.mark.parametrize(
    "uri",
    [f"POST 127.0.0.1:80{ACCOUNTS}", f"GET 127.0.0.1:80{ACCOUNTS}/", f"GET evil.example{ACCOUNTS}", "", None],
)
def test_a_token_for_something_else_is_refused(client, uri):
    """With 401 and nothing about the reason."""
    answer = client.request("GET", "/accounts", token=client.main.token(client.now_s, "aa", uri))
    assert answer == (401, "Unauthorized\n")


@pytest.mark.parametrize(("age_s", "status"), [(0, 200), (119, 200), (130, 401), (-3, 200), (-30, 401)])
def test_a_token_is_good_for_two_minutes(client, age_s, status):
    """And not long before it begins."""
    token = client.main.token(client.now_s - age_s, "aa", f"GET 127.0.0.1:80{ACCOUNTS}")
    assert client.request("GET", "/accounts", token=token)[0] == status


def signed(key, header, claims):
    """A token of any content, signed by a key."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    text = f"{part(header)}.{part(claims)}"
    signature = base64.urlsafe_b64encode(key._sign(text.encode())).rstrip(b"=").decode()
    return f"{text}.{signature}"


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"alg": "none"}, {}),
        ({"alg": "EdDSA"}, {}),
        ({"kid": "organizations/a/apiKeys/b"}, {}),
        ({}, {"sub": "somebody"}),
        ({}, {"iss": "me"}),
        ({}, {"exp": 9_999_999_999}),
        ({}, {"exp": "soon"}),
        ({}, {"nbf": None}),
        ({}, {"uri": 5}),
    ],
)
def test_every_claim_is_looked_at(client, header, claims):
    """A token with one wrong claim is refused; the same with right ones is taken."""
    good = {"alg": "ES256", "kid": client.main.key_name, "typ": "JWT", "nonce": "aa"}
    says = {"sub": client.main.key_name, "iss": "cdp", "nbf": client.now_s, "exp": client.now_s + 120,
            "uri": f"GET 127.0.0.1:80{ACCOUNTS}"}  # fmt: skip
    assert client.request("GET", "/accounts", token=signed(client.main, good, says))[0] == 200
    assert client.request("GET", "/accounts", token=signed(client.main, good | header, says | claims))[0] == 401


def test_a_signature_of_another_key_is_refused(client):
    """Even of one that claims to be ours."""
    other = SimulatedKeys(99).main
    forged = CoinbaseCredentials(key_name=client.main.key_name, private_key=other.private)
    assert client.request("GET", "/accounts", key=forged)[0] == 401
    assert client.request("GET", "/accounts", key=None)[0] == 401


def test_the_list_of_uris_of_newer_clients_is_taken(client):
    """``uris`` instead of ``uri``."""
    header = {"alg": "EdDSA", "kid": client.ed25519.key_name, "typ": "JWT", "nonce": "aa"}
    claims = {"sub": client.ed25519.key_name, "iss": "cdp", "nbf": client.now_s, "exp": client.now_s + 60,
              "uris": [f"GET 127.0.0.1:80{ACCOUNTS}"]}  # fmt: skip
    assert client.request("GET", "/accounts", token=signed(client.ed25519, header, claims))[0] == 200


# -- limits --------------------------------------------------------------------------------------------------------


def test_public_requests_are_limited(client):
    """A burst of twenty, then ten a second; the headers count down."""
    left = []
    for _ in range(20):
        assert client.public("/time")[0] == 200
        left.append(int(client.answer.headers["x-ratelimit-remaining"]))
    assert left == list(range(19, -1, -1))
    status, answer = client.public("/time")
    assert (status, answer["errors"]) == (429, [{"id": "rate_limit_exceeded", "message": "Too many requests"}])
    assert client.answer.headers["x-ratelimit-limit"] == "10" and client.answer.headers["retry-after"] == "1"
    client.run(0.11)
    assert client.public("/time")[0] == 200


def test_private_requests_are_limited_by_account(client):
    """A burst of sixty, then thirty a second; the public has its own."""
    statuses = [client.request("GET", "/portfolios")[0] for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert client.public("/time")[0] == 200
    client.run(0.04)
    assert client.request("GET", "/portfolios")[0] == 200


# -- products ------------------------------------------------------------------------------------------------------


def test_products_are_what_the_instruments_are_read_from(client):
    """Ours and any client's; the second names say whose book they share."""
    _, answer = client.public("/market/products")
    names = [product["product_id"] for product in answer["products"]]
    assert names == ["BTC-USD", "BTC-USDC", "ETH-USD", "ETH-USDC"] and answer["num_products"] == 4
    client.public("/market/products", product_ids=["BTC-USD", "BTC-USDC"])
    dollars, stable = parse_instruments(client.answer.body)
    assert (dollars.symbol, dollars.venue_symbol) == ("BTC-USD", "BTC-USD")
    assert (stable.symbol, stable.venue_symbol) == ("BTC-USDC", "BTC-USD")
    assert (dollars.tick_size, dollars.lot_size, dollars.min_notional) == (Decimal("0.01"), Decimal("1e-8"), 1)
    assert client.public("/market/products", product_type="FUTURE")[1]["products"] == []
    assert client.public("/market/products", limit=1, offset=1)[1]["products"][0]["product_id"] == "BTC-USDC"
    assert client.public("/market/products/ETH-USD")[1]["product_id"] == "ETH-USD"
    assert client.public("/market/products/NO-USD")[0] == 404


def test_books_and_best_prices(client):
    """Sorted, cut and aggregated as asked."""
    _, answer = client.public("/market/product_book", product_id="BTC-USD", limit=20)
    bids, asks = ([Decimal(level["price"]) for level in answer["pricebook"][side]] for side in ("bids", "asks"))
    assert len(bids) == len(asks) == 20
    assert bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]
    assert Decimal(answer["spread_absolute"]) == asks[0] - bids[0]
    _, whole = client.public("/market/product_book", product_id="BTC-USD")
    _, coarse = client.public("/market/product_book", product_id="BTC-USD", aggregation_price_increment="10")
    for side in ("bids", "asks"):
        sums = [sum(Decimal(level["size"]) for level in book["pricebook"][side]) for book in (whole, coarse)]
        assert sums[0] == sums[1] and all(Decimal(level["price"]) % 10 == 0 for level in coarse["pricebook"][side])
    assert client.public("/market/product_book", product_id="BTC-USD", aggregation_price_increment="x")[0] == 400
    _, best = client.request("GET", "/best_bid_ask", product_ids=["BTC-USD"])
    assert best["pricebooks"][0]["bids"][0]["price"] == answer["pricebook"]["bids"][0]["price"]


def test_candles(client):
    """Newest first, between start and end, at most 350 at once."""
    client.run(45)
    asked = {"start": client.now_s - 600, "end": client.now_s}
    _, answer = client.public("/market/products/BTC-USD/candles", granularity="ONE_MINUTE", **asked)
    starts = [int(candle["start"]) for candle in answer["candles"]]
    assert len(starts) >= 2 and starts == sorted(starts, reverse=True) and all(start % 60 == 0 for start in starts)
    for bad in ({"granularity": "ONE_YEAR"}, {"granularity": "ONE_MINUTE", "start": 0}, {"start": "x"}, {"end": ""}):
        params = {"granularity": "ONE_MINUTE", **asked, **bad}
        assert client.public("/market/products/BTC-USD/candles", **params)[0] == 400


def test_trades_over_rest(client):
    """Newest first, with the best prices, under the name that was asked."""
    _, answer = client.public("/market/products/BTC-USDC/ticker", limit=5)
    numbers = [int(trade["trade_id"]) for trade in answer["trades"]]
    assert len(numbers) == 5 and numbers == sorted(numbers, reverse=True)
    assert {trade["product_id"] for trade in answer["trades"]} == {"BTC-USDC"}
    assert Decimal(answer["best_bid"]) < Decimal(answer["best_ask"])


def test_the_older_interface(client):
    """Currencies, rates, prices and time, which clients read besides."""
    codes = {coin["code"] for coin in client.public("/v2/currencies/crypto")[1]["data"]}
    assert codes == {"BTC", "ETH", "USDC"}
    assert [money["id"] for money in client.public("/v2/currencies")[1]["data"]] == ["USD"]
    rates = client.public("/v2/exchange-rates")[1]["data"]["rates"]
    assert abs(1 / Decimal(rates["BTC"]) - client.best()[0]) < 100
    assert Decimal(client.public("/v2/prices/BTC-USD/spot")[1]["data"]["amount"]) > 0
    assert client.public("/v2/exchange-rates", currency="NO")[0] == 400
    assert client.public("/v2/prices/NO-USD/spot")[0] == 404
    assert client.public("/v2/time")[1]["data"]["epoch"] == client.now_s
    assert int(client.public("/time")[1]["epochMillis"]) == client.now // 1_000_000


# -- the account ---------------------------------------------------------------------------------------------------


def test_accounts_come_in_pages(client):
    """By a cursor, until there are no more."""
    seen, cursor = [], ""
    while True:
        _, answer = client.request("GET", "/accounts", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [account["currency"] for account in answer["accounts"]]
        cursor = answer["cursor"]
        if not answer["has_next"]:
            break
    assert seen == ["BTC", "USD", "ETH", "USDC"]
    _, answer = client.request("GET", "/accounts")
    uuid = answer["accounts"][0]["uuid"]
    assert client.request("GET", f"/accounts/{uuid}")[1]["account"]["currency"] == "BTC"
    assert client.request("GET", "/accounts/x")[0] == 404


def test_the_summary_adds_up_what_was_traded(client):
    """Volume, fees, and the rates that are charged."""
    orders = [client.order(client.placed("market_market_ioc", side, base_size="0.1")) for side in ("BUY", "SELL")]
    _, summary = client.request("GET", "/transaction_summary")
    assert summary["total_volume"] == pytest.approx(sum(float(order["filled_value"]) for order in orders))
    assert summary["total_fees"] == pytest.approx(sum(float(order["total_fees"]) for order in orders))
    assert summary["fee_tier"]["taker_fee_rate"] == "0.0025"


# -- history -------------------------------------------------------------------------------------------------------


def history(client, **params):
    """Ids of the orders that a query finds, and the answer."""
    status, answer = client.request("GET", "/orders/historical/batch", **params)
    assert status == 200, answer
    return [order["order_id"] for order in answer["orders"]], answer


def test_orders_are_found_by_everything(client):
    """Newest first; filters can be combined."""
    began = client.now
    resting = client.placed(limit_price="50000")
    client.run(1)
    bought = client.placed("market_market_ioc", base_size="0.01")
    client.run(1)
    ether = client.placed("market_market_ioc", "SELL", product="ETH-USDC", base_size="0.1")
    assert history(client)[0] == [ether, bought, resting]
    assert history(client, order_status="OPEN")[0] == [resting]
    assert history(client, order_status=["FILLED", "CANCELLED"])[0] == [ether, bought]
    assert history(client, product_ids=["ETH-USDC"])[0] == history(client, product_id="ETH-USDC")[0] == [ether]
    assert history(client, order_side="SELL")[0] == [ether]
    assert history(client, order_type="LIMIT")[0] == [resting]
    assert history(client, time_in_forces="IMMEDIATE_OR_CANCEL")[0] == [ether, bought]
    assert history(client, order_ids=[bought, resting])[0] == [bought, resting]
    assert history(client, asset_filters="USDC")[0] == [ether]
    assert history(client, start_date=stamp(began + SECOND))[0] == [ether, bought]
    assert history(client, end_date=stamp(began + SECOND))[0] == [resting]
    assert history(client, sort_by="LIMIT_PRICE")[0][0] == resting
    assert history(client, product_type="FUTURE")[0] == []
    status, _ = client.request("GET", "/orders/historical/batch", order_status=["OPEN", "FILLED"])
    assert status == 400
    for bad in ({"start_date": "yesterday"}, {"limit": "x"}, {"cursor": "-1"}, {"order_status": "GONE"}):
        assert client.request("GET", "/orders/historical/batch", **bad)[0] == 400


def test_orders_and_fills_come_in_pages(client):
    """By a cursor."""
    numbers = [client.placed("market_market_ioc", base_size="0.01") for _ in range(5)]
    first, answer = history(client, limit=3)
    assert answer["has_next"] and answer["cursor"]
    rest, answer = history(client, limit=3, cursor=answer["cursor"])
    assert [*first, *rest] == numbers[::-1] and not answer["has_next"]
    first, answer = history(client, limit=3)
    client.placed("market_market_ioc", base_size="0.01")  # what comes meanwhile is on none of these pages
    assert history(client, limit=3, cursor=answer["cursor"])[0] == rest
    _, answer = client.request("GET", "/orders/historical/fills", limit=2)
    found, cursor = answer["fills"], answer["cursor"]
    while cursor:
        _, answer = client.request("GET", "/orders/historical/fills", limit=2, cursor=cursor)
        found, cursor = found + answer["fills"], answer["cursor"]
    assert len({fill["trade_id"] for fill in found}) == len(found) >= 5
    assert {fill["order_id"] for fill in found} > set(numbers)


def test_fills_are_found_by_order_product_time_and_id(client):
    """And are the same however they are found."""
    bought = client.placed("market_market_ioc", base_size="0.01")
    client.run(1)
    client.placed("market_market_ioc", product="ETH-USD", base_size="0.1")

    def found(**params):
        return client.request("GET", "/orders/historical/fills", **params)[1]["fills"]

    mine = found(order_ids=[bought])
    assert mine and mine == found(product_ids=["BTC-USD"]) == found(product_id="BTC-USD")
    assert mine == found(end_sequence_timestamp=stamp(client.now - SECOND // 2))
    assert mine[0] in found(trade_ids=[mine[0]["trade_id"]])
    assert found(start_sequence_timestamp=stamp(client.now + SECOND)) == []


def test_what_is_not_there_is_not_found(client):
    """Unknown paths, unknown orders."""
    assert client.request("GET", "/orders/historical/x")[0] == 404
    assert client.request("DELETE", "/orders")[0] == 404
    assert client.public("/nothing")[0] == 404


# -- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lost-ack", "error-after-accept"])
def test_an_order_may_be_accepted_and_not_answered(make_client, fault):
    """The gateway says 503; the order is there and found by its client order id."""
    client = make_client(faults=f"{fault}:1")
    client.run(1)
    order = {"client_order_id": "mine", "product_id": "BTC-USD", "side": "BUY",
             "order_configuration": {"limit_limit_gtc": {"base_size": "0.01", "limit_price": "50000"}}}  # fmt: skip
    assert client.request("POST", "/orders", order)[0] == 503
    (found,) = client.request("GET", "/orders/historical/batch")[1]["orders"]
    assert (found["client_order_id"], found["status"]) == ("mine", "OPEN")


def test_a_request_may_be_refused_for_too_many(make_client):
    """And is not carried out; the time always answers."""
    client = make_client(faults="rate-limit:1")
    client.run(1)
    status, answer = client.request("POST", "/orders", {"client_order_id": "mine"})
    assert (status, answer["errors"][0]["id"]) == (429, "rate_limit_exceeded")
    assert client.public("/time")[0] == 200


def test_connections_may_be_cut(make_client):
    """After a while."""
    client = make_client(faults="disconnect:2s")
    for conn in (1, 2):
        client.open(conn)
        client.subscribe(conn, "heartbeats")
    client.run(30)
    assert client.closed == {1, 2}


def test_what_cannot_be_simulated_is_refused(make_client):
    """A symbol without a seeded market, a fault without a name, a fee asset."""
    for options, said in (
        ({"symbols": ["BTC-XYZ"]}, "BTC-XYZ"),
        ({"faults": "gone:1"}, "gone"),
        ({"fee_asset": "BNB"}, "BNB"),
    ):
        with pytest.raises(UsageError, match=said):
            make_client(**options)


def test_several_markets(make_client):
    """By canonical symbol; a second name lists its book."""
    client = make_client(symbols=["BTC-USDC", "SOL-USD", "ETH-BTC", "BTC-EUR"])
    client.run(1)
    _, answer = client.public("/market/products")
    names = [product["product_id"] for product in answer["products"]]
    assert names == ["BTC-USD", "BTC-USDC", "SOL-USD", "SOL-USDC", "ETH-BTC", "BTC-EUR"]
    assert client.order(client.placed("market_market_ioc", product="ETH-BTC", base_size="0.5"))["status"] == "FILLED"
    assert orjson.loads(client.answer.body)
    rates = client.public("/v2/exchange-rates")[1]["data"]["rates"]
    assert set(rates) == {"BTC", "ETH", "EUR", "SOL", "USD", "USDC"}


@pytest.mark.parametrize("symbol", PAIRS)
def test_every_listed_market_is_whole(make_client, symbol):
    """Twenty levels a side and a trade within a second; an order 10 % under the bid rests, a market order fills."""
    client = make_client(symbols=[symbol])
    client.run(1)
    _, book = client.public("/market/product_book", product_id=symbol)
    assert min(len(book["pricebook"]["bids"]), len(book["pricebook"]["asks"])) >= 20 and book["last"]
    _, product = client.public(f"/market/products/{symbol}")
    tick, lot = Decimal(product["price_increment"]), Decimal(product["base_increment"])
    price = Decimal(book["pricebook"]["bids"][0]["price"]) * Decimal("0.9") // tick * tick
    size = f"{Decimal(product['quote_min_size']) * 2 / price // lot * lot:f}"
    resting = client.placed(product=symbol, limit_price=f"{price:f}", base_size=size)
    assert client.order(resting)["status"] == "OPEN"
    assert client.order(client.placed("market_market_ioc", product=symbol, base_size=size))["status"] == "FILLED"
    (instrument,) = parse_instruments(orjson.dumps({"products": [product]}))
    assert (instrument.base, instrument.quote) == tuple(symbol.split("-"))
