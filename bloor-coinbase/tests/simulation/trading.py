"""What the tests of trading in virtual time share: strategies, a replay, the venue's own view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.desk import Desk
from bloor.execution.life import Status
from bloor.journal.record import RecordKind
from bloor.model.orders import Side
from bloor.simulation.exchange import AccountOrder
from bloor.simulation.orders import BookOrder
from bloor.simulation.venue import HttpRequest
from bloor.strategy.api import Strategy
from bloor.testing.truth import replayed
from bloor.testing.virtual import VirtualRun
from bloor.venue.session import Request
from bloor_coinbase.signing import Tokens, read_credentials

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
    """Keeps one buy order near the bid, cancels, moves and reduces it all the time, and sells what it gets."""

    name = "quoter"
    step: int = 0
    number: int = 0
    next_ns: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        if orders.now_ns < self.next_ns or not book.two_sided:
            return
        self.next_ns = orders.now_ns + SECOND // 3
        self.step += 1
        lots = 4 * orders.min_lots + orders.lots_for(400.0, book.best_bid)
        if orders.sellable_lots >= orders.lots_for(10.0, book.best_bid) and orders.open_sell == 0:
            orders.sell(book.best_bid, orders.sellable_lots, ioc=True)
        elif orders.open_buy == 0:
            self.number = orders.buy(book.best_ask if self.step % 4 == 0 else book.best_bid, lots)
        elif self.step % 3 == 0:
            orders.amend(self.number, lots - self.step % 50 - 1)
        else:
            orders.cancel(self.number)


def idle(seconds: float = 3.0, **options: Any) -> tuple[VirtualRun, Desk, Idle]:
    """A run of :class:`Idle`, some seconds old."""
    run = VirtualRun(strategies=[Idle], venue="coinbase", **options)
    run.for_seconds(seconds)
    (desk, *_) = run.engine.desks
    assert desk.started
    assert isinstance(desk.strategy, Idle)
    return run, desk, desk.strategy


def resting(run: VirtualRun, desk: Desk, seconds: float = 1.0) -> int:
    """A buy order below the market; its number."""
    bid = desk.book.best_bid
    number = desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid))
    assert number
    run.for_seconds(seconds)
    return number


def sweep(run: VirtualRun, order: AccountOrder, units: int = 1 << 40) -> None:
    """Somebody sells so much that an order that rests is filled."""
    venue: Any = run.world.venue
    taker = BookOrder(id=5, owner=None, side=Side.SELL, price=order.price, units=units)
    venue.exchange.absorb(order.market, order.market.book.submit(taker), run.world.now_ns)


def at_venue(run: VirtualRun) -> list[AccountOrder]:
    """Every order that the venue ever accepted, oldest first."""
    venue: Any = run.world.venue
    return list(venue.exchange.orders.values())


def open_at_venue(run: VirtualRun) -> list[AccountOrder]:
    """What is open there."""
    venue: Any = run.world.venue
    found: list[AccountOrder] = venue.exchange.open_orders(1)
    return found


def asked(run: VirtualRun) -> list[str]:
    """Method and path, without the common part, of every request that reached the venue."""
    return [f"{r.method} {r.path.removeprefix('/api/v3/brokerage')}" for r in run.world.requests]


def lose(run: VirtualRun, which: Callable[[Request], bool], most: int = 1) -> None:
    """The first answers that ``which`` likes are lost."""
    left = [most]

    def lost(request: Request) -> bool:
        left[0] -= which(request)
        return which(request) and left[0] >= 0

    run.world.rest_lossy = lost


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
    filled = {order.client_id: order.executed for order in orders}
    for known in run.engine.blotter:
        assert known.closed
        assert (known.status == Status.LOST) <= (known.client_id not in accepted)
        assert known.filled == filled.get(known.client_id, 0)
    for desk in run.engine.desks:
        position = sum(
            order.side * order.executed
            for order in orders
            if order.market.instrument.venue_symbol == desk.instrument.venue_symbol
        )
        assert desk.position == position
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


def account(run: VirtualRun) -> Any:
    """The account as the venue has it."""
    venue: Any = run.world.venue
    return venue.exchange.accounts[1]


def listed_fills(run: VirtualRun) -> list[dict[str, Any]]:
    """Every fill of the account, as REST lists them."""
    path = "/api/v3/brokerage/orders/historical/fills"
    keys = read_credentials(run.world.venue.credentials())
    head = Tokens(keys, "").of_request("GET", path, run.world.now_ns)
    headers = {name.lower(): value for name, value in head.items()}
    answer = run.world.venue.request(HttpRequest("GET", path, "limit=1000", headers, b""), run.world.now_ns)
    assert answer.status == 200, answer.body
    rows: list[dict[str, Any]] = orjson.loads(answer.body)["fills"]
    return rows


def plain(value: Decimal | str | int) -> str:
    """A number without zeros at its end."""
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal(text: str) -> Decimal:
    """A number of the venue."""
    return Decimal(text)


def drop_requests(run: VirtualRun, which: Callable[[Request], bool]) -> None:
    """Requests that ``which`` likes never arrive at the venue; nobody answers them."""
    ask = run.world.request

    def request(conn: int, made: Request) -> None:
        if not which(made):
            ask(conn, made)

    run.world.request = request  # type: ignore[method-assign]
