"""Momentum on markets whose right answer is known."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from attrs import define, field

from bloor.market.events import EventKind, EventView
from bloor.market.view import BookState, BookView
from bloor.strategy.params import config_class, params_of
from bloor_strategies.momentum import Momentum, bloor_strategy

MS = 1_000_000
LOT = 1_000


@define
class Desk:
    """Orders that fill at once and completely, one tick is one cent, one lot 0.00001."""

    now_ns: int = 0
    position: int = 0
    open_buy: int = 0
    open_sell: int = 0
    open_orders: int = 0
    lot_units: int = LOT
    min_lots: int = 1
    log: list[tuple[str, int, int]] = field(factory=list)

    @property
    def sellable_lots(self) -> int:
        """Everything held."""
        return max(0, self.position) // LOT

    def buy(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Fills."""
        assert ioc
        assert not post_only
        self.log.append(("buy", price, lots))
        self.position += lots * LOT
        return len(self.log)

    def sell(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Fills."""
        assert ioc
        assert not post_only
        self.log.append(("sell", price, lots))
        self.position -= lots * LOT
        return len(self.log)

    def cancel(self, number: int) -> bool:
        """Nothing rests."""
        return False

    def cancel_all(self) -> int:
        """Nothing rests."""
        return 0

    def lots_for(self, value: float, price: int) -> int:
        """Value over the price of a lot."""
        return int(value * 1e10 / (price * LOT)) if price > 0 else 0


def play(prices: Iterable[int], desk: Desk | None = None, *, step_ns: int = 100 * MS, **parameters: float) -> Desk:
    """Feeds trades at these prices, a two-tick book around each."""
    strategy = Momentum(config_class(Momentum)(**parameters))
    desk = desk or Desk()
    trade, book = EventView(), BookView()
    trade.kind, book.state = EventKind.TRADE, BookState.SYNCED
    for price in prices:
        desk.now_ns += step_ns
        trade.price = price
        book.best_bid, book.best_ask = price - 1, price + 1
        strategy.on_trade(trade, book, desk)
    return desk


def saw(*turns: int, step: int = 5) -> list[int]:
    """A path through turning points, ``step`` ticks a trade."""
    path = [turns[0]]
    for turn in turns[1:]:
        while path[-1] != turn:
            move = max(-step, min(step, turn - path[-1]))
            path.append(path[-1] + move)
    return path


def test_a_rise_is_bought_and_a_fall_sold() -> None:
    """One entry per rise, one exit of all of it per fall, alternating; prices cross by at most `cross_bps`."""
    prices = saw(6_000_000, 6_002_000, 6_000_000, 6_002_000, 6_000_000)
    desk = play(prices, fast=10, slow=40, threshold=1.0, cross_bps=0.01)
    assert [side for side, _, _ in desk.log] == ["buy", "sell", "buy", "sell"]
    assert desk.position == 0
    # a hundredth of a basis point of 60,000.00 is six ticks, rounded up to seven above it
    by_side = {"buy": {7, 8}, "sell": {-7, -8}}
    assert all(any(price - p in by_side[side] for p in prices) for side, price, _ in desk.log)


def test_the_shorter_span_is_the_fast_one() -> None:
    """A fast span above the slow one does not turn the rule around: an optimizer may try it."""
    prices = saw(6_000_000, 6_002_000, 6_000_000, 6_002_000, 6_000_000)
    one = play(prices, fast=10, slow=40, threshold=1.0)
    assert play(prices, fast=40, slow=10, threshold=1.0).log == one.log != []
    assert play(prices, fast=20, slow=20).log == []


def test_a_market_that_does_not_move_is_left_alone() -> None:
    """No trend, no order; bouncing between bid and ask is no trend."""
    assert play([6_000_000] * 1_000).log == []
    assert play([6_000_000 + n % 2 for n in range(2_000)], threshold=1.0).log == []


def test_nothing_happens_before_the_slow_average_has_seen_enough() -> None:
    """The first `slow` trades only warm up."""
    assert play(saw(6_000_000, 6_000_200), slow=100).log == []


def test_a_falling_market_is_not_sold_short() -> None:
    """Without a position a fall brings no order."""
    assert play(saw(6_002_000, 6_000_000)).log == []


def test_orders_keep_their_distance_in_time() -> None:
    """Two orders are never closer than the cooldown."""
    prices = saw(*[6_000_000, 6_000_400] * 12)
    many = play(prices, step_ns=MS, fast=3, slow=12, threshold=0.1, cooldown_ms=0)
    few = play(prices, step_ns=MS, fast=3, slow=12, threshold=0.1, cooldown_ms=500)
    assert len(many.log) > len(few.log) >= 1


def test_an_open_order_is_waited_for() -> None:
    """While an order is open, none is added."""
    desk = Desk(open_orders=1)
    assert play(saw(6_000_000, 6_002_000), desk).log == []


def test_the_value_of_an_entry_becomes_whole_lots() -> None:
    """2,000 of the quote at about 60,000 is 0.0333 of the base."""
    desk = play(saw(6_000_000, 6_002_000), value=2_000.0)
    (_, price, lots) = desk.log[0]
    assert 0 <= 2_000 - lots * LOT * price / 1e10 < LOT * price / 1e10


def test_a_one_sided_book_is_not_traded_on() -> None:
    """Without both prices there is nothing to cross."""
    strategy, desk = Momentum(), Desk()
    trade, book = EventView(), BookView()
    book.best_bid = -(1 << 62)
    for price in saw(6_000_000, 6_003_000):
        desk.now_ns += 100 * MS
        trade.price, book.best_ask = price, price + 1
        strategy.on_trade(trade, book, desk)
    assert desk.log == []


def test_the_plug_in_hands_over_the_class_and_its_bounded_parameters() -> None:
    """What is typed after -p, and what configuration and optimizer may set."""
    assert bloor_strategy() is Momentum
    assert Momentum.name == "momentum"
    for name, (kind, declared) in params_of(Momentum).items():
        assert isinstance(getattr(Momentum(), name), kind)
        assert declared.doc
    with pytest.raises(ValueError, match="fast"):
        config_class(Momentum)(fast=0)
