"""Recordings drive the market: told anew as Advanced Trade, traded against, but never changed."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from bloor.errors import InputFileError
from bloor.market.messages import BookMessage, TradeMessage
from bloor_coinbase.normalizer import CoinbaseNormalizer

START = 1_700_000_000_000_000_000


@pytest.fixture
def recording(make_client, tmp_path):
    """Ten seconds of our own seeded market, as a recorder would keep them, and the client that heard them."""
    client = make_client(seed=11)
    client.run(1)
    client.open()
    for channel in ("level2", "market_trades", "ticker"):
        client.subscribe(1, channel, "BTC-USD")
    began, lines = client.now, []
    for tenth in range(100):
        if tenth == 50:  # what was traded lately comes a second time
            client.subscribe(1, "market_trades", "BTC-USD")
        client.run(0.1)
        fresh = client.raw[1][len(lines) :]
        lines += [b"%d %s\n" % (client.now - began + START, raw) for raw in fresh]
    path = tmp_path / "market.txt"
    path.write_bytes(b"".join(lines))
    return client, path


def play(make_client, *paths, speed=0.0, symbols=(), channels=("level2", "market_trades", "ticker", "candles")):
    """A venue that plays recordings to one listener, at its end."""
    client = make_client(recordings=paths, speed=speed, symbols=symbols)
    client.open()
    for channel in channels:
        client.subscribe(1, channel, *client.venue.exchange.markets)
    return client


def messages(client):
    """Book messages and trades that a connection heard, as the normalizer reads them."""
    normalizer = CoinbaseNormalizer()
    found = [message for raw in client.raw[1] for message in normalizer.decode(raw)]
    books = [message for message in found if isinstance(message, BookMessage)]
    trades = {message.trade_id: message for message in found if isinstance(message, TradeMessage)}
    return books, trades


def test_what_was_recorded_is_told_again(make_client, recording):
    """Every change of the book in order, every trade, under numbers of the new connection's own."""
    before, path = recording
    client = play(make_client, path)
    client.run(1)
    assert client.venue.finished
    numbers = [frame["sequence_num"] for frame in client.frames[1]]
    assert numbers == list(range(len(numbers)))
    (books, trades), (old_books, old_trades) = messages(client), messages(before)
    told = [(m.bids, m.asks, m.exch_ns) for m in books if not m.snapshot]
    assert told == [(m.bids, m.asks, m.exch_ns) for m in old_books if not m.snapshot][-len(told) :] and len(told) > 50
    assert len(trades) > 50 and set(trades) == set(old_trades)
    tape = [trade.trade_id for trade in client.venue._source.published["BTC-USD"].tape.trades]
    assert len(set(tape)) == len(tape) == len(old_trades)
    for number, trade in trades.items():
        assert trade._replace(recent=False) == old_trades[number]._replace(recent=False)


def test_rest_tells_the_recorded_book(make_client, recording):
    """The same levels as the stream's, to the last digit."""
    before, path = recording
    client = play(make_client, path)
    client.run(1)
    _, told = client.public("/market/product_book", product_id="BTC-USD", limit=20)
    levels = {"bid": {}, "offer": {}}
    for frame in before.of("l2_data"):
        for event in frame["events"]:
            for level in event["updates"]:
                levels[level["side"]][level["price_level"]] = level["new_quantity"]
    for side, name, best_first in (("bid", "bids", True), ("offer", "asks", False)):
        kept = {price: size for price, size in levels[side].items() if size != "0"}
        best = sorted(kept, key=Decimal, reverse=best_first)[:20]
        assert [(level["price"], level["size"]) for level in told["pricebook"][name]] == [(p, kept[p]) for p in best]


def test_time_runs_at_the_recorded_pace(make_client, recording):
    """From the first listener on; twice as fast at speed 2."""
    _, path = recording
    client = make_client(recordings=[path], speed=2.0)
    client.run(30)
    assert not client.venue.finished
    client.open()
    client.subscribe(1, "level2", "BTC-USD")
    client.run(4)
    assert not client.venue.finished
    client.run(2)
    assert client.venue.finished


def test_orders_meet_the_recorded_liquidity_and_the_public_does_not_see_them(make_client, recording):
    """A market order takes what is there; a resting order fills when the recording reaches it."""
    _, path = recording
    client = make_client(recordings=[path], speed=1.0)
    client.open()
    client.subscribe(1, "level2", "BTC-USD")
    client.follow()
    before = client.best()
    bought = client.placed("market_market_ioc", base_size="0.01")
    resting = [
        client.placed(side=side, limit_price=str(price), base_size="0.001", post_only=True)
        for side, price in zip(("BUY", "SELL"), before, strict=True)
    ]
    assert client.order(bought)["status"] == "FILLED"
    assert client.best() == before
    heard = len(client.of("l2_data"))
    client.run(11)
    assert "FILLED" in {client.order(number)["status"] for number in resting}
    assert len(client.of("l2_data")) > heard


def test_wanted_symbols_only(make_client, recording):
    """One that was not recorded is an error that names it."""
    _, path = recording
    assert list(make_client(recordings=[path], symbols=["BTC-USD"]).venue.exchange.markets) == ["BTC-USD"]
    with pytest.raises(InputFileError, match="ETH-USD"):
        make_client(recordings=[path], symbols=["ETH-USD"])


def test_a_broken_recording_is_an_error_with_its_line(make_client, tmp_path):
    """Never a market without a book."""
    path = tmp_path / "broken.txt"
    path.write_text("1700000000000 {\n")
    with pytest.raises(InputFileError, match=r"broken\.txt"):
        make_client(recordings=[path])


@pytest.mark.recorded
def test_the_older_feed_is_told_as_advanced_trade(make_client):
    """A recording of the Exchange feed: every change, every trade by its maker's side, in every product."""
    path = Path(os.environ["BLOOR_RECORDINGS"]) / "cryptofeed" / "coinbase" / "COINBASE.ws.28.0.gz"
    client = play(make_client, path)
    client.run(3)
    assert client.venue.finished
    books, trades = messages(client)
    assert len(books) == 9_729 and len(trades) >= 107
    assert len({message.symbol for message in books}) == 10
    assert orjson.loads(client.raw[1][-1])["sequence_num"] == len(client.raw[1]) - 1
