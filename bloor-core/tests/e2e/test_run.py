"""``bloor run`` as a user runs it: a process, a simulated venue beside it, real sockets on loopback."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bloor.journal.follower import Follower
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind


def command(tmp_path: Path, *arguments: str, **environ: str) -> tuple[list[str], dict[str, Any]]:
    """The command line and how to start it: in an empty folder, with a state folder of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
    env = {**clean, "BLOOR_STATE": str(tmp_path / "state"), **environ}
    return [sys.executable, "-m", "bloor", *arguments], {"cwd": tmp_path, "env": env, "text": True}


def bloor(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    words, options = command(tmp_path, *arguments, **environ)
    return subprocess.run(words, capture_output=True, check=False, **options)


@pytest.fixture
def bloor_until(tmp_path: Path, run_until: Any) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command until its session ``here`` has so many fills, and ends it as Ctrl-C does."""

    def bloor_until(fills: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        words, options = command(tmp_path, *arguments, "--duration", "1h", "--session", "here")
        file = tmp_path / "here" / "fills.jsonl"
        done: subprocess.CompletedProcess[str] = run_until(
            lambda: file.is_file() and file.read_text().count("\n") >= fills, words, **options
        )
        return done

    return bloor_until


Until = Callable[..., subprocess.CompletedProcess[str]]


def check_session(document: dict[str, Any]) -> None:
    """What must hold of every finished run: the document, the fills and the journal tell one story."""
    folder = Path(document["session"])
    assert json.loads((folder / "summary.json").read_text()) == document
    rows = [json.loads(line) for line in (folder / "fills.jsonl").read_text().splitlines()]
    assert len(rows) == document["fills"]
    assert len({(r["venue"], r["symbol"], r["trade_id"]) for r in rows}) == len(rows)
    cash, held = Decimal(0), {}
    for row in rows:
        sign = 1 if row["side"] == "buy" else -1
        price, qty = Decimal(row["price"]), Decimal(row["qty"])
        cash -= sign * price * qty + Decimal(row["fee_quote"])
        key = (row["venue"], row["symbol"])
        held[key] = held.get(key, Decimal(0)) + sign * qty
    value = Decimal(0)
    for position in document["positions"]:
        qty = Decimal(position["qty"])
        assert held.get((position["venue"], position["symbol"]), Decimal(0)) == qty
        value += qty * Decimal(position["mark"])
    assert Decimal(document["pnl_net"]) == cash + value
    orders = document["orders"]
    assert orders["unknown"] == 0
    assert orders["sent"] == orders["filled"] + orders["cancelled"] + orders["rejected"]
    kinds = [record.kind for record in Reader(folder / "journal")]
    assert kinds[0] == RecordKind.HEADER
    assert kinds[-1] == RecordKind.FOOTER
    assert kinds.count(RecordKind.FRAME_IN) == document["frames"]
    assert kinds.count(RecordKind.DECISION) == document["decisions"]
    config = json.loads((folder / "config.json").read_text())
    assert config["sections"]["run"]["mode"] == "sim"


def test_momentum_trades_on_the_simulated_venue(tmp_path: Path, bloor_until: Until) -> None:
    """Frames in, orders out, fills, one JSON document on stdout, P&L recomputed from the fills; Ctrl-C ends it."""
    done = bloor_until(2, "run", "-p", "momentum", "--venue", "binance", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["mode"] == "sim"
    assert document["instruments"] == ["binance:BTC-USDT"]
    assert document["fills"] >= 2
    assert document["latency_ns"]["tick_to_wire"]["count"] == document["orders"]["sent"]
    assert document["failure"] is None
    assert Path(document["session"]) == tmp_path / "here"
    check_session(document)


def test_a_run_that_never_sleeps_trades_and_ends(bloor_until: Until) -> None:
    """With --spin everything is as without it, and the run ends when it is told to."""
    done = bloor_until(1, "run", "-p", "momentum", "--venue", "binance", "--spin", "--json")
    if "expected at least 2 CPUs" in done.stderr:
        assert done.returncode == 2
        pytest.skip("one CPU")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["orders"]["sent"] >= 1
    assert document["failure"] is None
    check_session(document)
    folder = Path(document["session"])
    assert json.loads((folder / "config.json").read_text())["sections"]["run"]["spin"] is True


@pytest.mark.recorded
def test_momentum_trades_on_a_recording(tmp_path: Path, recordings: Path) -> None:
    """The same on a minute of a real market, twenty times as fast as it was, to its last frame."""
    file = recordings / "binance_spot" / "btcusdt_20240808.txt.gz"
    with gzip.open(file, "rb") as whole:
        minute = list(islice(whole, 10_000))
    (tmp_path / "minute.txt").write_bytes(b"".join(minute))
    done = bloor(
        tmp_path, "run", "-p", "momentum", "--venue", "binance", "--data", "minute.txt", "--speed", "20", "--json",
        "--duration", "1h", "--set", "strategy.momentum.cross_bps=50",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    records = Reader(Path(document["session"]) / "journal")
    frames = [record.payload for record in records if record.kind == RecordKind.FRAME_IN]
    assert any(frame == minute[-1].partition(b" ")[2].strip() for frame in frames)
    assert document["frames"] > 9_900
    assert document["fills"] >= 1
    assert document["data_quality"]["gaps"] == document["data_quality"]["errors"] == 0
    check_session(document)


def test_an_interrupt_before_the_first_trade_ends_a_run_in_order(tmp_path: Path, run_until: Any) -> None:
    """Ctrl-C ends it as soon as a frame was heard, not with a traceback."""
    words, options = command(
        tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "1h", "--json", "--session", "here"
    )
    journal = Follower(tmp_path / "here" / "journal")
    done = run_until(lambda: any(record.kind == RecordKind.FRAME_IN for record in journal), words, **options)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert Path(document["session"]) == tmp_path / "here"
    check_session(document)


def test_a_run_ends_when_its_time_is_over(tmp_path: Path) -> None:
    """Not before; piped output has the summary and no escape sequences."""
    words = ("run", "-p", "momentum", "--venue", "binance", "--duration", "1s", "--session", "here")
    done = bloor(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "P&L net" in done.stdout
    assert "\x1b" not in done.stdout
    assert json.loads((tmp_path / "here" / "summary.json").read_text())["duration_s"] >= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "momentm"], ["momentm", "did you mean 'momentum'"]),
        (["-p", "momentum", "--venue", "binanse"], ["binanse", "did you mean 'binance'"]),
        (["-p", "momentum", "--venue", "binance-usdm"], ["bloor-binance", "provides no executor"]),
        (["--venue", "binance"], ["at least one strategy", "momentum"]),
        (["-p", "momentum", "--set", "strategy.momentum.fasst=3"], ["momentum.fasst", "did you mean 'fast'", "--set"]),
        (["-p", "momentum", "--set", "strategy.momentum.fast=many"], ["momentum.fast", "an integer", "'many'"]),
        (["-p", "momentum", "--set", "risk.order-limits.max_valu=3"], ["risk.order-limits.max_valu", "did you mean"]),
        (["-p", "momentum", "--mode", "live"], ["--mode live does not start", "--arm binance:prod"]),
        (["-p", "momentum", "--duration", "soon"], ["--duration", "'soon'"]),
        (["-p", "momentum", "--symbol", "BTCUSDT"], ["expected BASE-QUOTE", "BTCUSDT"]),
        (["-p", "momentum", "--venue", "binance", "--symbol", "BTC-USTD"], ["BTC-USTD", "did you mean 'BTC-USDT'"]),
        (["-p", "momentum", "--venue", "binance", "--data", "nothing.gz"], ["nothing.gz", "No such file"]),
        (["-p", "momentum", "-p", "no:price-collar"], ["collar"]),
        (["-p", "momentum", "--config", "nothing.toml"], ["nothing.toml"]),
    ],
)  # fmt: skip
def test_bad_input_is_told_and_nothing_is_left_behind(
    tmp_path: Path, invoked: Any, arguments: list[str], said: list[str]
) -> None:
    """Exit 2, what was expected and what came, no traceback, no document, no session folder."""
    done = invoked("run", *arguments, "--json")
    assert done.exit_code == 2, done.stderr
    for words in said:
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.glob("sessions/*"))


def test_a_recording_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    """A file of something else: exit 2 and what was expected, from the venue's own process."""
    (tmp_path / "x.txt").write_text("hello\nworld\n")
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--data", "x.txt")
    assert done.returncode == 2, done.stderr
    assert "x.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_with_files_is_not_taken_for_a_session(tmp_path: Path) -> None:
    """Nothing of the user's is overwritten."""
    (tmp_path / "kept").write_text("mine")
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--session", ".")
    assert done.returncode == 2
    assert "expected a new or empty folder" in done.stderr
    assert (tmp_path / "kept").read_text() == "mine"


def test_every_start_has_an_epoch_of_its_own(tmp_path: Path) -> None:
    """Client order ids of two runs never meet: a start raises the number, and a file that holds none is refused."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "epoch").write_text("1600000\n")
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "1s", "--json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "state" / "epoch").read_text() == "1600001\n"
    (tmp_path / "state" / "epoch").write_text("many\n")
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "1s", "--json")
    assert done.returncode == 2
    assert "expected the number of the last epoch" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_killed_run_leaves_no_venue_behind(tmp_path, wait_for):
    """The simulated venue ends with the run, however that ended."""
    words, options = command(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--session", "s")
    run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

    def venues() -> list[str]:
        made = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        return [number for number in made if b"venue\0sim" in Path(f"/proc/{number}/cmdline").read_bytes()]

    try:
        started = wait_for(venues, run)
    finally:
        run.kill()
        run.wait()
    wait_for(lambda: not any(Path(f"/proc/{number}").exists() for number in started))
