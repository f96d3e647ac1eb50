"""``bloor run`` as a user runs it: a process, a simulated venue beside it, real sockets on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind

pytestmark = pytest.mark.timeout(180)


def command(tmp_path: Path, *arguments: str, **environ: str) -> tuple[list[str], dict[str, Any]]:
    """The command line and how to start it: in an empty folder, with a state folder of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
    env = {**clean, "BLOOR_STATE": str(tmp_path / "state"), **environ}
    return [sys.executable, "-m", "bloor", *arguments], {"cwd": tmp_path, "env": env, "text": True}


def bloor(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    words, options = command(tmp_path, *arguments, **environ)
    return subprocess.run(words, capture_output=True, check=False, **options)


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


def test_momentum_trades_on_the_simulated_venue(tmp_path: Path) -> None:
    """Frames in, orders out, fills, one JSON document on stdout, P&L recomputed from the fills."""
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "8s", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["mode"] == "sim"
    assert document["instruments"] == ["binance:BTC-USDT"]
    assert document["orders"]["filled"] >= 1
    assert document["latency_ns"]["tick_to_wire"]["count"] == document["orders"]["sent"]
    assert document["duration_s"] == pytest.approx(8, abs=3)
    assert document["failure"] is None
    check_session(document)


def test_a_run_that_never_sleeps_trades_and_ends(tmp_path: Path) -> None:
    """With --spin everything is as without it, and the run ends when its time is over."""
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "6s", "--spin", "--json")
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
    """The same on a real market, twenty times as fast as it was, to its end."""
    file = recordings / "binance_spot" / "btcusdt_20240808.txt.gz"
    done = bloor(
        tmp_path, "run", "-p", "momentum", "--venue", "binance", "--data", str(file), "--speed", "20", "--json",
        "--duration", "2m",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["frames"] > 40_000
    assert document["orders"]["filled"] > 10
    assert document["data_quality"]["gaps"] == document["data_quality"]["errors"] == 0
    check_session(document)


def test_an_interrupt_cancels_and_prints_the_summary(tmp_path: Path) -> None:
    """Ctrl-C ends a run in good order, not with a traceback."""
    words, options = command(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--json", "--session", "here")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
        journal = tmp_path / "here" / "journal"
        for _ in range(600):
            if journal.is_dir() and any(r.kind == RecordKind.FRAME_IN for r in Reader(journal)):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert Path(document["session"]) == tmp_path / "here"
    check_session(document)


def test_without_a_terminal_the_summary_is_plain_text(tmp_path: Path) -> None:
    """Piped output has the summary and no escape sequences."""
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "3s")
    assert done.returncode == 0, done.stderr
    assert "P&L net" in done.stdout
    assert "\x1b" not in done.stdout


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
def test_bad_input_is_told_and_nothing_is_left_behind(tmp_path: Path, arguments: list[str], said: list[str]) -> None:
    """Exit 2, what was expected and what came, no traceback, no document, no session folder."""
    done = bloor(tmp_path, "run", *arguments, "--json")
    assert done.returncode == 2, done.stderr
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
    """Client order ids of two runs never meet."""
    for number in (1, 2):
        done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "1s", "--json")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "state" / "epoch").read_text() == f"{number}\n"
    (tmp_path / "state" / "epoch").write_text("many\n")
    done = bloor(tmp_path, "run", "-p", "momentum", "--venue", "binance", "--duration", "1s", "--json")
    assert done.returncode == 2
    assert "expected the number of the last epoch" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_killed_run_leaves_no_venue_behind(tmp_path):
    """The simulated venue ends with the run, however that ended."""
    words = ["-m", "bloor", "run", "-p", "momentum", "--venue", "binance", "--session", str(tmp_path / "s")]
    run = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    venues: list[str] = []
    while not venues and run.poll() is None:
        venues = [n for n in made.read_text().split() if b"venue" in Path(f"/proc/{n}/cmdline").read_bytes()]
        time.sleep(0.05)
    assert venues
    run.kill()
    run.wait()
    while any(Path(f"/proc/{n}").exists() for n in venues):  # the test's time limit ends it
        time.sleep(0.05)
