"""A strategy on a stage: a seeded market plays; what is asked for rests, fills and is cancelled, without an engine.

::

    play = Play(OneForm(Momentum), seed=7)
    play.run(500)
    assert play.stage.asked
"""

from __future__ import annotations

import random
from enum import Enum
from typing import Any, Protocol

from bloor.execution.life import Status
from bloor.market.bars import BarRecord
from bloor.market.book import OrderBook
from bloor.market.events import EventKind, EventView
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, TimeInForce
from bloor.model.records import RecordView
from bloor.risk.check import Exposure
from bloor.strategy.api import Strategy
from bloor.strategy.memory import METHODS, FillRecord, Handler, OrderRecord, OrdersRecord
from bloor.testing.bothforms import INSTRUMENT, PlainOrders

__all__ = ["Market", "OneForm", "Play", "Stage", "StageOrders"]

_START_NS = 1_700_000_000_000_000_000
_ALONE = (Handler.START, Handler.STOP, Handler.TIMER)


class StageOrders(PlainOrders):
    """Writes down what is asked for; replacing and reducing are answered as an engine does, and never raise."""

    def replace(self, number: int, price: int, lots: int) -> int:
        """Writes down a replacement, which is refused for even numbers."""
        self.asked.append(("replace", number, price, lots))
        return len(self.asked) if number % 2 else 0

    def amend(self, number: int, lots: int) -> bool:
        """Writes down a reduction, which is refused for even numbers."""
        self.asked.append(("amend", number, lots))
        return number % 2 != 0


class Stage(Protocol):
    """What a play needs; :class:`OneForm` and :class:`~bloor.testing.bothforms.BothForms` are stages."""

    levels: OrderBook
    trade: EventView
    bar: BarRecord
    fill: FillRecord
    order: OrderRecord
    exposure: Exposure
    desk: OrdersRecord

    @property
    def asked(self) -> list[tuple[int | str, ...]]:
        """What was asked for so far."""

    def call(self, handler: Handler, event: RecordView | None = None) -> BaseException | None:
        """Runs a handler; what it raised."""


class OneForm:
    """A strategy whose handlers run as Python; the attributes are those of ``BothForms``."""

    def __init__(self, cls: type[Strategy], config: Any = None, instrument: Instrument = INSTRUMENT) -> None:
        self.strategy = cls(config)
        self.levels = OrderBook(instrument)
        self.book: BookView = self.levels.view
        self.trade, self.bar = EventView(), BarRecord()
        self.fill, self.order, self.exposure, self.desk = FillRecord(), OrderRecord(), Exposure(), OrdersRecord()
        self._orders = StageOrders(self.desk, self.exposure, instrument)

    @property
    def asked(self) -> list[tuple[int | str, ...]]:
        """What was asked for so far."""
        return self._orders.asked

    def call(self, handler: Handler, event: RecordView | None = None) -> BaseException | None:
        """Runs a handler; what it raised."""
        book = () if handler in _ALONE else (self.book,)
        try:
            getattr(self.strategy, METHODS[handler])(*([event] if event else []), *book, self._orders)
        except Exception as error:  # noqa: BLE001 (whatever a handler raises)
            return error
        return None


class Market(Enum):
    """What a play is about."""

    #: Prices wander, trade and fill; the book is two-sided nearly always.
    MOVING = "moving"
    #: The same book and the same price all the time.
    STILL = "still"
    #: There is no book: empty, one-sided, or not synchronised.
    BLIND = "blind"
    #: Far jumps, large quantities, crossed and empty books.
    WILD = "wild"


class Play:
    """One seeded market for one stage.

    Args:
        stage: The strategy.
        seed: Fixes the market.
        market: What kind of market it is.
        price: Where prices begin, in ticks.

    Attributes:
        stage: The strategy.
        raised: What handlers raised, with the handler.
    """

    def __init__(self, stage: Stage, seed: int, market: Market = Market.MOVING, *, price: int = 600_000) -> None:
        self.stage = stage
        self.raised: list[tuple[Handler, BaseException]] = []
        self._random = random.Random(seed)
        self._market = market
        self._price = price
        self._trend = 0
        self._seen = 0
        self._taken = 0
        self._working: dict[int, tuple[int, int, int]] = {}
        stage.desk.now_ns = _START_NS

    def run(self, steps: int) -> None:
        """Starts the strategy, lets so many events happen, and stops it."""
        self.start()
        for _ in range(steps):
            self.step()
        self.stop()

    def start(self) -> None:
        """The run begins."""
        self._set_book()
        self._call(Handler.START)

    def stop(self) -> None:
        """The run ends."""
        self._call(Handler.STOP)

    def step(self) -> None:
        """One event, and what becomes of the orders that were asked for."""
        chance = self._random
        self.stage.desk.now_ns += chance.choice([0, 1, 1_000_000, 50_000_000, 300_000_000])
        self._move()
        handler = chance.choice([Handler.TRADE] * 5 + [Handler.BOOK] * 3 + [Handler.BBO, Handler.BAR, Handler.TIMER])
        self._set_event(handler)
        event = {Handler.TRADE: self.stage.trade, Handler.BBO: self.stage.trade, Handler.BAR: self.stage.bar}
        self._call(handler, event.get(handler))
        self._take_asked()
        if self._working and self._market in (Market.MOVING, Market.WILD) and chance.random() < 0.5:
            self._end(chance.choice(sorted(self._working)), filled=chance.random() < 0.6)

    # ---- the market -------------------------------------------------------------------------------------------------

    def _move(self) -> None:
        chance = self._random
        if self._market is Market.STILL:
            return
        if self._market is Market.WILD and chance.random() < 0.1:
            self._price = chance.choice([1_000, 600_000, 1 << 40])
        if chance.random() < 0.03:
            self._trend = chance.choice([-30, -5, 0, 5, 30])
        self._price = max(10, self._price + self._trend + chance.randrange(-20, 21))
        self._set_book()

    def _set_book(self) -> None:
        levels, chance, price = self.stage.levels, self._random, self._price
        still = self._market is Market.STILL
        half = 1 if still else chance.choice([1, 1, 1, 2, 10])

        def side(sign: int) -> list[tuple[int, int]]:
            rows = [(price + sign * (half + n), 1_000_000 if still else chance.randrange(1, 10**8)) for n in range(5)]
            return [row for row in rows if row[0] > 0]

        bids, asks = side(-1), side(1)
        state = BookState.SYNCED
        if self._market is Market.BLIND or (self._market is Market.WILD and chance.random() < 0.2):
            bids, asks, state = chance.choice(
                [
                    ([], [], BookState.UNSYNCED),
                    ([], [], BookState.SYNCED),
                    (bids, [], BookState.SYNCED),
                    ([], asks, BookState.SYNCED),
                ]
            )
        levels.load(bids, asks, seq=1, exch_ns=self.stage.desk.now_ns, recv_ns=self.stage.desk.now_ns)
        levels.view.state = int(state)

    def _set_event(self, handler: Handler) -> None:
        stage, chance, price = self.stage, self._random, self._price
        still = self._market is Market.STILL
        now = stage.desk.now_ns
        qty = 1_000_000 if still else chance.choice([1, 1000, 10**6, 10**9])
        if handler in (Handler.TRADE, Handler.BBO):
            trade = stage.trade
            trade.kind = int(EventKind.TRADE if handler is Handler.TRADE else EventKind.BBO)
            self._seen += 1
            trade.seq, trade.exch_ns, trade.recv_ns = self._seen, now, now
            trade.price, trade.qty = price if handler is Handler.TRADE else price - 1, qty
            trade.price2, trade.qty2 = (0, 0) if handler is Handler.TRADE else (price + 1, qty)
            trade.side = (1 if still else chance.choice([1, -1])) if handler is Handler.TRADE else 0
        elif handler is Handler.BAR:
            bar = stage.bar
            wide = 0 if still else chance.randrange(0, 50)
            bar.open = bar.close = price
            bar.high, bar.low = price + wide, max(1, price - wide)
            bar.volume, bar.trades, bar.value = qty, 5, float(price) * qty
            bar.start_ns, bar.end_ns = now - 60 * 10**9, now

    # ---- orders -----------------------------------------------------------------------------------------------------

    def _take_asked(self) -> None:
        """What was newly asked for begins to rest; what takes at once is filled or gone."""
        for number, order in enumerate(self.stage.asked[self._taken :], start=self._taken + 1):
            self._taken = number
            self._take(number, order)

    def _take(self, number: int, order: tuple[Any, ...]) -> None:
        if len(order) == 5:
            side, price, lots, _, tif = order
            self._open(number, side, price, lots)
            if tif != TimeInForce.GTC:
                self._end(number, filled=self._random.random() < 0.8)
        elif not order:
            for open_number in sorted(self._working):
                self._end(open_number, filled=False)
        elif len(order) == 1 and order[0] in self._working and order[0] % 2:
            self._end(order[0], filled=False)
        elif order[0] == "replace" and order[1] in self._working and order[1] % 2:
            side = self._working[order[1]][0]
            self._end(order[1], filled=False)
            self._open(number, side, order[2], order[3])

    def _open(self, number: int, side: int, price: int, lots: int) -> None:
        self._working[number] = side, price, lots
        self._reserve(side, lots, 1)
        self._tell(number, side, price, lots, 0, Status.NEW, closed=False)

    def _end(self, number: int, *, filled: bool) -> None:
        stage = self.stage
        side, price, lots = self._working.pop(number)
        self._reserve(side, lots, -1)
        units = min(max(lots, 0), 1 << 40) * stage.desk.lot_units if filled else 0
        if filled:
            stage.exposure.position += side * units
            fill, now = stage.fill, stage.desk.now_ns
            fill.side, fill.price_ticks, fill.units = side, price, units
            fill.liquidity, fill.exch_ns, fill.recv_ns = int(Liquidity.TAKER), now, now
            self._call(Handler.FILL, fill)
        status = Status.FILLED if filled else Status.CANCELLED
        self._tell(number, side, price, lots, units, status, closed=True)

    def _reserve(self, side: int, lots: int, sign: int) -> None:
        exposure = self.stage.exposure
        units = sign * min(max(lots, 0), 1 << 40) * self.stage.desk.lot_units
        exposure.open_orders += sign
        if side > 0:
            exposure.open_buy += units
        else:
            exposure.open_sell += units

    def _tell(
        self, number: int, side: int, price: int, lots: int, filled: int, status: Status, *, closed: bool
    ) -> None:
        order = self.stage.order
        order.number, order.side, order.price, order.lots = number, side, price, lots
        order.filled, order.status, order.closed = filled, int(status), int(closed)
        self._call(Handler.ORDER, order)

    def _call(self, handler: Handler, event: RecordView | None = None) -> None:
        raised = self.stage.call(handler, event)
        if raised is not None:
            self.raised.append((handler, raised))
