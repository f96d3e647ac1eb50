"""Real recordings: every top against a slow book, and against the venue's own best bid and offer."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.market.normalize import Summary, normalize
from bloor_binance.instruments import normalizer_spec

pytestmark = pytest.mark.recorded

SPOT = "binance_spot"
WS, REST = "cryptofeed/binance/BINANCE.ws.1.0.gz", "cryptofeed/binance/BINANCE.http.0.0.gz"


def run(*paths: Path) -> tuple[list[dict[str, Any]], Summary]:
    lines: list[dict[str, Any]] = []
    return lines, normalize(normalizer_spec(), paths, write=lines.append)


def frames(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        return [json.loads(line[line.index("{") :]) for line in file if "{" in line and not line.startswith("wss:")]


def slow_tops(path: Path) -> list[tuple[int, Decimal, Decimal, Decimal, Decimal]]:
    """The tops of a recording with one book, by two dicts."""
    sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]] = ({}, {})
    number, held, tops = -1, [], []

    def apply(event: dict[str, Any]) -> None:
        for side, levels in zip(sides, (event["b"], event["a"]), strict=True):
            for price, qty in levels:
                side[Decimal(price)] = Decimal(qty)
                if not Decimal(qty):
                    del side[Decimal(price)]
        bid, ask = max(sides[0]), min(sides[1])
        tops.append((event["u"], bid, sides[0][bid], ask, sides[1][ask]))

    for frame in frames(path):
        event = frame.get("data", frame)
        if "lastUpdateId" in event:
            number = event["lastUpdateId"]
            for side, levels in zip(sides, (event["bids"], event["asks"]), strict=True):
                side.update((Decimal(price), Decimal(qty)) for price, qty in levels)
            for one in held:
                if one["u"] > number:
                    apply(one)
        elif event.get("e") == "depthUpdate":
            if number < 0:
                held.append(event)
            elif event["u"] > number:
                apply(event)
    return tops


def shown(lines: list[dict[str, Any]]) -> list[tuple[int, Decimal, Decimal, Decimal, Decimal]]:
    return [
        (line["seq"], *map(Decimal, line["bid"]), *map(Decimal, line["ask"])) for line in lines if line["kind"] == "top"
    ]  # type: ignore[misc]


@pytest.mark.parametrize("name", ["btcusdt_20240808", "nexousdt_20240723"])
def test_every_top(recordings: Path, name: str) -> None:
    """After every change the best levels are those of a slow book."""
    path = recordings / SPOT / f"{name}.txt.gz"
    lines, summary = run(path)
    assert shown(lines) == slow_tops(path)
    assert summary.sound


def agreements(lines: list[dict[str, Any]]) -> int:
    """How many tops have a best-bid-offer message of the same update, and agree with it."""
    quotes = {(q["symbol"], q["seq"]): (q["bid"], q["ask"]) for q in lines if q["kind"] == "bbo"}
    both = [
        (t, quotes[t["symbol"], t["seq"]]) for t in lines if t["kind"] == "top" and (t["symbol"], t["seq"]) in quotes
    ]
    for top, (bid, ask) in both:
        assert [Decimal(x) for x in (*top["bid"], *top["ask"])] == [Decimal(x) for x in (*bid, *ask)]
    return len(both)


@pytest.mark.parametrize(
    ("names", "same", "tops"),
    [
        (("btcusdt_20240809", "btcusdt_20240808"), 1072, 6493),
        (("nexousdt_20240723", "nexousdt_20240724"), 12198, 68182),
    ],
)
def test_tops_agree_with_the_venue(recordings: Path, names: tuple[str, ...], same: int, tops: int) -> None:
    """Wherever the venue says the best bid and offer of the same update, the book says the same, over both files."""
    lines, summary = run(*(recordings / SPOT / f"{name}.txt.gz" for name in names))
    assert len(shown(lines)) == tops
    assert agreements(lines) == same
    assert summary.sound


@pytest.mark.parametrize("paths", [(WS, REST), (REST, WS)])
def test_several_books_with_rest_snapshots(recordings: Path, paths: tuple[str, ...]) -> None:
    """Four books whose snapshots lie in a file of their own, in either order of the files."""
    lines, summary = run(*(recordings / path for path in paths))
    assert (len(shown(lines)), agreements(lines)) == (172, 26)
    assert (summary.messages, summary.other, summary.sound) == (269, 2, True)


def test_no_snapshot(recordings: Path) -> None:
    """A recording without a snapshot has no tops, and nothing is wrong with it."""
    lines, summary = run(recordings / SPOT / "btcusdt_20230405.txt.gz")
    assert shown(lines) == []
    assert (summary.messages, summary.trades, summary.sound) == (15_088, 3_144, True)


@pytest.fixture
def nexo(recordings: Path) -> list[str]:
    with gzip.open(recordings / SPOT / "nexousdt_20240723.txt.gz", "rt") as file:
        return file.readlines()


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_lost_line_is_one_gap(nexo: list[str], tmp_path: Path, part: float) -> None:
    """Without one of its changes a recording has exactly one gap, and the tops end there."""
    changes = [n for n, line in enumerate(nexo) if "depthUpdate" in line]
    lost = changes[int(len(changes) * part)]
    path = tmp_path / "r"
    path.write_text("".join(nexo[:lost] + nexo[lost + 1 :]))
    lines, summary = run(path)
    (at,) = [n for n, line in enumerate(lines) if line["kind"] == "gap"]
    event = json.loads(nexo[lost].split(" ", 1)[1])["data"]
    assert (lines[at]["expected"], lines[at]["got"]) == (event["U"], event["u"] + 1)
    assert all(line["kind"] != "top" for line in lines[at:])
    assert (summary.gaps, summary.errors) == (1, 0)


def test_a_corrupt_line_is_one_error(nexo: list[str], tmp_path: Path) -> None:
    """A line cut in the middle is one error with its number, and what follows is read."""
    nexo[700] = nexo[700][: len(nexo[700]) // 2] + "\n"
    path = tmp_path / "r"
    path.write_text("".join(nexo))
    lines, summary = run(path)
    assert [line["line"] for line in lines if line["kind"] == "error"] == [701]
    assert summary.messages == len(nexo) - 1
