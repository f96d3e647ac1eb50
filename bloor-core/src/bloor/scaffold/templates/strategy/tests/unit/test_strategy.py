"""The strategy in virtual time: no clock and no socket; a seed fixes everything."""

from __future__ import annotations

import pytest

pytest.importorskip("bloor_binance", reason="pip install bloor-binance: a simulated venue to trade on")

from bloor.testing.virtual import VirtualRun


def test_it_trades() -> None:
    """Half a minute of a simulated market is enough for orders that fill."""
    run = VirtualRun(["sway"], venue="binance", seed=7)
    run.for_seconds(30)
    run.finish()
    assert run.engine.blotter.tally().filled > 0
    assert run.engine.open_orders == 0


def test_a_seed_fixes_everything() -> None:
    """The same market, the same fills."""
    fills = []
    for _ in range(2):
        run = VirtualRun(["sway"], venue="binance", seed=3)
        run.for_seconds(5)
        fills.append([(fill.side, fill.price_ticks, fill.units) for fill in run.fills])
    assert fills[0] == fills[1]
