"""``bloor replay`` as a user runs it, on sessions of real runs over loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bloor.journal.follower import Follower
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.journal.segment import segment_files

STRATEGY = '''
"""A strategy of two installed versions."""

from bloor.hookspecs import hookimpl
from bloor.strategy.api import Strategy


class Counting(Strategy):
    """Buys a little at every so-manieth trade."""

    name = "counting"
    seen: int = 0

    def on_trade(self, trade, book, orders):
        """Counts."""
        self.seen += 1
        if self.seen % 25 == 0:
            orders.buy(book.best_ask + 10, orders.min_lots * 100, ioc=True)
            {more}


@hookimpl
def bloor_strategy():
    """The class."""
    return Counting
'''


def command(folder: Path, *arguments: str) -> tuple[list[str], dict[str, Any]]:
    """The command line and how to start it: in this folder, with what is on its shelf."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    env = {**clean, "BLOOR_STATE": str(folder / "state"), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return [sys.executable, "-m", "bloor", *arguments], {"cwd": folder, "env": env, "text": True}


def bloor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    words, options = command(folder, *arguments)
    return subprocess.run(words, capture_output=True, check=False, **options)


def shelve(folder: Path, more: str = "") -> None:
    """Puts the strategy on the path, with a rule of its own."""
    info = folder / "counting-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (folder / "counting.py").write_text(STRATEGY.replace("{more}", more))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bloor]\ncounting = counting\n[bloor.manifest]\ncounting = strategy:api1\n")


def decisions(journal: Path) -> Callable[[], int]:
    """Tells of a journal that is being written how many decisions it has so far."""
    records, count = Follower(journal), 0

    def decided() -> int:
        nonlocal count
        count += sum(record.kind == RecordKind.DECISION for record in records)
        return count

    return decided


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, run_until: Any) -> Path:
    """A folder with the session ``s`` of two strategies in two instruments and some fills, to be read only."""
    folder = tmp_path_factory.mktemp("ran")
    shelve(folder)
    words, options = command(
        folder, "run", "-p", "momentum", "-p", "counting", "--venue", "binance", "--symbol", "BTC-USDT",
        "--symbol", "ETH-USDT", "--duration", "1h", "--session", "s", "--json",
    )  # fmt: skip
    decided, fills = decisions(folder / "s" / "journal"), folder / "s" / "fills.jsonl"
    done = run_until(lambda: decided() >= 8 and fills.is_file() and fills.stat().st_size, words, **options)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_over_loopback_is_verified(ran: Path) -> None:
    """Count and hash of the decisions are the summary's, and every order that was sent is made again."""
    done = bloor(ran, "replay", "s", "--verify", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    summary = json.loads((ran / "s" / "summary.json").read_text())
    assert document["ok"] and document["verify"] and document["difference"] is None
    assert (document["decisions"], document["hash"]) == (summary["decisions"], summary["hash"])
    assert document["decisions"] > 3
    assert document["orders"] == summary["orders"]
    assert document["pnl_net"] == summary["pnl_net"] == document["fills_file"]["pnl_net"]
    assert document["fills_file"]["rows"] == summary["fills"]
    assert document["summary"] == {"equal": True, "differs": []}
    assert document["changes"] == []
    assert document["counts"]["frame_in"] == summary["frames"]
    assert document["end"] == "ended"
    assert document["speed"]["records_per_s"] > 0


def test_without_verify_it_shows_what_happened(ran: Path) -> None:
    """Counts, a timeline, orders, fills and profit, as text without escape sequences."""
    done = bloor(ran, "replay", "s")
    assert done.returncode == 0, done.stderr
    for words in (
        "frame_in",
        "momentum, counting on binance:BTC-USDT",
        "fills.jsonl says the same",
        "verified",
        "place",
    ):
        assert words in done.stdout
    assert "\x1b" not in done.stdout


def test_a_changed_plugin_is_told_and_found(ran: Path) -> None:
    """The installed strategy has another rule: the first decision that differs, with its frame; exit 1."""
    shelve(ran, "orders.sell(book.best_bid - 10, orders.min_lots * 50, ioc=True)")
    try:
        done = bloor(ran, "replay", "s", "--verify")
        as_json = bloor(ran, "replay", "s", "--verify", "--json")
    finally:
        shelve(ran)
    assert done.returncode == as_json.returncode == 1
    assert "the code of counting is not what it was" in done.stderr
    assert "NOT verified" in done.stdout
    assert "caused by record" in done.stdout and "frame_in of binance market data" in done.stdout
    assert "Traceback" not in done.stderr
    difference = json.loads(as_json.stdout)["difference"]
    assert difference["replayed"]["side"] == "sell"
    assert difference["cause"]["kind"] == "frame_in"
    # nothing was recorded between the order's frame and the next input
    before = [r for r in Reader(ran / "s" / "journal") if r.sequence <= difference["cause"]["sequence"]]
    assert before[-1].kind == RecordKind.FRAME_IN


def test_a_run_that_was_killed_is_replayed(tmp_path: Path, wait_for: Any) -> None:
    """SIGKILL in the middle: no summary, no last record; everything that was journaled is verified."""
    words, options = command(
        tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "1h", "--json", "--session", "here"
    )
    journal = tmp_path / "here" / "journal"
    decided = decisions(journal)
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:
        try:
            wait_for(lambda: decided() >= 3, process)
        finally:
            process.kill()
    assert not (tmp_path / "here" / "summary.json").exists()
    done = bloor(tmp_path, "replay", "here", "--verify", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["ok"]
    assert document["end"] in ("open", "torn")
    assert document["summary"] is None
    assert document["decisions"] >= 3
    assert document["decisions"] == sum(r.kind == RecordKind.DECISION for r in Reader(journal))


def test_bad_input_is_told(ran: Path, tmp_path: Path) -> None:
    """Exit 2 and one message: no such folder, no journal, a damaged one."""
    done = bloor(tmp_path, "replay", "nowhere", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no such folder" in done.stderr
    broken = tmp_path / "broken" / "journal"
    broken.mkdir(parents=True)
    _, path = segment_files(ran / "s" / "journal")[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    (broken / path.name).write_bytes(data)
    done = bloor(ran, "replay", str(tmp_path / "broken"), "--verify")
    assert done.returncode == 2
    assert "the journal is corrupt" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backtest_of_a_session_with_its_answers_decides_the_same(ran: Path) -> None:
    """Fed what the venue really answered, a backtest decides what the run did, bit for bit."""
    done = bloor(ran, "backtest", "--calibrate", "s", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    recorded = document["recorded"]
    assert recorded["same"] == recorded["decisions"] > 0
    assert recorded["share"] == 1
    assert recorded["first_difference"] == ""
    assert document["open_loop"]["orders"] == document["closed_loop"]["orders"] == recorded["orders"] > 0
    assert document["fitted"]["queue-model"] in document["tried"]
