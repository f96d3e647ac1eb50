"""Recordings of Coinbase to normalized lines: books, holes in the numbers of a connection, repeated trades."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bloor.market.normalize import Summary, normalize, verify
from bloor_coinbase.instruments import normalizer_spec

SPEC = normalizer_spec()
Levels = Sequence[tuple[str, str]]


class Connection:
    """The frames of one connection, numbered."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def add(self, channel: str, *events: Any) -> int:
        """Adds a frame; returns its number."""
        seq = len(self.frames)
        self.frames.append(
            {
                "channel": channel,
                "timestamp": f"2026-08-24T22:34:{seq:02}Z",
                "sequence_num": seq,
                "events": list(events),
            }
        )
        return seq

    def book(self, kind: str, product: str, bids: Levels = (), asks: Levels = ()) -> int:
        """Adds a frame of ``level2``."""
        rows = [("bid", *row) for row in bids] + [("offer", *row) for row in asks]
        updates = [{"side": side, "price_level": price, "new_quantity": qty} for side, price, qty in rows]
        return self.add("l2_data", {"type": kind, "product_id": product, "updates": updates})

    def trades(self, kind: str, *numbers: int) -> int:
        """Adds a frame of ``market_trades``."""
        one = {"product_id": "BTC-USD", "price": "10.5", "size": "1", "side": "BUY", "time": "2026-08-24T22:34:00Z"}
        rows = [{"trade_id": str(n), **one} for n in numbers]
        return self.add("market_trades", {"type": kind, "trades": rows})


@pytest.fixture
def connection() -> Connection:
    """Two books with their snapshots, an acknowledgement and a heartbeat, then three changes of each."""
    made = Connection()
    made.book("snapshot", "BTC-USD", [("10", "1"), ("9", "1")], [("11", "2")])
    made.book("snapshot", "ETH-USD", [("5", "1")], [("6", "1")])
    made.add("subscriptions", {"subscriptions": {"level2": ["BTC-USD", "ETH-USD"]}})
    made.add("heartbeats", {"current_time": "x", "heartbeat_counter": 1})
    for n in range(3):
        made.book("update", "BTC-USD", [("10", f"{n + 2}")])
        made.book("update", "ETH-USD", [("5", f"{n + 2}")])
    return made


def run(folder: Path, frames: Sequence[Any], **options: Any) -> tuple[list[dict[str, Any]], Summary]:
    """The lines of a recording of these frames, and its summary."""
    path = folder / "r"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in frames) + "\n")
    lines: list[dict[str, Any]] = []
    return lines, normalize(SPEC, [path], write=lines.append, **options)


def tops(lines: Sequence[dict[str, Any]], symbol: str) -> list[int]:
    """The numbers of the frames that gave a top."""
    return [line["seq"] for line in lines if line["kind"] == "top" and line["symbol"] == symbol]


def gaps(lines: Sequence[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Every gap."""
    return [(line["symbol"], line["expected"], line["got"]) for line in lines if line["kind"] == "gap"]


def test_a_whole_connection(connection: Connection, tmp_path: Path) -> None:
    """One top for each book frame, of the frame's number; frames of other channels count too."""
    lines, summary = run(tmp_path, connection.frames)
    assert tops(lines, "BTC-USD") == [0, 4, 6, 8]
    assert tops(lines, "ETH-USD") == [1, 5, 7, 9]
    assert [line["bid"] for line in lines if line["kind"] == "top"][-1] == ["5", "4"]
    assert (summary.messages, summary.book_messages, summary.other, summary.sound) == (10, 8, 2, True)


@pytest.mark.parametrize("lost", range(1, 9))
def test_a_removed_frame_of_any_channel_invalidates_every_book(
    connection: Connection, tmp_path: Path, lost: int
) -> None:
    """Right at the next frame, every book that had its snapshot has a gap, and no top after it."""
    frames = connection.frames[:lost] + connection.frames[lost + 1 :]
    lines, summary = run(tmp_path, frames)
    books = ["BTC-USD", "ETH-USD"] if lost > 1 else ["BTC-USD"]
    assert gaps(lines) == [(symbol, lost, lost + 1) for symbol in books]
    assert max(tops(lines, "BTC-USD") + tops(lines, "ETH-USD")) < lost
    assert (summary.gaps, summary.errors, summary.sound) == (len(books), 0, False)
    assert not verify(SPEC, [tmp_path / "r"], write=lambda _: None).sound


def test_a_snapshot_makes_a_book_whole_again(connection: Connection, tmp_path: Path) -> None:
    """The other book still waits for its own."""
    connection.book("snapshot", "BTC-USD", [("10", "1")], [("11", "2")])
    connection.book("update", "BTC-USD", [("10", "3")])
    connection.book("update", "ETH-USD", [("5", "3")])
    del connection.frames[3]
    lines, summary = run(tmp_path, connection.frames)
    assert tops(lines, "BTC-USD") == [0, 10, 11]
    assert tops(lines, "ETH-USD") == [1]
    assert summary.gaps == 2


def test_another_connection_begins_with_empty_books(connection: Connection, tmp_path: Path) -> None:
    """Number 0 is no hole: books wait for their snapshots."""
    second = Connection()
    second.add("heartbeats", {"heartbeat_counter": 9})
    second.book("update", "ETH-USD", [("5", "7")])
    second.book("snapshot", "BTC-USD", [("10", "1")], [("11", "2")])
    lines, summary = run(tmp_path, connection.frames + second.frames)
    assert tops(lines, "BTC-USD") == [0, 4, 6, 8, 2]
    assert tops(lines, "ETH-USD") == [1, 5, 7, 9]
    assert summary.sound


def test_a_recording_that_begins_in_the_middle(connection: Connection, tmp_path: Path) -> None:
    """Nothing is missing in what is there; the first number is taken as it is."""
    lines, summary = run(tmp_path, connection.frames[4:], assume_empty=True)
    assert tops(lines, "BTC-USD") == [4, 6, 8]
    assert summary.sound


def test_a_hole_without_books_is_a_gap_too(tmp_path: Path) -> None:
    """Trades may be missing."""
    made = Connection()
    for n in range(4):
        made.trades("update", n + 1)
    del made.frames[2]
    lines, summary = run(tmp_path, made.frames)
    assert gaps(lines) == [("BTC-USD", 2, 3)]
    assert (summary.trades, summary.gaps) == (3, 1)


def test_trades_that_a_subscription_repeats_count_once(tmp_path: Path) -> None:
    """The newest trades from before a second subscription are taken where they are new, in their order."""
    made = Connection()
    made.trades("snapshot", 3, 2, 1)
    made.trades("update", 5, 4)
    made.trades("snapshot", 7, 6, 5, 4, 3)
    made.trades("update", 8)
    lines, summary = run(tmp_path, made.frames)
    assert [line["id"] for line in lines if line["kind"] == "trade"] == [str(n) for n in range(1, 9)]
    assert {line["taker_side"] for line in lines if line["kind"] == "trade"} == {"sell"}
    assert (summary.trades, summary.sound) == (8, True)


def test_levels_that_were_never_there_are_removed_without_a_word(connection: Connection, tmp_path: Path) -> None:
    """Coinbase does that; the book is none the worse."""
    connection.book("update", "BTC-USD", [("3", "0")], [("99", "0")])
    lines, summary = run(tmp_path, connection.frames)
    assert tops(lines, "BTC-USD")[-1] == 10
    assert summary.sound


def test_an_unreadable_book_frame_is_an_error_and_a_hole(connection: Connection, tmp_path: Path) -> None:
    """What it said is missing, so the next number finds every book incomplete."""
    frames: list[Any] = list(connection.frames)
    frames[4] = json.dumps(frames[4]).replace('"price_level": "10"', '"price_level": "ten"')
    lines, summary = run(tmp_path, frames)
    assert [line["line"] for line in lines if line["kind"] == "error"] == [5]
    assert gaps(lines) == [("BTC-USD", 4, 5), ("ETH-USD", 4, 5)]
    assert summary.errors == 1


def test_an_unreadable_trade_leaves_the_books(connection: Connection, tmp_path: Path) -> None:
    """It is an error, and nothing else."""
    connection.trades("update", 1)
    connection.frames[-1]["events"][0]["trades"][0]["price"] = "-1"
    connection.book("update", "BTC-USD", [("10", "9")])
    lines, summary = run(tmp_path, connection.frames)
    assert tops(lines, "BTC-USD")[-1] == 11
    assert (summary.errors, summary.gaps) == (1, 0)


def test_an_unreadable_frame_of_the_exchange_feed_loses_the_books(tmp_path: Path) -> None:
    """Nothing there is numbered, so nothing would ever tell that a change was lost."""
    whole = {"type": "snapshot", "product_id": "A-B", "bids": [["1", "1"]], "asks": [["2", "1"]]}
    change = {"type": "l2update", "product_id": "A-B", "changes": [["buy", "1", "5"]]}
    lines, summary = run(tmp_path, [whole, change, json.dumps(change)[:-9], change, whole, change])
    assert [line["kind"] for line in lines] == ["top", "top", "error", "top", "top", "summary"]
    assert (summary.errors, summary.book_messages) == (1, 5)
