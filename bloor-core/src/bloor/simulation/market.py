"""A seeded market: participants who quote, cancel and take in a persistent order book.

Events arrive in clusters (:mod:`bloor.simulation.arrivals`). Each is one of four kinds of participant:

* **touch makers** quote next to the opposite best, inside what the venue's fair value
  (:mod:`bloor.simulation.fairvalue`) allows, so that the spread is mostly one or a few ticks;
* **deep makers** place orders at exponentially distributed distances behind the touch;
* **cancellers** withdraw an order, rather one that is far away, and best prices that the fair value has left behind,
  all of them at once where it has jumped; one of them quotes anew, a little later;
* **takers**: *informed* ones sweep what is mispriced against the fair value; *noise* ones work through parent orders of
  heavy-tailed length, so that the signs of trades persist.

Sizes are log-normal, those of takers much wider than those of makers, with round ones among them. After every event
both sides are refilled to :data:`MIN_LEVELS` levels, so a book that an account's order swept is deep again at once.

The fair value is a pure function of seed and time, common to all venues but for what a venue strays. All else is drawn
from one stream of the seed, the venue and the pair, in the model's own event times, whatever the steps in which it is
asked to advance: two runs that open alike and place the same orders between the same events are equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from attrs import frozen

from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.arrivals import Hawkes
from bloor.simulation.fairvalue import FairValue
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, OrderState, Outcome, opposite
from bloor.simulation.venue import SimulationOptions

__all__ = ["MIN_LEVELS", "MarketStyle", "SeededMarket"]

#: Levels on each side after every event.
MIN_LEVELS = 30
#: Child orders of a noise taker's parent order: tail exponent of their number, and the most.
_PARENT_TAIL, _LONGEST_PARENT = 1.2, 40
#: Share of mispriced best prices that are taken; the others are withdrawn in time.
_SWEPT = 0.65
#: A price that the fair value has left behind by this many times the slack has been jumped over.
_JUMP = 8
#: Share of events that go to prices that are mispriced, and to prices that were jumped over.
_HEED, _ALARM = 0.39, 0.8
#: Share of events that are noise takers.
_NOISE = 0.11
#: How long after they have withdrawn makers quote anew, ns: two requests, which a venue carries out one by one.
_REQUOTE_NS = 100_000
_SIDES = (Side.BUY, Side.SELL)


class _Quote(NamedTuple):
    """What a touch maker is about to do."""

    slack_ticks: float
    units: int
    side: Side


@frozen(kw_only=True)
class MarketStyle:
    """How one market behaves.

    Attributes:
        price: Opening price in the quote asset.
        order_value: Median value of a resting order in the quote asset.
        size_sigma: Sigma of its log-normal size.
        taker_value: Median value of a noise taker's order in the quote asset.
        taker_sigma: Sigma of its log-normal size.
        depth_bps: Mean distance of deep orders from the touch, in basis points.
        slack_bps: How far touch makers let themselves be from the fair value, in basis points.
        events_per_s: Mean events per second.
        orders: How many market orders the book holds on average.
        lag_ns: How late the venue hears of the value that is common to all venues of a seed.
    """

    price: float
    order_value: float = 5_000.0
    size_sigma: float = 1.1
    taker_value: float = 200.0
    taker_sigma: float = 2.1
    depth_bps: float = 5.5
    slack_bps: float = 0.25
    events_per_s: float = 120.0
    orders: int = 220
    lag_ns: int = 20_000_000


class SeededMarket:
    """The driver of one market.

    Args:
        instrument: What is traded.
        book: The book it lives in.
        style: How it behaves.
        options: Its seed fixes everything; when its values began, and how far they stray.
        order_id: Gives ids to participants' orders.
    """

    def __init__(
        self,
        instrument: Instrument,
        book: MatchingBook,
        style: MarketStyle,
        options: SimulationOptions,
        order_id: Callable[[], int],
    ) -> None:
        self.instrument = instrument
        self.book = book
        self.next_ns = 0
        self._style = style
        self._rng = Random(f"{options.seed} {instrument.venue} {instrument.symbol}")
        self._arrivals = Hawkes(self._rng, style.events_per_s * 0.2, 40.0, 50.0)
        self._fair = FairValue(
            instrument, style.price, options.seed, lag_ns=style.lag_ns, dislocations=options.dislocations
        )
        self._order_id = order_id
        self._orders: list[BookOrder] = []
        self._opened_ns = options.opened_ns
        self._requotes: list[_Quote] = []
        self._then_ns = 0
        self._steps = 0
        self._tick = float(instrument.tick_size)
        self._lot_units = instrument.lot_units
        self._depth_ticks = max(4.0, style.price / self._tick * style.depth_bps * 1e-4)
        self._slack_ticks = max(1.0, style.price / self._tick * style.slack_bps * 1e-4)
        self._unit_value = style.price / 10**instrument.qty_decimals
        self._parent_side = Side.BUY
        self._parent_left = 0

    def start(self, now_ns: int) -> None:
        """Opens the market with a full book."""
        if self._opened_ns is None:
            self._opened_ns = now_ns
        self.next_ns = now_ns
        fair = round(self._fair_ticks(now_ns))
        for side in _SIDES:
            self._place(side, fair if side is Side.BUY else fair + 1, self._size())
            for _ in range(self._style.orders // 2):
                self._deep(side)
        self._refill()
        self._schedule()

    def step(self) -> Sequence[Outcome]:
        """One participant acts at :attr:`next_ns`."""
        fair = self._fair_ticks(self.next_ns)
        if self._requotes:
            self._quote(fair, self._requotes.pop())
            self.next_ns = self._then_ns
            return ()
        self._steps += 1
        outcomes = self._act(fair)
        self._refill()
        acted_ns = self.next_ns
        self._schedule()
        if self._requotes:
            self._then_ns, self.next_ns = self.next_ns, min(self.next_ns, acted_ns + _REQUOTE_NS)
        return outcomes

    def restore(self, ns: int) -> Sequence[Outcome]:
        """Refills the book after an account's order."""
        self._refill()
        return ()

    # -- participants -----------------------------------------------------------------------------------------------

    def _act(self, fair: float) -> Sequence[Outcome]:
        bid, ask = self._best(Side.BUY), self._best(Side.SELL)
        slack = self._slack_ticks / 2
        gap = fair - ask if fair > ask + slack else fair - bid if fair < bid - slack else 0.0
        draw = self._rng.random()
        if self._steps <= 2 or draw < _NOISE:
            return self._noise_taker()
        heed = 0.0 if not gap else _ALARM if abs(gap) > _JUMP * self._slack_ticks else _HEED
        if draw < _NOISE + heed:
            side = Side.BUY if gap > 0 else Side.SELL
            if self._rng.random() < _SWEPT:
                return self._informed_taker(fair, side)
            return self._retreat(opposite(side), fair)
        if draw < (0.55 if ask - bid == 1 else 0.9):
            return self._quote(fair, self._drawn_quote())
        crowd = len(self._orders) / self._style.orders
        if self._rng.random() * 2 < crowd:
            self._cancel(fair)
            return ()
        return self._deep(self._side())

    def _drawn_quote(self) -> _Quote:
        return _Quote(self._rng.random() * self._slack_ticks, self._size() * self._rng.randint(1, 6), self._side())

    def _quote(self, fair: float, quote: _Quote) -> Sequence[Outcome]:
        """Quotes next to the opposite best, or improves its own side as far as the fair value lets it."""
        bid, ask = self._best(Side.BUY), self._best(Side.SELL)
        if quote.side is Side.BUY:
            return self._place(Side.BUY, max(bid, min(ask - 1, math.floor(fair + quote.slack_ticks))), quote.units)
        return self._place(Side.SELL, min(ask, max(bid + 1, math.ceil(fair - quote.slack_ticks))), quote.units)

    def _deep(self, side: Side) -> Sequence[Outcome]:
        distance = 1 + int(self._rng.expovariate(1.0) ** 1.4 * self._depth_ticks)
        return self._place(side, self._best(side) - side * distance, self._size())

    def _cancel(self, fair: float) -> None:
        """Withdraws one of two random orders: the one farther from the fair value."""
        rng, orders = self._rng, self._orders
        first, second = rng.randrange(len(orders)), rng.randrange(len(orders))
        index = first if abs(orders[first].price - fair) >= abs(orders[second].price - fair) else second
        order = orders[index]
        orders[index] = orders[-1]
        orders.pop()
        self.book.cancel(order)

    def _informed_taker(self, fair: float, side: Side) -> Sequence[Outcome]:
        """Sweeps what is mispriced by its view of the fair value."""
        limit = math.floor(fair) if side is Side.BUY else math.ceil(fair)
        value, sigma = self._style.taker_value, self._style.taker_sigma
        return self._take(side, limit, self._size(value, sigma) * self._rng.randint(1, 12))

    def _retreat(self, side: Side, fair: float) -> Sequence[Outcome]:
        """Makers withdraw the best price of a side, since it is mispriced, and all that was jumped over.

        One will quote anew.
        """
        levels = self.book.side(side)
        best = levels.best
        jumped = levels.at_least(math.floor(fair + side * _JUMP * self._slack_ticks))
        for level in jumped or ([best] if best is not None else []):
            for order in list(level.queue):
                if order.owner is None:
                    self.book.cancel(order)
        self._forget_ended()
        self._requotes.append(self._drawn_quote())
        return ()

    def _noise_taker(self) -> Sequence[Outcome]:
        if not self._parent_left:
            self._parent_side = self._side()
            self._parent_left = min(_LONGEST_PARENT, int(self._rng.paretovariate(_PARENT_TAIL)))
        self._parent_left -= 1
        side = self._parent_side
        best = self._best(opposite(side))
        reach = side * max(1, int(self._depth_ticks / 8))
        return self._take(side, max(1, best + reach), self._size(self._style.taker_value, self._style.taker_sigma))

    # -- orders -----------------------------------------------------------------------------------------------------

    def _take(self, side: Side, price: int, units: int) -> Sequence[Outcome]:
        order = BookOrder(id=self._order_id(), side=side, price=price, units=units, tif=TimeInForce.IOC)
        outcomes = self.book.submit(order)
        self._forget_ended()
        return outcomes

    def _place(self, side: Side, price: int, units: int) -> Sequence[Outcome]:
        """Rests an order; one that would take is not placed."""
        order = BookOrder(id=self._order_id(), side=side, price=max(1, price), units=units, type=OrderType.POST_ONLY)
        self.book.submit(order)
        if order.state is OrderState.OPEN:
            self._orders.append(order)
        return ()

    def _refill(self) -> None:
        """Keeps both sides deep."""
        for side in _SIDES:
            levels = self.book.side(side)
            if len(levels) >= MIN_LEVELS:
                continue
            self._forget_ended()
            while len(levels) < MIN_LEVELS:
                if levels.best is None:
                    self._place(side, self._reference(side), self._size())
                else:
                    self._deep(side)

    def _forget_ended(self) -> None:
        self._orders = [order for order in self._orders if order.state is OrderState.OPEN]

    def _best(self, side: Side) -> int:
        level = self.book.side(side).best
        return level.price if level is not None else self._reference(side)

    def _reference(self, side: Side) -> int:
        """A price for the best of an empty side: by the fair value, and never crossing."""
        fair = self._fair_ticks(self.next_ns)
        other = self.book.side(opposite(side)).best
        if side is Side.BUY:
            price = math.floor(fair)
            return max(1, price if other is None else min(price, other.price - 1))
        price = math.floor(fair) + 1
        return price if other is None else max(price, other.price + 1)

    def _size(self, value: float = 0.0, sigma: float = 0.0) -> int:
        """A size in units: of a resting order, or about ``value`` in the quote asset."""
        rng = self._rng
        value, sigma = value or self._style.order_value, sigma or self._style.size_sigma
        units = value / self._unit_value * math.exp(rng.gauss(0.0, sigma))
        if rng.random() < 0.15:  # some people like round numbers
            units = float(f"{units:.1g}")
        return max(self.instrument.min_lots, int(units) // self._lot_units) * self._lot_units

    def _side(self) -> Side:
        return Side.BUY if self._rng.random() < 0.5 else Side.SELL

    def _fair_ticks(self, now_ns: int) -> float:
        return self._fair.at(now_ns - (self._opened_ns or 0)) / self._tick

    def _schedule(self) -> None:
        self.next_ns += self._arrivals.wait_ns()
