"""Recordings of Binance spot to normalized lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from bloor.errors import InputFileError, UsageError
from bloor.market.normalize import Summary, normalize, verify
from bloor.model.instrument import inferred_instrument
from bloor_binance.instruments import normalizer_spec

SPEC = normalizer_spec()
T0 = 1_700_000_000_000


def depth(first: int, last: int, bids: Any = (), asks: Any = (), symbol: str = "BTCUSDT") -> dict[str, Any]:
    event = {"e": "depthUpdate", "E": T0 + first, "s": symbol, "U": first, "u": last, "b": bids, "a": asks}
    return {"stream": f"{symbol.lower()}@depth@100ms", "data": event}


def snapshot(last: int, bids: Any = (("10.00", "1.0"),), asks: Any = (("11.00", "2.0"),)) -> dict[str, Any]:
    return {"lastUpdateId": last, "bids": bids, "asks": asks}


def ticker(update: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
    return {"u": update, "s": symbol, "b": "10.00", "B": "1.0", "a": "11.00", "A": "2.0"}


def trade(number: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
    return {"e": "trade", "E": T0, "s": symbol, "t": number, "p": "10.50", "q": "0.1", "T": T0, "m": True, "M": True}


def record(folder: Path, lines: Iterable[Any], name: str = "r", first_ms: int = T0) -> Path:
    path = folder / name
    texts = [line if isinstance(line, str) else f"{first_ms + n} {json.dumps(line)}" for n, line in enumerate(lines)]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def run(*paths: Path, **options: Any) -> tuple[list[dict[str, Any]], Summary]:
    lines: list[dict[str, Any]] = []
    summary = normalize(SPEC, paths, write=lines.append, **options)
    assert lines[-1] == summary.line()
    assert list(lines[-1]) == [
        "kind", "messages", "book_messages", "trades", "bbos", "other", "gaps", "checksums_ok", "checksums_bad",
        "errors",
    ]  # fmt: skip
    return lines[:-1], summary


def of(kind: str, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


def test_lines_are_as_documented(tmp_path: Path) -> None:
    """Every kind of line has its documented fields, numbers as exact decimal text."""
    agg = {
        "e": "aggTrade", "E": T0, "s": "BTCUSDT", "a": 9, "p": "10.5", "q": "1", "f": 1, "l": 2, "T": T0 + 1,
        "m": False, "M": True,
    }  # fmt: skip
    lines, summary = run(
        record(tmp_path, [snapshot(4), depth(5, 6, [["10.50", "0.25"]]), trade(7), ticker(8), agg, {"result": None}])
    )
    market = {"venue": "binance", "symbol": "BTC-USDT"}
    assert lines == [
        {
            "kind": "top", **market, "seq": 6, "exch_ns": (T0 + 5) * 10**6, "recv_ns": (T0 + 1) * 10**6,
            "bid": ["10.5", "0.25"], "ask": ["11.0", "2.00"],
        },
        {
            "kind": "trade", **market, "id": "7", "price": "10.5", "qty": "0.10", "taker_side": "sell",
            "exch_ns": T0 * 10**6, "recv_ns": (T0 + 2) * 10**6,
        },
        {
            "kind": "bbo", **market, "seq": 8, "exch_ns": None, "recv_ns": (T0 + 3) * 10**6,
            "bid": ["10.0", "1.00"], "ask": ["11.0", "2.00"],
        },
        {
            "kind": "agg_trade", **market, "id": "9", "price": "10.5", "qty": "1.00", "taker_side": "buy",
            "exch_ns": (T0 + 1) * 10**6, "recv_ns": (T0 + 4) * 10**6,
        },
    ]  # fmt: skip
    assert summary == Summary(
        messages=6, book_messages=1, trades=2, bbos=1, other=1, gaps=0, checksums_ok=0, checksums_bad=0, errors=0
    )
    assert summary.sound


@pytest.mark.parametrize("at", [0, 1, 2])
def test_nameless_snapshot_anywhere(tmp_path: Path, at: int) -> None:
    """A snapshot without a symbol belongs to the only book, also before that book is named; trades of others do not
    matter."""
    frames: list[Any] = [trade(1, "ETHUSDT"), depth(5, 5), depth(6, 6, [["10.10", "1"]])]
    frames.insert(at, snapshot(4))
    lines, _ = run(record(tmp_path, frames))
    assert [(line["seq"], Decimal(line["bid"][0])) for line in of("top", lines)] == [
        (5, 10), (6, Decimal("10.1")),
    ]  # fmt: skip


def test_bare_frames(tmp_path: Path) -> None:
    """Frames without a receive time are read in order, and that time is null."""
    lines, _ = run(record(tmp_path, [json.dumps(snapshot(4)), json.dumps(depth(5, 5))]))
    assert lines[0]["recv_ns"] is None


def test_ambiguous_snapshot(tmp_path: Path) -> None:
    """With two books a nameless snapshot is an error that says what to do, and --symbol decides."""
    path = record(tmp_path, [snapshot(4), depth(5, 5), depth(9, 9, symbol="ETHUSDT")])
    lines, summary = run(path)
    assert [(line["line"], "--symbol" in line["reason"]) for line in of("error", lines)] == [(1, True)]
    lines, summary = run(path, symbol="binance:BTC-USDT")
    assert [line["kind"] for line in lines] == ["top"]
    assert (summary.messages, summary.book_messages, summary.other, summary.errors) == (3, 1, 1, 0)


def test_snapshot_by_url(tmp_path: Path) -> None:
    """A REST answer says in its request whose book it is; other requests are other messages."""
    url = "https://api.binance.com/api/v3/depth?symbol={}&limit=1000 -> 1699999999.5: {}"
    rest = record(
        tmp_path,
        [
            url.format("ETHUSDT", json.dumps(snapshot(8))),
            url.format("BTCUSDT", json.dumps(snapshot(4))),
            'https://api.binance.com/api/v3/time -> 1699999999.6: {"serverTime":1}',
        ],
        "rest",
    )
    frames = record(tmp_path, [depth(5, 5), depth(9, 9, symbol="ETHUSDT")], "frames")
    for paths in ((rest, frames), (frames, rest)):
        lines, summary = run(*paths)
        assert [(line["symbol"], line["seq"]) for line in lines] == [("BTC-USDT", 5), ("ETH-USDT", 9)]
        assert (summary.messages, summary.other) == (5, 1)


def test_partial_depth(tmp_path: Path) -> None:
    """A frame with the best levels is a snapshot that shows its top."""
    frames = [{"stream": "btcusdt@depth20", "data": snapshot(last)} for last in (4, 7)]
    lines, summary = run(record(tmp_path, frames))
    assert [line["seq"] for line in of("top", lines)] == [4, 7]
    assert summary.book_messages == 2


def test_gap(tmp_path: Path) -> None:
    """A missing change is one gap, and the book shows nothing until a snapshot."""
    frames = [snapshot(4), depth(5, 5), depth(7, 7), depth(8, 8), trade(1), snapshot(7), depth(9, 9)]
    lines, summary = run(record(tmp_path, frames))
    assert [line["kind"] for line in lines] == ["top", "gap", "trade", "top", "top"]
    assert lines[1] == {"kind": "gap", "venue": "binance", "symbol": "BTC-USDT", "expected": 6, "got": 7}
    assert [line["seq"] for line in of("top", lines)] == [5, 8, 9]
    assert (summary.gaps, summary.book_messages, summary.sound) == (1, 4, False)


def test_snapshot_that_does_not_reach_the_changes(tmp_path: Path) -> None:
    """Changes between a snapshot and what follows are missing, whichever of the two comes first."""
    for frames in ([snapshot(4), depth(8, 8)], [depth(8, 8), snapshot(4)]):
        lines, _ = run(record(tmp_path, frames))
        assert [(line["kind"], line["expected"], line["got"]) for line in lines] == [("gap", 5, 8)]


def test_no_snapshot(tmp_path: Path) -> None:
    """Without a snapshot there are no tops, unless the book is assumed to be empty."""
    path = record(tmp_path, [depth(5, 5, [["1", "1"]]), depth(6, 6)])
    assert run(path)[0] == []
    lines, _ = run(path, assume_empty=True)
    assert [(line["seq"], line["bid"], line["ask"]) for line in lines] == [(5, ["1", "1"], None), (6, ["1", "1"], None)]


def test_depth(tmp_path: Path) -> None:
    """With a depth, tops show that many levels a side."""
    bids = [["10", "1"], ["9", "2"], ["8", "3"]]
    lines, _ = run(record(tmp_path, [snapshot(4, bids, []), depth(5, 5)]), depth=2)
    assert lines[0]["bids"] == [["10", "1"], ["9", "2"]]
    assert lines[0]["asks"] == []
    with pytest.raises(UsageError, match="depth: expected at least 1, got 0"):
        run(tmp_path / "r", depth=0)


@pytest.mark.parametrize(
    "bad",
    [
        "garbage",
        "1700000000 {",
        '1700000000 {"stream":"btcusdt@trade","data":{"e":"trade"}}',
        f"1700000000 {json.dumps(depth(6, 6, [['-1', '1']]))}",
        f"1700000000 {json.dumps(depth(6, 6, [['0', '1']]))}",
        f"1700000000 {json.dumps(depth(6, 6, [['1e400', '1']]))}",
    ],
)
def test_unreadable_line(tmp_path: Path, bad: str) -> None:
    """A line that cannot be read is one error with its number in its file, and is no message."""
    path = record(tmp_path, [snapshot(4), "", depth(5, 5), bad, ticker(6)])
    lines, summary = run(path)
    errors = of("error", lines)
    assert [(line["file"], line["line"]) for line in errors] == [(str(path), 4)]
    assert set(errors[0]) == {"kind", "file", "line", "reason"}
    assert (summary.errors, summary.messages) == (1, 3)


def test_crossed_book_is_an_error(tmp_path: Path) -> None:
    """A book that is crossed after a change is no top but an error, and stops."""
    lines, summary = run(record(tmp_path, [snapshot(4), depth(5, 5, [["12", "1"]]), depth(6, 6)]))
    assert [line["kind"] for line in lines] == ["error"]
    assert summary.errors == 1


def test_other_kinds_are_counted(tmp_path: Path) -> None:
    """Every valid frame of another kind is a message and other."""
    frames = [{"result": None, "id": 1}, {"e": "kline", "s": "BTCUSDT"}, {"code": 2, "msg": "x"}, [1]]
    _, summary = run(record(tmp_path, ["wss://h <-> 1", "configuration: {}", *frames]))
    assert (summary.messages, summary.other, summary.errors) == (4, 4, 0)


def test_symbol_of_another_venue(tmp_path: Path) -> None:
    """--symbol must be of the venue that is read."""
    with pytest.raises(UsageError, match="expected one of binance"):
        run(record(tmp_path, []), symbol="kraken:BTC-USD")


def test_known_instruments(tmp_path: Path) -> None:
    """With instruments the text has their decimals, and a price off their grid is an error."""
    instrument = evolve(
        inferred_instrument("binance", "BTC-USDT", "BTCUSDT", "BTC", "USDT"),
        inferred=False, price_decimals=2, qty_decimals=8,
    )  # fmt: skip
    path = record(tmp_path, [snapshot(4), depth(5, 5), depth(6, 6, [["10.001", "1"]])])
    lines, _ = run(path, instruments=[instrument])
    assert lines[0]["bid"] == ["10.00", "1.00000000"]
    assert "expected at most 2 decimals" in lines[1]["reason"]


def test_verify_tells_what_is_wrong_only(tmp_path: Path) -> None:
    """Verification writes gaps, errors and the summary."""
    path = record(tmp_path, [snapshot(4), depth(5, 5), depth(7, 7), "garbage", trade(1)])
    lines: list[dict[str, Any]] = []
    summary = verify(SPEC, [path], write=lines.append)
    assert [line["kind"] for line in lines] == ["gap", "error", "summary"]
    assert not summary.sound


def test_broken_gzip(tmp_path: Path) -> None:
    """What is before the break is written, then the error names file and line; there is no summary."""
    text = "\n".join(f"{T0 + n} {json.dumps(trade(n))}" for n in range(5_000)).encode()
    packed = gzip.compress(text)
    path = tmp_path / "r.gz"
    path.write_bytes(packed[: len(packed) // 2])
    lines: list[dict[str, Any]] = []
    with pytest.raises(InputFileError) as error:
        normalize(SPEC, [path], write=lines.append)
    assert error.value.line == len(lines) + 1
    assert [line["id"] for line in lines] == [str(n) for n in range(len(lines))]
