"""What the tests of the strategies share: a stage where what is asked for trades at once, in both forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from attrs import define, evolve, field

from bloor.execution.life import Status
from bloor.market.events import EventKind
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import TimeInForce
from bloor.model.records import RecordView
from bloor.strategy.api import Strategy
from bloor.strategy.memory import Handler
from bloor.strategy.params import config_class
from bloor.testing.bothforms import INSTRUMENT, BothForms
from bloor.testing.playing import StageOrders

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


@define
class Resting:
    """An order that rests."""

    leg: int
    side: int
    price: int
    lots: int


@define
class Stage:
    """A strategy in both forms before books that a test sets; an IOC order fills at the touch or is gone.

    Attributes:
        both: The strategy.
        log: ``(side, price that was paid, lots)`` of every fill.
        legs: The leg of each.
        cash: Ticks times lots, less what was paid.
        resting: Number -> order.
        cancels: How many orders were cancelled.
        dead: Legs on which nothing trades.
    """

    both: BothForms
    log: list[tuple[int, int, int]] = field(factory=list)
    legs: list[int] = field(factory=list)
    cash: int = 0
    resting: dict[int, Resting] = field(factory=dict)
    cancels: int = 0
    taken: int = 0
    dead: set[int] = field(factory=set)

    @property
    def held(self) -> int:
        """Position in lots, of the first leg."""
        return self.holds(0)

    def holds(self, leg: int) -> int:
        """Position in lots of a leg."""
        at = self.both.legs[leg]
        return at.exposure.position // at.desk.lot_units

    def worth(self) -> float:
        """Cash and positions at the mid, in ticks times lots, without fees."""
        return self.cash + sum(self.holds(i) * leg.book.mid2 / 2 for i, leg in enumerate(self.both.legs))

    def wait(self, ms: float) -> None:
        """Time passes."""
        self.both.desk.now_ns += round(ms * MS)

    def show(self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], leg: int = 0) -> None:
        """A new book of a leg."""
        now, levels = self.both.desk.now_ns, self.both.legs[leg].levels
        levels.load(list(bids), list(asks), seq=1, exch_ns=now, recv_ns=now)
        levels.view.state = int(BookState.SYNCED)
        self.call(Handler.BOOK, leg=leg)

    def tell_bbo(self, bid: int, bid_qty: int, ask: int, ask_qty: int) -> None:
        """The venue's own best bid and offer."""
        bbo = self.both.trade
        bbo.kind = int(EventKind.BBO)
        bbo.price, bbo.qty, bbo.price2, bbo.qty2 = bid, bid_qty, ask, ask_qty
        self.call(Handler.BBO, bbo)

    def call(self, handler: Handler, event: RecordView | None = None, leg: int = 0) -> None:
        """A handler, and what it asked for."""
        assert self.both.call(handler, event, leg) is None
        self.carry_out()

    def carry_out(self) -> None:
        """What was newly asked for."""
        while self.taken < len(self.both.asked):
            asked, leg = self.both.asked[self.taken], self.both.asked_on[self.taken]
            self.taken += 1
            if len(asked) == 5:
                self.take(self.taken, leg, *(int(cell) for cell in asked))
            elif len(asked) == 1:
                self.cancels += 1
                self.end(int(asked[0]))
            elif not asked:
                for number in [number for number, order in self.resting.items() if order.leg == leg]:
                    self.cancels += 1
                    self.end(number)

    def take(self, number: int, leg: int, side: int, price: int, lots: int, _: int, tif: int) -> None:
        """One order."""
        book = self.both.legs[leg].book
        best = book.best_ask if side > 0 else book.best_bid
        assert price >= 1
        assert lots >= 1
        self.resting[number] = Resting(leg, side, price, lots)
        self.reserve(self.resting[number], 1)
        if tif == TimeInForce.IOC:
            if (price - best) * side >= 0 and leg not in self.dead:
                self.trade(number, best)
            else:
                self.end(number)

    def trade(self, number: int, price: int | None = None) -> None:
        """An order fills, all of it."""
        order = self.resting[number]
        price = order.price if price is None else price
        at = self.both.legs[order.leg]
        units = order.side * order.lots * at.desk.lot_units
        at.exposure.position += units
        assert at.exposure.position >= 0, "sold more than it had"
        self.cash -= order.side * order.lots * price
        self.log.append((order.side, price, order.lots))
        self.legs.append(order.leg)
        self.end(number, filled=abs(units))

    def end(self, number: int, *, filled: int = 0) -> None:
        """An order is no more."""
        order = self.resting.pop(number, None)
        if order is None:
            return
        self.reserve(order, -1)
        told = self.both.order
        told.number, told.side, told.price, told.lots = number, order.side, order.price, order.lots
        told.filled, told.status, told.closed = filled, int(Status.FILLED if filled else Status.CANCELLED), 1
        self.call(Handler.ORDER, told, order.leg)

    def reserve(self, order: Resting, sign: int) -> None:
        """Counts what is open."""
        at = self.both.legs[order.leg]
        units = sign * order.lots * at.desk.lot_units
        at.exposure.open_orders += sign
        if order.side > 0:
            at.exposure.open_buy += units
        else:
            at.exposure.open_sell += units


@pytest.fixture(scope="session")
def stage() -> Callable[..., Stage]:
    """``stage(Momentum, fast=3)``: a strategy with parameters, before one empty book, two, or those named."""

    def make(cls: type[Strategy], others: Sequence[Instrument] = (), **parameters: float) -> Stage:
        if cls.together and not others:
            others = [evolve(INSTRUMENT, symbol="C-B", venue_symbol="CB", base="C")]
        both = BothForms(cls, config_class(cls)(**parameters), orders=StageOrders, others=others)
        both.desk.now_ns = START_NS
        return Stage(both)

    return make
