"""Order entry from the strategy to the simulated venue and back, in virtual time."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bloor.engine.decisions import DecisionKind
from bloor.engine.effects import order_conn
from bloor.errors import AccessRefusedError
from bloor.execution.life import Status
from bloor.journal.record import RecordKind
from bloor.model.orders import Liquidity
from bloor.simulation.faults import Fault
from bloor.simulation.world import Latency
from bloor.testing.virtual import VirtualRun
from bloor_coinbase.executor import COMMISSION, REFUSALS
from bloor_coinbase.simulated import SimulatedCoinbase
from bloor_coinbase.simulated.accounts import FEES
from bloor_coinbase.simulated.keys import SimulatedKeys

SECOND = 1_000_000_000
#: The user stream stays down for as long as a test needs.
DOWN_NS = 60 * SECOND
SLOW = Latency(40_000_000, 50_000_000)


def order_of(run: VirtualRun, number: int) -> Any:
    """An order of the blotter."""
    order = run.engine.blotter.order(number)
    assert order is not None
    return order


def test_momentum_trades_and_every_fill_has_the_venues_id(trading: Any) -> None:
    """Each fill once, at the venue's price, with its id, fee and side of liquidity."""
    run = VirtualRun(["momentum"], venue="coinbase")
    run.for_seconds(15)
    run.finish()
    trading.assert_true_at_the_end(run)
    assert run.engine.tally()["filled"] >= 10
    assert not run.alerts
    listed = {row["trade_id"]: row for row in trading.listed_fills(run)}
    assert sorted(listed) == sorted(fill.trade_id for fill in run.fills)
    for fill in run.fills:
        row = listed[fill.trade_id]
        i = fill.instrument
        assert (row["price"], row["size"], row["commission"]) == (
            trading.plain(i.price(fill.price_ticks)), trading.plain(i.qty(fill.units)), trading.plain(fill.fee),
        )  # fmt: skip
        assert row["liquidity_indicator"] == Liquidity(fill.liquidity).name
    trading.assert_replays(run)


@pytest.mark.parametrize("kind", ["main", "ed25519"])
def test_an_account_is_traded_with_either_kind_of_key(trading: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The venue verifies every token; a replay does without the key."""
    document = getattr(SimulatedKeys(1), kind).document()
    monkeypatch.setattr(SimulatedCoinbase, "credentials", lambda _venue: document)
    run = VirtualRun(strategies=[trading.Quoter], venue="coinbase")
    run.for_seconds(6)
    run.finish(10)
    assert run.engine.tally()["acked"] > 5
    assert run.engine.tally()["rejected"] == 0
    trading.assert_true_at_the_end(run)
    trading.assert_replays(run)


def test_a_key_without_the_right_ends_the_run(trading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every order is refused with 403: nothing is open, and the run fails with the reason."""
    monkeypatch.setattr(SimulatedCoinbase, "credentials", lambda _venue: SimulatedKeys(1).viewer.document())
    run, desk, _ = trading.idle()
    bid = desk.book.best_bid
    for number in range(REFUSALS + 1):
        assert run.engine.failure is None
        desk.buy(bid * (95 - number) // 100, desk.lots_for(100.0, bid))
        run.for_seconds(0.1)
    assert isinstance(run.engine.failure, AccessRefusedError)
    assert trading.at_venue(run) == []


def test_an_order_is_reduced_and_keeps_its_id(trading: Any) -> None:
    """The venue's order is the same one with less; the strategy is told when the stream says so."""
    run, desk, strategy = trading.idle()
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    before = order.units
    assert desk.amend(number, before // desk.lot_units - 7)
    assert desk.open_buy == before
    run.for_seconds(1)
    assert (order.units, trading.open_at_venue(run)) == (before - 7 * desk.lot_units, [order])
    assert desk.open_buy == order.units
    assert [name for _, name, _ in strategy.told] == ["NEW", "PENDING_REPLACE", "NEW"]
    run.finish()
    trading.assert_true_at_the_end(run)


def test_what_the_venue_cannot_do_is_denied(trading: Any) -> None:
    """A replacement: nothing is sent, and the old order stays."""
    run, desk, _ = trading.idle()
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    assert desk.replace(number, order.price - 100, 50_000_000) == 0
    run.for_seconds(1)
    assert run.engine.measures.denials == {"CHANGE_NOT_SUPPORTED": 1}
    assert trading.open_at_venue(run) == [order]


def test_a_refused_order_has_the_venues_words(trading: Any) -> None:
    """success: false is a rejection with its reason, and nothing stays reserved."""
    run, desk, _ = trading.idle()
    trading.account(run).balance("USD").free = 0
    number = trading.resting(run, desk)
    assert order_of(run, number).status == Status.REJECTED
    assert "INSUFFICIENT_FUND" in order_of(run, number).reason
    assert (desk.open_buy, desk.open_orders) == (0, 0)


def test_a_cancel_before_the_acknowledgement_is_carried_out(trading: Any) -> None:
    """The venue's id is not known yet: the order is looked up, then cancelled."""
    run, desk, _ = trading.idle(latency=SLOW)
    bid = desk.book.best_bid
    number = desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid))
    assert desk.cancel(number)
    run.for_seconds(1)
    assert order_of(run, number).status == Status.CANCELLED
    assert trading.asked(run)[-3:] == [
        "POST /orders", "GET /orders/historical/batch", "POST /orders/batch_cancel",
    ]  # fmt: skip
    trading.assert_true_at_the_end(run)


def test_the_stop_of_a_run_cancels_everything_at_once(trading: Any) -> None:
    """One request for all orders, a decision for each; an answer that is lost is made good."""
    for lost in (False, True):
        run, desk, _ = trading.idle()
        bid = desk.book.best_bid
        numbers = [desk.buy(bid * (95 - n) // 100, desk.lots_for(100.0, bid)) for n in range(5)]
        run.for_seconds(1)
        assert len(trading.open_at_venue(run)) == 5
        if lost:
            trading.lose(run, lambda request: request.path.endswith("/batch_cancel"))
        run.finish(30)
        assert {order_of(run, number).status for number in numbers} == {Status.CANCELLED}
        assert trading.asked(run).count("POST /orders/batch_cancel") == 1
        assert len(trading.decisions(run, DecisionKind.CANCEL)) == 5
        trading.assert_true_at_the_end(run)


def test_an_answer_that_is_lost_is_found_out_and_nothing_is_sent_twice(trading: Any) -> None:
    """The stream tells of the order; without it, it is looked up by our id."""
    for faults in ("", "lost-report:1"):
        run, desk, _ = trading.idle(faults=faults)
        trading.lose(run, lambda request: request.path.endswith("/orders"))
        number = trading.resting(run, desk, 20)
        assert order_of(run, number).status == Status.NEW
        assert trading.asked(run).count("POST /orders") == 1
        run.finish(30)
        trading.assert_true_at_the_end(run)


def test_an_order_that_never_arrived_is_proven_lost(trading: Any) -> None:
    """Not among the orders of the product, twice after the horizon, and no trade that could be its."""
    run, desk, _ = trading.idle()
    trading.drop_requests(run, lambda request: request.path.endswith("/orders"))
    bid = desk.book.best_bid
    number = desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid))
    run.for_seconds(25)
    assert order_of(run, number).status == Status.UNKNOWN
    assert desk.open_orders == 1
    run.for_seconds(60)
    assert order_of(run, number).status == Status.LOST
    assert (desk.open_buy, desk.open_orders) == (0, 0)
    assert trading.decisions(run, DecisionKind.SEARCH_TRADES)
    assert [code for code, _ in run.alerts] == ["lost"]


def test_paper_takes_what_the_venue_takes() -> None:
    """The commission of paper mode is that of the simulated venue's lowest tier."""
    assert [int(part * 1_000_000) for part in (COMMISSION.maker, COMMISSION.taker)] == list(FEES)


# ---- the user stream is down


def down(trading: Any, **options: Any) -> tuple[VirtualRun, Any, int]:
    """A run with one resting order, whose user stream was just lost for a minute."""
    run, desk, _ = trading.idle(**options)
    number = trading.resting(run, desk)
    run.world._backoff_ns = DOWN_NS
    run.world.cut(order_conn(0))
    run.for_seconds(0.001)
    assert not run.engine.lines[0].orders.ready
    return run, desk, number


def test_without_the_stream_nothing_new_is_sent(trading: Any) -> None:
    """Denied, for no fill of it would be heard of; the stop of a run cancels all the same."""
    run, desk, number = down(trading)
    bid = desk.book.best_bid
    assert desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid)) == 0
    assert run.engine.measures.denials == {"ORDERS_NOT_CONNECTED": 1}
    run.finish(10)
    assert order_of(run, number).status == Status.CANCELLED
    trading.assert_true_at_the_end(run)


def test_fills_are_heard_of_though_the_stream_is_down(trading: Any) -> None:
    """Open orders are looked up: one that is gone is asked about, and its fills are fetched."""
    run, desk, number = down(trading)
    (order,) = trading.open_at_venue(run)
    trading.sweep(run, order)
    assert order.executed == order.units
    run.for_seconds(3)
    assert (order_of(run, number).status, desk.position) == (Status.FILLED, order.units)
    run.for_seconds(5)
    trading.assert_true_at_the_end(run)


def test_fills_missed_while_the_stream_was_down_are_found_when_it_is_back(trading: Any) -> None:
    """Every open order is asked about after a reconnect."""
    run, desk, _ = trading.idle(latency=SLOW)
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    run.world.cut(order_conn(0))
    trading.sweep(run, order)
    run.for_seconds(3)
    assert (order_of(run, number).status, desk.position) == (Status.FILLED, order.units)
    assert run.engine.lines[0].orders.ready
    trading.assert_true_at_the_end(run)


def test_a_report_that_is_lost_leaves_a_hole_and_is_made_good(trading: Any) -> None:
    """The next frame shows the hole; the connection is opened anew, and the order is asked about."""
    run, desk, _ = trading.idle()
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    lost: list[bytes] = []

    def lossy(conn: int, payload: bytes) -> bool:
        if conn == order_conn(0) and b'"FILLED"' in payload and not lost:
            lost.append(payload)
            return True
        return False

    run.world.lossy = lossy
    trading.sweep(run, order)
    run.for_seconds(5)
    assert len(lost) == 1
    assert (order_of(run, number).status, desk.position) == (Status.FILLED, order.units)
    assert any("something was lost" in text for code, text in run.alerts if code == "disconnected")
    run.for_seconds(3)
    trading.assert_true_at_the_end(run)


def test_rest_that_shows_no_fills_does_not_hide_them(trading: Any) -> None:
    """They are derived from the stream after some seconds; what REST shows later is not counted again."""
    run, desk, _ = trading.idle()
    number = trading.resting(run, desk)
    (order,) = trading.open_at_venue(run)
    trading.lose(run, lambda request: request.path.endswith("/fills"), most=1)
    trading.sweep(run, order)
    run.for_seconds(2)
    assert desk.position == 0
    assert desk.open_buy == order.units
    run.for_seconds(3)
    assert desk.position == order.units
    (fill,) = run.fills
    assert fill.trade_id == f"{order_of(run, number).venue_order_id}@{order.units}"
    true = trading.listed_fills(run)
    assert trading.plain(fill.fee) == trading.plain(sum(trading.decimal(row["commission"]) for row in true))
    run.for_seconds(20)
    assert (desk.position, len(run.fills)) == (order.units, 1)
    run.finish()
    trading.assert_true_at_the_end(run)


def test_fills_that_are_derived_at_once_are_the_venues(trading: Any) -> None:
    """In quantity, value and fees; REST confirms each, and brings those of which the stream says too little."""
    run = VirtualRun(["momentum"], venue="coinbase", sets=["venue.coinbase.derive_fills_after=0s"])
    run.for_seconds(15)
    run.finish()
    trading.assert_true_at_the_end(run)
    assert not run.alerts
    assert sum("@" in fill.trade_id for fill in run.fills) >= 10
    true = trading.listed_fills(run)
    decimal = trading.decimal
    assert sum(f.instrument.value(f.price_ticks, f.units) for f in run.fills) == sum(
        decimal(row["price"]) * decimal(row["size"]) for row in true
    )
    assert sum(f.fee for f in run.fills) == sum(decimal(row["commission"]) for row in true)
    registry = run.engine.lines[0].orders._registry
    assert not any(registry.of(order.client_id).fills.unproven for order in run.engine.blotter)
    trading.assert_replays(run)


# ---- everything at once


@pytest.mark.parametrize("seed", [2, 3, 6])
def test_a_storm_of_changes_and_faults_ends_in_the_truth(trading: Any, seed: int) -> None:
    """A quoter that changes orders all the time, through every fault: no order twice, no fill lost, all replayed."""
    faults = "lost-ack:0.1,error-after-accept:0.1,lost-report:0.05,duplicate:0.1,rate-limit:0.05,disconnect:8s"
    run = VirtualRun(
        strategies=[trading.Quoter], venue="coinbase", seed=seed, faults=faults,
        latency=Latency(1_000_000, 80_000_000),
    )  # fmt: skip
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
    assert sum(d.kind is DecisionKind.CANCEL for d in made) >= 5
    assert sum(d.kind is DecisionKind.AMEND for d in made) >= 2
    placed = {d.client_id for d in made if d.kind is DecisionKind.PLACE}
    assert {order.client_id for order in trading.at_venue(run)} <= placed
    trading.assert_true_at_the_end(run)
    assert {code for code, _ in run.alerts} <= {"disconnected", "lost", "book_lost"}
    trading.assert_replays(run)


def test_no_key_and_no_token_is_in_the_journal(trading: Any) -> None:
    """Requests are recorded with their bodies and frames without their tokens."""
    run = VirtualRun(strategies=[trading.Quoter], venue="coinbase")
    seen: list[bytes] = []
    send = run.world.send

    def listening(conn: int, payload: bytes) -> None:
        seen.append(payload)
        send(conn, payload)

    run.world.send = listening  # type: ignore[method-assign]
    run.for_seconds(6)
    run.finish(10)
    tokens = [orjson.loads(frame).get("jwt", "") for frame in seen if b'"user"' in frame]
    assert tokens
    everything = b"".join(payload for _, _, _, payload in run.journal.records)
    assert b"eyJ" not in everything
    assert b"Bearer" not in everything
    keys = run.world.venue.credentials()
    assert keys["key_name"].encode() not in everything
    assert keys["private_key_pem"].splitlines()[1].encode() not in everything
    assert all(token.encode() not in everything for token in tokens)
    requests = [payload for kind, _, _, payload in run.journal.records if kind == RecordKind.REQUEST]
    assert any(b'"client_order_id"' in payload for payload in requests)
