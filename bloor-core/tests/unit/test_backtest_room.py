"""Memory of a backtest that grows: nothing of what a strategy does is too much, and no result depends on the room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, ClassVar

import numpy as np
import pytest
from attrs import frozen

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, Prepared, StrategySpec, lane_of, prepare
from bloor.backtesting.course import Logs, run_course
from bloor.backtesting.memory import RunMemory
from bloor.backtesting.models import Constant, RiskAverse
from bloor.backtesting.room import Room, address
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.script import Asked, put_to_venue
from bloor.backtesting.takes import note_take, take_changed, taken_at
from bloor.config.duration import Duration
from bloor.errors import RunError
from bloor.execution.life import Status
from bloor.market.events import EventKind, EventView, Flag
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.gate import Gate
from bloor.storage.cells import Records
from bloor.strategy.api import Strategy

START = 1_700_000_000_000_000_000
MS = 1_000_000
INSTRUMENT = Instrument(
    venue="made", symbol="AAA-BBB", venue_symbol="AAABBB", base="AAA", quote="BBB", price_decimals=0, qty_decimals=0
)
TINY, USUAL, LARGE = Room(orders=1, messages=1, takes=1), Room(), Room(orders=1 << 13, messages=1 << 14, takes=1 << 12)
Level = tuple[int, int, int]


class Market:
    """A market as somebody tells it, a millisecond from one thing to the next."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.levels: dict[tuple[int, int], int] = {}
        self.ns = START

    def book(self, changes: Iterable[Level], flags: int = 0) -> None:
        """A message of the book: ``(side, price, units)``."""
        self.ns += MS
        told = list(changes)
        for side, price, units in told:
            self.levels[side, price] = units
        bids, asks = ([price for (of, price), units in self.levels.items() if of == side and units] for side in (1, -1))
        bid, ask = max(bids), min(asks)
        top = (bid, self.levels[1, bid], ask, self.levels[-1, ask])
        self.rows.append((EventKind.BOOK, 0, flags, 0, len(self.rows), self.ns, self.ns + MS, *top))
        for n, (side, price, units) in enumerate(told):
            last = flags | (Flag.LAST if n == len(told) - 1 else 0)
            self.rows.append(
                (EventKind.LEVEL, side, last, 0, len(self.rows), self.ns, self.ns + MS, price, units, 0, 0)
            )

    def trade(self, side: int, price: int, units: int) -> None:
        """Others trade."""
        self.ns += MS
        self.rows.append((EventKind.TRADE, side, 0, 0, len(self.rows), self.ns, self.ns + MS, price, units, 0, 0))

    def records(self) -> Records:
        """All of it."""
        found: Records = np.array(self.rows, EventView.DTYPE)
        return found


def lane(market: Market, room: Room, **changes: Any) -> LaneSpec:
    """What a test runs on."""
    facts: dict[str, Any] = {
        "instrument": INSTRUMENT, "rows": StoredRows([market.records()]), "queue": RiskAverse(), "oversell": True,
        "latency": Constant(entry=Duration(1), response=Duration(1)), "room": room,
    }  # fmt: skip
    return LaneSpec(**{**facts, **changes})


def run(market: Market, cls: type[Strategy], room: Room, gate: Gate | None = None) -> tuple[Logs, Prepared]:
    """Runs a strategy on it."""
    prepared = prepare([lane(market, room)], [StrategySpec(name=cls.name, cls=cls)], gate=gate)
    return run_course(prepared.memory, keep_decisions=True), prepared


def runs(market: Market, cls: type[Strategy]) -> Logs:
    """Runs it with little room, with the usual and with much, which come to the same."""
    logs = [run(market, cls, room)[0] for room in (TINY, USUAL, LARGE)]
    assert len({each.hash for each in logs}) == 1
    assert np.array_equal(logs[0].decisions, logs[2].decisions)
    return logs[0]


class Taking(Strategy):
    """Takes one level more with each trade."""

    name = "taking"

    def __init__(self, config: Any = None) -> None:
        self.trades = 0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Buys up to the next price."""
        self.trades += 1
        orders.buy(1000 + self.trades, 5, ioc=True)


def test_a_day_of_taking_on_a_quiet_book_goes_on() -> None:
    """Each of many levels that never change is taken once; what the venue says anew is there again."""
    market = Market()
    market.book([(1, 900, 1), *((-1, 1000 + n, 5) for n in range(1, 701))], int(Flag.SNAPSHOT))
    for _ in range(650):
        market.trade(1, 1001, 1)
    market.ns += 5 * MS
    market.book([(-1, 1000 + n, 4) for n in range(1, 651, 7)])
    market.trade(1, 1001, 1)
    fills = runs(market, Taking).fills
    taken: dict[int, list[int]] = {}
    for price, units in fills[:, [at.FILL_PRICE // 8, at.FILL_UNITS // 8]].tolist():
        taken.setdefault(price - 1000, []).append(units)
    assert taken.pop(1) == [5, 4]
    assert taken.pop(8) == [5, 1]
    assert taken == {n: [5] for n in range(2, 651) if n != 8}


class Sweeping(Strategy):
    """Takes all there is, with each trade."""

    name = "sweeping"

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Buys."""
        orders.buy(1 << 40, 1 << 40, ioc=True)


def test_one_order_may_take_any_number_of_levels() -> None:
    """It trades with each level once, and finds nothing there the next time."""
    market = Market()
    market.book([(1, 900, 1), *((-1, 1000 + n, 5) for n in range(6_000))], int(Flag.SNAPSHOT))
    for _ in range(3):
        market.trade(1, 1001, 1)
    fills = runs(market, Sweeping).fills
    assert fills[:, at.FILL_PRICE // 8].tolist() == list(range(1000, 7_000))


def test_takes_are_those_of_a_dictionary() -> None:
    """Whatever is taken and told anew, in a table that grows from one place: what was taken of each level."""
    market = Market()
    market.book([(1, 900, 1), (-1, 1000, 1)], int(Flag.SNAPSHOT))
    made = lane_of(lane(market, TINY))
    memory = RunMemory([made], [], 0)
    cells, chance = address(made.cells), Random(1)
    taken: dict[tuple[int, int], int] = {}
    for step in range(3_000):
        side, price = chance.choice((1, -1)), chance.choice((1, 64, 1 << 20)) * chance.randrange(1, 60)
        if chance.random() < (0.3 if step < 1_500 else 0.7):
            take_changed(cells, side, price)
            taken.pop((side, price), None)
        else:
            units = chance.randrange(1, 9)
            note_take(cells, side, price, units)
            taken[side, price] = taken.get((side, price), 0) + units
        assert taken_at(cells, side, price) == taken.get((side, price), 0)
        assert made.cells[at.TAKEN_COUNT // 8] == len(taken)
    assert {level: taken_at(cells, *level) for level in taken} == taken
    assert memory.failed is None


class Crowd(Strategy):
    """Places very many orders at once, and cancels them at the first trade."""

    name = "crowd"

    def on_start(self, orders: Any) -> None:
        """Places them."""
        for n in range(2_500):
            orders.buy(100 + n % 700, 1, post_only=True)

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Cancels them."""
        orders.cancel_all()

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        """Places one more for the first that it is told of that is being cancelled: there is room where none was."""
        if order.number == 1 and order.status == Status.PENDING_CANCEL:
            for n in range(3_000):
                orders.buy(800 + n % 90, 1, post_only=True)


def test_as_many_orders_may_be_open_as_a_strategy_places() -> None:
    """All rest, also those that are placed while it is told of others, and all are cancelled."""
    market = Market()
    market.book([(1, 900, 1), (-1, 1000, 1)], int(Flag.SNAPSHOT))
    for _ in range(3):
        market.trade(1, 1001, 1)
    logs = runs(market, Crowd)
    status = logs.ended[:, at.ENDED_WHAT // 8] >> 32 & 255
    assert logs.ended.shape[0] == 5_500
    assert set(status.tolist()) == {int(Status.CANCELLED)}


class Patient(Strategy):
    """One large order; it looks at nothing."""

    name = "patient"

    def on_start(self, orders: Any) -> None:
        """Places it."""
        orders.buy(950, 100_000, post_only=True)


def test_any_number_of_fills_may_be_on_their_way() -> None:
    """A strategy that is told of nothing gets every one of thousands of fills."""
    market = Market()
    market.book([(1, 900, 1), (-1, 1000, 1)], int(Flag.SNAPSHOT))
    market.ns += 5 * MS
    for _ in range(6_000):
        market.trade(-1, 950, 2)
    logs = runs(market, Patient)
    assert len(logs.fills) == 6_000
    assert set(logs.fills[:, at.FILL_UNITS // 8].tolist()) == {2}


def test_any_number_of_orders_may_rest_that_are_put_to_the_venue() -> None:
    """Orders by a script are not limited by the room of the beginning either."""
    market = Market()
    market.book([(1, 900, 1), (-1, 1000, 1)], int(Flag.SNAPSHOT))
    market.ns += 5 * MS
    for _ in range(300):
        market.trade(-1, 950, 5)
    requests = [
        Asked(
            kind=at.PLACE, ns=START + 2 * MS, number=n, side=1, price=950, units=1, type=int(OrderType.LIMIT),
            tif=int(TimeInForce.GTC),
        )
        for n in range(1_600)
    ]  # fmt: skip
    for room in (TINY, USUAL):
        told = put_to_venue(lane_of(lane(market, room)), requests)
        assert [each.number for each in told if each.kind == at.FILLED] == list(range(1_500))


@frozen
class Nothing:
    """No limits."""


class Never(RiskCheck):
    """Denies everything."""

    name: ClassVar[str] = "never"
    controls = frozenset(Control)
    limits: ClassVar[type[Any]] = Nothing
    codes: ClassVar[dict[int, str]] = {1: "NEVER"}

    def __init__(self, limits: Any, instruments: Sequence[Instrument]) -> None:
        """Nothing to keep."""

    @classmethod
    def sim_limits(cls) -> Any:
        """None."""
        return Nothing()

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Denies."""
        return 1


class Hasty(Strategy):
    """Asks for very much in one moment."""

    name = "hasty"

    def on_start(self, orders: Any) -> None:
        """Asks."""
        for _ in range(40_000):
            orders.buy(900, 1)


def test_every_denial_of_a_moment_is_counted() -> None:
    """However many orders a handler asks for, each that the gate stops is written down."""
    market = Market()
    market.book([(1, 900, 1), (-1, 1000, 1)], int(Flag.SNAPSHOT))
    market.trade(1, 1001, 1)
    logs, _ = run(market, Hasty, USUAL, Gate([Never(Nothing(), ())], (INSTRUMENT,)))
    assert sum(logs.denied.values()) == logs.decided == 40_000


class Excessive(Strategy):
    """Asks once for what cannot be counted."""

    name = "excessive"

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Asks."""
        orders.buy(900, 1 << 62)


def test_what_cannot_be_counted_ends_the_backtest_also_where_nothing_follows() -> None:
    """The last thing that a strategy does is looked at as everything else."""
    market = Market()
    market.book([(1, 900, 1), (-1, 1000, 1)], int(Flag.SNAPSHOT))
    market.trade(1, 1001, 1)
    ten = Instrument(
        venue="made", symbol="AAA-BBB", venue_symbol="AAABBB", base="AAA", quote="BBB", price_decimals=0,
        qty_decimals=0, lot_units=10,
    )  # fmt: skip
    prepared = prepare([lane(market, USUAL, instrument=ten)], [StrategySpec(name="excessive", cls=Excessive)])
    with pytest.raises(RunError, match="more than 63 bits"):
        run_course(prepared.memory)


def test_without_memory_the_backtest_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be given ends it, with what there was no memory for."""
    market = Market()
    market.book([(1, 900, 1), (-1, 1000, 1)], int(Flag.SNAPSHOT))
    market.trade(1, 1001, 1)

    def refuse(*_arguments: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(RunMemory, "make_room", refuse)
    with pytest.raises(RunError, match="expected memory for more open orders"):
        run(market, Crowd, TINY)


class Looking(Strategy):
    """Asks for the quantity of far levels after each message, or from a later one on."""

    name = "looking"
    seen: ClassVar[list[list[int]]] = []
    first: ClassVar[int] = 0

    def __init__(self, config: Any = None) -> None:
        self.messages = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Looks."""
        self.messages += 1
        if self.messages > self.first:
            self.seen.append([book.size_at(side, price) for side, price in FAR[::17]])


FAR = [(side, 2_000_000 - side * 400 * n) for side in Side for n in range(1, 2_500)]


@pytest.mark.parametrize("first", [0, 39])
def test_a_book_may_have_any_number_of_far_levels(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels far from the best are there, however many there are and were before somebody looked."""
    monkeypatch.setattr(Looking, "first", first)
    market, chance = Market(), Random(3)
    market.book([(side, price, 1 + price % 7) for side, price in FAR], int(Flag.SNAPSHOT))
    expected = []
    for _ in range(40):
        others = [(side, price + chance.randrange(-50, 50), 3) for side, price in chance.sample(FAR, 90)]
        changes = [(side, price, chance.choice((0, 0, 8))) for side, price in chance.sample(FAR, 300)]
        market.book([(1, 1_999_900, 1 + len(expected) % 5), *others, *changes])
        expected.append([market.levels[level] for level in FAR[::17]])
    Looking.seen.clear()
    run(market, Looking, USUAL)
    assert Looking.seen == expected[first:]
