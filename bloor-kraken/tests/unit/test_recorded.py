"""Real recordings: every top against a slow book, every checksum, and every digit that could be wrong."""

from __future__ import annotations

import gzip
import json
import random
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.instruments import InstrumentTable
from bloor.market.normalize import Summary, normalize, verify
from bloor.market.pipeline import MarketPipeline
from bloor.model.orders import Side
from bloor_kraken.instruments import normalizer_spec, parse_instruments

pytestmark = pytest.mark.recorded

V1, V2 = "kraken_v1/orderbook-v1.jsonl", "kraken_v2/kraken_book.jsonl"
FOLDER = "cryptofeed/kraken"


digits_of: Any = runpy.run_path(str(Path(__file__).parents[1] / "venue_book.py"))["digits_of"]


def run(*paths: Path, **options: Any) -> tuple[list[dict[str, Any]], Summary]:
    lines: list[dict[str, Any]] = []
    return lines, normalize(normalizer_spec(), paths, write=lines.append, **options)


def slow_tops(path: Path) -> list[tuple[tuple[Decimal, Decimal] | None, ...]]:
    """The tops of a recording with one book of ten levels a side, by two dicts and sorting."""
    bids: dict[Decimal, Decimal] = {}
    asks: dict[Decimal, Decimal] = {}
    tops = []
    for line in path.read_text().splitlines():
        frame = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        if isinstance(frame, list):
            parts = {name: rows for part in frame[1:-2] for name, rows in part.items() if name != "c"}
            snapshot = "as" in parts
            sides = [
                [(Decimal(r[0]), Decimal(r[1])) for r in parts.get(n, [])] for n in (("bs", "as") if snapshot else "ba")
            ]
        elif frame.get("channel") == "book":
            snapshot = frame["type"] == "snapshot"
            [event] = frame["data"]
            sides = [[(row["price"], row["qty"]) for row in event[name]] for name in ("bids", "asks")]
        else:
            continue
        for book, rows, worst_first in ((bids, sides[0], False), (asks, sides[1], True)):
            if snapshot:
                book.clear()
            book.update(rows)
            for price in [price for price, qty in book.items() if not qty]:
                del book[price]
            for price in sorted(book, reverse=worst_first)[: max(0, len(book) - 10)]:
                del book[price]
        bid, ask = max(bids), min(asks)
        tops.append(((bid, bids[bid]), (ask, asks[ask])))
    return tops


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("name", "checksums", "messages"), [(V1, 979, 1150), (V2, 4, 8)])
def test_every_top_and_every_checksum(
    recordings: Path, name: str, checksums: int, messages: int, compiled: bool
) -> None:
    """After every message the best levels are those of a slow book, and the venue's checksum agrees."""
    lines, summary = run(recordings / name, compiled=compiled)
    tops = [tuple((Decimal(p), Decimal(q)) for p, q in (t["bid"], t["ask"])) for t in lines if t["kind"] == "top"]
    assert tops == slow_tops(recordings / name)
    assert (summary.checksums_ok, summary.messages, summary.sound) == (checksums, messages, True)
    assert {line["symbol"] for line in lines if "symbol" in line} == {"BTC-USD"}
    assert all(line["seq"] is None for line in lines if line["kind"] == "top")


def test_the_books_come_to_nothing_without_their_depth(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The venue never deletes what leaves the window: a book that is not cut soon disagrees."""
    monkeypatch.setattr("bloor_kraken.normalizer.KrakenNormalizer.depth", lambda self, symbol: 0)
    _, summary = run(recordings / V1, compiled=False)
    assert (summary.checksums_bad, summary.checksums_ok < 100) == (1, True)


def test_trades_and_quotes_of_2021(recordings: Path) -> None:
    """Every trade and every quote of a recording with ten pairs is there as it was sent, under version 2's names."""
    path = recordings / FOLDER / "KRAKEN.ws.48.0.gz"
    lines, summary = run(path)
    expected = []
    with gzip.open(path, "rt") as file:
        for line in file:
            at = line.find(": [")
            if at > 0:
                _, trades, _, pair = json.loads(line[at + 2 :])
                symbol = pair.replace("XBT", "BTC").replace("/", "-")
                expected += [(symbol, Decimal(t[0]), Decimal(t[1]), {"b": "buy", "s": "sell"}[t[3]]) for t in trades]
    found = [
        (line["symbol"], Decimal(line["price"]), Decimal(line["qty"]), line["taker_side"])
        for line in lines
        if line["kind"] == "trade"
    ]
    assert found == expected
    assert (summary.trades, summary.messages, summary.other, summary.errors) == (10, 49, 41, 0)
    lines, summary = run(recordings / FOLDER / "KRAKEN.ws.49.0.gz", recordings / FOLDER / "KRAKEN.0.gz")
    assert (summary.bbos, summary.messages, summary.errors) == (18, 61, 0)


def test_the_list_of_instruments_of_2021(recordings: Path) -> None:
    """Every pair that has a stream is read, and its names lead back to it."""
    with gzip.open(recordings / FOLDER / "KRAKEN.0.gz", "rt") as file:
        body = file.readline().partition(": ")[2].encode()
    instruments = parse_instruments(body)
    assert len(instruments) > 200
    [pair] = [each for each in instruments if each.symbol == "BTC-USD"]
    assert (pair.venue_symbol, pair.price_decimals, pair.qty_decimals) == ("BTC/USD", 1, 8)


def levels(pipeline: MarketPipeline) -> list[Any]:
    book = pipeline.book("BTC/USD")
    assert book is not None
    unit = book.instrument
    return [[(unit.price(p), unit.qty(q)) for p, q in book.depth(side)] for side in (Side.BUY, Side.SELL)]


def restored(pipeline: MarketPipeline) -> bytes:
    """A snapshot of version 1, which needs no checksum, of the book that a pipeline has."""
    bids, asks = ([[f"{p:f}", f"{q:f}", "1.0"] for p, q in side] for side in levels(pipeline))
    return json.dumps([1, {"as": asks, "bs": bids}, "book-10", "XBT/USD"]).encode()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", [V1, V2])
def test_a_flipped_digit_in_any_message_is_caught(recordings: Path, name: str, compiled: bool) -> None:
    """In the price, the quantity or the checksum of every change: at that message, or no level has changed by it."""
    frames = (recordings / name).read_bytes().splitlines()
    dice = random.Random(7)
    true, wrong = (
        market_pipeline(normalizer_spec(), InstrumentTable(), lambda *_: None, compiled=each)
        for each in (False, compiled)
    )
    caught = tried = 0
    for frame in frames:
        changes = b'"c":' in frame or b'"update","data":[{"symbol"' in frame
        digits = digits_of(frame) if changes else []
        for at in dice.sample(digits, min(3, len(digits))):
            wrong.frame(restored(true), 0)
            digit = dice.choice([c for c in b"0123456789" if c != frame[at]])
            before = wrong.counters.checksums_bad + wrong.counters.errors
            wrong.frame(frame[:at] + bytes([digit]) + frame[at + 1 :], 0)
            found = wrong.counters.checksums_bad + wrong.counters.errors > before
            tried, caught = tried + 1, caught + found
            if not found:
                after = market_pipeline(normalizer_spec(), InstrumentTable(), lambda *_: None, compiled=False)
                after.frame(restored(true), 0)
                after.frame(frame, 0)
                assert levels(wrong) == levels(after)
        true.frame(frame, 0)
    assert true.counters.checksums_bad == 0
    assert 0.98 * tried < caught <= tried


def test_verify_ends_badly_where_a_digit_is_wrong(recordings: Path, tmp_path: Path) -> None:
    """One bad checksum, with both values, and nothing is believed until a snapshot."""
    frames = (recordings / V2).read_text().splitlines()
    path = tmp_path / "r"
    path.write_text("\n".join(frames).replace('"price":78857.0', '"price":78857.1'))
    lines: list[dict[str, Any]] = []
    summary = verify(normalizer_spec(), [path], write=lines.append)
    assert not summary.sound
    assert [line["kind"] for line in lines] == ["checksum", "summary"]
    assert (lines[0]["expected"], summary.checksums_ok, summary.checksums_bad) == (2416540570, 1, 1)
