"""The whole line in virtual time: plug-ins, sessions, books, strategy, gate, order life, simulated venue."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from bloor.engine.core import Engine
from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.effects import feed_conn, order_conn
from bloor.engine.inputs import INPUTS, Inputs
from bloor.host.replay.compare import Nowhere
from bloor.journal.record import Record, RecordKind
from bloor.market.view import BookState
from bloor.model.orders import Side
from bloor.simulation.world import Latency
from bloor.testing.virtual import MemoryJournal, VirtualRun

SECOND = 1_000_000_000


def momentum(seed: int = 1, **options: Any) -> VirtualRun:
    """A run of momentum with its defaults."""
    return VirtualRun(["momentum"], seed=seed, **options)


@pytest.fixture(scope="module")
def traded() -> VirtualRun:
    """A finished run of 40 virtual seconds, to be looked at only."""
    run = momentum()
    run.for_seconds(40)
    run.finish()
    return run


def decisions(run: VirtualRun) -> list[Decision]:
    """Every decision in its journal."""
    return [Decision.unpack(payload) for kind, _, _, payload in run.journal.records if kind == RecordKind.DECISION]


def test_momentum_trades_and_nothing_is_left_open(traded: VirtualRun) -> None:
    """Orders reach the venue, are acknowledged, fill, and none is open or unknown at the end."""
    tally = traded.engine.tally()
    assert tally["filled"] >= 10
    assert tally["sent"] == tally["acked"] == tally["filled"] + tally["cancelled"]
    assert tally["rejected"] == tally["unknown"] == traded.engine.open_orders == 0
    assert traded.alerts == []


def test_profit_is_the_cash_of_the_fills(traded: VirtualRun) -> None:
    """P&L recomputed from the fills alone, exactly."""
    desk = traded.engine.desks[0]
    i = desk.instrument
    assert traded.fills
    cash = sum((-f.side * i.value(f.price_ticks, f.units) for f in traded.fills), Decimal(0))
    fees = sum((f.fee_quote for f in traded.fills), Decimal(0))
    position = sum(f.side * f.units for f in traded.fills)
    assert desk.position == position
    assert desk.account.pnl_net(desk.mark2) == cash - fees + i.qty(position) * i.price(desk.mark2) / 2


def test_a_spot_account_never_goes_short(traded: VirtualRun) -> None:
    """After every fill the position is at least nothing, base-asset fees taken off."""
    held = Decimal(0)
    for fill in traded.fills:
        qty = fill.instrument.qty(fill.units)
        held += qty if fill.side is Side.BUY else -qty
        held -= fill.fee if fill.fee_asset == fill.instrument.base else 0
        assert held >= 0


def test_every_order_is_journaled_before_it_is_written(traded: VirtualRun) -> None:
    """Each order frame follows its decision at once, and no order frame is without one."""
    records = traded.journal.records
    placed = 0
    for before, record in pairwise(records):
        if record[0] == RecordKind.FRAME_OUT and b'"order.place"' in record[3]:
            assert before[0] == RecordKind.DECISION
            decision = Decision.unpack(before[3])
            assert decision.kind is DecisionKind.PLACE
            assert decision.client_id.encode() in record[3]
            placed += 1
    assert placed == traded.engine.tally()["sent"]


def test_a_seed_fixes_everything() -> None:
    """Two runs of one seed are equal byte for byte; another seed is another market."""
    first, second, other = (momentum(seed) for seed in (5, 5, 6))
    for run in (first, second, other):
        run.for_seconds(10)
    assert first.journal.records == second.journal.records
    assert first.engine.log.hexdigest() == second.engine.log.hexdigest()
    assert first.journal.records != other.journal.records


class Sent(Nowhere):
    """Effects that only remember what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []

    def send(self, conn: int, payload: bytes) -> None:
        """Remembers a frame."""
        self.sent.append((conn, payload))


def replay(run: VirtualRun) -> tuple[Engine, MemoryJournal, Sent]:
    """Feeds the inputs in a run's journal to a new engine of the same plan."""
    journal, effects = MemoryJournal(), Sent()
    engine = Engine(run.engine.plan, effects, journal, run, lambda: 0)
    inputs = Inputs(engine)
    for number, (kind, conn, wall_ns, payload) in enumerate(run.journal.records, start=1):
        if kind in INPUTS:
            inputs.play(Record(number, 0, wall_ns, 1, conn, kind, 1, payload))
    return engine, journal, effects


def test_the_journal_of_a_run_gives_the_same_decisions_again() -> None:
    """Replayed inputs, lost connections among them, give a bit-identical journal and the same frames."""
    run = momentum(seed=3)
    run.for_seconds(8)
    run.world.cut(order_conn(0))
    run.for_seconds(4)
    run.world.cut(feed_conn(0))
    run.for_seconds(8)
    run.finish()
    engine, journal, effects = replay(run)
    assert journal.records == run.journal.records
    assert engine.log.hexdigest() == run.engine.log.hexdigest()
    frames = [(conn, payload) for kind, conn, _, payload in run.journal.records if kind == RecordKind.FRAME_OUT]
    redacted = engine.lines[0].orders.redacted
    assert [(conn, redacted(frame) if conn == order_conn(0) else frame) for conn, frame in effects.sent] == frames


def test_a_run_whose_connection_was_replaced_is_replayed_too() -> None:
    """Both connections' frames are in the record, and the switch is decided again from them."""
    run = momentum(seed=4, sets=["venue.binance.connection_life=6s"], latency=Latency(50_000, 60_000_000))
    run.for_seconds(25)
    run.finish()
    assert run.engine.lines[0].market.replaced >= 2
    engine, journal, effects = replay(run)
    assert engine.lines[0].market.replaced == run.engine.lines[0].market.replaced
    assert journal.records == run.journal.records
    assert engine.log.hexdigest() == run.engine.log.hexdigest()
    assert len(effects.sent) == sum(kind == RecordKind.FRAME_OUT for kind, *_ in run.journal.records)


def test_a_lost_feed_unsynchronises_the_book_and_comes_back() -> None:
    """No decision is made from a book that cannot be believed; the book is rebuilt and trading goes on."""
    run = momentum(seed=2)
    run.for_seconds(5)
    book = run.engine.desks[0].book
    assert book.state == BookState.SYNCED
    run.world.cut(feed_conn(0))
    lost_ns = run.world.now_ns
    run.for_seconds(0.2)
    assert book.state == BookState.UNSYNCED
    run.for_seconds(10)
    assert book.state == BookState.SYNCED
    assert ("disconnected", "binance market data: cut by the test") in run.alerts
    blind = [d for d in decisions(run) if lost_ns <= d.now_ns < lost_ns + SECOND // 4]
    assert not [d for d in blind if d.kind is DecisionKind.PLACE]


def test_orders_in_flight_over_a_lost_connection_are_asked_about_never_resent() -> None:
    """An order whose answer is lost is found by its client id; the venue never sees it twice."""
    run = momentum(seed=1, latency=Latency(20_000_000, 30_000_000))
    cut = 0
    for _ in range(4000):
        run.for_seconds(0.01)
        in_flight = [o for o in run.engine.blotter.open_orders() if not o.acked_ns]
        if in_flight and cut < 3:
            cut += 1
            run.world.cut(order_conn(0))
    run.finish(30)
    assert cut == 3
    places = Counter(d.client_id for d in decisions(run) if d.kind is DecisionKind.PLACE)
    assert max(places.values()) == 1
    assert [d for d in decisions(run) if d.kind is DecisionKind.QUERY]
    assert run.engine.open_orders == 0
    account = run.world.venue.credentials()
    assert account
    # what the venue holds is what we believe
    filled = sum(f.side * f.units for f in run.fills)
    assert filled == run.engine.desks[0].position


def test_a_strategy_that_raises_is_halted_and_its_orders_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on without it, and the halt says which handler failed."""
    run = momentum()
    run.for_seconds(5)
    desk = run.engine.desks[0]

    def on_trade(*_: object) -> None:
        raise ZeroDivisionError("no trades today")

    monkeypatch.setattr(desk.strategy, "on_trade", on_trade)
    run.for_seconds(2)
    assert desk.halted == "ZeroDivisionError in on_trade: no trades today"
    sent = run.engine.tally()["sent"]
    run.for_seconds(5)
    assert run.engine.tally()["sent"] == sent
    assert [code for code, _ in run.alerts] == ["strategy_halted"]


def test_nothing_passes_the_gate_after_the_kill_switch() -> None:
    """After a halt the strategy's orders are denied, coded and journaled."""
    run = momentum()
    run.for_seconds(3)
    sent = run.engine.tally()["sent"]
    run.engine.halt(run.world.now_ns, "test of the kill switch")
    run.for_seconds(30)
    assert run.engine.tally()["sent"] == sent
    assert set(run.engine.measures.denials) == {"HALTED"}
    assert run.engine.gate.halted == "test of the kill switch"


def test_only_reducing_orders_pass_after_the_command() -> None:
    """Open orders are cancelled and every later buy is denied; what is held may be sold."""
    run = momentum()
    run.for_seconds(3)
    desk = run.engine.desks[0]
    desk.strategy.on_trade = lambda *_: None  # type: ignore[method-assign]
    view, lots = desk.book, desk.lots_for(1000.0, desk.book.best_ask)
    assert desk.buy(view.best_ask * 101 // 100, lots, ioc=True) and desk.buy(view.best_bid * 95 // 100, lots)
    run.for_seconds(1)
    assert desk.position > 0 and desk.open_orders == 1
    run.engine.reduce_only(run.world.now_ns, "loss of the day")
    run.for_seconds(1)
    assert desk.open_orders == 0
    assert desk.buy(view.best_bid * 95 // 100, 1) == 0
    assert run.engine.measures.denials["REDUCE_ONLY"] == 1
    assert desk.sell(view.best_bid * 99 // 100, desk.sellable_lots, ioc=True)
    run.for_seconds(1)
    assert desk.sellable_lots == 0
    assert run.alerts[-1] == ("reduce_only", "loss of the day")
    assert DecisionKind.REDUCE_ONLY in [d.kind for d in decisions(run)]


def test_the_command_to_only_reduce_is_replayed() -> None:
    """It is an input like any other."""
    run = momentum(seed=3)
    run.for_seconds(4)
    run.engine.reduce_only(run.world.now_ns, "loss of the day")
    run.for_seconds(4)
    run.finish()
    engine, journal, _ = replay(run)
    assert journal.records == run.journal.records
    assert engine.gate.reduce_only == "loss of the day"


def test_limits_of_the_configuration_bind() -> None:
    """A position limit below one order denies every entry with its code."""
    run = momentum(sets=["risk.order-limits.max_value=100"])
    run.for_seconds(20)
    assert run.engine.tally()["sent"] == 0
    assert set(run.engine.measures.denials) == {"VALUE_ABOVE_MAX"}


def test_stopping_twice_over_leaves_nothing_open(traded: VirtualRun) -> None:
    """The stop is journaled as a decision, and no order follows it."""
    made = decisions(traded)
    stop = [n for n, d in enumerate(made) if d.kind is DecisionKind.STOP]
    assert len(stop) == 1
    assert not [d for d in made[stop[0] :] if d.kind is DecisionKind.PLACE]


def test_what_could_not_be_cancelled_while_disconnected_is_cancelled_afterwards() -> None:
    """A resting order survives the stop of a run without a connection, and is cancelled as soon as there is one."""
    run = momentum()
    run.for_seconds(3)
    desk = run.engine.desks[0]
    desk.strategy.on_trade = lambda *_: None  # type: ignore[method-assign]
    lots = desk.lots_for(1000.0, desk.book.best_bid)
    assert desk.buy(desk.book.best_bid * 95 // 100, lots)
    run.for_seconds(1)
    run.world.cut(order_conn(0))
    run.for_seconds(0.01)
    run.engine.stop(run.world.now_ns)
    assert run.engine.open_orders == 1
    run.world.run(run.world.now_ns + 10 * SECOND, stop=lambda: run.engine.open_orders == 0)
    assert run.engine.open_orders == 0
    assert run.engine.tally()["cancelled"] >= 1
