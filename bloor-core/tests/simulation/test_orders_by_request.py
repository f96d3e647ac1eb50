"""A venue where every request about orders is one over REST, with a body, signed when it is written."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bloor.engine.effects import order_conn
from bloor.execution.life import Status
from bloor.journal.record import RecordKind
from bloor.strategy.api import Strategy
from bloor.testing.truth import replayed
from bloor.testing.virtual import VirtualRun

SECOND = 1_000_000_000
pytestmark = pytest.mark.usefixtures("twins")


class Rests(Strategy):
    """Rests three buy orders far below the market."""

    asked: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Asks for them one after the other."""
        if book.two_sided and self.asked < 3:
            self.asked += 1
            orders.buy(book.best_bid * (97 - self.asked) // 100, orders.lots_for(1000.0, book.best_bid))


def resting(seconds: float = 3.0, **options: Any) -> VirtualRun:
    """A run of three resting orders, some seconds old."""
    run = VirtualRun(strategies=[Rests], venue="letters", **options)
    run.for_seconds(seconds)
    return run


def asked(run: VirtualRun) -> Counter[str]:
    """How often each method and path was asked for."""
    return Counter(f"{request.method} {request.path}" for request in run.world.requests)


def statuses(run: VirtualRun) -> list[Status]:
    """What became of each order."""
    return [Status(order.status) for order in run.engine.blotter]


def test_orders_are_placed_filled_and_cancelled() -> None:
    """A strategy trades as it does over a connection; at the end every open order is cancelled and confirmed."""
    run = VirtualRun(["momentum"], strategies=[Rests], venue="letters", seed=3)
    run.for_seconds(20)
    assert run.engine.open_orders >= 3
    run.finish()
    assert run.engine.open_orders == 0
    tally = run.engine.tally()
    assert tally["sent"] == tally["acked"] > 10
    assert tally["filled"] > 10
    assert asked(run)["POST /api/v3/order"] == tally["sent"]
    assert asked(run)["DELETE /api/v3/order"] >= 3
    assert (run.alerts, run.engine.failure) == ([], None)


def test_the_record_holds_bodies_and_no_secret() -> None:
    """Key, signatures and the token of the answer are nowhere in the journal; what was asked for is."""
    run = resting()
    run.finish()
    session: Any = run.engine.lines[0].orders
    whole = b"\n".join(payload for *_, payload in run.journal.records)
    assert session.token.isdecimal()
    api_key = run.world.venue.credentials()["ed25519"]["api_key"]
    for secret in (session.token.encode() + b"}", b"X-Signature", b"signature", api_key.encode()):
        assert secret not in whole
    requests = [payload for kind, _, _, payload in run.journal.records if kind == RecordKind.REQUEST]
    placed = [payload for payload in requests if b" POST /api/v3/order? " in payload]
    assert len(placed) == 3
    assert all(b"side=BUY" in payload for payload in placed)
    answers = [payload for kind, _, _, payload in run.journal.records if kind == RecordKind.RESPONSE]
    assert sum(b'{"serverTime":"***"}' in payload for payload in answers) == 1


def test_a_replay_makes_the_same_of_it() -> None:
    """Bit for bit, though it never learns the token; after a lost connection there is a new one."""
    run = resting()
    run.world.cut(order_conn(0))
    run.for_seconds(5)
    assert run.engine.lines[0].orders.ready
    run.finish()
    engine, journal = replayed(run)
    assert journal.records == run.journal.records
    assert engine.log.hexdigest() == run.engine.log.hexdigest()
    session: Any = engine.lines[0].orders
    assert session.token == "***"


def test_an_order_whose_answer_is_lost_is_found_out() -> None:
    """It is unknown until it is asked about, and never placed a second time."""
    lost: list[str] = []

    def lossy(request: Any) -> bool:
        if request.method == "POST" and not lost:
            lost.append(request.tag)
            return True
        return False

    run = VirtualRun(strategies=[Rests], venue="letters")
    run.world.rest_lossy = lossy
    run.world.lossy = lambda conn, payload: conn == order_conn(0) and b"executionReport" in payload
    run.for_seconds(4)
    assert lost
    run.for_seconds(15)
    assert statuses(run) == [Status.NEW] * 3
    assert asked(run)["GET /api/v3/order"] >= 1
    assert asked(run)["POST /api/v3/order"] == 3
    run.finish(15)
    assert statuses(run) == [Status.CANCELLED] * 3


def test_a_cancel_whose_answer_is_lost_is_asked_about_at_the_end() -> None:
    """The run ends only once each order is known to be gone."""
    run = resting()
    run.world.lossy = lambda conn, payload: conn == order_conn(0) and b"executionReport" in payload
    run.world.rest_lossy = lambda request: request.method == "DELETE"
    run.finish(30)
    assert run.engine.open_orders == 0
    assert statuses(run) == [Status.CANCELLED] * 3
    assert asked(run)["GET /api/v3/order"] >= 3


def test_an_order_that_the_rate_limit_held_back_is_refused() -> None:
    """Status 429 of our own client means that it was not sent: it is rejected, not unknown."""
    run = VirtualRun(strategies=[Rests], venue="letters")
    held: list[Any] = []

    def request(conn: int, asked_for: Any, go_on: Any = run.world.request) -> None:
        if asked_for.method == "POST" and not held:
            held.append(asked_for)
            run.world._at(
                run.world.now_ns + asked_for.patience_ns,
                lambda: run.engine.response(conn, asked_for.tag, 429, b"", run.world.now_ns),
            )
        else:
            go_on(conn, asked_for)

    run.world.request = request  # type: ignore[method-assign]
    run.for_seconds(6)
    assert sorted(statuses(run)) == sorted([Status.REJECTED, Status.NEW, Status.NEW])
    assert asked(run)["POST /api/v3/order"] == 2
    run.finish()
