"""Sessions in virtual time beside backtests of them: what both decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from bloor.host.backtest.parity import Parity, parity
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
    assert found.recorded.orders > 50
    assert found.recorded.share == 1 == found.recorded.share_alike
    assert found.recorded.first == ""
    assert found.simulated.share >= 0.95
    assert found.simulated.share_alike >= found.simulated.share


def test_what_is_decided_on_an_answer_hears_the_next(tmp_path: Path) -> None:
    """Answers come one after the other without an event of the market between: none of them is lost."""
    run = VirtualRun(["momentum", "grid"], venue="coinbase", symbols=["BTC-USD"], seed=4)
    found = compared(run, 30, tmp_path)
    assert found.recorded.decisions == found.recorded.same > 30
    assert found.recorded.first == ""
