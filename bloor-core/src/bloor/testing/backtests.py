"""Two strategies and a venue whose fills other backtests must give too: what comparisons with them are made of."""

from __future__ import annotations

import time

import numpy as np

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, StrategySpec, prepare
from bloor.backtesting.course import Logs, run_course
from bloor.backtesting.kept import KeptWindows
from bloor.backtesting.models import Constant, Fifo, PowerProb, RiskAverse
from bloor.backtesting.models.queue import QueueModel
from bloor.backtesting.rows import StoredRows
from bloor.config.duration import Duration
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.native.memory import Cells
from bloor.storage.cells import Records
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.params import config_class, param

__all__ = ["BY_ORDER", "CROSSING", "LATENCY", "PERIOD_NS", "QUEUES", "TOUCHING", "fills_of", "lane", "ran"]

LATENCY = Constant(entry=Duration(5_000_000), response=Duration(5_000_000))
PERIOD_NS = 100_000_000
#: hftbacktest's estimate of a queue may leave the level: so does ours where it is compared.
QUEUES: dict[str, QueueModel] = {"risk-averse": RiskAverse(), "power-prob n=3": PowerProb(n=3.0, bounded=False)}
#: Those that ask for order-level data.
BY_ORDER: dict[str, QueueModel] = {"fifo": Fifo()}


class Touch(Strategy):
    """Every 100 ms: cancels everything, and quotes at the best prices."""

    name = "touch"
    compiled = True
    timer = "100ms"

    lots: int = param(1, low=1, doc="of an order")
    most: int = param(1, low=1, doc="units that may be held, or owed, before an order")

    def on_timer(self, orders: Orders) -> None:
        """Quotes anew."""
        orders.cancel_all()
        book = orders.book
        if not book.two_sided:
            return
        if orders.position < self.most:
            orders.buy(book.best_bid, self.lots, post_only=True)
        if orders.position > -self.most:
            orders.sell(book.best_ask, self.lots, post_only=True)


class TouchSeen(Touch):
    """As :class:`Touch`, and it looks at every event."""

    name = "touch-seen"

    events: int = 0
    spread: int = 0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Counts."""
        self.events += 1

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Counts, and sums the spread up."""
        self.events += 1
        self.spread += book.best_ask - book.best_bid

    def on_bbo(self, quote: EventView, book: BookView, orders: Orders) -> None:
        """Counts."""
        self.events += 1


class Trend(Strategy):
    """Follows two averages of trade prices: long or short, by orders that take."""

    name = "trend"
    compiled = True

    lots: int = param(1, low=1, doc="of the first order; the others are of twice as much")
    fast: float = param(0.3, low=0.0, high=1.0, doc="weight of a trade in the fast average")
    slow: float = param(0.05, low=0.0, high=1.0, doc="weight of a trade in the slow average")
    band: float = param(0.5, low=0.0, doc="distance of the averages, in ticks")

    started: bool = False
    quick: float = 0.0
    steady: float = 0.0
    want: int = 0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Updates the averages and acts on their distance."""
        price = float(trade.price)
        if not self.started:
            self.quick = self.steady = price
            self.started = True
        self.quick += self.fast * (price - self.quick)
        self.steady += self.slow * (price - self.steady)
        if not book.two_sided:
            return
        if self.quick - self.steady > self.band and self.want <= 0:
            lots = self.lots if self.want == 0 else 2 * self.lots
            self.want = 1
            orders.buy(book.best_ask, lots, ioc=True)
        elif self.quick - self.steady < -self.band and self.want >= 0:
            lots = self.lots if self.want == 0 else 2 * self.lots
            self.want = -1
            orders.sell(book.best_bid, lots, ioc=True)


class TrendSeen(Trend):
    """As :class:`Trend`, and it looks at every event."""

    name = "trend-seen"

    events: int = 0
    spread: int = 0

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Counts, and sums the spread up."""
        self.events += 1
        self.spread += book.best_ask - book.best_bid

    def on_bbo(self, quote: EventView, book: BookView, orders: Orders) -> None:
        """Counts."""
        self.events += 1


def lane(
    instrument: Instrument, rows: Records, queue: str, offset_ns: int, kept: KeptWindows | None = None
) -> LaneSpec:
    """The market as hftbacktest simulates it without partial fills and without fees."""
    return LaneSpec(
        instrument=instrument, rows=StoredRows([rows]), latency=LATENCY, queue=(QUEUES | BY_ORDER)[queue],
        clock_offset_ns=offset_ns, partial=False, oversell=True, kept=kept,
    )  # fmt: skip


#: The strategies: as they are, and being handed every event as well.
TOUCHING = (Touch, TouchSeen)
CROSSING = (Trend, TrendSeen)


def ran(lane: LaneSpec, cls: type[Strategy], lots: int, most: int) -> tuple[float, Logs]:
    """Runs one of the strategies.

    Args:
        lane: Where.
        cls: The class.
        lots: Of an order.
        most: The most that is held, in units.

    Returns:
        The CPU seconds that it took once it was prepared, and what it wrote.
    """
    given = {"lots": lots, "most": most} if issubclass(cls, Touch) else {"lots": lots}
    prepared = prepare([lane], [StrategySpec(name=cls.name, cls=cls, config=config_class(cls)(**given))])
    began = time.process_time()
    logs = run_course(prepared.memory)
    return time.process_time() - began, logs


def fills_of(logs: Logs, instrument: Instrument) -> Cells:
    """Fills as comparisons have them.

    Returns:
        ``(n, 5)`` int64: the venue's time in ns, price in ticks, quantity in 1e-8, side, number of the order; in the
        order of time and number.
    """
    fills = logs.fills[np.lexsort((logs.fills[:, at.FILL_ORDER // 8], logs.fills[:, at.FILL_EXCH // 8]))]
    cells = at.FILL_EXCH, at.FILL_PRICE, at.FILL_UNITS, at.FILL_SIDE, at.FILL_ORDER
    columns = [fills[:, cell // 8] for cell in cells]
    columns[2] = columns[2] * 10 ** (8 - instrument.qty_decimals)
    found: Cells = np.stack(columns, 1)
    return found
