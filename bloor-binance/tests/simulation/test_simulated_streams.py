"""Market streams of the simulated exchange: what they say adds up to its book."""

from __future__ import annotations

import pytest

from bloor.errors import UsageError
from bloor.model.orders import Side
from bloor.simulation.venue import SimulationOptions
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.simulated import SimulatedBinance, simulated_venue_spec

STREAMS = "streams=btcusdt@trade/btcusdt@aggTrade/btcusdt@bookTicker/btcusdt@depth@100ms"


def matching_book(client, symbol="BTCUSDT"):
    market = client.venue.exchange.markets[symbol]
    i = market.instrument
    return {side: {i.format_price(price): units for price, units in market.book.depth(side, 10_000)} for side in Side}


def rebuilt(snapshot, events, check=lambda last, book: None):
    """A book by the published procedure."""
    book = {Side.BUY: dict(snapshot["bids"]), Side.SELL: dict(snapshot["asks"])}
    last = snapshot["lastUpdateId"]
    first = True
    for event in events:
        if event["u"] <= last:
            continue
        assert event["U"] <= last + 1 <= event["u"] if first else event["U"] == last + 1
        first = False
        for side, key in ((Side.BUY, "b"), (Side.SELL, "a")):
            for price, qty in event[key]:
                if float(qty):
                    book[side][price] = qty
                else:
                    book[side].pop(price, None)
        last = event["u"]
        check(last, book)
    return {side: {price[:-6]: int(qty.replace(".", "")) for price, qty in book[side].items()} for side in Side}


@pytest.mark.parametrize("stream", ["btcusdt@depth@100ms", "btcusdt@depth"])
def test_a_book_kept_from_snapshot_and_diffs_is_the_matching_book(client, stream):
    """To the last level, also where our own orders rest in it, and its tops are the bookTickers of the same id."""
    client.open(1, "/stream", f"streams={stream}/btcusdt@bookTicker")
    client.log_on()
    client.run(2)
    status, snapshot = client.get("/api/v3/depth", symbol="BTCUSDT", limit=5000)
    assert status == 200
    client.place(price="50000.00")
    client.place(price="59000.00", side="BUY", quantity="0.5")
    client.run(8)
    tickers = {f["data"]["u"]: f["data"] for f in client.frames[1] if f["stream"].endswith("bookTicker")}
    compared = 0

    def check(last, book):
        nonlocal compared
        if last in tickers:
            compared += 1
            bid = max(book[Side.BUY], key=float)
            ask = min(book[Side.SELL], key=float)
            ticker = tickers[last]
            assert (ticker["b"], ticker["B"]) == (bid, book[Side.BUY][bid])
            assert (ticker["a"], ticker["A"]) == (ask, book[Side.SELL][ask])

    diffs = [f["data"] for f in client.frames[1] if "depth" in f["stream"]]
    assert rebuilt(snapshot, diffs, check) == matching_book(client)
    assert "50000.00" in matching_book(client)[Side.BUY]
    assert compared or stream == "btcusdt@depth"


def test_trades_are_numbered_without_a_gap_and_aggregates_add_up(client):
    """Ids are contiguous; an aggregate has the quantity of its trades."""
    client.open(1, "/stream", STREAMS)
    client.run(10)
    trades = [f["data"] for f in client.frames[1] if f["data"].get("e") == "trade"]
    aggregates = [f["data"] for f in client.frames[1] if f["data"].get("e") == "aggTrade"]
    ids = [trade["t"] for trade in trades]
    assert len(ids) > 50 and ids == list(range(ids[0], ids[0] + len(ids)))
    quantity = {trade["t"]: int(trade["q"].replace(".", "")) for trade in trades}
    for aggregate in aggregates:
        assert int(aggregate["q"].replace(".", "")) == sum(
            quantity[number] for number in range(aggregate["f"], aggregate["l"] + 1)
        )
    assert [a["a"] for a in aggregates] == list(range(aggregates[0]["a"], aggregates[0]["a"] + len(aggregates)))


def test_every_frame_is_one_the_normalizer_reads(client):
    """The venue's own normalizer knows all of it."""
    client.open(1, "/stream", STREAMS + "/ethusdt@trade/ethusdt@depth20@100ms")
    client.run(3)
    normalizer = BinanceSpotNormalizer()
    kinds = {type(message).__name__ for raw in client.raw[1] for message in normalizer.decode(raw)}
    assert kinds == {"TradeMessage", "BboMessage", "BookMessage"}


def test_the_same_seed_says_the_same_however_time_is_stepped(make_client):
    """Event times belong to the model, so two ways to the same moment give the same bytes."""
    fine, coarse = make_client(seed=4), make_client(seed=4)
    for one in (fine, coarse):
        one.open(1, "/stream", STREAMS)
    fine.run(5)
    coarse.now += 5_000_000_000
    while coarse.venue.deadline_ns <= coarse.now:
        coarse.venue.advance(coarse.now)
    assert fine.raw[1] == coarse.raw[1]
    assert fine.venue.credentials() == coarse.venue.credentials()
    other = make_client(seed=5)
    assert other.venue.credentials() != fine.venue.credentials()


def test_within_a_second_there_are_twenty_levels_and_a_trade(client):
    """What the command line promises of a simulated venue."""
    for symbol in ("BTCUSDT", "ETHUSDT"):
        _, depth = client.get("/api/v3/depth", symbol=symbol, limit=20)
        assert len(depth["bids"]) == len(depth["asks"]) == 20
        assert client.get("/api/v3/trades", symbol=symbol)[1]


def test_partial_depth_says_the_best_levels(client):
    """``depth5``: five levels a side of the same book."""
    client.open(1, "/ws/btcusdt@depth5@100ms")
    client.run(0.35)
    _, snapshot = client.get("/api/v3/depth", symbol="BTCUSDT", limit=5)
    frame = client.frames[1][-1]
    assert set(frame) == {"lastUpdateId", "bids", "asks"}
    assert len(frame["bids"]) == len(frame["asks"]) == 5 == len(snapshot["bids"])


def test_control_messages(client):
    """SUBSCRIBE and its kin, as documented."""
    assert client.open(1, "/ws")
    assert client.say(1, {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}) == [{"result": None, "id": 1}]
    assert client.say(1, {"method": "LIST_SUBSCRIPTIONS", "id": 3}) == [{"result": ["btcusdt@trade"], "id": 3}]
    assert client.say(1, {"method": "GET_PROPERTY", "params": ["combined"], "id": 2}) == [{"result": False, "id": 2}]
    client.run(1.1)
    assert client.frames[1][-1]["e"] == "trade"
    assert client.say(1, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 5}) == [
        {"result": None, "id": 5}
    ]
    client.run(1)
    assert client.frames[1][-1]["stream"] == "btcusdt@trade"
    assert client.say(1, {"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": "x"}) == [
        {"result": None, "id": "x"}
    ]
    before = len(client.frames[1])
    client.run(1)
    assert len(client.frames[1]) == before


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (b"{nope", 3, "Invalid JSON: expected value at line 1 column"),
        ({"params": [], "id": 1}, 2, "missing field `method`"),
        ({"method": "SUBSCRIBE", "params": []}, 2, "missing field `id`"),
        ({"method": "HELLO", "params": [], "id": 1}, 2, "unknown variant `HELLO`"),
        ({"method": "SUBSCRIBE", "params": [], "id": 1.5}, 2, "request ID"),
        ({"method": "SET_PROPERTY", "params": ["other", True], "id": 1}, 0, "Unknown property"),
        ({"method": "SET_PROPERTY", "params": ["combined", "yes"], "id": 1}, 1, "expected Boolean"),
        ({"method": "SET_PROPERTY", "params": ["combined", True, 3], "id": 1}, 2, "too many parameters"),
    ],
)
def test_refused_control_messages(client, message, code, text):
    """Each with its code, and the connection lives on."""
    client.open(1, "/ws")
    [answer] = client.say(1, message)
    assert answer["code"] == code and text in answer["msg"]
    assert 1 not in client.closed


def test_more_than_five_messages_a_second_end_the_connection(client):
    """The exchange's own limit."""
    client.open(1, "/ws")
    for number in range(6):
        client.say(1, {"method": "LIST_SUBSCRIPTIONS", "id": number})
    assert 1 in client.closed


def test_microseconds_on_request(client):
    """``timeUnit=MICROSECOND``."""
    client.open(1, "/stream", "streams=btcusdt@trade&timeUnit=MICROSECOND")
    client.run(1)
    assert len(str(client.frames[1][0]["data"]["T"])) == 16


def test_paths_that_are_none_are_refused(client):
    """Only documented paths are served."""
    assert not client.open(1, "/api/v3/ws")
    assert not client.open(2, "/")


def test_symbols_and_faults_are_checked():
    """A request that cannot be is refused before anything starts."""
    with pytest.raises(UsageError, match=r"BTCUSDT: .*did you mean 'BTC-USDT'"):
        SimulatedBinance(SimulationOptions(symbols=["BTCUSDT"]), lambda conn, payload: None)
    with pytest.raises(UsageError, match="faults drop=1: expected a list of NAME:VALUE"):
        SimulatedBinance(SimulationOptions(faults="drop=1"), lambda conn, payload: None)
    assert simulated_venue_spec().venue == "binance"


def test_other_pairs_are_listed_by_name(make_client):
    """What is asked for is listed, and each pair has a deep book and a funded account."""
    client = make_client(symbols=["SOL-USDT", "DOGE-USDT"])
    client.run(1)
    _, info = client.get("/api/v3/exchangeInfo")
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["SOLUSDT", "DOGEUSDT"]
    _, depth = client.get("/api/v3/depth", symbol="DOGEUSDT", limit=20)
    assert len(depth["asks"]) == 20
    _, account = client.signed("/api/v3/account")
    assert {b["asset"]: float(b["free"]) for b in account["balances"]} == {"SOL": 10, "USDT": 1e6, "DOGE": 10}
