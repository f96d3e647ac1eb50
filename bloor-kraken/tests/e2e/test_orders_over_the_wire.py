"""Trading as a user starts it: at the simulated venue of the run, and live at one that stands for the real one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bloor.hookspecs import ExecutorContext
from bloor.host.account import ask
from bloor.host.rest import RestClient
from bloor.native.clock import WallClock
from bloor.simulation.venue import SimulationOptions
from bloor.venue.account import OpenOrder
from bloor.venue.session import Endpoints
from bloor_kraken.account import KrakenAccount
from bloor_kraken.config import KrakenConfig
from bloor_kraken.market_data import feed_spec
from bloor_kraken.signing import read_credentials
from bloor_kraken.simulated import simulated_venue_spec

SEED = 77
LIMITS = """
[venue.kraken]
dead_man = "30s"
[risk.message-rate]
orders_per_second = 20
burst = 40
[risk.order-limits]
max_quantity = "1"
max_value = "5000"
[risk.position-limits]
max_position = "2"
max_position_value = "20000"
max_open_orders = 10
[risk.price-collar]
max_through_bps = "200"
max_away_bps = "2000"
max_age = "5s"
[risk.stale-book]
max_age = "5s"
"""
_TOKEN = re.compile(rb'"token":\s*"([^"]*)"')


class Place:
    """A folder of its own in which the command is run."""

    def __init__(self, folder: Path, run_until: Any) -> None:
        self.folder = folder
        self._run_until = run_until
        clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
        self.env = {**clean, "BLOOR_STATE": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}

    def bloor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bloor", *arguments], cwd=self.folder, env=self.env, text=True,
            capture_output=True, check=False,
        )  # fmt: skip

    def trade(self, fills: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs momentum until it had so many fills, and ends it as Ctrl-C does; the session is ``here``."""
        words = ["run", "-p", "momentum", "--venue", "kraken", "--duration", "1h", "--json", "--session", "here"]
        file = self.folder / "here" / "fills.jsonl"
        done: subprocess.CompletedProcess[str] = self._run_until(
            lambda: file.is_file() and file.read_text().count("\n") >= fills,
            [sys.executable, "-m", "bloor", *words, *arguments], cwd=self.folder, env=self.env,
        )  # fmt: skip
        return done

    def everything(self, *outputs: str) -> bytes:
        """Every byte that a run has left behind in its session, and what it said."""
        session = self.folder / "here"
        files = b"".join(path.read_bytes() for path in session.rglob("*") if path.is_file())
        assert len(files) > 10_000
        return files + "".join(outputs).encode()


@pytest.fixture
def place(tmp_path: Path, run_until: Any) -> Place:
    """An empty folder."""
    return Place(tmp_path, run_until)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """``bloor venue sim kraken``, and what it printed."""
    folder = tmp_path_factory.mktemp("venue")
    command = [sys.executable, "-m", "bloor", "venue", "sim", "kraken", "--json", "--seed", str(SEED)]
    with (
        (folder / "log.txt").open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=folder) as process,
    ):
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


def live(place: Place, venue: dict[str, Any]) -> None:
    """Writes keys and limits, and overrides where Kraken is."""
    keys = place.folder / "keys.json"
    keys.write_text(json.dumps(venue["credentials"]))
    keys.chmod(0o600)
    (place.folder / "live.toml").write_text(LIMITS)
    names = {"rest": "REST_URL", "streams": "STREAMS_URL", "ws_api": "WS_API_URL"}
    assert all("127.0.0.1" in venue[key] for key in names)
    place.env |= {f"BLOOR_VENUE__KRAKEN__{name}": venue[key] for key, name in names.items()}
    place.env["BLOOR_KEYS__KRAKEN__PROD__FILE"] = str(keys)


async def open_orders(venue: dict[str, Any]) -> Sequence[OpenOrder]:
    """What is open at the venue, asked of its REST interface."""
    feed = feed_spec()
    client = RestClient("kraken", venue["rest"], feed.rest, WallClock())
    try:
        context = ExecutorContext(
            config=KrakenConfig(), endpoints=Endpoints(venue["rest"], venue["streams"], venue["ws_api"]),
            credentials=read_credentials(venue["credentials"]),
            instruments=feed.parse_instruments(await client.fetch(feed.instruments_path(()))),
        )  # fmt: skip
        await client.ask_time()
        return await ask(client, KrakenAccount(context).open_orders(client.venue_ns()))
    finally:
        await client.close()


def assert_discreet(everything: bytes, credentials: dict[str, str]) -> None:
    """No key, no secret, no signature, no token."""
    for secret in credentials.values():
        assert secret.encode() not in everything
    assert b"API-Sign" not in everything
    assert set(_TOKEN.findall(everything)) == {b"***"}


def assert_sums(place: Place, document: dict[str, Any]) -> None:
    """The fills on disk are those of the summary, each once, their fees its fees."""
    rows = [json.loads(line) for line in (place.folder / "here" / "fills.jsonl").read_text().splitlines()]
    assert len(rows) == document["fills"] == len({row["trade_id"] for row in rows})
    from decimal import Decimal

    assert sum(Decimal(row["fee_quote"]) for row in rows) == Decimal(document["fees"])


def test_a_run_trades_over_the_wire_and_replays(place: Place) -> None:
    """Orders are acknowledged and filled, the session replays bit for bit, and nothing secret is in it."""
    done = place.trade(4, "--seed", str(SEED))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    orders = document["orders"]
    assert document["fills"] >= 4
    assert orders["sent"] == orders["acked"]
    assert orders["unknown"] == orders["rejected"] == 0
    assert_sums(place, document)
    replay = place.bloor("replay", "here", "--verify", "--json")
    assert replay.returncode == 0, replay.stderr
    assert json.loads(replay.stdout)["hash"] == document["hash"]
    spec = simulated_venue_spec()
    keys = spec.build(SimulationOptions(seed=SEED), lambda conn, payload: None).credentials()
    assert_discreet(place.everything(done.stdout, done.stderr, replay.stdout), dict(keys))


def test_a_check_finds_everything_in_order(place: Place, venue: dict[str, Any]) -> None:
    """Clock, instruments, books, key, account, order entry and the dead-man switch."""
    live(place, venue)
    done = place.bloor("check", "kraken", "--config", "live.toml", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = {step["step"]: step for step in json.loads(done.stdout)["steps"]}
    assert not {"fail", "skip"} & {step["result"] for step in steps.values()}, steps
    assert steps["rights"]["trade"] is True
    assert steps["rights"]["withdraw"] is False
    assert steps["order-entry"]["result"] == "pass"
    assert steps["dead-man"]["supported"] is True


def test_a_live_run_trades_and_leaves_nothing_behind(place: Place, venue: dict[str, Any]) -> None:
    """With keys, limits and an arm; afterwards nothing is open, the switch is off, and nothing secret is on disk."""
    live(place, venue)
    done = place.trade(2, "--mode", "live", "--config", "live.toml", "--arm", "kraken:prod")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["fills"] >= 1
    assert document["failure"] is None
    assert document["accounts"][0]["key"] == {"trade": True, "withdraw": False}
    replay = place.bloor("replay", "here", "--verify", "--json")
    assert replay.returncode == 0, replay.stderr
    assert_discreet(place.everything(done.stdout, done.stderr), venue["credentials"])
    assert asyncio.run(open_orders(venue)) == []


def test_a_wrong_secret_ends_the_start_with_krakens_words(place: Place, venue: dict[str, Any]) -> None:
    """Nothing is traded; the message has what Kraken said and no secret."""
    wrong = {**venue["credentials"], "secret": "d3Jvbmc="}
    live(place, {**venue, "credentials": wrong})
    done = place.bloor(
        "run", "-p", "momentum", "--venue", "kraken", "--mode", "live", "--config", "live.toml", "--arm", "kraken:prod",
        "--duration", "3s", "--json",
    )  # fmt: skip
    assert done.returncode == 1
    assert "EAPI:Invalid signature" in done.stdout + done.stderr or "EAPI:Invalid key" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert wrong["secret"] not in done.stdout + done.stderr
