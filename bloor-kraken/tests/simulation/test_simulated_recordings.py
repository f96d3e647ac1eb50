"""A recording drives the simulated exchange: its books and trades are published anew as WebSocket v2."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bloor.errors import InputFileError, UsageError

FRAMES = [
    '{"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":"ADA/USD"},"success":true}',
    (
        '{"channel":"book","type":"snapshot","data":[{"symbol":"ADA/USD","bids":[{"price":0.5000,"qty":10.00000000},'
        '{"price":0.4998,"qty":20.00000000}],"asks":[{"price":0.5001,"qty":7.50000000},{"price":0.5003,"qty":5.0}],'
        '"checksum":0}]}'
    ),
    *(
        f'{{"channel":"trade","type":"update","data":[{{"symbol":"ADA/USD","side":"sell","price":0.5000,"qty":1.5,'
        f'"ord_type":"market","trade_id":{n},"timestamp":"2026-08-24T22:22:0{n}.000000Z"}}]}}'
        for n in range(1, 4)
    ),
    (
        '{"channel":"book","type":"update","data":[{"symbol":"ADA/USD","bids":[{"price":0.5000,"qty":0.00000000}],'
        '"asks":[],"checksum":0,"timestamp":"2026-08-24T22:22:09.000000Z"}]}'
    ),
]


@pytest.fixture
def recording(tmp_path):
    """Frames a second apart."""
    path = tmp_path / "recording.txt"
    path.write_text("".join(f"{1_787_610_120 + n}.0 {frame}\n" for n, frame in enumerate(FRAMES)))
    return path


def test_books_and_trades_are_published_anew(make_client, recording):
    """With the recorded levels, ids and times, checksums of their own, at the recorded pace."""
    client = make_client(recordings=[recording])
    client.open(1)
    _, snapshot = client.subscribe(1, "book", symbol=["ADA/USD"])
    client.subscribe(1, "trade", symbol=["ADA/USD"])
    assert snapshot["data"][0]["bids"][0] == {"price": "0.5000", "qty": "10.00000000"}
    client.run(10)
    assert client.venue.finished
    trades = [f["data"][0] for f in client.frames[1] if f.get("channel") == "trade"]
    assert [(row["trade_id"], row["side"], row["timestamp"]) for row in trades] == [
        (str(n), "sell", f"2026-08-24T22:22:0{n}.000000Z") for n in (1, 2, 3)
    ]
    (update,) = (f for f in client.frames[1] if f.get("channel") == "book" and f["type"] == "update")
    assert update["data"][0]["bids"] == [{"price": "0.5000", "qty": "0.00000000"}]
    assert update["data"][0]["timestamp"] == "2026-08-24T22:22:09.000000Z"
    assert [row[6] for row in client.get("Trades", pair="ADAUSD")["result"]["ADAUSD"]] == ["1", "2", "3"]


def test_orders_meet_recorded_liquidity(make_client, recording):
    """A market order takes the recorded best price, and the public book stays as it was recorded."""
    client = make_client(recordings=[recording])
    client.log_on()
    client.open(1)
    client.subscribe(1, "book", symbol=["ADA/USD"])
    _, rows = client.place(symbol="ADA/USD", order_type="market", order_qty=10)
    trades = [(row["last_price"], row["last_qty"]) for row in rows if row["exec_type"] == "trade"]
    assert trades == [("0.5001", "7.50000000"), ("0.5003", "2.50000000")]
    assert len([f for f in client.frames[1] if f.get("channel") == "book"]) == 1


def test_what_cannot_be_played_is_refused(make_client, tmp_path, recording):
    """A file without a book, a symbol that is not recorded, a fee asset."""
    path = tmp_path / "empty.txt"
    path.write_text(FRAMES[0] + "\n")
    with pytest.raises(InputFileError, match="expected a snapshot"):
        make_client(recordings=[path])
    with pytest.raises(InputFileError, match="BTC-USD"):
        make_client(recordings=[recording], symbols=["BTC-USD"])
    with pytest.raises(UsageError, match="quote asset"):
        make_client(fee_asset="KFEE")
    with pytest.raises(UsageError, match="--symbol NO-PE"):
        make_client(symbols=["NO-PE"])


def play(make_client, path):
    """Everything of a recording's only book that a subscriber hears."""
    client = make_client(recordings=[path], speed=0.0)
    client.open(1)
    client.subscribe(1, "book")
    while not client.venue.finished:
        client.now = max(client.now, client.venue.deadline_ns)
        client.venue.advance(client.now)
    return [frame for frame in client.frames[1] if frame.get("channel") == "book"]


@pytest.mark.recorded
def test_checksums_of_a_recording_are_published_again(make_client, recordings):
    """Frames of version 2 come out with the checksums that Kraken sent them with."""
    path = recordings / "kraken_v2" / "kraken_book.jsonl"
    frames = [json.loads(line) for line in path.read_text().splitlines()]
    wanted = [str(frame["data"][0]["checksum"]) for frame in frames if frame.get("channel") == "book"]
    assert [frame["data"][0]["checksum"] for frame in play(make_client, path)] == wanted


@pytest.mark.recorded
def test_a_recording_of_version_1_is_published_as_version_2(make_client, recordings):
    """With its best prices after every message, in order; prices have fewer zeros there, so checksums are others."""
    path = recordings / "kraken_v1" / "orderbook-v1.jsonl"
    sides, tops = {"b": {}, "a": {}}, []
    for line in path.read_text().splitlines():
        frame = json.loads(line)
        if not isinstance(frame, list):
            continue
        for part in frame[1:-2]:
            for key, levels in part.items():
                if key == "c":
                    continue
                side = sides[key[0]]
                if key.endswith("s"):
                    side.clear()
                for price, qty, *_ in levels:
                    side[Decimal(price)] = Decimal(qty)
                    if not Decimal(qty):
                        del side[Decimal(price)]
        for side, best in ((sides["b"], max), (sides["a"], min)):
            while len(side) > 10:
                del side[(min if best is max else max)(side)]
        if sides["b"] and sides["a"]:
            tops.append((max(sides["b"]), min(sides["a"])))
    book, told = {"bids": {}, "asks": {}}, []
    for frame in play(make_client, path):
        for name, levels in book.items():
            for level in frame["data"][0][name]:
                levels[Decimal(level["price"])] = Decimal(level["qty"])
            for price in [price for price, qty in levels.items() if not qty]:
                del levels[price]
            for price in sorted(levels, reverse=name == "bids")[10:]:
                del levels[price]
        told.append((max(book["bids"]), min(book["asks"])))
    remaining = iter(tops)
    assert len(told) > 800 and all(top in remaining for top in told)
