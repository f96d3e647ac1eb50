"""The seeded market: alive, deep, uncrossed, the same for the same seed however it is stepped."""

from __future__ import annotations

from itertools import count, pairwise
from statistics import median

import pytest

from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side
from bloor.simulation.market import MIN_LEVELS, MarketStyle, SeededMarket
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, Execution
from bloor.simulation.venue import SimulationOptions

SECOND = 1_000_000_000
BTC = Instrument(
    venue="test", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT",
    price_decimals=2, qty_decimals=8, lot_units=1000,
)  # fmt: skip


def market(seed, price=60_000.0, instrument=BTC):
    book, numbers = MatchingBook(), count(1)
    options = SimulationOptions(seed=seed)
    model = SeededMarket(instrument, book, MarketStyle(price=price), options, lambda: next(numbers))
    model.start(0)
    return book, model


def resting(book):
    """``(side, price)`` of every order, by its number."""
    return {
        order.id: (order.side, order.price)
        for side in (book.bids, book.asks)
        for level in list(side.levels.values())
        for order in level.queue
    }


def history(seed, seconds):
    book, model = market(seed)
    events = []
    while model.next_ns <= seconds * SECOND:
        ns = model.next_ns
        trades = [(o.price, o.units, int(o.aggressor)) for o in model.step() if isinstance(o, Execution)]
        events.append((ns, trades, book.depth(Side.BUY, 3), book.depth(Side.SELL, 3)))
    return events


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_book_is_always_deep_and_never_crossed(seed):
    """Twenty levels a side and a positive spread after every event."""
    book, model = market(seed)
    traded_at = None
    while model.next_ns <= 20 * SECOND:
        ns = model.next_ns
        outcomes = model.step()
        if traded_at is None and any(isinstance(o, Execution) for o in outcomes):
            traded_at = ns
        assert min(len(book.bids), len(book.asks)) >= MIN_LEVELS >= 20
        assert book.asks.best.price > book.bids.best.price
    assert traded_at is not None and traded_at < SECOND


def test_makers_quote_anew_after_they_have_withdrawn():
    """What leaves a level and what joins it never happen at one time: a venue takes one request after the other."""
    book, model = market(4)
    requoted, before = 0, resting(book)
    while model.next_ns <= 60 * SECOND:
        ns = model.next_ns
        traded = any(isinstance(o, Execution) for o in model.step())
        after = resting(book)
        left = {before[number] for number in before.keys() - after.keys()}
        joined = {after[number] for number in after.keys() - before.keys()}
        assert traded or not left & joined
        requoted += bool(left) and not traded and model.next_ns == ns + 100_000
        before = after
    assert requoted > 20


def test_a_seed_fixes_everything():
    """The same seed gives the same events to the nanosecond; another gives others."""
    assert history(5, 5) == history(5, 5)
    assert history(5, 5) != history(6, 5)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_flows_look_like_a_market(seed):
    """Events cluster at 50 to 150 a second, the spread is mostly a tick or two, prices move, and sizes have a tail."""
    events = history(seed, 60)
    assert 50 <= len(events) / 60 <= 150
    spreads = [asks[0][0] - bids[0][0] for _, _, bids, asks in events]
    assert min(spreads) >= 1 and median(spreads) <= 5
    sizes = sorted(units for _, trades, _, _ in events for _, units, _ in trades)
    assert len(sizes) / 60 >= 5
    assert sizes[len(sizes) * 99 // 100] > 5 * median(sizes)
    mids = [bids[0][0] + asks[0][0] for _, _, bids, asks in events]
    assert 0.0005 < (max(mids) - min(mids)) / mids[0] < 0.1
    gaps = [b[0] - a[0] for a, b in pairwise(events)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance > 1.1 * mean**2  # a Poisson stream has equality


def crossings(seed, seconds):
    """Turns and earnings, in parts of the price, of a crossover of two averages of trade prices, before fees."""
    fast = slow = None
    entry, turns, earned = 0, 0, 0.0
    for _, trades, bids, asks in history(seed, seconds):
        for price, _, _ in trades:
            fast = price if fast is None else fast + (price - fast) / 3
            slow = price if slow is None else slow + (price - slow) / 10
        if fast is None:
            continue
        if not entry and fast > slow + 40:
            entry, turns = asks[0][0], turns + 1
        elif entry and fast < slow - 40:
            earned += (bids[0][0] - entry) / entry
            entry, turns = 0, turns + 1
    return turns, earned


def test_there_are_trends_to_follow():
    """A crossover of two averages earns before fees, and has work every few seconds."""
    found = [crossings(seed, 60) for seed in (1, 2, 3, 4, 5)]
    assert min(turns for turns, _ in found) >= 30
    assert sum(earned for _, earned in found) > 0


def test_a_swept_book_is_deep_again_at_once():
    """An account cannot empty the market."""
    book, model = market(1)
    sweep = BookOrder(id=10**9, owner=1, side=Side.BUY, price=0, units=10**14, type=OrderType.MARKET)
    book.submit(sweep)
    model.restore(0)
    assert len(book.asks) >= MIN_LEVELS and book.asks.best.price > book.bids.best.price
    while model.next_ns <= 5 * SECOND:
        model.step()
        assert book.asks.best.price > book.bids.best.price


def test_a_wall_of_an_account_is_respected():
    """The market trades against what an account rests in its way."""
    book, model = market(1)
    wall = BookOrder(id=10**9, owner=1, side=Side.BUY, price=book.asks.best.price - 1, units=10**8)
    book.submit(wall)
    while model.next_ns <= 20 * SECOND and wall.remaining:
        model.step()
    assert wall.remaining < wall.units


def test_a_coarse_market_works_too():
    """A pair of few ticks has the same properties."""
    coarse = Instrument(
        venue="test", symbol="DOGE-USDT", venue_symbol="DOGEUSDT", base="DOGE", quote="USDT",
        price_decimals=5, qty_decimals=8, lot_units=10**8,
    )  # fmt: skip
    book, model = market(1, 0.12, coarse)
    while model.next_ns <= 10 * SECOND:
        model.step()
        assert min(len(book.bids), len(book.asks)) >= MIN_LEVELS
        assert book.asks.best.price > book.bids.best.price
