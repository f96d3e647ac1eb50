"""Strategies that rest in the book, at a simulated venue in virtual time."""

from __future__ import annotations

import pytest

from bloor.model.orders import Liquidity
from bloor.testing.virtual import VirtualRun


@pytest.mark.parametrize("name", ["avellaneda-stoikov", "glft", "grid"])
def test_it_trades_as_a_maker_and_never_sells_what_it_has_not(name: str) -> None:
    """A minute: both sides fill, every fill is a maker's, hardly an order is refused, requests are bounded."""
    run = VirtualRun([name], seed=1)
    run.for_seconds(60)
    run.finish()
    tally = run.engine.blotter.tally()
    assert {fill.side for fill in run.fills} == {1, -1}
    assert {fill.liquidity for fill in run.fills} == {Liquidity.MAKER}
    assert tally.denied == 0
    assert tally.rejected <= tally.sent // 10
    assert tally.sent + tally.cancelled <= 60 * 20
    held = 0
    for fill in run.fills:
        held += fill.side * fill.units
        assert held >= 0
    assert not [desk.halted for desk in run.engine.desks if desk.halted]


@pytest.mark.parametrize("name", ["avellaneda-stoikov", "glft", "grid"])
def test_it_bears_a_venue_that_fails(name: str) -> None:
    """Lost answers, lost books, lost connections: it goes on asking, and still sells nothing that it has not."""
    faults = "lost-ack:0.05,error-after-accept:0.05,disconnect:10s,gap:0.02,duplicate:0.05"
    run = VirtualRun([name], seed=5, faults=faults)
    run.for_seconds(40)
    before = run.engine.blotter.tally().sent
    run.for_seconds(40)
    assert run.engine.blotter.tally().sent > before
    held = 0
    for fill in run.fills:
        held += fill.side * fill.units
        assert held >= 0
    assert not [desk.halted for desk in run.engine.desks if desk.halted]
    run.finish()
    assert run.engine.open_orders == 0


@pytest.mark.parametrize("name", ["avellaneda-stoikov", "glft"])
def test_it_sells_from_what_it_was_given(name: str) -> None:
    """With an inventory of its own to begin with, it sells down to it and no further."""
    run = VirtualRun([name], seed=5)
    given = 5_000_000
    run.engine.blotter.give(0, run.engine.desks[0].index, given)
    run.for_seconds(20)
    held = lowest = 0
    for fill in run.fills:
        held += fill.side * fill.units
        lowest = min(lowest, held)
    assert -given <= lowest < 0
