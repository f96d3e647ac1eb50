"""Whatever comes, a matching book is uncrossed, exact and fair."""

from __future__ import annotations

from collections import Counter
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.account import Account, Fees, base_atoms, quote_atoms
from bloor.simulation.exchange import AccountEventKind, AccountOrder, Exchange, Market
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, Execution, OrderState, Prevented, SelfTrade
from bloor.simulation.stops import reached

SIDES = st.sampled_from(Side)
PRICES = st.integers(90, 110)
UNITS = st.integers(1, 20)
ORDERS = st.tuples(
    st.just("order"),
    SIDES,
    PRICES,
    UNITS,
    st.sampled_from(OrderType),
    st.sampled_from(TimeInForce),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(SelfTrade),
)
CANCELS = st.tuples(st.just("cancel"), st.integers(0, 1000))
LEVELS = st.tuples(st.just("level"), SIDES, PRICES, st.integers(0, 20))
STOPS = st.tuples(
    st.just("stop"),
    SIDES,
    PRICES,
    UNITS,
    st.sampled_from([OrderType.LIMIT, OrderType.MARKET]),
    st.just(TimeInForce.GTC),
    st.just(1),
    st.sampled_from(SelfTrade),
    PRICES,
    st.booleans(),
)
AMENDS = st.tuples(st.just("amend"), st.integers(0, 1000), UNITS)
EXPIRIES = st.tuples(st.just("expire"), st.integers(0, 1000))
CHANGES = st.tuples(st.just("change"), st.integers(0, 1000), PRICES, UNITS, PRICES)
TRADES = st.tuples(st.just("trade"), PRICES, UNITS, SIDES, st.booleans())


def made(number, step):
    _, side, price, units, type_, tif, owner, mode = step[:8]
    if type_ is not OrderType.LIMIT:
        tif = TimeInForce.GTC
    price = 0 if type_ is OrderType.MARKET else price
    return BookOrder(id=number, side=side, price=price, units=units, type=type_, tif=tif, owner=owner, self_trade=mode)


def check(book):
    """What is true of a book at any time."""
    if book.bids.best and book.asks.best:
        assert book.bids.best.price < book.asks.best.price
    for side in (book.bids, book.asks):
        levels = list(side.best_first())
        assert [level.price * side.side for level in levels] == sorted(
            (price * side.side for price in side.levels), reverse=True
        )
        for level in levels:
            assert level.queue and all(order.remaining > 0 for order in level.queue)
            assert level.units == sum(order.remaining for order in level.queue)
            assert level.market == sum(order.remaining for order in level.queue if order.owner is None)
            assert all(order.state is OrderState.OPEN and order.price == level.price for order in level.queue)


def check_executions(outcomes, executed):
    for outcome in outcomes:
        if isinstance(outcome, Execution):
            assert outcome.units > 0
            executed[outcome.maker.id] += outcome.units
            if outcome.taker is not None:
                executed[outcome.taker.id] += outcome.units
        elif isinstance(outcome, Prevented):
            assert outcome.maker.owner == outcome.taker.owner is not None
            assert outcome.maker_units >= 0 and outcome.taker_units >= 0
            if outcome.taker.self_trade is SelfTrade.DECREMENT:
                assert outcome.maker_units == outcome.taker_units > 0
                executed[outcome.maker.id] += outcome.maker_units
                executed[outcome.taker.id] += outcome.taker_units


@given(st.lists(st.one_of(ORDERS, CANCELS), max_size=60))
def test_orders_conserve_quantity_and_keep_priority(steps):
    """Every unit is executed, resting or ended; nobody is passed over."""
    book, numbers, orders, executed = MatchingBook(), count(1), [], Counter()
    arrivals: dict[int, int] = {}
    for step in steps:
        if step[0] == "cancel":
            if orders:
                book.cancel(orders[step[1] % len(orders)])
        else:
            order = made(next(numbers), step)
            orders.append(order)
            arrivals[order.id] = order.id
            outcomes = book.submit(order)
            check_executions(outcomes, executed)
            fills = [outcome for outcome in outcomes if isinstance(outcome, Execution)]
            # best price first, and at a price the earliest arrival
            assert fills == sorted(fills, key=lambda fill: (fill.price * order.side, arrivals[fill.maker.id]))
            assert all(not order.price or fill.price * order.side <= order.price * order.side for fill in fills)
        check(book)
    for order in orders:
        assert order.units == order.remaining + executed[order.id]
        assert order.remaining or order.state in (OrderState.FILLED, OrderState.PREVENTED)
        assert order.state is not OrderState.FILLED or order.remaining == 0


@given(st.lists(st.one_of(ORDERS, CANCELS), max_size=60))
def test_nobody_trades_with_himself(steps):
    """Unless the taker's mode lets it."""
    book, numbers, orders = MatchingBook(), count(1), []
    for step in steps:
        if step[0] == "cancel":
            if orders:
                book.cancel(orders[step[1] % len(orders)])
            continue
        order = made(next(numbers), step)
        orders.append(order)
        for outcome in book.submit(order):
            if isinstance(outcome, Execution) and order.owner is not None and outcome.maker.owner == order.owner:
                assert order.self_trade is SelfTrade.NONE


@given(st.integers(1, 20), st.lists(st.one_of(st.integers(1, 30), st.none()), max_size=30))
def test_a_level_is_taken_once_until_it_changes(units, steps):
    """However often a recording says the same of a level, and however many orders of ours take it."""
    book, numbers, filled = MatchingBook(), count(1), 0
    book.set_level(Side.SELL, 100, units)
    for step in steps:
        if step is None:
            outcomes = book.set_level(Side.SELL, 100, units)
        else:
            taker = BookOrder(
                id=next(numbers), side=Side.BUY, price=100, units=step, owner=1,
                tif=TimeInForce.IOC if step % 2 else TimeInForce.GTC, self_trade=SelfTrade.NONE,
            )  # fmt: skip
            outcomes = book.submit(taker)
        filled += sum(outcome.units for outcome in outcomes if isinstance(outcome, Execution))
        check(book)
    assert filled == min(units, sum(step for step in steps if step is not None))


@given(st.lists(st.one_of(LEVELS, TRADES, ORDERS, CANCELS), max_size=60))
def test_a_recording_never_fills_more_than_it_shows(steps):
    """Fills of one recorded trade or level together stay within its quantity."""
    book, numbers, mine, executed = MatchingBook(), count(1), [], Counter()
    for step in steps:
        if step[0] == "level":
            outcomes = book.set_level(*step[1:])
            assert sum(outcome.units for outcome in outcomes) <= step[3]
            assert all(outcome.maker.owner is not None for outcome in outcomes)
        elif step[0] == "trade":
            outcomes = book.trade(*step[1:4], counted=step[4])
            assert sum(outcome.units for outcome in outcomes) <= step[2]
            assert all(outcome.maker.owner is not None for outcome in outcomes)
        elif step[0] == "cancel":
            if mine:
                book.cancel(mine[step[1] % len(mine)])
            outcomes = []
        else:
            order = made(next(numbers), (*step[:6], 1, step[7]))
            mine.append(order)
            outcomes = book.submit(order)
        check_executions(outcomes, executed)
        check(book)
    for order in mine:
        assert order.units == order.remaining + executed[order.id]


INSTRUMENT = Instrument(
    venue="test", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=8, lot_units=1000
)


class Ledger:
    """A listener that recomputes an account from its events."""

    def __init__(self):
        self.base = self.quote = 0
        self.events = []

    def public_trade(self, market, trade):
        assert trade.units > 0

    def account_event(self, event):
        self.events.append(event)
        if event.kind is AccountEventKind.TRADE:
            base = base_atoms(INSTRUMENT, event.fill.units)
            assert event.fill.value == quote_atoms(INSTRUMENT, event.fill.price, event.fill.units)
            sign = event.order.side
            self.base += sign * base - (event.fill.fee if event.fill.fee_asset == "A" else 0)
            self.quote -= sign * event.fill.value + (event.fill.fee if event.fill.fee_asset == "B" else 0)


@given(
    st.lists(st.one_of(ORDERS, STOPS, AMENDS, CHANGES, EXPIRIES, CANCELS, LEVELS, TRADES), max_size=50),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.booleans(),
    st.booleans(),
)
def test_an_account_is_exactly_its_fills(steps, base_lots, quote, public, in_quote):
    """Balances change by fills and fees only, nothing is locked without an order, and nothing is ever negative."""
    ledger = Ledger()
    account = Account(1, Fees(maker_ppm=750, taker_ppm=1000, in_quote=in_quote))
    market = Market(INSTRUMENT, MatchingBook(), publishes_market_trades=public)
    exchange = Exchange({"AB": market}, [account], ledger)
    start = {"A": base_atoms(INSTRUMENT, base_lots * 1000), "B": quote * 10**14}
    for asset, atoms in start.items():
        account.deposit(asset, atoms)
    placed = []
    for now, step in enumerate(steps):
        if step[0] == "level":
            exchange.absorb(market, market.book.set_level(step[1], step[2], step[3] * 1000), now)
        elif step[0] == "trade":
            exchange.absorb(market, market.book.trade(step[1], step[2] * 1000, step[3], counted=step[4]), now)
        elif step[0] == "cancel":
            if placed:
                exchange.cancel(placed[step[1] % len(placed)], now)
        elif step[0] == "expire":
            if placed:
                order = placed[step[1] % len(placed)]
                was_open = order.status is OrderState.OPEN
                assert exchange.expire(order, now) is was_open
                assert not was_open or order.status is OrderState.EXPIRED
        elif step[0] == "change":
            if placed:
                change(exchange, placed[step[1] % len(placed)], step, now)
        elif step[0] == "amend":
            if placed:
                order = placed[step[1] % len(placed)]
                before = order.units
                if exchange.amend(order, step[2] * 1000, f"a{now}", now):
                    assert order.executed + order.prevented < order.units < before
        else:
            plain = made(exchange.next_order_id(), step)
            order = AccountOrder(
                id=plain.id, owner=1, market=market, client_id=str(now), side=plain.side, price=plain.price,
                units=plain.units * 1000, type=plain.type, tif=plain.tif, self_trade=plain.self_trade,
                stop=step[8] if step[0] == "stop" else 0, rises=step[0] == "stop" and step[9],
            )  # fmt: skip
            if exchange.place(order, now) is None:
                placed.append(order)
        for asset, net in (("A", ledger.base), ("B", ledger.quote)):
            balance = account.balance(asset)
            assert balance.free >= 0 and balance.locked >= 0
            assert balance.total == start[asset] + net
            assert balance.locked == sum(o.reserved for o in exchange.open_orders(1) if o.pay_asset == asset)
        assert market.triggered() is None
        assert len(market.stops) == sum(order.waiting for order in placed)
        for order in placed:
            assert not order.waiting or not reached(order, market.last_price)
    for order in placed:
        assert order.executed + order.prevented <= order.units
        assert order.executed == sum(fill.units for fill in order.fills)
        assert order.reserved == 0 or order.status is OrderState.OPEN
        assert order.value < INT64_MAX**2


def change(exchange, order, step, now):
    """Changes an order if it can be; a refusal leaves it as it was."""
    units, stop = step[3] * 1000, step[4] if order.waiting else order.stop
    if (
        order.status is not OrderState.OPEN
        or order.type is OrderType.MARKET
        or units <= order.executed + order.prevented
    ):
        return
    before = (order.price, order.units, order.stop, order.reserved, order.remaining)
    if exchange.change(order, price=step[2], units=units, stop=stop, now_ns=now) is None:
        assert (order.price, order.units, order.stop) == (step[2], units, stop)
    else:
        assert (order.price, order.units, order.stop, order.reserved, order.remaining) == before
        assert order.status is OrderState.OPEN
