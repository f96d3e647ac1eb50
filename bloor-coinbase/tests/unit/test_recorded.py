"""Real recordings: every top against a slow book, and the sides of trades against the venue's own tickers."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.market.normalize import Summary, normalize
from bloor_coinbase.instruments import normalizer_spec, parse_instruments

pytestmark = pytest.mark.recorded

WS, REST = "cryptofeed/coinbase/COINBASE.ws.28.0.gz", "cryptofeed/coinbase/COINBASE.0.gz"
Top = tuple[str, Decimal, Decimal, Decimal, Decimal]


def run(*paths: Path, **options: Any) -> tuple[list[dict[str, Any]], Summary]:
    lines: list[dict[str, Any]] = []
    return lines, normalize(normalizer_spec(), paths, write=lines.append, **options)


def frames(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        return [json.loads(line[line.index("{") :]) for line in file if "{" in line and not line.startswith("wss:")]


def slow_tops(path: Path) -> list[Top]:
    """The tops of a recording, by two dicts for each book."""
    books: dict[str, dict[str, dict[Decimal, Decimal]]] = {}
    tops = []
    for event in frames(path):
        if event["type"] == "snapshot":
            sides = {
                side: {Decimal(p): Decimal(q) for p, q in event[name]}
                for side, name in (("buy", "bids"), ("sell", "asks"))
            }
            books[event["product_id"]] = sides
        elif event["type"] == "l2update":
            for side, price, qty in event["changes"]:
                levels = books[event["product_id"]][side]
                levels[Decimal(price)] = Decimal(qty)
                if not Decimal(qty):
                    del levels[Decimal(price)]
        else:
            continue
        bids, asks = books[event["product_id"]].values()
        bid, ask = max(bids), min(asks)
        tops.append((event["product_id"], bid, bids[bid], ask, asks[ask]))
    return tops


def shown(lines: list[dict[str, Any]]) -> list[Top]:
    return [
        (line["symbol"], *map(Decimal, line["bid"]), *map(Decimal, line["ask"]))
        for line in lines
        if line["kind"] == "top"
    ]  # type: ignore[misc]


def test_every_top(recordings: Path) -> None:
    """After every change the best levels are those of a slow book, and no book is ever crossed."""
    lines, summary = run(recordings / WS)
    tops = shown(lines)
    assert tops == slow_tops(recordings / WS)
    assert all(bid < ask for _, bid, _, ask, _ in tops)
    assert (len(tops), summary.book_messages, summary.messages, summary.other) == (9729, 9729, 9946, 3)
    assert (summary.trades, summary.bbos, summary.sound) == (107, 107, True)


def test_the_taker_is_the_one_that_the_ticker_names(recordings: Path) -> None:
    """A match has the maker's side and a ticker the taker's: of all trades, ours is the ticker's."""
    tickers = {
        (event["product_id"], str(event["trade_id"])): event["side"]
        for event in frames(recordings / WS)
        if event["type"] == "ticker"
    }
    lines, _ = run(recordings / WS)
    takers = {(line["symbol"], line["id"]): line["taker_side"] for line in lines if line["kind"] == "trade"}
    assert takers == tickers
    assert len(takers) == 107


def test_the_list_of_products(recordings: Path) -> None:
    """It is another message in a recording, and gives 162 instruments, in whose units every number of it is exact."""
    _, summary = run(recordings / REST)
    assert (summary.messages, summary.other, summary.errors) == (1, 1, 0)
    with gzip.open(recordings / REST, "rb") as file:
        line = file.readline()
    listed = parse_instruments(line[line.index(b"[") :])
    assert len(listed) == 162
    lines, known = run(recordings / WS, instruments=listed)
    assert shown(lines) == shown(run(recordings / WS)[0])
    assert known.sound


def test_a_corrupt_line_loses_the_books(recordings: Path, tmp_path: Path) -> None:
    """Nothing is numbered there: what the line said may have been of any book."""
    with gzip.open(recordings / WS, "rt") as file:
        text = file.readlines()
    text[5000] = text[5000][: len(text[5000]) // 2] + "\n"
    (tmp_path / "r").write_text("".join(text))
    lines, summary = run(tmp_path / "r")
    (at,) = [n for n, line in enumerate(lines) if line["kind"] == "error"]
    assert lines[at]["line"] == 5001
    assert all(line["kind"] != "top" for line in lines[at:])
    assert (summary.errors, summary.messages) == (1, 9945)
