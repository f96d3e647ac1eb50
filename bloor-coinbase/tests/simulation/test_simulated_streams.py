"""The market stream: numbers, snapshots and changes, trades, and the rules of a connection."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import orjson
import pytest

from bloor_coinbase.normalizer import CoinbaseNormalizer

CHANNELS = ("level2", "market_trades", "ticker", "ticker_batch", "candles", "status")


def everything(client, conn=1):
    """Subscribes a connection to all market channels and heartbeats."""
    assert client.open(conn)
    for channel in CHANNELS[:3]:
        client.subscribe(conn, channel, "BTC-USD", "ETH-USD")
    client.subscribe(conn, "heartbeats")
    client.run(1.1)
    for channel in CHANNELS[3:]:
        client.subscribe(conn, channel, "BTC-USD")


def test_one_sequence_counts_every_frame_of_a_connection(client):
    """From 0, without a hole, whatever the channel; and every frame can be read."""
    everything(client)
    client.run(11)
    frames = client.frames[1]
    assert [frame["sequence_num"] for frame in frames] == list(range(len(frames)))
    names = {frame["channel"] for frame in frames}
    assert names == {"l2_data", "market_trades", "ticker", "ticker_batch", "candles", "status", "heartbeats",
                     "subscriptions"}  # fmt: skip
    normalizer = CoinbaseNormalizer()
    for raw in client.raw[1]:
        normalizer.decode(raw)


def test_an_acknowledgement_comes_after_the_first_data_and_lists_everything(client):
    """The snapshot is number 0; the acknowledgement has a number of its own and all subscriptions so far."""
    client.open()
    (first,) = client.subscribe(1, "level2", "BTC-USD")
    assert (first["channel"], first["sequence_num"], first["events"][0]["type"]) == ("l2_data", 0, "snapshot")
    client.subscribe(1, "heartbeats")
    client.run(0.1)
    acknowledged = client.of("subscriptions")
    assert acknowledged[0]["sequence_num"] > 0
    assert acknowledged[-1]["events"] == [{"subscriptions": {"level2": ["BTC-USD"], "heartbeats": ["heartbeats"]}}]


def book_of(frames, product="BTC-USD"):
    """The book that a client keeps by the published rules."""
    sides = {"bid": {}, "offer": {}}
    for frame in frames:
        for event in frame["events"]:
            if event["product_id"] != product:
                continue
            if event["type"] == "snapshot":
                sides = {"bid": {}, "offer": {}}
            for level in event["updates"]:
                if level["new_quantity"] == "0":
                    sides[level["side"]].pop(level["price_level"], None)
                else:
                    sides[level["side"]][level["price_level"]] = level["new_quantity"]
    return sides


def test_snapshot_and_changes_are_the_book(client):
    """At any time, to the last digit, all levels; every change is told at once, with its own time."""
    client.open()
    client.subscribe(1, "level2", "BTC-USD", "ETH-USD")
    for _ in range(10):
        client.run(0.55)
        _, answer = client.public("/market/product_book", product_id="BTC-USD")
        told = book_of(client.of("l2_data"))
        for side, name in (("bid", "bids"), ("offer", "asks")):
            assert {level["price"]: level["size"] for level in answer["pricebook"][name]} == told[side]
        client.run(1)


def test_trades_show_the_side_of_the_maker(client):
    """A purchase of ours prints as a sale of the maker, with numbers that grow and nothing twice."""
    client.open()
    client.subscribe(1, "market_trades", "BTC-USD")
    client.placed("market_market_ioc", base_size="0.02")
    client.run(0.3)
    frames = client.of("market_trades")
    trades = [trade for frame in frames for event in frame["events"] for trade in reversed(event["trades"])]
    numbers = [int(trade["trade_id"]) for trade in trades]
    assert all(late == early + 1 for early, late in pairwise(numbers))
    _, answer = client.request("GET", "/orders/historical/fills")
    mine = [(fill["price"], fill["size"]) for fill in answer["fills"]]
    assert mine and {t["side"] for t in trades if (t["price"], t["size"]) in mine} == {"SELL"}


def test_our_orders_are_part_of_the_public_book(client):
    """A resting order appears as a level, and its cancel takes it away."""
    client.open()
    client.subscribe(1, "level2", "BTC-USD")
    price = f"{Decimal(client.low()).normalize():f}"
    number = client.placed(limit_price=price)
    client.run(0.06)
    assert book_of(client.of("l2_data"))["bid"][price] == "0.01"
    client.cancel(number)
    client.run(0.06)
    assert price not in book_of(client.of("l2_data"))["bid"]


def test_the_second_name_of_a_book_has_its_market_data(client):
    """Subscribed as BTC-USDC, published as BTC-USD."""
    client.open()
    (first,) = client.subscribe(1, "level2", "BTC-USDC")
    assert first["events"][0]["product_id"] == "BTC-USD"


def test_unsubscribing_ends_a_channel(client):
    """For the products that are named, or for all; the acknowledgement says what is left."""
    client.open()
    client.subscribe(1, "level2", "BTC-USD", "ETH-USD")
    client.subscribe(1, "ticker", "BTC-USD")
    client.subscribe(1, "level2", "ETH-USD", kind="unsubscribe")
    client.subscribe(1, "ticker", "BTC-USD", kind="unsubscribe")
    client.run(0.03)
    assert client.of("subscriptions")[-1]["events"] == [{"subscriptions": {"level2": ["BTC-USD"]}}]
    seen = len(client.frames[1])
    client.run(2)
    later = client.frames[1][seen:]
    assert {event["product_id"] for frame in later for event in frame["events"]} == {"BTC-USD"}


def test_subscribing_again_brings_the_book_again(client):
    """What was lost is had anew by a new snapshot."""
    client.open()
    client.subscribe(1, "level2", "BTC-USD")
    client.run(1)
    client.subscribe(1, "level2", "BTC-USD", kind="unsubscribe")
    (again,) = client.subscribe(1, "level2", "BTC-USD")
    assert again["events"][0]["type"] == "snapshot" and again["sequence_num"] > 0


def test_heartbeats_count(client):
    """One a second, counted from 1."""
    client.open()
    client.subscribe(1, "heartbeats")
    client.run(5.5)
    assert [frame["events"][0]["heartbeat_counter"] for frame in client.of("heartbeats")] == [1, 2, 3, 4, 5]


def test_candles_and_tickers_agree_with_the_trades(client):
    """The five-minute candle has every trade since the opening; the ticker has the last price."""
    everything(client)
    client.run(3)
    last = client.of("candles")[-1]["events"][0]["candles"][0]
    assert Decimal(last["low"]) <= Decimal(last["close"]) <= Decimal(last["high"]) and int(last["start"]) % 300 == 0
    tape = client.venue._source.published["BTC-USD"].tape
    assert sum(candle.units for candle in tape.candles("FIVE_MINUTE", client.now)) == sum(t.units for t in tape.trades)
    tickers = [
        ticker for frame in client.of("ticker") for event in frame["events"] for ticker in event["tickers"]
        if ticker["product_id"] == "BTC-USD"
    ]  # fmt: skip
    assert Decimal(tickers[-1]["best_bid"]) < Decimal(tickers[-1]["best_ask"])
    batch = client.of("ticker_batch")[-1]["events"][0]["tickers"][0]
    assert "best_bid" not in batch


# -- the rules of a connection -------------------------------------------------------------------------------------


def test_who_does_not_subscribe_within_five_seconds_is_disconnected(client):
    """Who does stays."""
    client.open(1)
    client.open(2)
    client.subscribe(2, "heartbeats")
    client.run(7)
    assert client.closed == {1}


def test_a_silent_connection_is_closed_unless_it_has_heartbeats(make_client, monkeypatch):
    """After a minute and a half without a frame; here it is ten seconds."""
    monkeypatch.setattr("bloor_coinbase.simulated.connections.SILENCE_NS", 10 * 10**9)
    client = make_client()
    for conn in (1, 2):
        client.open(conn, "/user")
        client.subscribe(conn, "user", jwt=client.main.token(client.now_s, "aa"))
    client.subscribe(2, "heartbeats")
    client.run(9)
    assert client.closed == set()
    client.run(3)
    assert client.closed == {1}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"{", "no JSON"),
        (b"[]", "no object"),
        ({"type": "hello", "channel": "level2"}, "type must be"),
        ({"type": "subscribe", "channel": "full", "product_ids": ["BTC-USD"]}, "no channel 'full'"),
        ({"type": "subscribe", "channel": "level2", "product_ids": ["NO-USD"]}, "no product 'NO-USD'"),
        ({"type": "subscribe", "channel": "level2", "product_ids": "BTC-USD"}, "must be a list"),
        ({"type": "subscribe", "channel": "level2"}, "needs product_ids"),
        ({"type": "subscribe", "channel": "user"}, "authentication failure"),
        ({"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"], "jwt": "x"}, "authentication failure"),
    ],
)
def test_a_message_that_cannot_be_is_answered_with_an_error(client, message, said):
    """Without a number; the connection stays."""
    client.open()
    (error,) = client.say(1, message)
    assert error["type"] == "error" and said in error["message"] and "sequence_num" not in error
    assert client.closed == set()


def test_too_many_books_are_refused(make_client, monkeypatch):
    """As the real exchange refuses them."""
    monkeypatch.setattr("bloor_coinbase.simulated.connections.MAX_BOOKS", 1)
    client = make_client()
    client.open()
    client.subscribe(1, "level2", "BTC-USD")
    (error,) = client.subscribe(1, "level2", "ETH-USD")
    assert error["message"] == "too many L2 streams requested in a single session"


def test_messages_without_a_token_are_limited(client):
    """Eight in a second; with a token, or a second later, they are taken again."""
    client.open()
    for _ in range(8):
        client.subscribe(1, "heartbeats")
    (error,) = client.subscribe(1, "heartbeats")
    assert "rate limit" in error["message"]
    assert client.subscribe(1, "ticker", "BTC-USD", jwt=client.main.token(client.now_s, "aa"))
    client.run(1.1)
    assert client.subscribe(1, "level2", "BTC-USD")[0]["channel"] == "l2_data"


def test_connections_are_limited(client):
    """Eight in a second."""
    assert [client.open(conn) for conn in range(1, 10)] == [True] * 8 + [False]
    client.run(1.1)
    assert client.open(10)


def test_there_is_nothing_at_other_paths(client):
    """Market data at the root, the account at /user."""
    assert not client.open(1, "/ws")
    client.open(2, "/user")
    (error,) = client.subscribe(2, "level2", "BTC-USD")
    assert "not available on the user endpoint" in error["message"]


def test_a_seed_fixes_everything(make_client):
    """Two runs are equal byte for byte; another seed is another market."""

    def run(seed):
        client = make_client(seed=seed)
        everything(client)
        client.run(2)
        return client.raw[1]

    assert run(5) == run(5)
    assert run(5) != run(6)


def test_a_client_that_lost_track_is_told_by_the_numbers(make_client):
    """Injected gaps take their number with them; injected duplicates repeat theirs."""
    client = make_client(faults="gap:0.2,duplicate:0.1")
    client.open()
    client.subscribe(1, "level2", "BTC-USD")
    client.run(10)
    numbers = [orjson.loads(raw)["sequence_num"] for raw in client.raw[1]]
    steps = {late - early for early, late in pairwise(numbers)}
    assert {0, 1, 2} <= steps
