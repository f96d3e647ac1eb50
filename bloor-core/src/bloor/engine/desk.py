"""A strategy's desk: its way to the gate, and what it owns, in one instrument.

Hot path: one call of :meth:`Desk.buy` is intent, gate, journal, encoding and write, synchronously.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bloor.engine.fused import layout
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.risk.check import Exposure, OrderIntent
from bloor.strategy.api import Strategy
from bloor.strategy.legs import Traits

if TYPE_CHECKING:
    from bloor.engine.core import Engine
    from bloor.execution.position import PositionAccount
    from bloor.market.view import BookView

__all__ = ["Desk"]


class Desk:
    """One strategy in one instrument; it is the ``orders`` of every handler (:class:`bloor.strategy.api.Orders`).

    Attributes:
        strategy: The instance, its parameters and state.
        handlers: Whose handlers are called: the strategy, or its compiled form.
        number: Index of the strategy in the run.
        line: Index of the venue in the run.
        index: Index of the instrument in the run's table.
        instrument: What is traded.
        book: The view of its book.
        traits: What tells the instrument apart from others of the run.
        leg: Index of this desk among the strategy's; its place in what :meth:`join` was given.
        exposure: What the gate sees of this desk.
        account: Cash, position and fees.
        started: Whether ``on_start`` was called.
        halted: Why this desk may not trade any more; empty while it may.
    """

    __slots__ = (
        "_cells",
        "_engine",
        "_legs",
        "account",
        "book",
        "exposure",
        "halted",
        "handlers",
        "index",
        "instrument",
        "intent",
        "leg",
        "line",
        "lot_units",
        "min_lots",
        "number",
        "started",
        "strategy",
        "traits",
    )

    def __init__(
        self,
        engine: Engine,
        strategy: Strategy,
        number: int,
        line: int,
        index: int,
        instrument: Instrument,
        traits: Traits,
        book: BookView,
        exposure: Exposure,
        account: PositionAccount,
    ) -> None:
        self._engine = engine
        self.strategy = strategy
        self.number = number
        self.line = line
        self.index = index
        self.instrument = instrument
        self.traits = traits
        self.book = book
        self.exposure = exposure
        self.account = account
        self.lot_units = instrument.lot_units
        self.min_lots = instrument.min_lots
        self.started = False
        self.halted = ""
        self.handlers = strategy
        self._cells = memoryview(np.zeros(layout.DESK_CELLS, np.int64).data)
        self.intent = OrderIntent()
        self.intent.instrument = index
        self.intent.strategy = number
        self.leg = 0
        self._legs: tuple[Desk, ...] = (self,)

    def join(self, leg: int, desks: tuple[Desk, ...]) -> None:
        """Becomes one of the desks of a strategy that trades several instruments together.

        Args:
            leg: Its index there.
            desks: All of them.
        """
        self.leg, self._legs = leg, desks

    # ---- its life

    def start(self) -> None:
        """Its strategy has begun."""
        self.started = True
        self._cells[layout.STATE] = layout.RUNNING

    def halt(self, reason: str) -> None:
        """Its strategy may not trade any more, in any instrument that it trades together with this one."""
        for leg in self._legs:
            leg.halted = reason
            leg._cells[layout.STATE] = layout.HALTED

    def use_cells(self, cells: memoryview) -> None:
        """Goes on with cells that compiled code works on; before anything has happened."""
        self._cells = cells

    def fuse(self, strategy: Strategy, handlers: Strategy) -> None:
        """Goes on with the same strategy in memory that compiled code works on; before anything was handed to it."""
        self.strategy, self.handlers = strategy, handlers

    @property
    def is_fused(self) -> bool:
        """Whether its handlers are compiled code."""
        return self.handlers is not self.strategy

    # ---- what it is among others

    @property
    def joined(self) -> tuple[Desk, ...]:
        """Every desk of its strategy's instance, itself among them."""
        return self._legs

    @property
    def legs(self) -> int:
        """How many desks its strategy's instance has."""
        return len(self._legs)

    @property
    def where(self) -> str:
        """What its strategy's instance trades, for messages."""
        if len(self._legs) == 1:
            return self.instrument.symbol
        return ", ".join(f"{leg.instrument.venue}:{leg.instrument.symbol}" for leg in self._legs)

    def of(self, leg: int) -> Desk:
        """The desk of another leg.

        Raises:
            IndexError: There is no such leg.
        """
        if not 0 <= leg < len(self._legs):
            raise IndexError(f"of: expected a leg from 0 to {len(self._legs) - 1}, got {leg}")
        return self._legs[leg]

    @property
    def venue(self) -> int:
        """Number of the venue; see :class:`bloor.strategy.legs.Traits`, as for all that follow."""
        return self.traits.venue

    @property
    def base(self) -> int:
        """Number of the base asset."""
        return self.traits.base

    @property
    def quote(self) -> int:
        """Number of the quote asset."""
        return self.traits.quote

    @property
    def tick(self) -> float:
        """A tick, in the quote asset."""
        return self.traits.tick

    @property
    def lot(self) -> float:
        """A lot, in the base asset."""
        return self.traits.lot

    @property
    def unit(self) -> float:
        """A unit, in the base asset."""
        return self.traits.unit

    # ---- what it owns

    @property
    def now_ns(self) -> int:
        """Time of the event being handled, wall ns since the epoch."""
        return self._engine.now_ns

    @property
    def position(self) -> int:
        """Filled position in units, signed."""
        return self.exposure.position

    @property
    def open_buy(self) -> int:
        """Units of open buy orders that may still fill."""
        return self.exposure.open_buy

    @property
    def open_sell(self) -> int:
        """Units of open sell orders that may still fill."""
        return self.exposure.open_sell

    @property
    def open_orders(self) -> int:
        """Number of open orders."""
        return self.exposure.open_orders

    @property
    def sellable_lots(self) -> int:
        """Whole lots that a spot account can still sell: held, less fees paid in the base asset, less open sells."""
        e = self.exposure
        return max(0, e.position + e.inventory - e.open_sell) // self.lot_units

    @property
    def mark2(self) -> int:
        """Twice the price, in ticks, that a position is valued at: the mid, or the last trade without one."""
        view = self.book
        if view.two_sided:
            self._cells[layout.MARK2] = view.best_bid + view.best_ask
        return self._cells[layout.MARK2]

    def traded(self, price: int) -> None:
        """Notes the price of a public trade, in ticks, as a mark for as long as the book has no mid."""
        if not self.book.two_sided:
            self._cells[layout.MARK2] = 2 * price

    def lots_for(self, value: float, price: int) -> int:
        """How many whole lots ``value`` of the quote asset buys at ``price`` ticks; 0 at a price that is none."""
        i = self.instrument
        if price <= 0:
            return 0
        return int(float(value) * 10**i.value_decimals / i.value_units(price, i.lot_units))

    # ---- what it asks for

    def buy(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Asks for a limit buy order; the order's number, or 0 when the gate denied it."""
        return self._engine.place(self, Side.BUY, price, lots, *_kind(post_only, ioc))

    def sell(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Asks for a limit sell order; see :meth:`buy`."""
        return self._engine.place(self, Side.SELL, price, lots, *_kind(post_only, ioc))

    def cancel(self, number: int) -> bool:
        """Asks to cancel one order; False when it is not this desk's, not open, or already being cancelled."""
        return self._engine.cancel(self, number)

    def replace(self, number: int, price: int, lots: int) -> int:
        """Asks to cancel one order and place another of its side and kind; the new one's number, or 0."""
        return self._engine.changes.replace(self, number, price, lots)

    def amend(self, number: int, lots: int) -> bool:
        """Asks to reduce one order, which keeps its place; False when nothing was sent."""
        return self._engine.changes.amend(self, number, lots)

    def cancel_all(self) -> int:
        """Asks to cancel every open order of this desk; returns how many cancels were sent."""
        return self._engine.cancel_desk(self)


def _kind(post_only: bool, ioc: bool) -> tuple[OrderType, TimeInForce]:
    if post_only:
        return OrderType.POST_ONLY, TimeInForce.GTC
    return OrderType.LIMIT, TimeInForce.IOC if ioc else TimeInForce.GTC
