"""Sessions in virtual time beside backtests of them: what both decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from bloor.engine.decisions import DecisionKind
from bloor.host.backtest.parity import Parity, parity
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.plugins import PluginHost
from bloor.testing.virtual import VirtualRun

SEGMENT = 1 << 20


def compared(run: VirtualRun, seconds: float, folder: Path, **options: Any) -> Parity:
    """A run, beside backtests of it."""
    run.for_seconds(seconds)
    run.finish()
    rows = run.journal.records
    header = orjson.dumps({"config": run.setup.record(), "engine": run.engine.plan.record()})
    with Writer(
        folder / "journal", epoch=1, clock=lambda: 0, header=header, wall_ns=rows[0][2], segment_bytes=SEGMENT
    ) as writer:
        for kind, conn, wall_ns, payload in rows:
            writer.append(kind, conn, wall_ns, payload)
            writer.tend()
        writer.close(rows[-1][2])
    cache = {"BLOOR_BACKTEST_CACHE": str(folder / "cache")}
    return parity(folder, PluginHost, cache, **options)


@pytest.mark.parametrize(("symbol", "seed"), [("BTC-USDT", 3), ("ETH-USDT", 7), ("BTC-USDT", 11), ("ETH-USDT", 5)])
def test_with_simulated_fills_the_same_orders_are_sent(symbol: str, seed: int, tmp_path: Path) -> None:
    """Of takers and of makers at least 95 % are the same to the nanosecond, and all with the answers of the venue."""
    run = VirtualRun(["momentum", "grid"], symbols=[symbol], seed=seed)
    found = compared(run, 40, tmp_path)
    assert found.recorded.orders > 40
    assert found.recorded.share == 1 == found.recorded.share_alike
    assert found.recorded.first == ""
    assert found.closed_loop.share >= 0.95
    assert found.closed_loop.share_alike >= found.closed_loop.share
    assert found.open_loop.share >= 0.95


def test_what_is_decided_on_an_answer_hears_the_next(tmp_path: Path) -> None:
    """Answers come one after the other without an event of the market between: none of them is lost."""
    run = VirtualRun(["momentum", "grid"], venue="coinbase", symbols=["BTC-USD"], seed=4)
    found = compared(run, 30, tmp_path)
    assert found.recorded.decisions == found.recorded.same > 30
    assert found.recorded.first == ""


@pytest.mark.parametrize(
    ("name", "venue", "symbol"),
    [
        ("glft", "binance", "BTC-USDT"),
        ("avellaneda-stoikov", "binance", "ETH-USDT"),
        ("glft", "coinbase", "BTC-USD"),
        ("micro-price", "kraken", "BTC-USD"),
    ],
)
def test_makers_at_the_touch_are_repeated(name: str, venue: str, symbol: str, tmp_path: Path) -> None:
    """At least 95 % of their orders have the same fate, and with simulated fills at least 95 % are sent again."""
    run = VirtualRun([name], venue=venue, symbols=[symbol], seed=6)
    found = compared(run, 40, tmp_path)
    assert found.recorded.first == ""
    assert found.open_loop.orders > 30
    assert found.open_loop.share >= 0.95
    assert found.open_loop.apart_ns[0] <= 1_000
    assert found.closed_loop.share >= 0.95
    assert bool(found.open_loop.first) == (found.open_loop.same < found.open_loop.orders)


def test_what_the_connection_refused_is_refused_again(tmp_path: Path) -> None:
    """A rate budget is no check of the gate: orders that it stopped are stopped beside the session too."""
    run = VirtualRun(["glft"], venue="kraken", symbols=["BTC-USD"], seed=3)
    found = compared(run, 40, tmp_path)
    decided = [payload[0] for kind, _, _, payload in run.journal.records if kind == RecordKind.DECISION]
    assert run.engine.gate.denied_by_code() == {}
    assert decided.count(DecisionKind.DENY) > 10
    assert found.recorded.first == ""


def test_a_model_is_fitted_by_the_fates_of_the_orders(tmp_path: Path) -> None:
    """The best is the one with the most orders of the same fate, and of several such the best in the closed loop."""
    run = VirtualRun(["glft"], symbols=["BTC-USDT"], seed=2)
    found = compared(run, 20, tmp_path, fit=True)
    assert found.tried[found.fitted["queue-model"]] == max(found.tried.values())
    assert found.as_dict()["tried"]["front"]["open_loop"] == round(found.tried["front"].open_loop, 4)


@pytest.mark.recorded
def test_a_session_that_played_a_recording_is_repeated(recordings: Path, tmp_path: Path) -> None:
    """Takes consume what the recording shows there as here: nothing refills before it really changes."""
    data = [recordings / "binance_spot" / f"nexousdt_2024072{day}.txt.gz" for day in (3, 4)]
    run = VirtualRun(["momentum"], data=data, speed=20)
    found = compared(run, 40, tmp_path)
    assert found.recorded.first == ""
    assert found.recorded.orders > 5
    assert found.closed_loop.share >= 0.95
    assert found.open_loop.share >= 0.95
