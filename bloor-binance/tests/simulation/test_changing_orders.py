"""Orders that are replaced and reduced, from the strategy to the simulated venue and back, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from bloor.engine.decisions import DecisionKind
from bloor.engine.effects import order_conn
from bloor.execution.life import Status
from bloor.simulation.faults import Fault
from bloor.simulation.world import Latency
from bloor.testing.virtual import VirtualRun

SECOND = 1_000_000_000
SLOW = Latency(40_000_000, 50_000_000)


def test_an_order_is_replaced_in_one_request(trading: Any) -> None:
    """The old one cancelled, the new one open under its own id; the larger of the two reserved in between."""
    run, desk, strategy = trading.idle()
    old = trading.resting(run, desk)
    (first,) = trading.open_at_venue(run)
    lots = first.units // desk.lot_units
    new = desk.replace(old, first.price - 100, lots + 5)
    assert new == old + 1
    assert (desk.open_buy, desk.open_orders) == ((lots + 5) * desk.lot_units, 2)
    run.for_seconds(1)
    (second,) = trading.open_at_venue(run)
    assert (second.price, second.units, second.id) == (first.price - 100, desk.open_buy, first.id + 1)
    assert [entry for entry in strategy.told if entry[1] != "NEW"] == [
        (old, "PENDING_CANCEL", lots),
        (old, "CANCELLED", lots),
    ]
    (decision,) = trading.decisions(run, DecisionKind.REPLACE)
    assert (decision.number, decision.client_id, decision.lots) == (new, second.client_id, lots + 5)
    assert decision.code
    run.finish()
    trading.assert_true_at_the_end(run)


def test_an_order_is_reduced_and_keeps_its_id(trading: Any) -> None:
    """The venue's order is the same one with less; the strategy is told when it is so."""
    run, desk, strategy = trading.idle()
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    before, client_id = order.units, order.client_id
    assert desk.amend(number, before // desk.lot_units - 7)
    assert desk.open_buy == before
    run.for_seconds(1)
    assert (order.units, order.client_id, trading.open_at_venue(run)) == (
        before - 7 * desk.lot_units,
        client_id,
        [order],
    )
    assert desk.open_buy == order.units
    assert [name for _, name, _ in strategy.told] == ["NEW", "PENDING_REPLACE", "NEW"]
    (decision,) = trading.decisions(run, DecisionKind.AMEND)
    assert (decision.number, decision.lots) == (number, order.units // desk.lot_units)
    run.finish()
    trading.assert_true_at_the_end(run)


def test_what_cannot_be_changed_is_not_sent(trading: Any) -> None:
    """Not ours, not at the venue yet, being cancelled, larger, or nothing left: no request, no decision."""
    run, desk, _ = trading.idle()
    bid = desk.book.best_bid
    number = desk.buy(bid * 95 // 100, 100)
    assert (desk.replace(number, bid * 94 // 100, 100), desk.amend(number, 50)) == (0, False)
    run.for_seconds(1)
    assert (desk.replace(number + 1, bid, 100), desk.amend(number + 1, 1)) == (0, False)
    assert [desk.amend(number, lots) for lots in (100, 101, 0, -5)] == [False] * 4
    assert desk.cancel(number)
    assert (desk.replace(number, bid * 94 // 100, 100), desk.amend(number, 50)) == (0, False)
    assert trading.decisions(run, DecisionKind.REPLACE, DecisionKind.AMEND, DecisionKind.DENY) == []


def test_a_changed_order_passes_the_gate(trading: Any) -> None:
    """Too large, too small, or after a halt: denied with a code, and the old order stays."""
    run, desk, _ = trading.idle(sets=["risk.order-limits.max_value=2000"])
    number = trading.resting(run, desk)
    bid = desk.book.best_bid
    (order,) = trading.open_at_venue(run)
    lots = order.units // desk.lot_units
    assert desk.replace(number, bid * 95 // 100, 3 * lots) == 0
    assert not desk.amend(number, 1)
    assert run.engine.measures.denials == {"VALUE_ABOVE_MAX": 1, "NOTIONAL_BELOW_MIN": 1}
    run.engine.gate.halt("test")
    assert desk.replace(number, bid * 94 // 100, lots) == 0
    assert run.engine.measures.denials["HALTED"] == 1
    run.for_seconds(1)
    assert trading.open_at_venue(run) == [order]


def test_a_replacement_counts_once_against_a_position_limit(trading: Any) -> None:
    """What does not fit beside the old order fits in its stead."""
    run, desk, _ = trading.idle(
        sets=["risk.position-limits.max_position_value=1500", "risk.order-limits.max_value=5000"]
    )
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    lots = order.units // desk.lot_units
    assert desk.buy(order.price, lots) == 0
    assert desk.replace(number, order.price - 10, lots)
    run.for_seconds(1)
    assert len(trading.open_at_venue(run)) == 1


# ---- half of it


def test_cancelled_and_the_new_order_refused(trading: Any) -> None:
    """-2021: the old one is gone, the new one rejected with the venue's words, nothing stays reserved."""
    run, desk, _ = trading.idle()
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    trading.account(run).balance("USDT").free = 0
    new = desk.replace(number, order.price, order.units // desk.lot_units + 5)
    run.for_seconds(1)
    refused = run.engine.blotter.order(new)
    assert refused is not None
    assert (refused.status, refused.reason[:5]) == (Status.REJECTED, "-2010")
    assert (trading.open_at_venue(run), desk.open_orders, desk.open_buy) == ([], 0, 0)
    assert run.engine.tally()["cancelled"] == 1


def test_not_cancelled_and_so_nothing_new(trading: Any) -> None:
    """-2022: the order was already gone; no second one appears, and the truth is asked for."""
    run, desk, _ = trading.idle(latency=SLOW)
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    venue: Any = run.world.venue
    order.style["cancel"] = "by-hand"
    assert venue.exchange.cancel(order, run.world.now_ns)
    new = desk.replace(number, order.price, order.units // desk.lot_units + 5)
    assert new
    run.for_seconds(1)
    refused, old = run.engine.blotter.order(new), run.engine.blotter.order(number)
    assert refused is not None
    assert old is not None
    assert (refused.status, old.status) == (Status.REJECTED, Status.CANCELLED)
    assert (len(trading.at_venue(run)), desk.open_orders, desk.open_buy) == (1, 0, 0)


def traded_in_part(trading: Any, seed: int) -> tuple[VirtualRun, Any, int, int, Any, Any] | None:
    """An order that is replaced just when part of it has traded, and of which no more trades; None if it is not so."""
    run, desk, _ = trading.idle(latency=SLOW, sets=["risk.order-limits.max_value=100000"], seed=seed)
    bid = desk.book.best_bid
    number = desk.buy(bid, desk.lots_for(20_000.0, bid))
    order = run.engine.blotter.order(number)
    assert order is not None
    found = None
    for _ in range(400):
        run.for_seconds(0.01)
        found = next((o for o in trading.at_venue(run) if o.client_id == order.client_id), None)
        if found is not None and found.executed:
            break
    if found is None or not found.executed or order.filled:
        return None
    executed, new = found.executed, desk.replace(number, bid - 100, order.lots)
    run.for_seconds(0.3)
    untouched = found.executed == executed < found.units
    return (run, desk, number, new, order, found) if new and untouched else None


def test_an_order_that_trades_meanwhile_is_not_replaced(trading: Any) -> None:
    """A fill on its way to us: the venue refuses both, so that both together never fill more than the larger."""
    cases = (traded_in_part(trading, seed) for seed in range(1, 100))
    run, desk, number, new, order, found = next(case for case in cases if case is not None)
    replaced = run.engine.blotter.order(new)
    assert replaced is not None
    assert replaced.status == Status.REJECTED
    assert order.status == Status.PARTIALLY_FILLED
    assert order.filled == found.executed
    # what has traded in part is replaced too, and then both count
    both = desk.open_buy + order.lots * desk.lot_units
    assert desk.replace(number, order.price - 100, order.lots)
    assert desk.open_buy == both
    run.finish()
    trading.assert_true_at_the_end(run)


# ---- nobody answers


@pytest.mark.parametrize(
    "faults",
    [
        "lost-ack:1",
        "error-after-accept:1",
        "lost-report:1",
        "lost-ack:1,lost-report:1",
        "error-after-accept:1,lost-report:1",
    ],
)
def test_a_change_without_an_answer_is_found_out(trading: Any, faults: str) -> None:
    """By the private stream, or by a query of each order; nothing is sent twice."""
    run, desk, _ = trading.idle(faults=faults)
    number = trading.resting(run, desk, 6)
    (order,) = trading.open_at_venue(run)
    lots = order.units // desk.lot_units
    assert desk.amend(number, lots - 5)
    run.for_seconds(6)
    amended = run.engine.blotter.order(number)
    assert amended is not None
    assert (amended.status, amended.lots, desk.open_buy) == (Status.NEW, lots - 5, order.units)
    new = desk.replace(number, order.price - 10, lots)
    run.for_seconds(6)
    (second,) = trading.open_at_venue(run)
    replaced = run.engine.blotter.order(new)
    assert replaced is not None
    assert (replaced.status, replaced.client_id) == (Status.NEW, second.client_id)
    assert (amended.status, desk.open_buy, desk.open_orders) == (Status.CANCELLED, second.units, 1)
    assert len(trading.at_venue(run)) == 2
    run.finish(20)
    trading.assert_true_at_the_end(run)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_replacement_over_a_connection_that_breaks(trading: Any, arrives: bool) -> None:
    """Whether it arrived or not, both orders are asked about, and at most one is left."""
    run, desk, _ = trading.idle(latency=SLOW, sets=["venue.binance.rest_orders=off"])
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    new = desk.replace(number, order.price - 10, order.units // desk.lot_units)
    if arrives:
        run.for_seconds(0.06)
    run.world.cut(order_conn(0))
    run.for_seconds(60)
    replaced = run.engine.blotter.order(new)
    assert replaced is not None
    if arrives:
        assert [o.client_id for o in trading.open_at_venue(run)] == [replaced.client_id]
        assert replaced.status == Status.NEW
    else:
        # what was to be moved is cancelled; the new order never existed, which is proven before it counts as lost
        assert (trading.open_at_venue(run), replaced.status) == ([], Status.LOST)
        assert trading.decisions(run, DecisionKind.SEARCH_TRADES)


@pytest.mark.parametrize(("seed", "rest"), [(1, "cancel"), (2, "off"), (3, "cancel"), (47, "all")])
def test_a_storm_of_changes_and_faults_ends_in_the_truth(trading: Any, seed: int, rest: str) -> None:
    """A quoter that changes orders all the time, through every fault: no order twice, no fill lost, all replayed."""
    faults = "lost-ack:0.08,error-after-accept:0.08,lost-report:0.05,duplicate:0.1,rate-limit:0.05,disconnect:8s"
    sets = [f"venue.binance.rest_orders={rest}"]
    run = VirtualRun(
        strategies=[trading.Quoter], seed=seed, faults=faults, sets=sets, latency=Latency(1_000_000, 80_000_000)
    )
    run.world._backoff_ns = 2 * SECOND
    for _ in range(500):
        run.for_seconds(0.1)
        trading.assert_reserved(run)
    venue: Any = run.world.venue
    assert set(venue.faults.counts) >= {Fault.LOST_ACK, Fault.ERROR_AFTER_ACCEPT, Fault.DISCONNECT, Fault.RATE_LIMIT}
    venue.faults.stop()
    run.for_seconds(30)
    run.finish(60)
    made = trading.decisions(run)
    assert sum(d.kind is DecisionKind.REPLACE for d in made) >= 5
    assert sum(d.kind is DecisionKind.AMEND for d in made) >= 2
    placed = {d.client_id for d in made if d.kind in (DecisionKind.PLACE, DecisionKind.REPLACE)}
    assert {order.client_id for order in trading.at_venue(run)} <= placed
    trading.assert_true_at_the_end(run)
    assert {code for code, _ in run.alerts} <= {"disconnected", "lost"}
    trading.assert_replays(run)
