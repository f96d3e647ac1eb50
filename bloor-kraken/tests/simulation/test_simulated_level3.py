"""Market data by order of the simulated Kraken, and a run that is fed by them."""

from __future__ import annotations

import pytest

from bloor.engine.effects import feed_conn, level3_conn
from bloor.journal.record import RecordKind
from bloor.market.view import BookState
from bloor.model.orders import Side
from bloor.testing.virtual import VirtualRun
from bloor_kraken.level3.book import BookByOrder
from bloor_kraken.normalizer import KrakenNormalizer
from bloor_kraken.simulated.order_windows import SIDES

CONN, SYMBOL = 5, "BTC/USD"


@pytest.fixture
def listener(client):
    """A client with a token and a connection of the endpoint."""
    client.token = client.result("GetWebSocketsToken")["token"]
    assert client.open(CONN, "/l3/v2")
    return client


def subscribe(client, **params):
    """Subscribes with the token; what came back at once."""
    return client.subscribe(CONN, "level3", **({"token": client.token} | params))


def orders_of(client, side, depth):
    """The orders of the best levels, straight from the matching engine: ``(price, [remaining units])``."""
    levels = client.venue.exchange.markets[SYMBOL].book.side(side).best_first()
    return [(level.price, [o.remaining for o in level.queue]) for level, _ in zip(levels, range(depth), strict=False)]


def test_a_token_opens_it(listener):
    """Without one, or with one that nobody has, it is refused in the venue's words; the socket stays open."""
    assert listener.frames[CONN][0]["channel"] == "status"
    for token, words in ((None, "Token(s) not found"), ("made up", "ESession:Invalid session")):
        (refused,) = subscribe(listener, token=token)
        assert (refused["success"], refused["error"]) == (False, words)
    answer, snapshot = subscribe(listener)
    assert answer["success"] is True
    assert answer["result"] == {"channel": "level3", "depth": "10", "snapshot": True, "symbol": SYMBOL}
    assert (snapshot["channel"], snapshot["type"]) == ("level3", "snapshot")
    listener.run(2)
    assert {"channel": "heartbeat"} in listener.frames[CONN]


def test_a_key_that_may_not_open_connections_is_refused(listener):
    """The right to use WebSockets is one of the key's."""
    from bloor_kraken.simulated.keys import Permission

    listener.venue.keys.trading.permissions &= ~Permission.WEBSOCKETS
    (refused,) = subscribe(listener)
    assert refused["error"] == "EGeneral:Permission denied"


@pytest.mark.parametrize(("params", "words"), [
    ({"depth": 25}, "Subscription depth not supported"),
    ({"symbol": ["XBT/USD"]}, "Currency pair not supported XBT/USD"),
    ({"symbol": []}, "Malformed request"),
    ({"snapshot": "yes"}, "Malformed request"),
])  # fmt: skip
def test_what_is_not_offered_is_refused(listener, params, words):
    """Depths and symbols as the documents have them."""
    (refused,) = subscribe(listener, **params)
    assert refused["error"] == words


def test_what_may_be_spent_in_a_second_is_bounded(listener):
    """Two books of 1000 levels are a second's budget, and a book is subscribed to once."""
    assert subscribe(listener, depth=1000)[0]["success"] is True
    assert subscribe(listener)[0]["error"] == "Already subscribed"
    listener.token = listener.result("GetWebSocketsToken")["token"]
    assert listener.open(CONN + 1, "/l3/v2")
    spent = [
        listener.subscribe(CONN + 1, "level3", token=listener.token, depth=1000)[0]["success"]
        if n % 2 == 0
        else listener.say(CONN + 1, {"method": "unsubscribe", "params": {
            "channel": "level3", "symbol": [SYMBOL], "depth": 1000, "token": listener.token}})[0]["success"]
        for n in range(5)
    ]  # fmt: skip
    assert spent == [True, True, True, True, False]


def test_other_endpoints_have_no_orders(listener):
    """The public one refuses the channel, this one has no other and takes no orders."""
    listener.open(CONN + 1)
    (refused,) = listener.subscribe(CONN + 1, "level3", token=listener.token)
    assert refused["error"] == "Private data and trading are unavailable on this endpoint"
    (refused,) = listener.subscribe(CONN, "trade", token=listener.token)
    assert refused["error"] == "Subscription name invalid"
    (refused,) = listener.say(CONN, {"method": "add_order", "params": {"token": listener.token}})
    assert refused["success"] is False


@pytest.mark.parametrize("depth", [10, 100])
def test_its_frames_are_the_matching_engines_orders(listener, depth):
    """Rebuilt by the normalizer, every queue is what the engine has, and every checksum agrees."""
    subscribe(listener, depth=depth)
    normalizer = KrakenNormalizer()
    done = checked = 0
    for _ in range(60):
        listener.run(0.2)
        for payload in listener.raw[CONN][done:]:
            for message in normalizer.decode(payload):
                if hasattr(message, "checksum"):
                    assert normalizer.checksum(message, None) == message.checksum
                    checked += 1
        done = len(listener.raw[CONN])
        book = normalizer._by_order[SYMBOL]
        assert isinstance(book, BookByOrder)
        unit = listener.venue.exchange.markets[SYMBOL].instrument
        for side in SIDES:
            found = [(unit.parse_price(p), [unit.parse_qty(f"{q:f}") for q in qs]) for p, qs in book.queues.best(side)]
            assert found == orders_of(listener, side, depth)
    assert checked > 300


def test_our_orders_are_among_them(listener):
    """An account's order has the id that its owner knows, and leaves when it is cancelled."""
    subscribe(listener, depth=1000)
    listener.log_on()
    answer, _ = listener.place(limit_price=listener.price(listener.best()[0]))
    order_id = answer["result"]["order_id"]
    listener.run(0.001)
    listener.call("cancel_order", order_id=[order_id])
    told = [
        (row["event"], row["order_qty"]) for update in listener.told("level3", CONN)[1:]
        for row in update["bids"] if row["order_id"] == order_id
    ]  # fmt: skip
    assert told[0][0] == "add"
    assert told[-1][0] == "delete"


def test_a_market_of_levels_has_no_orders(make_client, tmp_path):
    """What a recording of levels moves cannot be told by orders."""
    source = make_client()
    source.open(1)
    source.subscribe(1, "book")
    source.subscribe(1, "trade")
    source.run(3)
    lines = [f"{source.now} {frame.decode()}" for frame in source.raw[1]]
    recording = tmp_path / "levels.txt"
    recording.write_text("\n".join(lines))
    client = make_client(recordings=(recording,))
    client.token = client.result("GetWebSocketsToken")["token"]
    client.open(CONN, "/l3/v2")
    (refused,) = subscribe(client)
    assert refused["error"] == "EService:Unavailable"


# ---- a run --------------------------------------------------------------------------------------------------------


def run_by_order(seconds=5.0, **options):
    """A run on books by order."""
    run = VirtualRun(["micro-price"], venue="kraken", sets=["venue.kraken.book=orders"], **({"seed": 3} | options))
    run.for_seconds(seconds)
    return run


def kinds_of(run, conn, kind):
    """Payloads of one kind that the journal has of a connection."""
    return [payload for of, where, _, payload in run.journal.records if (of, where) == (kind, conn)]


def test_a_run_takes_its_books_by_order():
    """Books come over their own connection, trades over the other; what is decided on is the same book."""
    run = run_by_order()
    (line,) = run.engine.lines
    counters = line.pipeline.counters
    assert counters.checksums_ok > 100
    assert (counters.checksums_bad, counters.errors, counters.gaps) == (0, 0, 0)
    assert counters.trades > 20
    assert run.engine.tally()["sent"] > 0
    public, own = (kinds_of(run, conn, RecordKind.FRAME_IN) for conn in (feed_conn(0), level3_conn(0)))
    assert not any(b'"level3"' in frame for frame in public)
    assert not any(b'"channel":"trade"' in frame for frame in own)


def test_no_token_is_recorded():
    """The journal has the request and the subscription without what opens the connection."""
    run = run_by_order(1.0)
    tokens = list(run.world.venue._level3._tokens._tokens)
    assert tokens
    assert not any(token.encode() in payload for token in tokens for _, _, _, payload in run.journal.records)


def test_a_lost_frame_is_noticed_and_the_book_is_had_again():
    """The checksum disagrees, the book alone is subscribed to again, and goes on."""
    run = run_by_order(20.0, faults="gap:0.01")
    (line,) = run.engine.lines
    counters = line.pipeline.counters
    assert counters.checksums_bad > 0
    assert counters.resyncs == counters.checksums_bad
    snapshots = [f for f in kinds_of(run, level3_conn(0), RecordKind.FRAME_IN) if b'"type":"snapshot"' in f]
    assert len(snapshots) > 1
    assert counters.checksums_ok > 100


@pytest.mark.parametrize(("which", "believed"), [(feed_conn, BookState.SYNCED), (level3_conn, BookState.UNSYNCED)])
def test_books_are_lost_with_their_connection_and_no_other(which, believed):
    """Without trades there still is a book; both connections come back by themselves."""
    run = run_by_order(3.0)
    (line,) = run.engine.lines
    (book,) = line.pipeline.books
    assert book.view.state == BookState.SYNCED
    run.world.cut(which(0))
    run.for_seconds(0.001)
    assert book.view.state == believed
    trades = line.pipeline.counters.trades
    run.for_seconds(5)
    assert book.view.state == BookState.SYNCED
    assert line.pipeline.counters.trades > trades
    assert book.depth(Side.BUY, 1)
