"""A price-time priority matching book that its market drives in one of two ways.

**By orders**: participants :meth:`~MatchingBook.submit` and :meth:`~MatchingBook.cancel`; an account's orders do the
same and meet them in the same queues.

**By a recording** of levels and trades, of which the account's orders are not a part. Then a level's queue holds market
quantity without identity around the account's orders, and the rules are these:

* an increase of a level joins its tail; a decrease is taken from the market quantity nearest the tail, i.e. whoever
  cancels was behind us (the risk-averse queue model of hftbacktest, "Order Fill", *RiskAverseQueueModel*);
* a recorded trade consumes its level from the head, so that an order of ours fills when it is reached;
* a trade at a price worse than that of a resting order of ours fills ours first, up to the traded quantity;
* a market level that would cross a resting order of ours matches it, as far as the level has become more;
* what our own orders take of a level stays taken until the recording says another quantity of it: that it says the same
  again changes nothing.

Quantity is never used twice: what fills one of our orders is not there for the next.
"""

from __future__ import annotations

from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.levels import BookSide, Level
from bloor.simulation.orders import (
    BookOrder,
    Ended,
    EndReason,
    Execution,
    OrderState,
    Outcome,
    Prevented,
    SelfTrade,
    opposite,
)

__all__ = ["MatchingBook"]


class MatchingBook:
    """One instrument's book.

    Attributes:
        bids: The bid side.
        asks: The ask side.
        touched: ``(side, price)`` of every level that changed since somebody last cleared it.
    """

    __slots__ = ("_own", "_taken", "asks", "bids", "touched")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.touched: dict[tuple[Side, int], None] = {}
        #: resting orders of accounts, in time priority
        self._own: dict[Side, list[BookOrder]] = {Side.BUY: [], Side.SELL: []}
        #: what accounts' orders took of a recording's levels: price -> units, until the recording says something new
        self._taken: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}

    def side(self, side: Side) -> BookSide:
        """The bids for BUY, the asks for SELL."""
        return self.bids if side is Side.BUY else self.asks

    def units_at(self, side: Side, price: int) -> int:
        """Quantity at a price, 0 where there is no level."""
        level = self.side(side).levels.get(price)
        return level.units if level else 0

    def depth(self, side: Side, limit: int) -> list[tuple[int, int]]:
        """Up to ``limit`` levels as ``(price, units)``, best first."""
        levels = self.side(side).best_first()
        return [(level.price, level.units) for level, _ in zip(levels, range(limit), strict=False)]

    # -- orders -----------------------------------------------------------------------------------------------------

    def would_take(self, side: Side, price: int) -> bool:
        """Whether an order would match at once."""
        other = self.side(opposite(side))
        best = other.best
        return best is not None and other.reaches(best, price)

    def takes(self, order: BookOrder) -> list[tuple[int, int]]:
        """``(price, units)`` that an order would execute if it came now, after self-trade prevention."""
        taken: list[tuple[int, int]] = []
        left = order.remaining
        other = self.side(opposite(order.side))
        for level in other.best_first():
            if not left or not other.reaches(level, order.price):
                break
            for maker in level.queue:
                units = min(left, maker.remaining)
                if _same_account(maker, order):
                    if order.self_trade is SelfTrade.EXPIRE_MAKER:
                        continue
                    if order.self_trade is not SelfTrade.DECREMENT:
                        return taken
                    left -= units
                    if not left:
                        break
                    continue
                taken.append((level.price, units))
                left -= units
                if not left:
                    break
        return taken

    def submit(self, order: BookOrder) -> list[Outcome]:
        """Matches an order and lets the rest of it rest, if its type and time in force let it."""
        if order.type is OrderType.POST_ONLY and self.would_take(order.side, order.price):
            return [_end(order, OrderState.REJECTED, EndReason.WOULD_TAKE)]
        if order.tif is TimeInForce.FOK and sum(units for _, units in self.takes(order)) < order.units:
            return [_end(order, OrderState.EXPIRED, EndReason.FOK_UNFILLED)]
        outcomes: list[Outcome] = []
        self._match(order, outcomes)
        if order.state is not OrderState.NEW:
            return outcomes
        if order.type is OrderType.MARKET:
            outcomes.append(_end(order, OrderState.EXPIRED, EndReason.NO_LIQUIDITY))
        elif order.tif is not TimeInForce.GTC:
            outcomes.append(_end(order, OrderState.EXPIRED, EndReason.IOC_REMAINDER))
        else:
            self._rest(order)
        return outcomes

    def cancel(self, order: BookOrder) -> bool:
        """Removes a resting order; False when it does not rest here."""
        if order.state is not OrderState.OPEN:
            return False
        self._remove(order, OrderState.CANCELLED)
        return True

    def reduce(self, order: BookOrder, units: int) -> bool:
        """Takes ``units`` off a resting order, which keeps its place in the queue.

        Returns:
            False when it does not rest here, or would have nothing left.
        """
        if order.state is not OrderState.OPEN or not 0 < units < order.remaining:
            return False
        order.units -= units
        self.side(order.side).levels[order.price].execute(order, units)
        self.touched[order.side, order.price] = None
        return True

    def _rest(self, order: BookOrder) -> None:
        order.state, order.joined_ns = OrderState.OPEN, 0
        self.side(order.side).at(order.price).append(order)
        self.touched[order.side, order.price] = None
        if order.owner is not None:
            self._own[order.side].append(order)

    def _remove(self, order: BookOrder, state: OrderState) -> None:
        side = self.side(order.side)
        level = side.levels[order.price]
        level.remove(order)
        side.prune(level)
        order.state = state
        self.touched[order.side, order.price] = None
        if order.owner is not None:
            self._own[order.side].remove(order)

    def _match(self, taker: BookOrder, outcomes: list[Outcome]) -> None:
        other = self.side(opposite(taker.side))
        while taker.remaining:
            level = other.best
            if level is None or not other.reaches(level, taker.price):
                return
            maker = level.queue[0]
            if _same_account(maker, taker):
                self._prevent(maker, taker, outcomes)
                if taker.state is not OrderState.NEW:
                    return
                continue
            units = min(taker.remaining, maker.remaining)
            taker.remaining -= units
            if maker.owner is None and not maker.id:
                self._take(other.side, level.price, units)
            self._execute(other, level, maker, units)
            outcomes.append(Execution(level.price, units, taker.side, maker, taker))
        taker.state = OrderState.FILLED

    def _prevent(self, maker: BookOrder, taker: BookOrder, outcomes: list[Outcome]) -> None:
        mode = taker.self_trade
        if mode is SelfTrade.DECREMENT:
            self._decrement(maker, taker, outcomes)
            return
        lost = 0 if mode is SelfTrade.EXPIRE_TAKER else maker.remaining
        gone = 0 if mode is SelfTrade.EXPIRE_MAKER else taker.remaining
        outcomes.append(Prevented(maker.price, maker, taker, lost, gone))
        if lost:
            self._remove(maker, OrderState.PREVENTED)
            outcomes.append(Ended(maker, EndReason.SELF_TRADE))
        if gone:
            outcomes.append(_end(taker, OrderState.PREVENTED, EndReason.SELF_TRADE))

    def _decrement(self, maker: BookOrder, taker: BookOrder, outcomes: list[Outcome]) -> None:
        """Both orders lose the smaller remainder."""
        units = min(maker.remaining, taker.remaining)
        outcomes.append(Prevented(maker.price, maker, taker, units, units))
        if maker.remaining == units:
            self._remove(maker, OrderState.PREVENTED)
            maker.remaining = 0
            outcomes.append(Ended(maker, EndReason.SELF_TRADE))
        else:
            self.side(maker.side).levels[maker.price].execute(maker, units)
            self.touched[maker.side, maker.price] = None
        taker.remaining -= units
        if not taker.remaining:
            outcomes.append(_end(taker, OrderState.PREVENTED, EndReason.SELF_TRADE))

    def _execute(self, side: BookSide, level: Level, maker: BookOrder, units: int) -> None:
        """Reduces a resting order; what is empty goes."""
        level.execute(maker, units)
        self.touched[side.side, level.price] = None
        if not maker.remaining:
            maker.state = OrderState.FILLED
            if maker.owner is not None:
                self._own[side.side].remove(maker)
            side.prune(level)

    # -- a recording ------------------------------------------------------------------------------------------------

    def set_level(self, side: Side, price: int, units: int) -> list[Outcome]:
        """A recording says that the market's quantity at a price is now ``units``."""
        outcomes: list[Outcome] = []
        own_side, other = (self.bids, self.asks) if side is Side.BUY else (self.asks, self.bids)
        known = own_side.levels.get(price)
        market = 0 if known is None else known.market
        before = market + self._taken[side].pop(price, 0)
        left = market if units == before else units
        if units and self._taken[other.side]:
            self._forget_taken(other.side, price)
        if units and self.would_take(side, price):
            left -= self._fill_own(other.side, price, max(0, units - before), side, outcomes, including=True)
            self._drop_stale(other, price)
            if self.would_take(side, price):
                left = 0  # what it had before is used up: orders of accounts wait here for more
        if left < units:
            self._take(side, price, units - left)
        if left or known is not None:
            self._set_market(own_side, own_side.at(price), left)
        return outcomes

    def _set_market(self, side: BookSide, level: Level, units: int) -> None:
        """Makes the market's quantity at a level so much."""
        if level.market != units:
            self.touched[side.side, level.price] = None
        if level.market < units:
            _grow(level, side.side, units - level.market)
        elif level.market > units:
            _shrink(level, level.market - units)
        side.prune(level)

    def trade(self, price: int, units: int, aggressor: Side, *, counted: bool = False) -> list[Outcome]:
        """A recording says that ``units`` traded at ``price``.

        Args:
            price: Price in ticks.
            units: Traded quantity in units.
            aggressor: The taker's side.
            counted: The levels known here already reflect the trade. Then it only moves the queue: the market quantity
                it takes at the head comes back at the tail.

        Returns:
            The executions of resting account orders.
        """
        outcomes: list[Outcome] = []
        side = opposite(aggressor)
        left = units - self._fill_own(side, price, units, aggressor, outcomes, including=False)
        makers = self.side(side)
        level = makers.levels.get(price)
        consumed = 0
        while left and level is not None and level.queue:
            maker = level.queue[0]
            part = min(left, maker.remaining)
            left -= part
            self._execute(makers, level, maker, part)
            if maker.owner is None:
                consumed += part
            else:
                outcomes.append(Execution(price, part, aggressor, maker, None))
        if counted and consumed:
            _grow(makers.at(price), side, consumed)
        return outcomes

    def clear_better(self, side: Side, price: int) -> None:
        """Removes market quantity at prices better than ``price``: a recording says that this is the best."""
        levels = self.side(side)
        self._forget_taken(side, price + side)
        for level in levels.at_least(price):
            if level.price != price:
                self._drop_market(levels, level)

    def _take(self, side: Side, price: int, units: int) -> None:
        """Orders of accounts took of a recording's level."""
        taken = self._taken[side]
        taken[price] = taken.get(price, 0) + units

    def _forget_taken(self, side: Side, price: int) -> None:
        """The recording says that it has nothing at a price or better."""
        taken = self._taken[side]
        for each in [each for each in taken if each * side >= price * side]:
            del taken[each]

    def _fill_own(
        self, side: Side, price: int, units: int, aggressor: Side, outcomes: list[Outcome], *, including: bool
    ) -> int:
        """Fills account orders of ``side`` better than (or at) ``price`` from ``units``; returns how much."""
        left = units
        reach = price * side + (0 if including else 1)
        # sorted is stable: equal prices keep their time priority
        for maker in sorted(self._own[side], key=lambda order: -order.price * side):
            if not left or maker.price * side < reach:
                break
            part = min(left, maker.remaining)
            left -= part
            makers = self.side(side)
            self._execute(makers, makers.levels[maker.price], maker, part)
            outcomes.append(Execution(maker.price, part, aggressor, maker, None))
        return units - left

    def _drop_stale(self, side: BookSide, price: int) -> None:
        """Removes market quantity that a newer level crosses."""
        for level in side.at_least(price):
            self._drop_market(side, level)

    def _drop_market(self, side: BookSide, level: Level) -> None:
        if level.market:
            _shrink(level, level.market)
            self.touched[side.side, level.price] = None
        side.prune(level)


def _same_account(maker: BookOrder, taker: BookOrder) -> bool:
    return maker.owner is not None and maker.owner == taker.owner and taker.self_trade is not SelfTrade.NONE


def _end(order: BookOrder, state: OrderState, reason: EndReason) -> Ended:
    order.state = state
    return Ended(order, reason)


def _grow(level: Level, side: Side, units: int) -> None:
    """Adds market quantity at the tail."""
    tail = level.queue[-1] if level.queue else None
    if tail is not None and tail.owner is None and not tail.id:
        tail.remaining += units
        tail.units += units
        level.units += units
        level.market += units
        return
    order = BookOrder(side=side, price=level.price, units=units)
    order.state = OrderState.OPEN
    level.append(order)


def _shrink(level: Level, units: int) -> None:
    """Takes market quantity away, nearest the tail first."""
    for order in reversed([entry for entry in level.queue if entry.owner is None]):
        part = min(units, order.remaining)
        level.execute(order, part)
        units -= part
        if not units:
            return
