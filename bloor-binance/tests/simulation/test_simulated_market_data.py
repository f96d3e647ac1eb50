"""Candlesticks, tickers and lists of trades of the simulated exchange: all of them are the trades."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.model.orders import Side
from bloor.simulation.exchange import PublicTrade
from bloor.simulation.tape import Tape
from bloor_binance.simulated.intervals import INTERVALS, window_ns

SECOND = 1_000_000_000


def kept(client, stream):
    """What a raw connection to one stream receives from now on."""
    conn = len(client.frames) + 100
    client.frames[conn] = []
    assert client.open(conn, f"/ws/{stream}")
    return client.frames[conn]


def test_candles_are_the_trades(client):
    """Each second's candle has exactly the trades of its second, and the minute the sum of its seconds."""
    trades = kept(client, "btcusdt@trade")
    start = client.now
    client.run(30)
    _, rows = client.get("/api/v3/klines", symbol="BTCUSDT", interval="1s", limit=1000)
    whole = [row for row in rows if row[0] * 1_000_000 >= start and row[6] * 1_000_000 < client.now]
    assert len(whole) >= 29
    for row in whole:
        mine = [t for t in trades if row[0] <= t["T"] <= row[6]]
        assert row[8] == len(mine)
        assert Decimal(row[5]) == sum(Decimal(t["q"]) for t in mine)
        assert Decimal(row[7]) == sum(Decimal(t["p"]) * Decimal(t["q"]) for t in mine)
        assert Decimal(row[9]) == sum(Decimal(t["q"]) for t in mine if not t["m"])
        if mine:
            prices = [Decimal(t["p"]) for t in mine]
            assert [Decimal(p) for p in row[1:5]] == [prices[0], max(prices), min(prices), prices[-1]]
    _, minutes = client.get("/api/v3/klines", symbol="BTCUSDT", interval="1m")
    assert sum(row[8] for row in minutes) == sum(row[8] for row in rows)
    _, chosen = client.get("/api/v3/uiKlines", symbol="BTCUSDT", interval="1s", startTime=whole[3][0], limit=2)
    assert chosen == whole[3:5]
    for params, code in (({"interval": "7m"}, -1120), ({"interval": "1m", "timeZone": "8"}, -1130)):
        assert client.get("/api/v3/klines", symbol="BTCUSDT", **params)[1]["code"] == code


def test_lists_of_trades_agree(client):
    """Aggregates cover every trade once; pages by id continue each other; streams and answers are the same."""
    aggregates = kept(client, "btcusdt@aggTrade")
    client.run(10)
    _, listed = client.get("/api/v3/aggTrades", symbol="BTCUSDT", limit=1000)
    ids = [number for entry in listed for number in range(entry["f"], entry["l"] + 1)]
    _, trades = client.get("/api/v3/historicalTrades", symbol="BTCUSDT", fromId=1, limit=1000)
    assert ids == [trade["id"] for trade in trades] == list(range(1, len(ids) + 1))
    assert sum(Decimal(a["q"]) for a in listed) == sum(Decimal(t["qty"]) for t in trades)
    assert [(a["a"], a["p"], a["q"], a["f"], a["l"], a["T"], a["m"]) for a in listed[-len(aggregates) :]] == [
        (a["a"], a["p"], a["q"], a["f"], a["l"], a["T"], a["m"]) for a in aggregates
    ]
    _, page = client.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=5, limit=3)
    assert [entry["a"] for entry in page] == [5, 6, 7]
    middle = listed[len(listed) // 2]["T"]
    _, later = client.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=middle, limit=1000)
    assert later == [entry for entry in listed if entry["T"] >= middle]
    _, both = client.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=5, startTime=middle)
    assert both["code"] == -1128


def test_tickers_are_the_trades(client):
    """The day's, a window's and the average price, by REST, by the WebSocket API and by streams."""
    streams = {name: kept(client, f"btcusdt@{name}") for name in ("ticker", "miniTicker", "ticker_1h", "avgPrice")}
    everybody = kept(client, "!miniTicker@arr")
    client.run(5)
    _, trades = client.get("/api/v3/trades", symbol="BTCUSDT", limit=1000)
    volume, value = (sum(Decimal(trade[name]) for trade in trades) for name in ("qty", "quoteQty"))
    client.open(9, "/ws-api/v3")
    for ticker in (
        client.get("/api/v3/ticker/24hr", symbol="BTCUSDT")[1],
        client.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="2m")[1],
        client.get("/api/v3/ticker/tradingDay", symbol="BTCUSDT")[1],
        client.call(9, "ticker.24hr", symbol="BTCUSDT")[0]["result"],
        client.call(9, "ticker", symbol="BTCUSDT", windowSize="1d")[0]["result"],
    ):
        assert (Decimal(ticker["volume"]), Decimal(ticker["quoteVolume"])) == (volume, value)
        assert (ticker["firstId"], ticker["lastId"], ticker["count"]) == (1, len(trades), len(trades))
        assert ticker["openPrice"] == trades[0]["price"] and ticker["lastPrice"] == trades[-1]["price"]
        change = Decimal(ticker["lastPrice"]) - Decimal(ticker["openPrice"])
        assert Decimal(ticker["priceChange"]) == change
        assert abs(Decimal(ticker["weightedAvgPrice"]) - value / volume) <= Decimal("0.01")
    assert {t["symbol"] for t in client.get("/api/v3/ticker/24hr", type="MINI")[1]} == {"BTCUSDT", "ETHUSDT"}
    assert client.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="60m")[1]["code"] == -1130
    _, average = client.get("/api/v3/avgPrice", symbol="BTCUSDT")
    assert average["mins"] == 5 and abs(Decimal(average["price"]) - value / volume) <= Decimal("0.01")
    for name, frames in streams.items():
        assert len(frames) == 5 and all(frame["s"] == "BTCUSDT" for frame in frames), name
    assert {frame["e"] for frames in streams.values() for frame in frames} == {
        "24hrTicker", "24hrMiniTicker", "1hTicker", "avgPrice",
    }  # fmt: skip
    assert [entry["s"] for entry in everybody[-1]] == ["BTCUSDT", "ETHUSDT"]


def test_candle_streams_close_every_candle_once(client):
    """Closed candles follow each other without a hole and equal the list; the open one is sent at its pace."""
    frames = kept(client, "btcusdt@kline_1s")
    client.run(20)
    closed = [frame["k"] for frame in frames if frame["k"]["x"]]
    starts = [candle["t"] for candle in closed]
    assert len(starts) >= 18 and starts == list(range(starts[0], starts[0] + 1000 * len(starts), 1000))
    _, rows = client.get("/api/v3/klines", symbol="BTCUSDT", interval="1s", limit=1000)
    by_start = {row[0]: row for row in rows}
    for candle in closed:
        row = by_start[candle["t"]]
        assert [candle[key] for key in "ohlcv"] == row[1:6] and (candle["T"], candle["n"]) == (row[6], row[8])


def test_a_recorded_market_has_them_too(make_client, tmp_path):
    """Candles and tickers of a recording are of the recorded times."""
    lines = ['{"lastUpdateId":1,"bids":[["99.00","5"]],"asks":[["101.00","5"]]}']
    lines += [
        f'{{"stream":"abcusdt@trade","data":{{"e":"trade","E":{1_600_000_000_000 + n * 500},"s":"ABCUSDT","t":{n},'
        f'"p":"{100 + n % 2}.00","q":"1.5","T":{1_600_000_000_000 + n * 500},"m":false,"M":true}}}}'
        for n in range(1, 9)
    ]
    lines.insert(
        1,
        '{"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1600000000001,"s":"ABCUSDT","U":2,"u":2,'
        '"b":[["99.00","6"]],"a":[]}}',
    )
    path = tmp_path / "recording.txt"
    path.write_text("".join(f"{1_600_000_000_000 + n} {line}\n" for n, line in enumerate(lines)))
    client = make_client(recordings=[path])
    client.open(1, "/ws/abcusdt@trade")
    client.run(2)
    _, rows = client.get("/api/v3/klines", symbol="ABCUSDT", interval="1s")
    assert sum(row[8] for row in rows) == 8 and rows[0][0] == 1_600_000_000_000
    _, ticker = client.get("/api/v3/ticker/24hr", symbol="ABCUSDT")
    assert (ticker["volume"], ticker["highPrice"]) == ("12.00000000", "101.00000000")


@given(st.sampled_from(list(INTERVALS)), st.integers(0, 4 * 10**18))
def test_intervals_tile_time(interval, ns):
    """Every moment is in exactly one interval, and the next begins where it ends."""
    bounds = INTERVALS[interval].bounds
    start, end = bounds(ns)
    assert start <= ns < end
    assert bounds(start) == bounds(end - 1) == (start, end)
    assert bounds(end)[0] == end


@pytest.mark.parametrize(("text", "seconds"), [("1m", 60), ("59m", 3540), ("23h", 82_800), ("7d", 604_800)])
def test_windows(text, seconds):
    """As documented, and nothing else."""
    assert window_ns(text) == seconds * SECOND
    assert not [bad for bad in ("", "m", "0m", "60m", "24h", "8d", "1s", "1.5h", "-1h", "²m") if window_ns(bad)]


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=40))
def test_a_tape_loses_nothing(steps):
    """Candles of every interval hold each trade once, without holes."""
    tape, ns = Tape(INTERVALS), 1_700_000_000 * SECOND
    for number, (wait_s, price, units) in enumerate(steps, 1):
        ns += wait_s * SECOND
        tape.add(PublicTrade(number, price, units, Side.BUY, ns, number))
    for interval in ("1m", "1h", "1w", "1M"):
        candles = tape.candles(interval, ns)
        assert all(a.end_ns == b.start_ns for a, b in pairwise(candles))
        if len(candles) < 1_500:
            assert sum(candle.count for candle in candles) == len(steps)
            assert sum(candle.units for candle in candles) == sum(units for _, _, units in steps)
