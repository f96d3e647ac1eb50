"""Packages made by ``bloor new`` work as they are, found by their metadata as installed ones are."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib

import pytest

from bloor.plugins.catalog import Catalog
from bloor.scaffold import ScaffoldKind, new_package
from bloor.testing import ExecutorCards, FeedCards, NormalizerCards, SimulatedVenueCards
from bloor.testing.cards.base import cards_of

FRAMES = (
    '{"type":"subscribed","symbols":["BTC_USDT"]}\n'
    '{"type":"book","symbol":"BTC_USDT","snapshot":true,"seq":41,"time_ns":1700000000000000000,'
    '"bids":[["59999.99","0.5"]],"asks":[["60000.00","0.2"]]}\n'
    '{"type":"trade","symbol":"BTC_USDT","id":7,"price":"60000.00","qty":"0.2","side":"buy","time_ns":1700000000100000000}\n'
    '{"type":"book","symbol":"BTC_USDT","snapshot":false,"seq":43,"time_ns":1700000000200000000,'
    '"bids":[],"asks":[["60000.00","0"]]}\n'
)


@pytest.fixture
def installed(shelf):
    """Makes a package and puts it on the shelf; gives what was made."""

    def make(kind: ScaffoldKind, name: str):
        made = new_package(kind, name, out=shelf.folder / "packages", catalog=Catalog({}), year="2026")
        project = tomllib.loads((made.folder / "pyproject.toml").read_text("utf-8"))["project"]
        points = project["entry-points"]
        (shelf.folder / made.module).symlink_to(made.folder / "src" / made.module)
        shelf.add(made.distribution, points["bloor"], {}, manifest=points["bloor.manifest"], version="0.1.0")
        return made

    return make


def test_momentum_trades_on_a_new_venue(shelf, installed, run_until):
    """bloor run -p momentum --venue NAME: feed, normalizer, executor and simulated venue fit together."""
    installed(ScaffoldKind.VENUE, "lime")
    words = ("run", "-p", "momentum", "--venue", "lime", "--duration", "1h", "--json", "--session", "here")
    fills = shelf.folder / "here" / "fills.jsonl"
    done = run_until(
        lambda: fills.is_file() and fills.stat().st_size,
        [sys.executable, "-m", "bloor", *words],
        cwd=shelf.folder,
        env={**os.environ, "PYTHONPATH": str(shelf.folder), "BLOOR_STRATEGY__MOMENTUM__THRESHOLD": "0.1"},
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["instruments"] == ["lime:BTC-USDT"]
    assert document["fills"] > 0 and document["orders"]["unknown"] == document["orders"]["rejected"] == 0
    assert document["data_quality"]["gaps"] == 0


def test_a_new_venue_passes_the_cards(shelf, installed):
    """A package of somebody else's: every card of the four kinds that it has, and its own tests."""
    made = installed(ScaffoldKind.VENUE, "lime")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"],
        cwd=made.folder,
        env={**os.environ, "PYTHONPATH": str(shelf.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    kinds = {"executor": ExecutorCards, "feed": FeedCards, "normalizer": NormalizerCards,
             "simulated venue": SimulatedVenueCards}  # fmt: skip
    for kind, cards in kinds.items():
        line = rf"^  {kind} +{len(list(cards_of(cards)))} cards: \d+ passed(, \d+ does not apply)?$"
        assert re.search(line, done.stdout, re.MULTILINE), kind


def test_a_new_strategy_runs(shelf, installed):
    """bloor run -p NAME, on the simulated venue that is there."""
    pytest.importorskip("bloor_binance")
    installed(ScaffoldKind.STRATEGY, "plum")
    done = shelf.bloor("run", "-p", "plum", "--venue", "binance", "--duration", "1s", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["strategies"] == ["plum"]


def test_a_new_normalizer_reads_recordings(shelf, installed):
    """bloor data normalize --venue NAME: events, and a gap where a number is missing."""
    installed(ScaffoldKind.NORMALIZER, "fig")
    (shelf.folder / "recording.jsonl").write_text(FRAMES)
    done = shelf.bloor("data", "normalize", "--venue", "fig", "recording.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["top", "trade", "gap", "summary"]


@pytest.fixture
def lime(shelf, installed, tmp_path):
    """A new venue that is simulated in a process of its own; gives what makes a command reach it."""
    installed(ScaffoldKind.VENUE, "lime")
    venue = subprocess.Popen(
        [sys.executable, "-m", "bloor", "venue", "sim", "lime", "--json"],
        env={**os.environ, "PYTHONPATH": str(shelf.folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ready = json.loads(venue.stdout.readline())
        keys = tmp_path / "keys.json"
        keys.touch(mode=0o600)
        keys.write_text(json.dumps(ready["credentials"]))
        urls = {f"BLOOR_VENUE__LIME__{name.upper()}_URL": ready[name] for name in ("rest", "streams", "ws_api")}
        yield {**urls, "BLOOR_KEYS__LIME__PROD__FILE": str(keys)}
    finally:
        venue.send_signal(signal.SIGTERM)
        venue.wait()
        venue.stdout.close()


def test_the_doctor_measures_the_clock_of_a_new_venue(shelf, lime):
    """Asked to, it talks to the address that is configured, and to no other."""
    done = shelf.bloor("plugins", "doctor", "lime", "--online", "--json", **lime)
    checks = {check["check"]: check for check in json.loads(done.stdout)["checks"] if check["plugin"] == "lime"}
    checks.pop("import", None)  # a machine that is slow enough has a word on it
    assert done.returncode == 0, done.stdout
    assert {name: check["finding"] for name, check in checks.items()} == {"keys (prod)": "pass", "clock": "pass"}
    assert "ms from ours" in checks["clock"]["text"]


def test_a_new_venue_is_fit_to_trade_with(shelf, lime):
    """bloor check NAME: every step passes, up to the private stream; only the dead man is a warning."""
    done = shelf.bloor("check", "lime", "--json", **lime)
    assert done.returncode == 0, done.stdout
    results = {step["step"]: step["result"] for step in json.loads(done.stdout)["steps"]}
    assert results.pop("dead-man") == "warn"
    assert len(results) > 8 and set(results.values()) == {"pass"}
