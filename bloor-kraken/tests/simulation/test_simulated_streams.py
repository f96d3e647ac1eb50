"""The public WebSocket of the simulated exchange."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from zlib import crc32

import pytest

from bloor.model.orders import Side
from bloor_kraken.normalizer import KrakenNormalizer


class Book:
    """A client's book by the published rules: levels in message order, cut to the depth, then the checksum."""

    def __init__(self, depth):
        self.depth = depth
        self.sides = {"bids": {}, "asks": {}}
        self.checked = 0

    def apply(self, frame):
        (data,) = frame["data"]
        if frame["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        for name, levels in self.sides.items():
            for level in data[name]:
                if float(level["qty"]):
                    levels[level["price"]] = level["qty"]
                else:
                    levels.pop(level["price"], None)
            best = sorted(levels, key=Decimal, reverse=name == "bids")[: self.depth]
            self.sides[name] = {price: levels[price] for price in best}
        return self.checksum() == int(data["checksum"])

    def checksum(self):
        def digits(text):
            return text.replace(".", "").lstrip("0")

        rows = [*list(self.sides["asks"].items())[:10], *list(self.sides["bids"].items())[:10]]
        return crc32("".join(digits(price) + digits(qty) for price, qty in rows).encode())

    def levels(self, name):
        return list(self.sides[name].items())


def follow(client, conn, depth):
    """A book made of everything that a connection heard of the channel; every checksum is right."""
    book = Book(depth)
    for frame in client.frames[conn]:
        if frame.get("channel") == "book":
            assert book.apply(frame), frame
            book.checked += 1
    return book


def truth(client, symbol, depth):
    """The venue's own levels as text."""
    market = client.venue.exchange.markets[symbol]
    i = market.instrument
    return {
        name: [(Decimal(i.price(p)), Decimal(i.qty(u))) for p, u in market.book.depth(side, depth)]
        for name, side in (("bids", Side.BUY), ("asks", Side.SELL))
    }


def test_a_connection_begins_with_the_status(client):
    """The state of the engine comes first, with a connection id beyond 2**53; other paths are refused."""
    assert client.open(1)
    (status,) = client.frames[1]
    assert status["channel"] == "status" and status["data"][0]["system"] == "online"
    assert int(status["data"][0]["connection_id"]) > 1 << 53
    assert not client.open(2, "/v1") and not client.open(3, "/")


@pytest.mark.parametrize("depth", [10, 25, 100, 500, 1000])
def test_every_depth_rebuilds_the_book(client, depth):
    """A client that cuts its book after each message has the venue's levels, and every checksum fits."""
    client.open(1)
    answer, snapshot = client.subscribe(1, "book", depth=depth)
    assert answer["success"] is True and answer["result"]["depth"] == str(depth) and answer["req_id"] == "1"
    assert snapshot["type"] == "snapshot"
    client.run(20)
    book = follow(client, 1, depth)
    assert book.checked > 200
    for name, levels in truth(client, "BTC/USD", depth).items():
        assert [(Decimal(price), Decimal(qty)) for price, qty in book.levels(name)] == levels


def test_without_cutting_the_checksum_fails(client):
    """Levels that are pushed out of the window are never deleted: who keeps them is wrong soon."""
    client.open(1)
    client.subscribe(1, "book")
    client.run(20)
    careless = Book(10_000)
    fits = [careless.apply(frame) for frame in client.frames[1] if frame.get("channel") == "book"]
    assert fits[0] and fits.count(False) > len(fits) / 4


def test_every_number_has_the_declared_digits(client):
    """Prices and quantities are bare numbers with exactly the decimals of their pair."""
    client.open(1)
    client.subscribe(1, "book", symbol=["BTC/USD", "ETH/USD"])
    client.run(3)
    decimals = {"BTC/USD": (1, 8), "ETH/USD": (2, 8)}
    for frame in client.frames[1]:
        if frame.get("channel") == "book":
            (data,) = frame["data"]
            for level in (*data["bids"], *data["asks"]):
                told = tuple(len(level[name].partition(".")[2]) for name in ("price", "qty"))
                assert told == decimals[data["symbol"]]


def test_one_answer_a_symbol(client):
    """Known symbols are acknowledged one by one, unknown ones refused by name; the connection stays open."""
    client.open(1)
    frames = client.subscribe(1, "trade", symbol=["BTC/USD", "NO/PE", "ETH/USD"])
    assert [(f["success"], f.get("symbol", f.get("result", {}).get("symbol"))) for f in frames] == [
        (True, "BTC/USD"), (False, "NO/PE"), (True, "ETH/USD"),
    ]  # fmt: skip
    assert frames[1]["error"] == "Currency pair not supported NO/PE" and frames[1]["req_id"] == "1"
    client.run(3)
    heard = {frame["data"][0]["symbol"] for frame in client.frames[1] if frame.get("channel") == "trade"}
    assert heard == {"BTC/USD", "ETH/USD"} and 1 not in client.closed


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"method": "subscribe", "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": 20}},
         "Subscription depth not supported"),
        ({"method": "subscribe", "params": {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 2}},
         "Subscription ohlc interval not supported"),
        ({"method": "subscribe", "params": {"channel": "books", "symbol": ["BTC/USD"]}}, "Subscription name invalid"),
        ({"method": "subscribe", "params": {"channel": "book"}}, "Malformed request"),
        ({"method": "subscribe", "params": {"channel": "executions", "token": "x"}},
         "Private data and trading are unavailable on this endpoint"),
        ({"method": "add_order", "params": {}}, "Private data and trading are unavailable on this endpoint"),
        ({"method": "dance"}, "Event(s) not found"),
        (b"{", "Malformed request"),
        (b"[1]", "Malformed request"),
    ],
)  # fmt: skip
def test_refusals(client, message, error):
    """What cannot be is refused with Kraken's words, on a connection that stays open."""
    client.open(1)
    (answer,) = client.say(1, message)
    assert answer["success"] is False and answer["error"] == error
    assert answer["time_in"] <= answer["time_out"]
    assert client.say(1, {"method": "ping", "req_id": 7})[0] | {"time_in": "", "time_out": ""} == {
        "method": "pong", "req_id": "7", "time_in": "", "time_out": "",
    }  # fmt: skip


def test_subscriptions_end(client):
    """After the answer to unsubscribe nothing more comes; a second subscription begins with a snapshot again."""
    client.open(1)
    client.subscribe(1, "book")
    assert client.subscribe(1, "book")[0]["error"] == "Already subscribed"
    client.run(1)
    leave = {"method": "unsubscribe", "params": {"channel": "book", "symbol": ["BTC/USD"]}, "req_id": 3}
    (answer,) = client.say(1, leave)
    assert answer["success"] is True and answer["result"]["channel"] == "book"
    assert client.say(1, leave)[0]["success"] is False
    before = len(client.frames[1])
    client.run(5)
    assert len(client.frames[1]) == before
    _, snapshot = client.subscribe(1, "book")
    assert Book(10).apply(snapshot)


def test_heartbeats_come_every_second_once_something_is_subscribed(client):
    """A connection without a subscription hears nothing; with one, a heartbeat a second whatever else comes."""
    client.open(1)
    client.run(5)
    assert len(client.frames[1]) == 1
    client.subscribe(1, "book")
    client.run(10)
    assert sum(frame == {"channel": "heartbeat"} for frame in client.frames[1]) == 10


def test_trades_are_numbered_without_holes(client):
    """Ids follow each other, prices and quantities are those of REST, and a snapshot has the last fifty."""
    client.open(1)
    assert len(client.subscribe(1, "trade")) == 1
    client.run(8)
    rows = [row for frame in client.frames[1] if frame.get("channel") == "trade" for row in frame["data"]]
    ids = [int(row["trade_id"]) for row in rows]
    assert ids == list(range(ids[0], ids[0] + len(ids))) and len(ids) > 30
    listed = {row[6]: row for row in client.get("Trades", pair="XBTUSD")["result"]["XXBTZUSD"]}
    for row in rows:
        told = listed[row["trade_id"]]
        assert (Decimal(told[0]), told[1], told[3]) == (Decimal(row["price"]), row["qty"], row["side"][0])
    client.open(2)
    _, snapshot = client.subscribe(2, "trade", snapshot=True)
    assert [row["trade_id"] for row in snapshot["data"]] == [row["trade_id"] for row in rows[-50:]]


def test_tickers_are_told_by_trades_or_by_best_prices(client):
    """One kind comes with trades only, the other with every change of the best prices or their quantities."""
    client.open(1)
    client.open(2)
    _, snapshot = client.subscribe(1, "ticker")
    client.subscribe(2, "ticker", event_trigger="bbo")
    client.subscribe(1, "trade")
    client.run(10)
    by_trades = [f["data"][0] for f in client.frames[1] if f.get("channel") == "ticker" and f["type"] == "update"]
    by_prices = [f["data"][0] for f in client.frames[2] if f.get("channel") == "ticker" and f["type"] == "update"]
    messages = [f for f in client.frames[1] if f.get("channel") == "trade"]
    assert len(by_trades) == len(messages) and snapshot["type"] == "snapshot"
    assert all(ticker["last"] == f["data"][-1]["price"] for ticker, f in zip(by_trades, messages, strict=True))
    tops = [tuple(row[name] for name in ("bid", "bid_qty", "ask", "ask_qty")) for row in by_prices]
    assert len(tops) > 50 and all(a != b for a, b in pairwise(tops))


def test_candles_are_the_trades(client):
    """The minute's candle sums up its trades; one comes with every message of trades."""
    client.open(1)
    client.subscribe(1, "trade", snapshot=True)
    _, snapshot = client.subscribe(1, "ohlc", interval=1)
    client.run(10)
    candles = [f["data"][0] for f in client.frames[1] if f.get("channel") == "ohlc" and f["type"] == "update"]
    assert candles and snapshot["type"] == "snapshot"
    last = candles[-1]
    trades = [row for f in client.frames[1] if f.get("channel") == "trade" for row in f["data"]]
    mine = [row for row in trades if row["timestamp"] >= last["interval_begin"][:19]]
    if len(mine) == int(last["trades"]):
        assert Decimal(last["volume"]) == sum(Decimal(row["qty"]) for row in mine)
        assert last["close"] == mine[-1]["price"]
    assert last["interval_begin"].endswith(".000000000Z") and last["interval"] == "1"


def test_instruments_have_exponents(client):
    """Steps are bare numbers with exponents where they are small, and the feed's own reader understands them."""
    from bloor_kraken.instruments import listed_pairs

    client.open(1)
    _, snapshot = client.subscribe(1, "instrument", None)
    assert b'"qty_increment":1e-08' in client.raw[1][-1] and b'"qty_min":5e-05' in client.raw[1][-1]
    pairs = {i.symbol: i for i in listed_pairs(snapshot)}
    market = client.venue.exchange.markets["BTC/USD"].instrument
    assert pairs["BTC-USD"] == market
    assert {asset["id"] for asset in snapshot["data"]["assets"]} == {"BTC", "ETH", "USD"}


def test_too_many_messages_are_told_without_a_method(client):
    """Kraken's frame for it has a capital letter and nothing else; the connection stays open."""
    client.open(1)
    answers = [client.say(1, {"method": "ping"})[0] for _ in range(250)]
    assert answers[-1] == {"Error": "Exceeded msg rate"} and answers[100]["method"] == "pong"
    client.run(1)
    assert client.say(1, {"method": "ping"})[0]["method"] == "pong" and 1 not in client.closed


def test_the_package_reads_its_own_venue(client):
    """The normalizer finds every public frame readable, every checksum right and nothing unknown."""
    client.open(1)
    for channel in ("book", "trade", "ticker", "ohlc"):
        client.subscribe(1, channel, snapshot=True)
    client.run(5)
    normalizer = KrakenNormalizer()
    kinds = {type(message).__name__ for frame in client.raw[1] for message in normalizer.decode(frame)}
    assert {"BookMessage", "TradeMessage", "BboMessage"} <= kinds


def test_a_seed_fixes_everything(make_client):
    """Two venues of one seed send the same bytes; another seed sends others."""
    heard = []
    for seed in (7, 7, 8):
        client = make_client(seed=seed)
        client.open(1)
        client.subscribe(1, "book", symbol=["BTC/USD", "ETH/USD"])
        client.run(3)
        heard.append(client.raw[1])
    assert heard[0] == heard[1] != heard[2]


def test_a_dropped_book_message_shows_in_the_checksum(make_client):
    """The fault ``gap`` loses updates: the checksum of the next message does not fit, or nothing was lost by it."""
    client = make_client(faults="gap:0.2,duplicate:0.1")
    client.open(1)
    client.subscribe(1, "book")
    client.run(20)
    book = Book(10)
    fits = [book.apply(frame) for frame in client.frames[1] if frame.get("channel") == "book"]
    assert fits[0] and not all(fits)
