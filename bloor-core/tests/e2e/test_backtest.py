"""``bloor backtest`` and ``bloor.backtest`` as a user runs them, on recordings and on what they were imported to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bloor
from bloor.errors import InputFileError, UsageError
from bloor.strategy.api import Strategy

#: What independent checks read.
FIELDS = {
    "mode", "strategies", "instruments", "currency", "frames", "events", "orders", "fills", "volume_quote", "fees",
    "pnl_net", "positions", "win_rate", "latency_ns", "data_quality", "duration_s", "hash", "versions",
}  # fmt: skip


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a folder, its cache there."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
    env = {**clean, "BLOOR_BACKTEST_CACHE": str(folder / "cache"), "COLUMNS": "120"}
    words = [sys.executable, "-m", "bloor", *arguments]
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def frames(count: int, *, first: int = 1) -> str:
    """A recording of a made-up market at Binance: a snapshot, then book changes and trades; one line each."""
    begin = 1_700_000_000_000
    lines = []

    def put(ms: int, stream: str, data: dict[str, Any]) -> None:
        lines.append(f"{(begin + ms) * 1000} " + json.dumps({"stream": f"btcusdt@{stream}", "data": data}))

    bids = [[f"{59999 - i}.00", "1.00000"] for i in range(20)]
    asks = [[f"{60001 + i}.00", "1.00000"] for i in range(20)]
    lines.append(f"{begin * 1000} " + json.dumps({"lastUpdateId": 1, "bids": bids, "asks": asks}))
    for number in range(first + 1, first + count):
        ms, wave = number * 100, (number // 40) % 2
        side = "b" if number % 2 else "a"
        price = 59999 - number % 5 if side == "b" else 60001 + number % 5
        change = [[f"{price}.00", f"{1 + number % 3}.00000"]]
        book = {"e": "depthUpdate", "E": begin + ms - 5, "s": "BTCUSDT", "U": number, "u": number}
        put(ms, "depth@100ms", {**book, "b": change if side == "b" else [], "a": change if side == "a" else []})
        traded = 60001 + number % 7 if wave else 59999 - number % 7
        put(ms + 50, "trade", {
            "e": "trade", "E": begin + ms + 45, "s": "BTCUSDT", "t": number, "p": f"{traded}.00", "q": "0.05000",
            "T": begin + ms + 45, "m": not wave,
        })  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording."""
    path = tmp_path_factory.mktemp("data") / "market.txt"
    path.write_text(frames(1_500))
    return path


def test_a_recording_and_its_catalogue_give_the_same(data: Path, tmp_path: Path) -> None:
    """The document has what it promises, and the hash is that of the same events, wherever they come from."""
    words = ["backtest", "-p", "momentum", "--set", "strategy.momentum.threshold=0.1", "--json"]
    done = run(tmp_path, *words, "--venue", "binance", "--data", str(data))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document.keys() >= FIELDS
    assert document["fills"] > 10
    assert document["instruments"] == ["binance:BTC-USDT"]
    again = json.loads(run(tmp_path, *words, "--venue", "binance", "--data", str(data)).stdout)
    made = run(tmp_path, "data", "import", "--venue", "binance", "--into", "shelf", str(data))
    assert made.returncode == 0, made.stderr
    stored = json.loads(run(tmp_path, *words, "--data", "shelf", "--symbol", "BTC-USDT").stdout)
    assert document["hash"] == again["hash"] == stored["hash"]
    assert document["pnl_net"] == stored["pnl_net"]


def test_the_page_and_the_proof(data: Path, tmp_path: Path) -> None:
    """One file with plots and sensitivities, and decisions that do not know what comes later."""
    words = ["backtest", "-p", "momentum", "--set", "strategy.momentum.threshold=0.1", "--venue", "binance"]
    done = run(tmp_path, *words, "--data", str(data), "--report", "page.html", "--check-lookahead")
    assert done.returncode == 0, done.stderr
    assert "no look-ahead" in done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "latency times 2" in page
    assert "<script src" not in page
    assert "P&L net" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "nowhere.txt"], "there is no such file"),
        ([], "--data: expected"),
        (["--data", "DATA", "--symbol", "ETH-USDT"], "the data have binance:BTC-USDT"),
        (["--data", "DATA", "--queue-model", "risk-avers"], "risk-averse"),
        (["--data", "DATA", "--queue-model", "fifo"], "expected order-level data of binance:BTC-USDT"),
        (["--data", "DATA", "--latency", "5"], "--latency"),
        (["--data", "DATA", "--start", "2030-01-01"], "nothing between these times"),
        (["--data", "DATA", "--set", "backtest.inventory.ETH=1"], "expected base assets of the data (BTC)"),
        (["--data", "DATA", "--set", "backtest.partal=true"], "partial"),
        (["--data", "EMPTY"], "expected market data"),
        (["--data", "DATA", "--latency", "-5ms"], "got '-5ms'"),
        (["--data", "DATA", "--report", "nowhere/page.html"], "expected a folder that exists"),
        (["--data", "DATA", "--calibrate", "session"], "--calibrate: expected no other options"),
    ],
)
def test_what_cannot_be_is_said(data: Path, tmp_path: Path, words: list[str], said: str) -> None:
    """Bad input ends with 2, a sentence that says what was expected, and no traceback."""
    (tmp_path / "empty.txt").write_text("\n")
    named = [str(data) if w == "DATA" else "empty.txt" if w == "EMPTY" else w for w in words]
    done = run(tmp_path, "backtest", "-p", "momentum", "--venue", "binance", *named)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gap_is_told(tmp_path: Path) -> None:
    """Missing updates are in the result, and so is the time without a book."""
    lines = frames(600).splitlines(keepends=True)
    (tmp_path / "holed.txt").write_text("".join(lines[:500] + lines[700:]))
    words = ["backtest", "-p", "momentum", "--venue", "binance", "--data", "holed.txt", "--json"]
    document = json.loads(run(tmp_path, *words).stdout)
    assert document["data_quality"]["gaps"] == 1
    assert any("have a gap," in notice for notice in document["notices"])


def with_a_bid(price: str) -> str:
    """A recording of which one price of the 203rd line is another."""
    lines = frames(600).splitlines(keepends=True)
    at = next(n for n in range(202, len(lines)) if '"b": [["' in lines[n])
    lines[at] = re.sub(r'"b": \[\["[0-9.]+"', f'"b": [["{price}"', lines[at])
    return "".join(lines)


@pytest.mark.parametrize(
    ("new", "said"),
    [("NaN", "got 'NaN'"), ("70000.00", "the best bid is not below the best ask")],
)
def test_a_line_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: str, said: str
) -> None:
    """No number, a crossed book: the file and the line; the rest of them, once imported, is used, and that is told."""
    monkeypatch.setenv("BLOOR_BACKTEST_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "wrong.txt"
    path.write_text(with_a_bid(new))
    with pytest.raises(InputFileError, match=r"wrong\.txt:20\d: ") as caught:
        bloor.backtest("momentum", path, venue="binance")
    assert said in str(caught.value)
    bloor.import_data("binance", path, into=tmp_path / "shelf")
    document = bloor.backtest("momentum", tmp_path / "shelf").document
    assert document["data_quality"]["errors"] == 1
    assert any("a line of the data could not be used: " in notice for notice in document["notices"])


def test_sources_count_once_and_books_may_begin_empty(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file twice is one; a recording without a snapshot has a book all the same, and that is told."""
    monkeypatch.setenv("BLOOR_BACKTEST_CACHE", str(tmp_path / "cache"))
    (tmp_path / "copy.txt").write_bytes(data.read_bytes())
    once = bloor.backtest("momentum", data, venue="binance")
    assert bloor.backtest("momentum", [data, data, tmp_path / "copy.txt"], venue="binance").hash == once.hash
    (tmp_path / "later.txt").write_text("".join(frames(600).splitlines(keepends=True)[1:]))
    found = bloor.backtest("momentum", tmp_path / "later.txt", venue="binance").document
    assert found["events"] > 100
    assert any("the book began empty" in notice for notice in found["notices"])


class Raises(Strategy):
    """Fails at its hundredth trade."""

    seen: int = 0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Counts, and fails."""
        self.seen += 1
        if self.seen == 100:
            raise ValueError("a hundred is enough")


def test_from_python(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed results, tables, and a strategy of a notebook that raises: halted in the result, the other goes on."""
    monkeypatch.setenv("BLOOR_BACKTEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    result = bloor.backtest(
        "momentum", data, strategies=Raises, venue="binance", set={"strategy.momentum.threshold": 0.1}, progress=False
    )
    assert len(result.fills) == result.statistics.fills == result.document["fills"] > 10
    assert {row["strategy"] for row in result.fills} == {"momentum"}
    assert len(result.orders) == result.document["orders"]["sent"]
    assert result.equity["equity"][-1] == pytest.approx(float(result.pnl_net))
    halted = {row["strategy"]: row["halted"] for row in result.positions}
    assert halted["momentum"] is None
    assert "a hundred is enough" in halted["raises"]
    assert result.report(tmp_path / "r.html").stat().st_size > 10_000
    with pytest.raises(UsageError, match="--data"):
        bloor.backtest("momentum", progress=False)


class BuysLast(Strategy):
    """Buys through the touch at every trade: at the last one, too, whose fill is told when the data have ended."""

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Buys."""
        orders.buy(book.best_ask + 100, orders.min_lots, ioc=True)


def test_a_fill_that_is_told_after_the_data_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run then ends with that fill."""
    monkeypatch.setenv("BLOOR_BACKTEST_CACHE", str(tmp_path / "cache"))
    (tmp_path / "short.txt").write_text(frames(40))
    result = bloor.backtest(strategies=BuysLast, data=tmp_path / "short.txt", venue="binance", progress=False)
    assert result.document["orders"]["filled"] == result.document["orders"]["sent"] == 39
    assert len(result.fills) == 39


@pytest.mark.recorded
def test_a_day_that_was_recorded(recordings: Path, tmp_path: Path) -> None:
    """The real thing: two files of a real venue, from start to result."""
    files = [str(recordings / "binance_spot" / f"nexousdt_2024072{day}.txt.gz") for day in (3, 4)]
    done = run(tmp_path, "backtest", "-p", "momentum", "--venue", "binance", "--data", *files, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["data"][0]["trades"] == 12_458
    assert document["fills"] > 500
    assert document["data_quality"]["gaps"] == 0
