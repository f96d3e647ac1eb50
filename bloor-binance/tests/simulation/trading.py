"""What the tests of trading in virtual time share: strategies, a replay, the venue's own view."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.desk import Desk
from bloor.execution.life import Status
from bloor.journal.record import RecordKind
from bloor.simulation.exchange import AccountOrder
from bloor.strategy.api import Strategy
from bloor.testing.truth import replayed
from bloor.testing.virtual import VirtualRun

SECOND = 1_000_000_000


class Idle(Strategy):
    """Does nothing but remember what it is told: ``(number, status, lots)``."""

    name = "idle"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.told: list[tuple[int, str, int]] = []

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        self.told.append((order.number, Status(order.status).name, order.lots))


class Quoter(Strategy):
    """Keeps one buy order near the bid, moves and reduces it all the time, and sells what it gets."""

    name = "quoter"
    step: int = 0
    number: int = 0
    next_ns: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        if orders.now_ns < self.next_ns or not book.two_sided:
            return
        self.next_ns = orders.now_ns + SECOND // 5
        self.step += 1
        lots = 4 * orders.min_lots + orders.lots_for(400.0, book.best_bid)
        if orders.sellable_lots >= orders.lots_for(10.0, book.best_bid) and orders.open_sell == 0:
            orders.sell(book.best_bid, orders.sellable_lots, ioc=True)
        elif orders.open_buy == 0:
            self.number = orders.buy(book.best_bid, lots)
        elif self.step % 3 == 0:
            orders.amend(self.number, lots - self.step % 50)
        else:
            moved = orders.replace(self.number, book.best_bid - self.step % 2, lots + self.step % 7)
            self.number = moved or self.number


def idle(seconds: float = 3.0, **options: Any) -> tuple[VirtualRun, Desk, Idle]:
    """A run of :class:`Idle`, some seconds old."""
    run = VirtualRun(strategies=[Idle], **options)
    run.for_seconds(seconds)
    (desk, *_) = run.engine.desks
    assert desk.started
    assert isinstance(desk.strategy, Idle)
    return run, desk, desk.strategy


def resting(run: VirtualRun, desk: Desk, seconds: float = 1.0) -> int:
    """A buy order far below the market; its number."""
    bid = desk.book.best_bid
    number = desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid))
    assert number
    run.for_seconds(seconds)
    return number


def at_venue(run: VirtualRun) -> list[AccountOrder]:
    """Every order that the venue ever accepted, oldest first."""
    venue: Any = run.world.venue
    return list(venue.exchange.orders.values())


def open_at_venue(run: VirtualRun) -> list[AccountOrder]:
    """What is open there."""
    venue: Any = run.world.venue
    found: list[AccountOrder] = venue.exchange.open_orders(1)
    return found


def account(run: VirtualRun) -> Any:
    """The account as the venue has it."""
    venue: Any = run.world.venue
    return venue.exchange.accounts[1]


def decisions(run: VirtualRun, *kinds: DecisionKind) -> list[Decision]:
    """Every decision of these kinds in its journal."""
    made = [Decision.unpack(payload) for kind, _, _, payload in run.journal.records if kind == RecordKind.DECISION]
    return [d for d in made if d.kind in kinds] if kinds else made


def assert_replays(run: VirtualRun) -> None:
    """The same journal, bit for bit."""
    engine, journal = replayed(run)
    assert journal.records == run.journal.records
    assert engine.log.hexdigest() == run.engine.log.hexdigest()


def assert_true_at_the_end(run: VirtualRun) -> None:
    """What we believe is what the venue has: nothing open, no order twice, every fill once."""
    orders = at_venue(run)
    assert run.engine.open_orders == 0
    assert open_at_venue(run) == []
    assert max(Counter(order.client_id for order in orders).values()) == 1
    accepted = {order.client_id for order in orders}
    for known in run.engine.blotter:
        assert known.closed
        assert (known.status == Status.LOST) <= (known.client_id not in accepted)
    for desk in run.engine.desks:
        filled = sum(
            order.side * order.executed
            for order in orders
            if order.market.instrument.venue_symbol == desk.instrument.venue_symbol
        )
        assert desk.position == filled
        exposure = desk.exposure
        assert (exposure.open_buy, exposure.open_sell, exposure.open_orders) == (0, 0, 0)


def assert_reserved(run: VirtualRun) -> None:
    """What the venue has let us buy, or still may, is never more than what we know of and have reserved."""
    for desk in run.engine.desks:
        index = desk.index
        bought = sum(o.filled for o in run.engine.blotter if o.side > 0 and o.instrument_index == index)
        symbol = desk.instrument.venue_symbol
        mine = [o for o in at_venue(run) if o.side > 0 and o.market.instrument.venue_symbol == symbol]
        left = sum(o.unsettled for o in open_at_venue(run) if o in mine)
        assert sum(o.executed for o in mine) + left <= bought + desk.exposure.open_buy
