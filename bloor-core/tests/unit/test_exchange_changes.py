"""Orders that are changed under the same id, and orders whose time is up."""

from __future__ import annotations

import pytest

from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side
from bloor.simulation.account import Account, Fees
from bloor.simulation.account_orders import AccountEventKind, AccountOrder, Refusal
from bloor.simulation.exchange import Exchange, Market
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, EndReason, OrderState

ONE = 10**18
PAIR = Instrument(venue="test", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=0, qty_decimals=0)


class World:
    """One market and one account with 1000 of the quote asset and 10 of the base."""

    def __init__(self, fees=None):
        self.events = []
        self.market = Market(PAIR, MatchingBook())
        self.account = Account(1, fees or Fees(maker_ppm=0, taker_ppm=0))
        self.account.deposit("A", 10 * ONE)
        self.account.deposit("B", 1000 * ONE)
        self.exchange = Exchange({"AB": self.market}, [self.account], self)
        self.others(Side.SELL, 110, 5)

    def account_event(self, event):
        self.events.append((event.kind, event.reason))

    def public_trade(self, market, trade):
        pass

    def others(self, side, price, units):
        """The market places an order."""
        order = BookOrder(id=self.exchange.next_order_id(), side=side, price=price, units=units)
        self.exchange.absorb(self.market, self.market.book.submit(order), 0)
        return order

    def order(self, price=100, units=2, type=OrderType.LIMIT, **more):
        order = AccountOrder(
            id=self.exchange.next_order_id(), owner=1, market=self.market, client_id="a", side=Side.BUY, price=price,
            units=units, type=type, **more,
        )  # fmt: skip
        assert self.exchange.place(order, 1) is None
        return order

    def queue(self, price=100):
        """Who waits at a price, in order."""
        return list(self.market.book.bids.levels[price].queue)


@pytest.fixture
def world():
    """A fresh one."""
    return World()


def test_less_at_the_same_price_keeps_its_place(world):
    """And gives back what it does not need."""
    order = world.order()
    behind = world.others(Side.BUY, 100, 1)
    assert world.exchange.change(order, price=100, units=1, now_ns=2) is None
    assert world.queue() == [order, behind]
    assert world.account.balance("B").locked == 100 * ONE


def test_more_goes_behind_everybody(world):
    """As another price does."""
    order = world.order()
    behind = world.others(Side.BUY, 100, 1)
    assert world.exchange.change(order, price=100, units=3, now_ns=2) is None
    assert world.queue() == [behind, order] and order.remaining == 3
    assert world.exchange.change(order, price=101, units=3, now_ns=3) is None
    assert world.queue(101) == [order] and order.id in world.exchange.orders
    assert world.account.balance("B").locked == 303 * ONE
    assert [kind for kind, _ in world.events] == [AccountEventKind.NEW] + [AccountEventKind.AMENDED] * 2


def test_a_changed_order_may_take(world):
    """What it takes is settled, the rest rests."""
    order = world.order()
    assert world.exchange.change(order, price=110, units=7, now_ns=2) is None
    assert (order.executed, order.remaining, order.status) == (5, 2, OrderState.OPEN)
    assert world.account.balance("A").free == 15 * ONE
    assert world.account.balance("B").locked == 220 * ONE


def test_what_was_executed_counts(world):
    """The quantity is the whole one, not what is left."""
    order = world.order(units=4)
    world.others(Side.SELL, 100, 1)
    assert world.exchange.change(order, price=99, units=4, now_ns=2) is None
    assert (order.executed, order.remaining) == (1, 3)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"price": 110, "units": 2}, Refusal.WOULD_TAKE),
        ({"price": 100, "units": 11}, Refusal.INSUFFICIENT_BALANCE),
    ],
)
def test_a_refused_change_leaves_the_order_as_it_was(world, change, refusal):
    """In its place, with its money."""
    order = world.order(type=OrderType.POST_ONLY)
    behind = world.others(Side.BUY, 100, 1)
    assert world.exchange.change(order, **change, now_ns=2) is refusal
    assert world.queue() == [order, behind] and (order.price, order.units) == (100, 2)
    assert world.account.balance("B").locked == 200 * ONE


def test_a_waiting_order_may_get_another_stop(world):
    """Unless that was reached already."""
    world.others(Side.BUY, 110, 1)  # trades at 110
    order = world.order(price=130, stop=120, rises=True)
    assert world.exchange.change(order, price=130, units=2, stop=105, now_ns=2) is Refusal.WOULD_TRIGGER
    assert world.exchange.change(order, price=125, units=2, stop=115, now_ns=2) is None
    assert order.waiting and (order.stop, order.price) == (115, 125)
    world.others(Side.SELL, 115, 9)
    world.others(Side.BUY, 115, 5)  # takes the rest at 110 and trades at 115
    assert order.status is OrderState.FILLED


@pytest.mark.parametrize("waits", [False, True])
def test_an_order_expires_when_its_time_is_up(world, waits):
    """Resting or waiting; once."""
    order = world.order(stop=120 if waits else 0, rises=waits)
    assert world.exchange.expire(order, 5)
    assert (order.status, order.updated_ns) == (OrderState.EXPIRED, 5)
    assert world.events[-1] == (AccountEventKind.EXPIRED, EndReason.TIME)
    assert world.account.balance("B").locked == 0
    assert not world.exchange.expire(order, 6)


def test_a_purchase_locks_its_commission_where_it_comes_on_top():
    """The higher rate, until the fill says which it was."""
    world = World(Fees(maker_ppm=10_000, taker_ppm=20_000, in_quote=True))
    order = world.order(units=2)
    assert world.account.balance("B").locked == 204 * ONE
    world.others(Side.SELL, 100, 1)
    assert order.fills[0].fee == ONE and order.fills[0].fee_asset == "B"
    assert world.account.balance("B").locked == 102 * ONE
    assert world.account.balance("B").total == (1000 - 101) * ONE
    assert world.account.balance("A").free == 11 * ONE
