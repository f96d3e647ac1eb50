"""The matching book: priority, order types, self-trade prevention, and the rules by which a recording drives it."""

from __future__ import annotations

import pytest

from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, Ended, EndReason, Execution, OrderState, SelfTrade

BUY, SELL = Side.BUY, Side.SELL


def order(side, price, units, owner=None, **more):
    order.last += 1
    return BookOrder(id=order.last, side=side, price=price, units=units, owner=owner, **more)


order.last = 0


@pytest.fixture
def book():
    """Asks 5 at 101, 5 at 102, 10 at 105; bids 5 at 99, 5 at 98; all of the market."""
    book = MatchingBook()
    for side, price, units in ((SELL, 101, 5), (SELL, 102, 5), (SELL, 105, 10), (BUY, 99, 5), (BUY, 98, 5)):
        book.set_level(side, price, units)
    return book


def executed(outcomes):
    return [(o.price, o.units) for o in outcomes if isinstance(o, Execution)]


def test_a_limit_order_takes_better_levels_first_and_rests_with_the_remainder(book):
    """Several levels fill at their own prices; what is left waits at the limit."""
    taker = order(BUY, 102, 12, owner=1)
    assert executed(book.submit(taker)) == [(101, 5), (102, 5)]
    assert (taker.state, taker.remaining) == (OrderState.OPEN, 2)
    assert book.bids.best.price == 102 and book.units_at(BUY, 102) == 2


def test_the_earlier_order_at_a_price_fills_first():
    """Time decides between equal prices."""
    book = MatchingBook()
    first, second = order(SELL, 100, 3), order(SELL, 100, 3)
    book.submit(first)
    book.submit(second)
    outcomes = book.submit(order(BUY, 100, 4))
    assert [(o.maker, o.units) for o in outcomes] == [(first, 3), (second, 1)]


def test_a_market_order_ends_when_liquidity_does(book):
    """A market order never rests."""
    taker = order(BUY, 0, 30, type=OrderType.MARKET)
    outcomes = book.submit(taker)
    assert executed(outcomes) == [(101, 5), (102, 5), (105, 10)]
    assert outcomes[-1] == Ended(taker, EndReason.NO_LIQUIDITY)
    assert taker.state is OrderState.EXPIRED and taker.remaining == 10


def test_ioc_expires_with_its_remainder(book):
    """What does not fill at once is gone."""
    taker = order(BUY, 101, 7, tif=TimeInForce.IOC)
    outcomes = book.submit(taker)
    assert executed(outcomes) == [(101, 5)]
    assert outcomes[-1] == Ended(taker, EndReason.IOC_REMAINDER)
    assert book.bids.best.price == 99


def test_fok_fills_whole_or_not_at_all(book):
    """One unit short is as good as nothing."""
    assert book.submit(order(BUY, 102, 11, tif=TimeInForce.FOK))[0].reason is EndReason.FOK_UNFILLED
    assert executed(book.submit(order(BUY, 102, 10, tif=TimeInForce.FOK))) == [(101, 5), (102, 5)]


def test_post_only_is_rejected_rather_than_take(book):
    """A maker order never pays the spread."""
    taker = order(BUY, 101, 1, type=OrderType.POST_ONLY)
    assert book.submit(taker) == [Ended(taker, EndReason.WOULD_TAKE)]
    assert taker.state is OrderState.REJECTED


@pytest.mark.parametrize(
    ("mode", "maker_state", "taker_state", "filled"),
    [
        (SelfTrade.EXPIRE_MAKER, OrderState.PREVENTED, OrderState.FILLED, 6),
        (SelfTrade.EXPIRE_TAKER, OrderState.OPEN, OrderState.PREVENTED, 5),
        (SelfTrade.EXPIRE_BOTH, OrderState.PREVENTED, OrderState.PREVENTED, 5),
        (SelfTrade.NONE, OrderState.OPEN, OrderState.FILLED, 6),
    ],
)
def test_self_trade_prevention_follows_the_takers_mode(book, mode, maker_state, taker_state, filled):
    """An account does not trade with itself, unless it says so."""
    maker = order(SELL, 101, 4, owner=7)
    book.submit(maker)
    taker = order(BUY, 102, 6, owner=7, self_trade=mode)
    outcomes = book.submit(taker)
    assert sum(units for _, units in executed(outcomes)) == filled
    assert (maker.state, taker.state) == (maker_state, taker_state)


def test_a_fok_order_that_would_meet_its_own_account_counts_only_what_comes_before(book):
    """Self-trade prevention never leaves a fill-or-kill order half filled."""
    book.submit(order(SELL, 101, 4, owner=7))
    taker = order(BUY, 102, 6, owner=7, tif=TimeInForce.FOK, self_trade=SelfTrade.EXPIRE_TAKER)
    assert executed(book.submit(taker)) == []


def test_a_cancelled_order_leaves_its_level(book):
    """What was cancelled cannot fill."""
    mine = order(BUY, 100, 3, owner=1)
    book.submit(mine)
    assert book.cancel(mine) and not book.cancel(mine)
    assert book.bids.best.price == 99 and mine.state is OrderState.CANCELLED


# -- a recording ------------------------------------------------------------------------------------------------------


def test_an_increase_joins_behind_us_and_a_decrease_leaves_from_behind_us(book):
    """Only trades bring us forward in the queue."""
    mine = order(BUY, 99, 2, owner=1)
    book.submit(mine)
    book.set_level(BUY, 99, 8)
    book.set_level(BUY, 99, 5)
    assert executed(book.trade(99, 5, SELL)) == []
    assert executed(book.trade(99, 1, SELL)) == [(99, 1)]


def test_decreases_beyond_what_is_behind_us_come_from_before_us(book):
    """The queue ahead cannot be longer than the level."""
    mine = order(BUY, 99, 2, owner=1)
    book.submit(mine)
    book.set_level(BUY, 99, 1)
    assert executed(book.trade(99, 2, SELL)) == [(99, 1)]


def test_a_trade_through_our_price_fills_us_up_to_what_traded(book):
    """Whoever sold at 98 would have met our 100 first."""
    mine = order(BUY, 100, 5, owner=1)
    book.submit(mine)
    assert executed(book.trade(98, 3, SELL)) == [(100, 3)]
    assert executed(book.trade(98, 9, SELL)) == [(100, 2)]


def test_two_orders_of_ours_share_one_trade(book):
    """The same liquidity never fills twice."""
    first, second = order(BUY, 100, 2, owner=1), order(BUY, 100, 4, owner=1)
    book.submit(first)
    book.submit(second)
    outcomes = book.trade(99, 5, SELL)
    assert [(o.maker, o.units) for o in outcomes] == [(first, 2), (second, 3)]


def test_a_level_that_crosses_us_fills_us_up_to_its_quantity(book):
    """A recorded ask at our bid's price or below would have traded with us."""
    mine = order(BUY, 100, 5, owner=1)
    book.submit(mine)
    assert executed(book.set_level(SELL, 99, 3)) == [(100, 3)]
    assert book.units_at(SELL, 99) == 0
    assert executed(book.set_level(SELL, 100, 4)) == [(100, 2)]
    assert book.units_at(SELL, 100) == 2


def test_what_we_took_stays_taken_until_the_next_update(book):
    """A level does not grow back by itself."""
    assert executed(book.submit(order(BUY, 101, 9, owner=1, tif=TimeInForce.IOC))) == [(101, 5)]
    assert executed(book.submit(order(BUY, 101, 9, owner=1, tif=TimeInForce.IOC))) == []
    book.set_level(SELL, 101, 4)
    assert executed(book.submit(order(BUY, 101, 9, owner=1, tif=TimeInForce.IOC))) == [(101, 4)]


@pytest.mark.parametrize("taken", [3, 5])
def test_a_level_that_is_said_again_does_not_refill(book, taken):
    """The same quantity once more is no news: what we took of it stays taken."""
    book.submit(order(BUY, 101, taken, owner=1, tif=TimeInForce.IOC))
    book.set_level(SELL, 101, 5)
    book.set_level(SELL, 101, 5)
    assert book.units_at(SELL, 101) == 5 - taken
    book.set_level(SELL, 101, 6)
    assert book.units_at(SELL, 101) == 6


def test_a_level_that_crosses_us_and_is_said_again_fills_us_once(book):
    """Only what has been added trades with us, and nothing is left for the next of our orders."""
    first, second = order(BUY, 100, 5, owner=1), order(BUY, 100, 5, owner=1)
    book.submit(first)
    assert executed(book.set_level(SELL, 100, 3)) == [(100, 3)]
    assert executed(book.set_level(SELL, 100, 3)) == []
    assert executed(book.set_level(SELL, 100, 4)) == [(100, 1)]
    assert executed(book.submit(second)) == []
    assert book.units_at(SELL, 100) == 0


def test_a_level_that_was_gone_is_new_when_it_is_said_again(book):
    """Nothing is taken of it any more: by a change to nothing, by a best price behind it, by what crosses it."""
    for gone in (
        lambda: book.set_level(SELL, 101, 0),
        lambda: book.clear_better(SELL, 102),
        lambda: (book.set_level(BUY, 101, 1), book.set_level(BUY, 101, 0)),
    ):
        book.submit(order(BUY, 101, 9, owner=1, tif=TimeInForce.IOC))
        gone()
        book.set_level(SELL, 101, 5)
        assert book.units_at(SELL, 101) == 5


def test_a_trade_that_the_levels_already_count_only_moves_the_queue(book):
    """The level's quantity stays, our place in it improves."""
    mine = order(BUY, 99, 2, owner=1)
    book.submit(mine)
    book.set_level(BUY, 99, 6)
    book.trade(99, 5, SELL, counted=True)
    assert book.units_at(BUY, 99) == 6 + 2
    assert executed(book.trade(99, 2, SELL, counted=True)) == [(99, 2)]


def test_a_newer_level_removes_what_it_crosses_of_the_market(book):
    """A book is never crossed, also where a recording has gaps."""
    book.set_level(BUY, 103, 4)
    assert book.asks.best.price == 105 and book.bids.best.price == 103


@pytest.mark.parametrize(
    ("units", "price", "type_"), [(0, 5, OrderType.LIMIT), (1, 0, OrderType.LIMIT), (1, 5, OrderType.MARKET)]
)
def test_an_order_that_cannot_be_is_refused(units, price, type_):
    """No order without quantity, no limit without a price."""
    with pytest.raises(ValueError, match="expected a positive"):
        BookOrder(side=BUY, price=price, units=units, type=type_)
