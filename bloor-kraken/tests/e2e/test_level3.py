"""A run on books by order, over real sockets: replayed, verified, and repeated with its queue counted exactly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bloor.host.backtest.parity import parity
from bloor.host.replay.run import replay
from bloor.market.normalize import verify
from bloor.plugins import PluginHost
from bloor_kraken.instruments import normalizer_spec


def bloor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a command whose user has no keys."""
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder)}
    command = [sys.executable, "-m", "bloor", *words, "--set", "venue.kraken.book=orders"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_a_session_by_order_is_repeated_exactly(tmp_path: Path) -> None:
    """Every decision of a maker comes again with simulated fills: it is known who was ahead of each order."""
    session = tmp_path / "s"
    ran = bloor(tmp_path, "run", "-p", "glft", "--venue", "kraken", "--duration", "5s", "--session", "s", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["data_quality"]["checksum_failures"] == 0
    assert replay(session, PluginHost(), verify=True).failure == ""
    found = verify(normalizer_spec(), [session], write=lambda _: None)
    assert found.sound
    assert found.checksums_ok > 50
    beside = parity(session, PluginHost, {"BLOOR_BACKTEST_CACHE": str(tmp_path / "cache")}, queue_model="fifo")
    assert beside.recorded.share == 1
    assert beside.open_loop.share >= 0.9
    assert beside.closed_loop.share_alike >= 0.5
    journal = b"".join(path.read_bytes() for path in (session / "journal").glob("*.journal"))
    assert b'"token":"***"' in journal


def test_market_data_by_order_need_keys(tmp_path: Path) -> None:
    """What is missing is said before anything is connected."""
    done = bloor(tmp_path, "record", "--venue", "kraken", "--out", "r")
    assert done.returncode == 2
    assert "market data of kraken by order need the keys of an account" in done.stderr
    assert "Traceback" not in done.stderr
