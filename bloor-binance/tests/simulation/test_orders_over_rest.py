"""Orders over REST while the order connection is down, against the simulated venue, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bloor.engine.decisions import DecisionKind
from bloor.engine.effects import order_conn
from bloor.execution.life import Status
from bloor.journal.record import RecordKind
from bloor.model.orders import Side
from bloor.simulation.orders import BookOrder
from bloor.simulation.world import Latency
from bloor.testing.virtual import VirtualRun
from bloor.venue.session import Request

#: The order connection stays down for as long as a test needs.
DOWN_NS = 60_000_000_000


def down(trading: Any, **options: Any) -> tuple[VirtualRun, Any, Any, int]:
    """A run with one resting order, whose order connection was just lost for a minute."""
    run, desk, strategy = trading.idle(**options)
    number = trading.resting(run, desk)
    run.world._backoff_ns = DOWN_NS
    run.world.cut(order_conn(0))
    run.for_seconds(0.001)
    assert not run.engine.lines[0].orders.ready
    return run, desk, strategy, number


def asked(run: VirtualRun) -> list[str]:
    """Method and path of every signed request that reached the venue."""
    return [f"{request.method} {request.path}" for request in run.world.requests]


def lose(run: VirtualRun, which: Callable[[Request], bool], most: int = 1) -> None:
    """The first answers that ``which`` likes are lost."""
    left = [most]

    def lost(request: Request) -> bool:
        left[0] -= which(request)
        return which(request) and left[0] >= 0

    run.world.rest_lossy = lost


@pytest.mark.parametrize("key", ["ed25519", "hmac", "rsa"])
def test_the_stop_of_a_run_cancels_over_rest(trading: Any, key: str) -> None:
    """The connection is down and orders are open: they are gone within a second, whatever kind the key is."""
    run, _, _, _ = down(trading, key=key)
    assert len(trading.open_at_venue(run)) == 1
    run.finish(1)
    assert run.engine.open_orders == 0
    assert asked(run) == ["DELETE /api/v3/order"]
    trading.assert_true_at_the_end(run)


def test_a_cancel_whose_answer_is_lost_is_found_out(trading: Any) -> None:
    """No answer to the cancel: the order is asked about over REST, and found cancelled."""
    run, _, _, number = down(trading)
    lose(run, lambda request: request.method == "DELETE")
    run.finish(20)
    order = run.engine.blotter.order(number)
    assert order is not None
    assert order.status == Status.CANCELLED
    assert asked(run).count("DELETE /api/v3/order") == 1
    assert "GET /api/v3/order" in asked(run)


def test_a_cancel_that_never_arrived_is_repeated(trading: Any) -> None:
    """Refused before it was carried out: found open, and cancelled again."""
    run, desk, _, number = down(trading)
    venue: Any = run.world.venue
    limits, venue._limits.spend = venue._limits.spend, _refuse_once(venue._limits.spend)
    assert desk.cancel(number)
    run.for_seconds(5)
    venue._limits.spend = limits
    order = run.engine.blotter.order(number)
    assert order is not None
    assert order.status == Status.CANCELLED
    assert asked(run).count("DELETE /api/v3/order") == 2


def _refuse_once(spend: Callable[[int, int], None]) -> Callable[[int, int], None]:
    from bloor_binance.simulated.errors import ApiError

    left = [1]

    def refusing(weight: int, now_ns: int) -> None:
        if left and left.pop():
            raise ApiError(-1003, "Too many requests.", 429, 1)
        spend(weight, now_ns)

    return refusing


def test_fills_are_heard_of_though_the_stream_is_down(trading: Any) -> None:
    """Open orders are looked up: one that is gone is asked about, and its fills are fetched."""
    run, desk, _, number = down(trading)
    venue: Any = run.world.venue
    (order,) = trading.open_at_venue(run)
    sweep = BookOrder(id=5, owner=None, side=Side.SELL, price=order.price, units=1 << 40)
    venue.exchange.absorb(order.market, order.market.book.submit(sweep), run.world.now_ns)
    assert order.executed == order.units
    run.for_seconds(4)
    known = run.engine.blotter.order(number)
    assert known is not None
    assert (known.status, desk.position) == (Status.FILLED, order.units)
    assert asked(run) == ["GET /api/v3/openOrders", "GET /api/v3/order", "GET /api/v3/myTrades"]
    assert not run.engine.lines[0].orders.ready


@pytest.mark.parametrize("allowed", ["off", "cancel", "all"])
def test_what_goes_over_rest_is_configured(trading: Any, allowed: str) -> None:
    """off: everything waits; cancel: nothing new; all: new orders, replacements and reductions too."""
    run, desk, _, number = down(trading, sets=[f"venue.binance.rest_orders={allowed}"])
    price = desk.book.best_bid * 94 // 100
    new = desk.buy(price, 1000)
    assert (new > 0) == (allowed == "all")
    run.for_seconds(1)
    if allowed == "all":
        assert desk.amend(new, 900)
        run.for_seconds(1)
        moved = desk.replace(number, price, 800)
        run.for_seconds(1)
        orders = trading.open_at_venue(run)
        assert [order.units // desk.lot_units for order in orders] == [900, 800]
        assert {o.client_id for o in orders} == {o.client_id for o in run.engine.blotter.open_orders()}
        assert all(o.status == Status.NEW for o in run.engine.blotter.open_orders())
        assert moved
    assert desk.cancel(number) == (allowed == "cancel")
    run.for_seconds(1)
    assert len(trading.open_at_venue(run)) == {"off": 1, "cancel": 0, "all": 2}[allowed]
    if allowed == "off":
        assert asked(run) == []


def test_a_new_order_whose_answer_is_lost_is_never_sent_again(trading: Any) -> None:
    """Unknown, asked about by our id, found: one order at the venue."""
    run, desk, _, _ = down(trading, sets=["venue.binance.rest_orders=all"])
    lose(run, lambda request: request.method == "POST")
    number = desk.buy(desk.book.best_bid * 94 // 100, 1000)
    run.for_seconds(2)
    order = run.engine.blotter.order(number)
    assert order is not None
    assert order.status in (Status.PENDING_NEW, Status.NEW)
    run.for_seconds(20)
    assert order.status == Status.NEW
    assert asked(run).count("POST /api/v3/order") == 1
    assert len(trading.open_at_venue(run)) == 2


def test_requests_about_one_order_do_not_overtake_each_other(trading: Any) -> None:
    """Place and cancel in one moment, over delays that differ: they arrive in order, every time."""
    sets = ["venue.binance.rest_orders=all"]
    run, desk, _, _ = down(trading, sets=sets, latency=Latency(1_000_000, 200_000_000))
    price = desk.book.best_bid * 94 // 100
    numbers = []
    for _ in range(5):
        number = desk.buy(price, 1000)
        assert number
        assert desk.cancel(number)
        numbers.append(number)
        run.for_seconds(0.5)
    run.for_seconds(2)
    for number in numbers:
        order = run.engine.blotter.order(number)
        assert order is not None
        assert order.status == Status.CANCELLED
    assert asked(run).count("DELETE /api/v3/order") == 5


def test_the_connection_takes_over_again(trading: Any) -> None:
    """Once it is back, nothing more goes over REST."""
    run, desk, _, number = down(trading)
    run.for_seconds(DOWN_NS / 1e9 + 2)
    assert run.engine.lines[0].orders.ready
    looked = len(run.world.requests)
    assert looked >= 12
    assert desk.cancel(number)
    run.for_seconds(10)
    assert len(run.world.requests) == looked
    assert run.engine.open_orders == 0


def test_what_is_recorded_of_requests_has_no_key(trading: Any) -> None:
    """Every request is in the journal before it is made, behind its decision; nothing there shows the key."""
    run, _, _, _ = down(trading, key="hmac")
    run.finish(5)
    records = run.journal.records
    made = [payload for kind, _, _, payload in records if kind == RecordKind.REQUEST]
    assert [payload.split(b" ")[1] for payload in made] == [r.method.encode() for r in run.world.requests]
    assert len(trading.decisions(run, DecisionKind.CANCEL)) == 1
    keys = run.world.venue.credentials()["hmac"]
    everything = b"".join(payload for _, _, _, payload in records)
    assert keys["secret"].encode() not in everything
    assert keys["api_key"].encode() not in everything
    assert b"signature=" not in everything
    assert b'"signature":' not in everything


def test_a_run_with_requests_is_replayed(trading: Any) -> None:
    """Answers over REST are inputs like any other: the same journal again, bit for bit."""
    run = VirtualRun(strategies=[trading.Quoter], seed=2, sets=["venue.binance.rest_orders=all"])
    run.for_seconds(6)
    run.world._backoff_ns = 10_000_000_000
    run.world.cut(order_conn(0))
    run.for_seconds(8)
    assert {"POST /api/v3/order", "GET /api/v3/openOrders"} & set(asked(run))
    run.for_seconds(6)
    run.finish(10)
    trading.assert_true_at_the_end(run)
    trading.assert_replays(run)
