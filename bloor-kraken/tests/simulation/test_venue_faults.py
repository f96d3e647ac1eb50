"""The whole line on the simulated Kraken under every fault: what must be true at the end is true."""

from __future__ import annotations

from collections import Counter

import pytest

from bloor.market.view import BookState
from bloor.model.orders import Side
from bloor.simulation.faults import Fault
from bloor.testing.virtual import VirtualRun

EVERYTHING = "lost-ack:0.05,error-after-accept:0.05,lost-report:0.05,disconnect:8s,gap:0.01,duplicate:0.02"
#: A book that was lost again and again is asked for less and less often.
RECOVERY_S = 60


def faulty(faults: str, seed: int) -> VirtualRun:
    """Twenty seconds of momentum under faults, then without until the book is back, and the end of the run."""
    run = VirtualRun(["momentum"], venue="kraken", seed=seed, faults=faults)
    run.for_seconds(20)
    run.world.venue.faults.stop()  # type: ignore[attr-defined]
    for _ in range(RECOVERY_S):
        run.for_seconds(1)
        if run.engine.desks[0].book.state == BookState.SYNCED:
            break
    run.finish(60)
    return run


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("faults", ["gap:0.03", "duplicate:0.2", "disconnect:5s", EVERYTHING])
def test_no_fault_loses_or_repeats_an_order(faults: str, seed: int) -> None:
    """No order arrives twice, the venue's fills are ours, the book comes back, and nothing is left open or unknown."""
    run = faulty(faults, seed)
    exchange = run.world.venue.exchange  # type: ignore[attr-defined]
    arrived = Counter(order.client_id for order in exchange.orders.values())
    assert arrived and max(arrived.values()) == 1
    theirs = sorted(
        (order.client_id, fill.price, fill.units) for order in exchange.orders.values() for fill in order.fills
    )
    assert sorted((fill.client_id, fill.price_ticks, fill.units) for fill in run.fills) == theirs
    assert run.engine.open_orders == 0 and exchange.open_orders(1) == []
    assert run.engine.tally()["unknown"] == 0
    assert run.engine.desks[0].book.state == BookState.SYNCED
    injected = run.world.venue.faults.counts  # type: ignore[attr-defined]
    named = {fault for fault in Fault if fault.value in faults}
    assert named <= injected.keys() or len(named) > 1, "a run that never met the fault proves nothing"


def test_dropped_messages_do_not_reach_the_book() -> None:
    """They are seen by the checksum, and once the book is back its levels are the venue's."""
    run = faulty("gap:0.05", 4)
    assert "book_lost" in {code for code, _ in run.alerts}
    desk = run.engine.desks[0]
    venue_book = run.world.venue.exchange.markets["BTC/USD"].book  # type: ignore[attr-defined]
    equal = 0
    for _ in range(400):
        run.for_seconds(0.01)
        view = desk.book
        assert view.best_bid < view.best_ask
        equal += (view.best_bid, view.best_ask) == tuple(venue_book.depth(side, 1)[0][0] for side in Side)
    assert equal > 300
