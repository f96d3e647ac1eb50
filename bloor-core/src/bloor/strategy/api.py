"""A strategy is one class: typed parameters, typed state, handlers.

::

    class Cross(Strategy):
        \"\"\"Buys when the ask falls below a level.\"\"\"

        level: int = param(100, low=1, doc="price in ticks")
        done: bool = False

        def on_book(self, book, orders):
            if not self.done and book.best_ask < self.level:
                orders.buy(book.best_ask, orders.min_lots)
                self.done = True

There is one instance per instrument; a strategy that says ``together = True`` has one for all instruments of its run,
its *legs*, and reaches each by ``orders.of(leg)``. Handlers are called synchronously on the hot path; each has a few
microseconds and must not block, log, read a clock or draw random numbers (``orders.now_ns`` is the time of the event).
State lives in annotated attributes of type ``int``, ``float`` or ``bool``, and in arrays of those
(:mod:`bloor.strategy.arrays`), so that the same source can be compiled.

Prices are ticks, book quantities and positions units, order quantities lots (:mod:`bloor.model.instrument`).
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

from bloor.market.bars import BarRecord
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.model.orders import Fill
from bloor.strategy.arrays import arrays_of, zeros
from bloor.strategy.params import Param, params_of

__all__ = ["OrderUpdate", "Orders", "Strategy"]


class OrderUpdate(Protocol):
    """What a strategy is told when one of its orders changes.

    Attributes:
        number: The number that ``orders.buy`` or ``orders.sell`` returned.
        side: +1 buy, -1 sell.
        price: Limit price in ticks.
        lots: Ordered quantity in lots.
        filled: Filled quantity so far, in units.
        status: A :class:`~bloor.execution.life.Status`.
        closed: Whether it can no longer fill.
    """

    number: int
    side: int
    price: int
    lots: int
    filled: int
    status: int
    closed: bool


class Orders(Protocol):
    """A strategy's way to the gate, and what it owns, in one instrument.

    Attributes:
        now_ns: Time of the event being handled, wall ns since the epoch.
        position: Filled position in units, signed.
        open_buy: Units of open buy orders that may still fill.
        open_sell: Units of open sell orders that may still fill.
        open_orders: Number of open orders.
        lot_units: Units in a lot.
        min_lots: Smallest order, in lots.
        sellable_lots: Whole lots of the position that are not in open sell orders, base-asset fees taken off.
        book: The instrument's book; its ``state`` says whether it may be believed.
        leg: Index of this instrument among those that the strategy trades together; 0 when it trades one.
        legs: How many those are; 1 when it trades one.
        venue: Number of the venue: in one run, equal numbers are one venue; so the next two.
        base: Number of the base asset.
        quote: Number of the quote asset. Base and quote assets are numbered together, so that ``orders.quote`` of one
            leg may be ``orders.base`` of another.
        tick: A tick, in the quote asset.
        lot: A lot, in the base asset.
        unit: A unit, in the base asset.
    """

    now_ns: int
    position: int
    open_buy: int
    open_sell: int
    open_orders: int
    lot_units: int
    min_lots: int
    leg: int
    venue: int
    base: int
    quote: int
    tick: float
    lot: float
    unit: float

    @property
    def book(self) -> BookView:
        """See the class."""

    @property
    def legs(self) -> int:
        """See the class."""

    @property
    def sellable_lots(self) -> int:
        """See the class."""

    def buy(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Asks for a limit buy order.

        Returns:
            The order's number, or 0 when the gate denied it (the reason is counted and journaled).
        """

    def sell(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        """Asks for a limit sell order; see :meth:`buy`."""

    def cancel(self, number: int) -> bool:
        """Asks to cancel one order; False when it is not open or its cancel is already on the way."""

    def replace(self, number: int, price: int, lots: int) -> int:
        """Asks to cancel one order and, only if that succeeds, place another of its side and kind, in one request.

        The new order is an order of its own; its quantity is ``lots``, whatever the old one has filled. While nothing
        of the old order has traded, limits count the larger of the two, and the venue refuses both if that changes;
        afterwards they count both.

        Returns:
            The new order's number, or 0 when nothing was sent: the gate denied it (the reason is counted and
            journaled), or the old one is not at the venue, or something about it is on its way.
        """

    def amend(self, number: int, lots: int) -> bool:
        """Asks to reduce one order to ``lots``, what is filled included; it keeps its number and its place.

        Returns:
            False when nothing was sent: as for :meth:`replace`, or ``lots`` is not between what is filled and what is
            ordered.
        """

    def cancel_all(self) -> int:
        """Asks to cancel every open order of this strategy here; returns how many cancels were sent."""

    def lots_for(self, value: float, price: int) -> int:
        """How many whole lots ``value`` of the quote asset buys at ``price`` ticks."""

    def of(self, leg: int) -> Orders:
        """The desk of another instrument that the strategy trades together with this one; its own for its own leg.

        What is asked for there goes to that instrument's venue, past the gate with that instrument's book. Every leg is
        there from the first handler on; one that cannot be traded yet has a book that is not synchronised.

        Args:
            leg: From 0, in the order of the run's instruments.

        Raises:
            IndexError: There is no such leg.
        """


class Strategy:
    """Base of every strategy: subclass it, override handlers, return the class from ``bloor_strategy``."""

    #: The name a user types after ``-p``, and its section ``[strategy.<name>]``.
    name: ClassVar[str] = ""
    #: Declares the handlers compilable.
    compiled: ClassVar[bool] = False
    #: Length of the bars that ``on_bar`` is called with, such as ``"1m"``; empty for none.
    bars: ClassVar[str] = ""
    #: How often ``on_timer`` is called, such as ``"250ms"``; empty for never.
    timer: ClassVar[str] = ""
    #: One instance trades all instruments of the run, over all venues, instead of one for each.
    together: ClassVar[bool] = False

    def __new__(cls, *_args: Any, **_named: Any) -> Self:
        """Makes an instance with arrays of its own."""
        self = super().__new__(cls)
        for name, (kind, size) in arrays_of(cls).items():
            setattr(self, name, zeros(kind, size))
        return self

    def __init__(self, config: Any = None) -> None:
        """Sets every parameter: from ``config`` (of this strategy's configuration class) or its default."""
        for key, (_, declared) in params_of(type(self)).items():
            setattr(self, key, declared.default if config is None else getattr(config, key))

    def on_start(self, orders: Orders) -> None:
        """The instrument is known and its book synchronised for the first time; once for each leg."""

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """A public trade; ``trade`` is reused by the next event, so keep numbers, not the object."""

    def on_bbo(self, bbo: EventView, book: BookView, orders: Orders) -> None:
        """The venue's own best bid and offer message."""

    def on_book(self, book: BookView, orders: Orders) -> None:
        """The book changed and is synchronised."""

    def on_bar(self, bar: BarRecord, book: BookView, orders: Orders) -> None:
        """A bar of the declared length has ended; it comes for every period, without trades too.

        Periods are aligned to the epoch, and a bar holds the trades that were received in its period
        (:mod:`bloor.market.bars`). ``bar`` is reused by the next one, so keep numbers, not the object. The book may be
        out of sync, as in :meth:`on_trade`: ``book.state`` says so.
        """

    def on_timer(self, orders: Orders) -> None:
        """The declared period has passed: at every multiple of it since the epoch, once when several were missed.

        A strategy of several legs hears of it once, from the start of its first leg on; ``orders`` is that of leg 0.
        """

    def on_fill(self, fill: Fill, book: BookView, orders: Orders) -> None:
        """One of this strategy's orders traded; ``orders.position`` already counts it."""

    def on_order(self, order: OrderUpdate, book: BookView, orders: Orders) -> None:
        """One of this strategy's orders changed its status."""

    def on_stop(self, orders: Orders) -> None:
        """The run ends; open orders are cancelled after this. Once for each leg that was started."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for key, value in vars(cls).items():
            if isinstance(value, Param) and key.startswith("on_"):
                raise TypeError(f"{cls.__name__}.{key}: a parameter cannot have the name of a handler")
