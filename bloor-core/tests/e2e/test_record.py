"""``bloor record`` as a user runs it: a simulated venue over real sockets, and the folder read back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bloor.engine.effects import STANDBY
from bloor.engine.wire import unpack_response
from bloor.journal.follower import Follower
from bloor.journal.reader import Reader, survey
from bloor.journal.record import Record, RecordKind
from bloor.market.normalize import verify
from bloor.market.recording import RecordedLine, read_recording
from bloor.plugins.host import PluginHost

SYMBOLS = {"BTCUSDT", "ETHUSDT"}


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
        server.communicate()


def words(venue: dict[str, Any], out: Path, *more: str) -> list[str]:
    """``bloor record`` of both pairs of the simulated venue."""
    places = [f"venue.binance.rest_url={venue['rest']}", f"venue.binance.streams_url={venue['streams']}"]
    sets = [word for place in places for word in ("--set", place)]
    options = ["--symbol", "BTC-USDT", "ETH-USDT", "--out", str(out), "--ca", venue["ca"], "--json"]
    return command("record", "--venue", "binance", *options, *sets, *more)


def trade(payload: bytes) -> tuple[str, int] | None:
    """Symbol and id of the trade that a frame tells of."""
    event = json.loads(payload).get("data", {})
    return (event["s"], event["t"]) if event.get("e") == "trade" else None


def check(out: Path) -> tuple[list[RecordedLine], Any]:
    """What every recording must be: readable, without a gap, with trades that continue each other."""
    lines = [line for line in read_recording([out]) if isinstance(line, RecordedLine)]
    summary = verify(PluginHost().normalizer("binance"), [out], write=lambda _: None)
    assert (summary.gaps, summary.errors) == (0, 0)
    trades: dict[str, list[int]] = {}
    for symbol, number in filter(None, (trade(line.payload) for line in lines)):
        trades.setdefault(symbol, []).append(number)
    for ids in trades.values():
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert set(trades) == SYMBOLS
    return lines, summary


class Watcher:
    """Follows a recording while it is made, to know what is in it already.

    A number of frames says nothing of what is among them: the other pair may not have traded yet, or a snapshot have
    been fetched twice.
    """

    def __init__(self, out: Path) -> None:
        self.records = 0
        self.trades: set[tuple[str, int]] = set()
        self.second_connections = 0
        self.takeovers = 0
        self._snapshots: set[str] = set()
        self._journal = Follower(out / "journal")

    def whole(self) -> bool:
        """Whether there are a snapshot and a trade of each pair."""
        for record in self._journal:
            self._count(record)
        return self._snapshots == {symbol for symbol, _ in self.trades} == SYMBOLS

    def _count(self, record: Record) -> None:
        self.records += 1
        self.second_connections += record.kind == RecordKind.CONNECTED and bool(record.conn & STANDBY)
        self.takeovers += record.kind == RecordKind.TAKEOVER
        if record.kind == RecordKind.RESPONSE:
            tag, status, _ = unpack_response(record.payload)
            if status == 200:
                self._snapshots.add(tag.removeprefix("depth:"))
        elif record.kind == RecordKind.FRAME_IN and not record.conn & STANDBY:
            self.trades |= {found for found in [trade(record.payload)] if found is not None}


def test_a_recording_over_tls_with_its_connection_replaced(
    venue: dict[str, Any], tmp_path: Path, run_until: Any
) -> None:
    """It says what it has, and can be read as one stream though there were several connections."""
    watcher = Watcher(tmp_path / "r")
    done = run_until(
        lambda: watcher.whole() and watcher.takeovers,
        words(venue, tmp_path / "r", "--set", "venue.binance.connection_life=2s"),
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert json.loads((tmp_path / "r" / "recording.json").read_text()) == document
    assert (document["stopped"], document["gaps"], document["errors"]) == ("interrupted", 0, 0)
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


#: When a recorder dies: with whole books, in the middle of a replacement of its connection, and after it.
MOMENTS: dict[str, Callable[[Watcher], object]] = {
    "whole": lambda watcher: True,
    "replacing": lambda watcher: watcher.second_connections > watcher.takeovers,
    "replaced": lambda watcher: watcher.takeovers,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_recorder_that_is_killed_loses_nothing(
    venue: dict[str, Any], tmp_path: Path, moment: str, wait_for: Any
) -> None:
    """At any moment, in the middle of a replacement too; the folder is read, and the next recording goes on in it."""
    out, watcher = tmp_path / "r", Watcher(tmp_path / "r")
    recorder = subprocess.Popen(
        words(venue, out, "--set", "venue.binance.connection_life=1s"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: watcher.whole() and MOMENTS[moment](watcher), recorder)
    finally:
        recorder.kill()
        recorder.wait()
    assert survey(out / "journal").records >= watcher.records
    lines, _ = check(out)
    assert watcher.trades <= {trade(line.payload) for line in lines}
    assert not (out / "recording.json").exists()
    done = subprocess.run(words(venue, out, "--duration", "1s"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["stopped"] == "duration"
    again = [line for line in read_recording([out]) if isinstance(line, RecordedLine)]
    assert [line.payload for line in again[: len(lines)]] == [line.payload for line in lines]
    assert len(again) > len(lines)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(venue: dict[str, Any], tmp_path: Path, stop: signal.Signals, wait_for: Any) -> None:
    """The document is printed, the exit code is 0 and the journal has its last record."""
    out, watcher = tmp_path / "r", Watcher(tmp_path / "r")
    recorder = subprocess.Popen(words(venue, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(watcher.whole, recorder)
        recorder.send_signal(stop)
        stdout, stderr = recorder.communicate()
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
def test_a_market_played_flat_out_is_recorded_whole(recordings: Path, tmp_path: Path, run_until: Any) -> None:
    """As fast as frames are taken: what is in the folder afterwards is what was played, frame by frame."""
    source = recordings / "binance_spot" / "btcusdt_20240808.txt.gz"
    original = [line.payload for line in read_recording([source]) if isinstance(line, RecordedLine)]
    journal = Follower(tmp_path / "r" / "journal")
    played = ["venue", "sim", "binance", "--json", "--tls", "--speed", "0", "--data", str(source)]
    server = subprocess.Popen(command(*played), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        arguments = words(ready, tmp_path / "r")
        arguments.remove("ETH-USDT")
        done = run_until(lambda: any(record.payload == original[-1] for record in journal), arguments)
    finally:
        server.terminate()
        server.communicate()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gaps"] == 0
    frames = [line for line in read_recording([tmp_path / "r"]) if isinstance(line, RecordedLine) and not line.url]
    assert len(frames) > 41_000
    assert {line.payload for line in frames} <= set(original)
    trades = [event["t"] for line in frames if (event := json.loads(line.payload)["data"]).get("e") == "trade"]
    assert trades == list(range(trades[0], trades[0] + len(trades)))


def test_two_recorders_do_not_share_a_folder(venue: dict[str, Any], tmp_path: Path, wait_for: Any) -> None:
    """The second one is refused and changes nothing."""
    out, watcher = tmp_path / "r", Watcher(tmp_path / "r")
    first = subprocess.Popen(words(venue, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(watcher.whole, first)
        second = subprocess.run(words(venue, out, "--duration", "1s"), capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "another writer has this journal" in second.stderr
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGINT)
        first.wait()
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
def test_what_cannot_be_is_said(tmp_path: Path, invoked: Any, arguments: list[str], says: str) -> None:
    """Bad usage is one message, and no folder is made."""
    done = invoked("record", "--out", str(tmp_path / "r"), *arguments)
    assert done.exit_code == 2, done.stderr
    assert says in done.stderr
    assert not (tmp_path / "r").exists()
