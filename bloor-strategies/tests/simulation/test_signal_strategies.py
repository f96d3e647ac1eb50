"""Strategies that follow a signal, at a simulated venue in virtual time."""

from __future__ import annotations

import pytest

from bloor.testing.virtual import VirtualRun

SYMBOLS = {"pairs": ("ETH-USDT", "SOL-USDT")}
NAMES = ["imbalance", "mean-reversion", "micro-price", "momentum", "pairs"]


def never_short(run: VirtualRun) -> bool:
    """Whether nothing was sold that was not held."""
    held: dict[str, int] = {}
    for fill in run.fills:
        name = fill.instrument.symbol
        held[name] = held.get(name, 0) + fill.side * fill.units
        if held[name] < 0:
            return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_it_trades_within_a_quarter_of_a_minute(name: str) -> None:
    """With its defaults it buys and sells, is denied nothing, and is not short at any moment."""
    run = VirtualRun([name], symbols=SYMBOLS.get(name, ()), seed=1)
    run.for_seconds(15)
    run.finish()
    tally = run.engine.blotter.tally()
    assert tally.filled > 0
    assert tally.denied == 0
    assert tally.rejected <= tally.sent // 5
    run = VirtualRun([name], symbols=SYMBOLS.get(name, ()), seed=2)
    run.for_seconds(60)
    run.finish()
    assert {fill.side for fill in run.fills} == {1, -1}
    assert never_short(run)
    assert not [desk.halted for desk in run.engine.desks if desk.halted]


@pytest.mark.parametrize("name", NAMES)
def test_it_bears_a_venue_that_fails(name: str) -> None:
    """Lost answers, lost books, lost connections: it goes on asking, sells nothing that it has not, leaves nothing."""
    faults = "lost-ack:0.05,error-after-accept:0.05,disconnect:10s,gap:0.02,duplicate:0.05"
    run = VirtualRun([name], symbols=SYMBOLS.get(name, ()), seed=5, faults=faults)
    run.for_seconds(40)
    before = run.engine.blotter.tally().sent
    run.for_seconds(40)
    assert run.engine.blotter.tally().sent > before
    assert never_short(run)
    assert not [desk.halted for desk in run.engine.desks if desk.halted]
    run.finish()
    assert run.engine.open_orders == 0
