"""``bloor record`` as a user runs it: a simulated venue over real sockets, and the folder read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bloor.engine.effects import STANDBY
from bloor.journal.reader import Reader, survey
from bloor.journal.record import RecordKind
from bloor.market.normalize import verify
from bloor.market.recording import RecordedLine, read_recording
from bloor.plugins.host import PluginHost

pytestmark = pytest.mark.timeout(180)


def command(*arguments: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "bloor", *arguments]


@pytest.fixture(scope="module")
def venue() -> Iterator[dict[str, Any]]:
    """A simulated Binance with two pairs, over TLS; what it says when it is ready."""
    words = ["venue", "sim", "binance", "--json", "--tls", "--symbol", "BTC-USDT", "--symbol", "ETH-USDT"]
    server = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
    finally:
        server.terminate()
        server.communicate(timeout=20)


def words(venue: dict[str, Any], out: Path, *more: str) -> list[str]:
    """``bloor record`` of both pairs of the simulated venue."""
    places = [f"venue.binance.rest_url={venue['rest']}", f"venue.binance.streams_url={venue['streams']}"]
    sets = [word for place in places for word in ("--set", place)]
    options = ["--symbol", "BTC-USDT", "ETH-USDT", "--out", str(out), "--ca", venue["ca"], "--json"]
    return command("record", "--venue", "binance", *options, *sets, *more)


def check(out: Path) -> tuple[list[RecordedLine], Any]:
    """What every recording must be: readable, without a gap, with trades that continue each other."""
    lines = [line for line in read_recording([out]) if isinstance(line, RecordedLine)]
    summary = verify(PluginHost().normalizer("binance"), [out], write=lambda _: None)
    assert (summary.gaps, summary.errors) == (0, 0)
    trades: dict[str, list[int]] = {}
    for line in lines:
        event = json.loads(line.payload).get("data", {})
        if event.get("e") == "trade":
            trades.setdefault(event["s"], []).append(event["t"])
    for ids in trades.values():
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert sorted(trades) == ["BTCUSDT", "ETHUSDT"]
    return lines, summary


def test_a_recording_over_tls_with_its_connection_replaced(venue: dict[str, Any], tmp_path: Path) -> None:
    """It ends by itself, says what it has, and can be read as one stream though there were several connections."""
    more = ["--duration", "8s", "--set", "venue.binance.connection_life=2s"]
    done = subprocess.run(words(venue, tmp_path / "r", *more), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert json.loads((tmp_path / "r" / "recording.json").read_text()) == document
    assert (document["stopped"], document["gaps"], document["errors"]) == ("duration", 0, 0)
    assert document["synchronised"] == 2
    assert document["replaced"] >= 1
    lines, summary = check(tmp_path / "r")
    assert summary.trades == document["trades"]
    assert summary.bbos == document["quotes"]
    frames = sum(line.url is None for line in lines)
    records = list(Reader(tmp_path / "r" / "journal"))
    assert sum(record.kind == RecordKind.FRAME_IN for record in records) == document["frames"] > frames
    assert any(record.conn & STANDBY for record in records)
    assert records[-1].kind == RecordKind.FOOTER


@pytest.mark.parametrize("seconds", [0.2, 1.7, 3.1])
def test_a_recorder_that_is_killed_loses_nothing(venue: dict[str, Any], tmp_path: Path, seconds: float) -> None:
    """At any moment, in the middle of a replacement too; the folder is read, and the next recording goes on in it."""
    out = tmp_path / "r"
    recorder = subprocess.Popen(
        words(venue, out, "--set", "venue.binance.connection_life=1s"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seen = wait_for_frames(out, recorder)
        time.sleep(seconds)
    finally:
        recorder.kill()
        recorder.wait(timeout=20)
    found = survey(out / "journal")
    assert found.records > seen
    lines, _ = check(out)
    assert len(lines) >= seen - 1
    assert not (out / "recording.json").exists()
    done = subprocess.run(words(venue, out, "--duration", "1s"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = [line for line in read_recording([out]) if isinstance(line, RecordedLine)]
    assert [line.payload for line in again[: len(lines)]] == [line.payload for line in lines]
    assert len(again) > len(lines)


def wait_for_frames(out: Path, recorder: subprocess.Popen[bytes]) -> int:
    """Waits until some frames are in the folder, both books' snapshots among them; how many records there are."""
    until = time.monotonic() + 60
    while time.monotonic() < until and recorder.poll() is None:
        kinds = [record.kind for record in Reader(out / "journal")]
        if kinds.count(RecordKind.RESPONSE) >= 2 and kinds.count(RecordKind.FRAME_IN) > 50:
            return len(kinds)
        time.sleep(0.05)
    pytest.fail("nothing was recorded")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(venue: dict[str, Any], tmp_path: Path, stop: signal.Signals) -> None:
    """The document is printed, the exit code is 0 and the journal has its last record."""
    out = tmp_path / "r"
    recorder = subprocess.Popen(words(venue, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for_frames(out, recorder)  # type: ignore[arg-type]
        recorder.send_signal(stop)
        stdout, stderr = recorder.communicate(timeout=30)
    finally:
        recorder.kill()
    assert recorder.returncode == 0, stderr
    assert json.loads(stdout)["stopped"] == "interrupted"
    assert list(Reader(out / "journal"))[-1].kind == RecordKind.FOOTER
    check(out)


def test_an_authority_that_is_not_trusted_is_refused(venue: dict[str, Any], tmp_path: Path) -> None:
    """Without the venue's authority nothing is recorded, and the message says why."""
    arguments = words(venue, tmp_path / "r", "--duration", "2s")
    at = arguments.index("--ca")
    done = subprocess.run(arguments[:at] + arguments[at + 2 :], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the certificate is refused: " in done.stderr
    assert "self-signed" in done.stderr or "unable to get local issuer" in done.stderr
    assert done.stdout == ""


@pytest.mark.recorded
def test_a_market_played_flat_out_is_recorded_whole(recordings: Path, tmp_path: Path) -> None:
    """As fast as frames are taken: what is in the folder afterwards is what was played, frame by frame."""
    source = recordings / "binance_spot" / "btcusdt_20240808.txt.gz"
    played = ["venue", "sim", "binance", "--json", "--tls", "--speed", "0", "--data", str(source)]
    server = subprocess.Popen(command(*played), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        arguments = words(ready, tmp_path / "r", "--duration", "15s")
        arguments.remove("ETH-USDT")
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    finally:
        server.terminate()
        server.communicate(timeout=20)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gaps"] == 0
    original = {line.payload for line in read_recording([source]) if isinstance(line, RecordedLine)}
    frames = [line for line in read_recording([tmp_path / "r"]) if isinstance(line, RecordedLine) and not line.url]
    assert len(frames) > 41_000
    assert {line.payload for line in frames} <= original
    trades = [event["t"] for line in frames if (event := json.loads(line.payload)["data"]).get("e") == "trade"]
    assert trades == list(range(trades[0], trades[0] + len(trades)))


def test_two_recorders_do_not_share_a_folder(venue: dict[str, Any], tmp_path: Path) -> None:
    """The second one is refused and changes nothing."""
    out = tmp_path / "r"
    first = subprocess.Popen(words(venue, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_frames(out, first)
        second = subprocess.run(words(venue, out, "--duration", "1s"), capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "another writer has this journal" in second.stderr
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGINT)
        first.wait(timeout=30)
    check(out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--venue", "binanse"], "did you mean 'binance'"),
        (["--venue", "binance", "--env", "moon"], "expected one of prod, testnet"),
        (["--venue", "binance", "--symbol", "kraken:BTC-USDT"], "expected a symbol of binance"),
        (["--venue", "binance", "--set", "venue.binance.depth_speed=1s"], "venue.binance"),
        (["--venue", "binance", "--duration", "30"], "--duration"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, arguments: list[str], says: str) -> None:
    """Bad usage is one message, and no folder is made."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
    line = command("record", "--out", str(tmp_path / "r"), *arguments)
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environ, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert not (tmp_path / "r").exists()
