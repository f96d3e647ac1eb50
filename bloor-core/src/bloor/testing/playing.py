"""A strategy on a stage: a seeded market plays; what is asked for rests, fills and is cancelled, without an engine.

::

    play = Play(OneForm(Momentum), seed=7)
    play.run(500)
    assert play.stage.asked
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from bloor.execution.life import Status
from bloor.market.bars import BarRecord
from bloor.market.events import EventKind, EventView
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, TimeInForce
from bloor.model.records import RecordView
from bloor.strategy.api import Strategy
from bloor.strategy.memory import METHODS, FillRecord, Handler, OrderRecord, OrdersRecord
from bloor.testing.bothforms import INSTRUMENT, PlainOrders
from bloor.testing.legs import StageLeg, stage_legs

__all__ = ["Market", "OneForm", "Play", "Stage", "StageOrders"]

_START_NS = 1_700_000_000_000_000_000
_ALONE = (Handler.START, Handler.STOP, Handler.TIMER)


class StageOrders(PlainOrders):
    """Writes down what is asked for; replacing and reducing are answered as an engine does, and never raise."""

    def replace(self, number: int, price: int, lots: int) -> int:
        """Writes down a replacement, which is refused as a cancel is."""
        self.note("replace", number, price, lots)
        return len(self.asked) if self.takes(number) else 0

    def amend(self, number: int, lots: int) -> bool:
        """Writes down a reduction, which is refused as a cancel is."""
        self.note("amend", number, lots)
        return self.takes(number)


class Stage(Protocol):
    """What a play needs; :class:`OneForm` and :class:`~bloor.testing.bothforms.BothForms` are stages."""

    legs: list[StageLeg]
    trade: EventView
    bar: BarRecord
    fill: FillRecord
    order: OrderRecord
    desk: OrdersRecord

    @property
    def asked(self) -> list[tuple[int | str, ...]]:
        """What was asked for so far."""

    @property
    def asked_on(self) -> list[int]:
        """The leg of each of these."""

    def call(self, handler: Handler, event: RecordView | None = None, leg: int = 0) -> BaseException | None:
        """Runs a handler; what it raised."""


class OneForm:
    """A strategy whose handlers run as Python; the attributes are those of ``BothForms``."""

    def __init__(
        self,
        cls: type[Strategy],
        config: Any = None,
        instrument: Instrument = INSTRUMENT,
        *,
        others: Sequence[Instrument] = (),
    ) -> None:
        self.strategy = cls(config)
        self.legs = stage_legs([instrument, *others])
        self.trade, self.bar, self.fill, self.order = EventView(), BarRecord(), FillRecord(), OrderRecord()
        first = self.legs[0]
        self.levels, self.book, self.exposure, self.desk = first.levels, first.book, first.exposure, first.desk
        self._orders = StageOrders.all_of(self.legs)

    @property
    def asked(self) -> list[tuple[int | str, ...]]:
        """What was asked for so far."""
        return self._orders[0].asked

    @property
    def asked_on(self) -> list[int]:
        """The leg of each of these."""
        return self._orders[0].asked_on

    def call(self, handler: Handler, event: RecordView | None = None, leg: int = 0) -> BaseException | None:
        """Runs a handler; what it raised."""
        at = self.legs[leg]
        for each in self.legs:
            each.desk.now_ns = self.desk.now_ns
        book = () if handler in _ALONE else (at.book,)
        try:
            getattr(self.strategy, METHODS[handler])(*([event] if event else []), *book, self._orders[leg])
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


class _Resting(NamedTuple):
    """An order that rests."""

    leg: int
    side: int
    price: int
    lots: int


class Play:
    """One seeded market for one stage.

    Args:
        stage: The strategy.
        seed: Fixes the market.
        market: What kind of market it is.
        prices: Where the prices of each leg begin, in ticks.

    Attributes:
        stage: The strategy.
        raised: What handlers raised, with the handler.
    """

    def __init__(self, stage: Stage, seed: int, market: Market = Market.MOVING, *, prices: Sequence[int] = ()) -> None:
        self.stage = stage
        self.raised: list[tuple[Handler, BaseException]] = []
        self._random = random.Random(seed)
        self._market = market
        self._prices = list(prices) or [600_000] * len(stage.legs)
        self._trends = [0] * len(stage.legs)
        self._seen = 0
        self._taken = 0
        self._working: dict[int, _Resting] = {}
        stage.desk.now_ns = _START_NS

    def run(self, steps: int) -> None:
        """Starts the strategy, lets so many events happen, and stops it."""
        self.start()
        for _ in range(steps):
            self.step()
        self.stop()

    def start(self) -> None:
        """The run begins."""
        for leg in range(len(self.stage.legs)):
            self._set_book(leg)
            self._call(Handler.START, leg=leg)

    def stop(self) -> None:
        """The run ends."""
        for leg in range(len(self.stage.legs)):
            self._call(Handler.STOP, leg=leg)

    def step(self) -> None:
        """One event, and what becomes of the orders that were asked for."""
        chance = self._random
        self.stage.desk.now_ns += chance.choice([0, 1, 1_000_000, 50_000_000, 300_000_000])
        leg = chance.randrange(len(self.stage.legs)) if len(self.stage.legs) > 1 else 0
        self._move(leg)
        handler = chance.choice([Handler.TRADE] * 5 + [Handler.BOOK] * 3 + [Handler.BBO, Handler.BAR, Handler.TIMER])
        self._set_event(handler, leg)
        event = {Handler.TRADE: self.stage.trade, Handler.BBO: self.stage.trade, Handler.BAR: self.stage.bar}
        self._call(handler, event.get(handler), 0 if handler is Handler.TIMER else leg)
        self._take_asked()
        if self._working and self._market in (Market.MOVING, Market.WILD) and chance.random() < 0.5:
            self._end(chance.choice(sorted(self._working)), filled=chance.random() < 0.6)

    # ---- the market -------------------------------------------------------------------------------------------------

    def _move(self, leg: int) -> None:
        chance = self._random
        if self._market is Market.STILL:
            return
        if self._market is Market.WILD and chance.random() < 0.1:
            self._prices[leg] = chance.choice([1_000, 600_000, 1 << 40])
        if chance.random() < 0.03:
            self._trends[leg] = chance.choice([-30, -5, 0, 5, 30])
        self._prices[leg] = max(10, self._prices[leg] + self._trends[leg] + chance.randrange(-20, 21))
        self._set_book(leg)

    def _set_book(self, leg: int) -> None:
        levels, chance, price = self.stage.legs[leg].levels, self._random, self._prices[leg]
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

    def _set_event(self, handler: Handler, leg: int) -> None:
        stage, chance, price = self.stage, self._random, self._prices[leg]
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
            self._take(number, self.stage.asked_on[number - 1], order)

    def _take(self, number: int, leg: int, order: tuple[Any, ...]) -> None:
        granted = [n for n, resting in sorted(self._working.items()) if resting.leg == leg and n % 2]
        if len(order) == 5:
            side, price, lots, _, tif = order
            self._open(number, _Resting(leg, side, price, lots))
            if tif != TimeInForce.GTC:
                self._end(number, filled=self._random.random() < 0.8)
        elif not order:
            for open_number in sorted(self._working):
                if self._working[open_number].leg == leg:
                    self._end(open_number, filled=False)
        elif len(order) == 1 and order[0] in granted:
            self._end(order[0], filled=False)
        elif order[0] == "replace" and order[1] in granted:
            side = self._working[order[1]].side
            self._end(order[1], filled=False)
            self._open(number, _Resting(leg, side, order[2], order[3]))

    def _open(self, number: int, order: _Resting) -> None:
        self._working[number] = order
        self._reserve(order, 1)
        self._tell(number, order, 0, Status.NEW, closed=False)

    def _end(self, number: int, *, filled: bool) -> None:
        stage = self.stage
        resting = self._working.pop(number)
        self._reserve(resting, -1)
        units = self._units(resting) if filled else 0
        if filled:
            stage.legs[resting.leg].exposure.position += resting.side * units
            fill, now = stage.fill, stage.desk.now_ns
            fill.side, fill.price_ticks, fill.units = resting.side, resting.price, units
            fill.liquidity, fill.exch_ns, fill.recv_ns = int(Liquidity.TAKER), now, now
            self._call(Handler.FILL, fill, resting.leg)
        self._tell(number, resting, units, Status.FILLED if filled else Status.CANCELLED, closed=True)

    def _units(self, resting: _Resting) -> int:
        return min(max(resting.lots, 0), 1 << 40) * self.stage.legs[resting.leg].instrument.lot_units

    def _reserve(self, resting: _Resting, sign: int) -> None:
        exposure = self.stage.legs[resting.leg].exposure
        exposure.open_orders += sign
        if resting.side > 0:
            exposure.open_buy += sign * self._units(resting)
        else:
            exposure.open_sell += sign * self._units(resting)

    def _tell(self, number: int, resting: _Resting, filled: int, status: Status, *, closed: bool) -> None:
        order = self.stage.order
        order.number, order.side, order.price, order.lots = number, resting.side, resting.price, resting.lots
        order.filled, order.status, order.closed = filled, int(status), int(closed)
        self._call(Handler.ORDER, order, resting.leg)

    def _call(self, handler: Handler, event: RecordView | None = None, leg: int = 0) -> None:
        raised = self.stage.call(handler, event, leg)
        if raised is not None:
            self.raised.append((handler, raised))
