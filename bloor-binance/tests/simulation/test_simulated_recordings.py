"""The simulated exchange driven by recordings: verbatim frames, a book that splices, orders that meet liquidity."""

from __future__ import annotations

import gzip
from decimal import Decimal

import orjson
import pytest

from bloor.errors import InputFileError
from bloor.market.recording import read_recording
from bloor.model.orders import Side
from bloor.simulation.recorded import RecordedMarket
from bloor.simulation.venue import SimulationOptions
from bloor_binance.normalizer import BinanceSpotNormalizer

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
SNAPSHOT = (
    '{"lastUpdateId":10,"bids":[["100.00000000","2.00000000"],["99.90000000","5.00000000"]],'
    '"asks":[["100.10000000","3.00000000"],["100.20000000","4.12345678"]]}'
)


def diff(first, last, bids, asks, ms=0):
    return (
        f'{{"stream":"abcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{ms},"s":"ABCUSDT","U":{first},"u":{last},'
        f'"b":{orjson.dumps(bids).decode()},"a":{orjson.dumps(asks).decode()}}}}}'
    )


def trade(number, price, qty, buyer_is_maker, ms=10**12):
    maker = "true" if buyer_is_maker else "false"
    return (
        f'{{"stream":"abcusdt@trade","data":{{"e":"trade","E":{ms},"s":"ABCUSDT","t":{number},"p":"{price}","q":"{qty}",'
        f'"T":{ms},"m":{maker},"M":true}}}}'
    )


#: Changes before, around and after the snapshot; receive times 10 ms apart.
LINES = [
    diff(5, 8, [["99.50000000", "1.00000000"]], []),
    diff(9, 11, [["100.00000000", "2.50000000"]], [["100.10000000", "0.00000000"]]),
    SNAPSHOT,
    diff(12, 12, [], [["100.20000000", "6.00000000"]]),
    trade(1, "100.00000000", "1.50000000", True),
    diff(13, 14, [["100.00000000", "1.00000000"]], []),
    trade(2, "99.90000000", "0.40000000", True),
    diff(15, 15, [["100.00000000", "0.00000000"]], [["99.95000000", "0.30000000"]]),
]
STREAMS = "streams=abcusdt@depth@100ms/abcusdt@trade"


@pytest.fixture
def recording(tmp_path):
    """Writes lines as a recording, 10 ms apart, and gives its path."""

    def write(lines, name="abc.txt.gz"):
        path = tmp_path / name
        text = "".join(f"{T0 + n * 10 * MS} {line}\n" for n, line in enumerate(lines))
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return path

    return write


@pytest.fixture
def play(make_client, recording):
    """An exchange that plays these lines."""

    def make(lines=LINES, speed=1.0):
        return make_client(recordings=[recording(lines)], speed=speed)

    return make


def test_playing_begins_where_the_book_is_known_and_frames_go_out_verbatim(play):
    """Nothing of before the snapshot is sent; REST continues what the stream says next."""
    client = play()
    _, depth = client.get("/api/v3/depth", symbol="ABCUSDT")
    assert depth == {
        "lastUpdateId": 11,
        "bids": [["100.00000000", "2.50000000"], ["99.90000000", "5.00000000"]],
        "asks": [["100.20000000", "4.12345678"]],
    }
    client.open(1, "/stream", STREAMS)
    client.open(2, "/ws/abcusdt@trade")
    client.run(1)
    assert client.raw[1] == [line.encode() for line in LINES[3:]]
    assert client.raw[2] == [orjson.dumps(orjson.loads(LINES[4])["data"]), orjson.dumps(orjson.loads(LINES[6])["data"])]
    assert client.venue.finished
    _, depth = client.get("/api/v3/depth", symbol="ABCUSDT")
    assert (depth["lastUpdateId"], depth["bids"]) == (15, [["99.90000000", "5.00000000"]])
    _, trades = client.get("/api/v3/trades", symbol="ABCUSDT")
    assert [t["id"] for t in trades] == [1, 2]


def test_time_runs_from_the_first_client_that_looks_at_the_recorded_pace(play):
    """Half the speed takes twice as long, and nothing happens before somebody listens."""
    client = play(speed=0.5)
    client.run(100)
    client.open(1, "/stream", STREAMS)
    client.run(0.059)  # the first frame at once, then one each 20 ms
    assert len(client.raw[1]) == 3
    client.run(0.001)
    assert len(client.raw[1]) == 4


def test_flat_out_runs_only_while_somebody_listens(play):
    """Without a listener nothing is lost."""
    client = play(speed=0)
    client.get("/api/v3/depth", symbol="ABCUSDT")
    client.run(10)
    assert not client.venue.finished
    client.open(1, "/stream", STREAMS)
    client.run(0.1)
    assert len(client.raw[1]) == 5 and client.venue.finished


def test_orders_meet_recorded_liquidity_in_queue_order(play):
    """We wait behind what was there; trades bring us to the front, and through our price fill us."""
    client = play()
    client.log_on()
    answer, _ = client.place(symbol="ABCUSDT", price="100.0", quantity="0.4", newClientOrderId="queued")
    assert answer["result"]["status"] == "NEW"
    answer, _ = client.place(symbol="ABCUSDT", price="100.2", quantity="5", timeInForce="IOC")
    # the level shows 4.12345678; dust finer than a lot cannot be traded
    assert answer["result"]["executedQty"] == "4.10000000" and answer["result"]["status"] == "EXPIRED"
    client.open(1, "/stream", STREAMS)
    client.run(1)
    fills = [f["event"] for f in client.frames[9] if f.get("event", {}).get("x") == "TRADE"]
    mine = [f for f in fills if f["c"] == "queued"]
    assert [(f["L"], f["l"], f["m"], f["X"]) for f in mine] == [("100.00000000", "0.40000000", True, "FILLED")]
    assert client.raw[1] == [line.encode() for line in LINES[3:]]


def test_a_crossing_recorded_level_fills_us(play):
    """An ask at 99.95 would have sold to our bid at 100."""
    client = play()
    client.log_on()
    client.place(symbol="ABCUSDT", price="100.1", quantity="1.0", newClientOrderId="better")
    client.open(1, "/stream", STREAMS)
    client.run(1)
    fills = [f["event"] for f in client.frames[9] if f.get("event", {}).get("x") == "TRADE"]
    # 1.5 traded at 100.00 through our 100.10 first
    assert [(f["L"], f["l"]) for f in fills] == [("100.10000000", "1.00000000")]
    market = client.venue.exchange.markets["ABCUSDT"]
    assert market.book.bids.best.price < market.book.asks.best.price


def test_filters_come_from_the_text(play):
    """Tick and lot are as fine as the recorded prices and trades."""
    client = play([*LINES, trade(3, "99.95000000", "0.12300000", False)])
    _, info = client.get("/api/v3/exchangeInfo")
    [symbol] = info["symbols"]
    filters = {f["filterType"]: f for f in symbol["filters"]}
    assert (symbol["symbol"], symbol["baseAsset"], symbol["quoteAsset"]) == ("ABCUSDT", "ABC", "USDT")
    assert Decimal(filters["PRICE_FILTER"]["tickSize"]) == Decimal("0.01")
    assert Decimal(filters["LOT_SIZE"]["stepSize"]) == Decimal("0.001")


def test_recordings_that_cannot_be_played(make_client, recording, tmp_path):
    """The reason names the file, the line, what was expected and what came."""
    with pytest.raises(InputFileError, match=r"expected a snapshot of a book .* ABCUSDT"):
        make_client(recordings=[recording([*LINES[:2], *LINES[3:]])])
    with pytest.raises(InputFileError, match=r"abc.txt:2: expected a frame of binance: .*expected JSON"):
        make_client(recordings=[recording([SNAPSHOT, "{nope", LINES[3]], "abc.txt")])
    with pytest.raises(InputFileError, match="cannot be read"):
        make_client(recordings=[tmp_path / "missing.txt"])
    (tmp_path / "binary").write_bytes(b"\0\1\2" * 100)
    with pytest.raises(InputFileError, match="binary file"):
        make_client(recordings=[tmp_path / "binary"])
    with pytest.raises(InputFileError, match="expected a book with a snapshot of BTC-USDT, got none"):
        make_client(recordings=[recording(LINES)], symbols=["BTC-USDT"])


# -- real recordings --------------------------------------------------------------------------------------------------


def follow(snapshot, frames):
    """A client's book by the published procedure."""
    book, last = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}, snapshot["lastUpdateId"]
    for frame in frames:
        event = frame["data"]
        if event.get("e") != "depthUpdate" or event["u"] <= last:
            continue
        assert event["U"] <= last + 1
        for side in "ba":
            for price, qty in event[side]:
                if float(qty):
                    book[side][price] = qty
                else:
                    book[side].pop(price, None)
        last = event["u"]
    return book, last


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("symbol", "files"),
    [
        ("BTCUSDT", ["btcusdt_20240808.txt.gz"]),
        ("BTCUSDT", ["btcusdt_20240808.txt.gz", "btcusdt_20240809.txt.gz"]),
        ("NEXOUSDT", ["nexousdt_20240723.txt.gz"]),
    ],
)
def test_a_client_that_follows_a_real_recording_ends_with_its_book(recordings, make_client, symbol, files):
    """Snapshot and diffs, flat out, every frame verbatim; and nobody is crossed."""
    paths = [recordings / "binance_spot" / file for file in files]
    client = make_client(recordings=paths, speed=0)
    name = symbol.lower()
    client.open(1, "/stream", f"streams={name}@trade/{name}@bookTicker/{name}@depth@100ms")
    client.run(0.0001)
    _, snapshot = client.get("/api/v3/depth", symbol=symbol, limit=5000)
    book = client.venue.exchange.markets[symbol].book
    while not client.venue.finished:
        client.run(0.001)
        assert book.bids.best.price < book.asks.best.price
    _, end = client.get("/api/v3/depth", symbol=symbol, limit=5000)
    kept, last = follow(snapshot, client.frames[1])
    assert last == end["lastUpdateId"]
    assert sorted(end["bids"]) == sorted(map(list, kept["b"].items()))
    assert sorted(end["asks"]) == sorted(map(list, kept["a"].items()))
    recorded = [line.payload for line in read_recording(paths) if b"lastUpdateId" not in line.payload[:20]]
    assert client.raw[1] == recorded[len(recorded) - len(client.raw[1]) :]


@pytest.mark.recorded
def test_without_orders_of_ours_the_matching_book_is_the_published_one(recordings):
    """In whole lots, level by level, after every change that best prices have not overtaken."""
    options = SimulationOptions(recordings=[recordings / "binance_spot" / "btcusdt_20240808.txt.gz"], speed=0)
    market = RecordedMarket(options, BinanceSpotNormalizer(), qty_decimals=8)
    market.start()
    market.begin(0)
    recorded = market.books["BTCUSDT"]
    book, lot = recorded.market.book, recorded.market.instrument.lot_units
    compared = 0
    newest = 0  # the update id that a best-bid-offer message has reached
    while not market.finished:
        for played in market.play(0):
            data = orjson.loads(played.line.payload)["data"]
            newest = max(newest, data["u"] if "B" in data else 0)
            if "U" not in data or data["u"] < newest:
                continue
            compared += 1
            for side in Side:
                published = [(price, units - units % lot) for price, units in recorded.depth(side, 10_000)]
                assert book.depth(side, 10_000) == [level for level in published if level[1]]
    assert compared > 1000


@pytest.mark.recorded
def test_several_instruments_of_one_recording(recordings, make_client):
    """Snapshots that name their symbol in the URL, four books from two files."""
    folder = recordings / "cryptofeed" / "binance"
    client = make_client(recordings=[folder / "BINANCE.http.0.0.gz", folder / "BINANCE.ws.1.0.gz"], speed=0)
    _, info = client.get("/api/v3/exchangeInfo")
    symbols = [s["symbol"] for s in info["symbols"]]
    assert set(symbols) == {"NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"}
    client.open(1, "/stream", "streams=" + "/".join(f"{s.lower()}@depth@100ms" for s in symbols))
    client.run(1)
    assert client.venue.finished
    assert {f["stream"].split("@")[0].upper() for f in client.frames[1]} == set(symbols)
