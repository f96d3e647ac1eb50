"""The whole line under every fault that a venue can inject: what must be true at the end is true."""

from __future__ import annotations

from collections import Counter

import pytest

from bloor.engine.decisions import Decision, DecisionKind
from bloor.journal.record import RecordKind
from bloor.market.view import BookState
from bloor.simulation.faults import Fault
from bloor.testing.virtual import VirtualRun

EVERYTHING = (
    "lost-ack:0.05,error-after-accept:0.05,lost-report:0.05,disconnect:8s,gap:0.01,duplicate:0.02,rate-limit:0.03"
)
#: A book that was lost again and again is asked for less and less often.
RECOVERY_S = 60


def faulty(faults: str, seed: int) -> VirtualRun:
    """Forty seconds of momentum under faults, then without until the book is back, and the end of the run."""
    run = VirtualRun(["momentum"], seed=seed, faults=faults)
    run.for_seconds(40)
    run.world.venue.faults.stop()  # type: ignore[attr-defined]
    for _ in range(RECOVERY_S):
        run.for_seconds(1)
        if run.engine.desks[0].book.state == BookState.SYNCED:
            break
    run.finish(60)
    return run


def check(run: VirtualRun) -> None:
    """The invariants."""
    exchange = run.world.venue.exchange  # type: ignore[attr-defined]
    decisions = [Decision.unpack(payload) for kind, _, _, payload in run.journal.records if kind == RecordKind.DECISION]
    placed = Counter(d.client_id for d in decisions if d.kind is DecisionKind.PLACE)
    arrived = Counter(order.client_id for order in exchange.orders.values())
    assert max(placed.values()) == max(arrived.values()) == 1
    assert arrived.keys() <= placed.keys()
    theirs = sorted(
        (order.client_id, fill.trade_id, fill.price, fill.units)
        for order in exchange.orders.values()
        for fill in order.fills
    )
    ours = sorted((fill.client_id, int(fill.trade_id), fill.price_ticks, fill.units) for fill in run.fills)
    assert ours == theirs
    assert run.engine.open_orders == 0 and exchange.open_orders(1) == []
    assert run.engine.tally()["unknown"] == 0
    desk = run.engine.desks[0]
    assert desk.halted == "" and desk.position == sum(fill.side * fill.units for fill in run.fills)
    assert desk.book.state == BookState.SYNCED
    assert desk.book.best_bid < desk.book.best_ask


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "faults",
    [
        "lost-ack:0.2",
        "error-after-accept:0.2",
        "lost-report:0.2",
        "disconnect:5s",
        "gap:0.03",
        "duplicate:0.1",
        "rate-limit:0.2",
        EVERYTHING,
    ],
)
def test_no_fault_loses_or_repeats_an_order(faults: str, seed: int) -> None:
    """No order twice, the venue's fills are ours, the book comes back, and nothing is left open or unknown."""
    run = faulty(faults, seed)
    check(run)
    injected = run.world.venue.faults.counts  # type: ignore[attr-defined]
    named = {fault for fault in Fault if fault.value in faults}
    assert named <= injected.keys() or len(named) > 1, "a run that never met the fault proves nothing"


def test_gaps_and_repeats_do_not_reach_the_book() -> None:
    """After gaps and repeats the best prices we know are the venue's own as of the same change."""
    run = faulty("gap:0.05,duplicate:0.1", 4)
    assert "book_lost" in {code for code, _ in run.alerts}
    desk, venue = run.engine.desks[0], run.world.venue
    published = venue._published[desk.instrument.venue_symbol]  # type: ignore[attr-defined]
    told: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {}
    compared = 0
    for _ in range(2000):
        run.for_seconds(0.005)
        told[published.update_id] = published.top()
        view = desk.book
        if view.seq in told and view.state == BookState.SYNCED:
            bid, ask = told[view.seq]
            assert ((view.best_bid, view.bid_qty), (view.best_ask, view.ask_qty)) == (bid, ask)
            compared += 1
    assert compared > 100


def test_faults_are_fixed_by_the_seed() -> None:
    """Two runs under the same faults are equal byte for byte."""
    first, second = (faulty(EVERYTHING, 3) for _ in range(2))
    assert first.journal.records == second.journal.records
    assert first.engine.log.hexdigest() == second.engine.log.hexdigest()
